//! The alert manager: the journal's records in, incidents and notifications out.
//!
//! Its state is a function of the journal, and so are its rules: a file of own rules comes as a journaled document. Between two records time goes on all the same: a feed may fall silent, an incident may
//! reach its next level. [`tick`](AlertManager::tick) shows what the journal so far means at a later instant, in a copy; the next
//! record drops the copy, and what it foresaw happens again at the same times unless the record changed it.
//!
//! # Invariants
//! - A manager that read the journal live and one that reads it afterwards are equal, whatever ticks there were.
//! - Live figures (lag, latency, queues) never mix with that state: they have incidents of their own, gone with the run.
//!
//! Not here: reading the journal (see `follow`), delivery, the clock.

use crate::book::IncidentBook;
use crate::fact::{Fact, Metric, Subject};
use crate::incident::{IncidentRow, LIVE_FIRST};
use crate::notification::Notification;
use crate::own::{RuleDocument, rules_with};
use crate::rule::Rule;
use crate::severity::Severity;
use crate::standard::AlertSettings;
use crate::watch::Watch;
use std::sync::Arc;
use tradewind_domain::event::{Blob, Event, Kind, documents};
use tradewind_domain::time::UnixNanos;
use tradewind_rules::{Assembly, Part};

/// What follows from the journal.
#[derive(Clone, PartialEq)]
struct Told {
    watch: Watch,
    book: IncidentBook,
}

impl Told {
    fn next_due_ns(&self) -> UnixNanos {
        self.watch.next_due_ns().min(self.book.next_due_ns())
    }

    /// Runs what is due up to an instant, each at its own time; of the same time facts first.
    fn advance(&mut self, to_ns: UnixNanos, facts: &mut Vec<Fact>) {
        loop {
            let (watch_ns, book_ns) = (self.watch.next_due_ns(), self.book.next_due_ns());
            let due_ns = watch_ns.min(book_ns);
            if due_ns > to_ns || due_ns == UnixNanos::MAX {
                return;
            }
            if watch_ns <= book_ns {
                facts.clear();
                self.watch.run_due(due_ns, facts);
                self.take(facts, due_ns);
            } else {
                self.book.run_due();
            }
        }
    }

    fn take(&mut self, facts: &[Fact], at_ns: UnixNanos) {
        for fact in facts {
            self.book.on_fact(fact, at_ns);
        }
    }
}

/// See the module.
pub struct AlertManager {
    told: Told,
    /// What `told` means at `now_ns`, where that is more than it says.
    ahead: Option<Box<Told>>,
    live: IncidentBook,
    facts: Vec<Fact>,
    out: Vec<Notification>,
    now_ns: UnixNanos,
    /// The rules that every installation has: those of a file stand on top of them.
    standard: Vec<Rule>,
    /// The file that is in force.
    document: Option<RuleDocument>,
    /// Parts of the next one; `None` where the rules never change.
    parts: Option<Assembly>,
}

impl AlertManager {
    /// A manager that knows nothing yet.
    pub fn new(settings: &AlertSettings) -> Self {
        let rules: Arc<[_]> = settings.rules.as_slice().into();
        Self {
            told: Told {
                watch: Watch::new(&settings.watch),
                book: IncidentBook::new(Arc::clone(&rules), settings.timings, 1),
            },
            ahead: None,
            live: IncidentBook::new(rules, settings.timings, LIVE_FIRST),
            facts: Vec::new(),
            out: Vec::new(),
            now_ns: 0,
            standard: settings.rules.clone(),
            document: None,
            parts: Some(Assembly::of(documents::ALERT_RULES)),
        }
    }

    /// A manager whose rules are those of the settings whatever the journal says: to see what they would have made of it.
    pub fn with_rules_fixed(settings: &AlertSettings) -> Self {
        Self {
            parts: None,
            ..Self::new(settings)
        }
    }

    /// The file of own rules that is in force.
    pub fn document(&self) -> Option<&RuleDocument> {
        self.document.as_ref()
    }

    /// The rules in force, those that are switched off among them.
    pub fn rules(&self) -> &[Rule] {
        self.told.book.rules()
    }

    /// A part of a file of own rules. One that is not sound, or that this build cannot read, leaves the rules as they are.
    fn on_part(&mut self, part: &Blob, bytes: &[u8], at_ns: UnixNanos) {
        let Some(parts) = &mut self.parts else { return };
        if parts.take(part, bytes) != Part::Complete {
            return;
        }
        let Some(document) = RuleDocument::read(parts.bytes()) else {
            return;
        };
        let Ok(rules) = rules_with(&self.standard, &document.source) else {
            return;
        };
        self.told.book.set_rules(&rules, at_ns);
        self.live.set_rules(&rules, at_ns);
        self.document = Some(document);
    }

    /// Takes the next record of the journal.
    pub fn on_record(&mut self, event: &Event) {
        let at_ns = event.head.recv_ns;
        self.now_ns = self.now_ns.max(at_ns);
        if self.ahead.is_some() {
            self.ahead = None;
        }
        let told = &mut self.told;
        if told.next_due_ns() < at_ns {
            told.advance(at_ns - 1, &mut self.facts);
        }
        told.book.set_seq(event.head.seq);
        self.facts.clear();
        told.watch.on_record(event, &mut self.facts);
        if !self.facts.is_empty() {
            told.take(&self.facts, at_ns);
            // A person's word on an incident of live figures stands in the journal too; its number says which it is.
            for fact in self.facts.iter().filter(|fact| is_action(fact)) {
                self.live.on_fact(fact, at_ns);
            }
        }
        if event.kind() == Some(Kind::Blob) && !event.is_rejected() {
            self.on_part(event.body(), event.tail(), at_ns);
        }
        if !self.told.book.is_quiet() {
            self.out.append(&mut self.told.book.drain());
        }
    }

    /// Looks at the time: `now_ns` is an instant before which no further record can come.
    pub fn tick(&mut self, now_ns: UnixNanos) {
        self.now_ns = self.now_ns.max(now_ns);
        if self.ahead.is_none() && self.told.next_due_ns() <= now_ns {
            self.ahead = Some(Box::new(self.told.clone()));
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.advance(now_ns, &mut self.facts);
            self.out.append(&mut ahead.book.drain());
        }
        self.advance_live(now_ns);
    }

    /// Takes a live figure, which is no part of the journal. The scope says which queue or follower it is of.
    pub fn observe(&mut self, metric: Metric, scope: &str, value: i64, text: String, now_ns: UnixNanos) {
        self.advance_live(now_ns);
        let fact = Fact::Level {
            metric,
            subject: Subject::engine(scope),
            value,
            at_least: None,
            text,
        };
        self.live.on_fact(&fact, now_ns);
        self.out.append(&mut self.live.drain());
    }

    /// Takes something that happened outside the journal.
    pub fn happened(&mut self, metric: Metric, scope: &str, text: String, now_ns: UnixNanos) {
        self.advance_live(now_ns);
        let fact = Fact::Event {
            metric,
            subject: Subject::engine(scope),
            severity: None,
            text,
        };
        self.live.on_fact(&fact, now_ns);
        self.out.append(&mut self.live.drain());
    }

    fn advance_live(&mut self, now_ns: UnixNanos) {
        while self.live.next_due_ns() <= now_ns && self.live.next_due_ns() != UnixNanos::MAX {
            self.live.run_due();
        }
        self.out.append(&mut self.live.drain());
    }

    /// Notifications since the last call, in the order in which they were due. One may come twice, with the same id: foreseen
    /// by a tick, and again with the record after it.
    pub fn drain(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.out)
    }

    fn present(&self) -> &IncidentBook {
        self.ahead.as_ref().map_or(&self.told.book, |ahead| &ahead.book)
    }

    /// Incidents that are remembered, oldest first: those of the journal, then those of live figures.
    pub fn incidents(&self) -> Vec<IncidentRow> {
        let told = self.present().rows(self.now_ns);
        told.chain(self.live.rows(self.now_ns)).collect()
    }

    /// One of them.
    pub fn incident(&self, id: u64) -> Option<IncidentRow> {
        let book = if id >= LIVE_FIRST {
            &self.live
        } else {
            self.present()
        };
        book.row(id, self.now_ns)
    }

    /// How many are not resolved.
    pub fn open_count(&self) -> usize {
        self.present().open_count() + self.live.open_count()
    }

    /// How bad the worst of those is.
    pub fn worst(&self) -> Option<Severity> {
        self.present().worst().max(self.live.worst())
    }

    /// The latest instant that it knows of.
    pub fn now_ns(&self) -> UnixNanos {
        self.now_ns
    }

    /// True where the journal's part of both is the same.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.told == other.told
    }
}

fn is_action(fact: &Fact) -> bool {
    let number = match fact {
        Fact::Acknowledge { incident, .. } | Fact::Resolve { incident, .. } => *incident,
        _ => return false,
    };
    number >= LIVE_FIRST
}
