//! Runs the lot engine over an account's trades, and the wash-sale rule over what it closed.

use super::identity::Identity;
use super::owner::{OwnerTrades, TradeKey};
use super::run::{Closed, Places, Rescaled, RescaledLot, Step, run, times};
use super::units::Units;
use crate::error::ReportError;
use crate::walk::{At, Walked};
use std::collections::HashMap;
use tradewind_analytics::{Acquisition, LossSale, Replacements};
use tradewind_books::lots::{Lot, Lots};
use tradewind_domain::codes::LotMethod;
use tradewind_domain::fixed::{Money, NetQty, Notional, ONE};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, Seq};
use tradewind_domain::time::DayNumber;
use tradewind_domain::wide::{mul_div_half_even, share};

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
    /// In units of the day on which it was closed.
    pub(super) qty: NetQty,
    /// The same in parts.
    parts: i128,
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

/// What a purchase did to the loss of a sale.
pub(super) struct WashLine {
    /// Whose loss it was.
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) lot: Seq,
    pub(super) day: DayNumber,
    /// Shares whose loss it was, in units of that day.
    pub(super) qty: NetQty,
    pub(super) amount: i128,
    pub(super) money_dp: u8,
    pub(super) replacement: TradeKey,
    /// From when the replacement counts as held; none where the loss is lost and not added to its basis.
    pub(super) held_from: Option<i64>,
}

/// Shares of a lot whose basis was raised.
struct Raised {
    /// How many, in parts.
    parts: i128,
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
    pub(super) units: Units,
    until: Option<DayNumber>,
}

impl Realised {
    /// Lots as they were after `until`, and all that was realised up to then.
    pub(super) fn of(
        gathered: &OwnerTrades,
        walked: &Walked,
        (method, identity): (LotMethod, &Identity),
        until: Option<DayNumber>,
    ) -> Result<Self, ReportError> {
        let units = Units::of(&gathered.splits, identity.groups())?;
        let run = run(gathered, walked, method, &units, until)?;
        let mut replacements = acquisitions(gathered, walked, (method, identity), &units)?;
        let mut realised = Self {
            pieces: Vec::new(),
            washes: Vec::new(),
            account: walked.account,
            lots: run.lots,
            places: run.places,
            raised: HashMap::new(),
            units,
            until,
        };
        let mut sold_with: HashMap<TradeKey, Vec<String>> = HashMap::new();
        for step in &run.steps {
            if let Step::Closed(closed) = step {
                sold_with
                    .entry((closed.closing.close, closed.account))
                    .or_default()
                    .push(name_of((closed.closing.open, closed.account)));
            }
        }
        for step in &run.steps {
            match step {
                Step::Split(split) => {
                    let replacements = replacements.get_mut(&identity.one_of(split.instrument));
                    realised.rescale(split, replacements)?;
                }
                Step::Closed(closed) => {
                    let sold_with = &sold_with[&(closed.closing.close, closed.account)];
                    let replacements = replacements.get_mut(&identity.one_of(closed.instrument));
                    realised.close(walked, identity, closed, sold_with, replacements)?;
                }
            }
        }
        realised.pieces.retain(|piece| piece.account == walked.account);
        realised.washes.retain(|line| line.account == walked.account);
        Ok(realised)
    }

    /// Takes what was closed.
    fn close(
        &mut self,
        walked: &Walked,
        identity: &Identity,
        closed: &Closed,
        sold_with: &[String],
        mut replacements: Option<&mut Replacements>,
    ) -> Result<(), ReportError> {
        if let Some(replacements) = &mut replacements {
            let lot = name_of((closed.closing.open, closed.account));
            replacements.sold(&lot, NetQty::from_raw(closed.parts));
        }
        let at = walked.at();
        let money_dp = dp_of(&at, closed.instrument);
        let currency = currency_of(&at, closed.instrument);
        // A loss in an account for retirement is none, and takes nobody's replacement.
        let is_bound = identity.binds(walked, closed.instrument) && !identity.is_retirement(closed.account);
        for mut piece in self.pieces_of(closed, currency, money_dp)? {
            let is_loss = is_bound && piece.is_long && piece.gain < 0;
            if let Some(replacements) = replacements.as_mut().filter(|_| is_loss) {
                self.wash(&mut piece, identity, sold_with, replacements, money_dp)?;
            }
            self.pieces.push(piece);
        }
        Ok(())
    }

    /// Lets what wash sales added follow the lots of a split: each keeps its own, and of one that nothing is left of it goes to the next, as
    /// its cost does.
    fn rescale(
        &mut self,
        split: &Rescaled,
        replacements: Option<&mut Replacements>,
    ) -> Result<(), ReportError> {
        if let Some(replacements) = replacements {
            let names = split.lots.iter().map(|lot| name_of((lot.open, split.account)));
            let names: Vec<String> = names.collect();
            let now = split.lots.iter().map(|lot| NetQty::from_raw(lot.now));
            replacements.rescaled(names.iter().map(String::as_str).zip(now));
        }
        let mut homeless = 0;
        for lot in &split.lots {
            let key = (lot.open, split.account);
            let before = self.raised.remove(&key).unwrap_or_default();
            let raised = rescaled(before, lot, &mut homeless).ok_or(ReportError::Overflow)?;
            if !raised.is_empty() {
                self.raised.insert(key, raised);
            }
        }
        Ok(())
    }

    /// The pieces of a closing: shares whose basis was raised come first, each with a holding period of its own.
    fn pieces_of(
        &mut self,
        closed: &Closed,
        currency: CurrencyId,
        dp: u8,
    ) -> Result<Vec<Piece>, ReportError> {
        let (account, instrument, closing) = (closed.account, closed.instrument, &closed.closing);
        // Of a short sale the money came first: what the lot was opened for are the proceeds.
        let (mut cost, mut proceeds) = match closing.is_long {
            true => (closing.cost, closing.proceeds),
            false => (closing.proceeds, closing.cost),
        };
        let (mut parts, mut qty) = (closed.parts, closing.qty.raw());
        let mut gain = closing.gain.raw();
        let mut pieces = Vec::new();
        let raised = self.raised.entry((closing.open, account)).or_default();
        // A fraction that is less than the smallest unit still has money.
        while parts > 0 || pieces.is_empty() {
            let (part, added, held_from) = match raised.first_mut() {
                Some(first) if parts > 0 => {
                    let part = first.parts.min(parts);
                    let added = share(Money::from_raw(first.amount), part, first.parts, dp).raw();
                    (first.parts, first.amount) = (first.parts - part, first.amount - added);
                    (part, added, first.held_from)
                }
                _ => (parts, 0, i64::from(closing.open_day)),
            };
            raised.retain(|raised| raised.parts > 0);
            let of = |amount: Money| {
                if part == parts {
                    amount
                } else {
                    share(amount, part, parts, dp)
                }
            };
            let part_qty = match part == parts {
                true => qty,
                false => mul_div_half_even(qty, part, parts).ok_or(ReportError::Overflow)?,
            };
            let (part_cost, part_proceeds, part_gain) = (of(cost), of(proceeds), of(Money::from_raw(gain)));
            cost = Money::from_raw(cost.raw() - part_cost.raw());
            proceeds = Money::from_raw(proceeds.raw() - part_proceeds.raw());
            gain -= part_gain.raw();
            (parts, qty) = (parts - part, qty - part_qty);
            pieces.push(Piece {
                account,
                instrument,
                currency,
                open: closing.open,
                open_day: closing.open_day,
                held_from,
                close_day: closing.close_day,
                qty: NetQty::from_raw(part_qty),
                parts: part,
                proceeds: part_proceeds,
                basis: part_cost.raw() + added,
                gain: part_gain.raw() - added,
                disallowed: 0,
                is_long: closing.is_long,
            });
        }
        Ok(pieces)
    }

    /// Matches a loss with purchases around it.
    fn wash(
        &mut self,
        piece: &mut Piece,
        identity: &Identity,
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
            qty: NetQty::from_raw(piece.parts),
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
            let qty = mul_div_half_even(piece.qty.raw(), found.qty.raw(), piece.parts);
            let is_lost = identity.is_retirement(replacement.1);
            if !is_lost {
                self.raised.entry(replacement).or_default().push(Raised {
                    parts: found.qty.raw(),
                    amount,
                    held_from: found.holding_start,
                });
            }
            self.washes.push(WashLine {
                account: piece.account,
                instrument: piece.instrument,
                lot: piece.open,
                day: piece.close_day,
                qty: NetQty::from_raw(qty.ok_or(ReportError::Overflow)?),
                amount,
                money_dp,
                replacement,
                held_from: (!is_lost).then_some(found.holding_start),
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

    /// A quantity of the end in parts.
    pub(super) fn parts_of(&self, instrument: InstrumentId, qty: i128) -> Result<i128, ReportError> {
        times(qty, self.units.on(instrument, self.until))
    }

    /// From when the youngest shares of a lot count as held.
    pub(super) fn held_from(&self, instrument: InstrumentId, lot: &Lot) -> i64 {
        let own = i64::from(lot.day);
        let held = self.raised.get(&(lot.open, self.account));
        let raised: i128 = held.map_or(0, |raised| raised.iter().map(|raised| raised.parts).sum());
        let first = held.and_then(|raised| raised.iter().map(|raised| raised.held_from).max());
        if self.parts_of(instrument, lot.qty.raw()).ok() == Some(raised) {
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

/// What a split left of the raised shares of a lot. What has no share of its own any more goes with `homeless` to the next ones.
fn rescaled(before: Vec<Raised>, lot: &RescaledLot, homeless: &mut i128) -> Option<Vec<Raised>> {
    let (mut sum, mut left) = (0_i128, Vec::new());
    let mut told = 0;
    for raised in before {
        sum = sum.checked_add(raised.parts)?;
        let scaled = match lot.before {
            0 => 0,
            before => mul_div_half_even(sum, lot.now, before)?,
        };
        let parts = scaled - told;
        told = scaled;
        let amount = raised.amount + std::mem::take(homeless);
        match parts > 0 {
            true => left.push(Raised {
                parts,
                amount,
                ..raised
            }),
            false => *homeless = amount,
        }
    }
    if *homeless != 0 && lot.now > 0 {
        let amount = std::mem::take(homeless);
        match left.last_mut() {
            Some(last) => last.amount += amount,
            None => left.push(Raised {
                parts: lot.now,
                amount,
                held_from: lot.day.into(),
            }),
        }
    }
    Some(left)
}

/// Every purchase of the owner's accounts that opened or added to a long position, in parts, by what is identical; of what the rule binds.
fn acquisitions(
    gathered: &OwnerTrades,
    walked: &Walked,
    (method, identity): (LotMethod, &Identity),
    units: &Units,
) -> Result<HashMap<InstrumentId, Replacements>, ReportError> {
    let mut bought: HashMap<InstrumentId, Vec<Acquisition>> = HashMap::new();
    for (key, parts) in run(gathered, walked, method, units, None)?.opened {
        let Some(own) = gathered.by_key.get(&key).filter(|_| parts > 0) else {
            continue;
        };
        if identity.binds(walked, own.trade.instrument) {
            let one = identity.one_of(own.trade.instrument);
            bought.entry(one).or_default().push(Acquisition {
                lot: name_of(key),
                day: own.trade.trade_day,
                qty: NetQty::from_raw(parts),
            });
        }
    }
    let replacements = bought
        .iter()
        .map(|(instrument, list)| (*instrument, Replacements::new(list)));
    Ok(replacements.collect())
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
