//! What statements of questions are made of: conditions from filters, numbered arguments, pages from new to old.

use crate::read::Arg;
use crate::schema::Dialect;
use tradewind_domain::time::{Date, DayNumber};
use tradewind_views::query::history::{Accounts, Days, HistoryError, PAGE_ROWS_MAX, PageRequest};

/// A statement with its arguments.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) args: Vec<Arg>,
    /// True where older rows were left out: a page that is not full has to be asked for again with a wider window.
    pub(super) is_narrow: bool,
}

/// The rows that a question is about.
pub(super) struct Asked<'a> {
    pub(super) accounts: &'a Accounts,
    pub(super) days: Days,
    pub(super) page: &'a PageRequest,
    /// How many lists of accounts are looked at, newest first; none for all.
    pub(super) window: Option<u32>,
}

impl Statement {
    /// One that gives no rows.
    pub(super) fn nothing() -> Self {
        Self {
            sql: "SELECT '' WHERE 1 = 0".to_owned(),
            args: Vec::new(),
            is_narrow: false,
        }
    }
}

/// Conditions and their arguments.
pub(super) struct Conditions {
    dialect: Dialect,
    pub(super) parts: Vec<String>,
    args: Vec<Arg>,
    is_narrow: bool,
}

impl Conditions {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            parts: Vec::new(),
            args: Vec::new(),
            is_narrow: false,
        }
    }

    /// The place of a new argument.
    pub(super) fn arg(&mut self, arg: Arg) -> usize {
        self.args.push(arg);
        self.args.len()
    }

    pub(super) fn int(&mut self, condition: &str, value: i64) {
        let at = self.arg(Arg::Int(value));
        self.parts.push(format!("{condition} ${at}"));
    }

    pub(super) fn text(&mut self, condition: &str, value: &str) {
        let at = self.arg(Arg::Text(value.to_owned()));
        self.parts.push(format!("{condition} ${at}"));
    }

    fn day(&mut self, condition: &str, day: DayNumber) {
        let at = self.arg(Arg::Text(Date(day).to_string()));
        // Postgres has to be told that the text is a date.
        let cast = if self.dialect == Dialect::Postgres {
            "::date"
        } else {
            ""
        };
        self.parts.push(format!("{condition} ${at}{cast}"));
    }

    pub(super) fn days(&mut self, column: &str, days: Days) {
        if let Some(from) = days.from {
            self.day(&format!("{column} >="), from);
        }
        if let Some(to) = days.to {
            self.day(&format!("{column} <="), to);
        }
    }

    pub(super) fn accounts(&mut self, column: &str, accounts: &Accounts) {
        let Accounts::Of(codes) = accounts else { return };
        if codes.is_empty() {
            return self.parts.push("1 = 0".to_owned());
        }
        let places: Vec<String> = codes
            .iter()
            .map(|code| format!("${}", self.arg(Arg::Text(code.clone()))))
            .collect();
        self.parts.push(format!(
            "{column} IN (SELECT account_id FROM accounts WHERE code IN ({}))",
            places.join(", ")
        ));
    }

    /// True where the rows of these accounts are found by lists.
    pub(super) fn are_listed(&self, accounts: &Accounts) -> bool {
        let are_few = matches!(accounts, Accounts::Of(codes) if (1..=LISTED_MAX).contains(&codes.len()));
        self.dialect == Dialect::Postgres && are_few
    }

    /// Where the rows of accounts come from, called `alias`. In Postgres from the lists of the accounts (a question about many accounts
    /// finds its rows sooner by looking at all), in SQLite by an index.
    ///
    /// With a window, rows older than what so many of the newest lists hold are left out: [`Statement::is_narrow`] says so.
    pub(super) fn rows_of(&mut self, rows: &Rows<'_>, asked: &Asked<'_>) -> String {
        let Rows {
            table,
            alias,
            list,
            key,
        } = rows;
        if !self.are_listed(asked.accounts) {
            self.accounts("t.account_id", asked.accounts);
            return format!("{table} {alias}");
        }
        let outer = std::mem::take(&mut self.parts);
        self.accounts("l.account_id", asked.accounts);
        self.days("l.day", asked.days);
        let newest = asked.page.cursor.as_ref();
        if let Some(newest) = newest.and_then(|cursor| cursor.split('.').next()?.parse().ok()) {
            self.int(&format!("l.{list}[1] <="), newest);
        }
        let lists = std::mem::replace(&mut self.parts, outer).join(" AND ");
        let mut join = format!(
            "account_rows l JOIN {table} {alias} ON {lists} AND {alias}.{key} = ANY (l.{list}) \
             AND {alias}.day = l.day AND {alias}.account_id = l.account_id"
        );
        if let Some(window) = asked.window {
            let oldest = format!(
                "COALESCE((SELECT min(w.oldest) FROM (SELECT l.{list}[1] AS oldest FROM account_rows l \
                 WHERE {lists} AND l.{list}[1] IS NOT NULL ORDER BY l.upto DESC LIMIT {window}) AS w), 0)"
            );
            join.push_str(&format!(" AND l.{list}[cardinality(l.{list})] >= {oldest}"));
            self.parts.push(format!("t.{key} >= {oldest}"));
            self.is_narrow = true;
        }
        join
    }

    pub(super) fn symbol(&mut self, column: &str, symbol: Option<&String>) {
        if let Some(symbol) = symbol {
            let at = self.arg(Arg::Text(symbol.clone()));
            self.parts.push(format!(
                "{column} IN (SELECT instrument_id FROM instruments WHERE symbol = ${at})"
            ));
        }
    }

    pub(super) fn one_of(&mut self, column: &str, codes: impl Iterator<Item = u8>) {
        let codes: Vec<String> = codes.map(|code| code.to_string()).collect();
        if !codes.is_empty() {
            self.parts.push(format!("{column} IN ({})", codes.join(", ")));
        }
    }

    /// Rows behind a cursor: numbers with points between them, one for each of the columns.
    fn behind(&mut self, columns: &[&str], cursor: Option<&String>) -> Result<(), HistoryError> {
        let Some(cursor) = cursor else { return Ok(()) };
        let numbers: Vec<i64> = cursor
            .split('.')
            .filter_map(|number| number.parse().ok())
            .collect();
        if numbers.len() != columns.len() || cursor.split('.').count() != columns.len() {
            return Err(HistoryError::Request(format!(
                "{cursor:?} is no cursor of this list"
            )));
        }
        let places: Vec<String> = numbers
            .into_iter()
            .map(|number| format!("${}", self.arg(Arg::Int(number))))
            .collect();
        self.parts
            .push(format!("({}) < ({})", columns.join(", "), places.join(", ")));
        Ok(())
    }

    pub(super) fn sql(&self) -> String {
        match self.parts.as_slice() {
            [] => String::new(),
            parts => format!(" WHERE {}", parts.join(" AND ")),
        }
    }

    /// Keeps to what is behind the request's cursor.
    pub(super) fn bound(&mut self, order: &[&str], page: &PageRequest) -> Result<(), HistoryError> {
        if !(1..=PAGE_ROWS_MAX).contains(&page.limit) {
            return Err(HistoryError::Request(format!(
                "a page has 1 to {PAGE_ROWS_MAX} rows"
            )));
        }
        self.behind(order, page.cursor.as_ref())
    }

    /// A statement with these arguments.
    pub(super) fn statement(self, sql: String) -> Statement {
        Statement {
            sql,
            args: self.args,
            is_narrow: self.is_narrow,
        }
    }

    /// A page of `columns` of `from`, behind the request's cursor.
    pub(super) fn page(
        mut self,
        columns: &[&str],
        from: &str,
        order: &[&str],
        page: &PageRequest,
    ) -> Result<Statement, HistoryError> {
        self.bound(order, page)?;
        let sql = format!(
            "SELECT {} FROM {from}{}{}",
            self.dialect.texts(columns),
            self.sql(),
            newest(order, page)
        );
        Ok(self.statement(sql))
    }
}

/// The newest rows of a page, and one more: it says that there is a next page.
pub(super) fn newest(order: &[&str], page: &PageRequest) -> String {
    let order: Vec<String> = order.iter().map(|column| format!("{column} DESC")).collect();
    format!(" ORDER BY {} LIMIT {}", order.join(", "), page.limit + 1)
}

/// Rows that lists of accounts name.
pub(super) struct Rows<'a> {
    pub(super) table: &'a str,
    /// What a statement calls it.
    pub(super) alias: &'a str,
    /// The column of lists.
    pub(super) list: &'a str,
    /// What they name.
    pub(super) key: &'a str,
}

/// The most accounts whose lists are unfolded.
const LISTED_MAX: usize = 16;
