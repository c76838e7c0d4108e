//! Limits of a file as the engine's `LimitSet`: units of `hard`, parameters and their defaults (LIMITS section 14), and the scale of
//! the figures that the engine answers with.

use super::schema::{Emergency, Limit};
use crate::conformance::decimals::Decimal;
use bytemuck::Zeroable;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tradewind_domain::codes::{
    ControlState, InstrumentKind, LimitAction, LimitType, OrderType, Restriction, SelfTradeMode,
};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;
use tradewind_domain::text::{Code, Text};

/// The label of the emergency limits: they are no limit of the file, so no answer names them.
pub(crate) const EMERGENCY_LABEL: &str = "~emergency";
/// Who sets limits.
pub(crate) const AUTHOR: &str = "conformance";

/// Who may do what: bits of PERMISSION and EMERGENCY.
const ACTIONS: [(&str, i64); 3] = [("PLACE", 1), ("CANCEL", 2), ("REPLACE", 4)];
/// A bit of no action, order type or kind: a list that is there and empty allows nothing, while no bit at all allows everything.
const NOTHING_ALLOWED: i64 = 1 << 62;

/// Decimals of `hard`; `None` where the type has no such figure.
fn hard_decimals(limit_type: LimitType) -> Option<u32> {
    use LimitType as L;
    match limit_type {
        L::MaxOrderNotional
        | L::OpenNotional
        | L::DailyNotional
        | L::LongExposure
        | L::ShortExposure
        | L::NetExposure
        | L::GrossExposure
        | L::DailyLoss
        | L::MaxDdStatic
        | L::MaxDdTrailing
        | L::Emergency => Some(16),
        L::MaxOrderQty
        | L::DailyQty
        | L::PositionLong
        | L::PositionShort
        | L::FatFinger
        | L::AdvOrder
        | L::AdvDay
        | L::Concentration
        | L::Sector
        | L::Margin
        | L::Leverage
        | L::RiskPerTrade => Some(8),
        L::MaxOpenOrders | L::OrderToTrade | L::RepeatedExec | L::OrderRate | L::MsgRate => Some(0),
        L::PriceCollar
        | L::Restricted
        | L::Permission
        | L::MarketHours
        | L::StaleOrder
        | L::DupContent
        | L::ShortSale
        | L::SelfTrade
        | L::BuyingPower => None,
    }
}

/// Decimals of the figures that a [`LimitProbe`](tradewind_domain::event::LimitProbe) answers with: percentages and multiples
/// of an equity are answered as values.
pub(crate) fn figure_decimals(limit_type: LimitType) -> u32 {
    use LimitType as L;
    match limit_type {
        L::Concentration | L::Sector | L::Margin | L::Leverage | L::RiskPerTrade | L::BuyingPower => 16,
        other => hard_decimals(other).unwrap_or(0),
    }
}

/// The event that sets a limit. Its scope and its instrument travel as names.
pub(crate) fn limit_set(limit: &Limit) -> Result<LimitSet, String> {
    let empty = Map::new();
    let params = Params {
        limit: &limit.id,
        map: limit.params.as_ref().unwrap_or(&empty),
    };
    let hard = match hard_decimals(limit.limit_type) {
        None => 0,
        // Rates have theirs among the parameters.
        Some(0) if matches!(limit.limit_type, LimitType::OrderRate | LimitType::MsgRate) => {
            params.whole("rate", None)?.into()
        }
        Some(decimals) => {
            // A limit without a value is 0, never unlimited (LIMITS section 4).
            let hard = limit.hard.unwrap_or(Decimal::ZERO);
            hard.raw(decimals)
                .ok_or_else(|| format!("limit {}: hard {hard} has too many decimals", limit.id))?
        }
    };
    let soft_pct = match limit.soft_pct {
        None => 0,
        Some(pct) => pct
            .whole()
            .ok_or_else(|| format!("limit {}: soft_pct {pct} is no whole percentage", limit.id))?,
    };
    let filter = limit.filter.as_ref();
    let sector = filter
        .and_then(|filter| filter.sector.as_deref())
        .unwrap_or_default();
    Ok(LimitSet {
        hard,
        params: params.of(limit.limit_type)?,
        label: code(&limit.id)?,
        filter_sector: Text::new(sector).map_err(|error| format!("sector {sector}: {error}"))?,
        limit_type: limit.limit_type as u8,
        soft_pct,
        filter_kind: filter.and_then(|filter| filter.kind).map_or(0, |kind| kind as u8),
        ..plain()
    })
}

/// The event that sets the emergency limits, at the root.
pub(crate) fn emergency_set(emergency: &Emergency) -> Result<LimitSet, String> {
    let actions = mask(&emergency.actions, |name| bit_of(&ACTIONS, name))?;
    let (Some(hard), Some(single)) = (emergency.daily.raw(16), emergency.single.e8()) else {
        return Err("emergency limits have too many decimals".to_owned());
    };
    Ok(LimitSet {
        hard,
        params: [
            single,
            emergency.valid_s.into(),
            actions,
            emergency.scope_level as i64,
            0,
            0,
        ],
        label: code(EMERGENCY_LABEL)?,
        limit_type: LimitType::Emergency as u8,
        ..plain()
    })
}

fn plain() -> LimitSet {
    LimitSet {
        author: Code::lossy(AUTHOR),
        action: LimitAction::Reject as u8,
        ..LimitSet::zeroed()
    }
}

/// The lines of a RESTRICTED limit.
pub(crate) fn restrictions(limit: &Limit) -> Result<Vec<(String, Restriction)>, String> {
    let symbols = limit.params.as_ref().and_then(|params| params.get("symbols"));
    let Some(Value::Object(symbols)) = symbols else {
        return Ok(Vec::new());
    };
    let line = |(symbol, word): (&String, &Value)| {
        let restriction = word.as_str().and_then(Restriction::from_text);
        let restriction =
            restriction.ok_or_else(|| format!("limit {}: {symbol} {word}: no restriction", limit.id))?;
        Ok((symbol.clone(), restriction))
    };
    symbols.iter().map(line).collect()
}

/// A name of a file as the engine's fixed text.
pub(crate) fn code<const N: usize>(name: &str) -> Result<Text<N>, String> {
    Text::new(name).map_err(|error| format!("name {name}: {error}"))
}

/// Parameters by name.
struct Params<'a> {
    limit: &'a str,
    map: &'a Map<String, Value>,
}

impl Params<'_> {
    /// The parameters of a type in the engine's order.
    fn of(&self, limit_type: LimitType) -> Result<[i64; 6], String> {
        use LimitType as L;
        let mut params = [0; 6];
        let mut set = |values: &[i64]| params[..values.len()].copy_from_slice(values);
        match limit_type {
            L::OrderRate | L::MsgRate => set(&[
                self.whole("period_ms", None)?,
                self.word("algo", "SLIDING", &[("SLIDING", 0), ("GCRA", 1)])?,
                self.whole("burst", Some(1))?,
            ]),
            L::DailyNotional | L::DailyQty => {
                set(&[self.word("side", "GROSS", &[("GROSS", 0), ("BUY", 1), ("SELL", 2)])?])
            }
            L::BuyingPower => set(&[
                self.e8("credit_line", 0)?,
                self.whole("fee_bps", Some(0))?,
                i64::from(self.value("unsettled_ok")?.unwrap_or(false)),
                // An account of these files has one figure of cash, in base currency.
                1,
            ]),
            L::DupContent => set(&[self.whole("window_ms", None)?, self.whole("max", Some(1))?]),
            L::RepeatedExec => set(&[self.whole("window_ms", None)?]),
            L::StaleOrder => set(&[self.whole("max_age_ms", None)?]),
            L::OrderToTrade => set(&[self.whole("min_msgs", Some(0))?]),
            L::Permission => set(&self.permissions()?),
            L::PriceCollar => set(&[
                self.e8("pct", 0)?,
                self.e8("abs", 0)?,
                self.whole("max_ref_age_ms", Some(5_000))?,
                self.word(
                    "stale_action",
                    "REJECT",
                    &[("REJECT", 0), ("WIDEN", 1), ("SKIP", 2)],
                )?,
                self.e8("widen_mult", ONE)?,
                self.word("side_mode", "BOTH", &[("BOTH", 0), ("AGGRESSIVE", 1)])?,
            ]),
            L::SelfTrade => {
                let modes = SelfTradeMode::ALL.iter().map(|mode| (mode.text(), *mode as i64));
                set(&[self.word(
                    "mode",
                    SelfTradeMode::CancelNewest.text(),
                    &modes.collect::<Vec<_>>(),
                )?])
            }
            L::DailyLoss => set(&[self.action()?]),
            L::MaxDdStatic => set(&[self.e8_required("initial")?, self.action()?]),
            L::MaxDdTrailing => set(&[
                self.e8_required("initial")?,
                self.word("mode", "EOD", &[("EOD", 0), ("INTRADAY", 1)])?,
                self.e8("lock", i64::MAX)?,
                self.action()?,
            ]),
            _ => {}
        }
        Ok(params)
    }

    fn permissions(&self) -> Result<[i64; 3], String> {
        let order_type = |name: &str| OrderType::from_text(name).map(|order_type| 1 << (order_type as i64));
        let kind = |name: &str| InstrumentKind::from_text(name).map(|kind| 1 << (kind as i64));
        Ok([
            self.mask("actions", |name| bit_of(&ACTIONS, name))?,
            self.mask("order_types", order_type)?,
            self.mask("kinds", kind)?,
        ])
    }

    /// What a broken limit on equity does.
    fn action(&self) -> Result<i64, String> {
        let states = [
            ControlState::ReduceOnly,
            ControlState::CancelOnly,
            ControlState::Kill,
        ];
        let words = states.map(|state| (state.text(), state as i64));
        self.word("action", ControlState::ReduceOnly.text(), &words)
    }

    fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.map.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| format!("limit {}: {name}: {error}", self.limit))
    }

    fn whole(&self, name: &str, default: Option<i64>) -> Result<i64, String> {
        match self.value::<Decimal>(name)? {
            Some(value) => value
                .whole()
                .ok_or_else(|| format!("limit {}: {name} {value} is no whole number", self.limit)),
            None => default.ok_or_else(|| format!("limit {} has no {name}", self.limit)),
        }
    }

    fn e8(&self, name: &str, default: i64) -> Result<i64, String> {
        match self.value::<Decimal>(name)? {
            Some(value) => value
                .e8()
                .ok_or_else(|| format!("limit {}: {name} {value} does not fit", self.limit)),
            None => Ok(default),
        }
    }

    fn e8_required(&self, name: &str) -> Result<i64, String> {
        if self.map.contains_key(name) {
            self.e8(name, 0)
        } else {
            Err(format!("limit {} has no {name}", self.limit))
        }
    }

    fn word(&self, name: &str, default: &str, words: &[(&str, i64)]) -> Result<i64, String> {
        let word = self.value::<String>(name)?;
        let word = word.as_deref().unwrap_or(default);
        bit_of(words, word).ok_or_else(|| format!("limit {}: {name} {word} is not known", self.limit))
    }

    fn mask(&self, name: &str, bit: impl Fn(&str) -> Option<i64>) -> Result<i64, String> {
        match self.value::<Vec<String>>(name)? {
            None => Ok(0),
            Some(names) => {
                mask(&names, bit).map_err(|error| format!("limit {}: {name}: {error}", self.limit))
            }
        }
    }
}

fn bit_of(words: &[(&str, i64)], word: &str) -> Option<i64> {
    words
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, number)| *number)
}

fn mask(names: &[String], bit: impl Fn(&str) -> Option<i64>) -> Result<i64, String> {
    let mut mask = 0;
    for name in names {
        mask |= bit(name).ok_or_else(|| format!("{name} is not known"))?;
    }
    Ok(if mask == 0 { NOTHING_ALLOWED } else { mask })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(value: Value) -> Result<LimitSet, String> {
        limit_set(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn figures_take_the_unit_of_their_type() {
        let hard = |limit_type: &str, hard: &str| {
            set(json!({"id": "L", "scope": "A", "type": limit_type, "hard": hard})).map(|set| set.hard)
        };
        assert_eq!(hard("MAX_ORDER_QTY", "1.5"), Ok(150_000_000));
        assert_eq!(hard("MAX_ORDER_NOTIONAL", "0.5"), Ok(5_000_000_000_000_000));
        assert_eq!(hard("LEVERAGE", "2"), Ok(200_000_000));
        assert_eq!(hard("MAX_OPEN_ORDERS", "7"), Ok(7));
        assert!(hard("MAX_OPEN_ORDERS", "7.5").is_err());
        let unset = set(json!({"id": "L", "scope": "A", "type": "MAX_ORDER_QTY"}));
        assert_eq!(unset.map(|set| set.hard), Ok(0));
    }

    #[test]
    fn absent_parameters_take_their_defaults() {
        let collar =
            set(json!({"id": "L", "scope": "A", "type": "PRICE_COLLAR", "params": {"pct": "5"}})).unwrap();
        assert_eq!(collar.params, [500_000_000, 0, 5_000, 0, ONE, 0]);
        let trailing = json!({"id": "L", "scope": "A", "type": "MAX_DD_TRAILING", "hard": "1", "params": {"initial": "2"}});
        assert_eq!(set(trailing).unwrap().params, [200_000_000, 0, i64::MAX, 1, 0, 0]);
        let rate = json!({"id": "L", "scope": "A", "type": "ORDER_RATE", "params": {"rate": 3, "period_ms": 500, "algo": "GCRA"}});
        let rate = set(rate).unwrap();
        assert_eq!((rate.hard, rate.params), (3, [500, 1, 1, 0, 0, 0]));
    }

    #[test]
    fn a_permission_that_lists_nothing_allows_nothing() {
        let permission =
            |params: Value| set(json!({"id": "L", "scope": "A", "type": "PERMISSION", "params": params}));
        assert_eq!(permission(json!({})).unwrap().params, [0; 6]);
        assert_eq!(
            permission(json!({"actions": ["PLACE", "CANCEL"]}))
                .unwrap()
                .params[0],
            3
        );
        assert_eq!(
            permission(json!({"order_types": ["LIMIT"]})).unwrap().params[1],
            4
        );
        assert_eq!(
            permission(json!({"actions": []})).unwrap().params[0],
            NOTHING_ALLOWED
        );
        assert!(permission(json!({"actions": ["FLY"]})).is_err());
    }
}
