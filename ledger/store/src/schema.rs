//! The schema: one description of the tables, from which each database's statements follow, and the migrations that lead to it.
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

use std::fmt::Write;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Postgres.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Int2,
    Int4,
    Int8,
    /// A decimal with 8 places.
    Dec,
    /// A decimal with places of its own.
    Number,
    Text,
    Day,
    /// Two columns: `x_at` and `x_ns`.
    Time,
    Bytes,
}

/// A table of the schema.
struct Definition {
    name: &'static str,
    /// Name, type, and true where it may be empty.
    columns: &'static [(&'static str, Type, bool)],
    key: &'static [&'static str],
    by_day: bool,
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
    Table(&'static Definition),
    Index(&'static str, &'static str, &'static [&'static str]),
    /// The same text for both.
    Sql(&'static str),
}

use Step::{Index, Sql, Table};
use Type::{Bytes, Day, Dec, Int2, Int4, Int8, Number, Text, Time};

const NEED: bool = false;
const MAY: bool = true;

static PLACE: Definition = Definition {
    name: "store_place",
    columns: &[
        ("one", Int2, NEED),
        ("journal_id", Bytes, NEED),
        ("next", Int8, NEED),
        ("last", Int8, NEED),
        ("crc", Int8, NEED),
        ("seq", Int8, NEED),
        ("part", Int8, NEED),
        ("recv", Time, NEED),
        ("epoch", Int8, NEED),
        ("chain", Bytes, NEED),
        ("chain_segment", Int8, NEED),
    ],
    key: &["one"],
    by_day: false,
};

static CURRENCIES: Definition = Definition {
    name: "currencies",
    columns: &[
        ("currency_id", Int4, NEED),
        ("code", Text, NEED),
        ("money_dp", Int2, NEED),
    ],
    key: &["currency_id"],
    by_day: false,
};

static NODES: Definition = Definition {
    name: "nodes",
    columns: &[
        ("node_id", Int4, NEED),
        ("code", Text, NEED),
        ("level", Int2, NEED),
        ("parent_id", Int4, NEED),
        ("account_id", Int4, NEED),
    ],
    key: &["node_id"],
    by_day: false,
};

static ACCOUNTS: Definition = Definition {
    name: "accounts",
    columns: &[
        ("account_id", Int4, NEED),
        ("code", Text, NEED),
        ("node_id", Int4, NEED),
        ("kind", Int2, NEED),
        ("currency_id", Int4, NEED),
    ],
    key: &["account_id"],
    by_day: false,
};

static INSTRUMENTS: Definition = Definition {
    name: "instruments",
    columns: &[
        ("instrument_id", Int4, NEED),
        ("symbol", Text, NEED),
        ("sector", Text, NEED),
        ("kind", Int2, NEED),
        ("currency_id", Int4, NEED),
        ("calendar_id", Int4, NEED),
        ("mult", Dec, NEED),
        ("tick", Dec, NEED),
        ("lot", Dec, NEED),
    ],
    key: &["instrument_id"],
    by_day: false,
};

static LIMITS: Definition = Definition {
    name: "limits",
    columns: &[
        ("limit_id", Int4, NEED),
        ("label", Text, NEED),
        ("limit_type", Int2, NEED),
        ("node_id", Int4, NEED),
        ("action", Int2, NEED),
        ("soft_pct", Int2, NEED),
        ("removed", Int2, NEED),
        ("hard_raw", Number, NEED),
        ("param_0", Int8, NEED),
        ("param_1", Int8, NEED),
    ],
    key: &["limit_id"],
    by_day: false,
};

static SESSIONS: Definition = Definition {
    name: "sessions",
    columns: &[("session_id", Int4, NEED), ("name", Text, NEED)],
    key: &["session_id"],
    by_day: false,
};

static ORDERS: Definition = Definition {
    name: "orders",
    columns: &[
        ("order_id", Int8, NEED),
        ("seq", Int8, NEED),
        ("day", Day, NEED),
        ("entered", Time, NEED),
        ("session", Int8, NEED),
        ("account_id", Int4, NEED),
        ("node_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("currency_id", Int4, NEED),
        ("side", Int2, NEED),
        ("ord_type", Int2, NEED),
        ("tif", Int2, NEED),
        ("last_seq", Int8, NEED),
        ("updated", Time, NEED),
        ("state", Int2, NEED),
        ("cum", Dec, NEED),
        ("leaves", Dec, NEED),
        ("value", Number, NEED),
        ("qty", Dec, NEED),
        ("px", Dec, MAY),
        ("stop_px", Dec, MAY),
        ("cl_ord_id", Text, NEED),
        ("new_qty", Dec, MAY),
        ("new_px", Dec, MAY),
        ("new_stop_px", Dec, MAY),
        ("new_cl_ord_id", Text, MAY),
        ("venue_order_id", Text, NEED),
    ],
    key: &["order_id", "day"],
    by_day: true,
};

static EXECUTIONS: Definition = Definition {
    name: "executions",
    columns: &[
        ("seq", Int8, NEED),
        ("part", Int4, NEED),
        ("day", Day, NEED),
        ("recv", Time, NEED),
        ("origin", Time, MAY),
        ("kind", Int2, NEED),
        ("exec_id", Text, NEED),
        ("trade_seq", Int8, MAY),
        ("order_id", Int8, MAY),
        ("account_id", Int4, NEED),
        ("node_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("currency_id", Int4, NEED),
        ("venue", Int4, MAY),
        ("side", Int2, NEED),
        ("liquidity", Int2, NEED),
        ("qty", Dec, NEED),
        ("px", Dec, NEED),
        ("principal", Dec, NEED),
        ("fee", Dec, NEED),
        ("realised", Dec, NEED),
        ("closed_qty", Dec, NEED),
        ("settle_day", Day, MAY),
        ("alerts", Int2, NEED),
        // What later records made of it: 2 corrected, 3 busted.
        ("status", Int2, MAY),
        ("changed_seq", Int8, MAY),
    ],
    key: &["seq", "part", "day"],
    by_day: true,
};

static LEDGER_ENTRIES: Definition = Definition {
    name: "ledger_entries",
    columns: &[
        ("seq", Int8, NEED),
        ("part", Int4, NEED),
        ("day", Day, NEED),
        ("recv", Time, NEED),
        ("line", Int2, NEED),
        ("template", Int2, NEED),
        ("phase", Int2, NEED),
        ("account_id", Int4, NEED),
        ("debit_class", Int2, NEED),
        ("debit_id", Int4, NEED),
        ("credit_class", Int2, NEED),
        ("credit_id", Int4, NEED),
        ("ledger_kind", Int2, NEED),
        ("ledger_id", Int4, NEED),
        ("amount", Dec, NEED),
    ],
    key: &["seq", "part", "line", "day"],
    by_day: true,
};

static LIMIT_EVENTS: Definition = Definition {
    name: "limit_events",
    columns: &[
        ("seq", Int8, NEED),
        ("part", Int4, NEED),
        ("day", Day, NEED),
        ("recv", Time, NEED),
        ("line", Int2, NEED),
        ("on_kind", Int2, NEED),
        ("account_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("order_id", Int8, MAY),
        ("hit_kind", Int2, NEED),
        ("limit_id", Int4, MAY),
        ("limit_type", Int2, NEED),
        ("level", Int2, NEED),
        ("code", Int4, NEED),
        ("used", Number, NEED),
        ("hard", Number, MAY),
        ("unit", Text, NEED),
    ],
    key: &["seq", "part", "line", "day"],
    by_day: true,
};

static REFUSALS: Definition = Definition {
    name: "refusals",
    columns: &[
        ("seq", Int8, NEED),
        ("part", Int4, NEED),
        ("day", Day, NEED),
        ("recv", Time, NEED),
        ("on_kind", Int2, NEED),
        ("code", Int4, NEED),
        ("rule", Int2, NEED),
        ("account_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("order_id", Int8, MAY),
        ("identifier", Text, NEED),
        ("text", Text, NEED),
    ],
    key: &["seq", "part", "day"],
    by_day: true,
};

static ALERTS: Definition = Definition {
    name: "alerts",
    columns: &[
        ("seq", Int8, NEED),
        ("part", Int4, NEED),
        ("day", Day, NEED),
        ("recv", Time, NEED),
        ("line", Int2, NEED),
        ("on_kind", Int2, NEED),
        ("alert", Text, NEED),
        ("rule", Int2, NEED),
        ("account_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("order_id", Int8, MAY),
    ],
    key: &["seq", "part", "line"],
    by_day: false,
};

static AUDIT: Definition = Definition {
    name: "audit",
    columns: &[
        ("seq", Int8, NEED),
        ("part", Int4, NEED),
        ("day", Day, NEED),
        ("recv", Time, NEED),
        ("kind", Int2, NEED),
        ("author", Text, NEED),
        ("second", Text, NEED),
        ("subject", Text, NEED),
        ("detail", Text, NEED),
        ("reason", Text, NEED),
        ("code", Int4, NEED),
    ],
    key: &["seq", "part"],
    by_day: false,
};

static POSITIONS: Definition = Definition {
    name: "positions",
    columns: &[
        ("holding_id", Int4, NEED),
        ("account_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("qty", Dec, NEED),
        ("cost", Dec, NEED),
        ("realised", Dec, NEED),
        ("fees", Dec, NEED),
        ("income", Dec, NEED),
        ("fills", Int8, NEED),
        ("last_seq", Int8, NEED),
    ],
    key: &["holding_id"],
    by_day: false,
};

static BALANCES: Definition = Definition {
    name: "balances",
    columns: &[
        ("class", Int2, NEED),
        ("owner_id", Int4, NEED),
        ("account_id", Int4, NEED),
        ("currency_id", Int4, NEED),
        ("debits_pending", Dec, NEED),
        ("debits_posted", Dec, NEED),
        ("credits_pending", Dec, NEED),
        ("credits_posted", Dec, NEED),
        ("last_seq", Int8, NEED),
    ],
    key: &["class", "owner_id"],
    by_day: false,
};

static PNL_DAYS: Definition = Definition {
    name: "pnl_days",
    columns: &[
        ("day", Day, NEED),
        ("node_id", Int4, NEED),
        ("instrument_id", Int4, NEED),
        ("account_id", Int4, NEED),
        ("currency_id", Int4, NEED),
        ("realised", Dec, NEED),
        ("fees", Dec, NEED),
        ("income", Dec, NEED),
        ("fills", Int8, NEED),
        ("volume", Dec, NEED),
        ("last_seq", Int8, NEED),
    ],
    key: &["day", "node_id", "instrument_id"],
    by_day: false,
};

static BARS: Definition = Definition {
    name: "bars",
    columns: &[
        ("seconds", Int2, NEED),
        ("instrument_id", Int4, NEED),
        ("begin", Time, NEED),
        ("open", Dec, MAY),
        ("high", Dec, MAY),
        ("low", Dec, MAY),
        ("close", Dec, MAY),
        ("volume", Dec, NEED),
        ("turnover", Number, NEED),
        ("trades", Int8, NEED),
        ("bid", Dec, MAY),
        ("ask", Dec, MAY),
        ("quotes", Int8, NEED),
    ],
    key: &["seconds", "instrument_id", "begin_ns"],
    by_day: false,
};

/// Tables that are kept by day in Postgres.
pub(crate) const PARTITIONED: [&str; 5] = [
    "orders",
    "executions",
    "ledger_entries",
    "limit_events",
    "refusals",
];

/// Every table with rows of the journal or of reference data.
fn definitions() -> impl Iterator<Item = &'static Definition> {
    let definitions = MIGRATIONS
        .iter()
        .flat_map(|migration| migration.steps)
        .filter_map(|step| match step {
            Table(definition) => Some(*definition),
            Index(..) | Sql(_) => None,
        });
    definitions.filter(|definition| definition.name != PLACE.name)
}

/// Their names.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    definitions().map(|definition| definition.name)
}

/// How a table is read for a comparison.
pub(crate) struct Listing {
    /// Its name.
    pub(crate) table: &'static str,
    /// Its columns' names, times as nanoseconds.
    pub(crate) columns: Vec<String>,
    /// Decimal places of each column; none where it is no decimal of 8 places.
    pub(crate) decimals: Vec<bool>,
    /// Its key.
    pub(crate) key: Vec<&'static str>,
}

/// Every table, for a comparison.
pub(crate) fn listings() -> Vec<Listing> {
    let name = |(name, column, _): &(&'static str, Type, bool)| match column {
        Time => format!("{name}_ns"),
        _ => (*name).to_owned(),
    };
    let listing = |definition: &'static Definition| Listing {
        table: definition.name,
        columns: definition.columns.iter().map(name).collect(),
        decimals: definition
            .columns
            .iter()
            .map(|(_, column, _)| *column == Dec)
            .collect(),
        key: definition.key.to_vec(),
    };
    definitions().map(listing).collect()
}

/// All migrations, rising.
pub(crate) static MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "the journal in tables",
        steps: &[
            Table(&PLACE),
            Table(&CURRENCIES),
            Table(&NODES),
            Table(&ACCOUNTS),
            Table(&INSTRUMENTS),
            Table(&LIMITS),
            Table(&SESSIONS),
            Table(&ORDERS),
            Table(&EXECUTIONS),
            Table(&LEDGER_ENTRIES),
            Table(&LIMIT_EVENTS),
            Table(&REFUSALS),
            Table(&ALERTS),
            Table(&AUDIT),
            Table(&POSITIONS),
            Table(&BALANCES),
            Table(&PNL_DAYS),
            Table(&BARS),
            Index("orders_by_account", "orders", &["account_id", "order_id"]),
            Index("orders_by_cl_ord_id", "orders", &["cl_ord_id"]),
            Index("executions_by_account", "executions", &["account_id", "seq"]),
            Index("executions_by_order", "executions", &["order_id"]),
            Index("ledger_entries_by_account", "ledger_entries", &["account_id", "seq"]),
            Index("limit_events_by_account", "limit_events", &["account_id", "seq"]),
            Index("refusals_by_account", "refusals", &["account_id", "seq"]),
        ],
    },
    Migration {
        version: 2,
        name: "trades and P&L for people, limits and executions by name",
        steps: &[
            Index("executions_by_exec_id", "executions", &["exec_id"]),
            Index("limit_events_by_limit", "limit_events", &["limit_id", "seq"]),
            Index("audit_by_author", "audit", &["author", "seq"]),
            Sql("CREATE VIEW trades_with_names AS
                SELECT e.seq, e.day, e.recv_at, e.recv_ns, e.exec_id, e.order_id, a.code AS account, n.code AS node, i.symbol,
                    CASE e.side WHEN 1 THEN 'BUY' WHEN 2 THEN 'SELL' ELSE 'SELL_SHORT' END AS side,
                    e.qty, e.px, e.principal, e.fee, e.realised, c.code AS currency,
                    CASE e.status WHEN 2 THEN 'CORRECTED' WHEN 3 THEN 'BUSTED' ELSE 'BOOKED' END AS status
                FROM executions e
                LEFT JOIN accounts a ON a.account_id = e.account_id
                LEFT JOIN nodes n ON n.node_id = e.node_id
                LEFT JOIN instruments i ON i.instrument_id = e.instrument_id
                LEFT JOIN currencies c ON c.currency_id = e.currency_id
                WHERE e.trade_seq IS NULL"),
            Sql("CREATE VIEW pnl_with_names AS
                SELECT p.day, a.code AS account, n.code AS node, i.symbol, i.sector, c.code AS currency,
                    p.realised, p.fees, p.income, p.fills, p.volume
                FROM pnl_days p
                LEFT JOIN accounts a ON a.account_id = p.account_id
                LEFT JOIN nodes n ON n.node_id = p.node_id
                LEFT JOIN instruments i ON i.instrument_id = p.instrument_id
                LEFT JOIN currencies c ON c.currency_id = p.currency_id"),
        ],
    },
];

impl Migration {
    /// Its statements.
    pub(crate) fn statements(&self, dialect: Dialect) -> Vec<String> {
        self.steps.iter().map(|step| step.sql(dialect)).collect()
    }

    /// Hash of its statements, as text: a database that was made by others is told apart.
    pub(crate) fn checksum(&self, dialect: Dialect) -> String {
        let hash = blake3::hash(self.statements(dialect).join(";\n").as_bytes());
        hash.to_hex()[..16].to_owned()
    }
}

impl Step {
    fn sql(&self, dialect: Dialect) -> String {
        match self {
            Table(definition) => definition.sql(dialect),
            Index(name, table, columns) => {
                format!("CREATE INDEX {name} ON {table} ({})", columns.join(", "))
            }
            Sql(sql) => {
                let lines = sql.lines().map(str::trim);
                lines.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl Definition {
    fn sql(&self, dialect: Dialect) -> String {
        let mut sql = format!("CREATE TABLE {} (", self.name);
        for (name, column, may_be_empty) in self.columns {
            sql.push_str(&dialect.column(name, *column, *may_be_empty));
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
}

impl Dialect {
    /// One column, or the two of a time.
    fn column(self, name: &str, column: Type, may_be_empty: bool) -> String {
        let need = if may_be_empty { "" } else { " NOT NULL" };
        let of = |text: &str| format!("{name} {text}{need}");
        match (self, column) {
            (Self::Postgres, Int2) => of("SMALLINT"),
            (Self::Postgres, Int4) => of("INTEGER"),
            (Self::Postgres, Int8) => of("BIGINT"),
            (Self::Postgres, Dec | Number) => of("NUMERIC"),
            (Self::Postgres, Day) => of("DATE"),
            (Self::Postgres, Bytes) => of("BYTEA"),
            (Self::Postgres, Time) => format!("{name}_at TIMESTAMPTZ{need}, {name}_ns BIGINT{need}"),
            (Self::Sqlite, Int2 | Int4 | Int8) => of("INTEGER"),
            (Self::Sqlite, Dec | Number) => of("ANY"),
            (Self::Sqlite, Bytes) => of("BLOB"),
            (Self::Sqlite, Time) => format!(
                "{name}_ns INTEGER{need}, {name}_at TEXT GENERATED ALWAYS AS \
                 (strftime('%Y-%m-%dT%H:%M:%fZ', {name}_ns / 1000000000.0, 'unixepoch')) VIRTUAL"
            ),
            (_, Text) | (Self::Sqlite, Day) => of("TEXT"),
        }
    }

    /// The columns of a table as an INSERT or COPY names them.
    pub(crate) fn column_list(self, columns: &[&str]) -> String {
        let names: Vec<String> = columns.iter().flat_map(|column| self.names_of(column)).collect();
        names.join(", ")
    }

    /// The names of a column; see [`Table::columns`](crate::fields::Table).
    pub(crate) fn names_of(self, column: &str) -> Vec<String> {
        match (column.strip_suffix('*'), self) {
            (Some(time), Self::Postgres) => vec![format!("{time}_at"), format!("{time}_ns")],
            (Some(time), Self::Sqlite) => vec![format!("{time}_ns")],
            (None, _) => vec![column.to_owned()],
        }
    }
}
