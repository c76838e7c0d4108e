//! Bodies of admin events. Each carries its author; the reason stands in the tail.

use super::Body;
use crate::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, LimitId, NodeId, SessionId, VenueId};
use crate::reference::{CalendarDay, Instrument};
use crate::text::{Code, Symbol, Text};
use bytemuck::{Pod, Zeroable};

/// An instrument's row. Normalize gives the id and resolves the currency; a known symbol keeps its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct InstrumentSet {
    /// The row; `id`, `currency` and `money_dp` are filled in by normalize.
    pub row: Instrument,
    /// Who set it.
    pub author: Code,
    /// Currency code.
    pub currency_code: Text<8>,
    #[doc(hidden)]
    pub reserved: [u64; 3],
}

impl Body for InstrumentSet {
    const INPUT_LEN: usize = 232;
}

/// A node of the hierarchy, or an account and its node. A known code keeps its ids; level and parent never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct NodeSet {
    /// Name.
    pub code: Code,
    /// Name of the parent; empty for the firm.
    pub parent_code: Code,
    /// Who set it.
    pub author: Code,
    /// Base currency of an account.
    pub currency_code: Text<8>,
    /// [`Level`](crate::codes::Level).
    pub level: u8,
    /// [`AccountKind`](crate::codes::AccountKind) of an account.
    pub kind: u8,
    /// Calendar whose roll resets the node's daily counters.
    pub calendar: CalendarId,
    /// Its row.
    pub node: NodeId,
    /// Row of the parent.
    pub parent: NodeId,
    /// Row of the account; for a strategy that of the account above; none above accounts.
    pub account: AccountId,
    /// Base currency.
    pub currency: CurrencyId,
    #[doc(hidden)]
    pub reserved: [u8; 6],
}

const _: () = assert!(size_of::<NodeSet>() == 128);

impl Body for NodeSet {
    const INPUT_LEN: usize = 108;
}

/// A limit. A known label keeps its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LimitSet {
    /// The hard limit: quantities, multiples and percentages at 1e-8, values at 1e-16 base currency, counts as they are.
    pub hard: i128,
    /// Parameters by type (`docs/limits.md`).
    pub params: [i64; 6],
    /// Name.
    pub label: Code,
    /// Who set it.
    pub author: Code,
    /// Only this sector; empty for all.
    pub filter_sector: Symbol,
    /// [`LimitType`](crate::codes::LimitType).
    pub limit_type: u8,
    /// [`LimitAction`](crate::codes::LimitAction).
    pub action: u8,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// Only this [`InstrumentKind`](crate::codes::InstrumentKind); 0 for all.
    pub filter_kind: u8,
    /// 1 removes the limit.
    pub removed: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Its row.
    pub limit: LimitId,
    /// The node that it binds (name in the event's names).
    pub node: NodeId,
    /// Only this instrument (symbol in the event's names); none for all.
    pub filter_instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: u32,
    #[doc(hidden)]
    pub reserved3: [u64; 9],
}

const _: () = assert!(size_of::<LimitSet>() == 256);

impl Body for LimitSet {
    const INPUT_LEN: usize = 168;
}

/// A fee schedule of an account (name in the event's names), an instrument (symbol in the event's names) and a venue, where each is
/// named; the narrowest one counts. See [`crate::fees`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FeeScheduleSet {
    /// Parameters of the model, by [`fee_params`](crate::fees::fee_params), at 1e-8.
    pub params: [i64; 6],
    /// Name, for people.
    pub code: Code,
    /// Who set it.
    pub author: Code,
    /// [`FeeModel`](crate::fees::FeeModel); 0 removes the schedule.
    pub model: u8,
    /// 1: fills that made liquidity have a rate of their own.
    pub flags: u8,
    /// Venue; `NONE` for all.
    pub venue: VenueId,
    /// Account; none for all.
    pub account: AccountId,
    /// Instrument; none for all.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved: u32,
}

impl Body for FeeScheduleSet {
    const INPUT_LEN: usize = 116;
}

/// Up to eight days of a trading calendar, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CalendarSet {
    /// Name.
    pub code: Code,
    /// Its row, chosen by the configuration; 0 is built in and cannot be set.
    pub calendar: CalendarId,
    /// Days that follow.
    pub count: u8,
    #[doc(hidden)]
    pub reserved: [u8; 29],
    /// The days.
    pub days: [CalendarDay; 8],
}

impl CalendarSet {
    /// True where the event may be taken: not the built-in calendar, one to eight days, ascending by date and roll, each
    /// session within its day's order. Asked by normalize, which decides, and by ingest's schedule, which sees it first.
    pub fn is_well_formed(&self) -> bool {
        let Some(days) = self.days.get(..usize::from(self.count)) else {
            return false;
        };
        self.calendar != CalendarId::UTC
            && self.calendar.0 < CalendarId::COUNT_MAX
            && !days.is_empty()
            && days
                .iter()
                .all(|day| day.date > 0 && day.roll_ns <= day.open_ns && day.open_ns <= day.close_ns)
            && days
                .windows(2)
                .all(|pair| pair[0].date < pair[1].date && pair[0].roll_ns < pair[1].roll_ns)
    }
}

impl Body for CalendarSet {
    const INPUT_LEN: usize = 320;
}

/// State of a node, an instrument, a session or a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Control {
    /// Who asks.
    pub author: Code,
    /// The second person of a dual control; empty where one suffices.
    pub second: Code,
    /// [`ControlState`](crate::codes::ControlState) asked for.
    pub state: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Venue; `NONE` where it is not about one.
    pub venue: VenueId,
    /// Session; `NONE` where it is not about one.
    pub session: SessionId,
    /// Node (name in the event's names); none where it is not about one.
    pub node: NodeId,
    /// Instrument (symbol in the event's names); none where it is not about one.
    pub instrument: InstrumentId,
    /// State before.
    pub state_before: u8,
    /// State after.
    pub state_after: u8,
    /// 1 where a limit's restriction ends, in a [`Kind::StateChanged`](super::Kind::StateChanged).
    pub lapses: u8,
    #[doc(hidden)]
    pub reserved2: u8,
    /// The limit that changed the state, in a [`Kind::StateChanged`](super::Kind::StateChanged).
    pub limit: LimitId,
    #[doc(hidden)]
    pub reserved3: [u8; 40],
}

/// Effects of limits beside the kill switch levels, as [`Control::state_after`] of a
/// [`Kind::StateChanged`](super::Kind::StateChanged) gives them.
pub mod control_effects {
    /// The node's orders are refused with STRATEGY_DISABLED (L13).
    pub const DISABLED: u8 = 16;
    /// The node's rates are a tenth (action SLOW).
    pub const SLOW: u8 = 17;
}

const _: () = assert!(size_of::<Control>() == 128);

impl Body for Control {
    const INPUT_LEN: usize = 72;
}

/// The entitlement source went up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct EntitlementSource {
    /// 1 up, 0 down.
    pub up: u8,
    #[doc(hidden)]
    pub reserved: [u8; 31],
    /// Who says so.
    pub author: Code,
}

impl Body for EntitlementSource {
    const INPUT_LEN: usize = 64;
}

/// This shard's share of a limit of the firm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct QuotaGrant {
    /// The share, in the limit's unit.
    pub granted: i128,
    /// Who grants it.
    pub author: Code,
    /// The limit (label in the event's names).
    pub limit: LimitId,
    #[doc(hidden)]
    pub reserved: [u32; 3],
}

impl Body for QuotaGrant {
    const INPUT_LEN: usize = 48;
}

/// A currency's row. The first one is the base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CurrencySet {
    /// Code.
    pub code: Text<8>,
    /// Who set it.
    pub author: Code,
    /// Decimals of the minor unit, at most 8.
    pub money_dp: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Its row.
    pub currency: CurrencyId,
    #[doc(hidden)]
    pub reserved2: [u32; 5],
}

impl Body for CurrencySet {
    const INPUT_LEN: usize = 41;
}
