//! The gate: how a request becomes an event, and how its record is found again.
//!
//! Each message carries a time stamp of its own; the live replica tells when the record with this stamp is in. It is asked before the
//! message is sent, so the record cannot be missed.
//!
//! # Invariants
//! - One request, one event, or none: what was not pushed is said to be not sent, and what was pushed is never pushed again.
//! - An outcome that is not seen in time is unknown. It is never reported as refused.
//! - What is told has been released: on disk under durability `disk`, committed in memory under `memory`.

use crate::problem::{Problem, ProblemCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Event, Inbound, InboundLong, Kind};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::source::{LongSource, SOURCE_LONG, Source};
use tradewind_views::live::{Awaited, Expectation, Live, Told};

/// How long an outcome is waited for. Under durability `disk` a record is released once it is synced.
const OUTCOME_MAX: Duration = Duration::from_secs(10);

/// The rings that the gate feeds.
pub struct Rings {
    /// For orders, replaces and cancels.
    pub orders: Source,
    /// For executed trades, which go first.
    pub trades: Source,
    /// For everything else.
    pub admin: LongSource,
}

/// Sends, and waits for what becomes of it.
pub(crate) struct Gate {
    orders: Ring,
    trades: Ring,
    admin: LongSource,
    live: Arc<Live>,
    clock: Clock,
    clock_mode: ClockMode,
    last_stamp: AtomicU64,
}

struct Ring {
    source: Mutex<Source>,
    id: u16,
}

impl Ring {
    fn new(source: Source) -> Self {
        Self {
            id: source.id(),
            source: Mutex::new(source),
        }
    }
}

impl Gate {
    pub(crate) fn new(rings: Rings, live: Arc<Live>, clock: Clock, clock_mode: ClockMode) -> Self {
        Self {
            orders: Ring::new(rings.orders),
            trades: Ring::new(rings.trades),
            admin: rings.admin,
            live,
            clock,
            clock_mode,
            last_stamp: AtomicU64::new(0),
        }
    }

    /// Sends an order, replace or cancel.
    pub(crate) async fn order(&self, message: Inbound) -> Result<Box<Event>, Problem> {
        self.short(&self.orders, message)?.outcome().await
    }

    /// Sends an executed trade. Trades are booked in the order of the calls.
    pub(crate) fn trade(&self, message: Inbound) -> Result<Sent, Problem> {
        self.short(&self.trades, message)
    }

    fn short(&self, ring: &Ring, message: Inbound) -> Result<Sent, Problem> {
        let kind = Kind::from_number(message.kind);
        self.send(kind, ring.id, |stamp| {
            let mut source = ring.source.lock().unwrap_or_else(PoisonError::into_inner);
            match source.push(message.at(stamp)) {
                Ok(()) => Ok(()),
                Err(_) => Err(source.is_closed()),
            }
        })
    }

    /// Sends anything else.
    pub(crate) async fn admin(&self, message: InboundLong) -> Result<Box<Event>, Problem> {
        let sent = self.send(message.kind(), SOURCE_LONG, |stamp| {
            let pushed = self.admin.push(message.at(stamp));
            pushed.map_err(|_| self.admin.is_closed())
        });
        sent?.outcome().await
    }

    /// Sends a fact about the edge that nobody waits for; one that does not fit is lost.
    pub(crate) fn tell(&self, message: InboundLong) {
        let _ = self.admin.push(message.at(self.stamp()));
    }

    /// `push` says with its error whether the engine is stopping.
    fn send(
        &self,
        kind: Option<Kind>,
        source: u16,
        push: impl FnOnce(UnixNanos) -> Result<(), bool>,
    ) -> Result<Sent, Problem> {
        let kind = kind.ok_or_else(|| Problem::new(ProblemCode::Internal, "a message without a kind"))?;
        let origin_ns = self.stamp();
        let awaited = Awaited::Stamp {
            kind,
            source,
            origin_ns,
        };
        let (tell, told) = oneshot::channel();
        let tell = Box::new(move |record: Told| {
            let _ = tell.send(record.event); // who asked may have gone
        });
        let expectation = self.live.expect(awaited, tell)?;
        push(origin_ns).map_err(|is_stopping| match is_stopping {
            true => Problem::new(ProblemCode::Stopping, "the engine is stopping; nothing was sent"),
            false => Problem::new(ProblemCode::Busy, "the engine's queue is full; nothing was sent"),
        })?;
        Ok(Sent { told, expectation })
    }

    /// A stamp that no other message of the gate has. Under an input clock a stamp is the time of its event and must not run ahead of the
    /// input: it is the last time that the replica has seen, and a little more.
    fn stamp(&self) -> UnixNanos {
        let now_ns = match self.clock_mode {
            ClockMode::Wall => self.clock.now_ns(),
            ClockMode::Input => self.live.last().1,
        };
        let next = |last: u64| now_ns.max(last.saturating_add(1));
        let last = self
            .last_stamp
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        next(last.unwrap_or(0))
    }
}

/// A message that is on its way.
pub(crate) struct Sent {
    told: oneshot::Receiver<Box<Event>>,
    expectation: Expectation,
}

impl Sent {
    /// Its record, once that is released and in the replica.
    pub(crate) async fn outcome(self) -> Result<Box<Event>, Problem> {
        let told = tokio::time::timeout(OUTCOME_MAX, self.told).await;
        drop(self.expectation);
        told.ok().and_then(Result::ok).ok_or_else(|| {
            let detail = "it was sent, and what became of it is not known: ask again with the same key, or look into the journal";
            Problem::new(ProblemCode::OutcomeUnknown, detail)
        })
    }
}
