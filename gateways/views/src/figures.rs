//! Figures of limits in the unit of their type, as text. The journal keeps them as scaled integers (docs/limits.md).

use tradewind_domain::codes::LimitType;
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::reject::RejectCode;

/// `params` of a rate: its period in milliseconds, and what counts its messages.
const PERIOD_MS: usize = 0;
const ALGO: usize = 1;
const GCRA: i64 = 1;

/// `params` of buying power: whose cash it compares.
const CASH: usize = 3;
const IN_BASE: i64 = 1;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Instrument units at 1e-8.
    Quantity,
    /// Instrument units at 1e-16: sales that buying power speaks of.
    WideQuantity,
    /// Base currency at 1e-16.
    Value,
    /// Instrument's currency at 1e-16.
    Cash,
    /// Orders.
    Orders,
    /// Executions.
    Executions,
    /// Percent at 1e-8.
    Percent,
    /// A multiple at 1e-8.
    Multiple,
    /// Messages of a period.
    Rate,
    /// Messages of a day, or of a window.
    Messages,
    /// How many messages a rate is ahead: nanoseconds times rate, of which one message takes a period.
    Ahead,
    /// None: yes or no.
    Gate,
}

impl Unit {
    /// Unit of a limit's hard figure as configured.
    pub fn of_limit(limit_type: LimitType) -> Unit {
        use LimitType as L;
        match limit_type {
            L::FatFinger | L::Leverage => Unit::Multiple,
            L::AdvOrder | L::AdvDay | L::Concentration | L::Sector | L::Margin | L::RiskPerTrade => {
                Unit::Percent
            }
            L::OrderRate | L::MsgRate => Unit::Rate,
            L::BuyingPower | L::DupContent | L::ShortSale => Unit::Gate,
            other => Unit::of_hit(other, None, &[0; 6]),
        }
    }

    /// Unit of the figures that a limit was found to compare; `params` are the limit's. Shares of equity are compared as values,
    /// shares of volume as quantities. Buying power speaks of cash for purchases and of quantity for sales; its code says which.
    pub fn of_hit(limit_type: LimitType, code: Option<RejectCode>, params: &[i64; 6]) -> Unit {
        use LimitType as L;
        match limit_type {
            L::MaxOrderQty | L::FatFinger | L::AdvOrder | L::AdvDay | L::DailyQty => Unit::Quantity,
            L::PositionLong | L::PositionShort | L::ShortSale => Unit::Quantity,
            L::MaxOrderNotional | L::OpenNotional | L::DailyNotional => Unit::Value,
            L::LongExposure | L::ShortExposure | L::NetExposure | L::GrossExposure => Unit::Value,
            L::Concentration | L::Sector | L::Margin | L::Leverage | L::RiskPerTrade => Unit::Value,
            L::DailyLoss | L::MaxDdStatic | L::MaxDdTrailing | L::Emergency => Unit::Value,
            L::OrderRate | L::MsgRate if params[ALGO] == GCRA => Unit::Ahead,
            L::OrderRate | L::MsgRate | L::OrderToTrade => Unit::Messages,
            L::MaxOpenOrders | L::DupContent => Unit::Orders,
            L::RepeatedExec => Unit::Executions,
            L::BuyingPower if code == Some(RejectCode::InsufficientPosition) => Unit::WideQuantity,
            L::BuyingPower if params[CASH] == IN_BASE => Unit::Value,
            L::BuyingPower => Unit::Cash,
            L::PriceCollar
            | L::Restricted
            | L::Permission
            | L::MarketHours
            | L::StaleOrder
            | L::SelfTrade => Unit::Gate,
        }
    }

    /// Name in views; empty where there is nothing to count.
    pub const fn text(self) -> &'static str {
        match self {
            Unit::Quantity | Unit::WideQuantity => "quantity",
            Unit::Value => "value",
            Unit::Cash => "cash",
            Unit::Orders => "orders",
            Unit::Executions => "executions",
            Unit::Percent => "percent",
            Unit::Multiple => "multiple",
            Unit::Rate => "messages per period",
            Unit::Messages => "messages",
            Unit::Ahead => "messages ahead",
            Unit::Gate => "",
        }
    }

    /// A raw figure as text; `params` are those of the limit: a rate needs its period. A figure that bounds nothing is `none`.
    pub fn show(self, raw: i128, params: &[i64; 6]) -> String {
        match self {
            _ if raw == i128::MAX => "none".to_owned(),
            Unit::Quantity | Unit::Multiple | Unit::Percent => Money::from_raw(raw).to_string(),
            Unit::WideQuantity | Unit::Value | Unit::Cash => Notional::from_raw(raw).to_string(),
            Unit::Orders | Unit::Executions | Unit::Rate | Unit::Messages | Unit::Gate => raw.to_string(),
            Unit::Ahead => ahead(raw, params[PERIOD_MS]),
        }
    }
}

/// Messages to two decimals, rounded down: how much of the burst is used.
fn ahead(raw: i128, period_ms: i64) -> String {
    let period_ns = i128::from(period_ms) * 1_000_000;
    match raw.checked_mul(100) {
        Some(hundredths) if period_ns > 0 => {
            Money::from_raw(hundredths.div_euclid(period_ns) * 1_000_000).to_string()
        }
        _ => raw.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_shown_in_the_unit_of_its_type() {
        let hit = |limit_type, code, raw| Unit::of_hit(limit_type, code, &[0; 6]).show(raw, &[0; 6]);
        assert_eq!(hit(LimitType::MaxOrderQty, None, 150_000_000), "1.5");
        assert_eq!(
            hit(LimitType::MaxOrderNotional, None, 5_000_000_000_000_000),
            "0.5"
        );
        assert_eq!(hit(LimitType::MaxOpenOrders, None, 7), "7");
        let short = Some(RejectCode::InsufficientPosition);
        assert_eq!(
            hit(LimitType::BuyingPower, short, 30_000_000_000_000_000),
            "3",
            "a sale is a quantity"
        );
        assert_eq!(Unit::of_hit(LimitType::BuyingPower, None, &[0; 6]), Unit::Cash);
        assert_eq!(
            hit(LimitType::Concentration, None, 25_000_000_000_000_000),
            "2.5",
            "a share of equity is compared as a value"
        );
        assert_eq!(hit(LimitType::RiskPerTrade, None, i128::MAX), "none");
        assert_eq!(
            Unit::of_limit(LimitType::Concentration).show(1_250_000_000, &[0; 6]),
            "12.5"
        );
        assert_eq!(Unit::of_hit(LimitType::PriceCollar, None, &[0; 6]).text(), "");
        assert_eq!(
            Unit::of_limit(LimitType::FatFinger).show(1_000_000_000, &[0; 6]),
            "10"
        );
    }

    #[test]
    fn a_rate_shows_how_many_messages_it_is_ahead() {
        let params = [1_000, 1, 5, 0, 0, 0];
        assert_eq!(Unit::of_hit(LimitType::OrderRate, None, &params), Unit::Ahead);
        let sliding = [1_000, 0, 1, 0, 0, 0];
        assert_eq!(
            Unit::of_hit(LimitType::OrderRate, None, &sliding).show(7, &sliding),
            "7"
        );
        assert_eq!(Unit::Ahead.show(2_500_000_000, &params), "2.5");
        assert_eq!(Unit::Ahead.show(2_500_000_000, &[0; 6]), "2500000000");
    }
}
