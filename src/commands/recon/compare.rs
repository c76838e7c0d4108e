//! `tradewind recon --statement FILE`: compares, prints, and has a running engine journal what was found.

use super::rows;
use crate::cli::CompareArgs;
use crate::commands::ask::operator;
use crate::output;
use anyhow::Context;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use tradewind_config::read_text;
use tradewind_control::{Client, ClientError, Journaled, Source, journal};
use tradewind_domain::fixed::Money;
use tradewind_domain::time::NANOS_PER_SEC;
use tradewind_reports::Period;
use tradewind_reports::recon::{Comparison, ComparisonRows, Statement, Terms};

/// The longest statement, bytes.
const STATEMENT_BYTES_MAX: u64 = 1 << 30;

/// What is printed.
#[derive(Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) rows: ComparisonRows,
    /// What the running engine has made of it; nothing in a dry run and where none runs.
    pub(super) journaled: Option<Journaled>,
    /// Why nothing was journaled; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_journaled: Option<NotJournaled>,
}

/// Why a comparison stands in no journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NotJournaled {
    /// That was asked for.
    DryRun,
    /// Nobody could take it.
    NoEngine,
}

/// Compares, has it journaled and prints. Exit code 1 where something breaks (a quantity, cash beyond the tolerance, a trade that one
/// side has not or has otherwise), and where it was to be journaled and no engine runs.
pub(super) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let path = args.statement.as_deref().context("--statement names no file")?;
    let text =
        read_text(path, STATEMENT_BYTES_MAX).with_context(|| format!("cannot read {}", path.display()))?;
    let statement = Statement::parse(&text).with_context(|| format!("cannot take {}", path.display()))?;
    let terms = terms(args)?;
    let comparison = Comparison::of(&args.engine.data, &statement, &terms)?;
    let source = Source::of(file_name(path), text.as_bytes());
    let journaled = match args.dry_run {
        true => None,
        false => journaled(args, &comparison, &source, &terms)?,
    };
    let report = Report {
        rows: comparison.rows(args.all),
        not_journaled: match (&journaled, args.dry_run) {
            (Some(_), _) => None,
            (None, true) => Some(NotJournaled::DryRun),
            (None, false) => Some(NotJournaled::NoEngine),
        },
        journaled,
    };
    if args.engine.json {
        output::json(&report)?;
    } else {
        rows::show(&report);
    }
    let is_lost = report.not_journaled == Some(NotJournaled::NoEngine);
    if is_lost {
        output::note(
            "no engine runs on this folder: nothing is journaled, no break is opened and nothing is restricted. \
             Start it and compare again, or say --dry-run",
        );
    }
    Ok(match report.rows.breaks {
        0 if !is_lost => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn terms(args: &CompareArgs) -> anyhow::Result<Terms> {
    Ok(Terms {
        tolerance: Money::from_raw(args.tolerance.into()),
        grace_ns: args.grace.saturating_mul(NANOS_PER_SEC),
        until: crate::commands::until(&args.as_of),
        trades: Period::new(args.from, args.to)?,
        settled_only: args.settled_only,
    })
}

/// Has a running engine journal it. `None` where none runs.
fn journaled(
    args: &CompareArgs,
    comparison: &Comparison,
    source: &Source,
    terms: &Terms,
) -> anyhow::Result<Option<Journaled>> {
    let mut client = match Client::connect(&args.engine.data) {
        Err(ClientError::NoEngine { .. }) => return Ok(None),
        client => client?,
    };
    let operator = operator(&args.engine);
    let reason = args.reason.clone();
    let reason = reason.unwrap_or_else(|| format!("statement {}", source.name));
    let journaled = journal(comparison, source, terms, |command| {
        client.ask(command, operator.as_deref(), Some(&reason))
    })?;
    Ok(Some(journaled))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
