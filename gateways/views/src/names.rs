//! Names for ids and text for numbers, as views show them.

use tradewind_domain::codes::Level;
use tradewind_domain::ids::{AccountId, CurrencyId, InstrumentId, LimitId, NodeId};
use tradewind_feeds::{NodeRow, Registry};

/// Names of ids, from a registry. An id without a row shows as `#id`, no id as nothing.
#[derive(Clone, Copy)]
pub struct Names<'a>(pub &'a Registry);

impl Names<'_> {
    /// Code of an account.
    pub fn account(&self, id: AccountId) -> String {
        let code = self.0.account(id).map(|row| row.code.to_string());
        code.unwrap_or_else(|| unnamed(id.is_none(), id.0))
    }

    /// Code of a node.
    pub fn node(&self, id: NodeId) -> String {
        let code = self.0.node(id).map(|row| row.code.to_string());
        code.unwrap_or_else(|| unnamed(id.is_none(), id.0))
    }

    /// Codes of all nodes, accounts included.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.0.nodes().iter().map(|row| row.code.as_str())
    }

    /// Codes of all accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let is_account = |row: &&NodeRow| row.level == Level::Account as u8;
        let rows = self.0.nodes().iter().filter(is_account);
        rows.map(|row| row.code.as_str())
    }

    /// Symbol of an instrument.
    pub fn symbol(&self, id: InstrumentId) -> String {
        let symbol = self.0.instrument(id).map(|row| row.symbol.to_string());
        symbol.unwrap_or_else(|| unnamed(id.is_none(), id.0))
    }

    /// Code of a currency.
    pub fn currency(&self, id: CurrencyId) -> String {
        let code = self.0.currency(id).map(|row| row.code.to_string());
        code.unwrap_or_else(|| unnamed(id.is_none(), id.0.into()))
    }

    /// Code of an instrument's currency.
    pub fn currency_of(&self, id: InstrumentId) -> String {
        self.0
            .instrument(id)
            .map_or_else(String::new, |row| self.currency(row.currency))
    }

    /// Label of a limit.
    pub fn limit(&self, id: LimitId) -> String {
        let label = self.0.limit(id).map(|label| label.to_string());
        label.unwrap_or_else(|| unnamed(id.is_none(), id.0))
    }
}

fn unnamed(is_none: bool, id: u32) -> String {
    if is_none { String::new() } else { format!("#{id}") }
}

/// A price that may be missing: zero is none where the field says so.
pub fn px_or_none(px: i64) -> Option<String> {
    (px != 0).then(|| tradewind_domain::fixed::Price::from_raw(px).to_string())
}
