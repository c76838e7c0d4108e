//! What the venue says, as messages for ingest, and which record shows that one of them has arrived.

use crate::order::Order;
use crate::venue::PAPER_VENUE;
use bytemuck::Zeroable;
use tradewind_domain::event::{Event, Execution, Inbound, Kind, VenueReport, execution_flags};
use tradewind_domain::fixed::{Money, Price, Qty, SCALE_DP};
use tradewind_domain::ids::{OrderId, SessionId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::UnixNanos;

/// CxlRejReason (FIX tag 102): too late to cancel.
pub(crate) const TOO_LATE: u16 = 0;
/// CxlRejReason (FIX tag 102): another one; here a replace to no more than what is filled.
pub(crate) const OTHER: u16 = 99;

/// Names one answer: its kind, its order and, for a fill, its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerKey {
    kind: Kind,
    order_id: OrderId,
    exec_id: ExecId,
}

impl AnswerKey {
    /// The answer that a record holds, refused or not; `None` where it is none of this venue.
    pub(crate) fn of_record(event: &Event) -> Option<Self> {
        let kind = event.kind()?;
        let (venue, order_id, exec_id) = match kind {
            Kind::VenueFill => {
                let fill: &Execution = event.body();
                (fill.venue, fill.order_id, fill.exec_id)
            }
            Kind::VenueAck
            | Kind::VenueCancelled
            | Kind::VenueReplaced
            | Kind::VenueCancelReject
            | Kind::VenueExpired => {
                let report: &VenueReport = event.body();
                (report.venue, report.order_id, ExecId::EMPTY)
            }
            _ => return None,
        };
        (venue == PAPER_VENUE).then_some(Self {
            kind,
            order_id,
            exec_id,
        })
    }

    pub(crate) fn order_id(&self) -> OrderId {
        self.order_id
    }
}

/// An answer with its name.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) key: AnswerKey,
    pub(crate) message: Inbound,
}

/// Answers in the order in which the venue gives them, each stamped with the time of the record that caused it.
pub(crate) struct Answers {
    pub(crate) list: Vec<Answer>,
    pub(crate) now_ns: UnixNanos,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            list: Vec::new(),
            now_ns: 0,
        }
    }

    /// Reports on an order that the venue holds.
    pub(crate) fn report(&mut self, kind: Kind, order: &Order) {
        let body = VenueReport {
            qty: order.cum.saturating_add(order.leaves),
            px: order.px,
            side: order.side as u8,
            ..report_body(order.id)
        };
        self.push_report(kind, &body);
    }

    /// Refuses a cancel or replace. The order may be one that the venue does not hold any more.
    pub(crate) fn cancel_reject(&mut self, order_id: OrderId, reason: u16) {
        let body = VenueReport {
            reason,
            ..report_body(order_id)
        };
        self.push_report(Kind::VenueCancelReject, &body);
    }

    fn push_report(&mut self, kind: Kind, body: &VenueReport) {
        let key = AnswerKey {
            kind,
            order_id: body.order_id,
            exec_id: ExecId::EMPTY,
        };
        let message = Inbound::new(kind, body).at(self.now_ns);
        self.list.push(Answer { key, message });
    }

    /// Reports a fill whose number is already counted on the order.
    pub(crate) fn fill(&mut self, order: &Order, qty: i64, px: i64, fee: Option<Money>, is_taker: bool) {
        let exec_id = ExecId::lossy(format!("P{}-{}", order.id.counter(), order.fills));
        let body = Execution {
            exec_id,
            order_id: order.id,
            qty,
            px,
            fee: fee.unwrap_or_default(),
            session: SessionId::NONE,
            venue: PAPER_VENUE,
            side: order.side as u8,
            flags: if fee.is_some() {
                execution_flags::HAS_FEE
            } else {
                0
            },
            qty_dp: SCALE_DP as u8,
            px_dp: SCALE_DP as u8,
            liquidity: if is_taker { 2 } else { 1 },
            ..Execution::zeroed()
        };
        let key = AnswerKey {
            kind: Kind::VenueFill,
            order_id: order.id,
            exec_id,
        };
        let message = Inbound::new(Kind::VenueFill, &body).at(self.now_ns);
        self.list.push(Answer { key, message });
    }
}

fn report_body(order_id: OrderId) -> VenueReport {
    VenueReport {
        order_id,
        venue_order_id: ExecId::lossy(format!("P{}", order_id.counter())),
        venue: PAPER_VENUE,
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        session: SessionId::NONE,
        ..VenueReport::zeroed()
    }
}

/// Millionths of the fill's principal, rounded half up to the currency's minor unit; `None` where it cannot be told.
pub(crate) fn fee(instrument: &Instrument, qty: i64, px: i64, ppm: i32) -> Option<Money> {
    let principal = rounding::principal(
        instrument,
        Qty::from_raw(qty),
        Price::from_raw(px),
        Rounding::HalfUp,
    )?;
    // Millionths are six more decimals than money's eight.
    let exact = principal.abs().raw().checked_mul(i128::from(ppm))?;
    rounding::to_money(exact, SCALE_DP + 6, instrument.money_dp, Rounding::HalfUp)
}
