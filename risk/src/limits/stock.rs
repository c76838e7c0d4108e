//! Positions: L21 and L22, per instrument. Open orders of the other side never offset.

use super::{LimitRow, Measure, Question};
use tradewind_domain::reject::RejectCode;

/// L21: the worst long position, `pos + open buys`.
pub(super) fn position_long(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    if !order.is_buy || order.leaves <= order.old_qty {
        return None;
    }
    let added = i128::from(order.leaves) - i128::from(order.old_qty);
    let used = (order.pair.position + order.pair.buy_qty + added).max(0);
    Some(Measure {
        used,
        limit: row.hard,
        code: RejectCode::PositionLong,
    })
}

/// L22: the worst short position, `open sells - pos`.
pub(super) fn position_short(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    if order.is_buy || order.leaves <= order.old_qty {
        return None;
    }
    let added = i128::from(order.leaves) - i128::from(order.old_qty);
    let used = (order.pair.sell_qty + added - order.pair.position).max(0);
    Some(Measure {
        used,
        limit: row.hard,
        code: RejectCode::PositionShort,
    })
}
