//! Gates: yes or no, without an amount that adds up. Price collar (L05), restricted list (L06), permissions (L07), market hours (L08), stale
//! orders (L09), repeated content (L10), and what the emergency limits (L36) accept as parameters.

use super::{Action, LimitRow, Measure, Question, Terms, times};
use tradewind_domain::codes::{Level, OrderType, Restriction, Side};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;
use tradewind_domain::reject::RejectCode;

/// `params` of L05: band in percent at 1e-8 (0: `ABS` holds), band at 1e-8, age of the reference in milliseconds, what a stale one
/// does, by how much it widens at 1e-8, which sides.
const PCT: usize = 0;
const ABS: usize = 1;
const MAX_REF_AGE_MS: usize = 2;
const STALE_ACTION: usize = 3;
const WIDEN_MULT: usize = 4;
const SIDE_MODE: usize = 5;

const STALE_REJECT: i64 = 0;
const STALE_WIDEN: i64 = 1;
const STALE_SKIP: i64 = 2;
const AGGRESSIVE: i64 = 1;

/// L05: a limit price against the last trade, or against the mark from outside, which is never stale.
pub(super) fn price_collar(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    if !matches!(order.ask.ord_type, OrderType::Limit | OrderType::StopLimit) {
        return None;
    }
    let params = terms.params;
    let reference = order.market;
    let (px, age_ns) = match (reference.last_ns, reference.mark_px) {
        (0, 0) => return Some(collar(true, RejectCode::NoReferencePrice)),
        (0, mark_px) => (mark_px, 0),
        (last_ns, _) => (reference.last_px, order.ask.now_ns.saturating_sub(last_ns)),
    };
    let is_stale = age_ns > params[MAX_REF_AGE_MS].max(0) as u64 * 1_000_000;
    let widen = match (is_stale, params[STALE_ACTION]) {
        (false, _) => ONE,
        (true, STALE_WIDEN) => other_param(terms, order, WIDEN_MULT),
        (true, STALE_SKIP) => {
            let skipped = collar(false, RejectCode::StaleReferencePrice);
            return Some(Measure {
                warns: true,
                ..skipped
            });
        }
        (true, _) => return Some(collar(true, RejectCode::StaleReferencePrice)),
    };
    let distance = i128::from(order.ask.px) - i128::from(px);
    // Percentages are cross-multiplied: nothing is divided.
    let (apart, band) = if params[PCT] > 0 {
        let band = times(i128::from(px).abs(), params[PCT]);
        (distance.abs() * 100 * i128::from(ONE), band)
    } else {
        (distance.abs(), i128::from(params[ABS]))
    };
    let is_outside = if widen == ONE {
        apart > band
    } else {
        apart.saturating_mul(i128::from(ONE)) > band.saturating_mul(i128::from(widen))
    };
    let counts = || other_param(terms, order, SIDE_MODE) != AGGRESSIVE || (distance > 0) == order.is_buy();
    Some(collar(is_outside && counts(), RejectCode::PriceOutsideCollar))
}

/// A parameter that is needed too rarely to stand in the terms.
#[cold]
fn other_param(terms: &Terms, order: &Question<'_>, place: usize) -> i64 {
    order
        .limits
        .get(terms.id)
        .map_or(0, |row| row.all_params()[place])
}

/// A finding of the collar has the collar's place in the order of reasons, also where it has no reference (LIMITS section 14).
fn collar(refuses: bool, code: RejectCode) -> Measure {
    Measure {
        ranks_as: RejectCode::PriceOutsideCollar,
        ..Measure::gate(refuses, code)
    }
}

pub(super) fn collar_accepts(event: &LimitSet) -> bool {
    let params = event.params;
    (params[PCT] > 0) != (params[ABS] > 0)
        && params[PCT] >= 0
        && params[ABS] >= 0
        && (1..=86_400_000).contains(&params[MAX_REF_AGE_MS])
        && (STALE_REJECT..=STALE_SKIP).contains(&params[STALE_ACTION])
        && (ONE..=1_000 * ONE).contains(&params[WIDEN_MULT])
        && (0..=AGGRESSIVE).contains(&params[SIDE_MODE])
        && params[PCT] <= 1_000_000 * ONE
}

/// L06: what the list says of the instrument.
pub(super) fn restricted(_: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(match Restriction::from_code(order.found().restriction)? {
        Restriction::NoTrade => Measure::gate(true, RejectCode::RestrictedSymbol),
        Restriction::CloseOnly => Measure::gate(!order.found().reduces, RejectCode::CloseOnlySymbol),
        Restriction::NoShort => Measure::gate(order.ask.side == Side::SellShort, RejectCode::NoShortSymbol),
    })
}

/// `params` of L07: masks of actions, order types and kinds; 0 allows all, a mask with no other bit than [`NOTHING`] none.
const ACTIONS: usize = 0;
const ORDER_TYPES: usize = 1;
const KINDS: usize = 2;
/// A list that is there and empty.
const NOTHING: i64 = 1 << 62;

/// L07: every node on the chain must allow it.
pub(super) fn permission(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let allows = |mask: i64, bit: u8| mask == 0 || mask & i64::from(bit) != 0;
    let of = |number: u8| 1u8.checked_shl(u32::from(number)).unwrap_or(0);
    let refuses = !may(terms.params[ACTIONS], order.ask.action)
        || !allows(terms.params[ORDER_TYPES], of(order.ask.ord_type as u8))
        // An instrument that is not known has no kind: it is refused for that.
        || order.instrument.kind != 0 && !allows(terms.params[KINDS], of(order.instrument.kind));
    Some(Measure::gate(refuses, RejectCode::NotAuthorized))
}

/// True where a mask of actions holds this one.
fn may(actions: i64, action: Action) -> bool {
    actions == 0 || actions & action as i64 != 0
}

/// True where a PERMISSION limit allows the action by itself: cancels have neither type nor kind.
pub(crate) fn permits(terms: &Terms, action: Action) -> bool {
    may(terms.params[ACTIONS], action)
}

pub(super) fn permission_accepts(event: &LimitSet) -> bool {
    let [actions, types, kinds, ..] = event.params;
    let known = |mask: i64, bits: u32| mask & !(((1 << bits) - 1) | NOTHING) == 0;
    known(actions, 3) && known(types, 5) && known(kinds, 6)
}

/// L08: the instrument's session is open and it is not halted.
pub(super) fn market_hours(_: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(Measure::gate(order.found().is_closed, RejectCode::MarketClosed))
}

/// `params[0]` of L09.
const MAX_AGE_MS: usize = 0;
/// How far a time stamp may be ahead of ours, nanoseconds.
const FUTURE_MAX_NS: u64 = 1_000_000_000;

/// L09: the source's time stamp is too old, or more than a second ahead. A source without time stamps is not asked.
pub(super) fn stale_order(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    if order.ask.origin_ns == 0 {
        return None;
    }
    let max_ns = terms.params[MAX_AGE_MS].max(0) as u64 * 1_000_000;
    let is_stale = order.ask.now_ns.saturating_sub(order.ask.origin_ns) > max_ns
        || order.ask.origin_ns.saturating_sub(order.ask.now_ns) > FUTURE_MAX_NS;
    Some(Measure::gate(is_stale, RejectCode::StaleOrder))
}

pub(super) fn stale_accepts(event: &LimitSet) -> bool {
    (1..=86_400_000).contains(&event.params[MAX_AGE_MS])
}

/// `params` of L10b.
const WINDOW_MS: usize = 0;
const MAX: usize = 1;

/// L10b: an equal order was accepted as often as allowed within the window; one that is exactly as old as the window is out.
pub(super) fn dup_content(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    if order.ask.action != Action::Place {
        return None;
    }
    let window_ns = window_ns(terms.params[WINDOW_MS]);
    let young = order
        .ask
        .repeats
        .iter()
        .filter(|&&stamp| stamp != 0 && order.ask.now_ns.saturating_sub(stamp) < window_ns)
        .count();
    Some(Measure::new(
        young as i128 + 1,
        i128::from(terms.params[MAX]),
        RejectCode::DuplicateOrder,
    ))
}

/// How long an order counts as a repeat of an equal one, nanoseconds.
pub(super) fn dup_window_ns(row: &LimitRow) -> u64 {
    window_ns(row.params[WINDOW_MS])
}

fn window_ns(window_ms: i64) -> u64 {
    window_ms.max(0) as u64 * 1_000_000
}

pub(super) fn dup_accepts(event: &LimitSet) -> bool {
    (1..=86_400_000).contains(&event.params[WINDOW_MS])
        && (1..=crate::repeats::STAMPS as i64).contains(&event.params[MAX])
}

/// The emergency limits are asked apart: they hold only while the entitlement source is down.
pub(super) fn never(_: &Terms, _: &Question<'_>) -> Option<Measure> {
    None
}

/// `params` of L36: single trade at 1e-8, validity in seconds, mask of actions, level of the daily counter.
pub(crate) mod emergency {
    /// The largest order, base currency at 1e-8.
    pub(crate) const SINGLE: usize = 0;
    /// Seconds from the first DOWN.
    pub(crate) const VALID_S: usize = 1;
    /// Mask of [`super::Action`]s.
    pub(crate) const ACTIONS: usize = 2;
    /// [`super::Level`] whose daily counter is compared.
    pub(crate) const LEVEL: usize = 3;
}

pub(super) fn emergency_accepts(event: &LimitSet) -> bool {
    let params = event.params;
    params[emergency::SINGLE] >= 0
        && (0..=86_400).contains(&params[emergency::VALID_S])
        && (0..8).contains(&params[emergency::ACTIONS])
        && u8::try_from(params[emergency::LEVEL]).is_ok_and(|level| Level::from_code(level).is_some())
}

/// L15: the modes of self-trade prevention.
pub(crate) mod self_trade {
    use super::{Action, LimitRow, Measure, Question, Terms};
    use tradewind_domain::codes::{LimitAction, LimitType, SelfTradeMode};
    use tradewind_domain::event::LimitSet;
    use tradewind_domain::reject::RejectCode;

    /// `params[0]`.
    const MODE: usize = 0;

    fn of_param(param: i64) -> Option<SelfTradeMode> {
        u8::try_from(param).ok().and_then(SelfTradeMode::from_code)
    }

    /// What a SELF_TRADE limit does; `None` for a limit of another type.
    #[inline]
    pub(crate) fn mode(row: &LimitRow) -> Option<SelfTradeMode> {
        (row.limit_type == LimitType::SelfTrade as u8)
            .then(|| of_param(row.params[MODE]))
            .flatten()
    }

    /// Likewise, of its terms.
    #[inline]
    pub(crate) fn mode_of(terms: &Terms) -> Option<SelfTradeMode> {
        (terms.limit_type == LimitType::SelfTrade)
            .then(|| of_param(terms.params[MODE]))
            .flatten()
    }

    /// L15: the order would trade against one of ours. A limit that cancels the oldest refuses replaces alone: they cannot be held.
    pub(in crate::limits) fn self_trade(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
        let refuses = match of_param(terms.params[MODE])? {
            SelfTradeMode::Decrement => false,
            SelfTradeMode::CancelOldest => {
                order.ask.action == Action::Replace || terms.action == LimitAction::Alert as u8
            }
            SelfTradeMode::CancelNewest | SelfTradeMode::CancelBoth => true,
        };
        Some(Measure::gate(
            refuses && order.found().crosses,
            RejectCode::SelfTrade,
        ))
    }

    pub(in crate::limits) fn accepts(event: &LimitSet) -> bool {
        of_param(event.params[MODE]).is_some()
    }
}
