//! Reconciliation: runs, lines and what people do to breaks, as their events; and the restriction that a position break brings.
//!
//! A position that nothing explains restricts its instrument to REDUCE_ONLY (SETTLEMENT section 9), where it trades freely. The control is
//! journaled first and the line names it: a crash in between leaves an instrument restricted and no break without its restriction. It is
//! lifted with the last break that holds it, unless somebody has said something else of the instrument since.
//!
//! Not here: comparing. Whoever has the statement does that and reports what lies between the sides.

use crate::answer::Outcome;
use crate::command::{ReconAct, ReconBegin, ReconEnd, ReconFilter, ReconLine, ReconReport, StateSet};
use crate::desk::{Answered, Desk, refused, value};
use crate::message::{self, Author, Made, Target, choice, date, text};
use crate::protocol::{ErrorCode, Failure};
use bytemuck::Zeroable;
use serde_json::{Value, json};
use std::sync::PoisonError;
use tradewind_domain::codes::{
    BreakSeverity, ControlState, ReconResolution, ReconStatus, ReconSubject, ReconVerb,
};
use tradewind_domain::event::{
    InboundLong, Kind, ReconAction, ReconEnd as EndBody, ReconFinding, ReconRun, recon_covers, recon_fields,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, Seq, VenueId};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::parse_rfc3339;
use tradewind_views::live::Held;
use tradewind_views::recon::{BreakState, ReconBreak};

/// Lines that are listed where nothing else is asked.
const LINES_LISTED: u32 = 1_000;
/// Runs that are listed.
const RUNS_LISTED: usize = 20;
/// Lines of one report.
const FINDINGS_MAX: usize = 500;

/// The beginning of a run.
pub(crate) fn begin(args: &ReconBegin, author: &Author) -> Made {
    let as_of_ns = parse_rfc3339(&args.as_of);
    let body = ReconRun {
        statement: hash(&args.statement)?,
        author: author.name,
        source: Text::lossy(&args.source),
        as_of_seq: args.as_of_seq,
        as_of_ns: as_of_ns
            .ok_or_else(|| Failure::argument(format!("as_of {:?} is no time in RFC 3339", args.as_of)))?,
        tolerance: message::optional_figure("tolerance", Some(&args.tolerance))?,
        from: date("from", args.from.as_deref())?,
        to: date("to", args.to.as_deref())?,
        accounts: args.accounts,
        ..ReconRun::zeroed()
    };
    Ok(InboundLong::new(Kind::ReconRun, &body).with_tail(author.tail().as_bytes()))
}

fn hash(digits: &str) -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    let is_hash = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hash {
        return Err(Failure::argument(
            "statement is a BLAKE3 in 64 hexadecimal digits",
        ));
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = &digits[2 * at..2 * at + 2];
        *byte = u8::from_str_radix(pair, 16).map_err(|error| Failure::argument(error.to_string()))?;
    }
    Ok(bytes)
}

/// A line of a statement. Names that we do not know are the finding, and no fault.
pub(crate) fn finding(run: Seq, line: &ReconLine) -> Result<ReconFinding, Failure> {
    let figure = |what: &str, value: &Option<String>| message::optional_figure(what, value.as_deref());
    let subjects: Vec<_> = ReconSubject::ALL.iter().map(|value| value.text()).collect();
    let statuses: Vec<_> = ReconStatus::ALL.iter().map(|value| value.text()).collect();
    let identifier = line.identifier.as_deref().unwrap_or("");
    let mut body = ReconFinding {
        ours: figure("ours", &line.ours)?.into(),
        traded: figure("traded", &line.traded)?.into(),
        theirs: figure("theirs", &line.theirs)?.into(),
        our_fee: Money::from_raw(figure("our_fee", &line.our_fee)?.into()),
        their_fee: Money::from_raw(figure("their_fee", &line.their_fee)?.into()),
        run,
        our_px: figure("our_px", &line.our_px)?,
        their_px: figure("their_px", &line.their_px)?,
        account_code: text("account", &line.account)?,
        item: text("item", &line.item)?,
        identifier: Text::new(identifier)
            .map_err(|error| Failure::argument(format!("identifier: {error}")))?,
        venue: line.venue.map_or(VenueId::NONE, VenueId),
        subject: choice("about", &line.about, ReconSubject::from_text, &subjects)? as u8,
        status: choice("status", &line.status, ReconStatus::from_text, &statuses)? as u8,
        fields: fields(&line.fields)?,
        trade_date: date("trade_date", line.trade_date.as_deref())?,
        account: AccountId::NONE,
        node: NodeId::NONE,
        instrument: InstrumentId::NONE,
        ..ReconFinding::zeroed()
    };
    body.key = key(&body);
    Ok(body)
}

fn fields(names: &[String]) -> Result<u8, Failure> {
    names.iter().try_fold(0, |bits, name| {
        let bit = match name.as_str() {
            "symbol" => recon_fields::SYMBOL,
            "side" => recon_fields::SIDE,
            "qty" => recon_fields::QTY,
            "px" => recon_fields::PX,
            "fee" => recon_fields::FEE,
            other => return Err(Failure::argument(format!("field {other:?} is not known"))),
        };
        Ok(bits | bit)
    })
}

/// What names a line in every run. A trade is named by its identifier and venue; one whose identifier is its order's also by what it
/// traded, since an order has many.
fn key(body: &ReconFinding) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[body.subject]);
    hasher.update(body.account_code.padded());
    if body.subject == ReconSubject::Trade as u8 {
        hasher.update(body.identifier.padded());
        hasher.update(&body.venue.0.to_le_bytes());
        if body.venue.is_none() {
            hasher.update(&body.trade_date.to_le_bytes());
            hasher.update(&body.ours.max(body.theirs).to_le_bytes());
            hasher.update(&body.our_px.max(body.their_px).to_le_bytes());
        }
    } else {
        hasher.update(body.item.padded());
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

/// The end of an account.
fn end(args: &ReconEnd) -> Made {
    let covers = args.covers.iter().try_fold(0, |bits, name| {
        let bit = match ReconSubject::from_text(name) {
            Some(ReconSubject::Position) => recon_covers::POSITIONS,
            Some(ReconSubject::Cash) => recon_covers::CASH,
            Some(ReconSubject::Trade) => recon_covers::TRADES,
            None => return Err(Failure::argument(format!("{name:?} is not compared"))),
        };
        Ok::<u8, Failure>(bits | bit)
    })?;
    let body = EndBody {
        run: args.run,
        account_code: text("account", &args.account)?,
        matched: args.matched,
        explained: args.explained,
        breaks: args.breaks,
        covers,
        account: AccountId::NONE,
        node: NodeId::NONE,
        ..EndBody::zeroed()
    };
    Ok(InboundLong::new(Kind::ReconEnd, &body))
}

/// What a person does to a break.
fn action(args: &ReconAct, author: &Author) -> Made {
    let verbs: Vec<_> = ReconVerb::ALL.iter().map(|value| value.text()).collect();
    let verb = choice("action", &args.action, ReconVerb::from_text, &verbs)?;
    let resolutions: Vec<_> = ReconResolution::ALL.iter().map(|value| value.text()).collect();
    let resolution = args
        .resolution
        .as_deref()
        .map(|code| choice("resolution", code, ReconResolution::from_text, &resolutions));
    let resolution = resolution.transpose()?;
    if (verb == ReconVerb::Resolve) != resolution.is_some() {
        let message = format!(
            "RESOLVE names one of {}, and nothing else does",
            resolutions.join(", ")
        );
        return Err(Failure::argument(message));
    }
    if (verb == ReconVerb::Assign) != args.assignee.is_some() {
        return Err(Failure::argument(
            "ASSIGN names who is to see to it, and nothing else does",
        ));
    }
    let assignee = args.assignee.as_deref();
    let body = ReconAction {
        break_seq: args.id,
        author: author.name,
        assignee: assignee.map_or(Ok(Code::EMPTY), |name| text("assignee", name))?,
        verb: verb as u8,
        resolution: resolution.map_or(0, |code| code as u8),
        ..ReconAction::zeroed()
    };
    Ok(InboundLong::new(Kind::ReconAction, &body).with_tail(author.tail().as_bytes()))
}

impl Desk {
    /// Journals lines of a run, each with the restriction that it asks for.
    pub(crate) fn recon_report(&self, report: &ReconReport, author: &Author) -> Answered {
        if report.findings.len() > FINDINGS_MAX {
            let message = format!("a report has at most {FINDINGS_MAX} lines");
            return Err(Failure::argument(message));
        }
        let findings: Result<Vec<_>, _> = report
            .findings
            .iter()
            .map(|line| finding(report.run, line))
            .collect();
        let findings = findings?;
        let _alone = self.reconciling.lock().unwrap_or_else(PoisonError::into_inner);
        self.known_run(report.run)?;
        let mut seqs = Vec::with_capacity(findings.len());
        for mut body in findings {
            body.restricted_by = self.restriction(&body, author)?;
            let outcome = self.journaled(InboundLong::new(Kind::ReconFinding, &body))?;
            seqs.push((outcome.seq, body));
        }
        let rows = self.read(|held| {
            let row = |(seq, body): &(Seq, ReconFinding)| {
                let line = held.recon().line_of(body);
                let id = line.map(|line| line.id);
                json!({ "seq": seq, "break": id, "is_new": id == Some(*seq), "restricted_by": body.restricted_by })
            };
            seqs.iter().map(row).collect::<Vec<_>>()
        })?;
        value(json!({ "findings": rows }))
    }

    fn known_run(&self, run: Seq) -> Result<(), Failure> {
        let is_known = self.read(|held| held.recon().run(run).is_some())?;
        match is_known {
            true => Ok(()),
            false => Err(Failure::new(
                ErrorCode::NotFound,
                format!("there is no run {run}"),
            )),
        }
    }

    fn journaled(&self, message: InboundLong) -> Result<Outcome, Failure> {
        let outcome = Outcome::of(&self.send(message)?.event, None);
        match outcome.accepted {
            true => Ok(outcome),
            false => Err(refused(outcome)),
        }
    }

    /// The control that restricts the line's instrument because of lines like it; 0 where none is needed, or somebody else has restricted
    /// it already.
    fn restriction(&self, body: &ReconFinding, author: &Author) -> Result<Seq, Failure> {
        let status = ReconStatus::from_code(body.status);
        let is_critical = status.is_some_and(|status| status.severity() == BreakSeverity::Critical);
        if !is_critical || body.subject != ReconSubject::Position as u8 {
            return Ok(0);
        }
        let (is_free, held_by) = self.read(|held| {
            let instrument = held.replica().registry().instrument_named(&body.item);
            let recon = held.recon();
            instrument.map_or((false, None), |row| {
                (recon.is_free(row.id), recon.restriction(row.id))
            })
        })?;
        if !is_free {
            return Ok(held_by.unwrap_or(0));
        }
        let why = format!(
            "reconciliation {}: {} {} {}",
            body.run,
            body.account_code,
            body.item,
            status.map_or("", ReconStatus::text)
        );
        let author = Author {
            reason: why,
            ..author.clone()
        };
        let set = StateSet {
            level: ControlState::ReduceOnly.text().to_owned(),
            symbol: Some(body.item.to_string()),
            ..StateSet::default()
        };
        Ok(self.journaled(message::state_set(&set, &author)?)?.seq)
    }

    pub(crate) fn recon_end(&self, args: &ReconEnd) -> Answered {
        let message = end(args)?;
        self.known_run(args.run)?;
        self.change(message)
    }

    pub(crate) fn recon_list(&self, filter: &ReconFilter) -> Answered {
        let names = BreakState::ALL.map(BreakState::text);
        let state = filter
            .state
            .as_deref()
            .map(|name| choice("state", name, BreakState::from_text, &names))
            .transpose()?;
        let max = filter.limit.unwrap_or(LINES_LISTED) as usize;
        self.read(|held| {
            let is_wanted = |line: &&ReconBreak| {
                let of_account = |code: &String| line.last.account_code.as_str() == code;
                state.map_or(line.state.waits(), |state| line.state == state)
                    && filter.account.as_ref().is_none_or(of_account)
            };
            let (book, (_, now_ns)) = (held.recon(), held.as_of());
            let ids: Vec<Seq> = book.lines().filter(is_wanted).map(|line| line.id).collect();
            let newest = ids.iter().rev().take(max);
            let rows: Vec<_> = newest.filter_map(|id| book.row_of(*id, now_ns)).collect();
            let runs: Vec<_> = book.run_rows().take(RUNS_LISTED).collect();
            json!({ "breaks": rows, "count": ids.len(), "runs": runs, "not_listed": book.dropped() })
        })
    }

    pub(crate) fn recon_show(&self, id: Seq) -> Answered {
        let row = self.read(|held| held.recon().row_of(id, held.as_of().1))?;
        value(json!({ "break": row.ok_or_else(|| no_break(id))? }))
    }

    /// What a person does to a break. The restriction that it brought ends with the last break that holds it.
    pub(crate) fn recon_act(&self, args: &ReconAct, author: &Author) -> Answered {
        let message = action(args, author)?;
        let _alone = self.reconciling.lock().unwrap_or_else(PoisonError::into_inner);
        let line = self.read(|held| held.recon().line(args.id).cloned())?;
        let line = line.ok_or_else(|| no_break(args.id))?;
        if args.resolution.is_some() && !line.state.waits() {
            let message = format!("break {} is {} and waits for no code", line.id, line.state.text());
            return Err(Failure::argument(message));
        }
        let outcome = self.journaled(message)?;
        let lifted = match args.resolution {
            Some(_) => self.lift(&line, author)?,
            None => None,
        };
        value(json!({ "outcome": outcome, "lifted": lifted }))
    }

    /// Re-arms the instrument of a break that was closed, where nothing else keeps it restricted.
    fn lift(&self, line: &ReconBreak, author: &Author) -> Result<Option<Value>, Failure> {
        let control = line.last.restricted_by;
        let is_ours = |held: &mut Held| {
            held.recon().restriction(line.last.instrument) == Some(control) && !held.recon().is_held(control)
        };
        if control == 0 || !self.read(is_ours)? {
            return Ok(None);
        }
        let author = Author {
            reason: format!("break {} is closed: {}", line.id, author.reason),
            ..author.clone()
        };
        let symbol: Symbol = line.last.item;
        let outcome = self.journaled(message::rearm(Target::Instrument(symbol), &author))?;
        value(outcome).map(Some)
    }
}

fn no_break(id: Seq) -> Failure {
    Failure::new(ErrorCode::NotFound, format!("there is no break {id}"))
}
