//! The registry: which names there are, and the rows and dense ids behind them.
//!
//! Normalize owns one and is its only writer. Tools (listings, the replica) own another, fed through the stage's `apply`,
//! and ask it for the names of ids.
//!
//! # Invariants
//! - An id is the index of its row; ids are given in the order in which names were accepted and never taken back. A symbol that an
//!   instrument had before another one stays a name of it.
//! - Nothing grows after start: tables and rows are allocated for the physical capacity.
//! - At most one FIRM node; it is the only node without a parent.
//!
//! Not here: what makes a row acceptable. That is `normalize`.

mod names;

use bytemuck::{Pod, Zeroable};
use names::{NameTable, key};
use tradewind_domain::codes::Level;
use tradewind_domain::event::{Capacities, CurrencySet, NodeSet};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, LimitId, NodeId};
use tradewind_domain::reference::{CURRENCIES_MAX, Instrument};
use tradewind_domain::text::{Code, Symbol, Text};

/// Most calendars, the built-in one included.
const CALENDARS_MAX: usize = CalendarId::COUNT_MAX as usize;
/// Name of the built-in calendar.
const UTC: &str = "UTC";

/// A node of the hierarchy as one plain row of 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct NodeRow {
    /// Name.
    pub code: Code,
    /// Its row.
    pub node: NodeId,
    /// Row of the parent; none for the firm.
    pub parent: NodeId,
    /// The account: its own, or for a strategy that of the account above; none above accounts.
    pub account: AccountId,
    /// Base currency of an account; none elsewhere unless given.
    pub currency: CurrencyId,
    /// Calendar whose roll resets the daily counters.
    pub calendar: CalendarId,
    /// [`Level`].
    pub level: u8,
    /// [`AccountKind`](tradewind_domain::codes::AccountKind) of an account.
    pub kind: u8,
    #[doc(hidden)]
    pub reserved: [u8; 14],
}

const _: () = assert!(size_of::<NodeRow>() == 64);

/// A currency as one plain row of 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CurrencyRow {
    /// Code.
    pub code: Text<8>,
    /// Its row.
    pub currency: CurrencyId,
    /// Decimals of the minor unit.
    pub money_dp: u8,
    #[doc(hidden)]
    pub reserved: [u8; 5],
}

const _: () = assert!(size_of::<CurrencyRow>() == 16);

/// What an order needs of its instrument's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) instrument: InstrumentId,
    pub(crate) currency: CurrencyId,
    pub(crate) calendar: CalendarId,
}

impl Listing {
    pub(crate) const NONE: Self = Self {
        instrument: InstrumentId::NONE,
        currency: CurrencyId::NONE,
        calendar: CalendarId::NONE,
    };
}

/// What an order needs of its account's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) node: NodeId,
    pub(crate) account: AccountId,
}

impl Leaf {
    pub(crate) const NONE: Self = Self {
        node: NodeId::NONE,
        account: AccountId::NONE,
    };
}

/// Names, ids and rows of instruments, nodes, accounts, currencies, calendars and limits.
pub struct Registry {
    instruments: Vec<Instrument>,
    symbols: NameTable<Listing>,
    nodes: Vec<NodeRow>,
    codes: NameTable<Leaf>,
    /// The node of each account.
    accounts: Vec<NodeId>,
    currencies: Vec<CurrencyRow>,
    currency_codes: NameTable<CurrencyId>,
    /// Name of each calendar; empty where there is none with this id.
    calendars: [Code; CALENDARS_MAX],
    limits: Vec<Code>,
    labels: NameTable<LimitId>,
}

impl Registry {
    /// An empty registry with room for these capacities (those of instruments, nodes and limits count).
    pub fn new(capacities: &Capacities) -> Self {
        let (instruments, nodes, limits) = (
            capacities.instruments as usize,
            capacities.nodes as usize,
            capacities.limits as usize,
        );
        let mut calendars = [Code::EMPTY; CALENDARS_MAX];
        calendars[CalendarId::UTC.index()] = Code::lossy(UTC);
        Self {
            instruments: Vec::with_capacity(instruments),
            // As many again for names that instruments had.
            symbols: NameTable::with_capacity(instruments.saturating_mul(2)),
            nodes: Vec::with_capacity(nodes),
            codes: NameTable::with_capacity(nodes),
            accounts: Vec::with_capacity(nodes),
            currencies: Vec::with_capacity(CURRENCIES_MAX),
            currency_codes: NameTable::with_capacity(CURRENCIES_MAX),
            calendars,
            limits: Vec::with_capacity(limits),
            labels: NameTable::with_capacity(limits),
        }
    }

    /// The row of an instrument.
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index())
    }

    /// The row of a node.
    pub fn node(&self, id: NodeId) -> Option<&NodeRow> {
        self.nodes.get(id.index())
    }

    /// The node row of an account.
    pub fn account(&self, id: AccountId) -> Option<&NodeRow> {
        self.node(*self.accounts.get(id.index())?)
    }

    /// The row of a currency.
    pub fn currency(&self, id: CurrencyId) -> Option<&CurrencyRow> {
        self.currencies.get(id.index())
    }

    /// The base currency: the first that was set.
    pub fn base_currency(&self) -> Option<&CurrencyRow> {
        self.currencies.first()
    }

    /// The name of a calendar.
    pub fn calendar(&self, id: CalendarId) -> Option<&Code> {
        self.calendars.get(id.index()).filter(|code| !code.is_empty())
    }

    /// The label of a limit.
    pub fn limit(&self, id: LimitId) -> Option<&Code> {
        self.limits.get(id.index())
    }

    /// Every instrument, by id.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Every node, by id.
    pub fn nodes(&self) -> &[NodeRow] {
        &self.nodes
    }

    /// Every currency, by id.
    pub fn currencies(&self) -> &[CurrencyRow] {
        &self.currencies
    }

    /// The labels of limits, by id.
    pub fn limits(&self) -> &[Code] {
        &self.limits
    }

    /// How many accounts there are.
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// The row of the instrument with this symbol.
    pub fn instrument_named(&self, symbol: &Symbol) -> Option<&Instrument> {
        self.instrument(self.listing(symbol)?.instrument)
    }

    /// The row of the node with this code.
    pub fn node_named(&self, code: &Code) -> Option<&NodeRow> {
        self.node(self.leaf(code)?.node)
    }

    /// The row of the currency with this code.
    pub fn currency_named(&self, code: &Text<8>) -> Option<&CurrencyRow> {
        self.currency(self.currency_id(&widen(code))?)
    }

    /// The limit with this label.
    pub fn limit_named(&self, label: &Code) -> Option<LimitId> {
        self.labels.get(&key(label.padded()))
    }

    #[inline]
    pub(crate) fn listing(&self, symbol: &Symbol) -> Option<Listing> {
        self.symbols.get(&key(symbol.padded()))
    }

    /// The node of a code, with its account (none above accounts).
    #[inline]
    pub(crate) fn leaf(&self, code: &Code) -> Option<Leaf> {
        self.codes.get(&key(code.padded()))
    }

    pub(crate) fn currency_id(&self, code: &Symbol) -> Option<CurrencyId> {
        self.currency_codes.get(&key(code.padded()))
    }

    pub(crate) fn root(&self) -> Option<&NodeRow> {
        // The firm has no parent and every other node has one, so the first node is the firm.
        self.nodes.first()
    }

    /// True where a calendar other than `id` has this name.
    pub(crate) fn calendar_name_taken(&self, id: CalendarId, code: &Code) -> bool {
        self.calendars
            .iter()
            .enumerate()
            .any(|(index, taken)| taken == code && index != id.index())
    }

    pub(crate) fn instruments_full(&self, logical: u32) -> bool {
        let rows = self.instruments.capacity().min(logical as usize);
        self.instruments.len() >= rows || self.symbols.is_full()
    }

    /// True where no instrument can get another name: as many have one already as there may be instruments.
    pub(crate) fn aliases_full(&self, logical: u32) -> bool {
        self.symbols.len().saturating_sub(self.instruments.len()) >= logical as usize
            || self.symbols.is_full()
    }

    /// Gives an instrument another symbol. Those that it had stay names of it.
    pub(crate) fn rename(&mut self, instrument: InstrumentId, symbol: Symbol) {
        let Some(row) = self.instruments.get_mut(instrument.index()) else {
            return;
        };
        row.symbol = symbol;
        let listing = Listing {
            instrument,
            currency: row.currency,
            calendar: row.calendar,
        };
        self.symbols.put(key(symbol.padded()), listing);
    }

    pub(crate) fn nodes_full(&self, logical: u32) -> bool {
        self.nodes.len() >= logical as usize || self.codes.is_full()
    }

    pub(crate) fn limits_full(&self, logical: u32) -> bool {
        self.limits.len() >= logical as usize || self.labels.is_full()
    }

    pub(crate) fn currencies_full(&self) -> bool {
        self.currency_codes.is_full()
    }

    /// Sets an instrument's row.
    pub(crate) fn put_instrument(&mut self, row: &Instrument) {
        let listing = Listing {
            instrument: row.id,
            currency: row.currency,
            calendar: row.calendar,
        };
        self.symbols.put(key(row.symbol.padded()), listing);
        put_row(&mut self.instruments, row.id.index(), *row);
    }

    /// Sets a node's row.
    pub(crate) fn put_node(&mut self, set: &NodeSet) {
        let row = NodeRow {
            code: set.code,
            node: set.node,
            parent: set.parent,
            account: set.account,
            currency: set.currency,
            calendar: set.calendar,
            level: set.level,
            kind: set.kind,
            reserved: [0; 14],
        };
        self.codes.put(
            key(row.code.padded()),
            Leaf {
                node: row.node,
                account: row.account,
            },
        );
        put_row(&mut self.nodes, row.node.index(), row);
        if row.level == Level::Account as u8 {
            put_row(&mut self.accounts, row.account.index(), row.node);
        }
    }

    /// Sets a currency's row.
    pub(crate) fn put_currency(&mut self, set: &CurrencySet) {
        let row = CurrencyRow {
            code: set.code,
            currency: set.currency,
            money_dp: set.money_dp,
            reserved: [0; 5],
        };
        self.currency_codes
            .put(key(widen(&row.code).padded()), row.currency);
        put_row(&mut self.currencies, row.currency.index(), row);
    }

    /// Names a calendar.
    pub(crate) fn put_calendar(&mut self, id: CalendarId, code: Code) {
        assert!(
            id.index() < CALENDARS_MAX,
            "Invariant: accepted calendars have an id within the table"
        );
        self.calendars[id.index()] = code;
    }

    /// Gives a label its limit.
    pub(crate) fn put_limit(&mut self, id: LimitId, label: Code) {
        self.labels.put(key(label.padded()), id);
        put_row(&mut self.limits, id.index(), label);
    }

    pub(crate) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        let counts = [
            self.instruments.len(),
            self.nodes.len(),
            self.accounts.len(),
            self.currencies.len(),
            self.limits.len(),
        ];
        for count in counts {
            sink(&(count as u64).to_le_bytes());
        }
        sink(bytemuck::cast_slice(&self.instruments));
        sink(bytemuck::cast_slice(&self.nodes));
        sink(bytemuck::cast_slice(&self.accounts));
        sink(bytemuck::cast_slice(&self.currencies));
        sink(bytemuck::cast_slice(&self.calendars));
        sink(bytemuck::cast_slice(&self.limits));
    }
}

/// Writes the row of an id: an existing one, or the next.
fn put_row<T>(rows: &mut Vec<T>, index: usize, row: T) {
    if let Some(existing) = rows.get_mut(index) {
        *existing = row;
        return;
    }
    assert!(
        index == rows.len(),
        "Invariant: ids are dense and recorded in the order they were given"
    );
    assert!(
        rows.len() < rows.capacity(),
        "Invariant: rows are sized at start for every journaled row"
    );
    rows.push(row);
}

/// A currency code as wide as the names on the wires.
fn widen(code: &Text<8>) -> Symbol {
    let mut wide = Symbol::zeroed();
    bytemuck::bytes_of_mut(&mut wide)[..8].copy_from_slice(code.padded());
    wide
}
