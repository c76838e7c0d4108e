//! Rates of messages: L11 and L12, as GCRA (LIMITS section 7). One integer of state, exact: the theoretical arrival time is
//! kept in nanoseconds times rate, so that one message costs exactly one period.

use super::{LimitRow, Measure, Question};
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::UnixNanos;

/// `params`: period in milliseconds, algorithm (1 = GCRA), burst.
const PERIOD_MS: usize = 0;
const ALGORITHM: usize = 1;
const BURST: usize = 2;

/// The algorithm that this version evaluates.
const GCRA: i64 = 1;

fn period_ns(row: &LimitRow) -> i128 {
    i128::from(row.params[PERIOD_MS]) * 1_000_000
}

/// How far the arrival time is ahead, against how far the burst lets it be.
fn debt(row: &LimitRow, now_ns: UnixNanos, code: RejectCode) -> Measure {
    let now = i128::from(now_ns) * row.hard;
    let tau = period_ns(row) * i128::from(row.more_params[BURST - 2] - 1);
    Measure {
        used: row.tat - now,
        limit: tau,
        code,
    }
}

/// L11: new orders and replaces.
pub(super) fn order_rate(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(debt(row, order.now_ns, RejectCode::OrderRateExceeded))
}

/// L12: new orders, replaces and cancels; cancels are counted and never refused.
pub(super) fn msg_rate(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(debt(row, order.now_ns, RejectCode::MsgRateExceeded))
}

/// Uses one token.
#[inline]
pub fn charge(row: &mut LimitRow, now_ns: UnixNanos) {
    let now = i128::from(now_ns) * row.hard;
    row.tat = row.tat.max(now) + period_ns(row);
}

/// What one message adds to the use of a rate.
pub fn charged(row: &LimitRow) -> i128 {
    period_ns(row)
}

/// A rate from 1 to a billion a period, a period from 1 ms to a day, a burst from 1 to the rate.
pub(super) fn accepts(event: &LimitSet) -> bool {
    (1..=1_000_000_000).contains(&event.hard)
        && (1..=86_400_000).contains(&event.params[PERIOD_MS])
        && event.params[ALGORITHM] == GCRA
        && event.params[BURST] >= 1
        && i128::from(event.params[BURST]) <= event.hard
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    /// LIMITS section 8.1, L11: GCRA 2/s burst 2: 0 and .001 pass, .4 refused, .5 passes, .501 refused.
    #[test]
    fn passes_and_refuses_as_the_catalogue_shows() {
        let mut row = LimitRow {
            hard: 2,
            params: [1_000, GCRA],
            more_params: [2, 0, 0, 0],
            ..LimitRow::zeroed()
        };
        let start: u64 = 1_700_000_000_000_000_000;
        for (ms, passes) in [(0, true), (1, true), (400, false), (500, true), (501, false)] {
            let now_ns = start + ms * 1_000_000;
            let measure = debt(&row, now_ns, RejectCode::OrderRateExceeded);
            assert_eq!(measure.used <= measure.limit, passes, "{ms} ms");
            if passes {
                charge(&mut row, now_ns);
            }
        }
    }
}
