//! Windows that lie in a memory file system, seen from outside: whose they are, and whether somebody still writes them.
//!
//! A process that is killed leaves its window behind. The next start of its journal takes in what is not on disk yet and removes the
//! window; where no start ever comes, it takes memory until the machine restarts.
//!
//! # Invariants
//! - A window with a living writer is never called left behind: its owner file is locked as long as the writer lives, whatever process
//!   number that has here.
//! - Looking writes nothing and removes nothing: what a window holds may be nowhere else.

use super::error::{IoContext, JournalError};
use super::lock::is_held;
use super::window::{ControlMap, WINDOW_PREFIX};
use std::fs::{DirEntry, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a block, as the system counts them.
const BLOCK: u64 = 512;
/// File of a window that says whose it is.
const OWNER: &str = "owner";

/// A window of this or another journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowInfo {
    /// Its folder.
    pub path: PathBuf,
    /// Bytes of memory that it takes.
    pub bytes: u64,
    /// Folder of its journal, as its writer named it; `None` where the window does not say.
    pub journal: Option<PathBuf>,
    /// True while its writer lives.
    pub has_writer: bool,
    /// True where it holds records that are not on disk.
    pub holds_records: bool,
}

/// Says in a new window whose it is. The file is locked until it is closed.
pub(super) fn own(window_dir: &Path, journal: &Path) -> Result<File, JournalError> {
    let path = window_dir.join(OWNER);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .context("create", &path)?;
    file.lock().context("lock", &path)?;
    let journal = std::fs::canonicalize(journal).context("look at", journal)?;
    file.write_all(journal.as_os_str().as_bytes())
        .context("write", &path)?;
    Ok(file)
}

/// The windows of a window folder that this process may look into, by name.
pub fn windows(window_dir: &Path) -> io::Result<Vec<WindowInfo>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(window_dir)? {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(WINDOW_PREFIX.as_bytes()) {
            found.extend(window(&entry));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Bytes of the windows that dead writers of this journal have left in a window folder: a start gives them back.
pub fn bytes_left_behind(window_dir: &Path, data_dir: &Path) -> u64 {
    let Ok(journal) = std::fs::canonicalize(super::folder::Folder::of(data_dir).path()) else {
        return 0;
    };
    let is_ours = |window: &&WindowInfo| !window.has_writer && window.journal.as_ref() == Some(&journal);
    let windows = windows(window_dir).unwrap_or_default();
    windows.iter().filter(is_ours).map(|window| window.bytes).sum()
}

/// `None` where it goes away meanwhile, is of another user, or is no folder.
fn window(entry: &DirEntry) -> Option<WindowInfo> {
    let path = entry.path();
    let files = std::fs::read_dir(&path).ok()?.filter_map(Result::ok);
    let blocks: u64 = files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.blocks())
        .sum();
    let owner = path.join(OWNER);
    let journal = std::fs::read(&owner).ok().filter(|name| !name.is_empty());
    let control = ControlMap::of_any(&path).filter(|control| !control.is_closed());
    // A window of an earlier build has no owner file: then a process of the writer's number is taken for the writer.
    let may_live = |control: &ControlMap| Path::new("/proc").join(control.pid.to_string()).exists();
    let has_writer = match owner.exists() {
        true => is_held(&owner),
        false => control.as_ref().is_some_and(may_live),
    };
    Some(WindowInfo {
        bytes: blocks.saturating_mul(BLOCK),
        journal: journal.map(|name| PathBuf::from(std::ffi::OsString::from_vec(name))),
        has_writer,
        holds_records: control
            .is_some_and(|control| control.committed.position() > control.durable.position()),
        path,
    })
}
