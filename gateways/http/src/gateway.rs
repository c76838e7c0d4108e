//! What all endpoints share.

use crate::call::{Asker, Call};
use crate::conditions::Turns;
use crate::counters::Counters;
use crate::endpoint::Need;
use crate::gate::Gate;
use crate::jobs::Jobs;
use crate::keys::KeyIndex;
use crate::log::RequestLog;
use crate::problem::{Problem, ProblemCode};
use crate::rate::Rates;
use crate::telemetry::Telemetry;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use tradewind_control::{Command, Desk};
use tradewind_domain::text::Code;
use tradewind_domain::time::UnixNanos;
use tradewind_identity::{Access, Identity, Permission};
use tradewind_machine::clock::Clock;
use tradewind_reports::TaxRules;
use tradewind_views::live::Live;
use tradewind_views::query::current::Scope;
use tradewind_views::query::history::History;

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// The replica reads what the journal had at the start: who may do what is not known yet.
    Starting = 0,
    /// Everything is answered.
    Ready = 1,
    /// No new connections; what is at work is finished.
    Stopping = 2,
}

/// What an answer to an order says of its safety.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// The record survives the process, not the machine.
    Memory,
    /// The record is on disk.
    Disk,
}

impl Acknowledgement {
    /// For answers.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Memory => "MEMORY",
            Self::Disk => "DISK",
        }
    }
}

/// What all endpoints share.
pub(crate) struct Gateway {
    pub(crate) data_dir: PathBuf,
    pub(crate) build: String,
    pub(crate) acknowledgement: Acknowledgement,
    pub(crate) clock: Clock,
    pub(crate) identity: Arc<Identity>,
    pub(crate) live: Arc<Live>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) history: Option<Arc<dyn History>>,
    pub(crate) tax: Arc<TaxRules>,
    pub(crate) gate: Gate,
    pub(crate) keys: Arc<KeyIndex>,
    pub(crate) rates: Rates,
    pub(crate) logins: Rates,
    pub(crate) telemetry: Vec<Arc<dyn Telemetry>>,
    pub(crate) counters: Counters,
    pub(crate) log: Arc<dyn RequestLog>,
    /// True tells the log of every answer, false of faults alone.
    pub(crate) logs_all: bool,
    pub(crate) turns: Turns,
    pub(crate) jobs: Jobs,
    pub(crate) phase: AtomicU8,
    pub(crate) openapi: String,
    /// When the server started, nanoseconds: names its requests apart from those of other runs.
    pub(crate) run_id: u64,
    pub(crate) requests: AtomicU64,
}

impl Gateway {
    /// A name for a request that came without one: unique among those of this run, and unlike those of others.
    pub(crate) fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("r{:x}-{number}", self.run_id)
    }

    pub(crate) fn now_ns(&self) -> UnixNanos {
        self.clock.now_ns()
    }

    pub(crate) fn access(&self) -> &Access {
        self.identity.access()
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Stopping,
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Refuses who lacks what an endpoint needs. Where it needs a permission somewhere, the handler looks where.
    pub(crate) fn permit(&self, asker: Option<&Asker>, need: Need) -> Result<(), Problem> {
        let asker = match (need, asker) {
            (Need::Nothing, _) => return Ok(()),
            (_, Some(asker)) => asker,
            (_, None) => return Err(Problem::no_token()),
        };
        match need {
            Need::Nothing | Need::Token => Ok(()),
            Need::Firm(permission) => self.require_firm(asker, permission),
            Need::Right(permission) if asker.rights.somewhere(permission) => Ok(()),
            Need::Right(permission) => Err(Problem::not_permitted(format!(
                "{} has {} nowhere",
                asker.caller.name,
                permission.text()
            ))),
        }
    }

    /// Refuses who may not do this at a node or account. One that does not exist is refused alike.
    pub(crate) fn require(&self, asker: &Asker, permission: Permission, node: &str) -> Result<(), Problem> {
        match self.access().book().allows_named(&asker.rights, permission, node) {
            true => Ok(()),
            false => Err(Problem::not_permitted(format!(
                "{} needs {} at {node:?}",
                asker.caller.name,
                permission.text()
            ))),
        }
    }

    /// As [`require`](Self::require), for the whole firm.
    pub(crate) fn require_firm(&self, asker: &Asker, permission: Permission) -> Result<(), Problem> {
        match asker.rights.everywhere(permission) || self.is_at_root(asker, permission) {
            true => Ok(()),
            false => Err(Problem::not_permitted(format!(
                "{} needs {} for the whole firm",
                asker.caller.name,
                permission.text()
            ))),
        }
    }

    /// A role at the firm's node is one for the whole firm.
    fn is_at_root(&self, asker: &Asker, permission: Permission) -> bool {
        let book = self.access().book();
        book.root()
            .is_some_and(|root| book.allows(&asker.rights, permission, root))
    }

    /// What somebody sees.
    pub(crate) fn scope(&self, asker: &Asker) -> Scope {
        if self.require_firm(asker, Permission::Read).is_ok() {
            return Scope::All;
        }
        let book = self.access().book();
        Scope::Below(book.nodes_open(&asker.rights, Permission::Read))
    }

    /// As [`scope`](Self::scope), narrowed to a node where the request names one; `pointer` says where it does.
    pub(crate) fn scope_at(
        &self,
        asker: &Asker,
        pointer: &str,
        node: Option<&str>,
    ) -> Result<Scope, Problem> {
        let Some(node) = node else {
            return Ok(self.scope(asker));
        };
        self.require(asker, Permission::Read, node)?;
        let code = Code::new(node).map_err(|error| Problem::value(pointer, error.to_string()))?;
        Ok(Scope::Below(vec![code]))
    }

    /// Has the desk do something, in the name of who asks. The journal gets his number.
    pub(crate) async fn desk(
        self: &Arc<Self>,
        call: &Call,
        reason: Option<&str>,
        command: Command,
    ) -> Result<serde_json::Value, Problem> {
        let via = call.correlation.name();
        self.desk_as(call, via, reason, command).await
    }

    /// As [`desk`](Self::desk), with other words for the record than the request's name.
    pub(crate) async fn desk_as(
        self: &Arc<Self>,
        call: &Call,
        via: String,
        reason: Option<&str>,
        command: Command,
    ) -> Result<serde_json::Value, Problem> {
        let author = author(call.asker()?);
        let reason = reason.map(str::to_owned);
        let gateway = Arc::clone(self);
        let asked =
            tokio::task::spawn_blocking(move || gateway.desk.ask(&author, &via, reason.as_deref(), &command));
        let answer = asked.await.map_err(|error| {
            Problem::new(ProblemCode::Internal, "the request was given up").caused_by(&error)
        })?;
        Ok(answer?)
    }

    /// Asks the replica on a thread that may wait for it.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Live) -> Result<T, tradewind_views::query::current::LiveError> + Send + 'static,
    ) -> Result<T, Problem> {
        let live = Arc::clone(&self.live);
        let asked = tokio::task::spawn_blocking(move || read(&live));
        let answer = asked.await.map_err(|error| {
            Problem::new(ProblemCode::Internal, "the request was given up").caused_by(&error)
        })?;
        Ok(answer?)
    }

    pub(crate) fn history(&self) -> Result<&Arc<dyn History>, Problem> {
        self.history.as_ref().ok_or_else(|| {
            let detail = "no store is configured (store.url): only what is in memory can be asked for";
            Problem::new(ProblemCode::NoHistory, detail)
        })
    }
}

/// How the journal names somebody: by number, never by name.
pub(crate) fn author(asker: &Asker) -> String {
    format!("u{}", asker.caller.user.0)
}
