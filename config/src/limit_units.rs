//! How files write limits: units, parameters, what a type can be narrowed to. The table of all types is
//! [`LIMIT_SPECS`](crate::LIMIT_SPECS); docs/limits.md shows it.
//!
//! Not here: what a limit does; that is the limit check's. A test of the engine's wiring sends it every limit that files may hold.

use tradewind_domain::codes::LimitType;
use tradewind_domain::fixed::Price;

/// Unit of a limit's `hard` in files, and its scale in `LimitSet::hard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitUnit {
    /// A quantity, kept at 1e-8.
    Quantity,
    /// A value in base currency, kept at 1e-16.
    Value,
    /// Percent of another figure, kept at 1e-8.
    Percent,
    /// A plain count from 0 or 1 to the most.
    Count(i64, i64),
    /// A multiple of another figure, kept at 1e-8.
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
            Self::Percent => "percent at 1e-8",
            Self::Count(..) => "count",
            Self::Multiple => "multiple at 1e-8",
            Self::Rate => "messages a period",
            Self::Nothing => "none (0)",
        }
    }

    /// Decimals of the integer in events.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Quantity | Self::Multiple | Self::Percent => 8,
            Self::Value => 16,
            Self::Count(..) | Self::Rate | Self::Nothing => 0,
        }
    }
}

/// Words and their numbers.
pub type Words = &'static [(&'static str, i64)];

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number in this range.
    Whole(i64, i64),
    /// A decimal in this range, kept at 1e-8.
    Decimal(i64, i64),
    /// A decimal that is not negative, kept at 1e-8, or `NONE`, kept as the largest number.
    DecimalOrNone,
    /// true (1) or false (0).
    Flag,
    /// One of these words, kept as its number.
    Choice(Words),
    /// A list of these words, kept as the sum of their numbers; the last is the word for an empty list.
    Set(Words, &'static str),
}

/// Name of the figure that is not there.
pub(crate) const NONE: &str = "NONE";

impl ParamKind {
    /// The value as a file would have it, without quotes.
    pub fn show(self, value: i64) -> String {
        let word_of = |words: Words| words.iter().find(|(_, number)| *number == value);
        match self {
            Self::DecimalOrNone if value == i64::MAX => NONE.to_owned(),
            Self::Decimal(..) | Self::DecimalOrNone => Price::from_raw(value).to_string(),
            Self::Whole(..) => value.to_string(),
            Self::Flag => (value != 0).to_string(),
            Self::Choice(words) => word_of(words).map_or(value.to_string(), |(word, _)| (*word).to_owned()),
            Self::Set(words, empty) => match Self::members(words, value) {
                None => value.to_string(),
                Some(members) if members.is_empty() => empty.to_owned(),
                Some(members) => members.join(","),
            },
        }
    }

    /// The words that make up a mask, or `None` where a bit of it has none.
    fn members(words: Words, mask: i64) -> Option<Vec<&'static str>> {
        let members = words.iter().filter(|(_, bit)| mask & bit != 0);
        let all: i64 = words.iter().map(|(_, bit)| bit).sum();
        (mask & !all == 0).then(|| members.map(|(word, _)| *word).collect())
    }

    /// The mask of a list such as `PLACE,CANCEL`, or the word for an empty one.
    pub(crate) fn mask(words: Words, empty: &str, text: &str) -> Option<i64> {
        if text == empty {
            return Some(0);
        }
        text.split(',').try_fold(0, |mask, word| {
            let (_, bit) = words.iter().find(|(known, _)| *known == word.trim())?;
            Some(mask | bit)
        })
    }

    /// What is allowed, for documents and problems.
    pub fn allowed(self) -> String {
        let list = |words: Words| {
            let shown = words.iter().map(|(word, number)| match number.trailing_zeros() {
                bit @ 32.. if *number != 0 => format!("{word} = 2^{bit}"),
                _ => format!("{word} = {number}"),
            });
            shown.collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Whole(min, i64::MAX) => format!("a whole number from {min}"),
            Self::Whole(min, max) => format!("{min} to {max}"),
            Self::Decimal(min, i64::MAX) => format!("decimal at 1e-8 from {}", Price::from_raw(min)),
            Self::Decimal(min, max) => {
                format!(
                    "decimal at 1e-8, {} to {}",
                    Price::from_raw(min),
                    Price::from_raw(max)
                )
            }
            Self::DecimalOrNone => format!("decimal at 1e-8 from 0, or {NONE} = {}", i64::MAX),
            Self::Flag => "false = 0, true = 1".to_owned(),
            Self::Choice(words) => list(words),
            Self::Set(words, empty) => format!("list of {}; {empty} = 0", list(words)),
        }
    }
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
    /// Value where the file has none, as kept; `None` where a file must have one.
    pub default: Option<i64>,
}

/// What a limit may be narrowed to. An instrument never stands beside a kind or a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filters {
    /// Nothing: it looks at no instrument.
    None,
    /// A kind or a sector, or both.
    Groups,
    /// One instrument, or a kind or a sector or both.
    All,
}

/// What a breach may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actions {
    /// Refuse, alert, or set the node's state.
    Usual,
    /// Likewise, or slow down.
    Rate,
    /// What the type itself or its parameter says; a file gives none.
    Own,
}

/// A limit type that this version evaluates.
#[derive(Clone, Copy, Debug)]
pub struct LimitSpec {
    /// The type.
    pub limit_type: LimitType,
    /// What is compared, in one line.
    pub doc: &'static str,
    /// When it starts anew.
    pub resets: &'static str,
    /// Unit of `hard`.
    pub unit: LimitUnit,
    /// `hard` as kept where a file has none; `None` where a file must have one.
    pub hard: Option<i128>,
    /// Its parameters.
    pub params: &'static [ParamSpec],
    /// What it may be narrowed to.
    pub filters: Filters,
    /// What a breach may do.
    pub actions: Actions,
}

/// How files write a type, or `None` where this version does not evaluate it.
pub fn limit_spec(limit_type: LimitType) -> Option<&'static LimitSpec> {
    crate::LIMIT_SPECS
        .iter()
        .find(|spec| spec.limit_type == limit_type)
}
