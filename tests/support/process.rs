//! The real binary as an operator meets it: an engine in a process of its own, and commands against it.

use super::place::Place;
use super::running::Running;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tradewind_domain::event::{Event, Kind};
use tradewind_machine::journal::{Follower, StartAt};

pub(crate) use super::running::BINARY;

/// An engine in a process of its own.
pub(crate) struct Engine<'a> {
    pub(crate) place: &'a Place,
    pub(crate) process: Running,
}

impl<'a> Engine<'a> {
    /// Starts it, and waits until it says that it runs.
    pub(crate) fn start(place: &'a Place) -> Self {
        Self {
            place,
            process: Running::start(run_args(place)),
        }
    }

    /// A command against it, with `--data`.
    pub(crate) fn ask(&self, args: &[&str]) -> Output {
        ask(self.place, args)
    }

    /// The JSON answer of a command that succeeds.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.ask(&[args, &["--json"]].concat());
        assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The error of a command that fails with this exit code.
    pub(crate) fn refusal(&self, args: &[&str], exit: i32) -> Value {
        let output = self.ask(&[args, &["--json"]].concat());
        assert_eq!(code(&output), exit, "{args:?}: {}", stderr(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        answer["error"].clone()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.place.data().join("control.sock")
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// Stops it in good order and gives the records that were not there before it was asked anything.
    pub(crate) fn stop(mut self) -> Vec<Event> {
        self.process.terminate();
        self.process.ended();
        assert!(!self.socket().exists(), "the socket is taken away");
        records(self.place)
    }
}

pub(crate) fn run_args(place: &Place) -> Vec<String> {
    let reference = place.root().join("firm.toml");
    std::fs::write(&reference, include_str!("firm.toml")).expect("a reference file");
    let reference = format!("reference.path={}", reference.display());
    let more = [
        reference.as_str(),
        "engine.clock=wall",
        "demo.orders_per_s=0",
        "demo.quotes_per_s=0",
    ];
    let mut args = vec![
        "run".to_owned(),
        "--data".to_owned(),
        place.data().display().to_string(),
    ];
    for set in place.sets(&more) {
        args.extend(["--set".to_owned(), set]);
    }
    args
}

pub(crate) fn ask(place: &Place, args: &[&str]) -> Output {
    Command::new(BINARY)
        .args(args)
        .arg("--data")
        .arg(place.data())
        .env_remove("SUDO_USER")
        .output()
        .expect("the binary starts")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

pub(crate) fn records(place: &Place) -> Vec<Event> {
    let mut follower = Follower::open(&place.data(), StartAt::Start).expect("a journal");
    let mut events = Vec::new();
    while let Some(record) = follower.poll().expect("a good journal") {
        let mut event = Event::empty();
        event.read_record(record.bytes()).expect("a known kind");
        events.push(event);
    }
    events
}

pub(crate) fn of_kind(events: &[Event], kind: Kind) -> Vec<&Event> {
    events.iter().filter(|event| event.kind() == Some(kind)).collect()
}

pub(crate) fn tail(event: &Event) -> String {
    String::from_utf8_lossy(event.tail()).into_owned()
}
