//! Fee schedules: what a venue or broker charges for the fills of an order (SETTLEMENT section 5).
//!
//! A schedule is a pure function: what the order was charged so far and a fill give the fill's fee and what the order was charged
//! then. The whole order is rounded once and a fill is charged the difference, so that minimum, maximum and rounding are the order's.
//!
//! # Invariants
//! - The fees of an order's fills add up to the schedule's fee of the whole order, whatever the fills.
//! - Products are exact to 24 decimals and rounded once; what does not fit is `None`, never a wrapped figure.
//! - A model's number and arithmetic never change: what an order was charged for is worked out from the journal's fills. Another
//!   arithmetic is another model.
//!
//! Not here: which schedule an order falls under (the limit check), fees that venues report, which win.

use crate::codes::{InstrumentKind, Side};
use crate::fixed::{Money, ONE};
use crate::reference::Instrument;
use crate::rounding::{Rounding, div_round, to_money};
use bytemuck::{Pod, Zeroable};

/// How a schedule charges. Numbers are journaled: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FeeModel {
    /// Basis points of the value, half up.
    Bps = 1,
    /// So much a unit; at least, at most, and last at most a share of the value, half up.
    PerUnit = 2,
    /// So much an order.
    Flat = 3,
    /// Basis points of the value of sales, rounded up: levies.
    SellOnlyBps = 4,
    /// A rate times quantity, price and one less the price, rounded up: prediction markets.
    BinaryQuadratic = 5,
}

impl FeeModel {
    /// Every model, by number.
    pub const ALL: [Self; 5] = [
        Self::Bps,
        Self::PerUnit,
        Self::Flat,
        Self::SellOnlyBps,
        Self::BinaryQuadratic,
    ];

    /// The model of a stored number.
    #[inline]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Bps),
            2 => Some(Self::PerUnit),
            3 => Some(Self::Flat),
            4 => Some(Self::SellOnlyBps),
            5 => Some(Self::BinaryQuadratic),
            _ => None,
        }
    }

    /// The model of a name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.text() == text)
    }

    /// Name in files and listings.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Bps => "BPS",
            Self::PerUnit => "PER_UNIT",
            Self::Flat => "FLAT",
            Self::SellOnlyBps => "SELL_ONLY_BPS",
            Self::BinaryQuadratic => "BINARY_QUADRATIC",
        }
    }

    const fn rounding(self) -> Rounding {
        match self {
            Self::SellOnlyBps | Self::BinaryQuadratic => Rounding::Ceiling,
            Self::Bps | Self::PerUnit | Self::Flat => Rounding::HalfUp,
        }
    }
}

/// Places of a schedule's parameters in the event that sets it.
pub mod fee_params {
    /// Rate: basis points, money a unit or an order, or a plain factor, by model.
    pub const RATE: usize = 0;
    /// Least fee of an order; 0 for none.
    pub const MIN: usize = 1;
    /// Greatest fee of an order; 0 for none.
    pub const MAX: usize = 2;
    /// Greatest fee of an order in percent of its value, which wins over the least one; 0 for none.
    pub const MAX_PCT: usize = 3;
    /// Rate of fills that made liquidity, where the schedule has one.
    pub const MAKER_RATE: usize = 4;
}

/// Bits of the flags of the event that sets a schedule.
pub mod fee_flags {
    /// Fills that made liquidity have a rate of their own.
    pub const HAS_MAKER_RATE: u8 = 1;
}

/// A schedule: a model and its parameters, all at 1e-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// How it charges.
    pub model: FeeModel,
    /// By [`fee_params`].
    pub params: [i64; 6],
    /// True where fills that made liquidity have a rate of their own.
    pub has_maker_rate: bool,
}

impl FeeSchedule {
    /// True where every figure makes sense.
    pub fn is_valid(&self) -> bool {
        let [_, min, max, max_pct, ..] = self.params;
        let is_bounded = matches!(self.model, FeeModel::PerUnit);
        let bounds = [min, max, max_pct];
        bounds.iter().all(|&bound| bound >= 0)
            && (is_bounded || bounds == [0; 3])
            && (max == 0 || min <= max)
            && self.params[5] == 0
            && (self.has_maker_rate || self.params[fee_params::MAKER_RATE] == 0)
    }

    fn rate(&self, is_maker: bool) -> i64 {
        let at = if is_maker && self.has_maker_rate {
            fee_params::MAKER_RATE
        } else {
            fee_params::RATE
        };
        self.params[at]
    }
}

/// What an order was charged by its schedule, and for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FeeState {
    /// Fee of all fills before rounding and bounds, in units of 1e-24.
    accrued: i128,
    /// Value of all fills, in units of 1e-16.
    value: i128,
    /// Fee that the fills were charged.
    charged: Money,
}

/// A fill as a schedule sees it.
#[derive(Clone, Copy, Debug)]
pub struct FeeFill {
    /// Side.
    pub side: Side,
    /// Quantity at 1e-8, above zero.
    pub qty: i64,
    /// Price at 1e-8.
    pub px: i64,
    /// True where it made liquidity.
    pub is_maker: bool,
}

/// Decimals of what accrues.
const ACCRUED_DP: u32 = 24;
/// Decimals of an order's value.
const VALUE_DP: u32 = 16;

/// The fee of a fill and the order's state after it, for what was charged before. `None` where a figure does not fit.
pub fn charge(
    schedule: &FeeSchedule,
    instrument: &Instrument,
    state: &FeeState,
    fill: &FeeFill,
) -> Option<(Money, FeeState)> {
    let mut after = accrue(schedule, instrument, state, fill)?;
    let fee = total(schedule, instrument, &after)?.checked_sub(state.charged)?;
    after.charged = state.charged.checked_add(fee)?;
    Some((fee, after))
}

/// The state after a fill whose fee is known: what it was charged is recorded and not worked out again. `None` where a figure does
/// not fit, which a fill that was charged never gives.
pub fn charged(
    schedule: &FeeSchedule,
    instrument: &Instrument,
    state: &FeeState,
    fill: &FeeFill,
    fee: Money,
) -> Option<FeeState> {
    let after = accrue(schedule, instrument, state, fill)?;
    Some(FeeState {
        charged: state.charged.checked_add(fee)?,
        ..after
    })
}

/// The fee of an order filled in one: the estimate that is reserved with it. It takes liquidity.
pub fn estimate(
    schedule: &FeeSchedule,
    instrument: &Instrument,
    side: Side,
    qty: i64,
    px: i64,
) -> Option<Money> {
    let fill = FeeFill {
        side,
        qty,
        px,
        is_maker: false,
    };
    charge(schedule, instrument, &FeeState::default(), &fill).map(|(fee, _)| fee)
}

fn accrue(
    schedule: &FeeSchedule,
    instrument: &Instrument,
    state: &FeeState,
    fill: &FeeFill,
) -> Option<FeeState> {
    let (qty, px) = (Exact::e8(fill.qty), Exact::e8(fill.px));
    let rate = Exact::e8(schedule.rate(fill.is_maker));
    let value = value(instrument, fill)?;
    let fee = match schedule.model {
        FeeModel::Bps => value.times(rate)?.shifted(4),
        FeeModel::SellOnlyBps if fill.side.is_buy() => Exact::ZERO,
        FeeModel::SellOnlyBps => value.times(rate)?.shifted(4),
        FeeModel::PerUnit => qty.times(rate)?,
        FeeModel::Flat if *state == FeeState::default() => rate,
        FeeModel::Flat => Exact::ZERO,
        FeeModel::BinaryQuadratic => {
            let other = Exact::e8(ONE.checked_sub(fill.px)?);
            qty.times(px)?.times(other)?.times(rate)?
        }
    };
    Some(FeeState {
        accrued: state.accrued.checked_add(fee.at(ACCRUED_DP)?)?,
        value: state.value.checked_add(value.at(VALUE_DP)?)?,
        charged: state.charged,
    })
}

/// Value of a fill in the instrument's currency, before rounding; to 16 decimals for inverse contracts, which divide.
fn value(instrument: &Instrument, fill: &FeeFill) -> Option<Exact> {
    let (qty, mult) = (Exact::e8(fill.qty), Exact::e8(instrument.mult));
    if instrument.kind != InstrumentKind::Inverse as u8 {
        return qty.times(Exact::e8(fill.px))?.times(mult);
    }
    let coins = qty.times(mult)?.at(VALUE_DP)?.checked_mul(ONE.into())?;
    Some(Exact {
        mantissa: div_round(coins, fill.px.into(), Rounding::HalfEven)?,
        decimals: VALUE_DP,
    })
}

/// The fee of all fills together.
fn total(schedule: &FeeSchedule, instrument: &Instrument, state: &FeeState) -> Option<Money> {
    let mut fee = state.accrued;
    if schedule.model == FeeModel::PerUnit {
        let money = |at: usize| i128::from(schedule.params[at]).checked_mul(10i128.pow(ACCRUED_DP - 8));
        let (min, max) = (money(fee_params::MIN)?, money(fee_params::MAX)?);
        fee = fee.max(min);
        if max != 0 {
            fee = fee.min(max);
        }
        let pct = Exact::e8(schedule.params[fee_params::MAX_PCT]);
        if pct.mantissa != 0 {
            let value = Exact {
                mantissa: state.value.checked_abs()?,
                decimals: VALUE_DP,
            };
            fee = fee.min(value.stripped().times(pct)?.shifted(2).at(ACCRUED_DP)?);
        }
    }
    to_money(fee, ACCRUED_DP, instrument.money_dp, schedule.model.rounding())
}

/// A decimal number with a mantissa as short as it can be: products of what people write stay far from 128 bits.
#[derive(Clone, Copy)]
struct Exact {
    mantissa: i128,
    decimals: u32,
}

impl Exact {
    const ZERO: Self = Self {
        mantissa: 0,
        decimals: 0,
    };

    fn e8(raw: i64) -> Self {
        Self {
            mantissa: raw.into(),
            decimals: 8,
        }
        .stripped()
    }

    fn stripped(mut self) -> Self {
        while self.decimals > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.decimals -= 1;
        }
        self
    }

    fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            mantissa: self.mantissa.checked_mul(other.mantissa)?,
            decimals: self.decimals + other.decimals,
        })
    }

    /// Divided by a power of ten.
    fn shifted(self, places: u32) -> Self {
        Self {
            decimals: self.decimals + places,
            ..self
        }
    }

    /// The integer with so many decimals; further ones are rounded half even.
    fn at(self, decimals: u32) -> Option<i128> {
        match self.decimals.checked_sub(decimals) {
            None | Some(0) => self
                .mantissa
                .checked_mul(10i128.checked_pow(decimals - self.decimals)?),
            Some(drop) => div_round(self.mantissa, 10i128.checked_pow(drop)?, Rounding::HalfEven),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal;
    use proptest::prelude::*;

    fn raw(text: &str) -> i64 {
        decimal::parse(text.as_bytes()).expect("a decimal")
    }

    fn schedule(model: FeeModel, params: [&str; 5]) -> FeeSchedule {
        let [rate, min, max, max_pct, maker] = params.map(raw);
        FeeSchedule {
            model,
            params: [rate, min, max, max_pct, maker, 0],
            has_maker_rate: maker != 0,
        }
    }

    fn instrument(money_dp: u8) -> Instrument {
        Instrument {
            money_dp,
            ..Instrument::default_linear()
        }
    }

    fn fee(of: &FeeSchedule, money_dp: u8, side: Side, qty: &str, px: &str) -> String {
        assert!(of.is_valid());
        let fee = estimate(of, &instrument(money_dp), side, raw(qty), raw(px));
        fee.expect("a fee").to_string()
    }

    #[test]
    fn fees_are_those_of_the_specification() {
        let bps = schedule(FeeModel::Bps, ["10", "0", "0", "0", "0"]);
        assert_eq!(fee(&bps, 2, Side::Buy, "123", "45.67"), "5.62");
        let unit = schedule(FeeModel::PerUnit, ["0.005", "1", "5", "1", "0"]);
        assert_eq!(fee(&unit, 2, Side::Buy, "100", "10"), "1");
        assert_eq!(fee(&unit, 2, Side::Buy, "2000", "10"), "5");
        assert_eq!(fee(&unit, 2, Side::Buy, "10", "0.25"), "0.03", "1 % of 2.50");
        assert_eq!(fee(&unit, 2, Side::Sell, "33", "0.33"), "0.11", "1 % of 10.89");
        let levy = schedule(FeeModel::SellOnlyBps, ["0.278", "0", "0", "0", "0"]);
        assert_eq!(fee(&levy, 2, Side::Sell, "100", "50"), "0.14");
        assert_eq!(fee(&levy, 2, Side::Buy, "100", "50"), "0");
        let binary = schedule(FeeModel::BinaryQuadratic, ["0.07", "0", "0", "0", "0.0175"]);
        assert_eq!(fee(&binary, 2, Side::Buy, "100", "0.50"), "1.75");
        assert_eq!(fee(&binary, 2, Side::Buy, "1", "0.01"), "0.01");
        let coin = schedule(FeeModel::Bps, ["7.5", "0", "0", "0", "0"]);
        assert_eq!(fee(&coin, 8, Side::Buy, "0.12345678", "1"), "0.00009259");
    }

    #[test]
    fn the_minimum_is_the_orders_and_not_each_fills() {
        let of = schedule(FeeModel::PerUnit, ["0.005", "1", "0", "0", "0"]);
        let row = instrument(2);
        let fill = FeeFill {
            side: Side::Buy,
            qty: raw("100"),
            px: raw("10"),
            is_maker: false,
        };
        let (mut state, mut fees) = (FeeState::default(), Vec::new());
        for _ in 0..4 {
            let (fee, after) = charge(&of, &row, &state, &fill).expect("a fee");
            assert_eq!(charged(&of, &row, &state, &fill, fee), Some(after));
            state = after;
            fees.push(fee.to_string());
        }
        assert_eq!(fees, ["1", "0", "0.5", "0.5"]);
    }

    #[test]
    fn a_maker_has_a_rate_of_his_own_and_a_flat_fee_comes_once() {
        let of = schedule(FeeModel::BinaryQuadratic, ["0.07", "0", "0", "0", "0.0175"]);
        let fill = FeeFill {
            side: Side::Buy,
            qty: raw("100"),
            px: raw("0.5"),
            is_maker: true,
        };
        let row = instrument(2);
        let (fee, _) = charge(&of, &row, &FeeState::default(), &fill).expect("a fee");
        assert_eq!(fee.to_string(), "0.44");
        let flat = schedule(FeeModel::Flat, ["2", "0", "0", "0", "0"]);
        let (first, state) = charge(&flat, &row, &FeeState::default(), &fill).expect("a fee");
        let (second, _) = charge(&flat, &row, &state, &fill).expect("a fee");
        assert_eq!((first.to_string(), second), ("2".into(), Money::ZERO));
    }

    #[test]
    fn figures_that_make_no_sense_are_no_schedule() {
        assert!(!schedule(FeeModel::Bps, ["1", "1", "0", "0", "0"]).is_valid());
        assert!(!schedule(FeeModel::PerUnit, ["1", "2", "1", "0", "0"]).is_valid());
        assert!(!schedule(FeeModel::PerUnit, ["1", "-1", "0", "0", "0"]).is_valid());
        let mut unused = schedule(FeeModel::Bps, ["1", "0", "0", "0", "0"]);
        unused.params[5] = 1;
        assert!(!unused.is_valid());
    }

    #[test]
    fn numbers_of_models_are_pinned() {
        for (number, model) in (1..).zip(FeeModel::ALL) {
            assert_eq!((model as u8, FeeModel::from_code(number)), (number, Some(model)));
        }
        assert_eq!(FeeModel::from_code(0), None);
    }

    fn any_schedule() -> impl Strategy<Value = FeeSchedule> {
        let figures = (
            0i64..500_000_000,
            0i64..300_000_000,
            0i64..300_000_000,
            0i64..500_000_000,
        );
        (0usize..5, figures).prop_map(|(model, (rate, min, more, max_pct))| {
            let model = FeeModel::ALL[model];
            let bounds = if model == FeeModel::PerUnit {
                [min, min + more, max_pct]
            } else {
                [0; 3]
            };
            FeeSchedule {
                model,
                params: [rate, bounds[0], bounds[1], bounds[2], 0, 0],
                has_maker_rate: false,
            }
        })
    }

    proptest! {
        #[test]
        fn fills_are_charged_what_the_order_is(of in any_schedule(), qty in prop::collection::vec(1i64..1_000_000, 1..8), px in 1i64..99) {
            let (row, px) = (instrument(2), px * 1_000_000);
            let fill = |qty: i64| FeeFill { side: Side::Sell, qty: qty * 10_000, px, is_maker: false };
            let (mut state, mut sum) = (FeeState::default(), 0);
            for &qty in &qty {
                let (fee, after) = charge(&of, &row, &state, &fill(qty)).expect("a fee");
                sum += fee.raw();
                state = after;
            }
            let whole = qty.iter().sum::<i64>() * 10_000;
            prop_assert_eq!(Some(Money::from_raw(sum)), estimate(&of, &row, Side::Sell, whole, px));
        }

        #[test]
        fn no_figure_stops_a_charge(params: [i64; 6], model in 0usize..5, qty: i64, px: i64, mult in 1i64.., kind in 1u8..6) {
            let of = FeeSchedule { model: FeeModel::ALL[model], params, has_maker_rate: true };
            let row = Instrument { mult, kind, ..instrument(8) };
            let fill = FeeFill { side: Side::Sell, qty, px, is_maker: px % 2 == 0 };
            if let Some((_, state)) = charge(&of, &row, &FeeState::default(), &fill) {
                let _ = charge(&of, &row, &state, &fill);
            }
        }
    }
}
