//! Notifications that wait for one channel: retry with growing pauses, circuit breaker, and an end.
//!
//! # Invariants
//! - Each notification that was taken ends as delivered or as a dead letter, unless the process ends before.
//! - A notification on its second try never holds up one on its first, but for the breaker.
//! - At most [`capacity`](Mailbox::new) wait.
//!
//! Not here: threads and clocks; the caller says what time it is.

use super::breaker::Breaker;
use super::{Channel, DeliveryError};
use crate::notification::Notification;
use std::collections::BTreeMap;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Pauses before the second, third, ... attempt, nanoseconds; after the last one it is a dead letter.
pub const RETRY_DELAYS_NS: [u64; 7] = {
    let seconds = [1, 2, 4, 8, 16, 32, 60];
    let mut delays = [0; 7];
    let mut at = 0;
    while at < delays.len() {
        delays[at] = seconds[at] * NANOS_PER_SEC;
        at += 1;
    }
    delays
};
/// Attempts at one notification.
pub const ATTEMPTS_MAX: usize = RETRY_DELAYS_NS.len() + 1;
/// Age after which a notification that an open breaker kept waiting is a dead letter, nanoseconds.
pub const GIVE_UP_NS: u64 = 600 * NANOS_PER_SEC;

#[derive(Clone, Debug)]
struct Letter {
    notification: Notification,
    attempts: usize,
    taken_ns: UnixNanos,
}

/// What became of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It is there.
    Delivered(Notification),
    /// It will be tried again.
    Waits,
    /// It will not.
    Dead(Notification, String),
}

/// See the module.
#[derive(Debug)]
pub struct Mailbox {
    /// By when they are due, and the order in which they came.
    letters: BTreeMap<(UnixNanos, u64), Letter>,
    capacity: usize,
    taken: u64,
    breaker: Breaker,
}

impl Mailbox {
    /// An empty one with room for so many.
    pub fn new(capacity: usize) -> Self {
        Self {
            letters: BTreeMap::new(),
            capacity: capacity.max(1),
            taken: 0,
            breaker: Breaker::default(),
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.letters.len()
    }

    /// True where none waits.
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// True where no more is taken.
    pub fn is_full(&self) -> bool {
        self.letters.len() >= self.capacity
    }

    /// Takes a notification, due at once. Gives it back where it is full.
    pub fn push(&mut self, notification: Notification, now_ns: UnixNanos) -> Result<(), Box<Notification>> {
        if self.is_full() {
            return Err(Box::new(notification));
        }
        let letter = Letter {
            notification,
            attempts: 0,
            taken_ns: now_ns,
        };
        self.put(now_ns, letter);
        Ok(())
    }

    fn put(&mut self, due_ns: UnixNanos, letter: Letter) {
        self.taken += 1;
        self.letters.insert((due_ns, self.taken), letter);
    }

    /// When the next attempt is due; `None` where nothing waits.
    pub fn next_due_ns(&self) -> Option<UnixNanos> {
        let (due_ns, _) = self.letters.first_key_value()?.0;
        Some((*due_ns).max(self.breaker.closed_from_ns()))
    }

    /// Makes the attempt that is due, at most one; `None` where none is.
    pub fn step(&mut self, now_ns: UnixNanos, channel: &mut dyn Channel) -> Option<Outcome> {
        if self.next_due_ns()? > now_ns {
            return None;
        }
        let (_, mut letter) = self.letters.pop_first()?;
        if letter.attempts > 0 && now_ns.saturating_sub(letter.taken_ns) > GIVE_UP_NS {
            return Some(dead(
                letter,
                "it has waited too long for the receiver to come back",
            ));
        }
        letter.attempts += 1;
        match channel.deliver(&letter.notification) {
            Ok(()) => {
                self.breaker.on_success();
                Some(Outcome::Delivered(letter.notification))
            }
            // The receiver is there and has answered.
            Err(DeliveryError::Refused(why)) => {
                self.breaker.on_success();
                Some(dead(letter, &why))
            }
            Err(DeliveryError::Failed(why)) => {
                self.breaker.on_failure(now_ns);
                let Some(delay_ns) = RETRY_DELAYS_NS.get(letter.attempts - 1) else {
                    return Some(dead(letter, &why));
                };
                self.put(now_ns.saturating_add(*delay_ns), letter);
                Some(Outcome::Waits)
            }
        }
    }
}

fn dead(letter: Letter, why: &str) -> Outcome {
    Outcome::Dead(
        letter.notification,
        format!("after {} attempts: {why}", letter.attempts),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notification;

    const SEC: u64 = NANOS_PER_SEC;

    /// A channel that does what a list says, and notes the ids.
    struct Scripted {
        answers: Vec<Result<(), DeliveryError>>,
        seen: Vec<String>,
    }

    impl Channel for Scripted {
        fn name(&self) -> &str {
            "scripted"
        }
        fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
            self.seen.push(notification.id.clone());
            if self.answers.is_empty() {
                Ok(())
            } else {
                self.answers.remove(0)
            }
        }
    }

    fn failing(count: usize) -> Scripted {
        let failed = || Err(DeliveryError::Failed("down".into()));
        Scripted {
            answers: (0..count).map(|_| failed()).collect(),
            seen: Vec::new(),
        }
    }

    /// Attempts and their seconds until nothing waits.
    fn run(mailbox: &mut Mailbox, channel: &mut Scripted) -> (Vec<u64>, Option<Outcome>) {
        let (mut times, mut last) = (Vec::new(), None);
        while let Some(due_ns) = mailbox.next_due_ns() {
            let before = channel.seen.len();
            last = mailbox.step(due_ns, channel);
            if channel.seen.len() > before {
                times.push(due_ns / SEC);
            }
        }
        (times, last)
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        assert_eq!(RETRY_DELAYS_NS.map(|ns| ns / SEC), [1, 2, 4, 8, 16, 32, 60]);
    }

    #[test]
    fn a_receiver_that_comes_back_gets_it() {
        let (mut mailbox, mut channel) = (Mailbox::new(4), failing(3));
        mailbox.push(notification("1:1"), 0).unwrap();
        let (times, last) = run(&mut mailbox, &mut channel);
        assert_eq!(times, [0, 1, 3, 7]);
        assert!(matches!(last, Some(Outcome::Delivered(_))));
    }

    #[test]
    fn the_breaker_opens_after_five_failures_and_lets_one_try_through_after_half_a_minute() {
        let (mut mailbox, mut channel) = (Mailbox::new(4), failing(6));
        mailbox.push(notification("1:1"), 0).unwrap();
        let (times, last) = run(&mut mailbox, &mut channel);
        // 0, 1, 3, 7, 15 fail; the sixth would be due at 31 and waits until 45; then the pause of 32 s.
        assert_eq!(times, [0, 1, 3, 7, 15, 45, 77]);
        assert!(matches!(last, Some(Outcome::Delivered(_))));
    }

    #[test]
    fn while_the_breaker_is_open_nothing_is_tried_and_all_goes_out_when_it_closes() {
        let (mut mailbox, mut channel) = (Mailbox::new(8), failing(5));
        for id in 0..5 {
            mailbox.push(notification(&id.to_string()), 0).unwrap();
        }
        for _ in 0..5 {
            assert!(matches!(mailbox.step(0, &mut channel), Some(Outcome::Waits)));
        }
        mailbox.push(notification("6"), SEC).unwrap();
        assert!(mailbox.step(29 * SEC, &mut channel).is_none());
        let mut delivered = 0;
        while let Some(Outcome::Delivered(_)) = mailbox.step(30 * SEC, &mut channel) {
            delivered += 1;
        }
        assert_eq!((delivered, mailbox.len()), (6, 0));
    }

    #[test]
    fn after_the_last_pause_it_is_a_dead_letter() {
        let (mut mailbox, mut channel) = (Mailbox::new(4), failing(usize::from(u8::MAX)));
        mailbox.push(notification("1:1"), 0).unwrap();
        let (times, last) = run(&mut mailbox, &mut channel);
        assert_eq!(times.len(), ATTEMPTS_MAX);
        let Some(Outcome::Dead(dead, why)) = last else {
            panic!("{last:?}")
        };
        assert_eq!(dead.id, "1:1");
        assert!(why.contains("8 attempts") && why.contains("down"), "{why}");
    }

    #[test]
    fn what_is_refused_is_not_tried_again() {
        let refused = Err(DeliveryError::Refused("400".into()));
        let mut channel = Scripted {
            answers: vec![refused],
            seen: Vec::new(),
        };
        let mut mailbox = Mailbox::new(4);
        mailbox.push(notification("1:1"), 0).unwrap();
        assert!(matches!(mailbox.step(0, &mut channel), Some(Outcome::Dead(_, _))));
        assert!(mailbox.is_empty());
    }

    #[test]
    fn a_full_mailbox_gives_it_back() {
        let mut mailbox = Mailbox::new(1);
        mailbox.push(notification("1"), 0).unwrap();
        assert_eq!(mailbox.push(notification("2"), 0).unwrap_err().id, "2");
    }

    #[test]
    fn a_first_try_goes_before_a_second_one_that_is_due_later() {
        let (mut mailbox, mut channel) = (Mailbox::new(4), failing(1));
        mailbox.push(notification("1"), 0).unwrap();
        mailbox.step(0, &mut channel);
        mailbox.push(notification("2"), SEC / 2).unwrap();
        mailbox.step(SEC / 2, &mut channel);
        mailbox.step(SEC, &mut channel);
        assert_eq!(channel.seen, ["1", "2", "1"]);
    }
}
