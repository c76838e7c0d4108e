//! The wall clock of the machine, read from the time stamp counter in about 10 ns.
//!
//! A reader adds the counter's distance from an anchor to the anchor's wall time. A helper thread sets a new anchor once
//! a second and slews the rate so that the clock follows the system's, which NTP may discipline.
//!
//! # Invariants
//! - The clock never jumps back: a new anchor starts where the old one stood, and an error is slewed away (at most
//!   500 us each second). Only where the system's clock is ahead by more than 100 ms does it jump, forward.
//! - A reader never waits for a lock; it reads again where it met the helper at work, once a second.
//!
//! Not here: strictly rising event times. Ingest gives `max(now, last + 1)`.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads clocks"
)]

use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tradewind_domain::time::UnixNanos;

/// Slew of 1 in a second of clock, in units of 2^-30 s (about 0.93 ppb).
const SLEW_SHIFT: u32 = 30;
/// 500 us each second.
const SLEW_MAX: i64 = 536_871;
/// An error above this is jumped over, forward, nanoseconds.
const JUMP_MIN_NS: i64 = 100_000_000;
/// How often the anchor is renewed.
const ANCHOR_EVERY: Duration = Duration::from_secs(1);

/// Nanoseconds of wall time, and raw stamps for measuring spans. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    counter: quanta::Clock,
    time: Time,
}

#[derive(Clone, Debug)]
enum Time {
    Wall(Arc<Anchor>),
    Manual(Arc<AtomicU64>),
}

/// A count of the time stamp counter, for [`Clock::span_ns`].
#[derive(Clone, Copy, Debug)]
pub struct RawStamp(u64);

impl Clock {
    /// The system's time. Starts the helper thread, which ends with the last clone. Takes some milliseconds the first
    /// time, while the counter is calibrated.
    pub fn start() -> io::Result<Self> {
        let counter = quanta::Clock::new();
        let (raw, wall) = system_time(&counter);
        let anchor = Arc::new(Anchor::new(raw, wall));
        let keeper = Keeper {
            counter: counter.clone(),
            anchor: Arc::downgrade(&anchor),
            drift: 0,
        };
        std::thread::Builder::new()
            .name("tw-clock".to_owned())
            .spawn(move || keeper.run())?;
        Ok(Self {
            counter,
            time: Time::Wall(anchor),
        })
    }

    /// A clock that stands still until it is set: for tests and simulation.
    pub fn manual(start_ns: UnixNanos) -> (Self, ManualTime) {
        let time = Arc::new(AtomicU64::new(start_ns));
        let clock = Self {
            counter: quanta::Clock::new(),
            time: Time::Manual(Arc::clone(&time)),
        };
        (clock, ManualTime(time))
    }

    /// Nanoseconds since 1970 in UTC.
    #[inline]
    pub fn now_ns(&self) -> UnixNanos {
        match &self.time {
            Time::Wall(anchor) => anchor.wall_now(&self.counter),
            Time::Manual(time) => time.load(Ordering::Acquire),
        }
    }

    /// A stamp for measuring spans.
    #[inline]
    pub fn raw(&self) -> RawStamp {
        RawStamp(self.counter.raw())
    }

    /// Nanoseconds from one stamp to a later one.
    #[inline]
    pub fn span_ns(&self, from: RawStamp, to: RawStamp) -> u64 {
        self.counter.delta_as_nanos(from.0, to.0)
    }
}

/// Sets a [`Clock::manual`].
#[derive(Clone, Debug)]
pub struct ManualTime(Arc<AtomicU64>);

impl ManualTime {
    /// Sets the time, nanoseconds since 1970.
    pub fn set(&self, now_ns: UnixNanos) {
        self.0.store(now_ns, Ordering::Release);
    }
    /// Moves the time on.
    pub fn advance(&self, by_ns: u64) {
        self.0.fetch_add(by_ns, Ordering::AcqRel);
    }
}

/// A counter value, the wall time it stands for, and how much faster than the counter the wall runs.
/// Written by one thread; `version` is odd while it is being written.
#[derive(Debug)]
struct Anchor {
    version: AtomicU64,
    raw: AtomicU64,
    wall_ns: AtomicU64,
    slew: AtomicI64,
}

impl Anchor {
    fn new(raw: u64, wall_ns: UnixNanos) -> Self {
        Self {
            version: AtomicU64::new(0),
            raw: AtomicU64::new(raw),
            wall_ns: AtomicU64::new(wall_ns),
            slew: AtomicI64::new(0),
        }
    }

    #[inline]
    fn wall_now(&self, counter: &quanta::Clock) -> UnixNanos {
        let anchor = self.read();
        // The processor may have read the counter before the anchor: then no time has passed since the anchor.
        wall_at(anchor, counter, counter.raw().max(anchor.0))
    }
    #[inline]
    fn read(&self) -> (u64, UnixNanos, i64) {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let read = (
                self.raw.load(Ordering::Relaxed),
                self.wall_ns.load(Ordering::Relaxed),
                self.slew.load(Ordering::Relaxed),
            );
            fence(Ordering::Acquire);
            if before & 1 == 0 && self.version.load(Ordering::Relaxed) == before {
                return read;
            }
            std::hint::spin_loop();
        }
    }

    /// Called by the one writer.
    fn write(&self, raw: u64, wall_ns: UnixNanos, slew: i64) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.raw.store(raw, Ordering::Relaxed);
        self.wall_ns.store(wall_ns, Ordering::Relaxed);
        self.slew.store(slew, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }
}

/// The wall time of a counter value at or after the anchor's.
#[inline]
fn wall_at(
    (anchor_raw, wall_ns, slew): (u64, UnixNanos, i64),
    counter: &quanta::Clock,
    raw: u64,
) -> UnixNanos {
    let delta = counter.delta_as_nanos(anchor_raw, raw);
    // 43 bits of delta and 20 of slew: exact for 4 hours without the helper; saturating beyond.
    let correction = (delta as i64).saturating_mul(slew) >> SLEW_SHIFT;
    wall_ns.saturating_add(delta).saturating_add_signed(correction)
}

/// The system's time and the counter at the same instant: the closest of three pairs.
fn system_time(counter: &quanta::Clock) -> (u64, UnixNanos) {
    let pair = || {
        let before = counter.raw();
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos() as u64);
        let width = counter.raw().wrapping_sub(before);
        (width, before.wrapping_add(width / 2), wall)
    };
    let (_, raw, wall) = [pair(), pair(), pair()]
        .into_iter()
        .min_by_key(|(width, ..)| *width)
        .unwrap_or((0, 0, 0));
    (raw, wall)
}

/// The helper thread: renews the anchor as long as there is a clock.
struct Keeper {
    counter: quanta::Clock,
    anchor: Weak<Anchor>,
    /// The learnt difference of the two rates, in units of slew.
    drift: i64,
}

impl Keeper {
    fn run(mut self) {
        loop {
            std::thread::park_timeout(ANCHOR_EVERY);
            let Some(anchor) = self.anchor.upgrade() else {
                return;
            };
            let (raw, system_ns) = system_time(&self.counter);
            let clock_ns = wall_at(anchor.read(), &self.counter, raw);
            let (wall_ns, slew) = self.steer(clock_ns, system_ns);
            anchor.write(raw, wall_ns, slew);
        }
    }

    /// Where the new anchor starts and how it is slewed, for what the clock says and what it should say. The error is
    /// halved within a second; a quarter of it goes into the learnt drift, so that a constant drift leaves no error.
    fn steer(&mut self, clock_ns: UnixNanos, system_ns: UnixNanos) -> (UnixNanos, i64) {
        let error_ns = (system_ns as i64).saturating_sub(clock_ns as i64);
        if error_ns > JUMP_MIN_NS {
            self.drift = 0;
            return (system_ns, 0);
        }
        let error = error_ns
            .saturating_mul(1 << SLEW_SHIFT)
            .checked_div(1_000_000_000)
            .unwrap_or(0);
        let error = error.clamp(-SLEW_MAX, SLEW_MAX);
        let slew = (self.drift + error / 2).clamp(-SLEW_MAX, SLEW_MAX);
        self.drift = (self.drift + error / 4).clamp(-SLEW_MAX, SLEW_MAX);
        (clock_ns, slew)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_says_what_the_system_says() {
        let clock = Clock::start().unwrap();
        let system = system_time(&clock.counter).1;
        let difference = clock.now_ns().abs_diff(system);
        assert!(difference < 50_000_000, "{difference} ns apart");
    }

    #[test]
    fn readers_see_whole_anchors_while_the_helper_writes() {
        let anchor = Arc::new(Anchor::new(0, 0));
        let writer = std::thread::spawn({
            let anchor = Arc::clone(&anchor);
            move || (1..20_000u64).for_each(|n| anchor.write(n, n * 3, n as i64 * 7))
        });
        let mut last = 0;
        while last < 19_999 {
            let (raw, wall, slew) = anchor.read();
            assert!(wall == raw * 3 && slew == raw as i64 * 7 && raw >= last);
            last = raw;
        }
        writer.join().unwrap();
    }

    #[test]
    fn a_manual_clock_moves_when_told() {
        let (clock, time) = Clock::manual(5);
        assert_eq!(clock.now_ns(), 5);
        time.advance(3);
        assert_eq!(clock.now_ns(), 8);
        time.set(100);
        assert_eq!(clock.now_ns(), 100);
    }

    /// The counter runs 80 ppm fast, the system's clock is right; each loop is a second.
    #[test]
    fn a_constant_drift_is_learnt_and_leaves_no_error() {
        let mut keeper = Keeper {
            counter: quanta::Clock::new(),
            anchor: Weak::new(),
            drift: 0,
        };
        let (mut clock, mut system, mut slew) = (1_000_000_000_000u64, 1_000_000_000_000u64, 0i64);
        for _ in 0..120 {
            let counted = 1_000_080_000i64;
            let before = clock;
            clock = clock.saturating_add_signed(counted + ((counted * slew) >> SLEW_SHIFT));
            system += 1_000_000_000;
            assert!(clock > before);
            (clock, slew) = keeper.steer(clock, system);
        }
        assert!(
            clock.abs_diff(system) < 100,
            "{} ns apart",
            clock.abs_diff(system)
        );
    }

    #[test]
    fn a_system_clock_set_back_never_sets_ours_back() {
        let mut keeper = Keeper {
            counter: quanta::Clock::new(),
            anchor: Weak::new(),
            drift: 0,
        };
        let (wall, slew) = keeper.steer(10_000_000_000, 4_000_000_000);
        assert_eq!((wall, slew), (10_000_000_000, -SLEW_MAX / 2));
        let (wall, slew) = keeper.steer(10_000_000_000, 14_000_000_000);
        assert_eq!((wall, slew), (14_000_000_000, 0), "set forward it jumps");
    }
}
