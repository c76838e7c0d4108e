//! Runs the lot engine over an account's trades, and the wash-sale rule over what it closed.

use super::owner::{OwnerTrades, TradeKey};
use crate::error::ReportError;
use crate::walk::{At, Walked};
use std::collections::{BTreeMap, HashMap};
use tradewind_analytics::{Acquisition, LossSale, Replacements};
use tradewind_books::Moved;
use tradewind_books::lots::{Closing, Lot, Lots, Rules, Terms};
use tradewind_domain::codes::{InstrumentKind, LotMethod};
use tradewind_domain::fixed::{Money, NetQty, Notional, ONE};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, Seq};
use tradewind_domain::time::DayNumber;
use tradewind_domain::wide::share;

/// A piece of a lot that was realised, with the basis that it has for tax.
pub(super) struct Piece {
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) currency: CurrencyId,
    pub(super) open: Seq,
    pub(super) open_day: DayNumber,
    /// From when it counts as held.
    pub(super) held_from: i64,
    pub(super) close_day: DayNumber,
    pub(super) qty: NetQty,
    proceeds: Money,
    /// Cost with what wash sales added.
    basis: i128,
    gain: i128,
    disallowed: i128,
    pub(super) is_long: bool,
}

impl Piece {
    /// Proceeds, cost or basis, gain or loss, what is disallowed of a loss, and what is left to report.
    pub(super) fn figures(&self) -> [i128; 5] {
        let proceeds = self.proceeds.raw();
        [
            proceeds,
            self.basis,
            self.gain,
            self.disallowed,
            self.gain + self.disallowed,
        ]
    }
}

/// Where a disallowed loss went.
pub(super) struct WashLine {
    /// Whose loss it was.
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) lot: Seq,
    pub(super) day: DayNumber,
    pub(super) qty: NetQty,
    pub(super) amount: i128,
    pub(super) money_dp: u8,
    pub(super) replacement: TradeKey,
    pub(super) held_from: i64,
}

/// Shares of a lot whose basis was raised.
struct Raised {
    qty: i128,
    amount: i128,
    held_from: i64,
}

/// The lots of the owner's accounts, and what they realised.
pub(super) struct Realised {
    pub(super) pieces: Vec<Piece>,
    pub(super) washes: Vec<WashLine>,
    account: AccountId,
    lots: Lots,
    places: Places,
    raised: HashMap<TradeKey, Vec<Raised>>,
}

/// The row of each account and instrument.
type Places = BTreeMap<(AccountId, InstrumentId), HoldingId>;

/// What the lot engine gave.
struct Run {
    lots: Lots,
    places: Places,
    /// In the order of their records.
    closings: Vec<(AccountId, InstrumentId, Closing)>,
    /// Shares that a purchase opened or added.
    opened: BTreeMap<TradeKey, i128>,
}

impl Realised {
    /// Lots as they were after `until`, and all that was realised up to then.
    pub(super) fn of(
        gathered: &OwnerTrades,
        walked: &Walked,
        method: LotMethod,
        until: Option<DayNumber>,
    ) -> Result<Self, ReportError> {
        let run = run(gathered, walked, method, until);
        let mut replacements = acquisitions(gathered, walked, method);
        let mut realised = Self {
            pieces: Vec::new(),
            washes: Vec::new(),
            account: walked.account,
            lots: run.lots,
            places: run.places,
            raised: HashMap::new(),
        };
        let mut sold_with: HashMap<TradeKey, Vec<String>> = HashMap::new();
        for (account, _, closing) in &run.closings {
            sold_with
                .entry((closing.close, *account))
                .or_default()
                .push(name_of((closing.open, *account)));
        }
        for (account, instrument, closing) in &run.closings {
            let mut replacements = replacements.get_mut(instrument);
            if let Some(replacements) = &mut replacements {
                replacements.sold(&name_of((closing.open, *account)), closing.qty);
            }
            let money_dp = dp_of(&walked.at(), *instrument);
            let currency = currency_of(&walked.at(), *instrument);
            for mut piece in realised.split((*account, *instrument, currency), closing, money_dp) {
                let is_loss = piece.is_long && piece.gain < 0;
                if let Some(replacements) = replacements.as_mut().filter(|_| is_loss) {
                    let sold_with = &sold_with[&(closing.close, *account)];
                    realised.wash(&mut piece, sold_with, replacements, money_dp)?;
                }
                realised.pieces.push(piece);
            }
        }
        realised.pieces.retain(|piece| piece.account == walked.account);
        realised.washes.retain(|line| line.account == walked.account);
        Ok(realised)
    }

    /// The pieces of a closing: shares whose basis was raised come first, each with a holding period of its own.
    fn split(
        &mut self,
        (account, instrument, currency): (AccountId, InstrumentId, CurrencyId),
        closing: &Closing,
        dp: u8,
    ) -> Vec<Piece> {
        // Of a short sale the money came first: what the lot was opened for are the proceeds.
        let (mut cost, mut proceeds) = match closing.is_long {
            true => (closing.cost, closing.proceeds),
            false => (closing.proceeds, closing.cost),
        };
        let mut qty = closing.qty.raw();
        let mut gain = closing.gain.raw();
        let mut pieces = Vec::new();
        let raised = self.raised.entry((closing.open, account)).or_default();
        // A fraction that is less than the smallest unit still has money.
        while qty > 0 || pieces.is_empty() {
            let (part, added, held_from) = match raised.first_mut() {
                Some(first) if qty > 0 => {
                    let part = first.qty.min(qty);
                    let added = share(Money::from_raw(first.amount), part, first.qty, dp).raw();
                    (first.qty, first.amount) = (first.qty - part, first.amount - added);
                    (part, added, first.held_from)
                }
                _ => (qty, 0, i64::from(closing.open_day)),
            };
            raised.retain(|raised| raised.qty > 0);
            let of = |amount: Money| {
                if part == qty {
                    amount
                } else {
                    share(amount, part, qty, dp)
                }
            };
            let (part_cost, part_proceeds, part_gain) = (of(cost), of(proceeds), of(Money::from_raw(gain)));
            cost = Money::from_raw(cost.raw() - part_cost.raw());
            proceeds = Money::from_raw(proceeds.raw() - part_proceeds.raw());
            gain -= part_gain.raw();
            qty -= part;
            pieces.push(Piece {
                account,
                instrument,
                currency,
                open: closing.open,
                open_day: closing.open_day,
                held_from,
                close_day: closing.close_day,
                qty: NetQty::from_raw(part),
                proceeds: part_proceeds,
                basis: part_cost.raw() + added,
                gain: part_gain.raw() - added,
                disallowed: 0,
                is_long: closing.is_long,
            });
        }
        pieces
    }

    /// Matches a loss with purchases around it.
    fn wash(
        &mut self,
        piece: &mut Piece,
        sold_with: &[String],
        replacements: &mut Replacements,
        money_dp: u8,
    ) -> Result<(), ReportError> {
        let scale = i128::from(ONE); // money at 1e-8 to 1e-16
        let minor = 10_i128.pow(8 - u32::from(money_dp.min(8)));
        let sale = LossSale {
            lot: name_of((piece.open, piece.account)),
            sold_with: sold_with.to_vec(),
            day: piece.close_day,
            lot_day: piece.held_from,
            qty: piece.qty,
            loss: Notional::from_raw(piece.gain.checked_mul(-scale).ok_or(ReportError::Overflow)?),
            unit: Notional::from_raw(minor * scale),
        };
        let outcome = replacements.sale(&sale).ok_or(ReportError::Overflow)?;
        piece.disallowed = outcome.disallowed.raw() / scale;
        for found in outcome.matches {
            let (Some(replacement), amount) = (key_of(&found.replacement), found.basis_add.raw() / scale)
            else {
                continue; // every lot here has such a name
            };
            self.raised.entry(replacement).or_default().push(Raised {
                qty: found.qty.raw(),
                amount,
                held_from: found.holding_start,
            });
            self.washes.push(WashLine {
                account: piece.account,
                instrument: piece.instrument,
                lot: piece.open,
                day: piece.close_day,
                qty: found.qty,
                amount,
                money_dp,
                replacement,
                held_from: found.holding_start,
            });
        }
        Ok(())
    }

    /// Instruments that the account ever traded.
    pub(super) fn instruments(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        let own = self.places.keys().filter(|(account, _)| *account == self.account);
        own.map(|(_, instrument)| *instrument)
    }

    /// Lots that are held, oldest first.
    pub(super) fn lots_of(&self, instrument: InstrumentId) -> impl Iterator<Item = Lot> + '_ {
        self.lots.lots(self.place(instrument))
    }

    /// 1 for a long position, -1 for a short one.
    pub(super) fn sign_of(&self, instrument: InstrumentId) -> i128 {
        let head = self.lots.head(self.place(instrument));
        head.map_or(0, |head| head.qty.raw().signum())
    }

    /// What wash sales added to a lot that is held.
    pub(super) fn added_to(&self, open: Seq) -> i128 {
        self.raised
            .get(&(open, self.account))
            .map_or(0, |raised| raised.iter().map(|raised| raised.amount).sum())
    }

    /// From when the youngest shares of a lot count as held.
    pub(super) fn held_from(&self, lot: &Lot) -> i64 {
        let own = i64::from(lot.day);
        let held = self.raised.get(&(lot.open, self.account));
        let raised = held.map_or(0, |raised| raised.iter().map(|raised| raised.qty).sum());
        let first = held.and_then(|raised| raised.iter().map(|raised| raised.held_from).max());
        if raised == lot.qty.raw() {
            first.unwrap_or(own)
        } else {
            own
        }
    }

    fn place(&self, instrument: InstrumentId) -> HoldingId {
        let place = self.places.get(&(self.account, instrument));
        place.copied().unwrap_or(HoldingId::NONE)
    }
}

/// Every purchase of the owner's accounts that opened or added to a long position, by instrument; of shares alone.
fn acquisitions(
    gathered: &OwnerTrades,
    walked: &Walked,
    method: LotMethod,
) -> HashMap<InstrumentId, Replacements> {
    let mut bought: HashMap<InstrumentId, Vec<Acquisition>> = HashMap::new();
    for (key, qty) in run(gathered, walked, method, None).opened {
        let Some(own) = gathered.by_key.get(&key).filter(|_| qty > 0) else {
            continue;
        };
        if is_share(&walked.at(), own.trade.instrument) {
            bought.entry(own.trade.instrument).or_default().push(Acquisition {
                lot: name_of(key),
                day: own.trade.trade_day,
                qty: NetQty::from_raw(qty),
            });
        }
    }
    let replacements = bought
        .iter()
        .map(|(instrument, list)| (*instrument, Replacements::new(list)));
    replacements.collect()
}

/// Takes the movements of all accounts, in the order of their records.
fn run(gathered: &OwnerTrades, walked: &Walked, method: LotMethod, until: Option<DayNumber>) -> Run {
    let movements = || {
        let all = gathered.movements.iter();
        all.filter(move |(_, (_, movement))| until.is_none_or(|until| movement.day() <= until))
    };
    let mut places = Places::new();
    let mut count = 0_u32;
    for ((_, _, account), (instrument, _)) in movements() {
        let next = HoldingId(places.len() as u32);
        places.entry((*account, *instrument)).or_insert(next);
        count = count.saturating_add(1);
    }
    // As many lots as movements: none is ever merged with another.
    let mut run = Run {
        lots: Lots::new(places.len() as u32, count),
        places,
        closings: Vec::new(),
        opened: BTreeMap::new(),
    };
    let at = walked.at();
    for ((seq, _, account), (instrument, movement)) in movements() {
        let Some(row) = at.replica.registry().instrument(*instrument) else {
            continue; // an accepted record names one that there is
        };
        let terms = Terms {
            rules: Rules {
                money_dp: row.money_dp,
                inverse: row.is_inverse(),
            },
            method,
            fee_in_basis: true,
        };
        let place = run.places[&(*account, *instrument)];
        let closings = &mut run.closings;
        let mut keep = |closing: &Closing| closings.push((*account, *instrument, *closing));
        let named = gathered
            .named
            .get(&(*seq, *account))
            .map_or(&[][..], Vec::as_slice);
        let outcome = run.lots.take(place, terms, (movement, named), row, &mut keep);
        let bought = movement.change().raw();
        if movement.moved() == Moved::Trade && bought > 0 {
            run.opened.insert((*seq, *account), bought - outcome.closed.raw());
        }
    }
    run
}

/// What a lot is called where names are asked for.
fn name_of((seq, account): TradeKey) -> String {
    format!("{seq}/{}", account.0)
}

fn key_of(name: &str) -> Option<TradeKey> {
    let (seq, account) = name.split_once('/')?;
    Some((seq.parse().ok()?, AccountId(account.parse().ok()?)))
}

fn dp_of(at: &At<'_>, instrument: InstrumentId) -> u8 {
    at.replica
        .registry()
        .instrument(instrument)
        .map_or(2, |row| row.money_dp)
}

fn currency_of(at: &At<'_>, instrument: InstrumentId) -> CurrencyId {
    let row = at.replica.registry().instrument(instrument);
    row.map_or(CurrencyId::NONE, |row| row.currency)
}

/// True for shares: the rule is about securities, and a coin or a contract is none here.
pub(super) fn is_share(at: &At<'_>, instrument: InstrumentId) -> bool {
    let row = at.replica.registry().instrument(instrument);
    row.is_some_and(|row| row.kind == InstrumentKind::Equity as u8)
}
