//! A comparison with a statement becomes records of the running engine: the run, its lines, the end of each account.
//!
//! # Invariants
//! - Either every line can be journaled as it stands, or nothing is sent.
//! - The end of an account is sent after all of its lines were taken. What is cut off in between makes nothing gone.
//!
//! Not here: how it is asked. The command line asks over the socket, the HTTP server its own desk.

use crate::command::{Command, ReconBegin, ReconEnd, ReconLine, ReconReport};
use crate::protocol::Failure;
use crate::recon;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use tradewind_domain::codes::{BreakSeverity, ReconSubject};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::{Date, Rfc3339};
use tradewind_reports::recon::{AccountLines, Comparison, Line, Pair, Terms};

/// Lines of one request.
const CHUNK: usize = 100;
/// Lines that a run may have: more of them are no breaks but another firm's statement.
const LINES_MAX: usize = 20_000;

/// Where a statement came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of its file; what is longer than 40 bytes is cut.
    pub name: String,
    hash: String,
}

impl Source {
    /// A statement by its name and its bytes.
    pub fn of(name: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            hash: blake3::hash(bytes).to_hex().to_string(),
        }
    }
}

/// What the engine has made of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Journaled {
    /// Number of the run.
    pub run: Seq,
    /// Breaks and explained lines that the run found first.
    pub new: Vec<Seq>,
    /// Those that an earlier run had found.
    pub known: Vec<Seq>,
    /// Instruments that are restricted to REDUCE_ONLY because of it.
    pub restricted: BTreeSet<String>,
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

/// Has a comparison journaled by whoever `ask` asks.
pub fn journal<E: From<Failure>>(
    comparison: &Comparison,
    source: &Source,
    terms: &Terms,
    mut ask: impl FnMut(Command) -> Result<Value, E>,
) -> Result<Journaled, E> {
    let findings: Vec<Vec<ReconLine>> = comparison.accounts.iter().map(findings).collect();
    let lines: usize = findings.iter().map(Vec::len).sum();
    if lines > LINES_MAX {
        let message = format!(
            "{lines} lines differ, more than {LINES_MAX}: is it the right statement? nothing is journaled"
        );
        return Err(Failure::argument(message).into());
    }
    for line in findings.iter().flatten() {
        recon::finding(0, line)?;
    }
    let answer = ask(begin(comparison, source, terms))?;
    let mut journaled = Journaled {
        run: answer["outcome"]["seq"].as_u64().unwrap_or_default(),
        ..Journaled::default()
    };
    for (account, findings) in comparison.accounts.iter().zip(&findings) {
        for lines in findings.chunks(CHUNK) {
            let answer = ask(Command::ReconReport(ReconReport {
                run: journaled.run,
                findings: lines.to_vec(),
            }))?;
            journaled.note(&answer, lines);
        }
        ask(end(journaled.run, account))?;
    }
    Ok(journaled)
}

impl Journaled {
    fn note(&mut self, answer: &Value, lines: &[ReconLine]) {
        let rows = answer["findings"].as_array().into_iter().flatten();
        for (row, line) in rows.zip(lines) {
            let Some(id) = row["break"].as_u64() else { continue };
            match row["is_new"].as_bool() {
                Some(true) => self.new.push(id),
                _ => self.known.push(id),
            }
            if row["restricted_by"].as_u64().is_some_and(|control| control != 0) {
                self.restricted.insert(line.item.clone());
            }
        }
    }
}

fn begin(comparison: &Comparison, source: &Source, terms: &Terms) -> Command {
    let date = |day: Option<u32>| day.map(|day| Date(day).to_string());
    Command::ReconBegin(ReconBegin {
        statement: source.hash.clone(),
        source: source.name.clone(),
        as_of_seq: comparison.as_of.seq,
        as_of: Rfc3339(comparison.as_of.time_ns).to_string(),
        tolerance: terms.tolerance.to_string(),
        from: date(terms.trades.from),
        to: date(terms.trades.to),
        accounts: comparison.accounts.len() as u32,
    })
}

fn end(run: Seq, of: &AccountLines) -> Command {
    Command::ReconEnd(ReconEnd {
        run,
        account: of.account.clone(),
        matched: of.matched(),
        explained: of.explained(),
        breaks: of.breaks(),
        covers: of.covers().map(|subject| subject.text().to_owned()).collect(),
    })
}

/// What is journaled: lines on which the sides are not alike, but for young trades that may still come.
fn findings(of: &AccountLines) -> Vec<ReconLine> {
    let holdings = of.lines().filter_map(|line| holding(&of.account, line));
    let settled = of.pairs().filter(|(_, severity)| *severity > BreakSeverity::Info);
    let trades = settled.filter_map(|(pair, _)| trade(of, pair));
    holdings.chain(trades).collect()
}

fn holding(account: &str, line: &Line) -> Option<ReconLine> {
    let figure = |raw: i128| Some(Money::from_raw(raw).to_string());
    let subject = match line.is_cash {
        true => ReconSubject::Cash,
        false => ReconSubject::Position,
    };
    Some(ReconLine {
        about: subject.text().to_owned(),
        status: line.status.recorded()?.text().to_owned(),
        account: account.to_owned(),
        item: line.item.clone(),
        ours: figure(line.internal),
        traded: figure(line.traded),
        theirs: figure(line.broker),
        ..ReconLine::default()
    })
}

fn trade(of: &AccountLines, pair: &Pair) -> Option<ReconLine> {
    let (ours, theirs) = of.sides(pair);
    let any = ours.or(theirs)?;
    let other = theirs.unwrap_or(any);
    let identifier = any
        .exec_id
        .clone()
        .or_else(|| other.exec_id.clone())
        .or_else(|| any.order_id.clone());
    Some(ReconLine {
        about: ReconSubject::Trade.text().to_owned(),
        status: pair.status.recorded()?.text().to_owned(),
        account: of.account.clone(),
        item: any.symbol.clone(),
        identifier,
        venue: [&any.venue, &other.venue]
            .into_iter()
            .find_map(|venue| venue.parse().ok()),
        trade_date: any.trade_date.map(|day| Date(day).to_string()),
        ours: ours.map(|trade| trade.qty.to_string()),
        traded: ours.map(|trade| trade.qty.to_string()),
        theirs: theirs.map(|trade| trade.qty.to_string()),
        our_px: ours.map(|trade| trade.px.to_string()),
        their_px: theirs.map(|trade| trade.px.to_string()),
        our_fee: ours.and_then(|trade| trade.fee).map(|fee| fee.to_string()),
        their_fee: theirs.and_then(|trade| trade.fee).map(|fee| fee.to_string()),
        fields: pair.status.differing().into_iter().map(str::to_owned).collect(),
    })
}
