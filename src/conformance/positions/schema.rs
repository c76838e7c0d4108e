//! Setup and steps of the family `positions`. A field that is not known is an error: it would have a meaning that is not played.

use crate::conformance::decimals::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tradewind_domain::codes::{InstrumentKind, LotMethod, Side};

/// A case.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    /// How things stand before the first step.
    pub(super) setup: Setup,
    /// What happens, in this order.
    pub(super) steps: Vec<Step>,
}

/// What is held, and how it is counted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    /// The instrument.
    pub(super) instrument: Instrument,
    /// Which lots close first.
    #[serde(deserialize_with = "method")]
    pub(super) method: LotMethod,
    /// True where fees are part of cost and proceeds.
    #[serde(default)]
    pub(super) fee_in_basis: bool,
}

/// An instrument.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instrument {
    /// Name.
    pub(super) symbol: String,
    /// What it is.
    #[serde(deserialize_with = "kind")]
    pub(super) kind: InstrumentKind,
    /// Currency.
    pub(super) ccy: String,
    /// Contract multiplier.
    pub(super) mult: Decimal,
    /// Decimals of the currency's minor unit.
    pub(super) money_dp: u8,
    /// Smallest step of quantity.
    pub(super) qty_step: Decimal,
}

/// A step.
#[derive(Debug)]
pub(super) struct Step {
    /// What happens.
    pub(super) op: Op,
    /// What is to be seen afterwards.
    pub(super) expect: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Step {
    /// The expectation first: the rest is the operation.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut fields = Map::deserialize(deserializer)?;
        let expect = match fields.remove("expect") {
            Some(Value::Object(expect)) => expect,
            _ => return Err(D::Error::custom("a step has no expect")),
        };
        let op = serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { op, expect })
    }
}

/// What happens.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Op {
    /// A trade.
    Fill {
        exec_id: String,
        #[serde(deserialize_with = "side")]
        side: Side,
        qty: Decimal,
        px: Decimal,
        fee: Option<Decimal>,
        fx: Option<Decimal>,
    },
    /// The market trades.
    Mark { mark: Decimal },
    /// The contract ends at a value.
    Settle {
        #[serde(rename = "id")]
        _id: String,
        px: Decimal,
    },
    /// New units for old ones.
    Split {
        num: Decimal,
        den: Decimal,
        cil_px: Option<Decimal>,
    },
    /// Cash for each unit.
    Dividend {
        per_share: Decimal,
        wh_pct: Option<Decimal>,
    },
    /// A trade is taken back.
    Bust { exec_id: String },
    /// A trade was another one.
    Correct {
        exec_id: String,
        qty: Option<Decimal>,
        px: Option<Decimal>,
        fee: Option<Decimal>,
    },
}

impl Op {
    /// For reports.
    pub(super) fn name(&self) -> String {
        match self {
            Op::Fill { exec_id, .. } => format!("fill {exec_id}"),
            Op::Mark { mark } => format!("mark {mark}"),
            Op::Settle { px, .. } => format!("settle {px}"),
            Op::Split { num, den, .. } => format!("split {num}:{den}"),
            Op::Dividend { per_share, .. } => format!("dividend {per_share}"),
            Op::Bust { exec_id } => format!("bust {exec_id}"),
            Op::Correct { exec_id, .. } => format!("correct {exec_id}"),
        }
    }
}

fn named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    what: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    find(&text).ok_or_else(|| serde::de::Error::custom(format!("unknown {what} {text}")))
}

fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LotMethod, D::Error> {
    named(deserializer, "method", LotMethod::from_text)
}

fn side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Side, D::Error> {
    named(deserializer, "side", Side::from_text)
}

/// Linear contracts are shares here: corporate actions apply to them.
fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<InstrumentKind, D::Error> {
    named(deserializer, "kind", |text| match text {
        "LINEAR" => Some(InstrumentKind::Equity),
        "INVERSE" => Some(InstrumentKind::Inverse),
        "BINARY" => Some(InstrumentKind::Binary),
        _ => None,
    })
}
