//! The schema: how the tables of [`rows`] are said to each database, and the migrations that lead to them.
//!
//! # Invariants
//! - A migration that was released never changes; its checksum stands in the database and is compared at every start.
//! - Where databases differ, they differ in [`Dialect`] and nowhere else.
//!
//! | | Postgres | SQLite |
//! |---|---|---|
//! | decimals | NUMERIC: `12.5` is 12.5 | the integer at 1e-8 (`1250000000`); text where it exceeds 64 bits |
//! | times | `x_at` timestamptz, `x_ns` bigint | `x_ns` integer, `x_at` computed text |
//! | days | date | text `YYYY-MM-DD` |
//! | partitions | by day | none |

mod migrations;
mod views;

pub(crate) use migrations::MIGRATIONS;
pub(crate) use views::{LEDGER_ENTRIES, LedgerSources, ledger_parts};

use crate::rows::{self, PLACE};
use crate::table::{Column, Table, Type};
use std::fmt::Write;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Postgres.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// A step from one version of the schema to the next.
pub(crate) struct Migration {
    /// Its number, from 1.
    pub(crate) version: i32,
    /// What it does.
    pub(crate) name: &'static str,
    steps: &'static [Step],
}

enum Step {
    /// A table with the columns that it had in this version.
    Table(&'static Table),
    /// Likewise, by the name that it had in this version.
    TableNamed(&'static str, &'static Table),
    /// The columns that a table got in this version.
    Columns(&'static Table),
    /// Name, table, columns.
    Index(&'static str, &'static str, &'static [&'static str]),
    /// The same text for both.
    Sql(&'static str),
    /// Text for one of them.
    SqlOf(Dialect, &'static str),
    /// A view.
    View(fn(Dialect) -> String),
}

/// Every table with rows of the journal or of reference data.
pub(crate) static TABLES: &[&Table] = &[
    &rows::CURRENCIES,
    &rows::NODES,
    &rows::ACCOUNTS,
    &rows::INSTRUMENTS,
    &rows::LIMITS,
    &rows::SESSIONS,
    &rows::ORDERS,
    &rows::EXECUTIONS,
    &rows::LEDGER_LEGS,
    &rows::LIMIT_EVENTS,
    &rows::REFUSALS,
    &rows::ALERTS,
    &rows::AUDIT,
    &rows::POSITIONS,
    &rows::BALANCES,
    &rows::PNL_DAYS,
    &rows::EQUITY_DAYS,
    &rows::BARS,
    &rows::RECON_RUNS,
    &rows::RECON_BREAKS,
];

/// The tables that Postgres keeps by day.
pub(crate) fn partitioned() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().filter(|table| table.by_day)
}

/// Everything that a store ever made, whatever its version: what `rebuild` takes away.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let others = [
        LEDGER_ENTRIES,
        "trades_with_names",
        "pnl_with_names",
        "account_rows",
    ];
    let own = [PLACE.name, "store_migrations"];
    let tables = TABLES.iter().map(|table| table.name);
    others.into_iter().chain(tables).chain(own)
}

/// How a table or view is read for a comparison.
pub(crate) struct Listing {
    /// Its name.
    pub(crate) table: &'static str,
    /// Its columns' names, times as nanoseconds.
    pub(crate) columns: Vec<String>,
    /// True for columns that are decimals with 8 places.
    pub(crate) decimals: Vec<bool>,
    /// Its key.
    pub(crate) key: &'static [&'static str],
}

/// Every table, and the books' entries wherever they stand, for a comparison.
pub(crate) fn listings() -> Vec<Listing> {
    let listing = |name, table: &'static Table| Listing {
        table: name,
        columns: table.columns.iter().map(Column::in_listings).collect(),
        decimals: table
            .columns
            .iter()
            .map(|column| column.holds == Type::Dec)
            .collect(),
        key: table.key,
    };
    let tables = TABLES.iter().map(|table| listing(table.name, table));
    tables
        .chain([listing(LEDGER_ENTRIES, &rows::LEDGER_LEGS)])
        .collect()
}

impl Migration {
    /// Its statements.
    pub(crate) fn statements(&self, dialect: Dialect) -> Vec<String> {
        let of = |step| statements(step, self.version, dialect);
        self.steps.iter().flat_map(of).collect()
    }

    /// Hash of its statements, as text: a database that was made by others is told apart.
    pub(crate) fn checksum(&self, dialect: Dialect) -> String {
        let hash = blake3::hash(self.statements(dialect).join(";\n").as_bytes());
        hash.to_hex()[..16].to_owned()
    }
}

fn statements(step: &Step, version: i32, dialect: Dialect) -> Vec<String> {
    let one_line = |sql: &str| {
        let lines: Vec<&str> = sql.lines().map(str::trim).collect();
        vec![lines.join(" ")]
    };
    match step {
        Step::Table(table) => vec![table.create(table.name, version, dialect)],
        Step::TableNamed(name, table) => vec![table.create(name, version, dialect)],
        Step::Columns(table) => table.added(version, dialect),
        Step::Index(name, table, columns) => {
            vec![format!("CREATE INDEX {name} ON {table} ({})", columns.join(", "))]
        }
        Step::SqlOf(of, _) if *of != dialect => Vec::new(),
        Step::Sql(sql) | Step::SqlOf(_, sql) => one_line(sql),
        Step::View(sql) => vec![sql(dialect)],
    }
}

impl Table {
    /// The statement that makes the table as of a version of the schema.
    fn create(&self, name: &str, version: i32, dialect: Dialect) -> String {
        let mut sql = format!("CREATE TABLE {name} (");
        for column in self.columns.iter().filter(|column| column.since <= version) {
            sql.push_str(&dialect.column(column));
            sql.push_str(", ");
        }
        let _ = write!(sql, "PRIMARY KEY ({}))", self.key.join(", ")); // writing to a String cannot fail
        match dialect {
            Dialect::Postgres if self.by_day => sql.push_str(" PARTITION BY RANGE (day)"),
            Dialect::Postgres => {}
            Dialect::Sqlite => sql.push_str(" STRICT"),
        }
        sql
    }

    /// The statements that add the columns of a version.
    fn added(&self, version: i32, dialect: Dialect) -> Vec<String> {
        let columns = self.columns.iter().filter(|column| column.since == version);
        let add = |column| format!("ALTER TABLE {} ADD COLUMN {}", self.name, dialect.column(column));
        columns.map(add).collect()
    }

    /// Its columns with their types, as a staging table of Postgres has them.
    pub(crate) fn staged(&self) -> String {
        let columns: Vec<String> = self
            .written()
            .map(|column| Dialect::Postgres.column(column))
            .collect();
        columns.join(", ")
    }
}

impl Column {
    fn in_listings(&self) -> String {
        match self.holds {
            Type::Time => format!("{}_ns", self.name),
            _ => self.name.to_owned(),
        }
    }
}

impl Dialect {
    /// One column with its type, or the two of a time.
    fn column(self, column: &Column) -> String {
        let name = column.name;
        let need = if column.is_optional { "" } else { " NOT NULL" };
        let of = |text: &str| format!("{name} {text}{need}");
        match (self, column.holds) {
            (Self::Postgres, Type::Flag) => of("BOOLEAN"),
            (Self::Postgres, Type::Int2) => of("SMALLINT"),
            (Self::Postgres, Type::Int4) => of("INTEGER"),
            (Self::Postgres, Type::Int8) => of("BIGINT"),
            (Self::Postgres, Type::Dec | Type::Number) => of("NUMERIC"),
            (Self::Postgres, Type::Day) => of("DATE"),
            (Self::Postgres, Type::Bytes) => of("BYTEA"),
            (Self::Postgres, Type::Time) => format!("{name}_at TIMESTAMPTZ{need}, {name}_ns BIGINT{need}"),
            (Self::Sqlite, Type::Flag | Type::Int2 | Type::Int4 | Type::Int8) => of("INTEGER"),
            (Self::Sqlite, Type::Dec | Type::Number) => of("ANY"),
            (Self::Sqlite, Type::Bytes) => of("BLOB"),
            (Self::Sqlite, Type::Time) => format!(
                "{name}_ns INTEGER{need}, {name}_at TEXT GENERATED ALWAYS AS \
                 (strftime('%Y-%m-%dT%H:%M:%fZ', {name}_ns / 1000000000.0, 'unixepoch')) VIRTUAL"
            ),
            (_, Type::Text) | (Self::Sqlite, Type::Day) => of("TEXT"),
        }
    }

    /// The names that a column has.
    pub(crate) fn names_of(self, column: &Column) -> Vec<String> {
        let name = column.name;
        match (column.holds, self) {
            (Type::Time, Self::Postgres) => vec![format!("{name}_at"), format!("{name}_ns")],
            (Type::Time, Self::Sqlite) => vec![format!("{name}_ns")],
            _ => vec![name.to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_migration_is_never_changed() {
        let checksums = |dialect| {
            let of = |migration: &Migration| migration.checksum(dialect);
            MIGRATIONS.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(
            checksums(Dialect::Postgres),
            [
                "b5dd75e58ae63a9d",
                "df6eefc6c384e3f6",
                "39b4a0a8d81b653f",
                "80a81b71d14c4e7d",
                "0cb2862232d15160"
            ]
        );
        assert_eq!(
            checksums(Dialect::Sqlite),
            [
                "7268a7515e231ff7",
                "df6eefc6c384e3f6",
                "6d3b6888e68d9eed",
                "9bfd1c34d93fe060",
                "af1349b9f5f9a1a6"
            ]
        );
    }

    #[test]
    fn a_step_of_every_version_brings_the_columns_of_that_version() {
        let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
        for table in TABLES {
            for column in table.columns {
                let migration = MIGRATIONS
                    .iter()
                    .find(|migration| migration.version == column.since);
                let statements =
                    migration.map(|migration| migration.statements(Dialect::Postgres).join("\n"));
                let is_there = statements.is_some_and(|sql| sql.contains(&Dialect::Postgres.column(column)));
                assert!(is_there, "{}.{} of {known}", table.name, column.name);
            }
        }
    }
}
