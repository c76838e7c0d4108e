//! Trades of an account as they stand at the end of a period: corrected ones with their new figures, busted ones marked.

use crate::cash::{day_cell, decimals};
use crate::model::{Cell, Section};
use crate::walk::{At, Walked};
use std::collections::BTreeMap;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, Kind, execution_alerts};
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::{CurrencyId, InstrumentId, OrderId, Seq};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A trade.
#[derive(Clone, Debug)]
pub(crate) struct Trade {
    pub(crate) time_ns: UnixNanos,
    pub(crate) day: DayNumber,
    pub(crate) trade_day: DayNumber,
    pub(crate) exec_id: String,
    pub(crate) order_id: OrderId,
    pub(crate) instrument: InstrumentId,
    pub(crate) currency: CurrencyId,
    pub(crate) side: u8,
    pub(crate) qty: i64,
    pub(crate) px: i64,
    pub(crate) principal: Money,
    pub(crate) fee: Money,
    pub(crate) realised: Money,
    /// True where it closed something.
    pub(crate) closed: bool,
    pub(crate) alerts: u8,
    /// How often it was corrected.
    pub(crate) corrected: u32,
    pub(crate) busted: bool,
}

/// Trades by the number of their record.
#[derive(Default)]
pub(crate) struct Trades {
    pub(crate) by_seq: BTreeMap<Seq, Trade>,
    /// Profit of busts and corrections of trades that are not in the period.
    pub(crate) adjustments: u64,
}

impl Trades {
    pub(crate) fn see(&mut self, event: &Event, at: &At<'_>) {
        if let Some(taken) = event.taken_back() {
            if taken.account == at.account {
                self.take_back(event, taken.trade_seq);
            }
            return;
        }
        let is_trade = matches!(event.kind(), Some(Kind::VenueFill | Kind::TradeCapture));
        if !is_trade || event.is_rejected() {
            return;
        }
        let execution: &Execution = event.body();
        if execution.account == at.account {
            self.by_seq
                .insert(event.head.seq, Self::trade(event, execution, at.day));
        }
    }

    fn take_back(&mut self, event: &Event, trade_seq: Seq) {
        let Some(trade) = self.by_seq.get_mut(&trade_seq) else {
            self.adjustments += 1;
            return;
        };
        if event.kind() == Some(Kind::TradeCorrect) {
            let new: &Execution = event.body();
            (trade.qty, trade.px) = (new.qty, new.px);
            (trade.principal, trade.fee) = (new.principal, new.fee);
            trade.corrected += 1;
        } else {
            trade.busted = true;
        }
    }

    /// A trade as it was booked.
    pub(crate) fn trade(event: &Event, execution: &Execution, day: DayNumber) -> Trade {
        Trade {
            time_ns: event.head.recv_ns,
            day,
            trade_day: match execution.trade_date {
                0 => execution.trade_day,
                reported => reported,
            },
            exec_id: execution.exec_id.to_string(),
            order_id: execution.order_id,
            instrument: execution.instrument,
            currency: execution.currency,
            side: execution.side,
            qty: execution.qty,
            px: execution.px,
            principal: execution.principal,
            fee: execution.fee,
            realised: execution.realised,
            closed: execution.closed_qty > 0,
            alerts: execution.alerts,
            corrected: 0,
            busted: false,
        }
    }

    /// Trades that count.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Trade> {
        self.by_seq.values().filter(|trade| !trade.busted)
    }

    pub(crate) fn listing(&self, walked: &Walked) -> Section {
        let mut section = Section::new(
            "trades",
            "Trades",
            &[
                ("time", "Time"),
                ("day", "Day"),
                ("trade_date", "Trade date"),
                ("exec_id", "Execution"),
                ("order_id", "Order"),
                ("symbol", "Instrument"),
                ("side", "Side"),
                ("qty", "Quantity"),
                ("px", "Price"),
                ("principal", "Principal"),
                ("fee", "Fee"),
                ("realised", "Realised"),
                ("currency", "Currency"),
                ("status", "Status"),
            ],
        );
        for trade in self.by_seq.values() {
            let dp = decimals(&walked.at(), trade.currency);
            let names = walked.names();
            section.push([
                Cell::Time(trade.time_ns),
                day_cell(trade.day),
                day_cell(trade.trade_day),
                Cell::text(trade.exec_id.clone()),
                if trade.order_id.is_none() {
                    Cell::None
                } else {
                    Cell::text(trade.order_id.to_string())
                },
                Cell::text(names.symbol(trade.instrument)),
                Cell::text(side(trade.side)),
                Cell::Qty(NetQty::from_raw(trade.qty.into())),
                Cell::Px(Price::from_raw(trade.px)),
                Cell::Money(trade.principal, dp),
                Cell::Money(trade.fee, dp),
                Cell::Money(trade.realised, dp),
                Cell::text(names.currency(trade.currency)),
                Cell::text(status(trade)),
            ]);
        }
        section
    }
}

/// True for a trade that buys.
pub(crate) fn is_purchase(trade: &Trade) -> bool {
    Side::from_code(trade.side).is_some_and(Side::is_buy)
}

pub(crate) fn side(code: u8) -> String {
    Side::from_code(code).map_or_else(|| code.to_string(), |side| side.to_string())
}

/// What is not plain about a trade.
fn status(trade: &Trade) -> String {
    let alerts = [
        (execution_alerts::LATE_FILL, "LATE_FILL"),
        (execution_alerts::OVERFILL, "OVERFILL"),
        (execution_alerts::OVERDRAFT, "OVERDRAFT"),
        (execution_alerts::BREACH, "BREACH"),
    ];
    let mut words: Vec<&str> = alerts
        .iter()
        .filter(|(bit, _)| trade.alerts & bit != 0)
        .map(|(_, word)| *word)
        .collect();
    if trade.busted {
        words.push("BUSTED");
    } else if trade.corrected > 0 {
        words.push("CORRECTED");
    }
    words.join(" ")
}
