//! What adds up: open orders and their value (L16, L17), the day's value and quantity (L18, L19).

use super::{LimitRow, Measure, Question};
use crate::hierarchy::Today;
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;

/// `params[0]` of L18 and L19: which side is counted.
const SIDE: usize = 0;
const GROSS: i64 = 0;
const BUY: i64 = 1;
const SELL: i64 = 2;

/// L16: open orders.
pub(super) fn max_open_orders(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    if order.new_orders == 0 {
        return None;
    }
    let used = i128::from(order.flow.open_count) + i128::from(order.new_orders);
    Some(Measure {
        used,
        limit: row.hard,
        code: RejectCode::MaxOpenOrders,
    })
}

/// L17: value of open orders.
pub(super) fn open_notional(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let before = order.flow.buy_value + order.flow.sell_value;
    grown(
        before,
        order.value,
        order.old_value,
        row.hard,
        RejectCode::OpenNotional,
    )
}

/// L18: the day's executed value and what is open.
pub(super) fn daily_notional(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let today = order.flow.today(order.date);
    let (bought, sold) = (
        today.bought_value + order.flow.buy_value,
        today.sold_value + order.flow.sell_value,
    );
    let before = of_side(row, order.is_buy, bought, sold)?;
    grown(
        before,
        order.value,
        order.old_value,
        row.hard,
        RejectCode::DailyNotional,
    )
}

/// L19: the day's executed quantity and what is open.
pub(super) fn daily_qty(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let Today {
        bought_qty, sold_qty, ..
    } = order.flow.today(order.date);
    let before = of_side(
        row,
        order.is_buy,
        bought_qty + order.flow.buy_qty,
        sold_qty + order.flow.sell_qty,
    )?;
    grown(
        before,
        i128::from(order.leaves),
        i128::from(order.old_qty),
        row.hard,
        RejectCode::DailyQty,
    )
}

/// The figure of the side that the limit counts; `None` where it does not count this order's side.
fn of_side(row: &LimitRow, is_buy: bool, bought: i128, sold: i128) -> Option<i128> {
    match (row.params[SIDE], is_buy) {
        (GROSS, _) => Some(bought + sold),
        (BUY, true) => Some(bought),
        (SELL, false) => Some(sold),
        _ => None,
    }
}

/// Use after the order, where it grows: what does not increase the use passes.
fn grown(before: i128, added: i128, old: i128, limit: i128, code: RejectCode) -> Option<Measure> {
    (added > old).then_some(Measure {
        used: before - old + added,
        limit,
        code,
    })
}

pub(super) fn side_accepts(event: &LimitSet) -> bool {
    matches!(event.params[SIDE], GROSS | BUY | SELL)
}
