//! Normalize: turns names into dense ids and decimals into fixed point, and decides reference data.
//!
//! Everything after it works with ids and integers at 1e-8. What it cannot resolve or scale it only notes: the stage that
//! decides the event refuses it. The names of such an event go into the tail, `symbol=ABC account=XYZ`, because the record
//! has no other place for them.
//!
//! # Invariants
//! - Ids depend on the admin events accepted so far and on nothing else, so that a replay gives the same ids.
//! - A limit's label gets its id as soon as its names resolve and the table has room, also where the limit check refuses
//!   the limit afterwards: ids stay dense, and `apply` sees the same id in the record of a refused limit.
//! - An id field that names nothing is `NONE`, never 0, whether normalize or a later stage is to fill it.
//! - A value that cannot be scaled stays as the source wrote it, with its own decimals.
//!
//! Not here: whether quantities, prices or the row of a limit make sense (`validate`, limit check).

mod reference;
mod resolve;
#[cfg(test)]
mod tests;

use crate::registry::Registry;
use tradewind_domain::event::{
    CalendarSet, Capacities, CurrencySet, EngineStarted, Event, InstrumentSet, Kind, LimitSet, NodeSet,
    SymbolChange,
};
use tradewind_domain::ids::LimitId;
use tradewind_machine::stage::Stage;

/// The normalize stage.
pub struct Normalize {
    registry: Registry,
    /// Journaled sizes: what the run may hold. The tables' own sizes are at least these.
    logical: Capacities,
}

impl Normalize {
    /// A stage with tables allocated for these capacities. They must be at least as large as every capacity in the journal
    /// that is applied to it; an `EngineStarted` sets the sizes that count for CAPACITY.
    pub fn new(capacities: &Capacities) -> Self {
        Self {
            registry: Registry::new(capacities),
            logical: *capacities,
        }
    }

    /// The names and rows as they stand.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}

impl Stage<Event> for Normalize {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn process(&mut self, event: &mut Event) {
        let Some(kind) = event.kind() else { return };
        match kind {
            Kind::InstrumentSet => reference::decide(event, |body| {
                reference::instrument(&self.registry, &self.logical, body)
            }),
            Kind::AccountSet => reference::decide(event, |body| {
                reference::account(&self.registry, &self.logical, body)
            }),
            Kind::NodeSet => {
                reference::decide(event, |body| reference::node(&self.registry, &self.logical, body))
            }
            Kind::CurrencySet => reference::decide(event, |body| reference::currency(&self.registry, body)),
            Kind::CalendarSet => reference::decide(event, |body: &mut CalendarSet| {
                reference::calendar(&self.registry, body)
            }),
            Kind::AccessSet => resolve::access(&self.registry, event),
            Kind::LotMethodSet => resolve::lot_method(&self.registry, event),
            Kind::SymbolChange => resolve::symbol_change(&self.registry, &self.logical, event),
            Kind::Allocation => resolve::allocation(&self.registry, event),
            Kind::LedgerTransfer => resolve::transfer(&self.registry, event),
            Kind::LimitSet => resolve::limit(&self.registry, self.logical.limits, event),
            Kind::EngineStarted => {}
            _ => return resolve::names(&self.registry, kind, event),
        }
        self.apply(event);
    }

    fn apply(&mut self, event: &Event) {
        let Some(kind) = event.kind() else { return };
        if kind == Kind::LimitSet {
            let set = event.body::<LimitSet>();
            if set.limit != LimitId::NONE {
                self.registry.put_limit(set.limit, set.label);
            }
            return;
        }
        if event.is_rejected() {
            return;
        }
        match kind {
            Kind::InstrumentSet => self.registry.put_instrument(&event.body::<InstrumentSet>().row),
            Kind::AccountSet | Kind::NodeSet => self.registry.put_node(event.body::<NodeSet>()),
            Kind::CurrencySet => self.registry.put_currency(event.body::<CurrencySet>()),
            Kind::SymbolChange => {
                let change = event.body::<SymbolChange>();
                self.registry.rename(change.instrument, change.symbol);
            }
            Kind::CalendarSet => {
                let set = event.body::<CalendarSet>();
                self.registry.put_calendar(set.calendar, set.code);
            }
            Kind::EngineStarted => self.logical = event.body::<EngineStarted>().capacities,
            _ => {}
        }
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(bytemuck::bytes_of(&[
            self.logical.instruments,
            self.logical.nodes,
            self.logical.limits,
        ]));
        self.registry.digest(sink);
    }
}
