//! A list of messages, each with its time and what is expected to become of it.

use super::firm::{self, Order};
use tradewind_domain::event::InboundLong;
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::{NANOS_PER_DAY, NANOS_PER_SEC};

/// Distance between two messages, nanoseconds.
const STEP_NS: u64 = 1_000_000;

/// Messages in their order, on input time.
pub(crate) struct Script {
    pub(crate) messages: Vec<InboundLong>,
    /// What becomes of each message; `Some(None)` is acceptance, `None` is not said.
    pub(crate) expected: Vec<Option<Option<RejectCode>>>,
    now_ns: u64,
    orders: u64,
    random: u64,
}

impl Script {
    /// Begins on the firm's first day at 07:00 with its reference data.
    pub(crate) fn new() -> Self {
        Self::with(firm::reference())
    }

    /// The same with other reference data.
    pub(crate) fn with(reference: Vec<InboundLong>) -> Self {
        let mut script = Self {
            messages: Vec::new(),
            expected: Vec::new(),
            now_ns: 0,
            orders: 0,
            random: 0x9e37_79b9_7f4a_7c15,
        };
        script.at(0, 7, 0);
        for event in reference {
            script.accepted(event);
        }
        script
    }

    /// Goes on at this time of the given day after the first one. Time never goes back.
    pub(crate) fn at(&mut self, day: u64, hour: u64, minute: u64) {
        let midnight = (u64::from(firm::first_day()) + day) * NANOS_PER_DAY;
        let at = midnight + (hour * 60 + minute) * 60 * NANOS_PER_SEC;
        assert!(at >= self.now_ns, "the script goes back in time");
        self.now_ns = at;
    }

    /// Goes on so many milliseconds later.
    pub(crate) fn wait_ms(&mut self, ms: u64) {
        self.now_ns += ms * 1_000_000;
    }

    fn push(&mut self, message: InboundLong, expected: Option<Option<RejectCode>>) {
        self.now_ns += STEP_NS;
        self.messages.push(message.at(self.now_ns));
        self.expected.push(expected);
    }

    /// A message that is taken.
    pub(crate) fn accepted(&mut self, message: InboundLong) {
        self.push(message, Some(None));
    }

    /// A message that is refused with this code.
    pub(crate) fn refused(&mut self, message: InboundLong, code: RejectCode) {
        self.push(message, Some(Some(code)));
    }

    /// A message whose own time stamp is so many seconds old, refused with this code.
    pub(crate) fn refused_late(&mut self, message: InboundLong, seconds: u64, code: RejectCode) {
        self.push(message, Some(Some(code)));
        if let Some(last) = self.messages.last_mut() {
            *last = last.at(self.now_ns - seconds * NANOS_PER_SEC);
        }
    }

    /// A message that may be taken or refused.
    pub(crate) fn either(&mut self, message: InboundLong) {
        self.push(message, None);
    }

    /// An order that is accepted, with the id that it gets.
    pub(crate) fn order(&mut self, order: Order) -> OrderId {
        self.accepted(order.message());
        self.orders += 1;
        OrderId::new(0, self.orders)
    }

    /// The id of the order that the engine makes itself on the last message.
    pub(crate) fn made(&mut self) -> OrderId {
        self.orders += 1;
        OrderId::new(0, self.orders)
    }

    /// The number that the next message gets in a run of its own, on the first day: behind the run's start and the first day of
    /// both of the firm's calendars.
    pub(crate) fn next_seq(&self) -> Seq {
        const OTHERS: Seq = 3;
        OTHERS + self.messages.len() as Seq + 1
    }

    /// A number below `bound`, the same in every run.
    pub(crate) fn random(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    /// Holds the outcomes of a run to what was expected.
    pub(crate) fn assert_outcomes(&self, outcomes: &[Option<RejectCode>]) {
        assert_eq!(
            outcomes.len(),
            self.expected.len(),
            "every message has one outcome"
        );
        let mut differing = Vec::new();
        for (at, (outcome, expected)) in outcomes.iter().zip(&self.expected).enumerate() {
            if expected.is_some_and(|expected| *outcome != expected) {
                let kind = self.messages[at].kind();
                differing.push(format!(
                    "message {at}, {kind:?}: {outcome:?}, expected {expected:?}"
                ));
            }
        }
        differing.truncate(20); // one wrong order number makes the rest wrong
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    }
}
