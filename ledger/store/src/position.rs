//! How far a store is in its journal, and how it knows that it is still the same journal.

use tradewind_machine::journal::Position;

/// How far a store is. Stands in the database, written in the transaction of the rows that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the journal goes on.
    pub next: Position,
    /// Where the last record begins that is in the store.
    pub last: Position,
    /// Checksum of that record: it covers the journal's id, the record's place and all that it says.
    pub crc: u32,
    /// Its number.
    pub seq: u64,
    /// Its part.
    pub part: u32,
    /// When its input was taken, in nanoseconds.
    pub recv_ns: u64,
    /// Run in which it was written.
    pub epoch: u32,
}

/// What a database says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The journal that it belongs to; none where nothing was written yet.
    pub journal_id: Option<[u8; 16]>,
    /// How far it is; none at the very beginning.
    pub place: Option<Place>,
    /// Chain hash of the last sealed segment behind it; zeros where there was none.
    pub chain: [u8; 32],
    /// That segment; 0 where there was none.
    pub chain_segment: u64,
}
