//! Positions: L21 and L22, per instrument; open orders of the other side never offset. Short sales: L14.

use super::{Measure, Question, Terms};
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::reference::instrument_flags;
use tradewind_domain::reject::RejectCode;

/// What the order adds to the open quantity of its side; the other side's stays.
fn open_after(order: &Question<'_>, buys: bool) -> i128 {
    let flow = &order.pair.flow;
    let open = if buys { flow.buy_qty } else { flow.sell_qty };
    if order.is_buy() == buys {
        open + order.ask.added_qty()
    } else {
        open
    }
}

/// The worst long position after the order.
#[inline]
pub(super) fn long_after(order: &Question<'_>) -> i128 {
    (order.pair.flow.position + open_after(order, true)).max(0)
}

/// The worst short position after the order.
#[inline]
pub(super) fn short_after(order: &Question<'_>) -> i128 {
    (open_after(order, false) - order.pair.flow.position).max(0)
}

/// L21: the worst long position, `pos + open buys`.
pub(super) fn position_long(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let used = long_after(order);
    // What is not long after the order was not made longer by it.
    let grows = order.is_buy() && order.ask.adds_qty() && used > 0;
    Some(Measure::new(used, terms.hard, RejectCode::PositionLong).growing(grows))
}

/// L22: the worst short position, `open sells - pos`.
pub(super) fn position_short(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let used = short_after(order);
    let grows = !order.is_buy() && order.ask.adds_qty() && used > 0;
    Some(Measure::new(used, terms.hard, RejectCode::PositionShort).growing(grows))
}

/// L14: a sale marked long is held to the long position, a short sale to what was located (SHO 200, 203); both of the account, wherever
/// the limit stands (LIMITS section 14).
pub(super) fn short_sale(_: &Terms, order: &Question<'_>) -> Option<Measure> {
    let added = order.ask.added_qty();
    match order.ask.side {
        Side::Buy => None,
        // The opening part of a binary sale is a purchase of the other outcome, against full collateral (LIMITS section 14).
        Side::Sell if order.instrument.kind == InstrumentKind::Binary as u8 => None,
        Side::Sell => {
            let held = order.found().account;
            let used = held.sell_qty - order.found().short.open + added;
            Some(
                Measure::new(used, held.position.max(0), RejectCode::ShortMarkingRequired).growing(added > 0),
            )
        }
        Side::SellShort if order.instrument.flags & instrument_flags::EASY_TO_BORROW != 0 => None,
        Side::SellShort => {
            let used = order.found().short.sold_today + order.found().short.open + added;
            Some(
                Measure::new(used, order.found().short.located, RejectCode::LocateRequired)
                    .growing(added > 0),
            )
        }
    }
}
