//! The newest executions and refusals, as plain rows in the order of the journal.
//!
//! # Invariants
//! - A ring holds the newest rows and never more than its capacity; its rows rise by (sequence number, part).
//! - Rows keep ids. Names are put in when they are read.

use crate::hits::hit_count;
use bytemuck::Zeroable;
use std::collections::VecDeque;
use tradewind_domain::event::{
    CashMove, Event, Execution, HitKind, Kind, LimitHit, MassCancel, OrderCancel, OrderNew, OrderReplace,
    TradeBust,
};
use tradewind_domain::fixed::{Money, SCALE_DP};
use tradewind_domain::ids::{AccountId, CurrencyId, InstrumentId, LimitId, NodeId, OrderId, Seq};
use tradewind_domain::text::{ClOrdId, ExecId};
use tradewind_domain::time::UnixNanos;

/// Rows of each ring.
pub(crate) const ROWS_MAX: usize = 100_000;

/// Where a row stands in the journal.
pub(crate) trait Placed {
    fn place(&self) -> (Seq, u32);
}

/// The newest rows.
pub(crate) struct Ring<T> {
    rows: VecDeque<T>,
    max: usize,
    /// Rows that made room for newer ones end here.
    forgotten: Option<(Seq, u32)>,
}

impl<T: Placed> Ring<T> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            max,
            forgotten: None,
        }
    }

    pub(crate) fn push(&mut self, row: T) {
        if self.rows.len() == self.max {
            self.forgotten = self.rows.pop_front().map(|row| row.place());
        }
        self.rows.push_back(row);
    }

    /// Newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().rev()
    }

    /// Rows behind a place, oldest first.
    pub(crate) fn after(&self, place: (Seq, u32)) -> impl Iterator<Item = &T> {
        let at = self.rows.partition_point(|row| row.place() <= place);
        self.rows.range(at..)
    }

    /// True where no row behind the place was forgotten.
    pub(crate) fn reaches_back_to(&self, place: (Seq, u32)) -> bool {
        self.forgotten.is_none_or(|forgotten| forgotten <= place)
    }

    /// Place of the newest row.
    pub(crate) fn last(&self) -> Option<(Seq, u32)> {
        self.rows.back().map(Placed::place)
    }
}

/// An execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TradeRow {
    pub(crate) seq: Seq,
    pub(crate) part: u32,
    pub(crate) recv_ns: UnixNanos,
    pub(crate) kind: Kind,
    pub(crate) exec_id: ExecId,
    pub(crate) ref_seq: Option<Seq>,
    pub(crate) order_id: OrderId,
    pub(crate) leaf: NodeId,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) currency: CurrencyId,
    pub(crate) side: u8,
    pub(crate) liquidity: u8,
    pub(crate) alerts: u8,
    pub(crate) qty: i64,
    pub(crate) px: i64,
    pub(crate) principal: Money,
    pub(crate) fee: Money,
    pub(crate) realised: Money,
    /// Open quantity of the order; none where the row is of no order.
    pub(crate) leaves: Option<i64>,
}

impl Placed for TradeRow {
    fn place(&self) -> (Seq, u32) {
        (self.seq, self.part)
    }
}

impl TradeRow {
    /// Of an accepted execution, bust or correction.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let kind = event.kind().filter(|_| !event.is_rejected())?;
        match kind {
            Kind::VenueFill | Kind::TradeCapture => Some(Self::execution(event, kind)),
            Kind::TradeCorrect => {
                let taken = event.taken_back()?;
                Some(Self {
                    ref_seq: Some(taken.trade_seq),
                    order_id: taken.order_id,
                    leaves: (!taken.order_id.is_none()).then_some(taken.leaves),
                    leaf: taken.leaf,
                    ..Self::execution(event, kind)
                })
            }
            Kind::TradeBust => {
                let (taken, bust) = (event.taken_back()?, event.body::<TradeBust>());
                Some(Self {
                    seq: event.head.seq,
                    part: event.head.part,
                    recv_ns: event.head.recv_ns,
                    kind,
                    exec_id: bust.exec_id,
                    ref_seq: Some(taken.trade_seq),
                    order_id: taken.order_id,
                    leaf: taken.leaf,
                    account: taken.account,
                    instrument: taken.instrument,
                    currency: taken.currency,
                    side: taken.side,
                    liquidity: 0,
                    alerts: bust.alerts,
                    qty: taken.qty,
                    px: taken.px,
                    principal: taken.principal,
                    fee: taken.fee,
                    realised: bust.realised,
                    leaves: (!taken.order_id.is_none()).then_some(taken.leaves),
                })
            }
            _ => None,
        }
    }

    fn execution(event: &Event, kind: Kind) -> Self {
        let body: &Execution = event.body();
        Self {
            seq: event.head.seq,
            part: event.head.part,
            recv_ns: event.head.recv_ns,
            kind,
            exec_id: body.exec_id,
            ref_seq: None,
            order_id: body.order_id,
            leaf: body.leaf,
            account: body.account,
            instrument: body.instrument,
            currency: body.currency,
            side: body.side,
            liquidity: body.liquidity,
            alerts: body.alerts,
            qty: body.qty,
            px: body.px,
            principal: body.principal,
            fee: body.fee,
            realised: body.realised,
            leaves: (!body.order_id.is_none()).then_some(body.leaves),
        }
    }
}

/// Something that was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusalRow {
    pub(crate) seq: Seq,
    pub(crate) part: u32,
    pub(crate) recv_ns: UnixNanos,
    pub(crate) kind: Kind,
    pub(crate) code: u16,
    pub(crate) cl_ord_id: ClOrdId,
    pub(crate) leaf: NodeId,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: u8,
    /// Quantity and price at 1e-8; none where the message has none that can be kept.
    pub(crate) qty: Option<i64>,
    pub(crate) px: Option<i64>,
    /// The limit that is reported; `limit` is none where none spoke.
    pub(crate) hit: LimitHit,
}

impl Placed for RefusalRow {
    fn place(&self) -> (Seq, u32) {
        (self.seq, self.part)
    }
}

/// A decimal that was scaled; one that could not be stays out.
fn scaled(raw: i64, dp: u8) -> Option<i64> {
    (u32::from(dp) == SCALE_DP && raw != 0).then_some(raw)
}

impl RefusalRow {
    /// Of a refused order, request, trade or payment. Questions are none.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let kind = event.kind().filter(|_| event.is_rejected())?;
        let none = Self {
            seq: event.head.seq,
            part: event.head.part,
            recv_ns: event.head.recv_ns,
            kind,
            code: event.head.outcome,
            cl_ord_id: ClOrdId::EMPTY,
            leaf: NodeId::NONE,
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            side: 0,
            qty: None,
            px: None,
            hit: first_hit(event),
        };
        Some(match kind {
            Kind::OrderNew => {
                let body: &OrderNew = event.body();
                Self {
                    cl_ord_id: body.cl_ord_id,
                    leaf: body.leaf,
                    account: body.account,
                    instrument: body.instrument,
                    side: body.side,
                    qty: scaled(body.qty, body.qty_dp),
                    px: scaled(body.px, body.px_dp),
                    ..none
                }
            }
            Kind::OrderReplace => {
                let body: &OrderReplace = event.body();
                Self {
                    cl_ord_id: body.cl_ord_id,
                    leaf: body.leaf,
                    account: body.account,
                    instrument: body.instrument,
                    qty: scaled(body.qty, body.qty_dp),
                    px: scaled(body.px, body.px_dp),
                    ..none
                }
            }
            Kind::OrderCancel => {
                let body: &OrderCancel = event.body();
                Self {
                    cl_ord_id: body.cl_ord_id,
                    leaf: body.leaf,
                    account: body.account,
                    instrument: body.instrument,
                    ..none
                }
            }
            Kind::MassCancel => {
                let body: &MassCancel = event.body();
                Self {
                    cl_ord_id: body.cl_ord_id,
                    leaf: body.node,
                    instrument: body.instrument,
                    side: body.side,
                    ..none
                }
            }
            Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect => {
                let body: &Execution = event.body();
                Self {
                    cl_ord_id: body.exec_id,
                    leaf: body.leaf,
                    account: body.account,
                    instrument: body.instrument,
                    side: body.side,
                    qty: scaled(body.qty, body.qty_dp),
                    px: scaled(body.px, body.px_dp),
                    ..none
                }
            }
            Kind::TradeBust => {
                let body: &TradeBust = event.body();
                Self {
                    cl_ord_id: body.exec_id,
                    account: body.account,
                    instrument: body.instrument,
                    ..none
                }
            }
            Kind::Deposit | Kind::Withdrawal => {
                let body: &CashMove = event.body();
                Self {
                    cl_ord_id: body.reference,
                    leaf: body.leaf,
                    account: body.account,
                    ..none
                }
            }
            Kind::Probe | Kind::LimitProbe => return None,
            _ => none,
        })
    }
}

/// The first limit that refused; the first one at all where none did.
fn first_hit(event: &Event) -> LimitHit {
    let none = LimitHit {
        limit: LimitId::NONE,
        ..LimitHit::zeroed()
    };
    let is_limit = |hit: &LimitHit| hit.kind != HitKind::Floor as u8 && hit.kind != HitKind::Parts as u8;
    let hits = || tradewind_risk::limit_check::hits(event, hit_count(event)).filter(is_limit);
    let refused = hits().find(|hit| hit.kind == HitKind::Refused as u8 && hit.code == event.head.outcome);
    refused.unwrap_or(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Placed for (Seq, u32) {
        fn place(&self) -> (Seq, u32) {
            *self
        }
    }

    #[test]
    fn a_ring_gives_what_came_behind_a_place_and_knows_what_it_has_forgotten() {
        let mut ring = Ring::new(3);
        assert!(ring.reaches_back_to((0, 0)));
        for place in [(5, 0), (5, 1), (7, 0), (9, 0)] {
            ring.push(place);
        }
        let after = |place| ring.after(place).copied().collect::<Vec<_>>();
        assert_eq!(after((5, u32::MAX)), [(7, 0), (9, 0)]);
        assert_eq!(after((5, 0)), [(5, 1), (7, 0), (9, 0)]);
        assert_eq!(after((9, 0)), []);
        assert!(ring.reaches_back_to((5, 0)) && !ring.reaches_back_to((4, u32::MAX)));
        assert_eq!((ring.last(), ring.newest().next()), (Some((9, 0)), Some(&(9, 0))));
    }
}
