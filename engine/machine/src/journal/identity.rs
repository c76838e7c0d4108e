//! What names a journal, and whether it has a writer, seen from outside.
//!
//! Every segment carries the id and the hash key of its journal, so the newest one is asked: retention never takes it away.
//! Takes no lock and writes nothing, so it works beside a running writer.

use super::config::Identity;
use super::error::JournalError;
use super::folder::Folder;
use super::lock::is_held;
use super::storage::ReadOnlyDisk;
use std::path::Path;

/// True while a process writes the journal of a data folder.
pub fn has_writer(data_dir: &Path) -> bool {
    is_held(&Folder::of(data_dir).lock())
}

/// The identity of the journal in a data folder: what a reader needs to build the engine's state from the records alone.
pub fn identity(data_dir: &Path) -> Result<Identity, JournalError> {
    let folder = Folder::of(data_dir);
    let Some(newest) = folder.segments(&ReadOnlyDisk)?.last().copied() else {
        return Err(JournalError::NoJournal {
            path: folder.path().into(),
        });
    };
    let (_, header) = folder.open_segment(&ReadOnlyDisk, newest)?;
    Ok(Identity {
        id: header.journal_id,
        hash_key: header.hash_key,
    })
}
