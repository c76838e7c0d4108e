//! Views that more than one place has to know.

use super::Dialect;
use std::fmt::Write;
use tradewind_books::posting::{Class, LegSpec, Phase, Template};

/// The view of all entries of the books.
pub(crate) const LEDGER_ENTRIES: &str = "ledger_entries";

/// The columns of an entry.
const COLUMNS: [&str; 16] = [
    "seq",
    "part",
    "day",
    "recv_at",
    "recv_ns",
    "line",
    "template",
    "phase",
    "account_id",
    "debit_class",
    "debit_id",
    "credit_class",
    "credit_id",
    "ledger_kind",
    "ledger_id",
    "amount",
];

/// Where entries come from.
pub(crate) struct LedgerSources {
    /// What the columns of the legs' own table are called by, with a point behind it; empty where the table stands alone.
    pub(crate) legs_prefix: &'static str,
    /// The legs that stand in a table of their own.
    pub(crate) legs: String,
    /// The trades, called `e`.
    pub(crate) executions: String,
}

/// The templates whose legs an execution's own row says.
const TRADES: [Template; 4] = [
    Template::Buy,
    Template::Sell,
    Template::BuyDated,
    Template::SellDated,
];
/// Their amounts, in the order of the templates' lines.
const AMOUNTS: [&str; 4] = ["released", "cash", "fee", "qty"];

/// The statements whose rows, taken together, are all entries of the books: the legs that stand in a table of their own, and those of
/// each line of the trades' templates.
pub(crate) fn ledger_parts(dialect: Dialect, sources: &LedgerSources) -> Vec<String> {
    let columns = COLUMNS.map(|column| format!("{}{column}", sources.legs_prefix));
    let legs = format!("SELECT {} FROM {}", columns.join(", "), sources.legs);
    let lines = (0..AMOUNTS.len()).map(|line| trade_line(line, dialect, &sources.executions));
    std::iter::once(legs).chain(lines).collect()
}

pub(super) fn ledger_entries(dialect: Dialect) -> String {
    let whole = LedgerSources {
        legs_prefix: "",
        legs: "ledger_legs".to_owned(),
        executions: "executions e".to_owned(),
    };
    let parts = ledger_parts(dialect, &whole).join(" UNION ALL ");
    format!("CREATE VIEW {LEDGER_ENTRIES} AS {parts}")
}

/// The legs of one line of the trades' templates. A zero amount leaves no leg and counts for no line; a negative one exchanges the
/// sides, and holds again what would have been given back.
fn trade_line(line: usize, dialect: Dialect, executions: &str) -> String {
    let amount = format!("e.{}", AMOUNTS[line]);
    let number: Vec<String> = AMOUNTS[..line]
        .iter()
        .map(|before| format!("CASE WHEN e.{before} <> 0 THEN 1 ELSE 0 END"))
        .collect();
    let number = match number.is_empty() {
        true => "0".to_owned(),
        false => number.join(" + "),
    };
    let spec = |template: Template| template.lines()[line];
    let is_negative = dialect.is_negative(&amount);
    let phase = by_template(|template| match spec(template).phase {
        Phase::Release => {
            let (held, given_back) = (Phase::Pending as u8, Phase::Release as u8);
            format!("CASE WHEN {is_negative} THEN {held} ELSE {given_back} END")
        }
        phase => (phase as u8).to_string(),
    });
    let side = |own: fn(&LegSpec) -> Class, other: fn(&LegSpec) -> Class, of: fn(Class) -> String| {
        by_template(|template| {
            let spec = spec(template);
            let (own, other) = (of(own(&spec)), of(other(&spec)));
            match spec.phase {
                Phase::Release => own,
                _ if own == other => own,
                _ => format!("CASE WHEN {is_negative} THEN {other} ELSE {own} END"),
            }
        })
    };
    let class = |class: Class| (class as u8).to_string();
    let debit: fn(&LegSpec) -> Class = |spec| spec.debit;
    let credit: fn(&LegSpec) -> Class = |spec| spec.credit;
    let (kind, ledger) = match spec(Template::Buy).debit.is_quantity() {
        true => (2, "e.instrument_id"),
        false => (1, "e.currency_id"),
    };
    let mut sql = format!(
        "SELECT e.seq, e.part, e.day, e.recv_at, e.recv_ns, {number} AS line, e.template, {phase} AS phase, e.account_id"
    );
    let sides = [
        ("debit_class", side(debit, credit, class)),
        ("debit_id", side(debit, credit, owner)),
        ("credit_class", side(credit, debit, class)),
        ("credit_id", side(credit, debit, owner)),
    ];
    for (name, value) in sides {
        let _ = write!(sql, ", {value} AS {name}"); // writing to a String cannot fail
    }
    let absolute = dialect.absolute(&amount);
    let _ = write!(
        sql,
        ", {kind} AS ledger_kind, {ledger} AS ledger_id, {absolute} AS amount \
         FROM {executions} WHERE e.template IS NOT NULL AND {amount} <> 0"
    );
    sql
}

/// A value that depends on the template.
fn by_template(value: impl Fn(Template) -> String) -> String {
    let values = TRADES.map(&value);
    if values.iter().all(|other| *other == values[0]) {
        return values[0].clone();
    }
    let mut sql = "CASE e.template".to_owned();
    for (template, value) in TRADES.into_iter().zip(values) {
        let _ = write!(sql, " WHEN {} THEN {value}", template as u8); // writing to a String cannot fail
    }
    sql + " END"
}

/// The column that names a class's account.
fn owner(class: Class) -> String {
    let column = match class {
        Class::Cash => "e.wallet_id",
        Class::Sec => "e.holding_id",
        class if class.is_quantity() => "e.instrument_id",
        _ => "e.currency_id",
    };
    column.to_owned()
}

impl Dialect {
    /// A decimal is below zero. SQLite has those that exceed 64 bits as text.
    fn is_negative(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("{column} < 0"),
            Self::Sqlite => format!("CAST({column} AS REAL) < 0"),
        }
    }

    /// A decimal without its sign.
    fn absolute(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("abs({column})"),
            Self::Sqlite => {
                format!(
                    "CASE WHEN typeof({column}) = 'text' THEN ltrim({column}, '-') ELSE abs({column}) END"
                )
            }
        }
    }
}
