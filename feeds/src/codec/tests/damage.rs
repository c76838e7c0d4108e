//! Properties: no bytes panic, and every line is accounted for.

use super::streams::{gzip, zip_of};
use super::*;
use proptest::prelude::*;

const SAMPLES: [(Format, &str); 6] = [
    (Format::TradesCsv, TRADES),
    (Format::OrdersCsv, ORDERS),
    (Format::Jsonl, JSONL),
    (Format::UsEquityTrades, PRINTS),
    (Format::BinanceTradesCsv, BINANCE_TRADES),
    (Format::BinanceFrames, FRAMES),
];

/// Damages `text`: each change overwrites, removes or repeats some bytes at a place.
fn damaged(text: &[u8], changes: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for &(at, how, byte) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        let end = (at + usize::from(byte) % 16).min(bytes.len());
        match how % 4 {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.drain(at..end)),
            _ => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
        }
    }
    bytes
}

proptest! {
    #[test]
    fn damaged_files_do_not_panic_and_every_line_is_accounted_for(
        sample in 0..SAMPLES.len(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 0..40),
    ) {
        let (format, text) = SAMPLES[sample];
        let bytes = damaged(text.as_bytes(), &changes);
        let counts = decode_bytes(format, &bytes);
        // One message a line, or two where prints set marks as well.
        prop_assert!(counts.events <= 2 * (counts.lines - counts.errors - counts.skipped));
        prop_assert!(counts.events >= counts.lines - counts.errors - counts.skipped);
        decode_bytes(format, &damaged(&gzip(text.as_bytes()), &changes));
        decode_bytes(format, &damaged(&zip_of(&[("20131008_spy.csv", text.as_bytes())]), &changes));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for format in Format::ALL {
            decode_bytes(format, &bytes);
        }
    }
}
