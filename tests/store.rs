//! The store beside the real binary: `kill -9` of a session that writes to its database, again and again. What the database has in the end is
//! what the journal says, row by row.

mod support;

#[allow(dead_code, reason = "the store's own tests use the rest of it")]
#[path = "../ledger/store/tests/support/cluster.rs"]
mod cluster;

use cluster::Cluster;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::place::Place;
use tradewind_store::{Target, contents, inspect};

/// Kills of one test.
const KILLS: u64 = 4;
/// Inputs that the database has to be given before each of them.
const INPUTS: u64 = 2_000;
/// SIGKILL.
const KILLED: i32 = 9;
/// Sizes for a session on the machine's time, and small transactions.
const SESSION: [&str; 10] = [
    "engine.clock=wall",
    "engine.stale_order_ms=0",
    "demo.orders_per_s=5000",
    "capacity.instruments=1024",
    "capacity.nodes=1024",
    "capacity.limits=1024",
    "capacity.open_orders=65536",
    "capacity.cl_ord_ids=262144",
    "capacity.exec_ids=524288",
    "store.pause_ms=5",
];

/// A session with a store; `seconds` ends it in good order.
fn session(place: &Place, url: &str, seconds: Option<u32>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.arg("run").arg("--data").arg(place.data());
    if let Some(seconds) = seconds {
        command.args(["--duration", &seconds.to_string()]);
    }
    let url = format!("store.url={url}");
    let more: Vec<&str> = SESSION.into_iter().chain(["store.enabled=true", &url]).collect();
    for set in place.sets(&more) {
        command.args(["--set", &set]);
    }
    let log = File::create(place.root().join("stderr")).expect("a file for what it says");
    command
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the binary starts")
}

fn said(place: &Place) -> String {
    std::fs::read_to_string(place.root().join("stderr")).unwrap_or_default()
}

/// Number of the last input that the database has.
fn written(target: &Target) -> u64 {
    let place = inspect(target).ok().and_then(|found| found.saved.place);
    place.map_or(0, |place| place.seq)
}

fn survives(place: &Place, url: &str) {
    let target = Target::parse(url, &place.data()).expect("an address");
    for _ in 0..KILLS {
        let goal = written(&target) + INPUTS;
        let mut child = session(place, url, None);
        while written(&target) < goal {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none(), "{}", said(place));
            std::thread::park_timeout(Duration::from_millis(5));
        }
        child.kill().expect("a child");
        let status = child.wait().expect("a child");
        assert_eq!(status.signal(), Some(KILLED), "{}", said(place));
    }
    let mut child = session(place, url, Some(1));
    assert!(child.wait().expect("a child").success(), "{}", said(place));
    let anew = format!("sqlite:{}", place.root().join("anew.db").display());
    for arguments in [["status", url], ["rebuild", &anew]] {
        let done = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["store", arguments[0], "--json", "--url", arguments[1], "--data"])
            .arg(place.data())
            .output()
            .expect("the binary starts");
        let answer = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{answer}");
        assert!(
            arguments[0] != "status" || answer.contains("\"behind_bytes\": 0"),
            "{answer}"
        );
    }
    let anew = Target::parse(&anew, &place.data()).expect("an address");
    let (found, expected) = (contents(&target).expect("rows"), contents(&anew).expect("rows"));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.table, expected.table);
        let differs = found
            .rows
            .iter()
            .zip(&expected.rows)
            .find(|(found, expected)| found != expected);
        assert_eq!(differs, None, "{} ({:?})", found.table, found.columns);
        assert_eq!(found.rows.len(), expected.rows.len(), "{}", found.table);
    }
    let trades = found.iter().find(|table| table.table == "executions");
    assert!(trades.is_some_and(|table| table.rows.len() > 500));
}

#[test]
fn kills_of_a_session_that_writes_to_a_file_miss_and_double_nothing() {
    survives(&Place::new(), "sqlite:store.db");
}

#[test]
fn kills_of_a_session_that_writes_to_a_server_miss_and_double_nothing() {
    let cluster = Cluster::start();
    survives(&Place::new(), &cluster.database("killed"));
}
