//! The limit catalogue: what each type measures. The rows of the limits that are set stand in `rows`, what an order is compared with in
//! `terms`.
//!
//! A limit measures a use and compares it with a figure: `used > limit` is a breach. To add a type, write its measure in the
//! file of its family and add its line to the catalogue below (docs/architecture/add-a-limit.md).
//!
//! # Invariants
//! - A measure reads and changes nothing and allocates nothing; it divides by nothing but the price of an inverse contract.
//! - An order that does not increase a limit's use passes that limit.

pub(crate) mod cash;
mod ceilings;
mod edges;
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

pub use ceilings::{Ceilings, Figure};
pub use edges::Edge;
pub use question::{Action, Ask, FoundOut, Holding, Old, Priced, Question};
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
        // Most types show what they compare.
        if spec.scale == 1 {
            return (self.used, self.limit);
        }
        (self.used / spec.scale, self.limit / spec.scale)
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
    /// Once a trading day and instrument.
    DailyPerPair,
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

/// How a type is treated; what it measures stands beside it in the catalogue.
pub struct Spec {
    /// The type.
    pub limit_type: LimitType,
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
    /// The figure that is compared with `hard` alone, where all limits of the type on a node have it in common: one ceiling stands for them.
    pub ceiling: Option<Figure>,
    /// True where the parameters make sense.
    pub accepts: fn(&LimitSet) -> bool,
}

fn any(_: &LimitSet) -> bool {
    true
}

/// One order, asked with its price.
const ORDER: Spec = Spec {
    limit_type: LimitType::MaxOrderQty, // the catalogue puts each row's own
    when: When::Order,
    post_trade: false,
    warn: WarnEdge::None,
    totals: false,
    scale: 1,
    ceiling: None,
    accepts: any,
};

/// The same, of a type whose limits share a figure.
const fn below(figure: Figure, spec: Spec) -> Spec {
    Spec {
        ceiling: Some(figure),
        ..spec
    }
}

/// A gate: asked before the order is priced.
const fn gate(accepts: fn(&LimitSet) -> bool) -> Spec {
    Spec {
        when: When::Gate,
        accepts,
        ..ORDER
    }
}

/// A sum that executions move too: they are compared with it after they were booked.
const fn stock(warn: WarnEdge) -> Spec {
    Spec {
        post_trade: true,
        warn,
        ..ORDER
    }
}

/// Such a sum over instruments.
const fn exposure(warn: WarnEdge) -> Spec {
    Spec {
        totals: true,
        ..stock(warn)
    }
}

/// A percentage of equity.
const fn of_equity(spec: Spec) -> Spec {
    Spec {
        accepts: size::factor_accepts,
        scale: 100,
        ..spec
    }
}

/// A floor under equity.
const fn floor(accepts: fn(&LimitSet) -> bool) -> Spec {
    Spec {
        when: When::Equity,
        warn: WarnEdge::Daily,
        accepts,
        ..ORDER
    }
}

/// Who wants to know what limits find.
pub(crate) trait Listener {
    /// What one of them found.
    fn hear(&mut self, order: &Question<'_>, terms: &Terms, measure: Measure);
}

impl<F: FnMut(&Question<'_>, &Terms, Measure)> Listener for F {
    #[inline]
    fn hear(&mut self, order: &Question<'_>, terms: &Terms, measure: Measure) {
        self(order, terms, measure);
    }
}

/// Makes two things of the rows: the table of specs, and one function with all measures in it. That is no table of functions, because a
/// call that the compiler cannot see into costs as much as most measures do.
macro_rules! catalogue {
    ($($limit_type:ident: $measure:path, $spec:expr;)*) => {
        /// How the types that are evaluated are treated. Rows stand in the order of the catalogue.
        pub static SPECS: &[Spec] = &[$(Spec { limit_type: LimitType::$limit_type, ..$spec }),*];

        /// Tells what a limit finds; nothing where it does not look at this order. Every measure is followed by what the listener
        /// does with it, from which falls out what the type leaves constant: most never warn, and rank as themselves.
        #[inline(always)]
        pub(crate) fn tell(terms: &Terms, order: &Question<'_>, listener: &mut impl Listener) {
            match terms.limit_type {
                $(LimitType::$limit_type => {
                    if let Some(measure) = $measure(terms, order) {
                        listener.hear(order, terms, measure);
                    }
                })*
            }
        }
    };
}

catalogue! {
    MaxOrderQty: size::max_order_qty, below(Figure::OrderQty, ORDER);
    MaxOrderNotional: size::max_order_notional, Spec { warn: WarnEdge::Each, ..below(Figure::OrderValue, ORDER) };
    FatFinger: size::fat_finger, Spec { accepts: size::factor_accepts, scale: size::MULTIPLE, ..ORDER };
    AdvOrder: size::adv_order, Spec { accepts: size::factor_accepts, scale: size::PERCENT, ..ORDER };
    AdvDay: flow::adv_day, Spec {
        warn: WarnEdge::DailyPerPair,
        scale: size::PERCENT,
        post_trade: true,
        accepts: size::factor_accepts,
        ..ORDER
    };
    PriceCollar: gate::price_collar, Spec { accepts: gate::collar_accepts, ..ORDER };
    Restricted: gate::restricted, Spec { when: When::GateOfInstrument, ..ORDER };
    Permission: gate::permission, gate(gate::permission_accepts);
    MarketHours: gate::market_hours, Spec { when: When::GateOfInstrument, ..ORDER };
    StaleOrder: gate::stale_order, gate(gate::stale_accepts);
    DupContent: gate::dup_content, gate(gate::dup_accepts);
    OrderRate: rate::order_rate, Spec { warn: WarnEdge::Daily, ..gate(rate::accepts) };
    MsgRate: rate::msg_rate, Spec { warn: WarnEdge::Daily, ..gate(rate::accepts) };
    RepeatedExec: equity::never, Spec { when: When::Execution, accepts: rate::repeated_accepts, ..ORDER };
    ShortSale: stock::short_sale, ORDER;
    SelfTrade: gate::self_trade::self_trade, Spec { accepts: gate::self_trade::accepts, ..ORDER };
    MaxOpenOrders: flow::max_open_orders, Spec { warn: WarnEdge::Daily, ..below(Figure::OpenOrders, ORDER) };
    OpenNotional: flow::open_notional, Spec { warn: WarnEdge::Daily, ..below(Figure::OpenValue, ORDER) };
    DailyNotional: flow::daily_notional, Spec {
        accepts: flow::side_accepts,
        ..below(Figure::DayValue, stock(WarnEdge::Daily))
    };
    DailyQty: flow::daily_qty, Spec {
        accepts: flow::side_accepts,
        ..below(Figure::DayQty, stock(WarnEdge::Daily))
    };
    OrderToTrade: rate::order_to_trade, Spec {
        warn: WarnEdge::Daily,
        accepts: rate::order_to_trade_accepts,
        ..ORDER
    };
    PositionLong: stock::position_long, below(Figure::Long, stock(WarnEdge::DailyPerPair));
    PositionShort: stock::position_short, below(Figure::Short, stock(WarnEdge::DailyPerPair));
    LongExposure: exposure::long, exposure(WarnEdge::Daily);
    ShortExposure: exposure::short, exposure(WarnEdge::Daily);
    NetExposure: exposure::net, exposure(WarnEdge::Daily);
    GrossExposure: exposure::gross, below(Figure::Gross, exposure(WarnEdge::Daily));
    Concentration: exposure::concentration, of_equity(exposure(WarnEdge::DailyPerPair));
    Sector: exposure::sector, of_equity(exposure(WarnEdge::Daily));
    BuyingPower: cash::buying_power, Spec {
        warn: WarnEdge::Daily,
        accepts: cash::accepts,
        ..ORDER
    };
    Margin: exposure::margin, of_equity(exposure(WarnEdge::Daily));
    Leverage: exposure::leverage, Spec { accepts: size::factor_accepts, ..exposure(WarnEdge::Daily) };
    RiskPerTrade: size::risk_per_trade, of_equity(ORDER);
    DailyLoss: equity::never, floor(equity::daily_loss_accepts);
    MaxDdStatic: equity::never, floor(equity::static_accepts);
    MaxDdTrailing: equity::never, floor(equity::trailing_accepts);
    Emergency: gate::never, gate(gate::emergency_accepts);
}

/// Where the spec of a type stands.
static PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut at = 0;
    while at < SPECS.len() {
        places[SPECS[at].limit_type as usize] = at as u8;
        at += 1;
    }
    places
};

/// The spec of a type. Every type has one: the catalogue's `match` would not compile without it.
#[inline]
fn spec_of_type(limit_type: LimitType) -> &'static Spec {
    &SPECS[usize::from(PLACES[limit_type as usize])]
}

/// The spec of a type, with its index; `None` where this version does not evaluate it.
pub fn spec_of(limit_type: u8) -> Option<(u8, &'static Spec)> {
    let at = SPECS
        .iter()
        .position(|spec| spec.limit_type as u8 == limit_type)?;
    Some((at as u8, &SPECS[at]))
}
