//! Reports of one account, as files: what `tradewind report` makes, made from the journal on a thread that may wait.
//!
//! Invariant: the tag of an answer names the input that the report ends with. It is given only where the journal held the whole of that
//! input before it was read, so that the same tag never stands for two files.

use super::v1;
use super::values::{date, figure, word};
use crate::call::{Call, Reply};
use crate::conditions::is_known;
use crate::endpoint::{Endpoint, Need, Param, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Schema, object, rows};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::Seq;
use tradewind_identity::Permission;
use tradewind_reports::{
    HarvestTerms, Period, Report, ReportError, ReportKind, ReportOptions, TaxRules, csv, html, json, report,
};

const GROUP: &str = "reports";
const CSV: &str = "text/csv; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// The page has its style inside, and nothing that runs or asks.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";
/// A tax rate where none is given: the score of a loss is the loss.
const WHOLE: i64 = 100 * ONE;

const OPTIONS: &[Param] = params![
    "account" text "The account; of the report groups a node.",
    "from" text "First trading date, YYYY-MM-DD; left out: the journal's first.",
    "to" text "Last trading date; left out: the journal's last.",
    "format" text "json (the default), csv or html.",
    "method" text "Of tax-lots and harvest: which lots close first: FIFO (the default), LIFO, HIFO or AVCO.",
    "loss_min" text "Of harvest: the smallest loss of a lot, in its currency.",
    "loss_min_pct" text "Of harvest: the smallest loss of a lot, in percent of its cost.",
    "rate_short" text "Of harvest: tax rate on short-term gains, in percent.",
    "rate_long" text "Of harvest: tax rate on long-term gains, in percent.",
    "cost_pct" text "Of harvest: what selling and replacing a lot costs, in percent of its market value.",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    account: String,
    from: Option<String>,
    to: Option<String>,
    format: Option<String>,
    method: Option<String>,
    loss_min: Option<String>,
    loss_min_pct: Option<String>,
    rate_short: Option<String>,
    rate_long: Option<String>,
    cost_pct: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Html,
}

impl Format {
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "JSON" => Some(Self::Json),
            "CSV" => Some(Self::Csv),
            "HTML" => Some(Self::Html),
            _ => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let new = |path, handle, doc| Endpoint::new(Verb::Get, path, GROUP, read, handle, doc);
    vec![
        new(v1!("/reports"), handle!(list), "Reports that there are.").gives(200, kinds_schema),
        new(
            v1!("/reports/{report}"),
            handle!(make),
            "A report of one account, made from the journal.",
        )
        .params(OPTIONS)
        .gives_or(200, report_schema, &[CSV, HTML]),
    ]
}

fn kinds_schema() -> Schema {
    rows(object("A report.", &[("name", "text", "Its name.")]), &[])
}

fn report_schema() -> Schema {
    let mut schema = object(
        "A report; docs/reports.md has its sections.",
        &[
            ("report", "text", "Its name."),
            ("account", "text", "The account."),
            (
                "currency",
                "text",
                "Base currency of the account; empty where it has none.",
            ),
            ("from", "text?", "First trading date."),
            ("to", "text?", "Last trading date."),
            ("as_of_seq", "count", "Number of the last input in it."),
            ("as_of_time", "time", "When the engine took it."),
            ("sections", "any", "Sections by name, each a list of rows."),
            ("notes", "any", "Conventions, and what could not be said."),
        ],
    );
    schema["additionalProperties"] = true.into();
    schema
}

async fn list(_gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    let names: Vec<Value> = ReportKind::ALL
        .iter()
        .map(|kind| json!({ "name": kind.text() }))
        .collect();
    Reply::json(&json!({ "data": names }))
}

async fn make(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let name = call.path("report");
    let kind = ReportKind::ALL.into_iter().find(|kind| kind.text() == name);
    let kind = kind.ok_or_else(|| Problem::not_found("report", name))?;
    let query: Query = call.query()?;
    gateway.require(call.asker()?, Permission::Read, &query.account)?;
    let (period, options, format) = (query.period()?, query.options(&gateway.tax)?, query.format()?);
    let question = blake3::hash(format!("{name} {query:?} {:?}", gateway.tax).as_bytes()).to_hex();
    let tag_of = |seq: Seq| format!("{seq}-{}", &question[..16]);
    let whole = gateway
        .read(|live| live.read_now(|held| held.whole_seq()))
        .await?;
    if query.to.is_none() && is_known(&call.headers, &tag_of(whole)) {
        return Ok(Reply::text(content_type(format), String::new()).tagged(tag_of(whole)));
    }
    let (data, account) = (gateway.data_dir.clone(), query.account.clone());
    let made = gateway
        .jobs
        .run(move || report(&data, kind, &account, period, &options));
    let report = made.await?.map_err(refusal)?;
    let reply = written(&report, format);
    Ok(match report.as_of.seq <= whole {
        true => reply.tagged(tag_of(report.as_of.seq)),
        false => reply,
    })
}

const fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Csv => CSV,
        Format::Html => HTML,
    }
}

fn written(report: &Report, format: Format) -> Reply {
    let text = match format {
        Format::Json => json(report),
        Format::Csv => csv(report),
        Format::Html => html(report),
    };
    // Codes of accounts are printable and may have a quote.
    let account = report.scope.account.replace(['"', '\\', '/'], "_");
    let name = format!(
        "inline; filename=\"{}-{account}.{}\"",
        report.name,
        format.extension()
    );
    let reply = Reply::text(content_type(format), text).header("content-disposition", &name);
    match format {
        Format::Html => reply.header("content-security-policy", POLICY),
        Format::Json | Format::Csv => reply,
    }
}

impl Query {
    fn period(&self) -> Result<Period, Problem> {
        let day =
            |name: &str, text: &Option<String>| text.as_deref().map(|text| date(name, text)).transpose();
        Period::new(day("?from", &self.from)?, day("?to", &self.to)?).map_err(refusal)
    }

    fn options(&self, tax: &Arc<TaxRules>) -> Result<ReportOptions, Problem> {
        let method = self.method.as_deref().unwrap_or("FIFO");
        let percent = |name: &str, text: &Option<String>| match text {
            None => Ok(WHOLE),
            Some(text) => figure(name, Some(text)),
        };
        let harvest = HarvestTerms::of_decimals(
            figure("?loss_min", self.loss_min.as_deref())?,
            figure("?loss_min_pct", self.loss_min_pct.as_deref())?,
            (
                percent("?rate_short", &self.rate_short)?,
                percent("?rate_long", &self.rate_long)?,
            ),
            figure("?cost_pct", self.cost_pct.as_deref())?,
        );
        Ok(ReportOptions {
            method: word("?method", method, LotMethod::from_text, "FIFO, LIFO, HIFO, AVCO")?,
            harvest: harvest
                .ok_or_else(|| Problem::value("?loss_min", "an amount or rate is below zero or too large"))?,
            tax: Arc::clone(tax),
        })
    }

    fn format(&self) -> Result<Format, Problem> {
        let format = self.format.as_deref().unwrap_or("json");
        word("?format", format, Format::from_text, "json, csv, html")
    }
}

fn refusal(error: ReportError) -> Problem {
    match error {
        ReportError::Account { .. } => Problem::value("?account", "is no account"),
        ReportError::Node { .. } => Problem::value("?account", "is no node"),
        ReportError::TaxRules { .. }
        | ReportError::IdentityCurrencies { .. }
        | ReportError::IdentityKind { .. } => {
            Problem::new(ProblemCode::Internal, format!("there is no report: {error}"))
        }
        ReportError::NoPeriod => {
            Problem::value("?from", "the report is of the whole journal and takes no dates")
        }
        ReportError::Period => Problem::value("?to", "lies before ?from"),
        ReportError::View(_) => Problem::new(ProblemCode::ReadsFailed, "the journal cannot be read"),
        ReportError::Cash { .. } | ReportError::Overflow => {
            let detail = format!("there is no report: {error}");
            Problem::new(ProblemCode::Internal, detail)
        }
    }
}
