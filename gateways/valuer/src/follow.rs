//! Follows the journal, values what has changed, and hands figures to whoever brings them into the sequence.

use crate::age::{AgeFigures, Ages};
use crate::books::{Books, Worth};
use crate::calls::{Calls, Cause};
use crate::nodes::{Figure, Node, Nodes, Readers, grown};
use crate::walk::{Held, Walks};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use tradewind_domain::event::{
    CorporateAction, EngineStarted, Event, Execution, FxRate, Inbound, InstrumentSet, Kind, LastTrade,
    LimitSet, Mark, Valuation,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{HoldingId, InstrumentId, NodeId, WalletId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Symbol;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};
use tradewind_machine::journal::{Follower, JournalError};

/// Records that one step reads at most.
const RECORDS_MAX: usize = 256;
/// Holdings and wallets that one step values at most, behind marks and rates.
const VALUED_MAX: usize = 4_096;
/// Figures that one step sends at most.
const SENT_MAX: usize = 256;
/// How often a held instrument's mark is looked at once it may be stale.
const LOOK_NS: u64 = NANOS_PER_SEC;

/// Why the valuer ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ValuerError {
    /// The journal cannot be read.
    #[error("the valuer cannot read the journal")]
    Journal(#[from] JournalError),
    /// Cash and positions need all records.
    #[error("the journal begins at sequence {seq}: what accounts are worth needs it all")]
    BeginsLate {
        /// Number of the oldest record.
        seq: u64,
    },
}

/// What the valuer has done and sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ValuerFigures {
    /// Nodes that are valued.
    pub nodes: u64,
    /// Figures that were handed on.
    pub sent: u64,
    /// Figures that the limit check refused: overtaken by a payment or a figure from outside.
    pub refused: u64,
    /// Nodes that cannot be valued at the moment: a stale mark, no rate.
    pub frozen: u64,
    /// One of them.
    pub frozen_node: String,
    /// Strategies whose limits read an equity that nobody says.
    pub strategies: Vec<String>,
    /// From a mark to the figure that has it.
    pub age: AgeFigures,
}

/// A part of what a node is worth.
#[derive(Clone, Copy, Default)]
struct Part {
    worth: Worth,
    /// The account's node; none before it is known.
    leaf: NodeId,
}

/// Looks in a journal for a limit that reads equity: before there is one nothing needs to be valued.
#[derive(Default)]
pub struct Scout {
    readers: Readers,
    event: Option<Box<Event>>,
}

impl Scout {
    /// Reads on; `None` once such a limit is found, else how many records were read.
    pub fn step(&mut self, follower: &mut Follower) -> Result<Option<usize>, ValuerError> {
        let event = self.event.get_or_insert_with(|| Box::new(Event::empty()));
        let mut read = 0;
        while read < RECORDS_MAX {
            let Some(record) = follower.poll()? else { break };
            read += 1;
            if record.head().kind == Kind::LimitSet as u16
                && event.read_record(record.bytes()).is_some()
                && !event.is_rejected()
                && self.readers.set(event.body::<LimitSet>())
            {
                return Ok(None);
            }
        }
        Ok(Some(read))
    }
}

/// Cash, positions, marks, and what nodes are worth by them.
#[derive(Default)]
pub struct Valuer {
    books: Option<Books>,
    nodes: Nodes,
    wallets: Vec<Part>,
    holdings: Vec<Part>,
    walks: Walks,
    calls: Calls,
    /// When marks of held instruments are looked at next.
    looks: BinaryHeap<Reverse<(UnixNanos, u32)>>,
    /// Nodes with a part that cannot be valued.
    frozen: BTreeSet<u32>,
    ages: Option<Ages>,
    event: Option<Box<Event>>,
    /// Time of the last record.
    seen_ns: UnixNanos,
    /// The journal was read to its end, and everything is valued at the present marks.
    is_ready: bool,
    sent: u64,
    refused: u64,
}

impl Valuer {
    /// A valuer that has read nothing.
    pub fn new() -> Self {
        Self {
            ages: Some(Ages::new()),
            ..Self::default()
        }
    }

    /// One cycle: reads, values, sends. `follower` begins at the journal's start and stays the same from cycle to cycle; `now_ns` is the
    /// clock's time, or 0 where the journal's time is not the clock's; `push` is false where there is no room. Returns how much was done.
    pub fn step(
        &mut self,
        follower: &mut Follower,
        now_ns: UnixNanos,
        push: &mut dyn FnMut(Inbound) -> bool,
    ) -> Result<usize, ValuerError> {
        let mut event = self.event.take().unwrap_or_else(|| Box::new(Event::empty()));
        let read = self.read(follower, &mut event);
        self.event = Some(event);
        let read = read?;
        Ok(read + self.turn(read < RECORDS_MAX, now_ns, push))
    }

    fn read(&mut self, follower: &mut Follower, event: &mut Event) -> Result<usize, ValuerError> {
        let mut read = 0;
        while read < RECORDS_MAX {
            let Some(record) = follower.poll()? else { break };
            read += 1;
            if self.books.is_none() && record.head().seq != 1 {
                let seq = record.head().seq;
                return Err(ValuerError::BeginsLate { seq });
            }
            if event.read_record(record.bytes()).is_some() {
                self.on_record(event);
            }
        }
        Ok(read)
    }

    /// Values what waits and sends what is due. `is_at_end`: every record there is was taken.
    pub fn turn(
        &mut self,
        is_at_end: bool,
        now_ns: UnixNanos,
        push: &mut dyn FnMut(Inbound) -> bool,
    ) -> usize {
        let now_ns = now_ns.max(self.seen_ns);
        if is_at_end || self.is_ready {
            self.look_at_marks(now_ns);
        }
        let valued = self.value_waiting();
        self.is_ready |= is_at_end && self.walks.waiting() == 0;
        if self.is_ready {
            valued + self.send(now_ns, push)
        } else {
            valued
        }
    }

    /// What it has done and sees.
    pub fn figures(&self) -> ValuerFigures {
        let is_ours = |node: &Node| node.is_ours();
        let frozen = || {
            let nodes = self.frozen.iter().filter_map(|&id| self.nodes.get(NodeId(id)));
            nodes.filter(|node| is_ours(node))
        };
        ValuerFigures {
            nodes: self.nodes.asked().filter(|node| is_ours(node)).count() as u64,
            sent: self.sent,
            refused: self.refused,
            frozen: frozen().count() as u64,
            frozen_node: frozen()
                .next()
                .map(|node| node.code.to_string())
                .unwrap_or_default(),
            strategies: self.nodes.unvalued().map(ToString::to_string).collect(),
            age: self.ages.as_ref().map(Ages::figures).unwrap_or_default(),
        }
    }

    /// How late the latest figure since the last call was, in nanoseconds beyond the pause of 100 ms.
    pub fn take_late_ns(&mut self) -> u64 {
        self.ages.as_mut().map_or(0, Ages::take_late_ns)
    }

    /// True where everything that is known is valued and told, what must wait for its pause included.
    pub fn is_idle(&self) -> bool {
        self.is_ready && self.walks.waiting() == 0 && self.calls.len() == 0
    }

    /// Takes the next record of the journal.
    pub fn on_record(&mut self, event: &Event) {
        let Some(kind) = event.kind() else { return };
        if kind == Kind::EngineStarted && self.books.is_none() {
            self.books = Some(Books::new(&event.body::<EngineStarted>().capacities));
        }
        let Some(books) = &mut self.books else { return };
        books.apply(event);
        self.seen_ns = event.head.recv_ns;
        match kind {
            Kind::Valuation => self.on_figure(event),
            _ if event.is_rejected() => {}
            Kind::AccountSet | Kind::NodeSet => self.nodes.set(event.body(), kind),
            Kind::LimitSet => {
                if let Some(node) = self.nodes.limit(event.body()) {
                    self.call(node, Cause::Booked);
                }
            }
            Kind::LastTrade => self.on_mark(event.body::<LastTrade>().instrument),
            Kind::Mark => self.on_mark(event.body::<Mark>().instrument),
            Kind::InstrumentSet => self.on_mark(event.body::<InstrumentSet>().row.id),
            Kind::FxRate => self
                .walks
                .ask_currency(event.body::<FxRate>().currency, self.seen_ns),
            _ => self.on_booked(event, kind),
        }
    }

    /// A figure of a node is journaled, or refused.
    fn on_figure(&mut self, event: &Event) {
        let figure: &Valuation = event.body();
        let now_ns = event.head.recv_ns;
        let Some(node) = self.nodes.get_mut(figure.node) else {
            return;
        };
        let said = Figure {
            equity: figure.equity.raw(),
            balance: figure.balance.raw(),
        };
        if !figure.is_own() {
            if event.is_rejected() {
                return;
            }
            node.is_valued_outside |= figure.is_from_outside();
            if !figure.is_from_outside() {
                node.opening = said;
                self.call(figure.node, Cause::Booked);
            }
            return;
        }
        node.is_sent = false;
        if event.is_rejected() {
            self.refused += 1;
            node.since_ns = std::mem::take(&mut node.sent_since_ns);
            // Overtaken: another one, of the books as they are now. What does not fit would not fit again.
            if event.reject_code() == Some(RejectCode::StateMismatch) {
                self.call(figure.node, Cause::Booked);
            }
            return;
        }
        node.told = Some(said);
        node.told_ns = now_ns;
        let (since_ns, due_ns) = (std::mem::take(&mut node.sent_since_ns), node.sent_due_ns);
        if since_ns != 0
            && let Some(ages) = &mut self.ages
        {
            ages.add(since_ns, due_ns, now_ns);
        }
        // What has changed while it was on its way.
        match (node.is_urgent, node.since_ns) {
            (true, _) => self.call(figure.node, Cause::Booked),
            (false, 0) => {}
            (false, since_ns) => self.call(figure.node, Cause::Marked(since_ns)),
        }
    }

    fn call(&mut self, id: NodeId, cause: Cause) {
        if let Some(node) = self.nodes.get_mut(id) {
            self.calls.put(id, node, cause);
        }
    }

    /// An instrument's mark may have moved.
    fn on_mark(&mut self, instrument: InstrumentId) {
        let Some(books) = &mut self.books else { return };
        if books.moves(instrument, self.seen_ns) {
            self.walks.ask_instrument(instrument, self.seen_ns);
        }
    }

    /// Cash or positions have moved: what belongs to the event is valued at once.
    fn on_booked(&mut self, event: &Event, kind: Kind) {
        let moves = matches!(
            kind,
            Kind::VenueFill
                | Kind::TradeCapture
                | Kind::TradeBust
                | Kind::TradeCorrect
                | Kind::Deposit
                | Kind::Withdrawal
                | Kind::DatedCashSettled
        ) || kind.is_of_holder();
        let Some(books) = self.books.as_ref().filter(|_| moves) else {
            return;
        };
        let Some((wallet, holding)) = books.parties(event) else {
            return;
        };
        self.know_wallet(wallet);
        self.know_holding(holding);
        if kind == Kind::HolderSplit {
            self.on_mark(event.body::<CorporateAction>().instrument); // its price is that of the new units
        }
        if matches!(kind, Kind::VenueFill | Kind::TradeCapture) {
            self.on_mark(event.body::<Execution>().instrument); // the last fill is the mark where nothing else says one
        }
        self.value(Held::Wallet(wallet), Cause::Booked);
        self.value(Held::Holding(holding), Cause::Booked);
    }

    fn know_wallet(&mut self, wallet: WalletId) {
        let Some((account, currency)) = self.books.as_ref().and_then(|books| books.owner(wallet)) else {
            return;
        };
        let part = grown(&mut self.wallets, wallet.index());
        if part.leaf.is_none() {
            part.leaf = self.nodes.of_account(account);
            self.walks.bank(currency, wallet);
        }
    }

    fn know_holding(&mut self, holding: HoldingId) {
        let Some(books) = &self.books else { return };
        let Some((account, instrument)) = books.holder(holding) else {
            return;
        };
        let part = grown(&mut self.holdings, holding.index());
        if !part.leaf.is_none() {
            return;
        }
        part.leaf = self.nodes.of_account(account);
        let currency = books.currency(instrument).unwrap_or_default();
        if self.walks.hold(instrument, currency, holding) {
            self.looks.push(Reverse((0, instrument.0)));
        }
    }

    /// Values one part, and adds what has changed to the account and the nodes above.
    fn value(&mut self, held: Held, cause: Cause) {
        let Some(books) = &self.books else { return };
        let (part, worth) = match held {
            Held::Wallet(wallet) => (self.wallets.get_mut(wallet.index()), books.cash(wallet)),
            Held::Holding(holding) => (self.holdings.get_mut(holding.index()), books.holding(holding)),
        };
        let Some(part) = part.filter(|part| !part.leaf.is_none()) else {
            return;
        };
        let change = worth.less(&part.worth);
        if change == Worth::default() {
            return;
        }
        part.worth = worth;
        let (calls, frozen) = (&mut self.calls, &mut self.frozen);
        self.nodes.add(part.leaf, &change, |id, node| {
            if change.frozen != 0 {
                if node.worth.frozen > 0 {
                    frozen.insert(id.0);
                } else {
                    frozen.remove(&id.0);
                }
            }
            calls.put(id, node, cause);
        });
    }

    /// Goes on with the walks behind marks and rates.
    fn value_waiting(&mut self) -> usize {
        for valued in 0..VALUED_MAX {
            let Some((held, since_ns)) = self.walks.next() else {
                return valued;
            };
            self.value(held, Cause::Marked(since_ns));
        }
        VALUED_MAX
    }

    /// Finds marks that have become stale, or are stale no longer because the session has ended.
    fn look_at_marks(&mut self, now_ns: UnixNanos) {
        let Some(books) = &mut self.books else { return };
        while let Some(&Reverse((at_ns, id))) = self.looks.peek()
            && at_ns <= now_ns
        {
            self.looks.pop();
            let instrument = InstrumentId(id);
            if books.moves(instrument, now_ns) {
                self.walks.ask_instrument(instrument, now_ns);
            }
            let stale_ns = books
                .stale_at_ns(instrument)
                .map_or(0, |at_ns| at_ns.saturating_add(1));
            self.looks
                .push(Reverse((stale_ns.max(now_ns.saturating_add(LOOK_NS)), id)));
        }
    }

    /// Hands on the figures that are due, while there is room.
    fn send(&mut self, now_ns: UnixNanos, push: &mut dyn FnMut(Inbound) -> bool) -> usize {
        let mut sent = 0;
        while sent < SENT_MAX {
            let Some((id, due_ns)) = self.calls.take(&mut self.nodes, now_ns) else {
                break;
            };
            let Some(node) = self
                .nodes
                .get_mut(id)
                .filter(|node| node.is_ours() && !node.is_sent)
            else {
                continue;
            };
            let figure = node.figure().filter(|figure| node.told != Some(*figure));
            let Some(figure) = figure else {
                // Nothing new, or frozen: what thaws it calls it again.
                (node.since_ns, node.is_urgent) = (0, false);
                continue;
            };
            let body = Valuation {
                equity: Money::from_raw(figure.equity),
                balance: Money::from_raw(figure.balance),
                has_balance: Valuation::OWN_BOOKS,
                ..bytemuck::Zeroable::zeroed()
            };
            let message = Inbound::new(Kind::Valuation, &body)
                .named(Symbol::EMPTY, node.code)
                .at(self.seen_ns);
            if !push(message) {
                self.calls.put_back(id, node, due_ns);
                break;
            }
            (node.sent_since_ns, node.sent_due_ns) = (std::mem::take(&mut node.since_ns), due_ns);
            (node.is_sent, node.is_urgent) = (true, false);
            self.sent += 1;
            sent += 1;
        }
        sent
    }
}
