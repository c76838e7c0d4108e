//! `tradewind top` as people meet it: the real binary in front of a running engine, on a pseudo terminal (`script` of util-linux) and without
//! one.
#![cfg(feature = "tui")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_tradewind");
/// How long something on the screen is waited for; it comes within a second on a machine that is idle.
const WAIT: Duration = Duration::from_secs(30);

fn data(place: &TempDir) -> PathBuf {
    place.path().join("data")
}

/// An engine in a process of its own.
struct Engine(Child);

impl Engine {
    fn start(place: &TempDir) -> Self {
        Self::start_with(place, &[])
    }

    fn start_with(place: &TempDir, settings: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command
            .args(["run", "--profile", "demo", "--data"])
            .arg(data(place));
        for setting in [&["http.listen=", "log.status_interval_ms=0"], settings].concat() {
            command.args(["--set", setting]);
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut engine = Self(process.expect("the binary starts"));
        let mut lines = BufReader::new(engine.0.stderr.take().expect("a pipe")).lines();
        while let Some(Ok(line)) = lines.next() {
            if line.starts_with("run ") {
                // What it says later is read, so that it never waits for a reader.
                std::thread::spawn(move || lines.for_each(drop));
                return engine;
            }
        }
        panic!("the engine ended instead of running");
    }

    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill(); // one that has ended already is no mistake
        let _ = self.0.wait();
    }
}

/// Size of the terminal.
const COLUMNS: usize = 120;
const ROWS: usize = 40;
/// Looks at what was written that are made before a test gives up: about ten a second.
const LOOKS_MAX: usize = 1_500;

/// What a terminal shows of what was written to it: as much of it as `top` uses.
#[derive(Default)]
struct Cells {
    rows: Vec<Vec<char>>,
    at: (usize, usize),
    /// Of an escape sequence or letter that is not whole yet.
    rest: Vec<u8>,
    /// The screen that was there before is shown again.
    is_given_back: bool,
}

impl Cells {
    fn new() -> Self {
        Self {
            rows: vec![vec![' '; COLUMNS]; ROWS],
            ..Self::default()
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) => error.valid_up_to(),
        };
        let mut text = String::from_utf8_lossy(&self.rest[..valid]).into_owned();
        let left = self.rest.split_off(valid);
        while let Some(letter) = text.chars().next() {
            if letter != '\u{1b}' {
                self.put(letter);
                text.drain(..letter.len_utf8());
                continue;
            }
            let end = text
                .char_indices()
                .skip(2)
                .find(|(_, one)| one.is_ascii_alphabetic());
            let Some((end, kind)) = end else { break };
            let arguments = text.get(2..end).unwrap_or("").to_owned();
            self.obey(kind, &arguments);
            text.drain(..=end);
        }
        self.rest = [text.into_bytes(), left].concat();
    }

    fn put(&mut self, letter: char) {
        let (row, column) = self.at;
        if let Some(cell) = self.rows.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = letter;
        }
        self.at.1 += 1;
    }

    fn obey(&mut self, kind: char, arguments: &str) {
        match (kind, arguments) {
            ('H', _) => {
                let (row, column) = arguments.split_once(';').unwrap_or(("1", "1"));
                let number = |text: &str| text.parse::<usize>().unwrap_or(1) - 1;
                self.at = (number(row), number(column));
            }
            ('J', _) => self.rows.iter_mut().for_each(|row| row.fill(' ')),
            ('l', "?1049") => self.is_given_back = true,
            _ => {} // colours, the cursor's looks
        }
    }

    fn text(&self) -> String {
        let lines = self.rows.iter().map(|row| row.iter().collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// A terminal in which `top` runs.
struct Screen {
    process: Child,
    keys: ChildStdin,
    written: Receiver<Vec<u8>>,
    cells: Cells,
}

impl Screen {
    fn open(place: &TempDir) -> Self {
        let run = format!(
            "stty cols {COLUMNS} rows {ROWS}; exec '{BINARY}' top --data '{}' --interval 200",
            data(place).display()
        );
        let mut process = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command", &run, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is there (bsdutils)");
        let (mut output, (to, written)) = (process.stdout.take().expect("a pipe"), channel());
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if to.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = process.stdin.take().expect("a pipe");
        Self {
            process,
            keys,
            written,
            cells: Cells::new(),
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it reads");
        self.keys.flush().expect("it reads");
    }

    /// Waits until something holds of what is shown.
    fn until(&mut self, what: &str, holds: impl Fn(&Cells) -> bool) {
        for _ in 0..LOOKS_MAX {
            if holds(&self.cells) {
                return;
            }
            let bytes = self.written.recv_timeout(WAIT);
            let bytes = bytes.unwrap_or_else(|_| panic!("{what:?} never came:\n{}", self.cells.text()));
            self.cells.take(&bytes);
        }
        panic!("{what:?} never came:\n{}", self.cells.text());
    }

    /// Waits until this is shown.
    fn wait(&mut self, words: &str) {
        self.until(words, |cells| cells.text().contains(words));
    }

    /// It ends by itself, and gives the terminal back before.
    fn ends(mut self) {
        self.until("the screen that was there before", |cells| cells.is_given_back);
        let status = self.process.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.process.kill(); // one that has ended already is no mistake
        let _ = self.process.wait();
    }
}

fn top(place: &TempDir, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(BINARY)
        .args(["top", "--data"])
        .arg(data(place))
        .args(args)
        .output()
        .expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn one_frame_and_the_figures_can_be_had_without_a_terminal() {
    let place = tempfile::tempdir().expect("a folder");
    let (code, _, stderr) = top(&place, &["--once"]);
    assert_eq!(code, Some(1), "no engine");
    assert!(stderr.contains("no engine answers"), "{stderr}");
    let _engine = Engine::start(&place);
    // Rates are those of a second: an engine that has just started has none yet.
    let frame = (0..100).find_map(|_| {
        let (code, frame, stderr) = top(&place, &["--once", "--size", "150x50"]);
        assert_eq!(code, Some(0), "{stderr}");
        let has_rates = frame.contains("pipeline");
        if !has_rates {
            std::thread::park_timeout(Duration::from_millis(100));
        }
        has_rates.then_some(frame)
    });
    let frame = frame.expect("the stages are shown within some seconds");
    for words in [
        "TRADEWIND DEMO",
        "● live",
        "Latency by stage",
        "pipeline",
        "Rejects by code",
        "Positions",
        "Alerts",
    ] {
        assert!(frame.contains(words), "{words}: {frame}");
    }
    assert!(frame.lines().count() == 50 && frame.lines().all(|line| line.chars().count() <= 150));
    let (code, answer, _) = top(&place, &["--json"]);
    assert_eq!(code, Some(0));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let stages: Vec<_> = answer["stages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["stage"].clone())
        .collect();
    assert_eq!(stages.last(), Some(&Value::from("pipeline")));
    for name in [
        "rejects",
        "positions",
        "pnl",
        "incidents",
        "checks",
        "restrictions",
    ] {
        assert!(answer[name].is_array(), "{name}: {answer}");
    }
    let (code, _, stderr) = top(&place, &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no terminal"), "{stderr}");
}

/// Nothing is refused, silent or late: the one incident is that the engine was started. Others may get worse at any moment, and then
/// nobody has taken them any more.
const CALM: [&str; 7] = [
    "demo.orders_per_s=0",
    "alerts.feed_silent_ms=0",
    "alerts.stale_references_pct=100",
    "alerts.journal_lag_ms=3600000",
    "alerts.p99_budget_us=3600000000",
    "alerts.queue_fill_pct=100",
    "alerts.clear_for_ms=3600000",
];

#[test]
fn views_change_an_alert_is_taken_and_the_terminal_is_given_back() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = Engine::start_with(&place, &CALM);
    let mut screen = Screen::open(&place);
    screen.wait("● live");
    screen.press("2");
    screen.wait("p99 from ingest to release");
    screen.press("6");
    screen.wait("System health as of input");
    screen.press("5");
    screen.wait("nobody has taken it: press a");
    screen.press("a");
    screen.wait("Take incident");
    screen.press("on it from the terminal");
    screen.wait("on it from the terminal");
    screen.press("\r");
    screen.wait("is taken");
    let (_, answer, _) = top(&place, &["--json"]);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    // An incident that somebody has taken may be over by now: what was said about it stays.
    let mut incidents = answer["incidents"].as_array().expect("a list").iter();
    let words = incidents.find_map(|row| row["acknowledge_comment"].as_str());
    let words = words.unwrap_or_else(|| panic!("one is taken: {answer:#}"));
    assert!(words.starts_with("on it from the terminal"), "{words}");
    screen.press("p");
    screen.wait("PAUSED");
    screen.press("p");
    screen.until("it goes on", |cells| !cells.text().contains("PAUSED"));
    // Ctrl-C is a key on a terminal that is ours.
    screen.press("\u{3}");
    screen.ends();
    drop(engine);
}

#[test]
fn an_engine_that_stops_is_waited_for() {
    let place = tempfile::tempdir().expect("a folder");
    let mut screen = Screen::open(&place);
    screen.wait("no engine answers in");
    let engine = Engine::start(&place);
    screen.wait("● live");
    engine.stop();
    screen.wait("✕ no engine");
    let engine = Engine::start(&place);
    screen.wait("● live");
    screen.press("q");
    screen.ends();
    drop(engine);
}
