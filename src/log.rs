//! The log of a running engine: one line an occurrence on stderr, as text for people or as JSON for programs.
//!
//! Whatever `tradewind run` says goes this way: its start, changes of reference data, status, alerts, requests, what ended early, a panic.
//!
//! # Invariants
//! - A stderr that nobody reads holds up nobody: lines wait for a thread of their own, and what does not fit is dropped and counted.
//! - As JSON every line is one object with `ts`, `level`, `target` and `message`; what else it has follows from its target (docs/runbook.md).
//! - No line has a password, token, key, query or body.
//!
//! Not here: data, which goes to stdout, and what is wrong with a command line or a setting: before the settings are read nobody has said how
//! lines are to look.

use crate::output;
use serde_json::{Map, Value};
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tradewind_domain::time::{Rfc3339, UnixNanos};
use tradewind_machine::clock::Clock;

/// Lines that may wait.
const WAITING_MAX: usize = 8_192;
/// How long the end waits for what is not written yet.
const FLUSH_MAX: Duration = Duration::from_secs(2);

static IS_JSON: OnceLock<bool> = OnceLock::new();
static WRITER: OnceLock<Writer> = OnceLock::new();

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All is as it should be.
    Info,
    /// Somebody should look.
    Warn,
    /// Something does not work.
    Error,
}

impl Level {
    const fn text(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// What happened.
#[derive(Debug)]
pub struct Line {
    level: Level,
    target: &'static str,
    message: String,
    fields: Map<String, Value>,
    is_dated: bool,
}

impl Line {
    /// A line of the part that `target` names.
    pub fn new(level: Level, target: &'static str, message: impl Display) -> Self {
        Self {
            level,
            target,
            message: message.to_string(),
            fields: Map::new(),
            is_dated: false,
        }
    }

    /// With a member for programs; nothing that is not there becomes one.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.fields.insert(name.to_owned(), value);
        }
        self
    }

    /// With all of these members.
    pub fn with_all(mut self, mut members: Map<String, Value>) -> Self {
        self.fields.append(&mut members);
        self
    }

    /// With its time, also for people.
    pub fn dated(mut self) -> Self {
        self.is_dated = true;
        self
    }

    /// Writes it. False where it did not fit and is lost.
    pub fn put(self) -> bool {
        self.send(Message::Line)
    }

    /// As [`put`](Self::put), for a line that replaces the one before it on a terminal.
    pub fn put_status(self) {
        self.send(Message::Status);
    }

    fn send(self, message: fn(String) -> Message) -> bool {
        match WRITER.get() {
            Some(writer) => writer.send(message(self.render(is_json(), writer.clock.now_ns()))),
            None if !is_json() && !self.is_dated => {
                output::note(self.message);
                true
            }
            None => {
                let now_ns = Clock::start().map_or(0, |clock| clock.now_ns());
                output::note(self.render(is_json(), now_ns));
                true
            }
        }
    }

    /// People get the message, with its time where that says more than that it has come.
    fn render(mut self, is_json: bool, now_ns: UnixNanos) -> String {
        match (is_json, self.is_dated) {
            (true, _) => {}
            (false, true) => return format!("{} {}", Rfc3339(now_ns), self.message),
            (false, false) => return self.message,
        }
        let head = [
            ("ts", Rfc3339(now_ns).to_string()),
            ("level", self.level.text().to_owned()),
            ("target", self.target.to_owned()),
            ("message", self.message.trim_ascii().to_owned()),
        ];
        for (name, text) in head {
            self.fields.insert(name.to_owned(), text.into());
        }
        Value::Object(self.fields).to_string()
    }
}

/// Something that is as it should be.
pub fn info(target: &'static str, message: impl Display) {
    Line::new(Level::Info, target, message).put();
}

/// Something that somebody should look at.
pub fn warn(target: &'static str, message: impl Display) {
    Line::new(Level::Warn, target, message).put();
}

/// Something that does not work.
pub fn error(target: &'static str, message: impl Display) {
    Line::new(Level::Error, target, message).put();
}

/// Says how lines look: `json`, `text`, or `auto`, which is text on a terminal and JSON elsewhere. The first word counts.
pub fn set_format(format: &str) {
    let is_json = match format {
        "json" => true,
        "auto" => !io::stderr().is_terminal(),
        _ => false, // the settings take nothing else than text
    };
    IS_JSON.get_or_init(|| is_json);
}

/// True where lines are for programs.
pub fn is_json() -> bool {
    IS_JSON.get() == Some(&true)
}

/// Starts the thread that writes, and has a panic say what it was. Before that, lines are written where they are made.
pub fn start(clock: Clock) -> io::Result<()> {
    let (lines, waiting) = sync_channel(WAITING_MAX);
    std::thread::Builder::new()
        .name("tw-log-out".into())
        .spawn(move || write_all(&waiting, output::is_terminal() && !is_json()))?;
    let writer = Writer {
        lines,
        clock,
        dropped: AtomicU64::new(0),
    };
    if WRITER.set(writer).is_ok() && is_json() {
        std::panic::set_hook(Box::new(|panic| {
            let line = Line::new(Level::Error, "panic", panic);
            let now_ns = WRITER.get().map_or(0, |writer| writer.clock.now_ns());
            output::note(line.render(true, now_ns)); // at once: the process ends behind it
        }));
    }
    Ok(())
}

/// Waits until what was said is written, for a time.
pub fn flush() {
    let Some(writer) = WRITER.get() else { return };
    let (tell, told) = sync_channel(1);
    if writer.lines.try_send(Message::Flush(tell)).is_ok() {
        let _ = told.recv_timeout(FLUSH_MAX); // nobody reads it, then
    }
}

/// Lines that did not fit.
pub fn dropped() -> u64 {
    WRITER
        .get()
        .map_or(0, |writer| writer.dropped.load(Ordering::Relaxed))
}

enum Message {
    Line(String),
    Status(String),
    Flush(SyncSender<()>),
}

struct Writer {
    lines: SyncSender<Message>,
    clock: Clock,
    dropped: AtomicU64,
}

impl Writer {
    fn send(&self, message: Message) -> bool {
        let is_taken = self.lines.try_send(message).is_ok();
        if !is_taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        is_taken
    }
}

/// Writes what comes. On a terminal the status stays below the lines.
fn write_all(waiting: &Receiver<Message>, is_terminal: bool) {
    let mut status = String::new();
    for message in waiting {
        let bytes = match message {
            Message::Line(line) if status.is_empty() => format!("{line}\n"),
            Message::Line(line) => format!("\r\x1b[2K{line}\n{status}"),
            Message::Status(line) if is_terminal => {
                status = line;
                format!("\r\x1b[2K{status}")
            }
            Message::Status(line) => format!("{line}\n"),
            Message::Flush(tell) => {
                if !std::mem::take(&mut status).is_empty() {
                    let _ = io::stderr().write_all(b"\n");
                }
                let _ = tell.send(()); // who asked may have given up
                continue;
            }
        };
        // Nobody is left to be told that a log cannot be written.
        let _ = io::stderr().write_all(bytes.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_message_for_people_and_an_object_for_programs() {
        let line = || {
            Line::new(Level::Warn, "reference", "  refused X: \"a\"\nb")
                .with("code", "X")
                .with("none", Value::Null)
        };
        assert_eq!(line().render(false, 0), "  refused X: \"a\"\nb");
        let dated = line().dated().render(false, 0);
        assert!(
            dated.starts_with("1970-01-01T00:00:00.000000000Z   refused"),
            "{dated}"
        );
        let text = line().render(true, 1_000);
        assert!(!text.contains('\n'), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "ts": "1970-01-01T00:00:00.000001000Z", "level": "WARN", "target": "reference",
                "message": "refused X: \"a\"\nb", "code": "X",
            })
        );
    }

    #[test]
    fn a_log_that_nobody_reads_drops_lines_and_counts_them() {
        let (lines, waiting) = sync_channel(2);
        let (clock, _) = Clock::manual(0);
        let writer = Writer {
            lines,
            clock,
            dropped: AtomicU64::new(0),
        };
        let taken = (0..5).filter(|_| writer.send(Message::Line("x".into()))).count();
        assert_eq!((taken, writer.dropped.load(Ordering::Relaxed)), (2, 3));
        drop(waiting);
    }
}
