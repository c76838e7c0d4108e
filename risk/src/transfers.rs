//! Transfers of the firm that are pending, and the newest that were resolved.
//!
//! # Invariants
//! - A pending transfer resolves once: posted, in full or in part, or voided.
//! - It stays until it is resolved; what was resolved is forgotten, the oldest first, when its place is needed.
//!
//! Not here: balances. The firm's accounts have no floor, so nothing of them decides (SETTLEMENT section 1).

use crate::orders::keys::Key;
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::event::TransferFacts;
use tradewind_domain::fixed::Money;

/// Transfers that are remembered.
const TRANSFERS_MAX: usize = 1_024;

/// What has become of a pending transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum PendingState {
    /// It holds its amount.
    Pending = 0,
    /// It was posted.
    Posted = 1,
    /// It was voided.
    Voided = 2,
}

/// A transfer that was pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct PendingRow {
    /// Amount and accounts.
    pub facts: TransferFacts,
    key: [u64; 2],
    /// [`PendingState`].
    state: u64,
    #[doc(hidden)]
    pub reserved: u64,
}

impl PendingRow {
    /// What has become of it.
    pub fn state(&self) -> PendingState {
        match self.state {
            0 => PendingState::Pending,
            1 => PendingState::Posted,
            _ => PendingState::Voided,
        }
    }

    /// What it holds, or held.
    pub fn amount(&self) -> Money {
        self.facts.amount
    }
}

/// Transfers by their key.
pub struct Transfers {
    rows: Vec<PendingRow>,
}

impl Transfers {
    /// None, with all memory allocated.
    pub fn new() -> Self {
        Self {
            rows: Vec::with_capacity(TRANSFERS_MAX),
        }
    }

    /// The transfer of a key.
    pub fn find(&self, key: Key) -> Option<&PendingRow> {
        // The newest counts: an identifier may be used again, long after.
        self.rows.iter().rev().find(|row| row.key == [key.0, key.1])
    }

    /// True where another pending one finds a place.
    pub fn has_room(&self) -> bool {
        self.rows.len() < TRANSFERS_MAX || self.oldest_resolved().is_some()
    }

    fn oldest_resolved(&self) -> Option<usize> {
        self.rows
            .iter()
            .position(|row| row.state() != PendingState::Pending)
    }

    /// Takes a pending transfer. False where there is no place for it.
    pub fn hold(&mut self, key: Key, facts: &TransferFacts) -> bool {
        if self.rows.len() == TRANSFERS_MAX {
            let Some(oldest) = self.oldest_resolved() else {
                return false;
            };
            self.rows.remove(oldest);
        }
        self.rows.push(PendingRow {
            facts: *facts,
            key: [key.0, key.1],
            ..PendingRow::zeroed()
        });
        true
    }

    /// A pending transfer is resolved. False where there is none.
    pub fn resolve(&mut self, key: Key, state: PendingState) -> bool {
        let is_it = |row: &&mut PendingRow| row.key == [key.0, key.1] && row.state() == PendingState::Pending;
        let Some(row) = self.rows.iter_mut().rev().find(is_it) else {
            return false;
        };
        row.state = state as u64;
        true
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        self.rows.iter().for_each(|row| sink(bytes_of(row)));
    }
}

impl Default for Transfers {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_transfer_resolves_once_and_only_resolved_ones_give_way() {
        let mut transfers = Transfers::new();
        let facts = TransferFacts::default();
        let key = |id: u64| Key(id, id);
        for id in 0..TRANSFERS_MAX as u64 {
            assert!(transfers.has_room() && transfers.hold(key(id), &facts));
        }
        assert!(!transfers.has_room() && !transfers.hold(key(9_999), &facts));
        assert!(transfers.resolve(key(5), PendingState::Posted));
        assert!(!transfers.resolve(key(5), PendingState::Voided));
        assert!(!transfers.resolve(key(9_999), PendingState::Voided));
        assert_eq!(
            transfers.find(key(5)).map(PendingRow::state),
            Some(PendingState::Posted)
        );
        assert!(transfers.has_room() && transfers.hold(key(9_999), &facts));
        assert!(transfers.find(key(5)).is_none() && transfers.find(key(0)).is_some());
    }
}
