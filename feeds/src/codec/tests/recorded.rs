//! Recordings of real markets. Where their folder is absent these tests say so and pass.

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The folder of recorded data, or `None`, said on the terminal, where it is absent.
fn recorded(path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("TRADEWIND_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = folder.join(path);
    if !file.is_file() {
        eprintln!(
            "skipped: no recorded data at {} (set TRADEWIND_DATA)",
            file.display()
        );
        return None;
    }
    Some(file)
}

/// Reads a recording that must have no broken line, and counts its messages by kind.
fn kinds_of(format: Format, path: &Path, options: &Options) -> (Counts, BTreeMap<&'static str, u64>) {
    let mut recording = open(format, path, options).unwrap();
    let mut kinds = BTreeMap::new();
    for read in recording.by_ref() {
        let inbound = read.unwrap();
        *kinds
            .entry(Kind::from_number(inbound.kind).unwrap().text())
            .or_default() += 1;
    }
    assert_eq!(
        recording.progress().read(),
        recording.progress().total(),
        "{}",
        path.display()
    );
    (recording.counts(), kinds)
}

#[test]
fn every_print_of_a_recorded_day_comes_out() {
    // The last line of each file has no line end: `wc -l` says one less.
    for (name, lines) in [
        ("us_equity_spy_20131008_trade.zip", 451_545),
        ("us_equity_bac_20131010_trade.zip", 124_567),
    ] {
        let Some(path) = recorded(&format!("trades/{name}")) else {
            return;
        };
        let (counts, kinds) = kinds_of(Format::UsEquityTrades, &path, &options());
        assert_eq!(
            counts,
            Counts {
                lines,
                events: lines,
                skipped: 0,
                errors: 0
            }
        );
        assert_eq!(kinds, BTreeMap::from([("trade_capture", lines)]));
        let options = Options {
            last_trades: true,
            ..options()
        };
        let (_, kinds) = kinds_of(Format::UsEquityTrades, &path, &options);
        assert_eq!(kinds["trade_capture"], lines);
    }
}

#[test]
fn recorded_binance_trades_come_out_in_full() {
    for (name, lines) in [
        ("binance_spot_btcusdt_trades_20240809.csv.gz", 10_147),
        ("binance_usdm_btcusdt_trades_20240808.csv.gz", 21_313),
    ] {
        let Some(path) = recorded(&format!("trades/{name}")) else {
            return;
        };
        let (counts, _) = kinds_of(Format::BinanceTradesCsv, &path, &options());
        assert_eq!(
            counts,
            Counts {
                lines,
                events: lines,
                skipped: 0,
                errors: 0
            }
        );
    }
}

#[test]
fn recorded_binance_frames_are_quotes_last_trades_or_skipped() {
    for (name, quotes, trades, skipped) in [
        ("usdm_btcusdt_20240808", 66_089, 21_313, 6_552),
        ("coinm_btcusd_perp_20240808", 19_136, 2_286, 26_848),
        ("spot_btcusdt_20240809", 45_134, 10_147, 3_044),
    ] {
        let Some(path) = recorded(&format!("binance/{name}.jsonl.gz")) else {
            return;
        };
        let (counts, kinds) = kinds_of(Format::BinanceFrames, &path, &options());
        assert_eq!(
            kinds,
            BTreeMap::from([("quote", quotes), ("last_trade", trades)]),
            "{name}"
        );
        assert_eq!((counts.skipped, counts.errors), (skipped, 0), "{name}");
    }
}

#[test]
fn frames_of_the_other_recorder_are_read_as_well() {
    for (name, quotes, skipped) in [
        ("cryptofeed_BINANCE.ws.1.0", 84, 182),
        ("cryptofeed_BINANCE_FUTURES.ws.1.0", 613, 923),
        ("cryptofeed_BINANCE.http.0.0", 0, 4),
    ] {
        let Some(path) = recorded(&format!("binance/{name}.txt.gz")) else {
            return;
        };
        let (counts, kinds) = kinds_of(Format::BinanceFrames, &path, &options());
        assert_eq!(kinds.get("quote").copied().unwrap_or(0), quotes, "{name}");
        assert_eq!(
            (counts.events, counts.skipped, counts.errors),
            (quotes, skipped, 0),
            "{name}"
        );
    }
}
