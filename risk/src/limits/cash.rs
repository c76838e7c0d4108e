//! Buying power: L29. Purchases against settled cash and the credit line; in a cash account, sales against what is held.

use super::{Measure, Question, Terms};
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;

/// `params`: credit line at 1e-8, fee estimate in basis points, unsettled cash counts (1).
const CREDIT_LINE: usize = 0;
/// Fee estimate in basis points: part of what an order reserves.
pub(crate) const FEE_BPS: usize = 1;
const UNSETTLED_OK: usize = 2;
/// Cash is kept at 1e-8, in the currency that the instrument trades in; records show values at 1e-16.
pub(super) const SHOWN: i128 = tradewind_domain::fixed::ONE as i128;

/// L29. Futures and inverse contracts move no principal: margin binds them, not cash. A binary sale beyond the long position is a
/// purchase of the other outcome.
pub(super) fn buying_power(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    if !order.instrument.moves_principal() {
        return None;
    }
    let is_binary = order.instrument.kind == InstrumentKind::Binary as u8;
    if !order.is_buy() && !is_binary {
        let held = order.found().account;
        let used = held.sell_qty + order.ask.added_qty();
        let short = order.ask.side == Side::SellShort;
        let limit = if short { 0 } else { held.position.max(0) };
        let measure =
            Measure::new(used, limit, RejectCode::InsufficientPosition).growing(order.ask.adds_qty());
        // A sale that fits takes no cash: it is no use of this limit and comes near no soft level.
        return (order.found().is_cash_account && used > limit).then_some(measure);
    }
    let used = order.found().reserved - order.ask.old.cash + order.priced.cash;
    let usable = if terms.params[UNSETTLED_OK] == 1 {
        order.found().cash_held
    } else {
        order.found().cash_held - order.found().unsettled
    };
    let limit = usable + i128::from(terms.params[CREDIT_LINE]);
    Some(Measure::new(used, limit, RejectCode::BuyingPower).growing(order.priced.cash > order.ask.old.cash))
}

pub(super) fn accepts(event: &LimitSet) -> bool {
    event.params[CREDIT_LINE] >= 0
        && (0..=10_000).contains(&event.params[FEE_BPS])
        && matches!(event.params[UNSETTLED_OK], 0 | 1)
        && event.filter_instrument.is_none()
}
