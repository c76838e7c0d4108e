//! The limit catalogue: what each type measures. The rows of the limits that are set stand in `rows`, what an order is compared with in
//! `terms`.
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
mod question;
mod rate;
mod rows;
mod size;
mod stock;
mod terms;

use tradewind_domain::codes::LimitType;
use tradewind_domain::event::LimitSet;
use tradewind_domain::reject::RejectCode;

pub use question::{Action, Ask, FoundOut, Old, Priced, Question};
pub use rate::charge;
pub(crate) use rate::{charged, reaches};
pub use rows::{LimitRow, Limits, refusal};
pub use terms::{Block, Terms, traits};

/// The largest hard limit, in any unit: far above every real figure, and small enough that a hundred times it fits.
pub const HARD_MAX: i128 = 1_000_000_000_000_000_000_000_000_000_000_000;

/// What a limit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Use after the order.
    pub used: i128,
    /// What must not be exceeded, in the same unit.
    pub limit: i128,
    /// The code of a refusal.
    pub code: RejectCode,
    /// The code whose place in the order of reasons it takes; its own but for few.
    pub ranks_as: RejectCode,
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
            ranks_as: code,
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

/// `a * b`, as far as 128 bits go. Nearly always `a` fits 64 bits: then it is one multiplication.
#[inline]
pub(crate) fn times(a: i128, b: i64) -> i128 {
    match i64::try_from(a) {
        Ok(a) => i128::from(a) * i128::from(b),
        Err(_) => a.saturating_mul(i128::from(b)),
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
    DailyPerPair(u16),
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
    pub measure: fn(&Terms, &Question<'_>) -> Option<Measure>,
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

const fn order(limit_type: LimitType, measure: fn(&Terms, &Question<'_>) -> Option<Measure>) -> Spec {
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
    measure: fn(&Terms, &Question<'_>) -> Option<Measure>,
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
    measure: fn(&Terms, &Question<'_>) -> Option<Measure>,
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
pub static SPECS: [Spec; 37] = [
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
