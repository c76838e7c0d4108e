//! Corporate actions: an announcement that takes effect becomes one event for prices, then one for each who holds the instrument, and
//! of its open orders cancels are asked for (SETTLEMENT sections 6 and 12).
//!
//! # Invariants
//! - What a holder gets is worked out once, on the position of its account, and stands in the event; the nodes above move by the same
//!   quantity.
//! - A strategy's share is worked out on its own position, by the same rules, and stands in an event without a holding: fractions, dividends
//!   and fundings are its own, and no books move by it.
//! - A holder that is flat has an event of a split, margin or settlement as long as a trade of before it may be taken back: a bust finds
//!   every such action on its way.
//! - Nothing is refused but what does not fit: such an event is journaled with OVERFLOW or CAPACITY and changes nothing.
//! - A bust or correction changes what corporate actions behind its trade have paid and split, by differences that its record holds.
//!
//! Not here: what may be announced ([`crate::corporate`]), cost and profit (position).

mod restated;
mod walk;

use super::book::Book;
use super::dated::key_of;
use super::execution::collateral_of;
use crate::actions::{self, ActionRow};
use crate::corporate::split_ratio;
use crate::dated::{Amounts, BucketKey, BucketOwner};
use crate::hierarchy::{NodeRow, PairRow};
use bytemuck::Zeroable;
use tradewind_domain::codes::{CorporateActionKind, Level};
use tradewind_domain::corporate::Dividend;
use tradewind_domain::event::{CorporateAction, Event, HolderAction, Kind, execution_alerts};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, NodeId, Seq, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;

/// What a corporate action changes of quantity and cash.
#[derive(Clone, Copy, Default)]
struct Change {
    qty: i128,
    cash: i128,
    /// Signed money value of the position at the action's price.
    value: i128,
    dividend: Dividend,
}

/// Who is concerned by an effect.
struct Concerned {
    node: NodeId,
    account: AccountId,
    holding: HoldingId,
    wallet: WalletId,
    instrument: InstrumentId,
    currency: CurrencyId,
    qty: i64,
    cash: i128,
}

impl Concerned {
    fn of(event: &Event, kind: Kind) -> Self {
        if matches!(kind, Kind::HolderSplit | Kind::HolderDividend) {
            let body: &CorporateAction = event.body();
            return Self {
                node: body.node,
                account: body.account,
                holding: body.holding,
                wallet: body.wallet,
                instrument: body.instrument,
                currency: body.currency,
                qty: body.qty_delta,
                cash: body.gross.raw().saturating_sub(body.withheld.raw()),
            };
        }
        let body: &HolderAction = event.body();
        Self {
            node: body.node,
            account: body.account,
            holding: body.holding,
            wallet: body.wallet,
            instrument: body.instrument,
            currency: body.currency,
            qty: body.qty_delta,
            cash: body.cash.raw(),
        }
    }
}

/// The kind of the effects of an action.
fn effect_of(kind: CorporateActionKind) -> Kind {
    match kind {
        CorporateActionKind::Split => Kind::HolderSplit,
        CorporateActionKind::CashDividend => Kind::HolderDividend,
        CorporateActionKind::Funding => Kind::HolderFunding,
        CorporateActionKind::VariationMargin => Kind::HolderMargin,
        CorporateActionKind::Settlement => Kind::HolderSettled,
    }
}

fn action_of(kind: Kind) -> CorporateActionKind {
    match kind {
        Kind::HolderSplit => CorporateActionKind::Split,
        Kind::HolderDividend => CorporateActionKind::CashDividend,
        Kind::HolderFunding => CorporateActionKind::Funding,
        Kind::HolderMargin => CorporateActionKind::VariationMargin,
        _ => CorporateActionKind::Settlement,
    }
}

/// Orders of the instrument mean other units, or nothing any more, once such an action has taken effect.
fn ends_orders(action: &CorporateAction) -> bool {
    [CorporateActionKind::Split, CorporateActionKind::Settlement]
        .iter()
        .any(|kind| action.action == *kind as u8)
}

fn price_of(action: &CorporateAction) -> i64 {
    i64::try_from(action.cash_per_unit.raw()).unwrap_or(0) // checked where it was announced
}

impl Book {
    /// Takes an announcement: it takes effect at once, or waits for its ex-date.
    pub(super) fn announce(&mut self, action: &CorporateAction, seq: Seq) {
        if let Some(instrument) = self.market.instrument(action.instrument) {
            let calendar = instrument.calendar;
            self.announced
                .announce(action, calendar, self.calendars.date(calendar));
            self.note_due(seq);
        }
    }

    /// Retains what takes effect now: for its order, and for holders who are flat and have no record of what it pays.
    pub(super) fn note_due(&mut self, seq: Seq) {
        for action in self.announced.all_due() {
            let is_funding = action.action == CorporateActionKind::Funding as u8;
            let px = price_of(action);
            let row = ActionRow {
                px: if is_funding {
                    self.funding_price(action)
                } else {
                    px
                },
                rate: if is_funding { px } else { 0 },
                ratio: [action.numerator, action.denominator],
                seq,
                withhold_bps: action.withhold_bps,
                kind: action.action,
                ..ActionRow::zeroed()
            };
            self.actions.note(action.instrument, row);
        }
    }

    fn write_split_of_prices(&self, action: &CorporateAction, out: &mut Event) -> Kind {
        out.reset(Kind::HolderSplit);
        out.head.seq = self.input_seq;
        *out.body_mut() = CorporateAction {
            holding: HoldingId::NONE,
            account: AccountId::NONE,
            wallet: WalletId::NONE,
            node: NodeId::NONE,
            rate: self.market.rate(action.currency).unwrap_or(0),
            ..*action
        };
        Kind::HolderSplit
    }

    /// Writes what an action does to the holder of a pair; `None` where it does nothing.
    fn write_holder(&self, action: &CorporateAction, at: u32, out: &mut Event) -> Option<Kind> {
        let pair = self
            .hierarchy
            .pair(at)
            .filter(|pair| pair.instrument == action.instrument)?;
        let instrument = self.market.instrument(action.instrument)?;
        let node = self.hierarchy.node(pair.node)?;
        let kind = CorporateActionKind::from_code(action.action)?;
        let is_account = !pair.holding.is_none();
        if !is_account && node.level != Level::Strategy as u8 {
            return None;
        }
        let margined = if is_account {
            self.actions.margined(pair.holding)
        } else {
            0
        };
        if pair.flow.position == 0 && margined == 0 && !self.may_find_trades(kind, pair) {
            return None;
        }
        let change = self.change_of(action, kind, instrument, pair.flow.position, margined);
        Some(self.write_change(action, kind, (pair, node), change, out))
    }

    /// True where an action that finds a holder flat may come to lie behind a trade that is taken back. Margin is paid daily, so it asks for
    /// a trade that is retained; what is done to an instrument once or twice asks for any. What dividends and fundings would have paid is
    /// found by the instrument ([`crate::actions`]).
    fn may_find_trades(&self, kind: CorporateActionKind, pair: &PairRow) -> bool {
        let Some(oldest) = self.executions.oldest().filter(|_| !pair.holding.is_none()) else {
            return false;
        };
        let traded = self.actions.traded(pair.holding);
        match kind {
            CorporateActionKind::Split | CorporateActionKind::Settlement => pair.flow.day != 0 || traded != 0,
            CorporateActionKind::VariationMargin => traded >= oldest,
            CorporateActionKind::CashDividend | CorporateActionKind::Funding => false,
        }
    }

    /// `None` where it does not fit.
    fn change_of(
        &self,
        action: &CorporateAction,
        kind: CorporateActionKind,
        instrument: &Instrument,
        position: i128,
        margined: i128,
    ) -> Option<Change> {
        let px = price_of(action);
        let change = match kind {
            CorporateActionKind::Split => {
                let (after, cash) = actions::split(position, split_ratio(action)?, instrument, px)?;
                Change {
                    qty: after - position,
                    cash,
                    ..Change::default()
                }
            }
            CorporateActionKind::CashDividend => {
                let qty = NetQty::from_raw(position);
                let dividend = Dividend::of(
                    qty,
                    action.cash_per_unit,
                    action.withhold_bps,
                    instrument.money_dp,
                )?;
                Change {
                    cash: dividend.net().raw(),
                    dividend,
                    ..Change::default()
                }
            }
            CorporateActionKind::Funding => {
                let mark = self.funding_price(action);
                Change {
                    cash: actions::funding(position, instrument, mark, px)?.raw(),
                    value: actions::value(position, instrument, mark)?,
                    ..Change::default()
                }
            }
            CorporateActionKind::VariationMargin | CorporateActionKind::Settlement => {
                let value = actions::value(position, instrument, px)?;
                let is_end = kind == CorporateActionKind::Settlement;
                Change {
                    qty: if is_end { -position } else { 0 },
                    cash: if instrument.moves_principal() {
                        value
                    } else {
                        actions::margin_sign(instrument) * value.checked_sub(margined)?
                    },
                    value,
                    ..Change::default()
                }
            }
        };
        let fits = i64::try_from(change.qty).is_ok()
            && Money::from_raw(change.cash).is_postable()
            && Money::from_raw(change.value).is_postable();
        fits.then_some(change)
    }

    /// The price that a funding is reckoned at: the announced one, else the mark.
    fn funding_price(&self, action: &CorporateAction) -> i64 {
        match i64::try_from(action.gross.raw()) {
            Ok(px) if px != 0 => px,
            _ => self.market.mark(action.instrument),
        }
    }

    fn write_change(
        &self,
        action: &CorporateAction,
        kind: CorporateActionKind,
        (pair, node): (&PairRow, &NodeRow),
        change: Option<Change>,
        out: &mut Event,
    ) -> Kind {
        let effect = effect_of(kind);
        out.reset(effect);
        out.head.seq = self.input_seq;
        let is_account = !pair.holding.is_none();
        let wallet = if is_account {
            self.wallets.find_or_next(node.account, action.currency)
        } else {
            Some(WalletId::NONE)
        };
        let refusal = match (change, wallet) {
            (None, _) => Some(RejectCode::Overflow),
            (_, None) => Some(RejectCode::Capacity),
            _ => None,
        };
        let (change, wallet) = (change.unwrap_or_default(), wallet.unwrap_or_default());
        // Margin and settlement pay what an account's trades have cost; a strategy's profit follows from its value.
        let is_paid_by_quantity = !matches!(effect, Kind::HolderMargin | Kind::HolderSettled);
        let cash = if is_account || is_paid_by_quantity {
            change.cash
        } else {
            0
        };
        let overdraws =
            is_account && cash < 0 && self.is_cash_account(node.account) && self.overdraws(wallet, cash);
        let alerts = if overdraws { execution_alerts::OVERDRAFT } else { 0 };
        let rate = self.market.rate(action.currency).unwrap_or(0);
        let qty_delta = change.qty as i64; // checked to fit
        match effect {
            Kind::HolderSplit | Kind::HolderDividend => {
                *out.body_mut() = CorporateAction {
                    gross: match effect {
                        Kind::HolderDividend => change.dividend.gross,
                        _ => Money::from_raw(cash),
                    },
                    withheld: change.dividend.withheld,
                    cost_delta: Money::ZERO,
                    holding: pair.holding,
                    account: node.account,
                    wallet,
                    node: pair.node,
                    qty_delta,
                    is_short: u8::from(pair.flow.position < 0),
                    is_due: 0,
                    rate,
                    alerts,
                    ..*action
                };
                self.date_dividend(effect, out.body_mut());
            }
            _ => {
                let is_funding = kind == CorporateActionKind::Funding;
                *out.body_mut() = HolderAction {
                    cash: Money::from_raw(cash),
                    value: Money::from_raw(change.value).abs(),
                    px: if is_funding {
                        self.funding_price(action)
                    } else {
                        price_of(action)
                    },
                    funding_rate: if is_funding { price_of(action) } else { 0 },
                    rate,
                    qty_delta,
                    node: pair.node,
                    instrument: action.instrument,
                    holding: pair.holding,
                    account: node.account,
                    wallet,
                    date: action.ex_date,
                    currency: action.currency,
                    alerts,
                    ..HolderAction::zeroed()
                };
            }
        }
        if let Some(code) = refusal {
            out.reject(code);
        }
        effect
    }

    /// Writes whether a dividend is paid later than it is earned. What finds no room for its pay date is paid at once.
    fn date_dividend(&self, effect: Kind, body: &mut CorporateAction) {
        let Some(instrument) = self.market.instrument(body.instrument) else {
            return;
        };
        let calendar = Self::pay_calendar(instrument);
        let pays = effect == Kind::HolderDividend && !body.holding.is_none() && !net_of(body).is_zero();
        let (Ok(code), true) = (u8::try_from(calendar.0), pays) else {
            return;
        };
        if body.pay_date <= body.ex_date || body.pay_date <= self.calendars.date(calendar) {
            return;
        }
        if self.dated.has_room(key_of(body.holding, body.pay_date, code)) {
            body.is_due = 1;
        } else {
            body.alerts |= execution_alerts::SETTLED_EARLY;
        }
    }

    /// A dividend is pending until its pay date, in one bucket with the trades that settle then.
    fn hold_until_paid(&mut self, instrument: &Instrument, body: &CorporateAction) {
        let calendar = Self::pay_calendar(instrument);
        let owner = BucketOwner {
            account: body.account,
            wallet: body.wallet,
            instrument: body.instrument,
            leaf: body.node,
            currency: body.currency,
        };
        let key = BucketKey {
            holding: body.holding,
            date: body.pay_date,
            calendar,
        };
        let amounts = Amounts::of(net_of(body).raw(), 0);
        if !self.dated.add(key, &owner, &amounts) {
            self.faults += 1;
        }
        self.move_pending(body.wallet, &amounts, 1);
    }

    /// Makes what an action does to a holder, or to prices, true.
    pub(super) fn apply_holder(&mut self, event: &Event, kind: Kind) {
        if event.is_rejected() {
            return;
        }
        let concerned = Concerned::of(event, kind);
        if concerned.node.is_none() {
            if let Some(ratio) = split_ratio(event.body()) {
                self.market.split(concerned.instrument, ratio);
                self.value_instrument(concerned.instrument);
            }
            return;
        }
        let Some(instrument) = self.market.instrument(concerned.instrument).copied() else {
            self.faults += 1;
            return;
        };
        let mut pair = self.hierarchy.find_pair(concerned.node, concerned.instrument);
        let before = self.hierarchy.pair(pair).map_or(0, |row| row.flow.position);
        if concerned.holding.is_none() {
            self.hierarchy
                .change_pair(pair, |flow| flow.shift(concerned.qty.into()));
            return;
        }
        if concerned.qty != 0 {
            while self.hierarchy.pair(pair).is_some() {
                pair = self
                    .hierarchy
                    .change_pair(pair, |flow| flow.shift(concerned.qty.into()));
            }
        }
        self.pay_holder(&instrument, &concerned, before);
        if kind == Kind::HolderDividend && event.body::<CorporateAction>().is_due != 0 {
            self.hold_until_paid(&instrument, event.body());
        }
        let row = self.row_of(event, kind, before);
        self.actions.push(concerned.holding, row);
        if !instrument.moves_principal() {
            match kind {
                Kind::HolderMargin => {
                    let value = event.body::<HolderAction>().value.raw();
                    self.actions
                        .set_margined(concerned.holding, before.signum() * value);
                }
                Kind::HolderSettled => self.actions.set_margined(concerned.holding, 0),
                _ => {}
            }
        }
    }

    fn pay_holder(&mut self, instrument: &Instrument, concerned: &Concerned, before: i128) {
        let after = before.saturating_add(concerned.qty.into());
        let collateral = collateral_of(instrument, after) - collateral_of(instrument, before);
        self.wallets
            .make(concerned.wallet, concerned.account, concerned.currency);
        match self.wallets.row_mut(concerned.wallet) {
            Some(wallet) => {
                wallet.settled = Money::from_raw(wallet.settled.raw().saturating_add(concerned.cash));
                wallet.collateral = Money::from_raw(wallet.collateral.raw() + collateral);
            }
            None => self.faults += 1,
        }
    }

    /// What is retained of an action.
    fn row_of(&self, event: &Event, kind: Kind, before: i128) -> ActionRow {
        let row = ActionRow {
            before,
            seq: event.head.seq,
            kind: action_of(kind) as u8,
            ..ActionRow::zeroed()
        };
        if matches!(kind, Kind::HolderSplit | Kind::HolderDividend) {
            let body: &CorporateAction = event.body();
            return ActionRow {
                px: price_of(body),
                ratio: [body.numerator, body.denominator],
                withhold_bps: body.withhold_bps,
                ..row
            };
        }
        let body: &HolderAction = event.body();
        ActionRow {
            px: body.px,
            rate: body.funding_rate,
            ..row
        }
    }
}

/// What a holder gets of a dividend.
fn net_of(body: &CorporateAction) -> Money {
    Money::from_raw(body.gross.raw().saturating_sub(body.withheld.raw()))
}
