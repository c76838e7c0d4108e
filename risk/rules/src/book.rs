//! The rules in force, as a stage owns them, and the next ones while their parts arrive.
//!
//! # Invariants
//! - Memory is allocated by [`RuleBook::new`] alone: a document that takes effect changes places with the one before.
//! - What is in force has been verified. A document that is not sound is counted and leaves the rules in force.
//! - The state follows from the records alone, so a replay has the same rules in force at every number.

use crate::assembly::{Assembly, Part};
use crate::document::{Document, RuleInfo, infos, read};
use crate::evaluate::{Facts, Pools, Stack, run};
use crate::fields::RuleEvent;
use crate::program::{Action, DOCUMENT_MAX, Instruction, RuleCode};
use crate::verify::{Sections, rows, verify};
use tradewind_domain::event::{Blob, Event, Kind};

/// What a rule's condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is met: the rule acts.
    Met,
    /// It is not met.
    NotMet,
    /// It cannot be told: the rule acts.
    Unknown,
}

impl Answer {
    /// True where the rule acts.
    #[inline]
    pub const fn acts(self) -> bool {
        !matches!(self, Answer::NotMet)
    }
}

/// What the rules say about one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Number of the first rule that rejects or quarantines; 0 for none.
    pub rule: u8,
    /// Number of the first rule that alerts; 0 for none.
    pub alert: u8,
}

/// The rules in force.
pub struct RuleBook {
    words: Box<[u128]>,
    len: usize,
    sections: Sections,
    hash: [u8; 32],
    /// Rules by event, so that an event without rules costs one look.
    counts: [u32; RuleEvent::ALL.len() + 1],
    next: Assembly,
    refused: u64,
}

impl Default for RuleBook {
    fn default() -> Self {
        Self::new()
    }
}

impl RuleBook {
    /// No rules, and room for any.
    pub fn new() -> Self {
        Self {
            words: vec![0; DOCUMENT_MAX / size_of::<u128>()].into_boxed_slice(),
            len: 0,
            sections: Sections::default(),
            hash: [0; 32],
            counts: [0; RuleEvent::ALL.len() + 1],
            next: Assembly::new(),
            refused: 0,
        }
    }

    /// Takes a part of a document from the stream of events; other events change nothing. True where new rules are in force
    /// from the next event on.
    #[inline]
    pub fn observe(&mut self, event: &Event) -> bool {
        event.kind() == Some(Kind::Blob) && !event.is_rejected() && self.take(event.body(), event.tail())
    }

    fn take(&mut self, part: &Blob, bytes: &[u8]) -> bool {
        match self.next.take(part, bytes) {
            Part::Foreign | Part::More => false,
            Part::Refused => {
                self.refused += 1;
                false
            }
            Part::Complete => self.put_into_force(),
        }
    }

    fn put_into_force(&mut self) -> bool {
        let document = self.next.bytes();
        let Ok(sections) = verify(document) else {
            self.refused += 1;
            return false;
        };
        (self.len, self.sections, self.hash) = (document.len(), sections, *self.next.hash());
        self.next.exchange(&mut self.words);
        let mut counts = [0; RuleEvent::ALL.len() + 1];
        for rule in self.rules() {
            if let Some(count) = counts.get_mut(usize::from(rule.event)) {
                *count += 1;
            }
        }
        self.counts = counts;
        true
    }

    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice::<u128, u8>(&self.words)
            .get(..self.len)
            .unwrap_or_default()
    }

    #[inline]
    fn rules(&self) -> &[RuleCode] {
        rows(self.bytes(), &self.sections.rules)
    }

    /// True where there are rules about this event.
    #[inline]
    pub fn has(&self, event: RuleEvent) -> bool {
        self.counts[event as usize] != 0
    }

    /// Asks the rules about an event, each kind of action until the first rule acts. Reads, changes nothing.
    pub fn check<F: Facts>(&self, event: RuleEvent, facts: &F) -> Findings {
        let mut findings = Findings::default();
        if !self.has(event) {
            return findings;
        }
        let program = self.program();
        let mut stack = Stack::new();
        for (rule, number) in self.rules().iter().zip(1..) {
            let place = if rule.action == Action::Alert as u8 {
                &mut findings.alert
            } else {
                &mut findings.rule
            };
            if rule.event == event as u8 && *place == 0 && program.answer(rule, facts, &mut stack).acts() {
                *place = number;
            }
        }
        findings
    }

    /// Asks every rule about an event, for a dry run: number and answer.
    pub fn answers<F: Facts>(&self, event: RuleEvent, facts: &F, mut each: impl FnMut(u8, Answer)) {
        let program = self.program();
        let mut stack = Stack::new();
        for (rule, number) in self.rules().iter().zip(1..) {
            if rule.event == event as u8 {
                each(number, program.answer(rule, facts, &mut stack));
            }
        }
    }

    #[inline]
    fn program(&self) -> Program<'_> {
        let bytes = self.bytes();
        Program {
            code: rows(bytes, &self.sections.code),
            pools: Pools {
                numbers: rows(bytes, &self.sections.numbers),
                texts: rows(bytes, &self.sections.texts),
            },
        }
    }

    /// The rule of a number in the document in force: what a record's head names.
    pub fn rule(&self, number: u8) -> Option<RuleInfo> {
        self.infos().find(|info| info.number == number)
    }

    /// The rules in force, in their order.
    pub fn infos(&self) -> impl Iterator<Item = RuleInfo> + '_ {
        infos(self.bytes(), &self.sections)
    }

    /// The document in force; `None` before the first.
    pub fn document(&self) -> Option<Document> {
        (self.len != 0).then(|| read(self.bytes(), &self.sections))
    }

    /// BLAKE3 of the document in force; zeros before the first.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Documents and parts that were not taken: damaged, or of a newer format.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Feeds the state to a hash; without rules it adds nothing.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        if self.len != 0 {
            sink(&self.hash);
        }
        sink(self.next.bytes());
    }
}

/// The instructions in force and what they point into.
struct Program<'a> {
    code: &'a [Instruction],
    pools: Pools<'a>,
}

impl Program<'_> {
    #[inline]
    fn answer<F: Facts>(&self, rule: &RuleCode, facts: &F, stack: &mut Stack) -> Answer {
        let first = usize::from(rule.first);
        let code = self.code.get(first..first + usize::from(rule.count));
        match code.and_then(|code| run(code, self.pools, facts, stack)) {
            Some(true) => Answer::Met,
            Some(false) => Answer::NotMet,
            None => Answer::Unknown,
        }
    }
}
