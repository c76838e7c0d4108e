//! The first pass over a journal: which limits and names there are, how long it is, which rules decided it.
//!
//! # Invariants
//! - What is kept grows with the reference data, not with the journal.

use std::collections::BTreeSet;
use tradewind_config::Known;
use tradewind_domain::event::{EngineStarted, Event, Kind, LimitSet};
use tradewind_domain::ids::{LimitId, Seq};
use tradewind_domain::text::Code;
use tradewind_domain::time::UnixNanos;
use tradewind_risk::RULES_VERSION;
use tradewind_views::{Reader, ViewError};

/// How far a journal is played; the end where nothing is said. Inputs are taken with all their effects or not at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Until {
    /// Up to this sequence number.
    pub seq: Option<Seq>,
    /// Up to this time, in nanoseconds.
    pub time_ns: Option<UnixNanos>,
}

impl Until {
    pub(crate) fn ends_before(&self, event: &Event) -> bool {
        let head = &event.head;
        self.seq.is_some_and(|seq| head.seq > seq) || self.time_ns.is_some_and(|ns| head.recv_ns > ns)
    }
}

/// What the first pass found.
#[derive(Default)]
pub(crate) struct Survey {
    /// Names and limits as they stand at the end.
    pub(crate) known: Known,
    /// Labels in the order of their ids, those of refused limits too.
    pub(crate) labels: Vec<Code>,
    /// Number and time of the first input, then of the last.
    pub(crate) first: (Seq, UnixNanos),
    pub(crate) last: (Seq, UnixNanos),
    pub(crate) records: u64,
    pub(crate) inputs: u64,
    /// Orders and replaces that were refused.
    pub(crate) refused_orders: u64,
    /// Versions of rules that decided, other than this build's.
    pub(crate) foreign_rules: BTreeSet<u32>,
}

impl Survey {
    pub(crate) fn of(reader: &mut Reader, until: Until) -> Result<Self, ViewError> {
        let mut survey = Self::default();
        let mut event = Event::empty();
        while reader.next_into(&mut event)?.is_some() && !until.ends_before(&event) {
            survey.see(&event);
        }
        Ok(survey)
    }

    fn see(&mut self, event: &Event) {
        let head = &event.head;
        if self.records == 0 {
            self.first = (head.seq, head.recv_ns);
        }
        self.last = (head.seq, head.recv_ns);
        self.records += 1;
        self.inputs += u64::from(head.part == 0);
        match event.kind() {
            Some(Kind::LimitSet) => {
                self.label(event.body());
                self.known.observe(event);
            }
            Some(Kind::EngineStarted) => {
                let version = event.body::<EngineStarted>().rules_version;
                if version != RULES_VERSION {
                    self.foreign_rules.insert(version);
                }
            }
            Some(kind) if kind.is_new_order() => self.refused_orders += u64::from(event.is_rejected()),
            Some(kind) if names_something(kind) => self.known.observe(event),
            _ => {}
        }
    }

    /// Ids are dense, and a label keeps its id.
    fn label(&mut self, set: &LimitSet) {
        if set.limit.index() == self.labels.len() && set.limit != LimitId::NONE {
            self.labels.push(set.label);
        }
    }
}

/// Kinds that make nodes, accounts and instruments, which limits name.
pub(crate) fn names_something(kind: Kind) -> bool {
    matches!(kind, Kind::NodeSet | Kind::AccountSet | Kind::InstrumentSet)
}
