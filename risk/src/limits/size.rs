//! Limits on one order by itself: L01 to L03.

use super::{LimitRow, Measure, Question};
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;

/// L01: the order's total quantity.
pub(super) fn max_order_qty(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(Measure {
        used: i128::from(order.qty),
        limit: row.hard,
        code: RejectCode::MaxOrderQty,
    })
}

/// L02: the order's total value.
pub(super) fn max_order_notional(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(Measure {
        used: order.order_value,
        limit: row.hard,
        code: RejectCode::MaxOrderNotional,
    })
}

/// L03: the order's quantity against the usual one; `hard` is a multiple at 1e-8, cross-multiplied.
pub(super) fn fat_finger(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let limit = row.hard * i128::from(order.instrument.avg_order_qty.max(0));
    let used = i128::from(order.qty) * i128::from(tradewind_domain::fixed::ONE);
    Some(Measure {
        used,
        limit,
        code: RejectCode::FatFinger,
    })
}

pub(super) fn fat_finger_accepts(event: &LimitSet) -> bool {
    event.hard <= i128::from(i64::MAX)
}
