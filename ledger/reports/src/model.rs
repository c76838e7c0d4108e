//! A report as plain data: sections of rows with typed cells.

use tradewind_analytics::Figure;
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::Seq;
use tradewind_domain::time::{Date, DayNumber, Rfc3339, UnixNanos};

/// A report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name, as on the command line.
    pub name: &'static str,
    /// Headline.
    pub title: &'static str,
    /// What it is about.
    pub scope: Scope,
    /// What it is made of.
    pub as_of: AsOf,
    /// True where a file of the firm's tax rules is part of that, beside the journal.
    pub has_tax_rules: bool,
    /// The few figures that a reader looks for first.
    pub highlights: Vec<Highlight>,
    /// What there is to say, in this order.
    pub sections: Vec<Section>,
    /// What a reader should know: conventions, and what could not be said.
    pub notes: Vec<String>,
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The account.
    pub account: String,
    /// Its base currency; empty where it has none.
    pub currency: String,
    /// First trading date that it covers; none before the journal's first.
    pub from: Option<DayNumber>,
    /// Last trading date that it covers.
    pub to: Option<DayNumber>,
}

/// The last input that went into a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Its number.
    pub seq: Seq,
    /// When ingest took it.
    pub time_ns: UnixNanos,
}

/// A figure that stands at the top; it is in a section too.
#[derive(Clone, Debug, PartialEq)]
pub struct Highlight {
    /// What it is.
    pub title: &'static str,
    /// The figure.
    pub cell: Cell,
    /// Its unit; empty where it needs none.
    pub unit: String,
}

impl Highlight {
    pub(crate) fn new(title: &'static str, cell: Cell, unit: impl Into<String>) -> Self {
        let unit = unit.into();
        Self { title, cell, unit }
    }
}

/// A table, with a picture where one helps.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Name in files.
    pub key: &'static str,
    /// Headline.
    pub title: &'static str,
    /// What the rows have.
    pub columns: Vec<Column>,
    /// Rows, each as long as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// The last so many rows sum up the others.
    pub totals: usize,
    /// A picture of it.
    pub charts: Vec<Chart>,
}

impl Section {
    /// An empty table. Columns are `key`, `title`.
    pub(crate) fn new(
        key: &'static str,
        title: &'static str,
        columns: &[(&'static str, &'static str)],
    ) -> Self {
        let column = |(key, title): &(&'static str, &'static str)| Column { key, title };
        Self {
            key,
            title,
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
            totals: 0,
            charts: Vec::new(),
        }
    }

    pub(crate) fn push<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(
            N,
            self.columns.len(),
            "Invariant: a row has a cell for each column"
        );
        self.rows.push(cells.into());
    }
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in files.
    pub key: &'static str,
    /// Headline.
    pub title: &'static str,
}

/// A figure, or a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// There is none.
    None,
    /// A word.
    Text(String),
    /// A number of things.
    Count(u64),
    /// An amount of money, and the decimals of its currency's minor unit.
    Money(Money, u8),
    /// A quantity.
    Qty(NetQty),
    /// A price.
    Px(Price),
    /// An exact share or return: 0.01 is 1 %.
    Share(Figure),
    /// A ratio, computed in floating point.
    Ratio(f64),
    /// A date.
    Day(DayNumber),
    /// An instant.
    Time(UnixNanos),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn or_none(cell: Option<Self>) -> Self {
        cell.unwrap_or(Self::None)
    }

    /// The cell as files write it: decimals without separators, money with all decimals of its currency, nothing for none.
    pub fn plain(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Money(money, dp) => with_decimals(&money.to_string(), *dp),
            Self::Qty(qty) => qty.to_string(),
            Self::Px(px) => px.to_string(),
            Self::Share(figure) => figure.to_string(),
            Self::Ratio(ratio) => ratio_text(*ratio),
            Self::Day(day) => Date(*day).to_string(),
            Self::Time(ns) => Rfc3339(*ns).to_string(),
        }
    }

    /// True where there is nothing to read.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::None) || matches!(self, Self::Text(text) if text.is_empty())
    }

    /// True for figures, which stand at the right of their column.
    pub fn is_figure(&self) -> bool {
        !matches!(self, Self::None | Self::Text(_) | Self::Day(_) | Self::Time(_))
    }

    /// True for figures below zero.
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Money(money, _) => money.is_negative(),
            Self::Qty(qty) => qty.is_negative(),
            Self::Px(px) => px.is_negative(),
            Self::Share(figure) => figure.raw() < 0,
            Self::Ratio(ratio) => *ratio < 0.0,
            _ => false,
        }
    }
}

/// A ratio with six decimals: more would be noise of the platform's arithmetic.
pub(crate) fn ratio_text(ratio: f64) -> String {
    let text = format!("{ratio:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// A decimal with at least so many decimals.
fn with_decimals(text: &str, dp: u8) -> String {
    let have = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let missing = usize::from(dp).saturating_sub(have);
    match (have, missing) {
        (_, 0) => text.to_owned(),
        (0, _) => format!("{text}.{}", "0".repeat(missing)),
        _ => format!("{text}{}", "0".repeat(missing)),
    }
}

/// A small picture. Places on it are floats; every figure of it stands in the table too.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// How it is drawn.
    pub series: Series,
}

/// What is drawn, from left to right, each with its name.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// A line through points.
    Line(Vec<(String, f64)>),
    /// Bars above and below zero.
    Bars(Vec<(String, f64)>),
    /// Bars beside each other's names, the longest first.
    Ranked(Vec<(String, f64)>),
}

impl Series {
    /// The points.
    pub fn points(&self) -> &[(String, f64)] {
        match self {
            Self::Line(points) | Self::Bars(points) | Self::Ranked(points) => points,
        }
    }
}

/// An amount as a place on a picture.
pub(crate) fn place(raw: i128) -> f64 {
    raw as f64 / tradewind_domain::fixed::ONE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_decimals_of_its_currency_and_never_loses_one() {
        let money = |raw: i128, dp| Cell::Money(Money::from_raw(raw), dp).plain();
        assert_eq!(money(110_000_000_000, 2), "1100.00");
        assert_eq!(money(110_050_000_000, 2), "1100.50");
        assert_eq!(money(-1, 2), "-0.00000001");
        assert_eq!(money(500_000_000, 0), "5");
        assert_eq!(money(0, 8), "0.00000000");
    }

    #[test]
    fn ratios_have_six_decimals_and_no_negative_zero() {
        assert_eq!(ratio_text(4.060_293_253), "4.060293");
        assert_eq!(ratio_text(-1e-9), "0");
        assert_eq!(ratio_text(2.0), "2");
        assert_eq!(Cell::None.plain(), "");
    }
}
