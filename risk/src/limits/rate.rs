//! Rates of messages: L11 and L12, as a sliding window or as GCRA (LIMITS section 7); L13, the throttle on executions; L20, messages
//! against trades.
//!
//! GCRA is one integer of state, exact: the theoretical arrival time is kept in nanoseconds times rate, so that one message costs
//! exactly one period. A sliding window keeps a stamp for each message that it allows.

use super::{LimitRow, Measure, Question, Terms};
use crate::hierarchy::node_flags;
use crate::stamps::{RING_MAX, Stamps};
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::UnixNanos;

/// `params`: period in milliseconds, algorithm, burst.
const PERIOD_MS: usize = 0;
const ALGORITHM: usize = 1;
const BURST: usize = 2;

/// Never more than `hard` in any period.
pub(super) const SLIDING: i64 = 0;
/// One each `period / hard` on the long run, with a burst.
const GCRA: i64 = 1;

/// What the action SLOW leaves of a rate (LIMITS section 4).
const SLOW_SHARE: i128 = 10;

fn period_ns(row: &LimitRow) -> u64 {
    row.params[PERIOD_MS].max(0) as u64 * 1_000_000
}

fn is_slow(order: &Question<'_>) -> bool {
    order.node.flags & node_flags::SLOW != 0
}

/// GCRA: how far the arrival time is ahead, against how far the burst lets it be.
fn debt(row: &LimitRow, now_ns: UnixNanos, code: RejectCode) -> Measure {
    let now = i128::from(now_ns) * row.hard;
    let tau = i128::from(period_ns(row)) * i128::from(row.more_params[BURST - 2] - 1);
    Measure::new(row.own - now, tau, code)
}

/// The messages of the period that ends now, this one included.
fn window(row: &LimitRow, hard: i128, stamps: &Stamps, now_ns: UnixNanos, code: RejectCode) -> Measure {
    let nth = u64::try_from(hard).unwrap_or(0);
    let nth_last = stamps.nth_last(&row.ring, nth);
    let is_full = nth == 0 || nth_last.is_some_and(|stamp| now_ns.saturating_sub(stamp) < period_ns(row));
    let used = if is_full {
        hard + 1
    } else if row.soft_pct == 0 {
        1
    } else {
        i128::from(stamps.count(&row.ring, now_ns, period_ns(row))) + 1
    };
    Measure::new(used, hard, code)
}

fn measure(terms: &Terms, order: &Question<'_>, code: RejectCode) -> Option<Measure> {
    let row = order.limits.get(terms.id)?;
    let slow = is_slow(order);
    Some(if row.params[ALGORITHM] == GCRA {
        debt(row, order.ask.now_ns, code)
    } else {
        let hard = if slow {
            (row.hard / SLOW_SHARE).max(1)
        } else {
            row.hard
        };
        window(row, hard, order.stamps, order.ask.now_ns, code)
    })
}

/// L11: new orders and replaces.
pub(super) fn order_rate(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    measure(terms, order, RejectCode::OrderRateExceeded)
}

/// L12: new orders, replaces and cancels; cancels are counted and never refused.
pub(super) fn msg_rate(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    measure(terms, order, RejectCode::MsgRateExceeded)
}

/// Uses one token.
#[inline]
pub fn charge(row: &mut LimitRow, stamps: &mut Stamps, now_ns: UnixNanos, slow: bool) {
    if row.params[ALGORITHM] != GCRA {
        return stamps.put(&mut row.ring, now_ns);
    }
    let now = i128::from(now_ns) * row.hard;
    row.own = row.own.max(now) + cost(row, slow);
}

/// GCRA: by how much a message moves the arrival time.
#[inline]
fn cost(row: &LimitRow, slow: bool) -> i128 {
    let share = if slow { SLOW_SHARE } else { 1 };
    i128::from(period_ns(row)) * share
}

/// True for a rate that keeps an arrival time.
pub(super) fn is_gcra(row: &LimitRow) -> bool {
    let is_rate = [LimitType::OrderRate as u8, LimitType::MsgRate as u8].contains(&row.limit_type);
    is_rate && row.hard > 0 && row.params[ALGORITHM] == GCRA
}

/// The arrival time under a new rate or period: the messages that it is ahead by are the same, a change forgives none.
pub(super) fn rescaled(held: &LimitRow, row: &LimitRow, now_ns: UnixNanos) -> i128 {
    let ahead = (held.own - i128::from(now_ns) * held.hard).max(0);
    let (old, new) = (i128::from(period_ns(held)).max(1), i128::from(period_ns(row)));
    let whole = ahead / old * new;
    let rest = (ahead % old * new + old - 1) / old;
    i128::from(now_ns) * row.hard + whole + rest
}

/// The largest rate and the largest burst.
const RATE_MAX: i64 = 1_000_000_000;

/// A rate from 1 to a billion a period (a million where each is remembered), a period from 1 ms to a day, a burst from 1 to a
/// billion: it may exceed the rate, as in one message a second with five at once.
pub(super) fn accepts(event: &LimitSet) -> bool {
    let rate_max = match event.params[ALGORITHM] {
        GCRA => i128::from(RATE_MAX),
        SLIDING => i128::from(RING_MAX),
        _ => return false,
    };
    (1..=rate_max).contains(&event.hard)
        && (1..=86_400_000).contains(&event.params[PERIOD_MS])
        && (1..=RATE_MAX).contains(&event.params[BURST])
}

/// What a message that was let through at `now` found of a rate that has charged it since, against what must not be exceeded: how far
/// ahead it was when the message came, or the messages of the period that ends now. `asked` is what it says to one more.
pub(crate) fn charged(
    row: &LimitRow,
    stamps: &Stamps,
    now_ns: UnixNanos,
    is_slow: bool,
    asked: Measure,
) -> Measure {
    let used = if row.params[ALGORITHM] == GCRA {
        (asked.used - cost(row, is_slow)).max(0)
    } else {
        i128::from(stamps.count(&row.ring, now_ns, period_ns(row)))
    };
    Measure { used, ..asked }
}

/// L13: the window in milliseconds is the first parameter, the count is `hard`.
pub(super) fn repeated_accepts(event: &LimitSet) -> bool {
    (1..=i128::from(RING_MAX)).contains(&event.hard) && (1..=86_400_000).contains(&event.params[PERIOD_MS])
}

/// L13: true where the executions of the window, one now included, reach the limit. The window is half open: an execution that is
/// exactly as old as the window is out.
pub(crate) fn reaches(row: &LimitRow, stamps: &Stamps, now_ns: UnixNanos) -> bool {
    let nth = u64::try_from(row.hard).unwrap_or(u64::MAX);
    let first = stamps.nth_last(&row.ring, nth);
    first.is_some_and(|stamp| now_ns.saturating_sub(stamp) < period_ns(row))
}

/// `params[0]` of L20: messages that are free.
const MIN_MSGS: usize = 0;

/// L20: the day's messages, this one included, against the trades that they led to.
pub(super) fn order_to_trade(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let today = order.node.flow.today(order.date());
    let messages = i128::from(today.messages) + 1;
    if messages <= i128::from(terms.params[MIN_MSGS]) {
        return None;
    }
    let allowed = terms.hard * i128::from(today.trades.max(1));
    Some(Measure::new(messages, allowed, RejectCode::OrderToTradeExceeded))
}

pub(super) fn order_to_trade_accepts(event: &LimitSet) -> bool {
    event.params[MIN_MSGS] >= 0 && event.hard <= 1_000_000_000 && event.filter_instrument.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamps::Ring;

    const START: u64 = 1_700_000_000_000_000_000;

    /// LIMITS section 8.1, L11: GCRA 2/s burst 2: 0 and .001 pass, .4 refused, .5 passes, .501 refused.
    #[test]
    fn gcra_passes_and_refuses_as_the_catalogue_shows() {
        let mut stamps = Stamps::new(8);
        let mut row = LimitRow {
            hard: 2,
            params: [1_000, GCRA],
            more_params: [2, 0, 0, 0],
            ..LimitRow::NONE
        };
        for (ms, passes) in [(0, true), (1, true), (400, false), (500, true), (501, false)] {
            let now_ns = START + ms * 1_000_000;
            let measure = debt(&row, now_ns, RejectCode::OrderRateExceeded);
            assert_eq!(measure.used <= measure.limit, passes, "{ms} ms");
            if passes {
                charge(&mut row, &mut stamps, now_ns, false);
            }
        }
    }

    /// One message a second on the long run, three at once.
    #[test]
    fn a_burst_may_exceed_the_rate() {
        let mut event: LimitSet = bytemuck::Zeroable::zeroed();
        (event.hard, event.params) = (1, [1_000, GCRA, 3, 0, 0, 0]);
        assert!(accepts(&event));
        event.params[BURST] = RATE_MAX + 1;
        assert!(!accepts(&event));
        let mut stamps = Stamps::new(8);
        let mut row = LimitRow {
            hard: 1,
            params: [1_000, GCRA],
            more_params: [3, 0, 0, 0],
            ..LimitRow::NONE
        };
        let said = [0, 1, 2, 3, 999, 1_000, 1_001, 2_000].map(|ms| {
            let now_ns = START + ms * 1_000_000;
            let measure = debt(&row, now_ns, RejectCode::OrderRateExceeded);
            let passes = measure.used <= measure.limit;
            if passes {
                charge(&mut row, &mut stamps, now_ns, false);
            }
            passes
        });
        assert_eq!(said, [true, true, true, false, false, true, false, true]);
    }

    /// LIMITS section 8.1, L11: sliding 3/1 s: 0, .1, .2 pass, .999 refused, 1.000 passes.
    #[test]
    fn a_sliding_window_passes_and_refuses_as_the_catalogue_shows() {
        let mut stamps = Stamps::new(8);
        let mut row = LimitRow {
            hard: 3,
            params: [1_000, SLIDING],
            ring: Ring::NONE,
            ..LimitRow::NONE
        };
        stamps.grow(&mut row.ring, 3);
        for (ms, passes) in [(0, true), (100, true), (200, true), (999, false), (1_000, true)] {
            let now_ns = START + ms * 1_000_000;
            let measure = window(&row, row.hard, &stamps, now_ns, RejectCode::OrderRateExceeded);
            assert_eq!(measure.used <= measure.limit, passes, "{ms} ms");
            if passes {
                charge(&mut row, &mut stamps, now_ns, false);
            }
        }
    }

    /// LIMITS section 8.1, L13: 3 in 10 s: fills at 1, 6, 11 s go on, fills at 2, 3, 4 s disable.
    #[test]
    fn executions_that_are_as_old_as_the_window_are_out() {
        for (seconds, reached) in [([1, 6, 11], false), ([2, 3, 4], true)] {
            let mut stamps = Stamps::new(8);
            let mut row = LimitRow {
                hard: 3,
                params: [10_000, 0],
                ring: Ring::NONE,
                ..LimitRow::NONE
            };
            stamps.grow(&mut row.ring, 3);
            for second in seconds {
                stamps.put(&mut row.ring, START + second * 1_000_000_000);
            }
            let now_ns = START + seconds[2] * 1_000_000_000;
            assert_eq!(reaches(&row, &stamps, now_ns), reached, "{seconds:?}");
        }
    }
}
