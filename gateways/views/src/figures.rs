//! Figures of limits in the unit of their type, as text. The journal keeps them as scaled integers (docs/limits.md).

use tradewind_domain::codes::LimitType;
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::reject::RejectCode;

/// `params[0]` of a rate: its period in milliseconds.
const PERIOD_MS: usize = 0;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Instrument units at 1e-8.
    Quantity,
    /// Instrument units at 1e-16 (a quantity times a multiple).
    WideQuantity,
    /// Base currency at 1e-16.
    Value,
    /// Instrument's currency at 1e-8.
    Cash,
    /// Orders.
    Orders,
    /// A multiple of the usual quantity, at 1e-8.
    Multiple,
    /// Messages of a period.
    Rate,
    /// How many messages a rate is ahead: nanoseconds times rate, of which one message takes a period.
    Ahead,
}

impl Unit {
    /// Unit of a limit's hard figure as configured.
    pub fn of_limit(limit_type: LimitType) -> Unit {
        match limit_type {
            LimitType::FatFinger => Unit::Multiple,
            LimitType::OrderRate | LimitType::MsgRate => Unit::Rate,
            other => Unit::of_hit(other, None),
        }
    }

    /// Unit of a hit's figures. Buying power speaks of cash for purchases and of quantity for sales; its code says which.
    pub fn of_hit(limit_type: LimitType, code: Option<RejectCode>) -> Unit {
        match limit_type {
            LimitType::MaxOrderNotional | LimitType::OpenNotional | LimitType::DailyNotional => Unit::Value,
            LimitType::FatFinger => Unit::WideQuantity,
            LimitType::OrderRate | LimitType::MsgRate => Unit::Ahead,
            LimitType::MaxOpenOrders => Unit::Orders,
            LimitType::BuyingPower if code != Some(RejectCode::InsufficientPosition) => Unit::Cash,
            _ => Unit::Quantity,
        }
    }

    /// Name in views.
    pub const fn text(self) -> &'static str {
        match self {
            Unit::Quantity | Unit::WideQuantity => "quantity",
            Unit::Value => "value",
            Unit::Cash => "cash",
            Unit::Orders => "orders",
            Unit::Multiple => "multiple",
            Unit::Rate => "messages per period",
            Unit::Ahead => "messages ahead",
        }
    }

    /// A raw figure as text; `params` are those of the limit: a rate needs its period.
    pub fn show(self, raw: i128, params: &[i64; 6]) -> String {
        match self {
            Unit::Quantity | Unit::Cash | Unit::Multiple => Money::from_raw(raw).to_string(),
            Unit::WideQuantity | Unit::Value => Notional::from_raw(raw).to_string(),
            Unit::Orders | Unit::Rate => raw.to_string(),
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
        let hit = |limit_type, code, raw| Unit::of_hit(limit_type, code).show(raw, &[0; 6]);
        assert_eq!(hit(LimitType::MaxOrderQty, None, 150_000_000), "1.5");
        assert_eq!(
            hit(LimitType::MaxOrderNotional, None, 5_000_000_000_000_000),
            "0.5"
        );
        assert_eq!(hit(LimitType::MaxOpenOrders, None, 7), "7");
        let short = Some(RejectCode::InsufficientPosition);
        assert_eq!(Unit::of_hit(LimitType::BuyingPower, short), Unit::Quantity);
        assert_eq!(Unit::of_hit(LimitType::BuyingPower, None), Unit::Cash);
        assert_eq!(
            Unit::of_limit(LimitType::FatFinger).show(1_000_000_000, &[0; 6]),
            "10"
        );
    }

    #[test]
    fn a_rate_shows_how_many_messages_it_is_ahead() {
        let params = [1_000, 1, 5, 0, 0, 0];
        assert_eq!(Unit::Ahead.show(2_500_000_000, &params), "2.5");
        assert_eq!(Unit::Ahead.show(2_500_000_000, &[0; 6]), "2500000000");
    }
}
