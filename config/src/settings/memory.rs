//! What the settings cost in memory, so that `config show` and `doctor` can say it before the engine allocates it.

use super::Settings;
use tradewind_domain::event::{Event, Inbound};

/// Bytes of a row with its share of the index: estimates rounded up, not measurements.
mod row_bytes {
    pub(super) const INSTRUMENT: u64 = 512; // the row in three stages, best bid and offer in two, its units, and the symbol's index
    pub(super) const NODE: u64 = 1_296; // 320 bytes in the limit check and 192 of ceilings, what settle holds, the name in three stages, and the code's index
    pub(super) const ORDER: u64 = 640; // 384 bytes, its places among resting orders, and the id's index
    pub(super) const NODE_INSTRUMENT: u64 = 560; // 256 bytes and as many gathered, and both indexes
    pub(super) const HOLDING: u64 = 320; // quantities, cost and P&L in settle and position, what was located, and the index
    pub(super) const WALLET: u64 = 256; // balances, the cash line, and the index
    pub(super) const LIMIT: u64 = 384; // 128 bytes, its terms in one list or two, its label, and the label's index
    pub(super) const KEY: u64 = 104; // 32 bytes, two and a quarter a key, and the index
    pub(super) const SESSION: u64 = 128;
    pub(super) const STAMP: u64 = 8;
    pub(super) const RESTRICTED: u64 = 24; // 12 bytes and the index
    pub(super) const REPEAT: u64 = 144; // 128 bytes and the index
    pub(super) const EXECUTION: u64 = 288; // the row and the index
    pub(super) const QUARANTINE: u64 = 416; // the row and the index
    pub(super) const UNSETTLED: u64 = 128; // 112 bytes and the index
    pub(super) const LOT: u64 = 64;
}

impl Settings {
    /// Estimated bytes of memory in all.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_estimate()
            .iter()
            .fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// Estimated bytes of memory by part, largest first, and the journal's window in shared memory with them.
    pub fn memory_estimate(&self) -> Vec<(&'static str, u64)> {
        let (engine, capacity, sources) = (&self.engine, &self.capacity, &self.sources);
        let times = |count: u32, bytes: u64| u64::from(count).saturating_mul(bytes);
        let event = size_of::<Event>() as u64;
        let inbound = size_of::<Inbound>() as u64;
        let fast_slots = [sources.order_slots, sources.market_slots, sources.priority_slots];
        let mut parts = vec![
            ("journal window", self.journal.window_bytes),
            (
                "slab",
                times(engine.slab_slots, event).saturating_add(times(engine.effect_slots, event)),
            ),
            (
                "source rings",
                fast_slots.iter().map(|slots| times(*slots, inbound)).sum::<u64>()
                    + times(sources.admin_slots, event),
            ),
            ("instruments", times(capacity.instruments, row_bytes::INSTRUMENT)),
            ("nodes", times(capacity.nodes, row_bytes::NODE)),
            (
                "orders",
                times(capacity.open_orders, row_bytes::ORDER)
                    + times(capacity.closed_orders, row_bytes::ORDER),
            ),
            (
                "node instruments",
                times(capacity.node_instruments, row_bytes::NODE_INSTRUMENT),
            ),
            ("holdings", times(capacity.holdings, row_bytes::HOLDING)),
            ("wallets", times(capacity.wallets, row_bytes::WALLET)),
            ("limits", times(capacity.limits, row_bytes::LIMIT)),
            (
                "ClOrdIDs and ExecIDs",
                times(capacity.cl_ord_ids, row_bytes::KEY) + times(capacity.exec_ids, row_bytes::KEY),
            ),
            ("sessions", times(capacity.sessions, row_bytes::SESSION)),
            (
                "windows of limits",
                times(capacity.limit_stamps, row_bytes::STAMP) + times(capacity.repeats, row_bytes::REPEAT),
            ),
            (
                "restricted lists",
                times(capacity.restricted, row_bytes::RESTRICTED),
            ),
            ("executions", times(capacity.executions, row_bytes::EXECUTION)),
            ("quarantine", times(capacity.quarantine, row_bytes::QUARANTINE)),
            (
                "unsettled trades",
                times(capacity.unsettled, row_bytes::UNSETTLED),
            ),
            ("tax lots", times(capacity.lots, row_bytes::LOT)),
        ];
        let tables = tables_bytes(&parts);
        if self.control.socket || !self.http.listen.is_empty() {
            parts.push(("the replica for listings", tables));
        }
        if self.audit.shadow {
            parts.push(("the auditor's copies", tables.saturating_mul(2)));
        }
        parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        parts
    }
}

/// Bytes of the tables that stages hold, and a replica as well.
fn tables_bytes(parts: &[(&'static str, u64)]) -> u64 {
    const OTHERS: [&str; 3] = ["journal window", "slab", "source rings"];
    let tables = parts.iter().filter(|(name, _)| !OTHERS.contains(name));
    tables.fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
}
