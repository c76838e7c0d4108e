//! The limit catalogue: what each type measures, and the rows of the limits that are set.
//!
//! A limit measures a use and compares it with a figure: `used > limit` is a breach. To add a type, write its measure in the
//! file of its family and add its line to [`SPECS`] (docs/architecture/add-a-limit.md).
//!
//! # Invariants
//! - A measure reads and changes nothing, allocates nothing and divides by nothing.
//! - An order that does not increase a limit's use passes that limit.

pub(crate) mod cash;
mod flow;
mod rate;
mod size;
mod stock;

use crate::hierarchy::{Flow, Hierarchy};
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::codes::{LimitAction, LimitType};
use tradewind_domain::event::LimitSet;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::{DayNumber, UnixNanos};
use tradewind_machine::prefetch::prefetch;

pub use rate::{charge, charged};

/// The largest hard limit, in any unit: far above every real figure, and small enough that a hundred times it fits.
pub const HARD_MAX: i128 = 1_000_000_000_000_000_000_000_000_000_000_000;

/// One limit. What every order reads stands in the first cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct LimitRow {
    /// The figure that must not be exceeded, in the type's unit.
    pub hard: i128,
    /// First two parameters by type (docs/limits.md); the others stand in `more_params`.
    pub params: [i64; 2],
    /// The node that it binds.
    pub node: NodeId,
    /// The node's next limit.
    pub next: LimitId,
    /// Only this instrument; none for all.
    pub instrument: InstrumentId,
    /// Date of the last warning.
    pub warned_day: DayNumber,
    /// [`LimitType`].
    pub limit_type: u8,
    /// [`LimitAction`].
    pub action: u8,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// 1 set, 2 removed, 0 never set.
    pub state: u8,
    /// Index into [`SPECS`].
    spec: u8,
    #[doc(hidden)]
    pub reserved: [u8; 11],
    /// Rates: theoretical arrival time in nanoseconds times rate (GCRA).
    pub tat: i128,
    /// Parameters from the third on.
    pub more_params: [i64; 4],
    #[doc(hidden)]
    pub reserved2: [u64; 2],
}

const _: () = assert!(size_of::<LimitRow>() == 128);

impl LimitRow {
    /// All parameters, in the order of the event that set them.
    pub fn all_params(&self) -> [i64; 6] {
        let ([first, second], [third, fourth, fifth, sixth]) = (self.params, self.more_params);
        [first, second, third, fourth, fifth, sixth]
    }

    /// What its type measures.
    #[inline]
    pub fn spec(&self) -> &'static Spec {
        &SPECS[usize::from(self.spec) % SPECS.len()]
    }
}

/// One order as a limit at one node sees it.
pub struct Question<'a> {
    /// Buys.
    pub is_buy: bool,
    /// 1 for a new order, 0 for a replace.
    pub new_orders: u32,
    /// Total quantity of the order.
    pub qty: i64,
    /// Quantity that would be open.
    pub leaves: i64,
    /// Value of the whole order.
    pub order_value: i128,
    /// Value that would be open.
    pub value: i128,
    /// Cash that would be reserved, fee included.
    pub cash: i128,
    /// Open quantity of the order that a replace takes the place of.
    pub old_qty: i64,
    /// Its open value.
    pub old_value: i128,
    /// Its reserved cash.
    pub old_cash: i128,
    /// The node over all instruments, or the pair where the limit binds one instrument.
    pub flow: &'a Flow,
    /// The pair of node and instrument.
    pub pair: &'a Flow,
    /// The instrument.
    pub instrument: &'a Instrument,
    /// Settled cash of the account's wallet.
    pub settled: i128,
    /// Reserved cash of the account's wallet.
    pub reserved: i128,
    /// True for an account that may not sell what it does not hold.
    pub is_cash_account: bool,
    /// Trading date of the node's calendar.
    pub date: DayNumber,
    /// Time of the event.
    pub now_ns: UnixNanos,
}

/// What a limit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Use after the order.
    pub used: i128,
    /// What must not be exceeded, in the same unit.
    pub limit: i128,
    /// The code of a refusal.
    pub code: RejectCode,
}

/// How often a warning is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarnEdge {
    /// Never.
    None,
    /// On each order.
    Each,
    /// Once a trading day.
    Daily,
    /// Once a trading day and instrument: bit of the pair row.
    DailyPerPair(u32),
}

/// What a type measures.
pub struct Spec {
    /// The type.
    pub limit_type: LimitType,
    /// The measure; `None` where the limit does not look at this order.
    pub measure: fn(&LimitRow, &Question<'_>) -> Option<Measure>,
    /// True where it counts messages instead of looking at the order.
    pub is_rate: bool,
    /// True where executed trades are compared with it after they are booked (LIMITS section 9).
    pub post_trade: bool,
    /// Warnings.
    pub warn: WarnEdge,
    /// True where the parameters make sense.
    pub accepts: fn(&LimitSet) -> bool,
}

fn any(_: &LimitSet) -> bool {
    true
}

/// The types that are evaluated. Rows stand in the order of the catalogue.
pub static SPECS: &[Spec] = &[
    Spec {
        limit_type: LimitType::MaxOrderQty,
        measure: size::max_order_qty,
        is_rate: false,
        post_trade: false,
        warn: WarnEdge::None,
        accepts: any,
    },
    Spec {
        limit_type: LimitType::MaxOrderNotional,
        measure: size::max_order_notional,
        is_rate: false,
        post_trade: false,
        warn: WarnEdge::Each,
        accepts: any,
    },
    Spec {
        limit_type: LimitType::FatFinger,
        measure: size::fat_finger,
        is_rate: false,
        post_trade: false,
        warn: WarnEdge::None,
        accepts: size::fat_finger_accepts,
    },
    Spec {
        limit_type: LimitType::OrderRate,
        measure: rate::order_rate,
        is_rate: true,
        post_trade: false,
        warn: WarnEdge::None,
        accepts: rate::accepts,
    },
    Spec {
        limit_type: LimitType::MsgRate,
        measure: rate::msg_rate,
        is_rate: true,
        post_trade: false,
        warn: WarnEdge::None,
        accepts: rate::accepts,
    },
    Spec {
        limit_type: LimitType::MaxOpenOrders,
        measure: flow::max_open_orders,
        is_rate: false,
        post_trade: false,
        warn: WarnEdge::Daily,
        accepts: any,
    },
    Spec {
        limit_type: LimitType::OpenNotional,
        measure: flow::open_notional,
        is_rate: false,
        post_trade: false,
        warn: WarnEdge::Daily,
        accepts: any,
    },
    Spec {
        limit_type: LimitType::DailyNotional,
        measure: flow::daily_notional,
        is_rate: false,
        post_trade: true,
        warn: WarnEdge::Daily,
        accepts: flow::side_accepts,
    },
    Spec {
        limit_type: LimitType::DailyQty,
        measure: flow::daily_qty,
        is_rate: false,
        post_trade: true,
        warn: WarnEdge::Daily,
        accepts: flow::side_accepts,
    },
    Spec {
        limit_type: LimitType::PositionLong,
        measure: stock::position_long,
        is_rate: false,
        post_trade: true,
        warn: WarnEdge::DailyPerPair(1),
        accepts: any,
    },
    Spec {
        limit_type: LimitType::PositionShort,
        measure: stock::position_short,
        is_rate: false,
        post_trade: true,
        warn: WarnEdge::DailyPerPair(2),
        accepts: any,
    },
    Spec {
        limit_type: LimitType::BuyingPower,
        measure: cash::buying_power,
        is_rate: false,
        post_trade: false,
        warn: WarnEdge::Daily,
        accepts: cash::accepts,
    },
];

/// The spec of a type, with its index; `None` where this version does not evaluate it.
pub fn spec_of(limit_type: u8) -> Option<(u8, &'static Spec)> {
    let at = SPECS
        .iter()
        .position(|spec| spec.limit_type as u8 == limit_type)?;
    Some((at as u8, &SPECS[at]))
}

/// Why a limit cannot be set, or `None` where it can.
pub fn refusal(event: &LimitSet) -> Option<RejectCode> {
    let Some((_, spec)) = spec_of(event.limit_type) else {
        return Some(RejectCode::UnknownLimit);
    };
    let action = LimitAction::from_code(event.action);
    let filtered = event.filter_kind != 0 || !event.filter_sector.is_empty();
    let ok = matches!(action, Some(LimitAction::Alert | LimitAction::Reject))
        && (0..=HARD_MAX).contains(&event.hard)
        && event.soft_pct <= 100
        && event.removed <= 1
        && !filtered
        && (spec.accepts)(event);
    (!ok).then_some(RejectCode::InvalidValue)
}

/// All limits, by id.
pub struct Limits {
    rows: Vec<LimitRow>,
}

impl Limits {
    /// Room for `max` limits.
    pub fn new(max: u32) -> Self {
        Self {
            rows: vec![LimitRow::zeroed(); max as usize],
        }
    }

    /// The row of a limit that is in force.
    #[inline]
    pub fn get(&self, limit: LimitId) -> Option<&LimitRow> {
        self.rows.get(limit.index()).filter(|row| row.state == 1)
    }

    /// Fetches what every order reads of the first limits of a node.
    #[inline]
    pub fn prefetch(&self, first: LimitId) {
        if let Some(row) = self.rows.get(first.index()) {
            prefetch(row);
        }
    }

    /// The row, whatever its state.
    #[inline]
    pub fn row_mut(&mut self, limit: LimitId) -> Option<&mut LimitRow> {
        self.rows.get_mut(limit.index())
    }

    /// Limits in a node's list that are in force, in no order that matters.
    #[inline]
    pub fn list(&self, first: LimitId) -> impl Iterator<Item = (LimitId, &LimitRow)> {
        let row = |id: LimitId| self.rows.get(id.index());
        std::iter::successors(row(first).map(|_| first), move |&at| {
            row(at).map(|row| row.next).filter(|&next| row(next).is_some())
        })
        .filter_map(move |id| row(id).map(|row| (id, row)))
        .filter(|(_, row)| row.state == 1)
    }

    /// Puts an accepted limit into its row, and a new one into its node's list.
    pub fn set(&mut self, event: &LimitSet, hierarchy: &mut Hierarchy) {
        let Some((spec, _)) = spec_of(event.limit_type) else {
            return;
        };
        let Some(row) = self.rows.get_mut(event.limit.index()) else {
            return;
        };
        let is_new = row.state == 0;
        let held = *row;
        *row = LimitRow {
            hard: event.hard,
            params: [event.params[0], event.params[1]],
            more_params: [event.params[2], event.params[3], event.params[4], event.params[5]],
            node: event.node,
            instrument: event.filter_instrument,
            limit_type: event.limit_type,
            action: event.action,
            soft_pct: event.soft_pct,
            state: if event.removed == 1 { 2 } else { 1 },
            spec,
            ..held
        };
        if held.hard > 0 && held.hard != event.hard {
            // Arrival times are kept in nanoseconds times rate: another rate is another scale.
            row.tat = held.tat / held.hard * event.hard;
        }
        if event.limit_type == LimitType::BuyingPower as u8
            && let Some(node) = hierarchy.node_mut(event.node)
        {
            node.buying_power = if event.removed == 1 {
                LimitId::NONE
            } else {
                event.limit
            };
        }
        if is_new && let Some(node) = hierarchy.node_mut(event.node) {
            let head = if SPECS[usize::from(spec)].is_rate {
                &mut node.rates
            } else {
                &mut node.limits
            };
            row.next = *head;
            *head = event.limit;
        }
    }

    /// True where the event would move a limit that is set to another node or type: refused, a limit keeps both.
    pub fn moves(&self, event: &LimitSet) -> bool {
        let held = self.rows.get(event.limit.index()).filter(|row| row.state != 0);
        held.is_some_and(|row| row.node != event.node || row.limit_type != event.limit_type)
    }

    /// Every limit in force.
    pub fn all(&self) -> impl Iterator<Item = (LimitId, &LimitRow)> {
        self.rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.state == 1)
            .map(|(at, row)| (LimitId(at as u32), row))
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in self.rows.iter().filter(|row| row.state != 0) {
            sink(bytes_of(row));
        }
    }
}
