//! Equity: what nodes were worth on each day, from the figures of our own books and of others.

use crate::batch::Batch;
use crate::rows::EquityDay;
use tradewind_domain::event::{Event, Valuation};
use tradewind_domain::time::utc_day;

/// A node's equity. A beginning is no figure of a day.
pub(super) fn valued(event: &Event, batch: &mut Batch) {
    let body: &Valuation = event.body();
    if body.node.is_none() || body.has_balance == Valuation::OPENING {
        return;
    }
    let day = utc_day(event.head.recv_ns);
    let now = EquityDay {
        day,
        node: body.node,
        equity: [body.equity.raw(); 4],
        balance: (body.has_balance != 0).then_some(body.balance.raw()),
        is_own: body.is_own().into(),
        figures: 1,
        updated_ns: event.head.recv_ns,
        last_seq: event.head.seq,
    };
    batch
        .equity
        .entry((day, body.node.0))
        .and_modify(|row| row.merge(&now))
        .or_insert(now);
}
