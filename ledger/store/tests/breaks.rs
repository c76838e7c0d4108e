//! Breaks of reconciliation in the database: those that the replica has, wherever the store was stopped and started again.

mod support;

use bytemuck::Zeroable;
use std::collections::BTreeMap;
use std::path::Path;
use support::play::Play;
use support::{Cluster, assert_same, follow, made_anew};
use tradewind_domain::codes::{ReconResolution, ReconStatus, ReconSubject, ReconVerb};
use tradewind_domain::event::{Event, Kind, ReconAction, ReconEnd, ReconFinding, ReconRun, recon_covers};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, VenueId};
use tradewind_domain::text::Text;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{Follower, StartAt};
use tradewind_store::{Contents, Store, Target, contents};
use tradewind_views::recon::ReconBook;

/// What happens, one record each.
enum Step {
    Run,
    /// Which line, and what is found of it.
    Found(u8, ReconStatus),
    /// The account was compared to its end.
    End,
    /// The line's break is closed.
    Resolve(u8),
    /// Somebody is to see to the line's break.
    Assign(u8),
}
use Step::*;

/// A line of each fate: open, gone, closed and found again, closed and over and another one, explained and left.
const STORY: &[Step] = &[
    Run,
    Found(1, ReconStatus::QtyBreak),
    Found(2, ReconStatus::CashBreak),
    Found(3, ReconStatus::MissingExternal),
    Found(4, ReconStatus::Timing),
    End,
    Assign(1),
    Resolve(3),
    Run,
    Found(1, ReconStatus::QtyBreak),
    Found(3, ReconStatus::FieldMismatch),
    End,
    Resolve(2),
    Run,
    Found(1, ReconStatus::Timing),
    End,
    Resolve(3),
    Run,
    Found(2, ReconStatus::CashBreak),
    Found(4, ReconStatus::QtyBreak),
];

/// Writes a story, and after each record whatever `each` does.
fn play(data: &Path, mut each: impl FnMut()) {
    let mut play = Play::new(data, 1, 0);
    let (mut run, mut breaks) = (0, BTreeMap::new());
    for step in STORY {
        match step {
            Run => run = play.put(Kind::ReconRun, begun()),
            End => {
                let end = ReconEnd {
                    run,
                    account_code: Text::lossy("ACC-0"),
                    matched: 7,
                    breaks: 2,
                    covers: recon_covers::POSITIONS,
                    account: AccountId(0),
                    ..ReconEnd::zeroed()
                };
                play.put(Kind::ReconEnd, end);
            }
            Found(line, status) => {
                let seq = play.put(Kind::ReconFinding, found(run, *line, *status));
                breaks.entry(*line).or_insert(seq);
            }
            Resolve(line) => {
                let close = ReconAction {
                    break_seq: breaks[line],
                    author: Text::lossy("bo"),
                    verb: ReconVerb::Resolve as u8,
                    resolution: ReconResolution::BrokerError as u8,
                    ..ReconAction::zeroed()
                };
                play.put(Kind::ReconAction, close);
            }
            Assign(line) => {
                let give = ReconAction {
                    break_seq: breaks[line],
                    assignee: Text::lossy("cy"),
                    verb: ReconVerb::Assign as u8,
                    ..ReconAction::zeroed()
                };
                play.put(Kind::ReconAction, give);
            }
        }
        each();
    }
    play.stop();
}

fn begun() -> ReconRun {
    ReconRun {
        statement: [0xab; 32],
        author: Text::lossy("ada"),
        source: Text::lossy("broker.csv"),
        as_of_seq: 5,
        as_of_ns: 1_772_461_800_000_000_001,
        tolerance: 1_000_000,
        from: 20_514,
        to: 20_514,
        accounts: 1,
        ..ReconRun::zeroed()
    }
}

fn found(run: u64, line: u8, status: ReconStatus) -> ReconFinding {
    ReconFinding {
        ours: i128::from(line) * 100_000_000_000_000_000_000,
        traded: -5,
        theirs: 12_345_678,
        our_fee: Money::from_raw(-1),
        their_fee: Money::from_raw(2),
        key: [line; 16],
        run,
        our_px: -3,
        their_px: 4,
        restricted_by: u64::from(line) - 1,
        account_code: Text::lossy("ACC-0"),
        item: Text::lossy("SYM0"),
        identifier: Text::lossy("X-1"),
        venue: VenueId::NONE,
        subject: ReconSubject::Position as u8,
        status: status as u8,
        fields: 24,
        trade_date: u32::from(line % 2) * 20_514,
        account: AccountId(0),
        node: NodeId(2),
        instrument: InstrumentId::NONE,
        ..ReconFinding::zeroed()
    }
}

/// What the replica makes of the journal.
fn book(data: &Path) -> ReconBook {
    let mut follower = Follower::open(data, StartAt::Start).expect("a journal");
    let (mut event, mut book) = (Event::empty(), ReconBook::default());
    while let Some(record) = follower.poll().expect("whole records") {
        event.read_record(record.bytes()).expect("a known record");
        book.observe(&event);
    }
    book
}

/// Columns of a table's rows.
fn columns(all: &[Contents], table: &str, names: &[&str]) -> Vec<Vec<String>> {
    let table = all.iter().find(|found| found.table == table).expect("a table");
    let at = |name: &&str| {
        table
            .columns
            .iter()
            .position(|column| column == name)
            .expect("a column")
    };
    let places: Vec<usize> = names.iter().map(at).collect();
    let row = |row: &Vec<Option<String>>| {
        places
            .iter()
            .map(|at| row[*at].clone().unwrap_or_default())
            .collect()
    };
    table.rows.iter().map(row).collect()
}

#[test]
fn breaks_are_those_of_the_replica_also_where_the_store_begins_again_behind_every_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start();
    let urls = ["sqlite:breaks.db".to_owned(), cluster.database("breaks")];
    let write = |url: &String| {
        let clock = Clock::start().expect("a clock");
        let store = Store::start(follow(url, folder.path()), clock).expect("threads");
        store.stop().expect("everything written");
    };
    play(folder.path(), || urls.iter().for_each(write));
    let anew = made_anew(folder.path());
    for url in &urls {
        let target = Target::parse(url, folder.path()).expect("an address");
        assert_same(&anew, &contents(&target).expect("its contents"));
    }
    let names = [
        "break_seq",
        "is_held",
        "state",
        "status",
        "found",
        "reopened",
        "assignee",
        "resolution",
    ];
    let held: Vec<_> = columns(&anew, "recon_breaks", &names)
        .into_iter()
        .filter(|row| row[1] == "1")
        .collect();
    let expected: Vec<Vec<String>> = book(folder.path())
        .lines()
        .map(|line| {
            vec![
                line.id.to_string(),
                "1".to_owned(),
                line.state.text().to_owned(),
                line.status.text().to_owned(),
                line.found.to_string(),
                line.reopened.to_string(),
                line.assignee.to_string(),
                line.resolution.map_or("", ReconResolution::text).to_owned(),
            ]
        })
        .collect();
    assert_eq!(held, expected);
    let states = columns(&anew, "recon_breaks", &["is_held", "state"]);
    let count = |held: &str, state: &str| states.iter().filter(|row| *row == &[held, state]).count();
    assert_eq!(
        [
            count("1", "OPEN"),
            count("1", "GONE"),
            count("1", "RESOLVED"),
            count("0", "EXPLAINED")
        ],
        [2, 1, 2, 1]
    );
    let runs = columns(&anew, "recon_runs", &["ended", "matched", "breaks", "from_date"]);
    assert_eq!(runs.len(), 4);
    assert_eq!(runs[0], ["1", "7", "2", "2026-03-02"]);
}
