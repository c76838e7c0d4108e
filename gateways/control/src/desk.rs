//! The desk: takes a request from whoever may ask, and answers it from the journal or the replica.
//!
//! A change or a question to a stage goes into the long queue with a time stamp of its own that no other request has (nanoseconds,
//! strictly rising). The record with that stamp, kind and source is its outcome: a follower that was opened at the journal's end
//! before the event was sent cannot miss it.
//!
//! # Invariants
//! - One request, one event, or none: what was not pushed is said to be not sent, and what was pushed is never pushed again.
//! - An outcome that is not seen in time is unknown. It is never reported as refused.
//!
//! Not here: lines and connections (see `server`).

mod limits;
mod rearm;

use crate::answer::{self, Outcome};
use crate::command::{AlertAct, Command, OrderFilter, QuarantineResolve};
use crate::dual::Rearms;
use crate::figures::Gauges;
use crate::holdings;
use crate::message::{self, Author, Target};
use crate::money;
use crate::peer::Peer;
use crate::people::People;
use crate::protocol::{ErrorCode, Failure, Request, VERSION};
use crate::recon;
use crate::reference;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Event, InboundLong, Kind};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{Follower, JournalError, Position, StartAt};
use tradewind_machine::source::{LongSource, SOURCE_LONG};
use tradewind_views::live::{Held, Live};
use tradewind_views::query::current::LiveError;
use tradewind_views::{orders, restrictions, target_restrictions};

/// How long a full queue is tried.
const PUSH_NS_MAX: u64 = 2_000_000_000;
/// How long an outcome is waited for. Under durability `disk` a record is released once it is synced.
const OUTCOME_NS_MAX: u64 = 10_000_000_000;
/// The pause before the journal or the queue is looked at again.
const PAUSE: Duration = Duration::from_micros(200);
/// Orders that are listed where nothing else is asked.
const ORDERS_LISTED: u32 = 1_000;

/// What became of a request.
pub type Answered = Result<Value, Failure>;

/// What the desk must know of the engine.
#[derive(Clone, Debug)]
pub struct EngineFacts {
    /// The data folder.
    pub data_dir: PathBuf,
    /// Version and commit of the program.
    pub build: String,
    /// Number of the run.
    pub epoch: u32,
    /// Where time comes from.
    pub clock_mode: ClockMode,
}

/// Where incidents are asked for: the alert manager that follows the journal beside the engine. What it gives are JSON objects with the
/// incident's number as `id`; the error is for people.
pub type Incidents = Box<dyn Fn() -> Result<Vec<Value>, String> + Send + Sync>;

/// Who checks a file of alert rules, given its text, an author and a reason: the events that put it into force, or what is wrong with it.
pub type AlertRules = Box<dyn Fn(&str, &str, &str) -> Result<Vec<InboundLong>, String> + Send + Sync>;

/// Answers requests. Shared by all connections.
pub struct Desk {
    facts: EngineFacts,
    admin: LongSource,
    clock: Clock,
    live: Arc<Live>,
    last_stamp: Mutex<UnixNanos>,
    rearms: Mutex<Rearms>,
    /// Held while the parts of a document are sent, so that those of two do not mix.
    pub(crate) loading: Mutex<()>,
    /// Held while lines of a statement are journaled with the restrictions that they ask for, and while a break is closed.
    pub(crate) reconciling: Mutex<()>,
    incidents: Option<Incidents>,
    alert_rules: Option<AlertRules>,
    gauges: Option<Gauges>,
    pub(crate) people: OnceLock<Box<dyn People>>,
}

impl Desk {
    /// A desk in front of a running engine; `live` is the replica that follows its journal.
    pub fn new(facts: EngineFacts, admin: LongSource, clock: Clock, live: Arc<Live>) -> Self {
        Self {
            facts,
            admin,
            clock,
            live,
            last_stamp: Mutex::new(0),
            rearms: Mutex::default(),
            loading: Mutex::default(),
            reconciling: Mutex::default(),
            incidents: None,
            alert_rules: None,
            gauges: None,
            people: OnceLock::new(),
        }
    }

    /// With an alert manager to ask.
    pub fn with_incidents(mut self, incidents: Incidents) -> Self {
        self.incidents = Some(incidents);
        self
    }

    /// With who checks alert rules.
    pub fn with_alert_rules(mut self, rules: AlertRules) -> Self {
        self.alert_rules = Some(rules);
        self
    }

    /// With what only the running engine knows of itself.
    pub fn with_gauges(mut self, gauges: Gauges) -> Self {
        self.gauges = Some(gauges);
        self
    }

    /// From now on users can be asked for. The first one who is told of stays.
    pub fn tell_of(&self, people: Box<dyn People>) {
        let _ = self.people.set(people);
    }

    pub(crate) fn facts(&self) -> &EngineFacts {
        &self.facts
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    pub(crate) fn gauges(&self) -> Option<&Gauges> {
        self.gauges.as_ref()
    }

    /// The data folder.
    pub(crate) fn data_dir(&self) -> &std::path::Path {
        &self.facts.data_dir
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Fulfils a request of a peer that is permitted.
    pub(crate) fn answer(&self, peer: &Peer, request: &Request) -> Answered {
        let author = Author::at_socket(request.operator.as_deref(), &peer.user, request.reason.as_deref())?;
        if let Command::Hello(_) = &request.command {
            return self.hello(&author, &peer.user);
        }
        self.fulfil(&author, &request.command)
    }

    /// Fulfils a command of somebody whom another door has let in, and who may. `operator` is how the journal is to name him, `origin`
    /// where he came in.
    pub fn ask(&self, operator: &str, origin: &str, reason: Option<&str>, command: &Command) -> Answered {
        self.fulfil(&Author::new(operator, origin, reason)?, command)
    }

    fn fulfil(&self, author: &Author, command: &Command) -> Answered {
        if command.changes() && author.reason.is_empty() {
            let message = format!("{} changes something and needs a reason", command.name());
            return Err(Failure::new(ErrorCode::ReasonRequired, message));
        }
        match command {
            Command::Hello(_) => self.hello(author, ""),
            Command::Figures(ask) => self.figures(ask),
            Command::LimitsList(filter) => self.limits_list(filter),
            Command::LimitsShow(name) => self.limits_show(&name.label),
            Command::LimitsSet(set) => self.limits_set(set, author),
            Command::LimitsRemove(name) => self.limits_remove(&name.label, author),
            Command::LimitsRestrict(line) => self.change(message::restricted(line, author)?),
            Command::LimitsLocate(locate) => self.change(reference::locate(locate, author)?),
            Command::FeesList(_) => self.read(|held| json!({ "schedules": held.fee_schedules() })),
            Command::FeesSet(fees) => self.change(reference::fees(fees, author)?),
            Command::CalendarsShow(days) => self.calendars_show(days),
            Command::CalendarsSession(session) => self.calendars_session(session, author),
            Command::ReferenceLoad(file) => self.reference_load(&file.text, author),
            Command::ReferenceCheck(file) => self.reference_check(&file.text),
            Command::PositionsAnnounce(action) => self.change(holdings::announce(action, author)?),
            Command::PositionsLotMethod(method) => self.change(holdings::lot_method(method, author)?),
            Command::PositionsAllocate(block) => self.change(holdings::allocate(block, author)?),
            Command::PositionsFail(fail) => self.change(holdings::fail(fail, author)?),
            Command::PositionsRename(rename) => self.change(holdings::rename(rename, author)?),
            Command::PositionsTransfer(transfer) => self.change(holdings::transfer(transfer, author)?),
            Command::PositionsSelectLots(lots) => self.change(holdings::select_lots(lots, author)?),
            Command::PositionsActions(_) => self.read(|held| json!({ "actions": held.announced() })),
            Command::CashDeposit(cash) => self.change(money::cash(Kind::Deposit, cash, author)?),
            Command::CashWithdraw(cash) => self.change(money::cash(Kind::Withdrawal, cash, author)?),
            Command::CashConvert(conversion) => self.change(money::convert(conversion, author)?),
            Command::MarketMark(mark) => self.change(money::mark(mark, author)?),
            Command::MarketRate(rate) => self.change(money::rate(rate, author)?),
            Command::MarketValuation(value) => self.change(money::valuation(value, author)?),
            Command::MarketHalt(halt) => self.change(money::halt(halt, author)?),
            Command::LimitsUsage(usage) => self.limits_usage(usage, author),
            Command::LimitsValidate(order) => {
                let number = self.stamp();
                self.question(message::order_question(order, author, number)?)
            }
            Command::StateList(_) => self.read(|held| {
                let replica = held.replica();
                json!({ "states": restrictions(replica), "targets": target_restrictions(replica) })
            }),
            Command::StateSet(set) => self.change(message::state_set(set, author)?),
            Command::StateRearm(rearm) => {
                let target = Target::new(rearm.node.as_deref(), rearm.symbol.as_deref(), rearm.session)?;
                self.rearm(target, rearm.second.as_deref(), author)
            }
            Command::StateConfirm(confirm) => self.confirm(confirm.id, author),
            Command::StatePending(_) => value(json!({ "pending": self.rearms().list(self.clock.now_ns()) })),
            Command::OrdersList(filter) => self.read(|held| orders_listed(held, filter)),
            Command::OrdersMassCancel(scope) => self.change(message::mass_cancel(scope, author)?),
            Command::Flatten(flatten) => self.change(message::flatten(flatten, author)?),
            Command::QuarantineList(_) => self.read(
                |held| json!({ "trades": held.quarantine().list(), "not_listed": held.quarantine().dropped() }),
            ),
            Command::QuarantineResolve(resolve) => self.quarantine(resolve, author),
            Command::RulesLoad(rules) => self.rules_load(&rules.text, author),
            Command::RulesShow(_) => self.rules_show(),
            Command::UsersList(_) => self.users_list(),
            Command::UsersAdd(user) => self.users_add(user),
            Command::UsersPassword(user) => self.users_password(user),
            Command::UsersKey(key) => self.users_key(key),
            Command::UsersKeys(filter) => self.users_keys(filter),
            Command::UsersKeyRemove(key) => self.users_key_remove(key),
            Command::UsersGrant(access) => self.users_access(access, true, author),
            Command::UsersRevoke(access) => self.users_access(access, false, author),
            Command::UsersErase(user) => self.users_erase(user, author),
            Command::ReconBegin(begin) => self.change(recon::begin(begin, author)?),
            Command::ReconReport(report) => self.recon_report(report, author),
            Command::ReconEnd(end) => self.recon_end(end),
            Command::ReconList(filter) => self.recon_list(filter),
            Command::ReconShow(name) => self.recon_show(name.id),
            Command::ReconAct(act) => self.recon_act(act, author),
            Command::AlertsList(_) => value(json!({ "incidents": self.incidents()? })),
            Command::AlertsRules(rules) => self.alerts_rules(&rules.text, author),
            Command::AlertsAct(act) => self.alerts_act(act, author),
        }
    }

    fn hello(&self, author: &Author, os_user: &str) -> Answered {
        value(json!({
            "protocol": VERSION,
            "build": self.facts.build,
            "epoch": self.facts.epoch,
            "pid": std::process::id(),
            "data": self.facts.data_dir.display().to_string(),
            "operator": author.name.as_str(),
            "os_user": os_user,
        }))
    }

    fn rearms(&self) -> MutexGuard<'_, Rearms> {
        self.rearms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the replica once it has everything that is released now.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut Held) -> T) -> Result<T, Failure> {
        let released = self.end()?.position();
        self.live.read(released, read).map_err(reads_failed)
    }

    /// A follower behind what is released.
    fn end(&self) -> Result<Follower, Failure> {
        Follower::open(&self.facts.data_dir, StartAt::End).map_err(journal_failed)
    }

    /// A time stamp that no other request has.
    fn stamp(&self) -> UnixNanos {
        let mut last = self.last_stamp.lock().unwrap_or_else(PoisonError::into_inner);
        *last = self.clock.now_ns().max(last.saturating_add(1));
        *last
    }

    /// Hands an event to the engine and waits for its record.
    pub(crate) fn send(&self, message: InboundLong) -> Result<Sent, Failure> {
        let mut follower = self.end()?;
        let stamp = self.stamp_for_clock();
        let message = message.at(stamp);
        let kind = message.event().head.kind;
        self.push(message)?;
        let began = self.clock.raw();
        let mut event = Box::new(Event::empty());
        while self.clock.span_ns(began, self.clock.raw()) < OUTCOME_NS_MAX {
            let Some(record) = follower.poll().map_err(unknown_outcome)? else {
                std::thread::park_timeout(PAUSE);
                continue;
            };
            let head = record.head();
            let is_ours =
                head.source == SOURCE_LONG && head.part == 0 && head.kind == kind && head.origin_ns == stamp;
            if is_ours && event.read_record(record.bytes()).is_some() {
                let released = follower.position();
                return Ok(Sent { event, released });
            }
        }
        Err(unknown_outcome("its record was not released in time"))
    }

    /// Under an input clock a stamp is the time of its event. It must not run ahead of the input, so it is the last time that the
    /// replica has seen and a little more; what lies behind the sequence's own time changes nothing.
    fn stamp_for_clock(&self) -> UnixNanos {
        if self.facts.clock_mode == ClockMode::Wall {
            return self.stamp();
        }
        let (_, seen_ns) = self.live.last();
        let mut last = self.last_stamp.lock().unwrap_or_else(PoisonError::into_inner);
        *last = seen_ns.max(*last).saturating_add(1);
        *last
    }

    /// The time of the engine: the clock's, or under an input clock that of the last record.
    pub(crate) fn present_ns(&self) -> UnixNanos {
        match self.facts.clock_mode {
            ClockMode::Wall => self.clock.now_ns(),
            _ => self.live.last().1,
        }
    }

    fn push(&self, mut message: InboundLong) -> Result<(), Failure> {
        let began = self.clock.raw();
        while let Err(back) = self.admin.push(message) {
            if self.admin.is_closed() {
                let message = "the engine is stopping; nothing was sent";
                return Err(Failure::new(ErrorCode::EngineStopping, message));
            }
            if self.clock.span_ns(began, self.clock.raw()) > PUSH_NS_MAX {
                let message = "the engine's queue is full; nothing was sent";
                return Err(Failure::new(ErrorCode::QueueFull, message));
            }
            message = back;
            std::thread::park_timeout(PAUSE);
        }
        Ok(())
    }

    /// Sends a change; what the engine refuses is a failure.
    pub(crate) fn change(&self, message: InboundLong) -> Answered {
        let outcome = self.outcome(&self.send(message)?);
        if outcome.accepted {
            value(json!({ "outcome": outcome }))
        } else {
            Err(refused(outcome))
        }
    }

    /// What became of it, with the names of limits that spoke.
    fn outcome(&self, sent: &Sent) -> Outcome {
        if !answer::has_hits(&sent.event) {
            return Outcome::of(&sent.event, None);
        }
        let named = self
            .live
            .read(sent.released, |held| Outcome::of(&sent.event, Some(held)));
        named.unwrap_or_else(|_| Outcome::of(&sent.event, None))
    }

    /// Sends a question: a refusal is an answer like any other.
    fn question(&self, message: InboundLong) -> Answered {
        let outcome = self.outcome(&self.send(message)?);
        value(json!({ "passes": outcome.accepted, "outcome": outcome }))
    }

    pub(crate) fn incidents(&self) -> Result<Vec<Value>, Failure> {
        let no_manager = || "no alert manager runs beside this engine (alerts.enabled)".to_owned();
        let listed = self
            .incidents
            .as_ref()
            .ok_or_else(no_manager)
            .and_then(|ask| ask());
        listed.map_err(|message| Failure::new(ErrorCode::ReadsFailed, message))
    }

    /// The engine takes what a person says about any number; whether there is such an incident is asked first.
    fn alerts_act(&self, act: &AlertAct, author: &Author) -> Answered {
        let message = message::alert(act, author)?;
        let is_known = |incident: &Value| incident.get("id").and_then(Value::as_u64) == Some(act.incident);
        if self.incidents.is_some() && !self.incidents()?.iter().any(is_known) {
            let message = format!("there is no incident {}", act.incident);
            return Err(Failure::new(ErrorCode::NotFound, message));
        }
        self.change(message)
    }

    /// The parts are journaled one after another; the rules are in force with the last one.
    fn alerts_rules(&self, text: &str, author: &Author) -> Answered {
        let _alone = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let no_manager = || "no alert manager runs beside this engine (alerts.enabled)".to_owned();
        let rules = self.alert_rules.as_ref().ok_or_else(no_manager);
        let parts = rules.and_then(|check| check(text, author.name.as_str(), &author.tail()));
        let mut last = None;
        for part in parts.map_err(Failure::argument)? {
            let outcome = Outcome::of(&self.send(part)?.event, None);
            if !outcome.accepted {
                return Err(refused(outcome));
            }
            last = Some(outcome);
        }
        value(json!({ "outcome": last }))
    }

    fn quarantine(&self, resolve: &QuarantineResolve, author: &Author) -> Answered {
        self.change(message::quarantine(resolve, author)?)
    }
}

/// A record, and how far the journal was read for it.
pub(crate) struct Sent {
    pub(crate) event: Box<Event>,
    pub(crate) released: Position,
}

pub(crate) fn value(value: impl Serialize) -> Answered {
    serde_json::to_value(value).map_err(|error| {
        Failure::new(
            ErrorCode::JournalFailed,
            format!("no answer can be made: {error}"),
        )
    })
}

pub(crate) fn refused(outcome: Outcome) -> Failure {
    let code = outcome.code.clone().unwrap_or_default();
    Failure {
        code: ErrorCode::Refused,
        message: format!("refused with {code} (sequence {})", outcome.seq),
        outcome: Some(Box::new(outcome)),
    }
}

fn journal_failed(error: JournalError) -> Failure {
    Failure::new(ErrorCode::JournalFailed, error.to_string())
}

pub(crate) fn reads_failed(error: LiveError) -> Failure {
    let code = match error {
        LiveError::Behind { .. } => ErrorCode::ReadsBehind,
        _ => ErrorCode::ReadsFailed,
    };
    Failure::new(code, error.to_string())
}

fn unknown_outcome(why: impl std::fmt::Display) -> Failure {
    let message = format!("it was sent, and what became of it is not known: {why}; look into the journal");
    Failure::new(ErrorCode::OutcomeUnknown, message)
}

fn orders_listed(held: &mut Held, filter: &OrderFilter) -> Value {
    let mut lines = orders(held.replica());
    lines.retain(|line| {
        filter
            .account
            .as_ref()
            .is_none_or(|account| line.account == *account)
            && filter.symbol.as_ref().is_none_or(|symbol| line.symbol == *symbol)
    });
    let count = lines.len();
    lines.truncate(filter.limit.unwrap_or(ORDERS_LISTED) as usize);
    json!({ "orders": lines, "count": count })
}
