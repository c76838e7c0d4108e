//! Buying power: L29. Purchases against settled cash and the credit line; in a cash account, sales against what is held.
//!
//! Cash is that of one currency, the instrument's, in the books' figures: what an order reserves is rounded up to the minor unit. A limit can
//! look at all of the account's cash in base currency instead (`cash = "BASE"`): then an order needs its value in base currency and a fee
//! estimate of `fee_bps`, rounded up at 1e-16 (LIMITS section 14, Cash and Precision). Both are compared at 1e-16.

use super::{Ask, Measure, Priced, Question, Terms};
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::rounding::{Rounding, div_round};

/// `params`: credit line at 1e-8, fee estimate in basis points, unsettled cash counts (1), all cash in base currency (1).
const CREDIT_LINE: usize = 0;
/// Fee estimate in basis points: part of what an order reserves.
pub(crate) const FEE_BPS: usize = 1;
const UNSETTLED_OK: usize = 2;
const IN_BASE: usize = 3;

/// True for a limit that looks at all cash of the account, in base currency.
pub(crate) fn in_base(params: &[i64]) -> bool {
    params.get(IN_BASE) == Some(&1)
}

/// What an order that is worth this in base currency needs of it with its fee estimate, 1e-16; nothing where it reserves no cash.
pub(crate) fn need_in_base(cash: i128, value: i128, fee_bps: u16) -> i128 {
    if cash == 0 {
        return 0;
    }
    let fee = value.checked_mul(i128::from(fee_bps));
    let fee = fee.and_then(|fee| div_round(fee, 10_000, Rounding::Ceiling));
    value.saturating_add(fee.unwrap_or(i128::MAX)).max(0)
}

/// Cash or a quantity at the scale of values, in which this type compares and records all that it does.
pub(crate) fn at_scale(amount: i128) -> i128 {
    amount.saturating_mul(i128::from(ONE))
}

/// What the order needs, before and after.
fn needs(terms: &Terms, ask: &Ask, priced: &Priced, fee_bps: u16) -> (i128, i128) {
    if in_base(&terms.params) {
        let closes = i128::from(priced.close_qty) * i128::from(priced.unit);
        (
            need_in_base(ask.old.cash, ask.old.value - ask.old.closing_value, fee_bps),
            need_in_base(priced.cash, priced.value - closes, fee_bps),
        )
    } else {
        (at_scale(ask.old.cash), at_scale(priced.cash))
    }
}

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
        let measure = Measure::new(at_scale(used), at_scale(limit), RejectCode::InsufficientPosition);
        // A sale that fits takes no cash: it is no use of this limit and comes near no soft level.
        let refuses = order.found().is_cash_account && used > limit;
        return refuses.then_some(measure.growing(order.ask.adds_qty()));
    }
    let found = order.found();
    if found.is_unpriced {
        return Some(Measure::gate(true, RejectCode::NoReferencePrice));
    }
    let (before, after) = needs(terms, order.ask, order.priced, found.fee_bps);
    let usable = if terms.params[UNSETTLED_OK] == 1 {
        found.cash_held
    } else {
        found.cash_held - found.unsettled
    };
    let limit = usable.saturating_add(i128::from(terms.params[CREDIT_LINE]) * i128::from(ONE));
    Some(
        Measure::new(found.reserved - before + after, limit, RejectCode::BuyingPower).growing(after > before),
    )
}

pub(super) fn accepts(event: &LimitSet) -> bool {
    event.params[CREDIT_LINE] >= 0
        && (0..=10_000).contains(&event.params[FEE_BPS])
        && matches!(event.params[UNSETTLED_OK], 0 | 1)
        && matches!(event.params[IN_BASE], 0 | 1)
        && event.filter_instrument.is_none()
}
