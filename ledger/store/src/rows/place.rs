//! The one row that says where the database stands.

use crate::position::{Place, Saved};
use crate::table::table;

/// The one row that says where the database stands.
pub(crate) struct PlaceRow<'a> {
    pub(crate) id: [u8; 16],
    pub(crate) place: Place,
    pub(crate) saved: &'a Saved,
}

impl<'a> PlaceRow<'a> {
    /// The row; none before anything was written.
    pub(crate) fn of(saved: &'a Saved) -> Option<Self> {
        let (id, place) = saved.journal_id.zip(saved.place)?;
        Some(Self { id, place, saved })
    }
}

table! {
    /// How far the database is.
    PLACE = "store_place", key [one], of |row: PlaceRow<'_>| {
        one: int2 = 1;
        journal_id: bytes [Set] = &row.id;
        next: int8 [Set] = row.place.next.0 as i64;
        last: int8 [Set] = row.place.last.0 as i64;
        crc: int8 [Set] = row.place.crc.into();
        seq: int8 [Set] = row.place.seq as i64;
        part: int8 [Set] = row.place.part.into();
        recv: time [Set] = row.place.recv_ns;
        epoch: int8 [Set] = row.place.epoch.into();
        chain: bytes [Set] = &row.saved.chain;
        chain_segment: int8 [Set] = row.saved.chain_segment as i64;
    }
}
