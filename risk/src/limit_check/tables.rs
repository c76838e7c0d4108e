//! How full the tables are that refuse with CAPACITY: for listings, and as a gauge that a status line reads while the stage runs.
//!
//! # Invariants
//! - A table's share is that of the figure which makes it refuse, against the capacity that the run recorded.
//! - The gauge is written by the stage alone, now and then, and decides nothing.

use super::book::Book;
use std::sync::atomic::{AtomicU32, Ordering};
use tradewind_domain::event::{Capacities, Event, InstrumentSet, Kind, LimitSet, NodeSet, SessionEvent};

/// Tables with a configured capacity, named as the settings `capacity.*` are.
pub const TABLES: [&str; 14] = [
    "open_orders",
    "cl_ord_ids",
    "exec_ids",
    "node_instruments",
    "holdings",
    "wallets",
    "limits",
    "nodes",
    "instruments",
    "sessions",
    "quarantine",
    "limit_stamps",
    "restricted",
    "unsettled",
];

/// From this share on a table is worth a warning, in percent (LIMITS section 14).
pub const ALERT_PCT: u32 = 90;

/// Shares of [`TABLES`] in percent, for readers on other threads.
#[derive(Debug, Default)]
pub struct TableGauge([AtomicU32; TABLES.len()]);

impl TableGauge {
    pub(super) fn set(&self, shares: [(&'static str, u32); TABLES.len()]) {
        for (cell, (_, share)) in self.0.iter().zip(shares) {
            cell.store(share, Ordering::Relaxed);
        }
    }

    /// Tables at [`ALERT_PCT`] and above, with their shares.
    pub fn alerts(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        let shares = self.0.iter().map(|share| share.load(Ordering::Relaxed));
        TABLES
            .into_iter()
            .zip(shares)
            .filter(|&(_, share)| share >= ALERT_PCT)
    }
}

/// Rows of reference data that have been set: ids are dense, so the highest says how many.
#[derive(Clone, Copy, Default)]
pub(super) struct Rows {
    limits: u32,
    nodes: u32,
    instruments: u32,
    sessions: u32,
}

impl Rows {
    /// Takes an accepted event.
    pub(super) fn see(&mut self, event: &Event, kind: Kind) {
        let (rows, id) = match kind {
            Kind::LimitSet => (&mut self.limits, event.body::<LimitSet>().limit.0),
            Kind::AccountSet | Kind::NodeSet => (&mut self.nodes, event.body::<NodeSet>().node.0),
            Kind::InstrumentSet => (&mut self.instruments, event.body::<InstrumentSet>().row.id.0),
            Kind::SessionConnected => (&mut self.sessions, event.body::<SessionEvent>().session.0),
            _ => return,
        };
        // The highest number of an id says that there is none.
        *rows = (*rows).max(id.wrapping_add(1));
    }
}

impl Book {
    /// Share of each table that is used, in percent.
    pub(super) fn used_pct(&self) -> [(&'static str, u32); TABLES.len()] {
        let room: &Capacities = &self.capacities;
        let rows = &self.rows;
        let shares = [
            self.orders.used_pct(),
            self.cl_ord_ids.used_pct(),
            self.exec_ids.used_pct(),
            percent(self.hierarchy.pairs().len() as u32, room.node_instruments),
            percent(self.holdings_used, room.holdings),
            percent(self.wallets.rows().len() as u32, room.wallets),
            percent(rows.limits, room.limits),
            percent(rows.nodes, room.nodes),
            percent(rows.instruments, room.instruments),
            percent(rows.sessions, room.sessions),
            percent(self.quarantine.used(), room.quarantine),
            self.stamps.used_pct(),
            self.restricted.used_pct(),
            percent(self.dated.used(), room.unsettled),
        ];
        std::array::from_fn(|at| (TABLES[at], shares[at]))
    }
}

fn percent(used: u32, capacity: u32) -> u32 {
    (u64::from(used) * 100 / u64::from(capacity.max(1))) as u32
}
