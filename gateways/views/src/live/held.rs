//! What the journal has led to so far: the replica, and beside it what the stages do not keep.
//!
//! Not here: locks and threads (see [`Live`](super::Live)), rows with names (see `lines`).

use super::actions::Announcements;
use super::blotter::{ROWS_MAX, RefusalRow, Ring, TradeRow};
use super::changes::Changes;
use super::fees::FeeSchedules;
use super::history::History;
use super::life::Renamed;
use super::market::Tops;
use super::orders::{Change, Orders};
use super::profit::Profits;
use super::quarantine::Quarantine;
use super::settlement::Settled;
use super::strategies::{Strategies, StrategyKey};
use super::waiters::Waiters;
use crate::error::ViewError;
use crate::explain::named;
use crate::recon::ReconBook;
use crate::replica::Replica;
use bytemuck::Zeroable;
use tradewind_books::position::Position as Positions;
use tradewind_config::Known;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{
    Capacities, CorporateAction, CurrencySet, EdgeStats, EngineStarted, Event, Execution, FxRate,
    HolderAction, Kind, head_flags,
};
use tradewind_domain::fixed::{Money, ONE, Price};
use tradewind_domain::ids::{CurrencyId, HoldingId, InstrumentId, NodeId, OrderId, Seq};
use tradewind_domain::text::Code;
use tradewind_domain::time::UnixNanos;
use tradewind_feeds::Registry;
use tradewind_machine::journal::{Follower, Position};
use tradewind_machine::latency::{SpanCounts, Spans};
use tradewind_risk::orders::table::OrderRow;

/// Records that are taken under one hold of the lock.
const BATCH_MAX: usize = 256;
/// Edges whose figures are kept.
const EDGES_MAX: usize = 64;

/// What is held, for one writer and many readers.
pub struct Held {
    pub(super) replica: Replica,
    pub(super) known: Known,
    pub(super) quarantine: Quarantine,
    pub(super) recon: ReconBook,
    pub(super) orders: Orders,
    pub(super) trades: Ring<TradeRow>,
    pub(super) refusals: Ring<RefusalRow>,
    pub(super) tops: Tops,
    pub(super) profits: Profits,
    strategies: Strategies,
    pub(super) settled: Settled,
    pub(super) history: History,
    pub(super) fees: FeeSchedules,
    pub(super) announcements: Announcements,
    /// Base currency units of one unit, at 1e-8, by currency; 0 where none is known.
    pub(super) rates: Vec<i64>,
    /// Holdings of each instrument, and which are among them.
    holdings: Vec<Vec<HoldingId>>,
    is_noted: Vec<bool>,
    /// Every holding's part of the sums is to be set anew.
    is_regrouped: bool,
    /// Holdings whose part of the sums is to be set anew.
    stale: super::changes::KeySet<HoldingId>,
    /// Strategies' parts that are to be set anew.
    stale_strategies: super::changes::KeySet<StrategyKey>,
    /// Positions whose row may be another one, until somebody who watches takes them.
    changes: Changes,
    is_watched: bool,
    pub(super) waiters: Waiters,
    pub(super) observers: Vec<super::Observer>,
    spans: Spans,
    is_wall_time: bool,
    edges: Vec<(EdgeStats, UnixNanos)>,
    closed_max: usize,
    pub(super) position: Position,
    /// Where the record that is taken begins.
    pub(super) record_at: Position,
    pub(super) renamed: Renamed,
    /// How often the end was met.
    pub(super) ends: u64,
    pub(super) fault: Option<String>,
}

impl Held {
    pub(super) fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        Self {
            replica: Replica::new(capacities, hash_key),
            known: Known::default(),
            quarantine: Quarantine::default(),
            recon: ReconBook::default(),
            orders: Orders::default(),
            trades: Ring::new(ROWS_MAX),
            refusals: Ring::new(ROWS_MAX),
            tops: Tops::default(),
            profits: Profits::default(),
            strategies: Strategies::new(capacities),
            settled: Settled::default(),
            history: History::default(),
            fees: FeeSchedules::default(),
            announcements: Announcements::default(),
            rates: vec![ONE],
            holdings: Vec::new(),
            is_noted: Vec::new(),
            is_regrouped: false,
            stale: super::changes::KeySet::default(),
            stale_strategies: super::changes::KeySet::default(),
            changes: Changes::default(),
            is_watched: false,
            waiters: Waiters::default(),
            observers: Vec::new(),
            spans: Spans::default(),
            is_wall_time: true,
            edges: Vec::new(),
            closed_max: capacities.closed_orders as usize,
            position: Position::default(),
            record_at: Position::default(),
            renamed: Renamed::default(),
            ends: 0,
            fault: None,
        }
    }

    /// The stages in apply mode.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Answers a probe as the stages would, and changes nothing (see [`Replica::question`]).
    pub fn question(&mut self, event: &mut Event) {
        self.replica.question(event);
    }

    /// Reference data as rows.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Trades that were put aside.
    pub fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// Breaks of reconciliation.
    pub fn recon(&self) -> &ReconBook {
        &self.recon
    }

    /// Number and time of the last input.
    pub fn as_of(&self) -> (Seq, UnixNanos) {
        let last = self.replica.last();
        (last.seq, last.recv_ns)
    }

    /// Number of the last input whose group is whole: what a reader may say it has seen.
    pub fn whole_seq(&self) -> Seq {
        let last = self.replica.last().seq;
        last - u64::from(self.replica.is_open())
    }

    /// From ingest's stamp to the record's release, of every input of this run; empty where the journal's time is the input's.
    pub fn spans(&self) -> SpanCounts {
        self.spans.counts()
    }

    /// True where times of records are those of the clock.
    pub(super) fn is_wall_time(&self) -> bool {
        self.is_wall_time
    }

    /// What edges reported last, and when.
    pub fn edges(&self) -> &[(EdgeStats, UnixNanos)] {
        &self.edges
    }

    pub(super) fn registry(&self) -> &Registry {
        self.replica.registry()
    }

    pub(super) fn positions(&self) -> &Positions {
        self.replica.positions()
    }

    /// An amount in base currency, half up to 1e-8; `None` where there is no rate or it does not fit.
    pub(super) fn in_base(&self, amount: Money, currency: CurrencyId) -> Option<Money> {
        let rate = i128::from(*self.rates.get(currency.index()).filter(|rate| **rate > 0)?);
        let (one, amount) = (i128::from(ONE), amount.raw());
        let whole = (amount / one).checked_mul(rate)?;
        let part = ((amount % one) * rate + one / 2).div_euclid(one);
        whole.checked_add(part).map(Money::from_raw)
    }

    /// A node and those above it, narrow to broad, by name; empty for none.
    pub fn chain(&self, node: NodeId) -> Vec<Code> {
        let registry = self.registry();
        let names = super::profit::above(registry, node).filter_map(|node| registry.node(node));
        names.map(|row| row.code).collect()
    }

    /// The node that a name means: a node's own, or that of a limit's node; none for any other name.
    pub fn node_of(&self, name: &str) -> NodeId {
        let Ok(code) = Code::new(name) else {
            return NodeId::NONE;
        };
        if let Some(row) = self.registry().node_named(&code) {
            return row.node;
        }
        let limit = self.registry().limit_named(&code);
        let mut limits = self.replica.limit_check().limits();
        let found = limit.and_then(|limit| limits.find(|used| used.id == limit));
        found.map_or(NodeId::NONE, |used| used.row.node)
    }

    /// Where the replica stands in the journal.
    pub fn place(&self) -> Position {
        self.position
    }

    // Following

    /// Takes what there is, at most a batch. The fault is for people.
    pub(super) fn step(&mut self, follower: &mut Follower, event: &mut Event) -> Result<usize, String> {
        let mut taken = 0;
        while taken < BATCH_MAX {
            let Some(record) = follower
                .poll()
                .map_err(|error| format!("the journal cannot be read: {error}"))?
            else {
                self.ends += 1;
                break;
            };
            let (head, place) = (*record.head(), record.position());
            if event.read_record(record.bytes()).is_none() {
                return Err(format!(
                    "record {} is of kind {}, which this build does not know",
                    head.seq, head.kind
                ));
            }
            self.record_at = place;
            self.position = follower.position();
            self.take(event).map_err(|error| error.to_string())?;
            taken += 1;
        }
        self.position = follower.position();
        Ok(taken)
    }

    /// Takes a record of the journal.
    pub(super) fn take(&mut self, event: &Event) -> Result<(), ViewError> {
        if self.replica.records() == 0 && event.head.seq != 1 {
            return Err(ViewError::BeginsLate { seq: event.head.seq });
        }
        if self.history.is_due(event.head.recv_ns) {
            self.keep_history(event.head.recv_ns);
        }
        let named = named(event);
        let order = if event.is_rejected() { OrderId::NONE } else { named };
        let before = self.replica.limit_check().order(named).copied();
        self.replica.apply(event)?;
        self.known.observe(event);
        self.quarantine.observe(event, self.replica.registry());
        self.recon.observe(event);
        if event.head.part != 0 && matches!(event.kind(), Some(Kind::TradeBust | Kind::TradeCorrect)) {
            let limit = self.replica.limit_check();
            let is_kept = |seq| limit.quarantined().any(|row| row.seq == seq);
            self.quarantine.keep_taking_back(is_kept);
        }
        self.on_order(event, order);
        self.on_step(event, named, &before.unwrap_or(OrderRow::zeroed()));
        if let Some(row) = TradeRow::of(event) {
            self.on_trade(event, &row);
        } else if let Some(row) = RefusalRow::of(event) {
            self.refusals.push(row);
        }
        self.on_holder_action(event);
        let strategy = self.strategies.observe(event, self.replica.registry());
        if let Some(key) = strategy {
            self.stale_strategies.add(key);
        }
        self.settled.observe(event);
        self.fees.observe(event);
        self.announcements.observe(event);
        self.on_market(event);
        self.on_system(event);
        for observer in &mut self.observers {
            observer(event);
        }
        let is_last = event.head.flags & head_flags::LAST != 0;
        self.waiters.observe(event, order, is_last, self.position);
        Ok(())
    }

    fn on_order(&mut self, event: &Event, order: OrderId) {
        let Some(row) = self.replica.limit_check().order(order) else {
            return;
        };
        let (is_watched, changes) = (self.is_watched, &mut self.changes);
        self.orders.observe(event, row, self.closed_max, |change| {
            if is_watched {
                let (Change::Changed(order) | Change::Forgotten(order)) = change;
                changes.orders.add(order);
            }
        });
    }

    fn on_trade(&mut self, event: &Event, row: &TradeRow) {
        self.trades.push(*row);
        let holding = match event.kind() {
            Some(Kind::VenueFill | Kind::TradeCapture) => event.body::<Execution>().holding,
            _ => event.taken_back().map_or(HoldingId::NONE, |taken| taken.holding),
        };
        if !holding.is_none() {
            self.note_holding(holding, row.instrument);
        }
        if self.replica.positions().mark(row.instrument).is_some() {
            self.stale_if_first_mark(row.instrument);
        }
    }

    /// What corporate actions do to a holder changes his part; what they do to an instrument, all who hold it.
    fn on_holder_action(&mut self, event: &Event) {
        let kind = event
            .kind()
            .filter(|kind| kind.is_of_holder() && !event.is_rejected());
        let Some(kind) = kind else { return };
        let (holding, instrument) = if matches!(kind, Kind::HolderSplit | Kind::HolderDividend) {
            let body: &CorporateAction = event.body();
            for key in self.strategies.holders(body.instrument) {
                self.stale_strategies.add(key);
            }
            (body.holding, body.instrument)
        } else {
            let body: &HolderAction = event.body();
            (body.holding, body.instrument)
        };
        if holding.is_none() {
            self.on_mark(instrument);
        } else {
            self.note_holding(holding, instrument);
        }
    }

    /// The price of an execution is a mark where nothing else says one: then all who hold the instrument are valued by it.
    fn stale_if_first_mark(&mut self, instrument: InstrumentId) {
        let has_market = self.tops.get(instrument).first_mark.is_some();
        let is_configured = self
            .registry()
            .instrument(instrument)
            .is_some_and(|row| row.configured_mark != 0);
        if !has_market && !is_configured {
            self.on_mark(instrument);
        }
    }

    fn note_holding(&mut self, holding: HoldingId, instrument: InstrumentId) {
        let at = instrument.index();
        if at >= self.holdings.len() {
            self.holdings.resize(at + 1, Vec::new());
        }
        if holding.index() >= self.is_noted.len() {
            self.is_noted.resize(holding.index() + 1, false);
        }
        if !std::mem::replace(&mut self.is_noted[holding.index()], true) {
            self.holdings[at].push(holding);
        }
        self.stale.add(holding);
    }

    fn on_mark(&mut self, instrument: InstrumentId) {
        let held = self.holdings.get(instrument.index());
        for holding in held.into_iter().flatten() {
            self.stale.add(*holding);
        }
        for key in self.strategies.holders(instrument) {
            self.stale_strategies.add(key);
        }
    }

    fn on_market(&mut self, event: &Event) {
        let positions = self.replica.positions();
        let mark = |instrument| positions.mark(instrument).map(Price::raw);
        let Some(moved) = self.tops.observe(event, mark) else {
            return;
        };
        if moved.is_mark {
            self.on_mark(moved.instrument);
        }
        if self.is_watched {
            self.changes.markets.add(moved.instrument);
        }
    }

    fn on_system(&mut self, event: &Event) {
        if self.is_wall_time && event.head.part == 0 {
            let head = &event.head;
            self.spans.record(head.journaled_ns.saturating_sub(head.recv_ns));
        }
        let Some(kind) = event.kind().filter(|_| !event.is_rejected()) else {
            return;
        };
        self.renamed.observe(event);
        match kind {
            Kind::EngineStarted => self.on_start(event.body()),
            Kind::EdgeStats => self.on_edge(event.body(), event.head.recv_ns),
            Kind::FxRate => {
                let body: &FxRate = event.body();
                self.set_rate(body.currency, body.rate);
            }
            Kind::CurrencySet => {
                let body: &CurrencySet = event.body();
                if body.currency.index() > 0 && body.currency.index() >= self.rates.len() {
                    self.set_rate(body.currency, 0);
                }
                self.on_reference();
            }
            Kind::NodeSet | Kind::AccountSet | Kind::InstrumentSet => self.on_reference(),
            Kind::LimitSet | Kind::RestrictedSet => self.changes.limits = true,
            _ => {}
        }
    }

    fn on_start(&mut self, start: &EngineStarted) {
        self.is_wall_time = start.clock_mode != ClockMode::Input as u8;
        self.spans = Spans::default();
        self.edges.clear();
        self.closed_max = self.closed_max.max(start.capacities.closed_orders as usize);
    }

    fn on_edge(&mut self, stats: &EdgeStats, now_ns: UnixNanos) {
        let at = self.edges.iter().position(|(known, _)| known.edge == stats.edge);
        match at {
            Some(at) => self.edges[at] = (*stats, now_ns),
            None if self.edges.len() < EDGES_MAX => self.edges.push((*stats, now_ns)),
            None => {}
        }
    }

    fn set_rate(&mut self, currency: CurrencyId, rate: i64) {
        let at = currency.index();
        if currency.is_none() {
            return;
        }
        if at >= self.rates.len() {
            self.rates.resize(at + 1, 0);
        }
        self.rates[at] = rate;
        let listed = self.replica.registry().instruments().iter();
        let instruments: Vec<_> = listed
            .filter(|row| row.currency == currency)
            .map(|row| row.id)
            .collect();
        instruments.into_iter().for_each(|id| self.on_mark(id));
        if self.is_watched {
            let groups = self.profits.keys().filter(|key| key.currency == currency);
            groups.for_each(|key| self.changes.groups.add(key));
        }
    }

    /// Nodes may have moved and sectors changed: every holding's part is to go where it belongs now.
    fn on_reference(&mut self) {
        self.changes.reference |= self.is_watched;
        self.is_regrouped = true;
    }

    fn regroup(&mut self) {
        let (is_watched, changes) = (self.is_watched, &mut self.changes);
        self.profits.clear(|key| {
            if is_watched {
                changes.groups.add(key);
            }
        });
        for holding in self.holdings.iter().flatten() {
            self.stale.add(*holding);
        }
    }

    // Watching

    /// From now on changes are kept for [`Held::take_changes`].
    pub fn watch(&mut self) {
        self.is_watched = true;
        self.changes = Changes {
            reference: true,
            limits: true,
            ..Changes::default()
        };
    }

    /// Brings sums of profit up to date, at most `max` holdings. True where there are more.
    pub fn refresh(&mut self, max: usize) -> bool {
        if std::mem::take(&mut self.is_regrouped) {
            self.regroup();
        }
        let (is_watched, changes) = (self.is_watched, &mut self.changes);
        let (replica, profits) = (&self.replica, &mut self.profits);
        self.stale.take(max, |holding| {
            if is_watched {
                changes.holdings.add(holding);
            }
            profits.set(holding, replica.positions(), replica.registry(), |key| {
                if is_watched {
                    changes.groups.add(key);
                }
            });
        });
        let strategies = &self.strategies;
        self.stale_strategies.take(max, |key| {
            profits.set_strategy(key, strategies, replica.positions(), |key| {
                if is_watched {
                    changes.groups.add(key);
                }
            });
        });
        !self.stale.is_empty() || !self.stale_strategies.is_empty()
    }

    /// What changed since the last call.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }
}
