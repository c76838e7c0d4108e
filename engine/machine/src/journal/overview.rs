//! What there is of a journal, at one look: its segments, those that should be there and are not, and who writes it.
//!
//! Takes no lock and writes nothing, so it works beside a running writer.
//!
//! Not here: whether the records are good (`verify`).

use super::error::JournalError;
use super::folder::Folder;
use super::format::Position;
use super::lock::{Note, is_held};
use super::storage::ReadOnlyDisk;
use super::verify::{SegmentInfo, segments};
use std::ops::RangeInclusive;
use std::path::Path;

/// What there is of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The segments that are there, rising.
    pub segments: Vec<SegmentInfo>,
    /// Indexes of those that are not, rising: before the first, between two, and behind the last up to what must be on disk.
    pub missing: Vec<RangeInclusive<u64>>,
    /// Who writes it; `None` where nobody does.
    pub writer: Option<Writer>,
    /// On disk below, as the journal's folder says; `None` where it says nothing.
    pub durable: Option<Position>,
    /// True where the last run ended in good order.
    pub is_clean: bool,
    /// Number of the last run.
    pub epoch: u32,
}

/// A process that writes a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Its number, as it noted it; `None` where it has not yet.
    pub pid: Option<u32>,
}

/// Looks at the journal of a data folder.
pub fn overview(data_dir: &Path) -> Result<Overview, JournalError> {
    let folder = Folder::of(data_dir);
    // Asked first: a writer that comes or goes meanwhile only adds segments.
    let writer = is_held(&folder.lock()).then(|| Writer {
        pid: Note::read(&folder.lock()).map(|note| note.pid),
    });
    let slot = folder.read_slot(&ReadOnlyDisk)?;
    let segments = segments(data_dir)?;
    let durable = slot.map(|slot| Position(slot.position));
    let indexes: Vec<u64> = segments.iter().map(|segment| segment.index).collect();
    Ok(Overview {
        missing: missing(&indexes, durable.map_or(0, last_begun)),
        segments,
        writer,
        durable,
        is_clean: slot.is_some_and(|slot| slot.clean == 1),
        epoch: slot.map_or(0, |slot| slot.epoch),
    })
}

/// The last segment that has records below a position.
fn last_begun(position: Position) -> u64 {
    let index = position.segment();
    if position <= Position::start_of(index) {
        index.saturating_sub(1)
    } else {
        index
    }
}

/// What is left out of 1 to `last`, or to the last of `indexes`, which rise.
fn missing(indexes: &[u64], last: u64) -> Vec<RangeInclusive<u64>> {
    let mut expected = 1;
    let mut missing = Vec::new();
    for &index in indexes {
        if index > expected {
            missing.push(expected..=index - 1);
        }
        expected = index + 1;
    }
    if last >= expected {
        missing.push(expected..=last);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_in_ranges() {
        assert_eq!(missing(&[1, 2, 3], 3), []);
        assert_eq!(missing(&[1, 2, 3], 2), []);
        assert_eq!(missing(&[3, 4, 8], 9), [1..=2, 5..=7, 9..=9]);
        assert_eq!(missing(&[], 0), []);
        assert_eq!(missing(&[], 2), [1..=2]);
        assert_eq!(missing(&[u64::from(u32::MAX)], 0), [1..=u64::from(u32::MAX) - 1]);
    }

    #[test]
    fn a_segment_that_was_not_begun_need_not_be_there() {
        assert_eq!(last_begun(Position::start_of(4)), 3);
        assert_eq!(last_begun(Position::new(4, 8_192)), 4);
        assert_eq!(last_begun(Position::default()), 0);
    }
}
