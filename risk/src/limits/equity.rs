//! Floors under equity: L33 to L35. They are compared with every figure of a node's equity, not with orders; a breach sets the node's
//! state (LIMITS section 8.1).
//!
//! Figures of equity and balance are base currency at 1e-8; floors, like `hard`, at 1e-16.

use super::{LimitRow, Measure, Question, Terms};
use crate::hierarchy::NodeRow;
use tradewind_domain::codes::{ControlState, LimitType};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;

/// `params` of L33: the state that a breach sets, what the day's start is measured by.
const LOSS_ACTION: usize = 0;
const LOSS_REFERENCE: usize = 1;
/// Whether REDUCE_ONLY also cancels what rests and does not reduce.
const LOSS_CANCELS: usize = 2;
/// The higher of balance and equity at the roll, instead of the balance.
const HIGHER: i64 = 1;

/// `params` of L34: initial balance at 1e-8, state.
const INITIAL: usize = 0;
const STATIC_ACTION: usize = 1;
const STATIC_CANCELS: usize = 2;

/// `params` of L35: initial balance at 1e-8, whether the mark follows equity within the day, where the floor stops rising at 1e-8 (the
/// largest figure for never), state.
const MODE: usize = 1;
const LOCK: usize = 2;
const TRAILING_ACTION: usize = 3;
const TRAILING_CANCELS: usize = 4;
/// The high-water mark follows every figure of equity, not the balance at the roll.
const INTRADAY: i64 = 1;

/// These look at no order.
pub(super) fn never(_: &Terms, _: &Question<'_>) -> Option<Measure> {
    None
}

fn is_state(number: i64) -> bool {
    u8::try_from(number)
        .ok()
        .and_then(ControlState::from_code)
        .is_some_and(|state| state != ControlState::Active)
}

pub(super) fn daily_loss_accepts(event: &LimitSet) -> bool {
    is_state(event.params[LOSS_ACTION])
        && matches!(event.params[LOSS_REFERENCE], 0 | HIGHER)
        && matches!(event.params[LOSS_CANCELS], 0 | 1)
}

pub(super) fn static_accepts(event: &LimitSet) -> bool {
    event.params[INITIAL] >= 0
        && is_state(event.params[STATIC_ACTION])
        && matches!(event.params[STATIC_CANCELS], 0 | 1)
}

pub(super) fn trailing_accepts(event: &LimitSet) -> bool {
    event.params[INITIAL] >= 0
        && matches!(event.params[MODE], 0 | INTRADAY)
        && event.params[LOCK] >= 0
        && is_state(event.params[TRAILING_ACTION])
        && matches!(event.params[TRAILING_CANCELS], 0 | 1)
}

/// A limit that is set anew begins with its initial mark; one that is changed keeps the mark it has reached.
pub(super) fn begin(row: &mut LimitRow, held: &LimitRow) {
    if row.limit_type == LimitType::MaxDdTrailing as u8 {
        let initial = i128::from(row.params[INITIAL]);
        row.own = if held.state == 1 {
            held.own.max(initial)
        } else {
            initial
        };
    }
    if held.state != 1 {
        row.tripped = 0;
    }
}

/// The state that a breach sets.
pub(crate) fn action(row: &LimitRow) -> u8 {
    let params = row.all_params();
    let number = match LimitType::from_code(row.limit_type) {
        Some(LimitType::DailyLoss) => params[LOSS_ACTION],
        Some(LimitType::MaxDdStatic) => params[STATIC_ACTION],
        _ => params[TRAILING_ACTION],
    };
    u8::try_from(number).unwrap_or(ControlState::Kill as u8)
}

/// True where REDUCE_ONLY, set by this limit, also cancels resting orders that do not reduce (LIMITS section 14).
pub(crate) fn cancels_resting(row: &LimitRow) -> bool {
    let params = row.all_params();
    let asked = match LimitType::from_code(row.limit_type) {
        Some(LimitType::DailyLoss) => params[LOSS_CANCELS],
        Some(LimitType::MaxDdStatic) => params[STATIC_CANCELS],
        Some(LimitType::MaxDdTrailing) => params[TRAILING_CANCELS],
        _ => 0,
    };
    asked == 1 && action(row) == ControlState::ReduceOnly as u8
}

/// True where the mark follows equity within the day.
pub(crate) fn follows_equity(row: &LimitRow) -> bool {
    row.limit_type == LimitType::MaxDdTrailing as u8 && row.params[MODE] == INTRADAY
}

/// True where the mark follows the balance at the roll.
pub(crate) fn follows_close(row: &LimitRow) -> bool {
    row.limit_type == LimitType::MaxDdTrailing as u8 && row.params[MODE] != INTRADAY
}

/// The figure that the floor lies `hard` below, at 1e-16, and the floor.
pub(crate) fn floor(row: &LimitRow, node: &NodeRow) -> (i128, i128) {
    let scaled = |figure: i128| figure.saturating_mul(i128::from(ONE));
    match LimitType::from_code(row.limit_type) {
        Some(LimitType::DailyLoss) => {
            let reference = if row.params[LOSS_REFERENCE] == HIGHER {
                node.sod_balance.max(node.sod_equity)
            } else {
                node.sod_balance
            };
            (scaled(reference), scaled(reference).saturating_sub(row.hard))
        }
        Some(LimitType::MaxDdStatic) => {
            let initial = scaled(i128::from(row.params[INITIAL]));
            (initial, initial.saturating_sub(row.hard))
        }
        _ => {
            let mark = scaled(row.own);
            let lock = scaled(i128::from(row.more_params[LOCK - 2]));
            let is_locked = row.more_params[LOCK - 2] != i64::MAX;
            let floor = mark.saturating_sub(row.hard);
            (mark, if is_locked { floor.min(lock) } else { floor })
        }
    }
}

/// True where the loss has reached the warning threshold.
pub(crate) fn warns(row: &LimitRow, reference: i128, equity: i128) -> bool {
    let loss = reference.saturating_sub(equity.saturating_mul(i128::from(ONE)));
    row.soft_pct != 0
        && loss > 0
        && loss.saturating_mul(100) >= row.hard.saturating_mul(i128::from(row.soft_pct))
}
