//! Bodies of reconciliation: what somebody else's statement says against our books, and what people make of it.
//!
//! A run is one statement: its [`ReconRun`], a [`ReconFinding`] for each line that does not simply match, and a [`ReconEnd`] for each
//! account that was compared to its end. A run whose end is missing was cut off: what it found counts, what it did not find does not.
//!
//! Nobody decides these events; normalize fills in the ids of names that it knows. They change no balance, position or limit.

use super::Body;
use crate::fixed::Money;
use crate::ids::{AccountId, InstrumentId, NodeId, Seq, VenueId};
use crate::text::{Code, ExecId, Symbol, Text};
use crate::time::{DayNumber, UnixNanos};
use bytemuck::{Pod, Zeroable};

/// A statement is held against our books. The record's number is the run's. The reason stands in the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ReconRun {
    /// BLAKE3 of the statement's bytes.
    pub statement: [u8; 32],
    /// Who asked for it.
    pub author: Code,
    /// Where the statement comes from, for people: the name of its file.
    pub source: Text<40>,
    /// Last input of our side.
    pub as_of_seq: Seq,
    /// Its time, nanoseconds.
    pub as_of_ns: UnixNanos,
    /// Cash may differ by this much, at 1e-8.
    pub tolerance: i64,
    /// First trade date of trades that were compared; 0 = no bound.
    pub from: DayNumber,
    /// Last trade date; 0 = no bound.
    pub to: DayNumber,
    /// Accounts of the statement.
    pub accounts: u32,
    #[doc(hidden)]
    pub reserved: [u32; 13],
}

const _: () = assert!(size_of::<ReconRun>() == 192);

impl Body for ReconRun {
    const INPUT_LEN: usize = 140;
}

/// A line of a run on which the sides are not simply alike. Figures that a side does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ReconFinding {
    /// Our settled quantity or cash, or our trade's quantity, at 1e-8.
    pub ours: i128,
    /// The same with trades that are not settled yet.
    pub traded: i128,
    /// What the statement says.
    pub theirs: i128,
    /// Fee of our trade.
    pub our_fee: Money,
    /// Fee of the statement's trade.
    pub their_fee: Money,
    /// What names the line in every run: the first bytes of a BLAKE3.
    pub key: [u8; 16],
    /// Number of the run.
    pub run: Seq,
    /// Price of our trade.
    pub our_px: i64,
    /// Price of the statement's trade.
    pub their_px: i64,
    /// The `state_set` that restricts the instrument because of this line; 0 where none does.
    pub restricted_by: Seq,
    /// Account, as the statement names it.
    pub account_code: Code,
    /// Instrument or currency, as the statement names it.
    pub item: Symbol,
    /// The venue's identifier of a trade, or its order's.
    pub identifier: ExecId,
    /// Venue of a trade; `NONE` where nothing names one.
    pub venue: VenueId,
    /// [`ReconSubject`](crate::codes::ReconSubject).
    pub subject: u8,
    /// [`ReconStatus`](crate::codes::ReconStatus).
    pub status: u8,
    /// Fields of a trade that differ, as bits of [`recon_fields`].
    pub fields: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Trade date of a trade; 0 where nothing tells it.
    pub trade_date: DayNumber,
    /// Account, where we know it.
    pub account: AccountId,
    /// Its node.
    pub node: NodeId,
    /// Instrument, where the line is about one that we know.
    pub instrument: InstrumentId,
}

const _: () = assert!(size_of::<ReconFinding>() == 256);

impl Body for ReconFinding {
    const INPUT_LEN: usize = 244;
}

/// Bits of [`ReconFinding::fields`].
pub mod recon_fields {
    /// Instrument.
    pub const SYMBOL: u8 = 1;
    /// Side.
    pub const SIDE: u8 = 2;
    /// Quantity.
    pub const QTY: u8 = 4;
    /// Price.
    pub const PX: u8 = 8;
    /// Fee, by more than one minor unit.
    pub const FEE: u8 = 16;
}

/// An account was compared to its end: what a run before found in what this one covers, and this one did not, is there no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ReconEnd {
    /// Number of the run.
    pub run: Seq,
    /// Account, as the statement names it.
    pub account_code: Code,
    /// Lines that are alike.
    pub matched: u32,
    /// Lines that trades which are not settled yet explain, and cash within the tolerance.
    pub explained: u32,
    /// Lines that break.
    pub breaks: u32,
    /// What was compared, as bits of [`recon_covers`].
    pub covers: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Account, where we know it.
    pub account: AccountId,
    /// Its node.
    pub node: NodeId,
    #[doc(hidden)]
    pub reserved2: [u64; 8],
}

const _: () = assert!(size_of::<ReconEnd>() == 128);

impl Body for ReconEnd {
    const INPUT_LEN: usize = 53;
}

/// Bits of [`ReconEnd::covers`].
pub mod recon_covers {
    /// Positions.
    pub const POSITIONS: u8 = 1;
    /// Cash.
    pub const CASH: u8 = 2;
    /// Trades of the run's dates.
    pub const TRADES: u8 = 4;
}

/// A person takes, explains or closes a break. The comment stands in the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ReconAction {
    /// The break: number of the record that opened it.
    pub break_seq: Seq,
    /// Who.
    pub author: Code,
    /// Who is to see to it, for [`ReconVerb::Assign`](crate::codes::ReconVerb).
    pub assignee: Code,
    /// [`ReconVerb`](crate::codes::ReconVerb).
    pub verb: u8,
    /// [`ReconResolution`](crate::codes::ReconResolution), for [`ReconVerb::Resolve`](crate::codes::ReconVerb); else 0.
    pub resolution: u8,
    #[doc(hidden)]
    pub reserved: [u8; 54],
}

const _: () = assert!(size_of::<ReconAction>() == 128);

impl Body for ReconAction {
    const INPUT_LEN: usize = 74;
}
