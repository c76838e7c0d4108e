//! `tradewind bench books`: what a fill costs settle and position, over how many fills of the same position came before it.
//!
//! Both stages run alone on one pinned thread, with tax lots. Two shares are bought and one is sold in turn, so half as many lots are open as
//! there were fills: whatever walks a position's history, or its lots, at every fill shows. Histories take turns in rounds, so that a machine
//! which others use is as slow to one as to the other.
//!
//! Not here: busts and corrections, which replay a bounded number of fills on purpose.

use crate::percentiles::Latencies;
use crate::perf::{PerfCounters, PerfReading, ThreadInfo};
use bytemuck::Zeroable;
use serde::Serialize;
use std::hint::black_box;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::codes::{LotMethod, Side};
use tradewind_domain::event::{Body, Capacities, Event, Execution, InstrumentSet, Kind, LotMethodSet};
use tradewind_domain::fixed::{Money, ONE, Price, Qty};
use tradewind_domain::ids::{AccountId, HoldingId, InstrumentId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};
use tradewind_machine::clock::Clock;
use tradewind_machine::stage::Stage;

/// Fills of a batch; the clock is read around each.
const BATCH: u64 = 32;
/// Rounds in which histories take turns.
const ROUNDS: u64 = 16;
/// Fills whose working set is warmed up before each round.
const WARM_UP: u64 = 64;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Fills that came before those that are measured.
    pub histories: Vec<u64>,
    /// Fills that are measured with each of them, and a little more history themselves; a multiple of 512 is made of it.
    pub fills: u64,
}

/// Nanoseconds of both stages for one fill.
#[derive(Clone, Debug, Serialize)]
pub struct BooksFigures {
    /// How lots close.
    pub method: &'static str,
    /// Fills before.
    pub history: u64,
    /// Lots that are open when the measurement begins.
    pub lots: u64,
    /// A tenth of the batches took at most this, each fill.
    pub p10_ns: u64,
    /// Half of them.
    pub p50_ns: u64,
    /// Nine tenths.
    pub p90_ns: u64,
    /// Instructions of a fill in user mode; nothing where the system gives no counters.
    pub instructions: Option<f64>,
    /// Fills that were measured.
    pub fills: u64,
}

/// Runs the plan: every method with every history.
pub fn run(plan: &Plan, clock: &Clock) -> Vec<BooksFigures> {
    let mut figures = Vec::new();
    for &method in LotMethod::ALL {
        let mut runs: Vec<Run> = plan
            .histories
            .iter()
            .map(|history| Run::new(method, *history, plan.fills))
            .collect();
        for _ in 0..ROUNDS {
            for run in &mut runs {
                run.round(clock);
            }
        }
        figures.extend(runs.into_iter().map(Run::figures));
    }
    figures
}

/// One history of one method.
struct Run {
    books: Books,
    method: LotMethod,
    history: u64,
    lots: u64,
    /// The next fill.
    next: u64,
    batches_of_round: u64,
    each: Latencies,
    counted: Option<PerfReading>,
    fills: u64,
}

impl Run {
    fn new(method: LotMethod, history: u64, fills: u64) -> Self {
        let batches_of_round = fills.div_ceil(BATCH * ROUNDS).max(1);
        let most = history + ROUNDS * (WARM_UP + batches_of_round * BATCH);
        let mut books = Books::new(method, most);
        (0..history).for_each(|n| books.fill(n));
        Self {
            lots: books.open_lots(),
            books,
            method,
            history,
            next: history,
            batches_of_round,
            each: Latencies::default(),
            counted: Some(PerfReading::default()),
            fills: 0,
        }
    }

    fn round(&mut self, clock: &Clock) {
        self.run_fills(WARM_UP);
        let mut counters = this_thread().and_then(|thread| PerfCounters::open(&[thread]));
        for _ in 0..self.batches_of_round {
            let began = clock.raw();
            self.run_fills(BATCH);
            self.each.record(clock.span_ns(began, clock.raw()) / BATCH);
            self.fills += BATCH;
        }
        let read = counters.as_mut().and_then(PerfCounters::read);
        self.counted = self.counted.zip(read).map(|(sum, read)| PerfReading {
            instructions: sum.instructions + read.instructions,
            cycles: sum.cycles + read.cycles,
        });
    }

    /// Under a name of its own for profilers.
    #[inline(never)]
    fn run_fills(&mut self, count: u64) {
        for n in self.next..self.next + count {
            self.books.fill(n);
        }
        self.next += count;
    }

    fn figures(self) -> BooksFigures {
        let instructions = self.counted.filter(|counted| counted.instructions > 0);
        BooksFigures {
            method: self.method.text(),
            history: self.history,
            lots: self.lots,
            p10_ns: self.each.at(10.0),
            p50_ns: self.each.at(50.0),
            p90_ns: self.each.at(90.0),
            instructions: instructions.map(|counted| counted.instructions as f64 / self.fills as f64),
            fills: self.fills,
        }
    }
}

/// The calling thread; nothing where the system does not say which it is.
fn this_thread() -> Option<ThreadInfo> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    let tid = link.file_name()?.to_str()?.parse().ok()?;
    Some(ThreadInfo {
        tid,
        name: String::new(),
    })
}

/// Both stages, with one account and one share.
struct Books {
    settle: Settle,
    position: Position,
    share: Instrument,
    event: Event,
}

impl Books {
    /// Room for so many fills.
    fn new(method: LotMethod, fills: u64) -> Self {
        let rows = u32::try_from(fills).unwrap_or(u32::MAX);
        let capacities = Capacities {
            instruments: 1,
            nodes: 1,
            holdings: 1,
            wallets: 1,
            executions: rows,
            lots: rows,
            ..Capacities::default()
        };
        let mut books = Self {
            settle: Settle::new(&capacities),
            position: Position::new(&capacities),
            share: Instrument {
                id: InstrumentId(0),
                ..Instrument::default_linear()
            },
            event: Event::empty(),
        };
        let set = InstrumentSet {
            row: books.share,
            ..InstrumentSet::zeroed()
        };
        books.process(Kind::InstrumentSet, 1, &set);
        let method = LotMethodSet {
            method: method as u8,
            ..LotMethodSet::zeroed()
        };
        books.process(Kind::LotMethodSet, 2, &method);
        books
    }

    #[inline]
    fn process<T: Body>(&mut self, kind: Kind, seq: u64, body: &T) {
        self.event.reset(kind);
        self.event.head.seq = seq;
        *self.event.body_mut() = *body;
        self.settle.process(black_box(&mut self.event));
        self.position.process(&mut self.event);
    }

    /// Two shares are bought, then one is sold; prices go up and down, so that each method closes another lot.
    #[inline]
    fn fill(&mut self, n: u64) {
        let (side, units) = if n.is_multiple_of(2) {
            (Side::Buy, 2)
        } else {
            (Side::Sell, 1)
        };
        let (qty, px) = (units * ONE, (100 + (n * 7 % 50) as i64) * ONE);
        let (exact, price) = (Qty::from_raw(qty), Price::from_raw(px));
        let principal = rounding::principal(&self.share, exact, price, Rounding::HalfUp);
        let body = Execution {
            side: side as u8,
            qty,
            px,
            principal: principal.unwrap_or(Money::ZERO),
            fee: Money::from_raw(i128::from(ONE) / 100),
            account: AccountId(0),
            instrument: InstrumentId(0),
            holding: HoldingId(0),
            wallet: WalletId(0),
            ..Execution::zeroed()
        };
        self.process(Kind::TradeCapture, 3 + n, &body);
    }

    fn open_lots(&self) -> u64 {
        self.position.lots(HoldingId(0)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lots_of_the_whole_history_are_there_while_it_is_measured() {
        let clock = Clock::start().expect("a clock");
        let plan = Plan {
            histories: vec![10, 400],
            fills: 600,
        };
        let figures = run(&plan, &clock);
        assert_eq!(figures.len(), LotMethod::ALL.len() * 2);
        for row in &figures {
            assert_eq!(row.fills, 1_024, "a whole number of batches in each round");
            // Half of the fills open a lot of two, the others close one of them; average cost has one lot.
            let is_average = row.method == LotMethod::AverageCost.text();
            let foreseen = if is_average { 1 } else { row.history / 4 };
            assert!(row.lots >= foreseen, "{row:?}");
        }
    }
}
