//! Trades that settle on a later date: which of them wait, and what of a settlement was fee.
//!
//! The books settle the trades of a holding and date in one net amount of cash. What of it was fee stands in the trades alone.
//!
//! # Invariants
//! - A trade waits from its record to the settlement of its holding and date, to its bust, or to the end of the journal.
//! - Fees of a settlement are those of the trades that waited for it: what they leave of the net amount is principal.

use crate::cash::{day_cell, decimals};
use crate::model::{Cell, Section};
use crate::trades::side;
use crate::walk::{At, Walked};
use std::collections::BTreeMap;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{DatedSettlement, Event, Execution, Kind};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{CurrencyId, HoldingId, InstrumentId, Seq};
use tradewind_domain::time::DayNumber;

/// A trade that waits.
struct Waiting {
    holding: HoldingId,
    instrument: InstrumentId,
    currency: CurrencyId,
    exec_id: String,
    trade_day: DayNumber,
    settle_date: DayNumber,
    side: u8,
    qty: i64,
    principal: Money,
    fee: Money,
}

/// Trades that wait for their settlement, by the number of their record.
#[derive(Default)]
pub(crate) struct Dated {
    waiting: BTreeMap<Seq, Waiting>,
}

impl Dated {
    /// Takes every record of the journal, those before the period as well. What a settlement has of fees, where it is one.
    pub(crate) fn observe(&mut self, event: &Event, at: &At<'_>) -> Money {
        if event.is_rejected() {
            return Money::ZERO;
        }
        if let Some(taken) = event.taken_back() {
            self.take_back(event, taken.trade_seq);
            return Money::ZERO;
        }
        match event.kind() {
            Some(Kind::VenueFill | Kind::TradeCapture) => {
                let body: &Execution = event.body();
                if body.account == at.account && body.settle_calendar != 0 {
                    self.waiting.insert(event.head.seq, waiting(body, at));
                }
                Money::ZERO
            }
            Some(Kind::DatedCashSettled) => self.settle(event.body()),
            _ => Money::ZERO,
        }
    }

    fn take_back(&mut self, event: &Event, trade_seq: Seq) {
        if event.kind() != Some(Kind::TradeCorrect) {
            self.waiting.remove(&trade_seq);
        } else if let Some(waiting) = self.waiting.get_mut(&trade_seq) {
            let new: &Execution = event.body();
            (waiting.qty, waiting.fee) = (new.qty, new.fee);
            if !waiting.principal.is_zero() {
                waiting.principal = new.principal;
            }
            if new.settle_date != 0 {
                waiting.settle_date = new.settle_date;
            }
        }
    }

    fn settle(&mut self, body: &DatedSettlement) -> Money {
        let mut fees = 0_i128;
        self.waiting.retain(|_, waiting| {
            let settles = (waiting.holding, waiting.settle_date) == (body.holding, body.settle_date);
            if settles {
                fees = fees.wrapping_add(waiting.fee.raw());
            }
            !settles
        });
        Money::from_raw(fees)
    }

    /// Trades that wait at the end.
    pub(crate) fn listing(&self, walked: &Walked) -> Section {
        let mut section = Section::new(
            "unsettled_trades",
            "Unsettled trades",
            &[
                ("settle_date", "Settles on"),
                ("trade_date", "Trade date"),
                ("exec_id", "Execution"),
                ("symbol", "Instrument"),
                ("side", "Side"),
                ("qty", "Quantity"),
                ("principal", "Principal"),
                ("fee", "Fee"),
                ("cash", "Cash"),
                ("currency", "Currency"),
            ],
        );
        let mut rows: Vec<_> = self.waiting.iter().collect();
        rows.sort_by_key(|(seq, waiting)| (waiting.settle_date, **seq));
        for (_, row) in rows {
            let dp = decimals(&walked.at(), row.currency);
            let is_buy = Side::from_code(row.side).is_some_and(Side::is_buy);
            let principal = if is_buy {
                row.principal.neg()
            } else {
                row.principal
            };
            let cash = Money::from_raw(principal.raw().wrapping_sub(row.fee.raw()));
            section.push([
                day_cell(row.settle_date),
                day_cell(row.trade_day),
                Cell::text(row.exec_id.clone()),
                Cell::text(walked.names().symbol(row.instrument)),
                Cell::text(side(row.side)),
                Cell::Qty(NetQty::from_raw(row.qty.into())),
                Cell::Money(principal, dp),
                Cell::Money(row.fee.neg(), dp),
                Cell::Money(cash, dp),
                Cell::text(walked.names().currency(row.currency)),
            ]);
        }
        section
    }
}

/// Of a contract no principal changes hands.
fn waiting(body: &Execution, at: &At<'_>) -> Waiting {
    let instrument = at.replica.registry().instrument(body.instrument);
    let moves = instrument.is_some_and(|row| row.moves_principal());
    Waiting {
        holding: body.holding,
        instrument: body.instrument,
        currency: body.currency,
        exec_id: body.exec_id.to_string(),
        trade_day: match body.trade_date {
            0 => body.trade_day,
            reported => reported,
        },
        settle_date: body.settle_date,
        side: body.side,
        qty: body.qty,
        principal: if moves { body.principal } else { Money::ZERO },
        fee: body.fee,
    }
}
