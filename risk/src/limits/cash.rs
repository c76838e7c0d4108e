//! Buying power: L29. Purchases against settled cash and the credit line; in a cash account, sales against what is held.

use super::{LimitRow, Measure, Question};
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;

/// `params`: credit line at 1e-8, fee estimate in basis points, unsettled cash counts (1).
const CREDIT_LINE: usize = 0;
/// Fee estimate in basis points: part of what an order reserves.
pub(crate) const FEE_BPS: usize = 1;
const UNSETTLED_OK: usize = 2;

/// L29. Futures and inverse contracts move no principal: margin binds them, not cash.
pub(super) fn buying_power(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    if !order.instrument.moves_principal() {
        return None;
    }
    if !order.is_buy {
        let used = order.pair.sell_qty - i128::from(order.old_qty) + i128::from(order.leaves);
        let limit = order.pair.position.max(0);
        let measure = Measure {
            used,
            limit,
            code: RejectCode::InsufficientPosition,
        };
        return (order.is_cash_account && order.leaves > order.old_qty).then_some(measure);
    }
    if order.cash <= order.old_cash {
        return None;
    }
    let used = order.reserved - order.old_cash + order.cash;
    let limit = order.settled + i128::from(row.params[CREDIT_LINE]);
    Some(Measure {
        used,
        limit,
        code: RejectCode::BuyingPower,
    })
}

pub(super) fn accepts(event: &LimitSet) -> bool {
    event.params[CREDIT_LINE] >= 0
        && (0..=10_000).contains(&event.params[FEE_BPS])
        && matches!(event.params[UNSETTLED_OK], 0 | 1)
}
