//! Recorded markets through the whole program: every print is booked or refused with a reason, none is lost.
//!
//! The recordings are not part of the repository. Where they are not there, these tests say so and pass.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::place::Place;

/// Where recordings lie: beside the checkout.
fn recording(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

/// Tables that a day of prints fits.
const DAY: [&str; 4] = [
    "capacity.exec_ids=1000000",
    "journal.segment_bytes=8MiB",
    "journal.window_bytes=64MiB",
    "journal.reserve_bytes=16MiB",
];

/// What `ingest --json` says, with the data folder that it wrote.
fn ingest(path: &Path, format: &str) -> (Place, Value) {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command
        .arg("ingest")
        .arg(path)
        .args(["--format", format, "--json", "--data"])
        .arg(place.data());
    for set in place
        .sets(&DAY)
        .iter()
        .filter(|set| !set.starts_with("engine.stale_order_ms"))
    {
        command.args(["--set", set]);
    }
    let output = command.output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (place, serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn count(summary: &Value, path: &str) -> u64 {
    summary.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

fn rejects(summary: &Value) -> u64 {
    let by_code = summary["rejects"].as_object().into_iter().flatten();
    by_code.filter_map(|(_, count)| count.as_u64()).sum()
}

fn assert_audit(place: &Place) {
    let report = tradewind_views::verify(&place.data()).expect("a journal");
    assert!(report.is_ok(), "{:?}", report.checks);
}

/// The file has 451,544 line ends, and a last line without one.
const SPY_PRINTS: u64 = 451_545;

/// One day of SPY as executed trades of four accounts.
#[test]
fn all_prints_of_a_day_of_spy_go_through() {
    let Some(path) = recording("trades/us_equity_spy_20131008_trade.zip") else {
        return;
    };
    let (place, summary) = ingest(&path, "us-equity-trades");
    assert_eq!(count(&summary, "/kinds/trade_capture"), SPY_PRINTS);
    assert_eq!(count(&summary, "/lines_unreadable"), 0);
    let (messages, last_trades) = (count(&summary, "/messages"), count(&summary, "/kinds/last_trade"));
    assert_eq!(
        messages,
        SPY_PRINTS + last_trades,
        "every message is in the journal"
    );
    // Each print stands there with its verdict: the refused ones are those far outside the collar.
    let quarantined = count(&summary, "/rejects/QUARANTINE_PRICE");
    assert_eq!(rejects(&summary), quarantined, "{}", summary["rejects"]);
    assert!(quarantined < 100, "{quarantined} prints are in quarantine");
    let positions = summary
        .pointer("/state/positions")
        .and_then(Value::as_array)
        .expect("positions");
    assert_eq!(positions.len(), 4);
    assert_audit(&place);
}

/// As our own trades, once a trade. What is refused was recorded twice.
#[test]
fn recorded_trades_of_binance_are_booked_once() {
    for name in [
        "trades/binance_spot_btcusdt_trades_20240809.csv.gz",
        "trades/binance_usdm_btcusdt_trades_20240808.csv.gz",
    ] {
        let Some(path) = recording(name) else { continue };
        let (place, summary) = ingest(&path, "binance-trades-csv");
        let (trades, last_trades) = (
            count(&summary, "/kinds/trade_capture"),
            count(&summary, "/kinds/last_trade"),
        );
        assert!(
            trades > 0 && trades + last_trades == count(&summary, "/messages"),
            "{name}: every message is in the journal"
        );
        assert_eq!(rejects(&summary), 0, "{name}: {}", summary["rejects"]);
        assert_audit(&place);
    }
}

#[test]
fn recorded_quotes_of_binance_go_through() {
    let frames = [
        "binance/spot_btcusdt_20240808.jsonl.gz",
        "binance/usdm_btcusdt_20240808.jsonl.gz",
    ];
    for name in frames {
        let Some(path) = recording(name) else { continue };
        let (place, summary) = ingest(&path, "binance-frames");
        let known = count(&summary, "/kinds/quote") + count(&summary, "/kinds/last_trade");
        assert!(
            known > 0 && known == count(&summary, "/messages"),
            "{name}: every message is in the journal"
        );
        assert_eq!(rejects(&summary), 0, "{name}: {}", summary["rejects"]);
        assert_audit(&place);
    }
}
