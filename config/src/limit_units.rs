//! The limit types as files write them: the unit of `hard` and the parameters of each type. docs/limits.md shows this table.
//!
//! Not here: what a limit does; that is the limit check's.

use tradewind_domain::codes::LimitType;

/// Unit of a limit's `hard` in files, and its scale in `LimitSet::hard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitUnit {
    /// A quantity, kept at 1e-8.
    Quantity,
    /// A value in base currency, kept at 1e-16.
    Value,
    /// A plain count.
    Count,
    /// A multiple of the instrument's usual order quantity, kept at 1e-8.
    Multiple,
    /// Messages a period, kept plain.
    Rate,
    /// Nothing: `hard` is absent in files and 0 in events.
    Nothing,
}

impl LimitUnit {
    /// Name in documents.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Quantity => "quantity at 1e-8",
            Self::Value => "value in base currency at 1e-16",
            Self::Count => "count",
            Self::Multiple => "multiple at 1e-8",
            Self::Rate => "messages a period",
            Self::Nothing => "none (0)",
        }
    }

    /// Decimals of the integer in events.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Quantity | Self::Multiple => 8,
            Self::Value => 16,
            Self::Count | Self::Rate | Self::Nothing => 0,
        }
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number in this range.
    Whole(i64, i64),
    /// A decimal that is not negative, kept at 1e-8.
    Decimal,
    /// true (1) or false (0).
    Flag,
    /// One of these words, kept as its number.
    Choice(&'static [(&'static str, i64)]),
}

/// A parameter of a limit type.
#[derive(Clone, Copy, Debug)]
pub struct ParamSpec {
    /// Name in files.
    pub name: &'static str,
    /// Place in `LimitSet::params`.
    pub index: usize,
    /// What it may be.
    pub kind: ParamKind,
    /// Value where the file has none, as kept.
    pub default: i64,
}

/// A limit type that this version evaluates.
#[derive(Clone, Copy, Debug)]
pub struct LimitSpec {
    /// The type.
    pub limit_type: LimitType,
    /// Unit of `hard`.
    pub unit: LimitUnit,
    /// Its parameters.
    pub params: &'static [ParamSpec],
}

const RATE_PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "period_ms",
        index: 0,
        kind: ParamKind::Whole(1, 86_400_000),
        default: 1_000,
    },
    // SLIDING (0) of the catalogue is not evaluated by this version.
    ParamSpec {
        name: "algo",
        index: 1,
        kind: ParamKind::Choice(&[("GCRA", 1)]),
        default: 1,
    },
    ParamSpec {
        name: "burst",
        index: 2,
        kind: ParamKind::Whole(1, 1_000_000),
        default: 1,
    },
];
const SIDE_PARAMS: &[ParamSpec] = &[ParamSpec {
    name: "side",
    index: 0,
    kind: ParamKind::Choice(&[("GROSS", 0), ("BUY", 1), ("SELL", 2)]),
    default: 0,
}];
const CREDIT_PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "credit_line",
        index: 0,
        kind: ParamKind::Decimal,
        default: 0,
    },
    ParamSpec {
        name: "fee_bps",
        index: 1,
        kind: ParamKind::Whole(0, 10_000),
        default: 0,
    },
    ParamSpec {
        name: "unsettled_ok",
        index: 2,
        kind: ParamKind::Flag,
        default: 0,
    },
];

const fn plain(limit_type: LimitType, unit: LimitUnit) -> LimitSpec {
    LimitSpec {
        limit_type,
        unit,
        params: &[],
    }
}

/// The limit types that this version evaluates, in the order of the catalogue. Files with others are refused.
pub static LIMIT_SPECS: &[LimitSpec] = &[
    plain(LimitType::MaxOrderQty, LimitUnit::Quantity),
    plain(LimitType::MaxOrderNotional, LimitUnit::Value),
    plain(LimitType::FatFinger, LimitUnit::Multiple),
    LimitSpec {
        limit_type: LimitType::OrderRate,
        unit: LimitUnit::Rate,
        params: RATE_PARAMS,
    },
    LimitSpec {
        limit_type: LimitType::MsgRate,
        unit: LimitUnit::Rate,
        params: RATE_PARAMS,
    },
    plain(LimitType::MaxOpenOrders, LimitUnit::Count),
    plain(LimitType::OpenNotional, LimitUnit::Value),
    LimitSpec {
        limit_type: LimitType::DailyNotional,
        unit: LimitUnit::Value,
        params: SIDE_PARAMS,
    },
    LimitSpec {
        limit_type: LimitType::DailyQty,
        unit: LimitUnit::Quantity,
        params: SIDE_PARAMS,
    },
    plain(LimitType::PositionLong, LimitUnit::Quantity),
    plain(LimitType::PositionShort, LimitUnit::Quantity),
    LimitSpec {
        limit_type: LimitType::BuyingPower,
        unit: LimitUnit::Nothing,
        params: CREDIT_PARAMS,
    },
];

/// How files write a type, or `None` where this version does not evaluate it.
pub fn limit_spec(limit_type: LimitType) -> Option<&'static LimitSpec> {
    LIMIT_SPECS.iter().find(|spec| spec.limit_type == limit_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_limits_has_a_row_for_each_type_with_its_unit_and_parameters() {
        let page = include_str!("../../docs/limits.md");
        for spec in LIMIT_SPECS {
            let start = format!("| {} | {} |", spec.limit_type.text(), spec.unit.text());
            let row = page
                .lines()
                .find(|line| line.starts_with(&start))
                .unwrap_or_else(|| panic!("no row `{start}`"));
            for param in spec.params {
                assert!(
                    row.contains(&format!("`{}` [{}]", param.name, param.index)),
                    "{row}: {}",
                    param.name
                );
            }
        }
        for limit_type in LimitType::ALL.iter().filter(|kind| limit_spec(**kind).is_none()) {
            assert!(
                page.contains(&format!("`{}`", limit_type.text())),
                "{limit_type} is not named"
            );
        }
    }
}
