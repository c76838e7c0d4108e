//! What adds up: open orders and their value (L16, L17), the day's value and quantity (L18, L19), the day's share of the average
//! volume (L04).

use super::size::PERCENT;
use super::{Measure, Question, Terms};
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;

/// `params[0]` of L18 and L19: which side is counted.
const SIDE: usize = 0;
const GROSS: i64 = 0;
const BUY: i64 = 1;
const SELL: i64 = 2;

/// L16: open orders.
pub(super) fn max_open_orders(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(
        Measure::new(open_orders_after(order), terms.hard, RejectCode::MaxOpenOrders)
            .growing(order.ask.new_orders() > 0),
    )
}

/// Open orders, this one included.
#[inline]
pub(super) fn open_orders_after(order: &Question<'_>) -> i128 {
    i128::from(order.flow.open_count) + i128::from(order.ask.new_orders())
}

/// L17: value of open orders.
pub(super) fn open_notional(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(of_value(
        open_value(order),
        true,
        terms,
        order,
        RejectCode::OpenNotional,
    ))
}

/// Value of open orders as they stand.
#[inline]
pub(super) fn open_value(order: &Question<'_>) -> i128 {
    order.flow.buy_value + order.flow.sell_value
}

/// The day's executed and open value of both sides as they stand.
#[inline]
pub(super) fn day_value(order: &Question<'_>) -> i128 {
    let today = order.today();
    today.bought_value + today.sold_value + open_value(order)
}

/// Likewise the quantity.
#[inline]
pub(super) fn day_qty(order: &Question<'_>) -> i128 {
    let today = order.today();
    today.bought_qty + today.sold_qty + order.flow.buy_qty + order.flow.sell_qty
}

/// True for a limit that counts both sides.
pub(super) fn is_gross(terms: &Terms) -> bool {
    terms.params[SIDE] == GROSS
}

/// L18: the day's executed value and what is open.
pub(super) fn daily_notional(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let today = order.today();
    let (bought, sold) = (
        today.bought_value + order.flow.buy_value,
        today.sold_value + order.flow.sell_value,
    );
    let (before, counts) = of_side(terms, order.is_buy(), bought, sold);
    Some(of_value(before, counts, terms, order, RejectCode::DailyNotional))
}

/// L19: the day's executed quantity and what is open.
pub(super) fn daily_qty(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let today = order.today();
    let (before, counts) = of_side(
        terms,
        order.is_buy(),
        today.bought_qty + order.flow.buy_qty,
        today.sold_qty + order.flow.sell_qty,
    );
    let used = before + if counts { order.ask.added_qty() } else { 0 };
    let grows = counts && order.ask.adds_qty();
    Some(Measure::new(used, terms.hard, RejectCode::DailyQty).growing(grows))
}

/// L04, the day: what was executed and is open in the instrument, both sides, in percent of its average daily volume.
pub(super) fn adv_day(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let flow = &order.pair.flow;
    let today = flow.today(order.date());
    let before = today.bought_qty + today.sold_qty + flow.buy_qty + flow.sell_qty;
    let used = (before + order.ask.added_qty()) * PERCENT;
    let limit = terms.hard * i128::from(order.instrument.adv.max(0));
    Some(Measure::new(used, limit, RejectCode::AdvDay).growing(order.ask.adds_qty()))
}

/// The figure of the side that the limit counts, and whether it counts this order's side.
fn of_side(terms: &Terms, is_buy: bool, bought: i128, sold: i128) -> (i128, bool) {
    match terms.params[SIDE] {
        GROSS => (bought + sold, true),
        BUY => (bought, is_buy),
        SELL => (sold, !is_buy),
        _ => (0, false),
    }
}

fn of_value(before: i128, counts: bool, terms: &Terms, order: &Question<'_>, code: RejectCode) -> Measure {
    let used = before + if counts { order.added_value() } else { 0 };
    Measure::new(used, terms.hard, code).growing(counts && order.adds_value())
}

pub(super) fn side_accepts(event: &LimitSet) -> bool {
    matches!(event.params[SIDE], GROSS | BUY | SELL)
}
