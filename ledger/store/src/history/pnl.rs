//! Profit by day and group: grouped by the database where that is exact (Postgres), else summed here, in 128 bits.

use super::conditions::{Conditions, Statement};
use crate::error::StoreError;
use crate::read::TextRow;
use crate::schema::Dialect;
use std::collections::BTreeMap;
use tradewind_domain::codes::Level;
use tradewind_domain::fixed::Money;
use tradewind_views::query::history::{PnlDayRow, PnlFilter, PnlGroup};

/// The node above a node on a level, for every node below it.
fn above(level: Level) -> String {
    format!(
        "WITH RECURSIVE up(node_id, next_id, code, level) AS (\
         SELECT node_id, parent_id, code, level FROM nodes UNION ALL \
         SELECT u.node_id, n.parent_id, n.code, n.level FROM up u JOIN nodes n ON n.node_id = u.next_id), \
         org AS (SELECT node_id, code FROM up WHERE level = {}) ",
        level as u8
    )
}

pub(super) fn statement(dialect: Dialect, filter: &PnlFilter) -> Statement {
    let mut conditions = Conditions::new(dialect);
    conditions.accounts("p.account_id", &filter.accounts);
    conditions.days("p.day", filter.days);
    conditions.symbol("p.instrument_id", filter.symbol.as_ref());
    let group = match filter.group {
        PnlGroup::Account => "COALESCE(a.code, '')",
        PnlGroup::Node => "COALESCE(n.code, '')",
        PnlGroup::Instrument => "COALESCE(i.symbol, '')",
        PnlGroup::Sector => "COALESCE(i.sector, '')",
        PnlGroup::Org => "COALESCE(o.code, '')",
        PnlGroup::AccountInstrument => "COALESCE(a.code, '') || '/' || COALESCE(i.symbol, '')",
    };
    let (with, org) = match filter.group {
        PnlGroup::Org => (above(Level::Org), " LEFT JOIN org o ON o.node_id = p.node_id"),
        _ => (String::new(), ""),
    };
    let day = if filter.by_day {
        dialect.text("p.day")
    } else {
        "''".to_owned()
    };
    let sum = |column: &str| match dialect {
        Dialect::Postgres => format!("SUM(p.{column})::text"),
        Dialect::Sqlite => format!("CAST(p.{column} AS TEXT)"),
    };
    let sums: Vec<String> = ["realised", "fees", "income", "fills", "volume"]
        .map(sum)
        .to_vec();
    let by = if dialect == Dialect::Postgres {
        " GROUP BY 1, 2, 3"
    } else {
        ""
    };
    let sql = format!(
        "{with}SELECT {day}, {group}, COALESCE(c.code, ''), {} FROM pnl_days p \
         LEFT JOIN accounts a ON a.account_id = p.account_id LEFT JOIN nodes n ON n.node_id = p.node_id \
         LEFT JOIN instruments i ON i.instrument_id = p.instrument_id \
         LEFT JOIN currencies c ON c.currency_id = p.currency_id{org}{}{by}",
        sums.join(", "),
        conditions.sql()
    );
    conditions.statement(sql)
}

#[derive(Default)]
struct Sum {
    realised: i128,
    fees: i128,
    income: i128,
    fills: i64,
    volume: i128,
}

/// The sums by day, group and currency, sorted.
pub(super) fn sums(dialect: Dialect, rows: &[TextRow]) -> Result<Vec<PnlDayRow>, StoreError> {
    let mut sums: BTreeMap<(&str, &str, &str), Sum> = BTreeMap::new();
    for row in rows {
        let sum = sums
            .entry((row.text(0)?, row.text(1)?, row.text(2)?))
            .or_default();
        sum.realised += dialect.raw(row.text(3)?, 8)?;
        sum.fees += dialect.raw(row.text(4)?, 8)?;
        sum.income += dialect.raw(row.text(5)?, 8)?;
        sum.fills += row.int::<i64>(6)?;
        sum.volume += dialect.raw(row.text(7)?, 8)?;
    }
    let row = |((day, group, currency), sum): ((&str, &str, &str), Sum)| PnlDayRow {
        day: (!day.is_empty()).then(|| day.to_owned()),
        group: group.to_owned(),
        currency: currency.to_owned(),
        realised: Money::from_raw(sum.realised).to_string(),
        fees: Money::from_raw(sum.fees).to_string(),
        income: Money::from_raw(sum.income).to_string(),
        net: Money::from_raw(sum.realised + sum.income - sum.fees).to_string(),
        fills: sum.fills,
        volume: Money::from_raw(sum.volume).to_string(),
    };
    Ok(sums.into_iter().map(row).collect())
}
