//! What a thread does when it finds no work: spin, yield, or sleep until it is woken.
//!
//! # Invariants
//! - A producer makes a system call only where the consumer sleeps. Without [`IdleStrategy::Park`] waking costs nothing.
//! - No wake-up is lost: the consumer announces its sleep, looks once more, and only then sleeps; the producer publishes
//!   first and looks at the announcement after that, with a full fence on both sides. One millisecond is the net below.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

/// How a thread waits for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IdleStrategy {
    /// Never leaves the core: lowest latency, one core per thread.
    Spin,
    /// Spins for some microseconds, then lets others run.
    #[default]
    SpinThenYield,
    /// Spins, yields, then sleeps until a producer wakes it.
    Park,
}

impl IdleStrategy {
    /// The name in configuration.
    pub const fn text(self) -> &'static str {
        match self {
            IdleStrategy::Spin => "spin",
            IdleStrategy::SpinThenYield => "spin-then-yield",
            IdleStrategy::Park => "park",
        }
    }

    /// The strategy of a name.
    pub fn from_text(text: &str) -> Option<Self> {
        [
            IdleStrategy::Spin,
            IdleStrategy::SpinThenYield,
            IdleStrategy::Park,
        ]
        .into_iter()
        .find(|strategy| strategy.text() == text)
    }
}

/// Rounds of spinning before the first yield: about 10 us of empty polls.
const SPIN_ROUNDS: u32 = 200;
/// Rounds of yielding before the first sleep.
const YIELD_ROUNDS: u32 = 100;
/// The longest sleep: the net below every wake-up.
const PARK_MAX: Duration = Duration::from_millis(1);

/// Where a consumer says that it sleeps.
#[derive(Debug, Default)]
struct Sleeper {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

/// Wakes a consumer that sleeps. Cheap to clone, free where the consumer never sleeps.
#[derive(Clone, Debug, Default)]
pub struct Waker {
    sleeper: Option<Arc<Sleeper>>,
}

impl Waker {
    /// Wakes the consumer where it sleeps. To be called after something was published to it.
    #[inline]
    pub fn wake(&self) {
        let Some(sleeper) = &self.sleeper else { return };
        fence(Ordering::SeqCst);
        let was_asleep =
            sleeper.asleep.load(Ordering::Relaxed) && sleeper.asleep.swap(false, Ordering::AcqRel);
        if let (true, Some(thread)) = (was_asleep, sleeper.thread.get()) {
            thread.unpark();
        }
    }
}

/// The waiting side, one for each thread.
#[derive(Debug)]
pub struct Idle {
    strategy: IdleStrategy,
    rounds: u32,
    announced: bool,
    park_max: Duration,
    sleeper: Arc<Sleeper>,
}

impl Idle {
    /// A fresh one; [`enter`](Self::enter) binds it to its thread.
    pub fn new(strategy: IdleStrategy) -> Self {
        Self {
            strategy,
            rounds: 0,
            announced: false,
            park_max: PARK_MAX,
            sleeper: Arc::default(),
        }
    }

    /// The handle for those who have work for this thread.
    pub fn waker(&self) -> Waker {
        Waker {
            sleeper: (self.strategy == IdleStrategy::Park).then(|| Arc::clone(&self.sleeper)),
        }
    }

    /// Binds it to the calling thread, once, before the first [`idle`](Self::idle).
    pub fn enter(&mut self) {
        let _ = self.sleeper.thread.set(std::thread::current());
    }

    /// To be called after each cycle with the work that was done in it.
    #[inline]
    pub fn idle(&mut self, work_count: usize) {
        if work_count == 0 {
            self.wait();
        } else {
            self.rounds = 0;
            if self.announced {
                self.announced = false;
                self.sleeper.asleep.store(false, Ordering::Relaxed);
            }
        }
    }

    fn wait(&mut self) {
        self.rounds = self.rounds.saturating_add(1);
        match self.strategy {
            IdleStrategy::Spin => std::hint::spin_loop(),
            _ if self.rounds <= SPIN_ROUNDS => std::hint::spin_loop(),
            IdleStrategy::SpinThenYield => std::thread::yield_now(),
            IdleStrategy::Park if self.rounds <= SPIN_ROUNDS + YIELD_ROUNDS => std::thread::yield_now(),
            IdleStrategy::Park => self.sleep_or_announce(),
        }
    }

    /// First call: announces the sleep, and the caller polls once more. Second call: sleeps.
    fn sleep_or_announce(&mut self) {
        if self.announced {
            // A producer that took the announcement back has published something: no sleep then.
            if self.sleeper.asleep.load(Ordering::Relaxed) {
                std::thread::park_timeout(self.park_max);
            }
            self.announced = false;
            self.sleeper.asleep.store(false, Ordering::Relaxed);
        } else {
            self.announced = true;
            self.sleeper.asleep.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;

    #[test]
    fn names_read_back() {
        for strategy in [
            IdleStrategy::Spin,
            IdleStrategy::SpinThenYield,
            IdleStrategy::Park,
        ] {
            assert_eq!(IdleStrategy::from_text(strategy.text()), Some(strategy));
        }
        assert_eq!(IdleStrategy::from_text("doze"), None);
    }

    #[test]
    fn only_a_strategy_that_sleeps_has_somebody_to_wake() {
        assert!(Idle::new(IdleStrategy::Spin).waker().sleeper.is_none());
        assert!(Idle::new(IdleStrategy::SpinThenYield).waker().sleeper.is_none());
        assert!(Idle::new(IdleStrategy::Park).waker().sleeper.is_some());
    }

    /// Each number is pushed only after the consumer took the one before, so that it often sleeps in between. Without the
    /// net below the wake-ups, one that is lost makes this test stand still.
    #[test]
    fn a_parked_consumer_is_woken_for_every_item() {
        let (mut producer, mut consumer) = RingBuffer::<u32>::new(4);
        let mut idle = Idle::new(IdleStrategy::Park);
        idle.park_max = Duration::from_secs(3_600);
        let waker = idle.waker();
        let (mut ack, mut acked) = RingBuffer::<u32>::new(4);
        let thread = std::thread::spawn(move || {
            idle.enter();
            let mut next = 0;
            while next < 300 {
                match consumer.pop() {
                    Ok(item) => {
                        assert_eq!(item, next);
                        next += 1;
                        assert!(ack.push(item).is_ok());
                        idle.idle(1);
                    }
                    Err(_) => idle.idle(0),
                }
            }
        });
        for item in 0..300 {
            for _ in 0..(item % 7) * 100 {
                std::thread::yield_now();
            }
            producer.push(item).unwrap();
            waker.wake();
            while acked.pop().is_err() {
                std::thread::yield_now();
            }
        }
        thread.join().unwrap();
    }
}
