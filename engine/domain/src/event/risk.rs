//! Bodies of what risk managers do beside setting limits: restricted lists, quarantine, alerts, questions about limits.

use super::Body;
use crate::ids::{AccountId, InstrumentId, LimitId, NodeId, Seq};
use crate::text::Code;
use crate::time::UnixNanos;
use bytemuck::{Pod, Zeroable};

/// One line of a restricted list: what a RESTRICTED limit says of one instrument (L06). The instrument's symbol stands in the
/// event's names; the reason in the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RestrictedSet {
    /// Name of the limit.
    pub label: Code,
    /// Who set it.
    pub author: Code,
    /// [`Restriction`](crate::codes::Restriction); 0 takes the instrument off the list.
    pub restriction: u8,
    #[doc(hidden)]
    pub reserved: [u8; 7],
    /// The limit.
    pub limit: LimitId,
    /// The instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: [u64; 6],
}

const _: () = assert!(size_of::<RestrictedSet>() == 128);

impl Body for RestrictedSet {
    const INPUT_LEN: usize = 72;
}

/// What becomes of a quarantined trade (LIMITS section 9). The reason stands in the tail; names may give another account or
/// instrument for a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct QuarantineResolve {
    /// Sequence number of the quarantined trade.
    pub trade_seq: Seq,
    /// Who decides.
    pub author: Code,
    /// Repaired quantity; 0 keeps the trade's.
    pub qty: i64,
    /// Repaired price; 0 keeps the trade's.
    pub px: i64,
    /// [`QuarantineAction`](crate::codes::QuarantineAction).
    pub action: u8,
    /// Repaired side; 0 keeps the trade's.
    pub side: u8,
    /// Decimals of `qty`.
    pub qty_dp: u8,
    /// Decimals of `px`.
    pub px_dp: u8,
    #[doc(hidden)]
    pub reserved: [u8; 4],
    /// Repaired leaf; none keeps the trade's.
    pub leaf: NodeId,
    /// Repaired account.
    pub account: AccountId,
    /// Repaired instrument; none keeps the trade's.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: [u32; 13],
}

const _: () = assert!(size_of::<QuarantineResolve>() == 128);

impl Body for QuarantineResolve {
    const INPUT_LEN: usize = 64;
}

/// What [`AlertAction::action`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AlertVerb {
    /// Somebody has taken the incident: it escalates no further.
    Acknowledge = 1,
    /// The incident is over.
    Resolve = 2,
}

/// A person acknowledges or resolves an incident. The comment stands in the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct AlertAction {
    /// The incident, as the alert manager numbers it.
    pub incident: u64,
    /// Who.
    pub author: Code,
    /// [`AlertVerb`].
    pub action: u8,
    #[doc(hidden)]
    pub reserved: [u8; 23],
}

const _: () = assert!(size_of::<AlertAction>() == 64);

impl Body for AlertAction {
    const INPUT_LEN: usize = 64;
}

/// A maintenance window: notifications below CRITICAL are muted, the record is not. The reason stands in the tail; the
/// event's names may give the node that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct AlertMaintenance {
    /// From when, nanoseconds.
    pub from_ns: UnixNanos,
    /// Until when (exclusive), nanoseconds; not above `from_ns` ends a window early.
    pub until_ns: UnixNanos,
    /// Who.
    pub author: Code,
    /// Only what concerns this node and those below; none for all.
    pub node: NodeId,
    #[doc(hidden)]
    pub reserved: [u32; 3],
}

const _: () = assert!(size_of::<AlertMaintenance>() == 64);

impl Body for AlertMaintenance {
    const INPUT_LEN: usize = 48;
}

/// What is used of a limit, and what would be if this order were placed? Answered by the limit check, changes nothing. The
/// event's names give the account (or strategy) and the instrument of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LimitProbe {
    /// Name of the limit.
    pub label: Code,
    /// Quantity of the order; 0 asks for the use as it stands.
    pub qty: i64,
    /// Its limit price.
    pub px: i64,
    /// Its stop price.
    pub stop_px: i64,
    /// Price at which the trader would give up.
    pub stop_loss_px: i64,
    /// [`Side`](crate::codes::Side); 0 where there is no order.
    pub side: u8,
    /// [`OrderType`](crate::codes::OrderType).
    pub ord_type: u8,
    /// Decimals of `qty`.
    pub qty_dp: u8,
    /// Decimals of the prices.
    pub px_dp: u8,
    #[doc(hidden)]
    pub reserved: [u8; 4],
    /// The limit.
    pub limit: LimitId,
    /// Narrowest node of the question; none asks for the limit's own node.
    pub leaf: NodeId,
    /// The account.
    pub account: AccountId,
    /// The instrument; none where the question is not about one.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved4: u64,
    /// What is used (after the order, where one is given), in the limit's unit.
    pub used: i128,
    /// What must not be exceeded, in the same unit.
    pub hard: i128,
    /// Equity that a percentage is taken of, base currency at 1e-8; 0 where the limit has none.
    pub equity: i128,
    /// [`LimitType`](crate::codes::LimitType).
    pub limit_type: u8,
    #[doc(hidden)]
    pub reserved2: [u8; 15],
    #[doc(hidden)]
    pub reserved3: [u64; 4],
}

const _: () = assert!(size_of::<LimitProbe>() == 192);

impl Body for LimitProbe {
    const INPUT_LEN: usize = 72;
}
