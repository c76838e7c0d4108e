//! `kill -9` in the middle of KILL and FLATTEN: one input with hundreds of effects, cut off between two of them, twenty times.
//!
//! The engine runs in a process of its own with the stages, the journal and the wiring of the real program: this test starts itself again
//! as that process. There a client trades for many accounts, kills their desk, answers the cancels, flattens it and lets it trade again,
//! without an end; where it stands it reads in the journal, also after a crash. The parent only follows, and kills when it has seen so many
//! effects of a group.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::firm::{Order, control, last, report, trade};
use support::journal::{assert_sequence, event, records};
use support::place::{IDENTITY, Place, feed};
use tradewind::engine::{Engine, ReferenceChanges, apply_reference, prepare};
use tradewind_config::{ReferenceData, Settings};
use tradewind_domain::codes::{ControlState, Side};
use tradewind_domain::event::{DerivedOrder, Event, Execution, InboundLong, Kind, OrderNew, head_flags};
use tradewind_domain::ids::{InstrumentId, NodeId, OrderId};
use tradewind_domain::time::utc_day;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::{Follower, StartAt};

const ROLE: &str = "TRADEWIND_TEST_ROLE";
const SETS: &str = "TRADEWIND_TEST_SETS";
const DATA: &str = "TRADEWIND_TEST_DATA";
/// This test, for the process that it starts.
const TEST: &str = "twenty_kills_in_the_middle_of_kill_and_flatten_lose_and_double_nothing";

const ACCOUNTS: usize = 150;
const SYMBOLS: [&str; 3] = ["F1", "F2", "F3"];
/// Cuts in the middle of a group of each kind.
const CUTS: u32 = 10;
/// Processes that are started at most for them: a kill may come when a group is whole already.
const ROUNDS_MAX: u32 = 200;
/// Sizes for what the client does, on the machine's time.
const LARGE: [&str; 10] = [
    "engine.clock=wall",
    "engine.stale_order_ms=0",
    "engine.ref_max_age_ms=3600000",
    "capacity.nodes=256",
    "capacity.open_orders=4096",
    "capacity.node_instruments=2048",
    "capacity.holdings=1024",
    "capacity.wallets=512",
    "capacity.cl_ord_ids=262144",
    "capacity.exec_ids=262144",
];

fn account(number: usize) -> String {
    format!("A{number:03}")
}

/// A desk with many accounts, and instruments that trade around the clock.
fn reference() -> ReferenceData {
    let mut text = String::from("[[currency]]\ncode = \"USD\"\ndecimals = 2\n");
    for (code, level, parent) in [
        ("FIRM", "FIRM", ""),
        ("ORG", "ORG", "parent = \"FIRM\""),
        ("DESK", "DESK", "parent = \"ORG\""),
        ("USER", "USER", "parent = \"DESK\""),
    ] {
        text += &format!("[[node]]\ncode = \"{code}\"\nlevel = \"{level}\"\n{parent}\n");
    }
    for number in 0..ACCOUNTS {
        let code = account(number);
        text += &format!(
            "[[account]]\ncode = \"{code}\"\nparent = \"USER\"\nkind = \"MARGIN\"\ncurrency = \"USD\"\n"
        );
    }
    for symbol in SYMBOLS {
        text += &format!(
            "[[instrument]]\nsymbol = \"{symbol}\"\nkind = \"FUTURE\"\ncurrency = \"USD\"\ncalendar = \"UTC\"\ntick = \"0.25\"\n\
             mult = \"1\"\nmark = \"100\"\n"
        );
    }
    ReferenceData::parse(&text, "desk.toml").expect("sound reference data")
}

/// What the journal says of the desk.
#[derive(Default)]
struct Desk {
    open: BTreeSet<OrderId>,
    is_killed: bool,
    /// Since the last kill.
    is_flattened: bool,
    run: u32,
}

impl Desk {
    fn observe(&mut self, event: &Event) {
        let Some(kind) = event.kind().filter(|_| !event.is_rejected()) else {
            return;
        };
        match kind {
            Kind::EngineStarted => self.run += 1,
            Kind::OrderNew => {
                self.open.insert(event.body::<OrderNew>().view.order_id);
            }
            Kind::VenueCancelled => {
                let ended: &tradewind_domain::event::VenueReport = event.body();
                self.open.remove(&ended.order_id);
            }
            Kind::OrderExpired => {
                self.open.remove(&event.body::<DerivedOrder>().view.order_id);
            }
            Kind::Kill => (self.is_killed, self.is_flattened) = (true, false),
            Kind::Flatten => self.is_flattened = true,
            Kind::Rearm => self.is_killed = false,
            _ => {}
        }
    }
}

/// The client in the engine's process.
struct Client {
    engine: Engine,
    follower: Follower,
    desk: Desk,
    event: Event,
    /// Inputs of its own that are in the journal.
    decided: usize,
    cycle: u64,
}

impl Client {
    fn start(data: &Path, sets: &[String]) -> Self {
        let settings = Settings::load("demo", None, [], sets).expect("sound settings");
        let cores = Cores::detect();
        let prepared = prepare(&settings, data, &cores, Some(IDENTITY)).expect("an engine");
        let day = utc_day(prepared.clock.now_ns());
        let changes =
            ReferenceChanges::find(reference(), &prepared.known, day).expect("sound reference data");
        let engine = Engine::start(prepared, &cores).expect("a running engine");
        let refused = apply_reference(&changes, &engine, 0).expect("reference data");
        assert!(refused.is_empty(), "{refused:?}");
        let follower = engine.follower(StartAt::Start).expect("a follower");
        let mut client = Self {
            engine,
            follower,
            desk: Desk::default(),
            event: Event::empty(),
            decided: 0,
            cycle: 0,
        };
        while client.look() {}
        client
    }

    /// Takes the next record. False where there is none.
    fn look(&mut self) -> bool {
        let Some(record) = self.follower.poll().expect("a journal") else {
            return false;
        };
        let event = &mut self.event;
        event.read_record(record.bytes()).expect("a known kind");
        let is_ours = event.head.part == 0 && !event.kind().is_some_and(Kind::is_internal);
        self.decided += usize::from(is_ours);
        self.desk.observe(event);
        let is_command = matches!(
            event.kind(),
            Some(Kind::Kill | Kind::Flatten | Kind::Rearm | Kind::VenueCancelled)
        );
        assert!(!is_command || !event.is_rejected(), "{:?}", event.reject_code());
        true
    }

    /// Sends, and waits until all of it is decided, effects included.
    fn send(&mut self, messages: &[InboundLong]) {
        let goal = self.decided + messages.len();
        feed(&self.engine, messages);
        while self.decided < goal || self.event.head.flags & head_flags::LAST == 0 {
            if !self.look() {
                std::thread::yield_now();
            }
        }
    }

    /// What comes next, wherever the journal stands.
    fn step(&mut self) {
        let command = |kind, second| control(kind, "DESK", ControlState::Active, "ann", second);
        let marks = SYMBOLS.map(|symbol| last(symbol, "100"));
        if !self.desk.is_killed {
            self.cycle += 1;
            self.send(&marks);
            self.send(&load(self.desk.run, self.cycle));
            self.send(&[command(Kind::Kill, "")]);
        } else if !self.desk.open.is_empty() {
            let ended = |&order: &OrderId| report(Kind::VenueCancelled, order);
            let answers: Vec<_> = self.desk.open.iter().map(ended).collect();
            self.send(&answers);
        } else if !self.desk.is_flattened {
            self.send(&marks);
            self.send(&[command(Kind::Flatten, "")]);
        } else {
            self.send(&[command(Kind::Rearm, "bob")]);
        }
    }
}

/// An order and a trade of each account in each instrument.
fn load(run: u32, cycle: u64) -> Vec<InboundLong> {
    let mut messages = Vec::new();
    for number in 0..ACCOUNTS {
        let account = account(number);
        for symbol in SYMBOLS {
            let id = format!("{run}-{cycle}-{number}-{symbol}");
            messages.push(Order::buy(&id, &account, symbol, "2", "99.75").message());
            messages.push(trade(&id, &account, symbol, Side::Buy, "1", "100"));
        }
    }
    messages
}

/// The parent: starts engines, follows, kills.
struct Crashes {
    place: Place,
    follower: Option<Follower>,
    seen: Vec<Vec<u8>>,
    /// Command whose group the last record that was seen belongs to, and whether that group goes on.
    group: Option<Kind>,
    is_open: bool,
    cuts: BTreeMap<u8, u32>,
}

impl Crashes {
    fn spawn(&self) -> Child {
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", TEST, "--quiet"])
            .env(ROLE, "engine")
            .env(DATA, self.place.data())
            .env(SETS, self.place.sets(&LARGE).join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("this test starts again")
    }

    /// Takes one record; `None` where there is none, otherwise its part.
    fn poll(&mut self) -> Option<u32> {
        if self.follower.is_none() {
            self.follower = Follower::open(&self.place.data(), StartAt::Start).ok();
        }
        let follower = self.follower.as_mut()?;
        let record = follower.poll().expect("a follower survives its writer")?;
        let head = *record.head();
        self.seen.push(record.bytes().to_vec());
        if head.part == 0 {
            self.group = Kind::from_number(head.kind);
        }
        self.is_open = head.flags & head_flags::LAST == 0;
        Some(head.part)
    }

    /// Runs an engine until so many effects of a command's group are seen, then kills it.
    fn kill_within(&mut self, command: Kind, effects: u32) {
        let mut child = self.spawn();
        loop {
            match self.poll() {
                Some(part) if part == effects && self.group == Some(command) && self.is_open => break,
                Some(_) => {}
                None => {
                    let ended = child.try_wait().expect("a child");
                    assert!(ended.is_none(), "the engine ended by itself: {ended:?}");
                    std::thread::park_timeout(Duration::from_micros(20));
                }
            }
        }
        child.kill().expect("a child");
        child.wait().expect("a child");
        while self.poll().is_some() {}
        if self.is_open && self.group == Some(command) {
            *self.cuts.entry(command as u8).or_default() += 1;
        }
    }

    fn cuts(&self, command: Kind) -> u32 {
        self.cuts.get(&(command as u8)).copied().unwrap_or(0)
    }
}

/// Holds every group of the journal against what was open, or held, when its command came.
fn assert_groups_are_whole(events: &[Event]) {
    let mut desk = Desk::default();
    let mut positions: BTreeMap<(NodeId, InstrumentId), i64> = BTreeMap::new();
    let mut groups = [0, 0];
    for (at, event) in events.iter().enumerate() {
        let effects = || events[at + 1..].iter().take_while(|effect| effect.head.part > 0);
        match event.kind().filter(|_| !event.is_rejected()) {
            Some(Kind::Kill) => {
                let asked = effects().map(|effect| effect.body::<DerivedOrder>().view.order_id);
                assert_eq!(
                    asked.collect::<BTreeSet<_>>(),
                    desk.open,
                    "record {}",
                    event.head.seq
                );
                assert_eq!(effects().count(), desk.open.len(), "an order was asked twice");
                groups[0] += 1;
            }
            Some(Kind::Flatten) => {
                let closed: BTreeMap<_, _> = effects()
                    .map(|effect| effect.body::<OrderNew>())
                    .map(|order| ((order.leaf, order.instrument), order.qty))
                    .collect();
                assert_eq!(closed, positions, "record {}", event.head.seq);
                assert_eq!(effects().count(), positions.len(), "a position was closed twice");
                groups[1] += 1;
            }
            Some(Kind::TradeCapture) => {
                let trade: &Execution = event.body();
                *positions.entry((trade.leaf, trade.instrument)).or_default() += trade.qty;
            }
            _ => {}
        }
        desk.observe(event);
    }
    assert!(groups.iter().all(|&count| count >= CUTS as usize), "{groups:?}");
}

#[test]
fn twenty_kills_in_the_middle_of_kill_and_flatten_lose_and_double_nothing() {
    if std::env::var_os(ROLE).is_some() {
        let sets = std::env::var(SETS).expect("settings");
        let sets: Vec<String> = sets.lines().map(str::to_owned).collect();
        let data = PathBuf::from(std::env::var_os(DATA).expect("a folder"));
        // The pipe closes with the parent, whatever becomes of that.
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        let mut client = Client::start(&data, &sets);
        loop {
            client.step();
        }
    }
    let mut crashes = Crashes {
        place: Place::new(),
        follower: None,
        seen: Vec::new(),
        group: None,
        is_open: false,
        cuts: BTreeMap::new(),
    };
    let all = (ACCOUNTS * SYMBOLS.len()) as u32;
    for round in 0..ROUNDS_MAX {
        let command = match (crashes.cuts(Kind::Kill), crashes.cuts(Kind::Flatten)) {
            (CUTS.., CUTS..) => break,
            (kills, flattens) if kills <= flattens => Kind::Kill,
            _ => Kind::Flatten,
        };
        // Spread over the first half of the group: the rest of it is the time that a kill takes.
        crashes.kill_within(command, 1 + round * 37 % (all / 2));
    }
    let cuts = [Kind::Kill, Kind::Flatten].map(|command| crashes.cuts(command));
    assert!(
        cuts.iter().all(|&cuts| cuts >= CUTS),
        "cut in the middle: {cuts:?}"
    );

    // One more start finishes what the last kill cut off.
    let engine = crashes.place.start(&LARGE);
    engine.stop().expect("a clean stop");
    while crashes.poll().is_some() {}
    let journal = records(&crashes.place.data());
    assert!(
        crashes.seen == journal,
        "what was released differs from what is kept"
    );
    let events: Vec<_> = journal.iter().map(|bytes| event(bytes)).collect();
    assert_sequence(&events);
    assert_groups_are_whole(&events);
    let verified = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["journal", "verify"])
        .arg(crashes.place.data())
        .output()
        .expect("the binary starts");
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{said}");
}
