//! The limit catalogue: what each type measures. The rows of the limits that are set stand in `rows`.
//!
//! A limit measures a use and compares it with a figure: `used > limit` is a breach. To add a type, write its measure in the
//! file of its family and add its line to [`SPECS`] (docs/architecture/add-a-limit.md).
//!
//! # Invariants
//! - A measure reads and changes nothing and allocates nothing; it divides by nothing but the price of an inverse contract.
//! - An order that does not increase a limit's use passes that limit.

pub(crate) mod cash;
pub(crate) mod equity;
mod exposure;
mod flow;
pub(crate) mod gate;
mod rate;
mod rows;
mod size;
mod stock;

use crate::groups::{Totals, Units};
use crate::hierarchy::{Flow, NodeRow, PairRow};
use crate::stamps::Stamps;
use tradewind_domain::codes::{LimitType, OrderType, Side};
use tradewind_domain::event::LimitSet;
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::{DayNumber, UnixNanos};

pub use rate::charge;
pub(crate) use rate::{charged, reaches};
pub use rows::{LimitRow, Limits, refusal};

/// The largest hard limit, in any unit: far above every real figure, and small enough that a hundred times it fits.
pub const HARD_MAX: i128 = 1_000_000_000_000_000_000_000_000_000_000_000;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// A new order.
    Place = 1,
    /// The end of one.
    Cancel = 2,
    /// A change of one.
    Replace = 4,
}

/// What the market says of an instrument: for limits on prices.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference {
    /// Last trade's price; 0 where none.
    pub last_px: i64,
    /// When it was seen.
    pub last_ns: UnixNanos,
    /// Mark from outside; 0 where none. Never stale.
    pub mark_px: i64,
}

/// One order as a limit at one node sees it.
pub struct Question<'a> {
    /// What is asked for.
    pub action: Action,
    /// Side; a side that makes no sense counts as a sale.
    pub side: Side,
    /// Type.
    pub ord_type: OrderType,
    /// 1 for a new order, 0 for a replace.
    pub new_orders: u32,
    /// Total quantity of the order.
    pub qty: i64,
    /// Quantity that would be open.
    pub leaves: i64,
    /// Limit price.
    pub px: i64,
    /// What one unit loses at the trader's stop price, 1e-16 base; `None` where there is none.
    pub risk_per_unit: Option<i128>,
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
    /// What the limit counts: the node over all instruments, a sector or kind, or the pair where it binds one instrument.
    pub flow: &'a Flow,
    /// Exposures of what the limit counts.
    pub totals: &'a Totals,
    /// The pair of node and instrument.
    pub pair: &'a PairRow,
    /// The node.
    pub node: &'a NodeRow,
    /// The instrument.
    pub instrument: &'a Instrument,
    /// Its units at the mark.
    pub units: &'a Units,
    /// What the market says of it.
    pub reference: &'a Reference,
    /// Stamps of sliding windows.
    pub stamps: &'a Stamps,
    /// Cash of the account's wallet without what binary shorts must hold; what is not settled yet is included.
    pub cash_held: i128,
    /// The part of it that is not settled yet.
    pub unsettled: i128,
    /// Reserved cash of the account's wallet.
    pub reserved: i128,
    /// Located and sold-short figures of the account's holding.
    pub short: crate::shorts::ShortFigures,
    /// True where the instrument's session is closed or it is halted.
    pub is_closed: bool,
    /// True for an account that may not sell what it does not hold.
    pub is_cash_account: bool,
    /// True where the order only reduces the account's position.
    pub reduces: bool,
    /// True where the order would trade against one of ours below the limit's node.
    pub crosses: bool,
    /// What a restricted list says of the instrument; 0 for nothing.
    pub restriction: u8,
    /// When equal orders were accepted; zeroes where they were not.
    pub repeats: &'a [UnixNanos],
    /// Trading date of the node's calendar.
    pub date: DayNumber,
    /// Time of the event.
    pub now_ns: UnixNanos,
    /// The source's time stamp; 0 where it gave none.
    pub origin_ns: UnixNanos,
}

impl Question<'_> {
    /// True for purchases.
    #[inline]
    pub fn is_buy(&self) -> bool {
        self.side.is_buy()
    }

    /// The figures of the day.
    #[inline]
    pub fn today(&self) -> crate::hierarchy::Today {
        self.flow.today(self.date)
    }
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
    /// Its place in the order of reasons.
    pub priority: u8,
    /// False where the order does not increase the use: it passes whatever the use is.
    pub grows: bool,
    /// True where it passes, but not without a warning.
    pub warns: bool,
}

impl Measure {
    /// A use that the order increases.
    #[inline]
    pub fn new(used: i128, limit: i128, code: RejectCode) -> Self {
        Self {
            used,
            limit,
            code,
            priority: code.priority(),
            grows: true,
            warns: false,
        }
    }

    /// The same, where the order increases it only if this holds.
    #[inline]
    pub fn growing(self, grows: bool) -> Self {
        Self { grows, ..self }
    }

    /// Use and limit as records show them: in the type's unit, without what they were multiplied by to be compared.
    pub fn shown(&self, spec: &Spec) -> (i128, i128) {
        let figure = |figure: i128| (figure / spec.scale).saturating_mul(spec.shown);
        (figure(self.used), figure(self.limit))
    }

    /// A refusal (or none) that is not about an amount.
    #[inline]
    pub fn gate(refuses: bool, code: RejectCode) -> Self {
        Self::new(i128::from(refuses), 0, code)
    }
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

/// When a limit is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the order is priced: gates and rates.
    Gate,
    /// Likewise, but the instrument must be known.
    GateOfInstrument,
    /// With the priced order.
    Order,
    /// On every figure of the node's equity.
    Equity,
    /// On every execution below the node.
    Execution,
}

/// What a type measures.
pub struct Spec {
    /// The type.
    pub limit_type: LimitType,
    /// The measure; `None` where the limit does not look at this order.
    pub measure: fn(&LimitRow, &Question<'_>) -> Option<Measure>,
    /// When it is asked.
    pub when: When,
    /// True where executed trades are compared with it after they are booked (LIMITS section 9).
    pub post_trade: bool,
    /// Warnings.
    pub warn: WarnEdge,
    /// True where it needs exposures of what it counts.
    pub totals: bool,
    /// What use and limit are multiplied by to be compared without a division; records show them without.
    pub scale: i128,
    /// What use and limit are multiplied by for the records, which show values at 1e-16.
    pub shown: i128,
    /// True where the parameters make sense.
    pub accepts: fn(&LimitSet) -> bool,
}

fn any(_: &LimitSet) -> bool {
    true
}

const fn order(limit_type: LimitType, measure: fn(&LimitRow, &Question<'_>) -> Option<Measure>) -> Spec {
    Spec {
        limit_type,
        measure,
        when: When::Order,
        post_trade: false,
        warn: WarnEdge::None,
        totals: false,
        scale: 1,
        shown: 1,
        accepts: any,
    }
}

/// A gate: asked before the order is priced.
const fn gate(
    limit_type: LimitType,
    measure: fn(&LimitRow, &Question<'_>) -> Option<Measure>,
    accepts: fn(&LimitSet) -> bool,
) -> Spec {
    Spec {
        when: When::Gate,
        accepts,
        ..order(limit_type, measure)
    }
}

/// A sum that executions move too: they are compared with it after they were booked.
const fn stock(
    limit_type: LimitType,
    measure: fn(&LimitRow, &Question<'_>) -> Option<Measure>,
    warn: WarnEdge,
    totals: bool,
) -> Spec {
    Spec {
        post_trade: true,
        warn,
        totals,
        ..order(limit_type, measure)
    }
}

/// A floor under equity.
const fn floor(limit_type: LimitType, accepts: fn(&LimitSet) -> bool) -> Spec {
    Spec {
        when: When::Equity,
        warn: WarnEdge::Daily,
        accepts,
        ..order(limit_type, equity::never)
    }
}

/// The types that are evaluated. Rows stand in the order of the catalogue.
pub static SPECS: &[Spec] = &[
    order(LimitType::MaxOrderQty, size::max_order_qty),
    Spec {
        warn: WarnEdge::Each,
        ..order(LimitType::MaxOrderNotional, size::max_order_notional)
    },
    Spec {
        accepts: size::factor_accepts,
        scale: size::MULTIPLE,
        ..order(LimitType::FatFinger, size::fat_finger)
    },
    Spec {
        accepts: size::factor_accepts,
        scale: size::PERCENT,
        ..order(LimitType::AdvOrder, size::adv_order)
    },
    Spec {
        warn: WarnEdge::DailyPerPair(4),
        scale: size::PERCENT,
        post_trade: true,
        accepts: size::factor_accepts,
        ..order(LimitType::AdvDay, flow::adv_day)
    },
    Spec {
        accepts: gate::collar_accepts,
        ..order(LimitType::PriceCollar, gate::price_collar)
    },
    Spec {
        when: When::GateOfInstrument,
        ..gate(LimitType::Restricted, gate::restricted, any)
    },
    gate(LimitType::Permission, gate::permission, gate::permission_accepts),
    Spec {
        when: When::GateOfInstrument,
        ..gate(LimitType::MarketHours, gate::market_hours, any)
    },
    gate(LimitType::StaleOrder, gate::stale_order, gate::stale_accepts),
    gate(LimitType::DupContent, gate::dup_content, gate::dup_accepts),
    Spec {
        warn: WarnEdge::Daily,
        ..gate(LimitType::OrderRate, rate::order_rate, rate::accepts)
    },
    Spec {
        warn: WarnEdge::Daily,
        ..gate(LimitType::MsgRate, rate::msg_rate, rate::accepts)
    },
    Spec {
        when: When::Execution,
        accepts: rate::repeated_accepts,
        ..order(LimitType::RepeatedExec, equity::never)
    },
    order(LimitType::ShortSale, stock::short_sale),
    Spec {
        accepts: gate::self_trade::accepts,
        ..order(LimitType::SelfTrade, gate::self_trade::self_trade)
    },
    Spec {
        warn: WarnEdge::Daily,
        ..order(LimitType::MaxOpenOrders, flow::max_open_orders)
    },
    Spec {
        warn: WarnEdge::Daily,
        ..order(LimitType::OpenNotional, flow::open_notional)
    },
    Spec {
        accepts: flow::side_accepts,
        ..stock(
            LimitType::DailyNotional,
            flow::daily_notional,
            WarnEdge::Daily,
            false,
        )
    },
    Spec {
        accepts: flow::side_accepts,
        ..stock(LimitType::DailyQty, flow::daily_qty, WarnEdge::Daily, false)
    },
    Spec {
        warn: WarnEdge::Daily,
        accepts: rate::order_to_trade_accepts,
        ..order(LimitType::OrderToTrade, rate::order_to_trade)
    },
    stock(
        LimitType::PositionLong,
        stock::position_long,
        WarnEdge::DailyPerPair(1),
        false,
    ),
    stock(
        LimitType::PositionShort,
        stock::position_short,
        WarnEdge::DailyPerPair(2),
        false,
    ),
    stock(LimitType::LongExposure, exposure::long, WarnEdge::Daily, true),
    stock(LimitType::ShortExposure, exposure::short, WarnEdge::Daily, true),
    stock(LimitType::NetExposure, exposure::net, WarnEdge::Daily, true),
    stock(LimitType::GrossExposure, exposure::gross, WarnEdge::Daily, true),
    Spec {
        accepts: size::factor_accepts,
        scale: 100,
        ..stock(
            LimitType::Concentration,
            exposure::concentration,
            WarnEdge::DailyPerPair(8),
            true,
        )
    },
    Spec {
        accepts: size::factor_accepts,
        scale: 100,
        ..stock(LimitType::Sector, exposure::sector, WarnEdge::Daily, true)
    },
    Spec {
        warn: WarnEdge::Daily,
        accepts: cash::accepts,
        shown: cash::SHOWN,
        ..order(LimitType::BuyingPower, cash::buying_power)
    },
    Spec {
        accepts: size::factor_accepts,
        scale: 100,
        ..stock(LimitType::Margin, exposure::margin, WarnEdge::Daily, true)
    },
    Spec {
        accepts: size::factor_accepts,
        ..stock(LimitType::Leverage, exposure::leverage, WarnEdge::Daily, true)
    },
    Spec {
        accepts: size::factor_accepts,
        scale: 100,
        ..order(LimitType::RiskPerTrade, size::risk_per_trade)
    },
    floor(LimitType::DailyLoss, equity::daily_loss_accepts),
    floor(LimitType::MaxDdStatic, equity::static_accepts),
    floor(LimitType::MaxDdTrailing, equity::trailing_accepts),
    gate(LimitType::Emergency, gate::never, gate::emergency_accepts),
];

/// The spec of a type, with its index; `None` where this version does not evaluate it.
pub fn spec_of(limit_type: u8) -> Option<(u8, &'static Spec)> {
    let at = SPECS
        .iter()
        .position(|spec| spec.limit_type as u8 == limit_type)?;
    Some((at as u8, &SPECS[at]))
}
