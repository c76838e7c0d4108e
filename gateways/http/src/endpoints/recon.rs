//! Reconciliation: a statement held against the books, breaks, and what people do to them (docs/recon.md).
//!
//! # Invariants
//! - A break belongs to the account that it is about; one of an account that we do not know is the firm's.
//! - What restricts or frees an instrument for all accounts is for who controls the firm: journaling a statement that lists positions, and
//!   closing a break that restricts one.

mod schemas;

use super::changes::outcome_schema;
use super::v1;
use super::values::{date, figure, optional, reason, word};
use crate::call::{Asker, Call, Reply};
use crate::endpoint::{Endpoint, Need, Param, Verb, handle, params};
use crate::gateway::{Gateway, author};
use crate::problem::{Problem, ProblemCode};
use crate::schema::{rows, wire};
use axum::http::header;
use schemas::{Lines, break_schema, compared_schema, run_schema};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tradewind_control::{Command, Failure, Journaled, ReconAct, Source, journal};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::UserId;
use tradewind_domain::time::{NANOS_PER_SEC, parse_rfc3339};
use tradewind_identity::Permission;
use tradewind_reports::recon::{Comparison, ComparisonRows, Statement, StatementError, Terms};
use tradewind_reports::{Period, ReportError};
use tradewind_views::ReplayOptions;
use tradewind_views::query::current::{Current, Filter, Now, ReconBreak};
use tradewind_views::recon::BreakState;

const GROUP: &str = "reconciliation";
/// Rows where nothing else is asked, and at most.
const LISTED: u32 = 500;
const LISTED_MAX: u32 = 5_000;
const RUNS_LISTED: u32 = 20;
const RUNS_LISTED_MAX: u32 = 1_000;
/// How long a trade of ours may be missing from a statement, seconds, where nothing else is said.
const GRACE_S: u64 = 60;
/// Cash may differ by this much where nothing else is said: one cent at 1e-8.
const TOLERANCE: i64 = 1_000_000;
const STATES: &str = "EXPLAINED, OPEN, GONE, RESOLVED";

const BREAKS: &[Param] = params![
    "account" text "Only this account.",
    "item" text "Only this instrument or currency.",
    "state" text "EXPLAINED, OPEN, GONE or RESOLVED; left out: those that wait for their code.",
    "limit" count "Rows at most, up to 5000; 500 where left out.",
];
const STATEMENT: &[Param] = params![
    "source" text "Name of the statement, for the journal; left out: upload.",
    "tolerance" text "Cash may differ by this much; left out: 0.01.",
    "grace" count "Seconds for which a trade of ours may be missing before the cut-off; left out: 60.",
    "from" text "First trade date of the trades that are compared, YYYY-MM-DD; left out: the journal's first.",
    "to" text "Last trade date of the trades that are compared.",
    "to_seq" count "The statement's cut-off as the number of an input; left out: the journal's end.",
    "to_time" text "The statement's cut-off as a time, RFC 3339.",
    "settled_only" flag "True: the statement lists settled positions alone; what has not settled need not stand in it.",
    "dry_run" flag "True: compare, and journal nothing.",
    "all" flag "True: answer what matches as well.",
    "reason" text "Why, for the journal; left out: the statement's name.",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    account: Option<String>,
    item: Option<String>,
    state: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HowMany {
    limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    source: Option<String>,
    tolerance: Option<String>,
    grace: Option<u64>,
    from: Option<String>,
    to: Option<String>,
    to_seq: Option<u64>,
    to_time: Option<String>,
    settled_only: Option<bool>,
    dry_run: Option<bool>,
    all: Option<bool>,
    reason: Option<String>,
}

wire! {
    /// Who is to see to a break.
    Assign {
        /// Number of the user.
        assignee: u32,
        /// Why.
        reason: String,
    }
}

wire! {
    /// What is said of a break.
    Comment {
        /// In one line.
        reason: String,
    }
}

wire! {
    /// How a break is closed.
    Resolve {
        /// BOOKED, REVERSED, BROKER_ERROR, TIMING or FEE.
        code: String,
        /// Why.
        reason: String,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let control = Need::Right(Permission::Control);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Get,
            v1!("/recon/breaks"),
            read,
            handle!(list),
            "Lines on which a statement and our books were not alike, newest first.",
        )
        .params(BREAKS)
        .gives(200, || rows(break_schema(), BESIDE)),
        new(
            Verb::Get,
            v1!("/recon/breaks/{id}"),
            read,
            handle!(show),
            "One of them, with what was said of it.",
        )
        .gives(200, || super::rows::one(break_schema())),
        new(
            Verb::Post,
            v1!("/recon/breaks/{id}/assign"),
            control,
            handle!(assign),
            "Gives a break to somebody.",
        )
        .takes::<Assign>()
        .gives(200, outcome_schema),
        new(
            Verb::Post,
            v1!("/recon/breaks/{id}/comment"),
            control,
            handle!(comment),
            "Says something about a break.",
        )
        .takes::<Comment>()
        .gives(200, outcome_schema),
        new(
            Verb::Post,
            v1!("/recon/breaks/{id}/resolve"),
            control,
            handle!(resolve),
            "Closes a break with a code; one that restricts its instrument is for who controls the firm.",
        )
        .takes::<Resolve>()
        .gives(200, outcome_schema),
        new(
            Verb::Get,
            v1!("/recon/runs"),
            Need::Firm(Permission::Read),
            handle!(runs),
            "The newest reconciliations.",
        )
        .params(params!["limit" count "Rows at most, up to 1000; 20 where left out."])
        .gives(200, || rows(run_schema(), super::rows::AS_OF)),
        new(
            Verb::Post,
            v1!("/recon/statements"),
            control,
            handle!(compare),
            "Holds a statement or drop copy against the books, and journals what does not match; one with positions for who controls the firm.",
        )
        .params(STATEMENT)
        .takes_csv_too::<Lines>()
        .gives(200, compared_schema),
    ]
}

const BESIDE: &[(&str, &str, &str)] = &[
    ("as_of", "count", "Number of the last input in it."),
    ("as_of_time", "time?", "When the engine took it."),
    (
        "count",
        "count",
        "How many there are, with those that are not listed.",
    ),
];

async fn list(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let which: Which = call.query()?;
    let state = which.state.as_deref();
    let state = state
        .map(|state| word("?state", state, BreakState::from_text, STATES))
        .transpose()?;
    let is_wanted = |row: &ReconBreak| {
        let of_row = BreakState::from_text(row.state);
        of_row.is_some_and(|of_row| state.map_or(of_row.waits(), |state| of_row == state))
    };
    let filter = Filter {
        scope: gateway.scope_at(call.asker()?, "?account", which.account.as_deref())?,
        account: which
            .account
            .as_deref()
            .map(|account| optional("?account", Some(account)))
            .transpose()?,
        symbol: which
            .item
            .as_deref()
            .map(|item| optional("?item", Some(item)))
            .transpose()?,
    };
    let mut now = gateway.read(move |live| live.recon_breaks(&filter)).await?;
    now.data.retain(is_wanted);
    let count = now.data.len();
    now.data
        .truncate(which.limit.unwrap_or(LISTED).clamp(1, LISTED_MAX) as usize);
    #[derive(Serialize)]
    struct Listed<T> {
        #[serde(flatten)]
        now: T,
        count: usize,
    }
    Reply::json(&Listed { now, count })
}

/// The break that a request names, where it is one that the asker sees.
async fn named(gateway: &Arc<Gateway>, call: &Call) -> Result<Now<ReconBreak>, Problem> {
    let text = call.path("id");
    let missing = || Problem::not_found("break", text);
    let id: u64 = text.parse().map_err(|_| missing())?;
    let now = gateway.read(move |live| live.recon_break(id)).await;
    let now = now.map_err(|problem| match problem.code() {
        ProblemCode::NotFound => missing(),
        _ => problem,
    })?;
    match may(gateway, call.asker()?, Permission::Read, &now.data) {
        true => Ok(now),
        false => Err(missing()),
    }
}

fn may(gateway: &Gateway, asker: &Asker, permission: Permission, row: &ReconBreak) -> bool {
    let is_open = gateway
        .access()
        .book()
        .allows(&asker.rights, permission, row.node);
    is_open || gateway.require_firm(asker, permission).is_ok()
}

async fn show(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    Reply::json(&named(&gateway, &call).await?)
}

async fn runs(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let how: HowMany = call.query()?;
    let max = how.limit.unwrap_or(RUNS_LISTED).clamp(1, RUNS_LISTED_MAX) as usize;
    let scope = gateway.scope(call.asker()?);
    let now = gateway.read(move |live| live.recon_runs(&scope, max)).await?;
    Reply::json(&now)
}

async fn assign(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Assign = call.json()?;
    if gateway.identity.user(UserId(body.assignee)).is_none() {
        return Err(Problem::value("/assignee", "is no user"));
    }
    let assignee = Some(format!("u{}", body.assignee));
    act(&gateway, &call, "ASSIGN", assignee, None, &body.reason).await
}

async fn comment(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Comment = call.json()?;
    act(&gateway, &call, "COMMENT", None, None, &body.reason).await
}

async fn resolve(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Resolve = call.json()?;
    act(&gateway, &call, "RESOLVE", None, Some(body.code), &body.reason).await
}

async fn act(
    gateway: &Arc<Gateway>,
    call: &Call,
    action: &str,
    assignee: Option<String>,
    resolution: Option<String>,
    why: &str,
) -> Result<Reply, Problem> {
    let row = named(gateway, call).await?.data;
    let asker = call.asker()?;
    if !may(gateway, asker, Permission::Control, &row) {
        return Err(Problem::not_permitted("the break is not yours to see to"));
    }
    if resolution.is_some() && row.restricted_by.is_some() {
        gateway.require_firm(asker, Permission::Control)?;
    }
    let act = ReconAct {
        id: row.id,
        action: action.to_owned(),
        assignee,
        resolution,
    };
    let answer = gateway
        .desk(call, Some(reason(why)?), Command::ReconAct(act))
        .await?;
    Reply::json(&answer)
}

#[derive(Serialize)]
struct Compared {
    #[serde(flatten)]
    rows: ComparisonRows,
    journaled: Option<Journaled>,
}

async fn compare(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let how: How = call.query()?;
    let statement = statement(&call)?;
    let terms = how.terms()?;
    let is_dry = how.dry_run.unwrap_or(false);
    require(&gateway, call.asker()?, &statement, is_dry)?;
    let source = Source::of(how.source.as_deref().unwrap_or("upload"), &call.body);
    let why = how.reason.clone();
    let why = why.unwrap_or_else(|| format!("statement {}", source.name));
    reason(&why).map_err(|_| Problem::value("?reason", "is one line of at most 400 bytes"))?;
    let (asked_by, via) = (author(call.asker()?), call.correlation.name());
    let asked = Arc::clone(&gateway);
    let work = move || -> Result<Compared, Problem> {
        let comparison = Comparison::of(&asked.data_dir, &statement, &terms).map_err(refusal)?;
        let ask = |command: Command| -> Result<_, Failure> {
            asked.desk.ask(&asked_by, &via, Some(&why), &command)
        };
        let journaled = match is_dry {
            true => None,
            false => Some(journal(&comparison, &source, &terms, ask)?),
        };
        let rows = comparison.rows(how.all.unwrap_or(false));
        Ok(Compared { rows, journaled })
    };
    Reply::json(&gateway.jobs.run(work).await??)
}

/// Whoever controls all accounts of a statement may hold it against the books. What comes of positions is the firm's.
fn require(gateway: &Gateway, asker: &Asker, statement: &Statement, is_dry: bool) -> Result<(), Problem> {
    for account in statement.accounts() {
        gateway.require(asker, Permission::Control, &account)?;
    }
    let has_positions = statement.holdings.values().any(|held| !held.positions.is_empty());
    match has_positions && !is_dry {
        true => gateway.require_firm(asker, Permission::Control),
        false => Ok(()),
    }
}

/// The body as a statement of at least one account.
fn statement(call: &Call) -> Result<Statement, Problem> {
    let content = call.header(header::CONTENT_TYPE.as_str()).unwrap_or("");
    let kind = content.split(';').next().unwrap_or("").trim();
    let text = std::str::from_utf8(&call.body).map_err(|_| Problem::malformed("", "the body is no UTF-8"))?;
    let read = match kind {
        "application/json" => Statement::from_json(text),
        "text/csv" => Statement::from_csv(text),
        _ => {
            let detail = "the body must be application/json or text/csv";
            return Err(Problem::new(ProblemCode::NotAcceptable, detail));
        }
    };
    let statement = read.map_err(|error| match error {
        StatementError::Line { line, what } => Problem::value(format!("line {line}"), what),
        StatementError::Json(why) => Problem::malformed("", why.to_string()),
        StatementError::Header(_) => Problem::malformed("", error.to_string()),
    })?;
    match statement.accounts().is_empty() {
        true => Err(Problem::value("/lines", "has no line")),
        false => Ok(statement),
    }
}

impl How {
    fn terms(&self) -> Result<Terms, Problem> {
        let day =
            |name: &str, text: &Option<String>| text.as_deref().map(|text| date(name, text)).transpose();
        let tolerance = match self.tolerance.as_deref() {
            None => TOLERANCE,
            Some(text) => figure("?tolerance", Some(text))?,
        };
        if tolerance < 0 {
            return Err(Problem::value("?tolerance", "is below zero"));
        }
        let to_time = self
            .to_time
            .as_deref()
            .map(|text| parse_rfc3339(text).ok_or_else(|| Problem::value("?to_time", "is no RFC 3339 time")));
        if self.to_seq.is_some() && to_time.is_some() {
            return Err(Problem::value("?to_time", "goes with no ?to_seq"));
        }
        let trades = Period::new(day("?from", &self.from)?, day("?to", &self.to)?);
        Ok(Terms {
            tolerance: Money::from_raw(tolerance.into()),
            grace_ns: self.grace.unwrap_or(GRACE_S).saturating_mul(NANOS_PER_SEC),
            until: ReplayOptions {
                to_seq: self.to_seq,
                to_time_ns: to_time.transpose()?,
            },
            trades: trades.map_err(|_| Problem::value("?to", "lies before ?from"))?,
            settled_only: self.settled_only.unwrap_or(false),
        })
    }
}

fn refusal(_: ReportError) -> Problem {
    Problem::new(ProblemCode::ReadsFailed, "the journal cannot be read")
}
