//! Windows that lie in a memory file system, seen from outside: whose they are, and whether somebody still writes them.
//!
//! A process that is killed leaves its window behind. The next start of its journal takes in what is not on disk yet and removes the
//! window; where no start ever comes, it takes memory until the machine restarts.
//!
//! # Invariants
//! - A window with a living writer is never called left behind: its owner file is locked before it has its name and as long as the writer
//!   lives, whatever process number that has here. It is the first file of a window and the last one to go; a folder without it, and without
//!   a control page, is none yet or none any more.
//! - Looking writes nothing and removes nothing: what a window holds may be nowhere else.

use super::error::{IoContext, JournalError};
use super::lock::is_locked;
use super::window::{ControlMap, WINDOW_PREFIX};
use std::fs::{DirEntry, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a block, as the system counts them.
const BLOCK: u64 = 512;
/// File of a window that says whose it is.
pub(super) const OWNER: &str = "owner";

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

/// Says in a new window whose it is. The file is locked until it is closed, and gets its name when it is locked and complete.
pub(super) fn own(window_dir: &Path, journal: &Path) -> Result<File, JournalError> {
    let (unfinished, path) = (window_dir.join("owner.tmp"), window_dir.join(OWNER));
    let journal = std::fs::canonicalize(journal).context("look at", journal)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .context("create", &unfinished)?;
    file.lock().context("lock", &unfinished)?;
    file.write_all(journal.as_os_str().as_bytes())
        .context("write", &unfinished)?;
    std::fs::rename(&unfinished, &path).context("rename", &unfinished)?;
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

/// `None` where it is not complete yet, goes away meanwhile, is of another user, or is no folder.
fn window(entry: &DirEntry) -> Option<WindowInfo> {
    let path = entry.path();
    // Before anything else: a window that ends is looked at as a whole, or not at all.
    let owner = Owner::of(&path);
    let control = ControlMap::of_any(&path);
    if owner.is_none() && control.is_none() {
        return None;
    }
    let files = std::fs::read_dir(&path).ok()?.filter_map(Result::ok);
    let blocks: u64 = files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.blocks())
        .sum();
    let control = control.filter(|control| !control.is_closed());
    // A window of an earlier build has no owner file: then a process of the writer's number is taken for the writer.
    let may_live = |control: &ControlMap| Path::new("/proc").join(control.pid.to_string()).exists();
    let has_writer = match &owner {
        Some(owner) => owner.lives,
        None => control.as_ref().is_some_and(may_live),
    };
    Some(WindowInfo {
        bytes: blocks.saturating_mul(BLOCK),
        journal: owner.and_then(|owner| owner.journal),
        has_writer,
        holds_records: control
            .is_some_and(|control| control.committed.position() > control.durable.position()),
        path,
    })
}

/// What a window's owner file says, all of it read from one file.
struct Owner {
    journal: Option<PathBuf>,
    /// True while the writer holds the lock.
    lives: bool,
}

impl Owner {
    fn of(window: &Path) -> Option<Self> {
        let mut file = File::open(window.join(OWNER)).ok()?;
        let mut name = Vec::new();
        let read = file.read_to_end(&mut name);
        let journal =
            (read.is_ok() && !name.is_empty()).then(|| PathBuf::from(std::ffi::OsString::from_vec(name)));
        Some(Self {
            journal,
            lives: is_locked(&file),
        })
    }
}
