//! `kill -9` under load, twenty times in a row: nothing that was released is lost, nothing is doubled.
//!
//! The engine is the real binary in its own process. This process only reads: one follower lives through all of it and keeps
//! every record that it was ever given. When to kill is decided by what the follower has seen, not by a clock. Each round begins
//! with what the round before has sent already, as a client does that got no answer.

mod support;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::journal::{assert_sequence, event, records};
use support::place::Place;
use tradewind_domain::event::{EngineStarted, Execution, Kind, OrderNew};
use tradewind_machine::journal::{Follower, StartAt, verify};

/// Kills of one test.
const ROUNDS: u64 = 20;
/// Lines that are new in each round.
const LINES: u64 = 4_000;
/// Parts of so many lines that each round sends: the first three are those that the round before had too.
const PARTS: u64 = 4;
/// Kills come after so many more records at the latest; each round has well above this many.
const KILL_MAX: u64 = 9_000;
/// Sizes for what comes in, on the machine's time.
const LARGE: [&str; 9] = [
    "engine.clock=wall",
    "engine.stale_order_ms=0",
    "demo.orders_per_s=5000",
    "capacity.instruments=1024",
    "capacity.nodes=1024",
    "capacity.limits=1024",
    "capacity.open_orders=65536",
    "capacity.cl_ord_ids=262144",
    "capacity.exec_ids=524288",
];
/// SIGKILL.
const KILLED: i32 = 9;

/// What engines are busy with when they are killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Files of orders and trades, as fast as they are read.
    Files,
    /// The generated session with its venue.
    Session,
}

/// One data folder and the engines that write it, one after another.
struct Crashes {
    load: Load,
    place: Place,
    durability: String,
    reference: PathBuf,
    follower: Option<Follower>,
    /// Every record that the follower was given.
    seen: Vec<Vec<u8>>,
}

impl Crashes {
    fn new(load: Load, durability: &str) -> Self {
        let place = Place::new();
        let reference = place.root().join("firm.toml");
        std::fs::write(&reference, include_str!("support/firm.toml")).expect("a reference file");
        Self {
            load,
            place,
            durability: format!("journal.durability={durability}"),
            reference,
            follower: None,
            seen: Vec::new(),
        }
    }

    /// Orders and trades with identifiers of their own.
    fn lines(part: u64) -> String {
        let mut text = String::new();
        for line in 0..LINES {
            let id = format!("{part}-{line}");
            let entry = if line % 5 == 0 {
                format!(
                    r#"{{"kind":"order_new","time":1,"cl_ord_id":"C{id}","account":"FREE","symbol":"GIZMO","side":"BUY","qty":10,"px":"50.05"}}"#
                )
            } else {
                format!(
                    r#"{{"kind":"trade","time":1,"account":"FREE-2","symbol":"FUT","side":"{}","qty":1,"px":"4000.25","exec_id":"E{id}","trade_date":"2026-03-02"}}"#,
                    if line % 2 == 0 { "BUY" } else { "SELL" }
                )
            };
            writeln!(text, "{entry}").expect("a string takes everything");
        }
        text
    }

    /// An engine that reads a round's lines, or runs a session; `seconds` ends a session in good order.
    fn spawn(&self, round: u64, seconds: Option<u32>) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        let reference = format!("reference.path={}", self.reference.display());
        let mut more = LARGE.to_vec();
        more.push(&self.durability);
        match self.load {
            Load::Files => {
                let file = self.place.root().join("round.jsonl");
                let lines: String = (round..round + PARTS).map(Self::lines).collect();
                std::fs::write(&file, lines).expect("a file of orders");
                command.arg("ingest").arg(file).args(["--format", "jsonl"]);
                more.push(&reference);
            }
            Load::Session => {
                command.arg("run");
                command.args(
                    seconds
                        .iter()
                        .flat_map(|seconds| ["--duration".to_owned(), seconds.to_string()]),
                );
            }
        }
        command.arg("--data").arg(self.place.data());
        for set in self.place.sets(&more) {
            command.args(["--set", &set]);
        }
        let log = File::create(self.log()).expect("a file for what it says");
        command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts")
    }

    fn log(&self) -> PathBuf {
        self.place.root().join("stderr")
    }

    /// Takes what the follower has. True where there was something.
    fn poll(&mut self) -> bool {
        if self.follower.is_none() {
            self.follower = Follower::open(&self.place.data(), StartAt::Start).ok();
        }
        let Some(follower) = &mut self.follower else {
            return false;
        };
        let before = self.seen.len();
        while let Some(record) = follower
            .poll()
            .expect("a follower survives what the writer does not")
        {
            self.seen.push(record.bytes().to_vec());
        }
        self.seen.len() > before
    }

    /// Runs an engine until the follower has seen `count` more records, then kills it. True where that hit it at work.
    fn kill_after(&mut self, round: u64, count: u64) -> bool {
        let goal = self.seen.len() as u64 + count;
        let mut child = self.spawn(round, None);
        while (self.seen.len() as u64) < goal && child.try_wait().expect("a child").is_none() {
            if !self.poll() {
                std::thread::park_timeout(Duration::from_micros(50));
            }
        }
        child.kill().expect("a child");
        let status = child.wait().expect("a child");
        while self.poll() {}
        status.signal() == Some(KILLED)
    }

    /// Runs an engine to its end.
    fn finish(&mut self, round: u64) {
        let mut child = self.spawn(round, Some(1));
        let is_sound = child.wait().expect("a child").success();
        assert!(
            is_sound,
            "{}",
            std::fs::read_to_string(self.log()).unwrap_or_default()
        );
        while self.poll() {}
    }

    fn assert_nothing_is_lost_or_doubled(&self) {
        let journal = records(&self.place.data());
        assert_eq!(
            self.seen.len(),
            journal.len(),
            "the follower saw another number of records than there are"
        );
        let differs = self
            .seen
            .iter()
            .zip(&journal)
            .position(|(seen, kept)| seen != kept);
        assert_eq!(
            differs, None,
            "a record that was released differs from the one that is kept"
        );

        let events: Vec<_> = journal.iter().map(|bytes| event(bytes)).collect();
        assert_sequence(&events);
        let (mut orders, mut trades, mut run) = (HashSet::new(), HashSet::new(), 0);
        for event in events.iter().filter(|event| !event.is_rejected()) {
            let is_new = match event.kind() {
                Some(Kind::OrderNew) => {
                    let order: &OrderNew = event.body();
                    orders.insert((order.view.trade_day, order.session, order.cl_ord_id))
                }
                Some(Kind::TradeCapture | Kind::VenueFill) => {
                    let execution: &Execution = event.body();
                    trades.insert((execution.trade_date, execution.exec_id))
                }
                Some(Kind::EngineStarted) => {
                    // A run that was killed before its first record was committed has left a gap in the numbers.
                    let before = std::mem::replace(&mut run, event.body::<EngineStarted>().epoch);
                    before < run
                }
                _ => true,
            };
            assert!(
                is_new,
                "{:?} of record {} was accepted twice",
                event.kind(),
                event.head.seq
            );
        }
        assert_eq!(u64::from(run), ROUNDS + 1);
        match self.load {
            Load::Files => {
                let refused = events.iter().filter(|event| event.is_rejected()).count() as u64;
                assert!(
                    refused > ROUNDS * LINES / 4,
                    "what was sent again was refused: {refused}"
                );
                // The last file went through to its end: all of its trades are there.
                let (day, last) = (support::firm::first_day(), ROUNDS + PARTS - 1);
                let mut ids = (0..LINES)
                    .filter(|line| line % 5 != 0)
                    .map(|line| format!("E{last}-{line}"));
                assert!(ids.all(|id| trades.contains(&(day, support::firm::text(&id)))));
            }
            Load::Session => assert!(
                orders.len() > 1_000 && trades.len() > 500,
                "{} {}",
                orders.len(),
                trades.len()
            ),
        }
    }
}

fn survives(load: Load, durability: &str) {
    let mut crashes = Crashes::new(load, durability);
    let mut hits = 0;
    for round in 0..ROUNDS {
        // Spread over the rounds: during the reference data, among what comes again, among what is new.
        let most = if load == Load::Files {
            KILL_MAX
        } else {
            KILL_MAX / 4
        };
        let count = 10 + (round * 7_919) % most;
        hits += u64::from(crashes.kill_after(round, count));
    }
    assert!(hits >= ROUNDS - 2, "only {hits} kills hit an engine at work");
    crashes.finish(ROUNDS);
    crashes.assert_nothing_is_lost_or_doubled();
    let report = verify(&crashes.place.data()).expect("a journal");
    assert_eq!(report.problems, []);
    let verified = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["journal", "verify"])
        .arg(crashes.place.data())
        .output();
    let verified = verified.expect("the binary starts");
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}

#[test]
fn twenty_kills_lose_and_double_nothing_that_was_committed_to_memory() {
    survives(Load::Files, "memory");
}

#[test]
fn twenty_kills_lose_and_double_nothing_that_was_synced_to_disk() {
    survives(Load::Files, "disk");
}

#[test]
fn twenty_kills_of_a_session_with_its_venue_lose_and_double_nothing() {
    survives(Load::Session, "memory");
}
