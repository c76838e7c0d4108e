//! Statements of questions: columns as text in a fixed order, conditions from filters, pages from new to old.
//!
//! The first columns of a paged table are what its cursor is made of.

use super::conditions::{Asked, Conditions, Rows, Statement, newest};
use crate::read::Arg;
use crate::schema::{Dialect, LedgerSources, ledger_parts};
use tradewind_books::posting::Phase;
use tradewind_domain::event::Kind;
use tradewind_domain::reject::RejectCode;
use tradewind_views::query::history::{
    AuditFilter, BarFilter, BarLength, HistoryError, LedgerFilter, LimitFilter, OrderFilter, PageRequest,
    RefusalFilter, TradeFilter,
};

const NAMES: &str = " LEFT JOIN accounts a ON a.account_id = t.account_id \
     LEFT JOIN instruments i ON i.instrument_id = t.instrument_id";

pub(super) fn orders(
    dialect: Dialect,
    filter: &OrderFilter,
    page: &PageRequest,
    window: Option<u32>,
) -> Result<Statement, HistoryError> {
    let mut conditions = Conditions::new(dialect);
    let asked = Asked {
        accounts: &filter.accounts,
        days: filter.days,
        page,
        window,
    };
    let rows = Rows {
        table: "orders",
        alias: "t",
        list: "orders",
        key: "order_id",
    };
    let rows = conditions.rows_of(&rows, &asked);
    conditions.days("t.day", filter.days);
    conditions.symbol("t.instrument_id", filter.symbol.as_ref());
    conditions.one_of("t.side", filter.side.into_iter().map(|side| side as u8));
    conditions.one_of("t.state", filter.states.iter().map(|state| *state as u8));
    if let Some(id) = filter.order_id {
        conditions.int("t.order_id =", id.0 as i64);
    }
    if let Some(id) = &filter.cl_ord_id {
        conditions.text("t.cl_ord_id =", id);
    }
    let columns = [
        "t.order_id",
        "t.day",
        "t.seq",
        "t.last_seq",
        "t.entered_ns",
        "t.updated_ns",
        "t.cl_ord_id",
        "t.session",
        "a.code",
        "n.code",
        "i.symbol",
        "t.side",
        "t.ord_type",
        "t.tif",
        "t.qty",
        "t.px",
        "t.stop_px",
        "t.cum",
        "t.leaves",
        "t.value",
        "t.state",
        "c.code",
        "t.venue_order_id",
    ];
    let from = format!(
        "{rows}{NAMES} LEFT JOIN nodes n ON n.node_id = t.node_id LEFT JOIN currencies c ON c.currency_id = t.currency_id"
    );
    conditions.page(&columns, &from, &["t.order_id"], page)
}

/// Executions as the lists of accounts name them.
const EXECUTIONS: Rows<'static> = Rows {
    table: "executions",
    alias: "t",
    list: "executions",
    key: "seq",
};

/// Legs of postings, likewise.
const LEGS: Rows<'static> = Rows {
    table: "ledger_legs",
    alias: "g",
    list: "legs",
    key: "seq",
};

pub(super) fn trades(
    dialect: Dialect,
    filter: &TradeFilter,
    page: &PageRequest,
    window: Option<u32>,
) -> Result<Statement, HistoryError> {
    let mut conditions = Conditions::new(dialect);
    let asked = Asked {
        accounts: &filter.accounts,
        days: filter.days,
        page,
        window,
    };
    let rows = conditions.rows_of(&EXECUTIONS, &asked);
    conditions.parts.push("t.trade_seq IS NULL".to_owned());
    conditions.days("t.day", filter.days);
    conditions.symbol("t.instrument_id", filter.symbol.as_ref());
    conditions.one_of("t.side", filter.side.into_iter().map(|side| side as u8));
    if let Some(id) = filter.order_id {
        conditions.int("t.order_id =", id.0 as i64);
    }
    if let Some(id) = &filter.exec_id {
        conditions.text("t.exec_id =", id);
    }
    // A corrected trade shows what stands in its place now: `v`, its last version.
    let columns = [
        "t.seq",
        "t.part",
        "t.day",
        "t.recv_ns",
        "t.origin_ns",
        "t.exec_id",
        "t.order_id",
        "a.code",
        "n.code",
        "i.symbol",
        "t.side",
        "COALESCE(v.qty, t.qty)",
        "COALESCE(v.px, t.px)",
        "COALESCE(v.principal, t.principal)",
        "COALESCE(v.fee, t.fee)",
        "t.realised",
        "c.code",
        "t.venue",
        "COALESCE(t.status, 1)",
        "t.changed_seq",
    ];
    let from = format!(
        "{rows}{NAMES} LEFT JOIN nodes n ON n.node_id = t.node_id \
         LEFT JOIN currencies c ON c.currency_id = t.currency_id \
         LEFT JOIN executions v ON v.seq = t.changed_seq AND v.trade_seq = t.seq AND t.status = 2"
    );
    conditions.page(&columns, &from, &["t.seq", "t.part"], page)
}

pub(super) fn ledger_entries(
    dialect: Dialect,
    filter: &LedgerFilter,
    page: &PageRequest,
    window: Option<u32>,
) -> Result<Statement, HistoryError> {
    const ORDER: [&str; 3] = ["t.seq", "t.part", "t.line"];
    let mut conditions = Conditions::new(dialect);
    let asked = Asked {
        accounts: &filter.accounts,
        days: filter.days,
        page,
        window,
    };
    let executions = Rows {
        alias: "e",
        ..EXECUTIONS
    };
    // With windows on both lists the older end of neither is passed.
    let executions = conditions.rows_of(&executions, &asked);
    let legs = match conditions.are_listed(&filter.accounts) {
        true => conditions.rows_of(&LEGS, &asked),
        false => "ledger_legs g".to_owned(),
    };
    let sources = LedgerSources {
        legs_prefix: "g.",
        legs,
        executions,
    };
    conditions.days("t.day", filter.days);
    if let Some(code) = &filter.currency {
        let at = conditions.arg(Arg::Text(code.clone()));
        conditions.parts.push(format!(
            "t.ledger_kind = 1 AND t.ledger_id IN (SELECT currency_id FROM currencies WHERE code = ${at})"
        ));
    }
    if let Some(symbol) = &filter.symbol {
        let at = conditions.arg(Arg::Text(symbol.clone()));
        conditions.parts.push(format!(
            "t.ledger_kind = 2 AND t.ledger_id IN (SELECT instrument_id FROM instruments WHERE symbol = ${at})"
        ));
    }
    if filter.posted_only {
        // Booked at once, or when a trade settled.
        let booked = [Phase::Posted, Phase::Settled].into_iter();
        conditions.one_of("t.phase", booked.map(|phase| phase as u8));
    }
    let columns = [
        "t.seq",
        "t.part",
        "t.line",
        "t.day",
        "t.recv_ns",
        "t.template",
        "t.phase",
        "a.code",
        "t.debit_class",
        "t.credit_class",
        "COALESCE(c.code, i.symbol)",
        "t.amount",
    ];
    conditions.bound(&ORDER, page)?;
    // The newest of each part first: no part is sorted as a whole.
    let (bounds, newest) = (conditions.sql(), newest(&ORDER, page));
    let parts = ledger_parts(dialect, &sources).into_iter().enumerate();
    let parts: Vec<String> = parts
        .map(|(at, part)| {
            format!("SELECT * FROM (SELECT t.* FROM ({part}) AS t{bounds}{newest}) AS part_{at}")
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM ({}) AS t LEFT JOIN accounts a ON a.account_id = t.account_id \
         LEFT JOIN currencies c ON t.ledger_kind = 1 AND c.currency_id = t.ledger_id \
         LEFT JOIN instruments i ON t.ledger_kind = 2 AND i.instrument_id = t.ledger_id{newest}",
        dialect.texts(&columns),
        parts.join(" UNION ALL ")
    );
    Ok(conditions.statement(sql))
}

pub(super) fn limit_events(
    dialect: Dialect,
    filter: &LimitFilter,
    page: &PageRequest,
) -> Result<Statement, HistoryError> {
    let mut conditions = Conditions::new(dialect);
    conditions.accounts("t.account_id", &filter.accounts);
    conditions.days("t.day", filter.days);
    if let Some(label) = &filter.limit {
        let at = conditions.arg(Arg::Text(label.clone()));
        conditions.parts.push(format!(
            "t.limit_id IN (SELECT limit_id FROM limits WHERE label = ${at})"
        ));
    }
    conditions.one_of("t.hit_kind", filter.kinds.iter().map(|kind| *kind as u8));
    let columns = [
        "t.seq",
        "t.part",
        "t.line",
        "t.day",
        "t.recv_ns",
        "t.on_kind",
        "t.hit_kind",
        "l.label",
        "t.limit_type",
        "t.level",
        "a.code",
        "i.symbol",
        "t.order_id",
        "t.code",
        "t.used",
        "t.hard",
        "t.unit",
    ];
    let from = format!("limit_events t{NAMES} LEFT JOIN limits l ON l.limit_id = t.limit_id");
    conditions.page(&columns, &from, &["t.seq", "t.part", "t.line"], page)
}

pub(super) fn refusals(
    dialect: Dialect,
    filter: &RefusalFilter,
    page: &PageRequest,
) -> Result<Statement, HistoryError> {
    let mut conditions = Conditions::new(dialect);
    conditions.accounts("t.account_id", &filter.accounts);
    conditions.days("t.day", filter.days);
    conditions.symbol("t.instrument_id", filter.symbol.as_ref());
    if let Some(name) = &filter.code {
        conditions.int("t.code =", i64::from(code_named(name)?));
    }
    let columns = [
        "t.seq",
        "t.part",
        "t.day",
        "t.recv_ns",
        "t.on_kind",
        "t.code",
        "a.code",
        "i.symbol",
        "t.identifier",
        "t.text",
    ];
    conditions.page(
        &columns,
        &format!("refusals t{NAMES}"),
        &["t.seq", "t.part"],
        page,
    )
}

/// The number of a reject code.
fn code_named(name: &str) -> Result<u16, HistoryError> {
    let codes = (0..=u16::MAX).filter_map(|number| Some((number, RejectCode::from_number(number)?)));
    let mut named = codes.filter(|(_, code)| code.text() == name);
    named
        .next()
        .map(|(number, _)| number)
        .ok_or_else(|| HistoryError::Request(format!("{name:?} is no reject code")))
}

pub(super) fn audit(
    dialect: Dialect,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Statement, HistoryError> {
    let mut conditions = Conditions::new(dialect);
    conditions.days("t.day", filter.days);
    if let Some(author) = &filter.author {
        conditions.text("t.author =", author);
    }
    if let Some(name) = &filter.kind {
        let kind = Kind::ALL.iter().find(|kind| kind.text() == name);
        let kind = kind.ok_or_else(|| HistoryError::Request(format!("{name:?} is no kind of event")))?;
        conditions.int("t.kind =", i64::from(*kind as u16));
    }
    let columns = [
        "t.seq",
        "t.part",
        "t.day",
        "t.recv_ns",
        "t.kind",
        "t.author",
        "t.second",
        "t.subject",
        "t.detail",
        "t.reason",
        "t.code",
    ];
    conditions.page(&columns, "audit t", &["t.seq", "t.part"], page)
}

pub(super) fn bars(
    dialect: Dialect,
    filter: &BarFilter,
    page: &PageRequest,
) -> Result<Statement, HistoryError> {
    let mut conditions = Conditions::new(dialect);
    let seconds = match filter.length {
        BarLength::Second => 1,
        BarLength::Minute => 60,
    };
    conditions.int("t.seconds =", seconds);
    conditions.symbol("t.instrument_id", Some(&filter.symbol));
    let bound = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    conditions.int("t.begin_ns >=", bound(filter.from_ns));
    conditions.int("t.begin_ns <", bound(filter.to_ns));
    let columns = [
        "t.begin_ns",
        "i.symbol",
        "t.open",
        "t.high",
        "t.low",
        "t.close",
        "t.volume",
        "t.turnover",
        "t.trades",
        "t.bid",
        "t.ask",
        "t.quotes",
    ];
    let from = "bars t LEFT JOIN instruments i ON i.instrument_id = t.instrument_id";
    conditions.page(&columns, from, &["t.begin_ns"], page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_views::query::history::{Accounts, Days};

    fn request(limit: u32, cursor: Option<&str>) -> PageRequest {
        PageRequest {
            limit,
            cursor: cursor.map(str::to_owned),
        }
    }

    fn refused(page: &PageRequest, filter: &RefusalFilter) -> bool {
        matches!(
            refusals(Dialect::Sqlite, filter, page),
            Err(HistoryError::Request(_))
        )
    }

    #[test]
    fn a_request_that_makes_no_sense_is_the_askers_fault() {
        let mut filter = RefusalFilter {
            accounts: Accounts::All,
            days: Days::default(),
            symbol: None,
            code: None,
        };
        assert!(!refused(&request(1, Some("7.0")), &filter));
        for (limit, cursor) in [
            (0, None),
            (1_001, None),
            (1, Some("x")),
            (1, Some("1")),
            (1, Some("1.2.3")),
            (1, Some("1.x")),
        ] {
            assert!(refused(&request(limit, cursor), &filter), "{limit} {cursor:?}");
        }
        filter.code = Some("NO_SUCH_CODE".to_owned());
        assert!(refused(&request(1, None), &filter));
    }

    #[test]
    fn no_account_is_nobody_and_not_everybody() {
        let mut conditions = Conditions::new(Dialect::Postgres);
        conditions.accounts("t.account_id", &Accounts::Of(Vec::new()));
        assert_eq!(conditions.sql(), " WHERE 1 = 0");
    }

    #[test]
    fn what_an_asker_wrote_is_an_argument() {
        let filter = RefusalFilter {
            accounts: Accounts::Of(vec!["A'; DROP TABLE orders".to_owned()]),
            days: Days::default(),
            symbol: None,
            code: None,
        };
        let statement = refusals(Dialect::Postgres, &filter, &request(5, None)).expect("a statement");
        assert!(!statement.sql.contains("DROP"));
        assert_eq!(statement.args.len(), 1);
    }
}
