//! Executed trades that could not be booked, busts and corrections that could not take effect: each is told at once, and again when
//! nobody has resolved it for too long.
//!
//! They leave quarantine by a person's word, or because the same one takes effect after all.

use crate::fact::{Fact, Metric, Subject};
use std::collections::{BTreeMap, HashMap};
use tradewind_domain::event::{Event, Execution, Kind, QuarantineResolve, TradeBust};
use tradewind_domain::ids::Seq;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ExecId;
use tradewind_domain::time::UnixNanos;
use tradewind_risk::limit_check::is_put_aside;

/// Trades that are watched at one time; more are told, but not how long they wait.
const WATCHED_MAX: usize = 65_536;

/// A trade, a bust or a correction: venue, the trade's identifier, and the kind where it is no trade.
type Key = (u16, ExecId, Option<Kind>);

fn key_of(event: &Event, kind: Kind) -> Key {
    if kind == Kind::TradeBust {
        let bust: &TradeBust = event.body();
        return (bust.venue.0, bust.exec_ref_id, Some(kind));
    }
    let body: &Execution = event.body();
    (
        body.venue.0,
        body.exec_id,
        Some(kind).filter(|kind| *kind == Kind::TradeCorrect),
    )
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    since_ns: UnixNanos,
    trade: Key,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quarantine {
    overdue_after_ns: u64,
    /// By sequence number, so oldest first.
    waiting: BTreeMap<Seq, Waiting>,
    by_trade: HashMap<Key, Seq>,
    /// How many of the oldest are overdue.
    overdue: usize,
    due_ns: UnixNanos,
}

impl Quarantine {
    pub(super) fn new(overdue_after_ns: u64) -> Self {
        Self {
            overdue_after_ns,
            waiting: BTreeMap::new(),
            by_trade: HashMap::new(),
            overdue: 0,
            due_ns: UnixNanos::MAX,
        }
    }

    pub(super) fn next_due_ns(&self) -> UnixNanos {
        self.due_ns
    }

    /// An execution, bust or correction that was refused. What waits for nobody is ignored by the engine, and here.
    pub(super) fn on_refused(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        let code = event.reject_code();
        if code.is_some_and(|code| !is_put_aside(kind, code)) {
            return;
        }
        let trade = key_of(event, kind);
        let reason = code.map_or("?", RejectCode::text);
        let metric = match code {
            Some(RejectCode::OrphanFill) => Metric::FillWithoutOrder,
            _ => Metric::Quarantined,
        };
        out.push(Fact::Event {
            metric,
            subject: Subject::engine(reason),
            severity: None,
            text: format!(
                "{kind} {} of venue {}, record {}: {reason}",
                trade.1, trade.0, event.head.seq
            ),
        });
        if self.waiting.len() < WATCHED_MAX && !self.by_trade.contains_key(&trade) {
            let since_ns = event.head.recv_ns;
            self.by_trade.insert(trade, event.head.seq);
            self.waiting.insert(event.head.seq, Waiting { since_ns, trade });
            self.schedule();
        }
    }

    /// An execution that was booked, a bust or correction that took effect.
    pub(super) fn on_booked(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        if self.by_trade.is_empty() {
            return;
        }
        if let Some(seq) = self.by_trade.get(&key_of(event, kind)).copied() {
            self.leave(seq, out);
        }
    }

    /// A person's word.
    pub(super) fn on_resolve(&mut self, body: &QuarantineResolve, out: &mut Vec<Fact>) {
        self.leave(body.trade_seq, out);
    }

    fn leave(&mut self, seq: Seq, out: &mut Vec<Fact>) {
        // The overdue ones are the oldest, so its place says whether it is one of them.
        let was_overdue =
            self.overdue > 0 && self.waiting.range(..seq).take(self.overdue).count() < self.overdue;
        let Some(waiting) = self.waiting.remove(&seq) else {
            return;
        };
        self.by_trade.remove(&waiting.trade);
        if was_overdue {
            self.overdue -= 1;
            self.tell(out);
        }
        self.schedule();
    }

    pub(super) fn run_due(&mut self, at_ns: UnixNanos, out: &mut Vec<Fact>) {
        if self.due_ns > at_ns {
            return;
        }
        let is_overdue = |waiting: &&Waiting| waiting.since_ns.saturating_add(self.overdue_after_ns) <= at_ns;
        self.overdue = self.waiting.values().take_while(is_overdue).count();
        self.schedule();
        self.tell(out);
    }

    /// When the oldest that is not overdue will be.
    fn schedule(&mut self) {
        let next = self.waiting.values().nth(self.overdue);
        self.due_ns = next.map_or(UnixNanos::MAX, |waiting| {
            waiting.since_ns.saturating_add(self.overdue_after_ns)
        });
    }

    fn tell(&self, out: &mut Vec<Fact>) {
        let oldest = self.waiting.first_key_value().map_or(0, |(seq, _)| *seq);
        out.push(Fact::Level {
            metric: Metric::QuarantineOverdue,
            subject: Subject::engine("quarantine"),
            value: self.overdue as i64,
            at_least: None,
            text: match self.overdue {
                0 => "no trade waits in quarantine for too long".into(),
                overdue => format!("{overdue} trades wait in quarantine, the oldest is record {oldest}"),
            },
        });
    }
}
