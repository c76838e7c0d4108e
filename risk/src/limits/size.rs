//! Limits on one order by itself: L01 to L04, L32.
//!
//! A replace is judged on the whole order, and passes where that grows neither in quantity nor in value (LIMITS section 4): a limit that
//! was lowered keeps nobody from asking for less.

use super::{Measure, Question, Terms};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;
use tradewind_domain::reject::RejectCode;

/// L01: the order's total quantity.
pub(super) fn max_order_qty(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let used = i128::from(order.ask.qty);
    Some(Measure::new(used, terms.hard, RejectCode::MaxOrderQty).growing(order.ask.adds_qty()))
}

/// L02: the order's total value.
pub(super) fn max_order_notional(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let used = order.priced.order_value;
    let grows = used > order.ask.old.order_value;
    Some(Measure::new(used, terms.hard, RejectCode::MaxOrderNotional).growing(grows))
}

/// L03: the order's quantity against the usual one; `hard` is a multiple at 1e-8, cross-multiplied.
pub(super) fn fat_finger(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let limit = terms.hard * i128::from(order.instrument.avg_order_qty.max(0));
    let used = i128::from(order.ask.qty) * MULTIPLE;
    Some(Measure::new(used, limit, RejectCode::FatFinger).growing(order.ask.adds_qty()))
}

/// L04, one order: its quantity against the average daily volume; `hard` is percent at 1e-8, cross-multiplied.
pub(super) fn adv_order(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let limit = terms.hard * i128::from(order.instrument.adv.max(0));
    let used = i128::from(order.ask.qty) * PERCENT;
    Some(Measure::new(used, limit, RejectCode::AdvOrder).growing(order.ask.adds_qty()))
}

/// L32: what would be lost at the trader's stop price, in percent of equity. Without a stop price there is no bound.
pub(super) fn risk_per_trade(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let limit = percent_of_equity(terms, order);
    let Some(risk_per_unit) = order.priced.risk_per_unit else {
        return Some(Measure::new(i128::MAX, limit, RejectCode::RiskPerTrade));
    };
    let risk = risk_per_unit.saturating_mul(i128::from(order.ask.qty)) / i128::from(ONE);
    Some(Measure::new(
        risk.saturating_mul(100),
        limit,
        RejectCode::RiskPerTrade,
    ))
}

/// One, at the scale of a multiple in `hard`.
pub(super) const MULTIPLE: i128 = ONE as i128;
/// A hundred percent, at the scale of a percentage in `hard`.
pub(super) const PERCENT: i128 = 100 * ONE as i128;

/// `hard` percent of the node's equity, times a hundred: compared with a hundredfold value at 1e-16. No equity is none.
pub(super) fn percent_of_equity(terms: &Terms, order: &Question<'_>) -> i128 {
    terms.hard.saturating_mul(order.node.equity.max(0))
}

/// A multiple or percentage that keeps the products within their range.
pub(super) fn factor_accepts(event: &LimitSet) -> bool {
    event.hard <= i128::from(i64::MAX)
}
