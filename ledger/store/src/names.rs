//! Names behind ids, and the little of reference data that the projection needs to know.
//!
//! # Invariants
//! - It is what accepted admin events said last. After a restart it is read back from the database, where it stands as of the position.

use crate::rows::{CurrencyRow, InstrumentRow, LimitRow, NodeRow, SessionRow};
use tradewind_domain::codes::Level;
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::{AccountId, CurrencyId, NodeId};
use tradewind_domain::text::{Code, Text};

/// What the projection knows of reference data.
#[derive(Debug, Default)]
pub(crate) struct Names {
    currencies: Vec<Option<CurrencyRow>>,
    nodes: Vec<Option<Code>>,
    /// The node of each account.
    accounts: Vec<Option<NodeId>>,
    instruments: Vec<Option<InstrumentRow>>,
    limits: Vec<Option<LimitRow>>,
    sessions: Vec<Option<Code>>,
}

impl Names {
    /// A node's name; empty where it is none.
    pub(crate) fn node(&self, id: u32) -> &str {
        self.nodes
            .get(id as usize)
            .and_then(Option::as_ref)
            .map_or("", Text::as_str)
    }

    /// The node of an account.
    pub(crate) fn node_of(&self, account: AccountId) -> Option<NodeId> {
        *self.accounts.get(account.index())?
    }

    /// An instrument's name; empty where it is none.
    pub(crate) fn symbol(&self, id: u32) -> &str {
        self.instrument(id).map_or("", |row| row.symbol.as_str())
    }

    /// An instrument.
    pub(crate) fn instrument(&self, id: u32) -> Option<&InstrumentRow> {
        self.instruments.get(id as usize)?.as_ref()
    }

    /// A limit.
    pub(crate) fn limit(&self, id: u32) -> Option<&LimitRow> {
        self.limits.get(id as usize)?.as_ref()
    }

    /// A session's name; empty where it is none.
    pub(crate) fn session(&self, id: u32) -> &str {
        self.sessions
            .get(id as usize)
            .and_then(Option::as_ref)
            .map_or("", Text::as_str)
    }

    /// A currency.
    pub(crate) fn currency(&self, id: CurrencyId) -> Option<&CurrencyRow> {
        self.currencies.get(id.index())?.as_ref()
    }

    /// Base currency units per unit of a currency at 1e-8; 0 where none is known. The firm's own currency is the first one.
    pub(crate) fn rate(&self, id: CurrencyId) -> i64 {
        let held = self.currency(id).map_or(0, |row| row.rate);
        if held == 0 && id == CurrencyId(0) {
            ONE
        } else {
            held
        }
    }

    /// Takes a currency.
    pub(crate) fn put_currency(&mut self, row: &CurrencyRow) {
        put_at(&mut self.currencies, row.id, *row);
    }

    /// Takes a node.
    pub(crate) fn put_node(&mut self, row: &NodeRow) {
        put_at(&mut self.nodes, row.id, row.code);
        if row.level == Level::Account as u8 {
            put_at(&mut self.accounts, row.account, NodeId(row.id));
        }
    }

    /// Takes an instrument.
    pub(crate) fn put_instrument(&mut self, row: &InstrumentRow) {
        put_at(&mut self.instruments, row.id, *row);
    }

    /// Takes a limit.
    pub(crate) fn put_limit(&mut self, row: &LimitRow) {
        put_at(&mut self.limits, row.id, *row);
    }

    /// Takes a session.
    pub(crate) fn put_session(&mut self, row: &SessionRow) {
        put_at(&mut self.sessions, row.id, row.name);
    }
}

/// The most rows of a kind: ids are dense and bounded by the engine's capacities, and a damaged one takes no memory.
const ROWS_MAX: usize = 1 << 26;

fn put_at<T: Clone>(rows: &mut Vec<Option<T>>, id: u32, row: T) {
    let at = id as usize;
    if at >= ROWS_MAX {
        return;
    }
    if rows.len() <= at {
        rows.resize(at + 1, None);
    }
    rows[at] = Some(row);
}
