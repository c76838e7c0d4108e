//! The life of an order that the replica knows, without reading the journal from its start: where its records stand, and how each left
//! the order.
//!
//! # Invariants
//! - What is told here is what [`explain`](crate::explain) tells of the same journal. What cannot be told so is not told here: an order
//!   that is forgotten, one with very many events, one whose events name rules or limits that have changed since.
//! - As many records are read as the order has events.

use super::Live;
use super::held::Held;
use crate::explain::{LimitTerms, OrderLife, PositionAfter, Shot, Teller, holding_of};
use crate::hits::hit_count;
use crate::query::current::LiveError;
use std::path::Path;
use tradewind_books::position::PositionRow;
use tradewind_domain::event::{Event, Kind};
use tradewind_domain::ids::{LimitId, OrderId, Seq};
use tradewind_machine::journal::{Follower, JournalError, Position, StartAt};
use tradewind_risk::orders::table::OrderRow;

/// Events of one order that are kept.
const STEPS_MAX: usize = 1_000;

/// An event of an order: where its record begins, and what it left.
#[derive(Clone, Copy, Debug)]
struct Step {
    place: Position,
    after: Shot,
    position: Option<PositionRow>,
}

/// The events of an order so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    steps: Vec<Step>,
    /// True where some are missing.
    is_cut: bool,
}

impl Steps {
    fn push(&mut self, step: Step) {
        match self.steps.len() < STEPS_MAX {
            true => self.steps.push(step),
            false => self.is_cut = true,
        }
    }
}

/// When what records name by number changed last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Renamed {
    rules: Seq,
    limits: Seq,
}

impl Renamed {
    /// Takes an accepted event.
    pub(super) fn observe(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::Blob) => self.rules = event.head.seq,
            Some(Kind::LimitSet) => self.limits = event.head.seq,
            _ => {}
        }
    }

    /// True where the event's numbers still mean what they meant.
    fn is_clear(self, event: &Event) -> bool {
        let (head, has_hits) = (&event.head, hit_count(event) > 0);
        let has_rules = head.rule != 0 || head.rule_alert != 0;
        !(has_rules && head.seq < self.rules || has_hits && head.seq < self.limits)
    }
}

impl Held {
    /// Notes an event of an order that is known, taken or refused. `before` is the order's row before it.
    pub(super) fn on_step(&mut self, event: &Event, order: OrderId, before: &OrderRow) {
        let Some(steps) = self.orders.steps_mut(order) else {
            return;
        };
        let Some(row) = self.replica.limit_check().order(order) else {
            return;
        };
        let position = self.replica.positions().position(holding_of(event, before));
        steps.push(Step {
            place: self.record_at,
            after: Shot::of(row),
            position: position.copied(),
        });
    }

    /// Tells the events; none where one names what has changed since.
    fn told(&self, events: &[Read]) -> Option<OrderLife> {
        let check = self.replica.limit_check();
        let limits = |limit: LimitId| {
            let mut limits = check.limits();
            let found = limits.find(|used| used.id == limit)?;
            Some(LimitTerms {
                limit_type: found.row.limit_type,
                params: found.row.all_params(),
                node: found.row.node,
            })
        };
        let teller = Teller {
            registry: self.replica.registry(),
            rules: self.replica.rules(),
            limits: &limits,
            is_wall_time: self.is_wall_time(),
        };
        let first = events
            .first()
            .filter(|first| first.event.kind() == Some(Kind::OrderNew))?;
        let mut life = teller.begin(first.event.body());
        let mut before = Shot::default();
        for read in events {
            if !self.renamed.is_clear(&read.event) {
                return None;
            }
            let after = read.after.unwrap_or(before);
            let position = read.position.as_ref().map(PositionAfter::of);
            teller.add(&mut life, &read.event, (before, after), position);
            before = after;
        }
        Some(life)
    }
}

/// A record of the life; one that stops orders and does not name this one leaves it as it is.
struct Read {
    event: Box<Event>,
    after: Option<Shot>,
    position: Option<PositionRow>,
}

impl Live {
    /// The life of an order from the records that are its own; none where the journal has to be read from its start.
    pub fn life(&self, order: OrderId) -> Result<Option<OrderLife>, LiveError> {
        let steps = self.read_now(|held| held.orders.steps(order).cloned())?;
        let Some(steps) = steps.filter(|steps| !steps.is_cut) else {
            return Ok(None);
        };
        let events = read(&self.data_dir, &steps.steps)
            .map_err(|error| LiveError::Failed(format!("the journal cannot be read: {error}")))?;
        Ok(events.and_then(|events| self.look(|held| held.told(&events))))
    }
}

/// The records of the steps, and those of their groups that stopped the order without naming it. None where one is not what it was.
fn read(data_dir: &Path, steps: &[Step]) -> Result<Option<Vec<Read>>, JournalError> {
    let mut events: Vec<Read> = Vec::with_capacity(steps.len());
    for step in steps {
        let Some(event) = record(data_dir, StartAt::Position(step.place))? else {
            return Ok(None);
        };
        let (seq, part) = (event.head.seq, event.head.part);
        let is_first_of_group = events.last().is_none_or(|last| last.event.head.seq != seq);
        if part > 0 && is_first_of_group && event.kind() == Some(Kind::CancelRequested) {
            let Some(head) = record(data_dir, StartAt::Seq(seq))? else {
                return Ok(None);
            };
            if is_stop(&head) {
                events.push(Read {
                    event: head,
                    after: None,
                    position: step.position,
                });
            }
        }
        events.push(Read {
            event,
            after: Some(step.after),
            position: step.position,
        });
    }
    Ok(Some(events))
}

fn record(data_dir: &Path, at: StartAt) -> Result<Option<Box<Event>>, JournalError> {
    let mut follower = Follower::open(data_dir, at)?;
    let mut event = Box::new(Event::empty());
    let record = follower.poll()?;
    let is_read = record.is_some_and(|record| event.read_record(record.bytes()).is_some());
    Ok(is_read.then_some(event))
}

/// True for an accepted request that stops all orders of a scope.
fn is_stop(event: &Event) -> bool {
    matches!(event.kind(), Some(Kind::MassCancel | Kind::Kill)) && !event.is_rejected()
}
