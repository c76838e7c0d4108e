//! A comparison becomes records of the running engine: the run, its lines, the end of each account.

use super::compare::{Given, Report};
use super::rows::AccountLines;
use crate::cli::CompareArgs;
use crate::commands::ask::operator;
use crate::output;
use anyhow::bail;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use tradewind_control::{Client, ClientError, Command, ReconBegin, ReconEnd, ReconLine, ReconReport};

/// Lines of one request.
const CHUNK: usize = 100;
/// Lines that a run may have: more of them are no breaks but another firm's statement.
const LINES_MAX: usize = 20_000;

/// What the engine has made of a comparison.
#[derive(Default, Serialize)]
pub(super) struct Journaled {
    /// Number of the run.
    run: u64,
    /// Breaks and explained lines that the run found first.
    new: Vec<u64>,
    /// Those that an earlier run had found.
    known: Vec<u64>,
    /// Instruments that are restricted to REDUCE_ONLY because of it.
    restricted: BTreeSet<String>,
}

impl fmt::Display for Journaled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (run, new, known) = (self.run, self.new.len(), self.known.len());
        write!(f, "journaled as run {run}: {new} new lines, {known} known ones")?;
        if !self.restricted.is_empty() {
            let symbols: Vec<_> = self.restricted.iter().map(String::as_str).collect();
            write!(f, "; REDUCE_ONLY: {}", symbols.join(", "))?;
        }
        Ok(())
    }
}

/// Has it journaled. `None` where no engine runs: comparing needs none.
pub(super) fn journal(
    args: &CompareArgs,
    given: &Given,
    report: &Report,
    accounts: &[AccountLines],
) -> anyhow::Result<Option<Journaled>> {
    let client = match Client::connect(&args.engine.data) {
        Err(ClientError::NoEngine { .. }) => {
            output::note("no engine runs on this folder: nothing is journaled");
            return Ok(None);
        }
        client => client?,
    };
    let findings: Vec<Vec<ReconLine>> = accounts.iter().map(AccountLines::findings).collect();
    let lines: usize = findings.iter().map(Vec::len).sum();
    if lines > LINES_MAX {
        bail!("{lines} lines differ, more than {LINES_MAX}: is it the right statement? nothing is journaled");
    }
    let default_reason = format!("statement {}", given.source);
    let mut engine = Engine {
        client,
        operator: operator(&args.engine),
        reason: args.reason.clone().unwrap_or(default_reason),
        journaled: Journaled::default(),
    };
    engine.begin(given, report, accounts.len())?;
    for (account, findings) in accounts.iter().zip(&findings) {
        for chunk in findings.chunks(CHUNK) {
            engine.report(chunk)?;
        }
        engine.end(account)?;
    }
    Ok(Some(engine.journaled))
}

struct Engine {
    client: Client,
    operator: Option<String>,
    reason: String,
    journaled: Journaled,
}

impl Engine {
    fn ask(&mut self, command: Command) -> anyhow::Result<Value> {
        let answer = self
            .client
            .ask(command, self.operator.as_deref(), Some(&self.reason));
        Ok(answer?)
    }

    fn begin(&mut self, given: &Given, report: &Report, accounts: usize) -> anyhow::Result<()> {
        let answer = self.ask(Command::ReconBegin(ReconBegin {
            statement: given.hash.clone(),
            source: given.source.clone(),
            as_of_seq: report.as_of_seq,
            as_of: report.as_of_time.clone(),
            tolerance: given.tolerance.clone(),
            from: given.from.clone(),
            to: given.to.clone(),
            accounts: accounts as u32,
        }))?;
        self.journaled.run = answer["outcome"]["seq"].as_u64().unwrap_or_default();
        Ok(())
    }

    fn report(&mut self, lines: &[ReconLine]) -> anyhow::Result<()> {
        let answer = self.ask(Command::ReconReport(ReconReport {
            run: self.journaled.run,
            findings: lines.to_vec(),
        }))?;
        let rows = answer["findings"].as_array().cloned().unwrap_or_default();
        for (row, line) in rows.iter().zip(lines) {
            let Some(id) = row["break"].as_u64() else { continue };
            match row["is_new"].as_bool() {
                Some(true) => self.journaled.new.push(id),
                _ => self.journaled.known.push(id),
            }
            if row["restricted_by"].as_u64().is_some_and(|control| control != 0) {
                self.journaled.restricted.insert(line.item.clone());
            }
        }
        Ok(())
    }

    fn end(&mut self, lines: &AccountLines) -> anyhow::Result<()> {
        self.ask(Command::ReconEnd(ReconEnd {
            run: self.journaled.run,
            account: lines.account.clone(),
            matched: lines.matched(),
            explained: lines.explained(),
            breaks: lines.breaks(),
            covers: lines.covers(),
        }))?;
        Ok(())
    }
}
