//! The lock that makes one process the writer of a journal. The file also says, as text, who that is and where its window
//! lies, so that followers in other processes find it.

use super::error::{IoContext, JournalError};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often, and how far apart, a busy lock is tried: a follower that looks whether a writer lives holds it for a moment.
const TRIES: u32 = 20;
const TRY_EVERY: Duration = Duration::from_millis(5);

/// The held lock; dropped, it is free.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::PermissionDenied => JournalError::ReadOnly {
                    path: path.parent().unwrap_or(path).to_path_buf(),
                    source,
                },
                _ => JournalError::io("open", path, source),
            })?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        file,
                        path: path.to_path_buf(),
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(TRY_EVERY),
                Err(TryLockError::Error(source)) => return Err(JournalError::io("lock", path, source)),
            }
        }
        let holder = Note::read(path).map_or("another process".to_owned(), |note| {
            format!("process {}", note.pid)
        });
        Err(JournalError::Locked {
            path: path.parent().unwrap_or(path).to_path_buf(),
            holder,
        })
    }

    /// Writes who holds it, and where the window lies.
    pub(super) fn note(&self, window: Option<&Path>) -> Result<(), JournalError> {
        let mut text = format!("pid {}\n", std::process::id());
        if let Some(window) = window {
            text.push_str(&format!("window {}\n", window.display()));
        }
        self.file.set_len(0).context("write", &self.path)?;
        self.file
            .write_all_at(text.as_bytes(), 0)
            .context("write", &self.path)
    }
}

/// What the lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) pid: u32,
    pub(super) window: Option<PathBuf>,
}

impl Note {
    /// Reads it; `None` where the file is not there or says nothing.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        };
        Some(Self {
            pid: field("pid")?.parse().ok()?,
            window: field("window").map(PathBuf::from),
        })
    }
}

/// True where a process holds the lock of the file at a path.
pub(super) fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| is_locked(&file))
}

/// True where a process holds the lock of an open file.
pub(super) fn is_locked(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
