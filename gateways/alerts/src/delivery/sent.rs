//! Which notifications were delivered, so that a restart repeats none. One line each: channel, id, when the incident began.
//!
//! # Invariants
//! - A line is written after delivery. A crash in between sends again, with the same id; it never loses one.
//! - The file belongs to one journal: its first line says which. Ids of another journal mean nothing.
//!
//! Ids of live figures are of one run, so they are remembered but not written.

use crate::incident::LIVE_FIRST;
use crate::notification::Notification;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Name of the file in the alerts' folder.
pub const SENT_FILE: &str = "sent.log";

/// See the module.
pub(super) struct Sent {
    path: PathBuf,
    head: String,
    file: File,
    delivered: HashSet<String>,
    /// Handed over and not reported yet.
    on_way: HashSet<String>,
}

impl Sent {
    pub(super) fn open(folder: &Path, journal: &str) -> io::Result<Self> {
        let path = folder.join(SENT_FILE);
        let head = format!("journal {journal}");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            // Text that a crash tore: what it said is sent again.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        let is_ours = lines.next() == Some(head.as_str());
        let delivered = lines.map(str::to_owned).filter(|_| is_ours).collect();
        let mut sent = Self {
            file: append_to(&path)?,
            path,
            head,
            delivered,
            on_way: HashSet::new(),
        };
        sent.rewrite()?;
        Ok(sent)
    }

    pub(super) fn contains(&self, channel: &str, notification: &Notification) -> bool {
        let key = key(channel, notification);
        self.delivered.contains(&key) || self.on_way.contains(&key)
    }

    /// How many are remembered as delivered.
    pub(super) fn len(&self) -> usize {
        self.delivered.len()
    }

    /// It was handed over.
    pub(super) fn on_way(&mut self, channel: &str, notification: &Notification) {
        self.on_way.insert(key(channel, notification));
    }

    /// It is there, or with the dead letters: nobody sends it again.
    pub(super) fn done(&mut self, channel: &str, notification: &Notification) -> io::Result<()> {
        let key = key(channel, notification);
        self.on_way.remove(&key);
        let written = if is_of_journal(&key) {
            writeln!(self.file, "{key}")
        } else {
            Ok(())
        };
        self.delivered.insert(key);
        written
    }

    /// Forgets the notifications of incidents that are not known any more.
    pub(super) fn retain(&mut self, is_known: impl Fn(u64) -> bool) -> io::Result<()> {
        self.delivered
            .retain(|key| incident_of(key).is_some_and(&is_known));
        self.rewrite()
    }

    /// A new file with what is known takes the place of the old one.
    fn rewrite(&mut self) -> io::Result<()> {
        let of_journal = self.delivered.iter().filter(|key| is_of_journal(key));
        let mut lines: Vec<&str> = of_journal.map(String::as_str).collect();
        lines.sort_unstable();
        let mut text = format!("{}\n", self.head);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let fresh = self.path.with_extension("new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = append_to(&self.path)?;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The number that a key's id begins with.
fn incident_of(key: &str) -> Option<u64> {
    let id = key.split(' ').nth(1)?;
    let digits = id.find(|c: char| !c.is_ascii_digit()).unwrap_or(id.len());
    id[..digits].parse().ok()
}

fn is_of_journal(key: &str) -> bool {
    incident_of(key).is_some_and(|incident| incident != 0 && incident < LIVE_FIRST)
}

fn key(channel: &str, notification: &Notification) -> String {
    format!("{channel} {} {}", notification.id, notification.opened_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notification;

    #[test]
    fn what_was_delivered_is_known_after_a_restart_and_what_was_not_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut sent = Sent::open(folder.path(), "ab").unwrap();
        for id in ["1:1", "2:1"] {
            sent.on_way("log", &notification(id));
        }
        assert!(sent.contains("log", &notification("2:1")));
        sent.done("log", &notification("1:1")).unwrap();
        drop(sent);
        let sent = Sent::open(folder.path(), "ab").unwrap();
        assert!(sent.contains("log", &notification("1:1")));
        assert!(!sent.contains("webhook", &notification("1:1")));
        assert!(!sent.contains("log", &notification("2:1")));
    }

    #[test]
    fn ids_of_another_journal_mean_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut sent = Sent::open(folder.path(), "ab").unwrap();
        sent.done("log", &notification("1:1")).unwrap();
        let sent = Sent::open(folder.path(), "cd").unwrap();
        assert!(!sent.contains("log", &notification("1:1")));
    }

    #[test]
    fn incidents_that_are_forgotten_leave_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut sent = Sent::open(folder.path(), "ab").unwrap();
        for id in ["1:1", "12.1:2", "13:end1"] {
            sent.done("log", &notification(id)).unwrap();
        }
        sent.retain(|incident| incident >= 12).unwrap();
        let text = std::fs::read_to_string(folder.path().join(SENT_FILE)).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(sent.contains("log", &notification("12.1:2")));
    }

    #[test]
    fn ids_of_live_figures_are_remembered_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let live = notification(&format!("{LIVE_FIRST}:1"));
        let mut sent = Sent::open(folder.path(), "ab").unwrap();
        sent.done("log", &live).unwrap();
        assert!(sent.contains("log", &live));
        assert!(!Sent::open(folder.path(), "ab").unwrap().contains("log", &live));
    }
}
