//! What each fuzz target does with its bytes. The targets of libFuzzer (`fuzz/targets`) and an ordinary test of the workspace
//! (`tests/fuzz_seeds.rs`, on the seeds of `fuzz/corpus-seeds`) call the same functions.
//!
//! # Invariants
//! - A body reads its bytes with [`Script`]: bytes that run out read as zeros, so every input means something.
//! - The same bytes do the same: no clock, no random number, nothing kept from one call to the next.

mod config;
mod control;
mod files;
mod journal;
mod pipeline;
mod record;
mod rules;
pub mod seeds;

/// A target's name and body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub static TARGETS: [Target; 13] = [
    ("journal_reader", journal::reader),
    ("journal_recovery", journal::recovery),
    ("record", record::record),
    ("normalize_process", pipeline::process),
    ("config", config::config),
    ("rules", rules::rules),
    ("control_request", control::request),
    ("trades_csv", files::trades_csv),
    ("orders_csv", files::orders_csv),
    ("jsonl", files::jsonl),
    ("us_equity_trades", files::us_equity_trades),
    ("binance_trades_csv", files::binance_trades_csv),
    ("binance_frames", files::binance_frames),
];

/// Runs the body of a target.
///
/// # Panics
/// Where the body finds something wrong, and for a name that is none.
pub fn run(name: &str, bytes: &[u8]) {
    let Some((_, body)) = TARGETS.iter().find(|(known, _)| *known == name) else {
        panic!("there is no fuzz target {name}");
    };
    body(bytes);
}

/// A fuzzer's bytes, read from the front.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next bytes, at most so many.
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// A number below `count`, which is above zero.
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.u16()) % count
    }
}
