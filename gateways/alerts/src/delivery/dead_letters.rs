//! What could not be delivered, kept for people: one JSON object a line, in a file that is turned over once when it is large.

use crate::notification::Notification;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Name of the file in the alerts' folder; the one before it has `.1` behind its name.
pub const DEAD_LETTERS_FILE: &str = "dead-letters.jsonl";
/// Bytes after which it is turned over.
pub const DEAD_LETTER_BYTES_MAX: u64 = 4 << 20;

#[derive(Serialize)]
struct Line<'a> {
    channel: &'a str,
    why: &'a str,
    notification: &'a Notification,
}

/// The file.
pub(super) struct DeadLetters {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl DeadLetters {
    pub(super) fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        let path = folder.join(DEAD_LETTERS_FILE);
        let file = append_to(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            bytes,
            bytes_max,
        })
    }

    pub(super) fn put(&mut self, channel: &str, notification: &Notification, why: &str) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line {
            channel,
            why,
            notification,
        })?;
        line.push(b'\n');
        if self.bytes + line.len() as u64 > self.bytes_max && self.bytes > 0 {
            self.turn_over()?;
        }
        self.file.write_all(&line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn turn_over(&mut self) -> io::Result<()> {
        let mut older = self.path.clone().into_os_string();
        older.push(".1");
        std::fs::rename(&self.path, older)?;
        self.file = append_to(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notification;

    #[test]
    fn it_is_turned_over_and_never_larger_than_twice_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let mut letters = DeadLetters::open(folder.path(), 2_000).unwrap();
        for number in 0..50 {
            letters
                .put("webhook", &notification(&number.to_string()), "down")
                .unwrap();
        }
        let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(size(DEAD_LETTERS_FILE) <= 2_000);
        assert!(size("dead-letters.jsonl.1") <= 2_000);
        let text = std::fs::read_to_string(folder.path().join(DEAD_LETTERS_FILE)).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["notification"]["id"], "49");
        assert_eq!(last["channel"], "webhook");
    }
}
