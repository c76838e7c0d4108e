//! What is sent: a firm to trade for, and a stream of messages whose outcome is known beforehand.
//!
//! `cycles`: each new order followed by its fill. `canonical`: blocks of 1,000 messages, 600 quotes and 84 last trades with
//! 100 new orders and what becomes of them (see [`script`]).
//!
//! # Invariants
//! - Order ids are foreseen: the engine numbers accepted orders without gaps, and the stream knows which it accepts. So a
//!   fill names its order although the sender never reads an answer. One refusal too many shifts all ids after it, and
//!   [`Workload::foreseen`] shows it.
//! - Each pair of account and instrument is bought and sold in turn in the same quantity, so positions stay bounded.
//! - Every identifier is used once in a run; the run's tag keeps runs in one journal apart.
//!
//! Not here: prices that mean anything. All orders trade at the configured price of their instrument.

mod firm;
pub mod script;
mod stream;
#[cfg(test)]
mod tests;

pub use stream::Stream;

use firm::Firm;
use script::Script;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use tradewind_domain::event::{Capacities, InboundLong};
use tradewind_domain::reject::RejectCode;
use tradewind_machine::latency::Counters;
use tradewind_machine::source::LongSource;
use tradewind_machine::topology::StageName;

/// The most accounts.
pub const ACCOUNTS_MAX: u32 = 1_000_000;
/// The most instruments.
pub const INSTRUMENTS_MAX: u32 = 100_000;
/// The most messages of a run, warm-up included.
pub const MESSAGES_MAX: u64 = 1_000_000_000;
/// Age of time stamps above which orders are refused (L09): the engine under test must run with this, no check, because
/// messages that a full ring held back carry their planned time.
pub const STALE_ORDER_MS: u32 = 0;

/// Which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Each new order followed by its fill.
    Cycles,
    /// Quotes, last trades, orders with acknowledgements, fills, cancels and rejects.
    Canonical,
}

impl Mix {
    /// The name on the command line.
    pub const fn text(self) -> &'static str {
        match self {
            Mix::Cycles => "cycles",
            Mix::Canonical => "canonical",
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl FromStr for Mix {
    type Err = WorkloadError;

    fn from_str(text: &str) -> Result<Self, WorkloadError> {
        [Mix::Cycles, Mix::Canonical]
            .into_iter()
            .find(|mix| mix.text() == text)
            .ok_or_else(|| WorkloadError::Mix(text.to_owned()))
    }
}

/// Why there is no such workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// Unknown mix.
    #[error("a mix is `cycles` or `canonical`, not `{0}`")]
    Mix(String),
    /// A size out of range.
    #[error("{what} must be from 1 to {max}, not {given}")]
    Size {
        /// Which.
        what: &'static str,
        /// The largest.
        max: u64,
        /// What was asked for.
        given: u64,
    },
    /// The pipeline ended while the firm was being set up.
    #[error("the pipeline ended while reference data was being set")]
    Ended,
}

/// Sizes of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkloadConfig {
    /// Which messages.
    pub mix: Mix,
    /// Accounts that trade.
    pub accounts: u32,
    /// Instruments that are traded.
    pub instruments: u32,
    /// Messages that are measured; rounded up to whole blocks of the mix.
    pub events: u64,
    /// Messages before those; `None`: a tenth of `events`, and each pair of account and instrument at least once.
    pub warmup: Option<u64>,
}

impl Default for WorkloadConfig {
    fn default() -> Self {
        Self {
            mix: Mix::Cycles,
            accounts: 1_000,
            instruments: 100,
            events: 2_000_000,
            warmup: None,
        }
    }
}

/// Inputs of a span of the stream by what they are and become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    /// Number of the [`Kind`](tradewind_domain::event::Kind).
    pub kind: u16,
    /// Number of the [`RejectCode`]; 0 for accepted.
    pub code: u16,
}

/// How many inputs had which outcome.
pub type Outcomes = BTreeMap<Outcome, u64>;

/// A workload: its firm, its script and its length.
#[derive(Clone, Debug)]
pub struct Workload {
    config: WorkloadConfig,
    firm: Firm,
    script: Script,
    warmup_blocks: u64,
    blocks: u64,
}

fn within(what: &'static str, given: u64, max: u64) -> Result<u64, WorkloadError> {
    if (1..=max).contains(&given) {
        Ok(given)
    } else {
        Err(WorkloadError::Size { what, max, given })
    }
}

impl Workload {
    /// A workload of these sizes.
    pub fn new(config: WorkloadConfig) -> Result<Self, WorkloadError> {
        within("accounts", u64::from(config.accounts), u64::from(ACCOUNTS_MAX))?;
        within(
            "instruments",
            u64::from(config.instruments),
            u64::from(INSTRUMENTS_MAX),
        )?;
        within("events", config.events, MESSAGES_MAX)?;
        let firm = Firm::new(config.accounts, config.instruments);
        let script = Script::of(config.mix);
        let block = script.messages();
        let one_pass = u64::from(firm.pairs()).div_ceil(script.orders()) * block;
        let warmup = config.warmup.unwrap_or_else(|| one_pass.max(config.events / 10));
        let workload = Self {
            config,
            firm,
            warmup_blocks: warmup.div_ceil(block),
            blocks: config.events.div_ceil(block),
            script,
        };
        within("events and warm-up together", workload.messages(), MESSAGES_MAX)?;
        Ok(workload)
    }

    /// The sizes asked for.
    pub fn config(&self) -> &WorkloadConfig {
        &self.config
    }

    /// Messages before the measured ones.
    pub fn warmup_messages(&self) -> u64 {
        self.warmup_blocks.saturating_mul(self.script.messages())
    }

    /// All messages.
    pub fn messages(&self) -> u64 {
        self.warmup_blocks
            .saturating_add(self.blocks)
            .saturating_mul(self.script.messages())
    }

    /// Messages of one block of the mix, and how many of them are new orders.
    pub fn block(&self) -> (u64, u64) {
        (self.script.messages(), self.script.orders())
    }

    /// Limits that are set, over all nodes.
    pub fn limit_count(&self) -> u32 {
        self.firm.limit_count()
    }

    /// Limits that each order meets on its way from its account up to the firm.
    pub fn limits_on_chain(&self) -> u32 {
        firm::LIMITS_ON_CHAIN
    }

    /// Pairs of account and instrument that trade.
    pub fn pairs(&self) -> u32 {
        self.firm.pairs()
    }

    /// The admin and cash events that set up the firm, to be taken before the stream begins.
    pub fn preparation(&self) -> impl Iterator<Item = InboundLong> + '_ {
        self.firm.events()
    }

    /// How many those are.
    pub fn preparation_len(&self) -> u64 {
        self.firm.event_count()
    }

    /// Table sizes that hold this workload on a fresh journal.
    pub fn capacities(&self) -> Capacities {
        let blocks = self.warmup_blocks + self.blocks;
        let firm = self.firm.capacities();
        let room = |count: u64| u32::try_from(count + 1_024).unwrap_or(u32::MAX);
        Capacities {
            cl_ord_ids: room(blocks * self.script.orders()),
            exec_ids: room(blocks * self.script.fills() + u64::from(firm.wallets)),
            ..firm
        }
    }

    /// Outcomes of the measured messages, on a fresh journal without other load.
    pub fn foreseen(&self) -> Outcomes {
        let scaled = |(outcome, count): (Outcome, u64)| (outcome, count * self.blocks);
        self.script.outcomes().into_iter().map(scaled).collect()
    }

    /// The messages, from the first. `run_tag` stands in every identifier: the run's number in its journal.
    pub fn stream(&self, run_tag: u32) -> Stream<'_> {
        Stream::new(&self.firm, &self.script, run_tag)
    }
}

/// Shows an outcome as `order_new MAX_ORDER_QTY`, or `order_new ok`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind =
            tradewind_domain::event::Kind::from_number(self.kind).map_or("unknown", |kind| kind.text());
        match (self.code, RejectCode::from_number(self.code)) {
            (0, _) => write!(f, "{kind} ok"),
            (_, Some(code)) => write!(f, "{kind} {}", code.text()),
            (code, None) => write!(f, "{kind} {code}"),
        }
    }
}

/// Hands the firm's events to the engine and waits until all are journaled. Returns how many.
pub fn prepare(workload: &Workload, long: &LongSource, counters: &Counters) -> Result<u64, WorkloadError> {
    let journaled = || counters.figures()[StageName::Journal as usize].events;
    let before = journaled();
    for event in workload.preparation() {
        let mut message = event;
        while let Err(back) = long.push(message) {
            if long.is_closed() {
                return Err(WorkloadError::Ended);
            }
            message = back;
            std::thread::yield_now();
        }
    }
    while journaled() < before + workload.preparation_len() {
        if long.is_closed() {
            return Err(WorkloadError::Ended);
        }
        std::thread::yield_now();
    }
    Ok(workload.preparation_len())
}
