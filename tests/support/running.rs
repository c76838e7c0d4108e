//! A running engine in a process of its own, and what it says.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tradewind");

/// A process that is killed with this.
pub(crate) struct Running {
    process: Child,
    /// The lines of its log up to the one that says that it runs.
    pub(crate) said: Vec<String>,
    later: Option<JoinHandle<Vec<String>>>,
}

impl Running {
    /// Starts the binary with these arguments, and waits until it says that it runs.
    pub(crate) fn start<T: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = T>) -> Self {
        let mut process = Command::new(BINARY)
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let mut said = Vec::new();
        loop {
            let Some(line) = lines.next().and_then(Result::ok) else {
                panic!("the engine ended instead of running: {said:#?}");
            };
            let is_up = message(&line).starts_with("run ");
            said.push(line);
            if is_up {
                break;
            }
        }
        // What it says later is read, so that it never waits for a reader.
        let later = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Self {
            process,
            said,
            later: Some(later),
        }
    }

    /// What follows these words in a line that it said at its start, up to the next space.
    pub(crate) fn told(&self, words: &str) -> Option<String> {
        let lines = self.said.iter().map(|line| message(line));
        let rest = lines.filter_map(|line| Some(line.split_once(words)?.1.to_owned()));
        let word = |rest: String| rest.split_whitespace().next().map(str::to_owned);
        rest.filter_map(word).next()
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it still runs");
    }

    /// Waits until it has ended in good order, and gives what it said after its start.
    pub(crate) fn ended(&mut self) -> Vec<String> {
        assert!(self.process.wait().expect("it ends").success());
        let later = self.later.take().expect("it ends once");
        later.join().expect("lines")
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(&mut self) {
        // One that has ended already is no mistake.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill(); // a test that failed leaves no engine behind
    }
}

/// What a line of the log says to people.
fn message(line: &str) -> String {
    let object: Option<Value> = serde_json::from_str(line).ok();
    match object.as_ref().and_then(|object| object["message"].as_str()) {
        Some(message) => message.to_owned(),
        None => line.to_owned(),
    }
}
