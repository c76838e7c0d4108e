//! The topics `settle_date`, `fees` and `rounding`: functions of the domain that the stages call.

use super::{Got, Plays, found};
use crate::conformance::decimals::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradewind_domain::codes::Side;
use tradewind_domain::fees::{self, FeeModel, FeeSchedule};
use tradewind_domain::fixed::ONE;
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{Rounding, div_round};
use tradewind_domain::settlement::{is_weekend, settle_date};
use tradewind_domain::time::{Date, DayNumber, parse_date};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    #[serde(default)]
    holidays: Vec<String>,
    model: Option<Model>,
    ccy: Option<String>,
    mult: Option<Decimal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    kind: String,
    #[serde(alias = "bps", alias = "amount", alias = "fee")]
    rate: Decimal,
    min: Option<Decimal>,
    max: Option<Decimal>,
    max_pct: Option<Decimal>,
}

/// A step as the file has it.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    /// When does it settle?
    SettleDate {
        /// Trade date.
        trade_date: String,
        /// Business days.
        n: u8,
    },
    /// What does it cost?
    Fee {
        /// Side.
        side: String,
        /// Quantity.
        qty: Decimal,
        /// Price.
        px: Decimal,
    },
    /// What does it round to?
    Round {
        /// What.
        value: Decimal,
        /// Decimals.
        dp: u32,
        /// How.
        mode: String,
    },
}

/// A case's setup.
pub(super) struct Player {
    holidays: Vec<DayNumber>,
    schedule: Option<FeeSchedule>,
    instrument: Instrument,
}

impl Player {
    /// Reads the setup.
    pub(super) fn open(setup: Value, _: &[Map<String, Value>]) -> Result<Self, String> {
        let setup = match setup {
            Value::Null => Setup::default(),
            setup => serde_json::from_value(setup).map_err(|error| error.to_string())?,
        };
        let dates = setup.holidays.iter().map(|text| date(text));
        let mult = setup.mult.map_or(Ok(ONE), e8)?;
        Ok(Self {
            holidays: dates.collect::<Result<_, _>>()?,
            schedule: setup.model.as_ref().map(schedule).transpose()?,
            instrument: Instrument {
                mult,
                money_dp: money_dp(setup.ccy.as_deref().unwrap_or("USD")),
                ..Instrument::default_linear()
            },
        })
    }

    fn fee(&self, side: &str, qty: Decimal, px: Decimal) -> Result<Value, String> {
        let side = Side::from_text(side).ok_or_else(|| format!("{side} is no side"))?;
        let schedule = self.schedule.as_ref().ok_or("the case has no fee model")?;
        let fee = fees::estimate(schedule, &self.instrument, side, e8(qty)?, e8(px)?);
        Ok(json!(fee.ok_or("the fee does not fit")?.to_string()))
    }
}

impl Plays for Player {
    type Step = Step;

    fn play(&mut self, step: Step) -> Got {
        Ok(match step {
            Step::SettleDate { trade_date, n } => {
                let is_open = |date| !is_weekend(date) && !self.holidays.contains(&date);
                let settles = settle_date(date(&trade_date)?, n, is_open);
                found([("settle_date", json!(Date(settles).to_string()))])
            }
            Step::Fee { side, qty, px } => found([("fee", self.fee(&side, qty, px)?)]),
            Step::Round { value, dp, mode } => found([("result", rounded(value, dp, &mode)?)]),
        })
    }
}

fn rounded(value: Decimal, dp: u32, mode: &str) -> Result<Value, String> {
    let mode = match mode {
        "HALF_UP" => Rounding::HalfUp,
        "HALF_EVEN" => Rounding::HalfEven,
        "CEILING" => Rounding::Ceiling,
        "DOWN" => Rounding::Down,
        mode => return Err(format!("unknown mode {mode}")),
    };
    let exact = value.raw(16).ok_or("the value does not fit")?;
    let drop = 16u32.checked_sub(dp).ok_or("there are more than 16 decimals")?;
    let rounded = div_round(exact, 10i128.pow(drop), mode).and_then(|raw| Decimal::scaled(raw, dp));
    Ok(json!(rounded.ok_or("the result does not fit")?))
}

fn schedule(model: &Model) -> Result<FeeSchedule, String> {
    let known = FeeModel::ALL.into_iter().find(|known| known.text() == model.kind);
    let or_zero = |value: Option<Decimal>| value.map_or(Ok(0), e8);
    let schedule = FeeSchedule {
        model: known.ok_or_else(|| format!("unknown fee model {}", model.kind))?,
        params: [
            e8(model.rate)?,
            or_zero(model.min)?,
            or_zero(model.max)?,
            or_zero(model.max_pct)?,
            0,
            0,
        ],
        has_maker_rate: false,
    };
    schedule
        .is_valid()
        .then_some(schedule)
        .ok_or_else(|| "the fee model makes no sense".to_owned())
}

/// Decimals of a currency's minor unit, as the files have them.
pub(super) fn money_dp(currency: &str) -> u8 {
    match currency {
        "JPY" => 0,
        "USDT" => 6,
        "BTC" => 8,
        _ => 2,
    }
}

pub(super) fn date(text: &str) -> Result<DayNumber, String> {
    parse_date(text).ok_or_else(|| format!("{text} is no date"))
}

pub(super) fn e8(value: Decimal) -> Result<i64, String> {
    value.e8().ok_or_else(|| format!("{value} does not fit"))
}
