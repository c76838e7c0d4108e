//! Bodies of sessions, timers, documents and the engine's own events.

use super::Body;
use crate::ids::{CalendarId, Seq, SessionId};
use crate::text::{Code, Text};
use crate::time::{DayNumber, UnixNanos};
use bytemuck::{Pod, Zeroable};

/// A client session came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct SessionEvent {
    /// Session.
    pub session: SessionId,
    /// Cancel on disconnect: grace in milliseconds; `u32::MAX` = never.
    pub grace_ms: u32,
    /// Next sequence number expected from the client.
    pub next_in: u64,
    /// Next sequence number to the client.
    pub next_out: u64,
    /// 1: GTC and GTD orders are cancelled too.
    pub include_gtc: u8,
    #[doc(hidden)]
    pub reserved: [u8; 7],
    /// Name.
    pub name: Code,
}

impl Body for SessionEvent {
    const INPUT_LEN: usize = 64;
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TimerKind {
    /// A calendar's trading day rolls.
    DayRoll = 1,
    /// The grace of a lost session is over.
    CancelOnDisconnect = 2,
}

/// Something is due; emitted by ingest before the event whose time makes it due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Timer {
    /// When it was due.
    pub due_ns: UnixNanos,
    /// [`TimerKind`].
    pub timer: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Calendar that rolls.
    pub calendar: CalendarId,
    /// The new trading date.
    pub date: DayNumber,
    /// Session that is lost.
    pub session: SessionId,
    /// 1: GTC and GTD orders are cancelled too.
    pub include_gtc: u8,
    #[doc(hidden)]
    pub reserved2: [u8; 3],
    #[doc(hidden)]
    pub reserved3: [u64; 5],
}

impl Body for Timer {
    const INPUT_LEN: usize = 24;
}

/// What a document is, in [`Blob::document`]. Numbers are journaled: append only.
pub mod documents {
    /// Business rules: source text and compiled form.
    pub const RULES: u16 = 1;
    /// Alert rules that a firm has written on top of the standard ones.
    pub const ALERT_RULES: u16 = 2;
}

/// A part of a document; the bytes are the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Blob {
    /// BLAKE3 of the whole document.
    pub hash: [u8; 32],
    /// Bytes of the whole document.
    pub total_len: u32,
    /// Where this part begins.
    pub offset: u32,
    /// What the document is ([`documents`]).
    pub document: u16,
    #[doc(hidden)]
    pub reserved: [u16; 11],
}

impl Body for Blob {
    const INPUT_LEN: usize = 42;
}

/// What an edge refused before ingest could see it, once a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct EdgeStats {
    /// Name of the edge.
    pub edge: Code,
    /// Messages received.
    pub received: u64,
    /// Messages passed on.
    pub passed: u64,
    /// Market data conflated away.
    pub conflated: u64,
    /// Refused because the ring was full (answered with "try again").
    pub ring_full: u64,
    /// Refused because the message could not be read.
    pub malformed: u64,
    /// Refused for want of authentication.
    pub unauthenticated: u64,
    #[doc(hidden)]
    pub reserved: [u64; 22],
}

impl Body for EdgeStats {
    const INPUT_LEN: usize = 80;
}

/// Sizes of tables that can refuse with CAPACITY. They can change an outcome, so they are journaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Capacities {
    /// Instruments.
    pub instruments: u32,
    /// Nodes of the hierarchy, accounts included.
    pub nodes: u32,
    /// Open orders.
    pub open_orders: u32,
    /// Closed orders that are remembered for late fills.
    pub closed_orders: u32,
    /// Pairs of node and instrument.
    pub node_instruments: u32,
    /// Holdings: pairs of account and instrument.
    pub holdings: u32,
    /// Wallets: pairs of account and currency.
    pub wallets: u32,
    /// Limits.
    pub limits: u32,
    /// ClOrdIDs of a trading day.
    pub cl_ord_ids: u32,
    /// ExecIDs of a trading day.
    pub exec_ids: u32,
    /// Sessions.
    pub sessions: u32,
    /// Stamps of sliding windows.
    pub limit_stamps: u32,
    /// Lines of restricted lists.
    pub restricted: u32,
    /// Contents of orders that are remembered against repeats.
    pub repeats: u32,
    /// Executions that are remembered for busts.
    pub executions: u32,
    /// Trades in quarantine.
    pub quarantine: u32,
    /// Unsettled buckets: holdings by settlement date. 0 in journals of versions that settled at once.
    pub unsettled: u32,
    /// Tax lots beside one of each holding. 0 in journals of versions that had as many as `executions`.
    pub lots: u32,
}

impl Capacities {
    /// Tax lots beside one of each holding, also for a journal that does not say.
    pub const fn tax_lots(&self) -> u32 {
        if self.lots == 0 {
            self.executions
        } else {
            self.lots
        }
    }
}

impl Default for Capacities {
    /// Sizes for tests and small installations.
    fn default() -> Self {
        Self {
            instruments: 1_024,
            nodes: 4_096,
            open_orders: 16_384,
            closed_orders: 16_384,
            node_instruments: 65_536,
            holdings: 32_768,
            wallets: 8_192,
            limits: 4_096,
            cl_ord_ids: 262_144,
            exec_ids: 262_144,
            sessions: 256,
            limit_stamps: 65_536,
            restricted: 1_024,
            repeats: 16_384,
            executions: 65_536,
            quarantine: 1_024,
            unsettled: 16_384,
            lots: 65_536,
        }
    }
}

/// The first record of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct EngineStarted {
    /// Run number of this journal, from 1.
    pub epoch: u32,
    /// Version of the rules that decide: `verify` re-executes the spans whose version it implements.
    pub rules_version: u32,
    /// Hash of the record layouts.
    pub schema_hash: u64,
    /// Hash of the configuration.
    pub config_hash: u64,
    /// Last sequence number before this run.
    pub previous_seq: Seq,
    /// Version and commit of the program.
    pub build: Text<40>,
    /// [`ClockMode`](crate::codes::ClockMode).
    pub clock_mode: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Shard.
    pub shard: u16,
    /// Slippage assumed for market orders, in basis points.
    pub market_slip_bps: u32,
    /// Age at which a last price is no reference for market orders any more, in milliseconds.
    pub ref_max_age_ms: u32,
    /// Age at which an order's time stamp is stale, in milliseconds; 0 = no check (L09).
    pub stale_order_ms: u32,
    /// Sizes.
    pub capacities: Capacities,
    #[doc(hidden)]
    pub reserved2: [u64; 12],
}

const _: () = assert!(size_of::<EngineStarted>() == 256);

impl Body for EngineStarted {
    const INPUT_LEN: usize = 256;
}

/// The last record of a run that ended in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct EngineStopped {
    /// Run number.
    pub epoch: u32,
    #[doc(hidden)]
    pub reserved: [u32; 15],
}

impl Body for EngineStopped {
    const INPUT_LEN: usize = 64;
}
