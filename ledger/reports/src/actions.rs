//! What happened to an account's positions beside trades: corporate actions, and trades that were taken back or exchanged.

use crate::cash::{day_cell, decimals};
use crate::model::{Cell, Section};
use crate::walk::{At, Walked};
use tradewind_domain::event::{
    CorporateAction, Event, Execution, HolderAction, Kind, TradeBust, execution_alerts,
};
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::{CurrencyId, InstrumentId, Seq};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A corporate action's part of the account.
struct Action {
    time_ns: UnixNanos,
    day: DayNumber,
    action: &'static str,
    instrument: InstrumentId,
    currency: CurrencyId,
    /// Change of the position.
    qty: i64,
    /// Per unit: dividend, price of fractions, settlement price.
    px: Option<Price>,
    gross: Money,
    withheld: Money,
    realised: Money,
}

/// A trade that was taken back or exchanged.
struct Change {
    time_ns: UnixNanos,
    day: DayNumber,
    kind: &'static str,
    trade_seq: Seq,
    trade_day: DayNumber,
    instrument: InstrumentId,
    currency: CurrencyId,
    was: (i64, i64),
    is: Option<(i64, i64)>,
    realised: Money,
    fee: Money,
    /// Booked today for a day that is closed.
    is_prior_day: bool,
}

/// Both, in the order of their records.
#[derive(Default)]
pub(crate) struct Actions {
    actions: Vec<Action>,
    changes: Vec<Change>,
}

impl Actions {
    /// Takes a record of the period.
    pub(crate) fn see(&mut self, event: &Event, at: &At<'_>) {
        let Some(kind) = event.kind().filter(|_| !event.is_rejected()) else {
            return;
        };
        match kind {
            Kind::HolderSplit | Kind::HolderDividend => self.corporate(event, kind, at),
            Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled => self.holder(event, kind, at),
            Kind::TradeBust | Kind::TradeCorrect => self.change(event, kind, at),
            _ => {}
        }
    }

    fn corporate(&mut self, event: &Event, kind: Kind, at: &At<'_>) {
        let body: &CorporateAction = event.body();
        if body.account != at.account || body.holding.is_none() {
            return;
        }
        let is_split = kind == Kind::HolderSplit;
        if is_split && body.found_nothing() {
            return;
        }
        let px = i64::try_from(body.cash_per_unit.raw()).ok();
        self.actions.push(Action {
            time_ns: event.head.recv_ns,
            day: at.day,
            action: if is_split { "SPLIT" } else { "CASH_DIVIDEND" },
            instrument: body.instrument,
            currency: body.currency,
            qty: body.qty_delta,
            px: px.map(Price::from_raw),
            gross: body.gross,
            withheld: body.withheld,
            realised: if is_split {
                body.split_profit()
            } else {
                Money::ZERO
            },
        });
    }

    fn holder(&mut self, event: &Event, kind: Kind, at: &At<'_>) {
        let body: &HolderAction = event.body();
        if body.account != at.account || body.holding.is_none() || body.found_nothing() {
            return;
        }
        self.actions.push(Action {
            time_ns: event.head.recv_ns,
            day: at.day,
            action: match kind {
                Kind::HolderFunding => "FUNDING",
                Kind::HolderMargin => "VARIATION_MARGIN",
                _ => "SETTLEMENT",
            },
            instrument: body.instrument,
            currency: body.currency,
            qty: body.qty_delta,
            px: Some(Price::from_raw(body.px)),
            gross: body.cash,
            withheld: Money::ZERO,
            realised: body.realised,
        });
    }

    fn change(&mut self, event: &Event, kind: Kind, at: &At<'_>) {
        let Some(taken) = event.taken_back().filter(|taken| taken.account == at.account) else {
            return;
        };
        let (is, realised, fee, alerts) = if kind == Kind::TradeCorrect {
            let new: &Execution = event.body();
            let fee = Money::from_raw(new.fee.raw().wrapping_sub(taken.fee.raw()));
            (Some((new.qty, new.px)), new.realised, fee, new.alerts)
        } else {
            let bust: &TradeBust = event.body();
            (None, bust.realised, taken.fee.neg(), bust.alerts)
        };
        self.changes.push(Change {
            time_ns: event.head.recv_ns,
            day: at.day,
            kind: if is.is_some() { "CORRECTED" } else { "BUSTED" },
            trade_seq: taken.trade_seq,
            trade_day: taken.trade_day,
            instrument: taken.instrument,
            currency: taken.currency,
            was: (taken.qty, taken.px),
            is,
            realised,
            fee,
            is_prior_day: alerts & execution_alerts::PRIOR_DAY_ADJ != 0,
        });
    }

    /// A line for each corporate action.
    pub(crate) fn actions(&self, walked: &Walked) -> Section {
        let mut section = Section::new(
            "corporate_actions",
            "Corporate actions",
            &[
                ("time", "Time"),
                ("day", "Day"),
                ("symbol", "Instrument"),
                ("action", "Action"),
                ("px", "Per unit"),
                ("qty_change", "Change of quantity"),
                ("gross", "Gross"),
                ("withheld", "Withheld"),
                ("net", "Cash"),
                ("realised", "Realised"),
                ("currency", "Currency"),
            ],
        );
        for row in &self.actions {
            let dp = decimals(&walked.at(), row.currency);
            let net = Money::from_raw(row.gross.raw().wrapping_sub(row.withheld.raw()));
            section.push([
                Cell::Time(row.time_ns),
                day_cell(row.day),
                Cell::text(walked.names().symbol(row.instrument)),
                Cell::text(row.action),
                Cell::or_none(row.px.map(Cell::Px)),
                Cell::Qty(NetQty::from_raw(row.qty.into())),
                Cell::Money(row.gross, dp),
                Cell::Money(row.withheld, dp),
                Cell::Money(net, dp),
                Cell::Money(row.realised, dp),
                Cell::text(walked.names().currency(row.currency)),
            ]);
        }
        section
    }

    /// A line for each trade that was taken back or exchanged.
    pub(crate) fn changes(&self, walked: &Walked) -> Section {
        let mut section = Section::new(
            "adjustments",
            "Adjustments",
            &[
                ("time", "Time"),
                ("day", "Day"),
                ("trade_seq", "Trade"),
                ("trade_date", "Trade date"),
                ("symbol", "Instrument"),
                ("what", "What"),
                ("qty_was", "Quantity before"),
                ("px_was", "Price before"),
                ("qty", "Quantity"),
                ("px", "Price"),
                ("fee_change", "Change of fee"),
                ("realised_change", "Change of realised"),
                ("currency", "Currency"),
                ("prior_day", "Of a closed day"),
            ],
        );
        for row in &self.changes {
            let dp = decimals(&walked.at(), row.currency);
            let qty = |qty: i64| Cell::Qty(NetQty::from_raw(qty.into()));
            let px = |px: i64| Cell::Px(Price::from_raw(px));
            section.push([
                Cell::Time(row.time_ns),
                day_cell(row.day),
                Cell::Count(row.trade_seq),
                day_cell(row.trade_day),
                Cell::text(walked.names().symbol(row.instrument)),
                Cell::text(row.kind),
                qty(row.was.0),
                px(row.was.1),
                Cell::or_none(row.is.map(|(is, _)| qty(is))),
                Cell::or_none(row.is.map(|(_, is)| px(is))),
                Cell::Money(row.fee, dp),
                Cell::Money(row.realised, dp),
                Cell::text(walked.names().currency(row.currency)),
                Cell::text(if row.is_prior_day { "PRIOR_DAY_ADJ" } else { "" }),
            ]);
        }
        section
    }
}
