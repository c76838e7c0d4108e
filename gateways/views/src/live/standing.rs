//! Profit of every group as a journal leads to it, for who has a journal and no running engine.

use super::answers::profit_rows;
use super::held::Held;
use crate::error::ViewError;
use crate::query::current::{Profit, Scope};
use crate::reader::Reader;
use std::path::Path;
use tradewind_domain::event::Event;
use tradewind_domain::ids::Seq;
use tradewind_domain::text::{Code, Text};
use tradewind_domain::time::UnixNanos;

/// Profit by group at a journal's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfitStanding {
    /// Rows by group, name and currency. Instruments and sectors are sums over the whole firm.
    pub rows: Vec<Profit>,
    /// Base currency; empty before there is one.
    pub base_currency: Text<8>,
    /// Decimals of its minor unit.
    pub base_dp: u8,
    /// The last input in it.
    pub as_of: (Seq, UnixNanos),
}

impl ProfitStanding {
    /// Of a node and all below it; of the firm's own node with instruments and sectors. `None` where there is no such node.
    pub fn read(data_dir: &Path, node: &str) -> Result<Option<Self>, ViewError> {
        let mut reader = Reader::open(data_dir)?;
        let mut held = Held::new(reader.capacities(), reader.hash_key());
        let mut event = Event::empty();
        while reader.next_into(&mut event)?.is_some() {
            held.take(&event)?;
        }
        while held.refresh(usize::MAX) {}
        let registry = held.replica().registry();
        let row = Code::new(node)
            .ok()
            .and_then(|code| registry.node_named(&code).copied());
        let Some(row) = row else {
            return Ok(None);
        };
        let scope = if row.parent.is_none() {
            Scope::All
        } else {
            Scope::Below(vec![row.code])
        };
        let base = registry.base_currency().map(|row| (row.code, row.money_dp));
        let (base_currency, base_dp) = base.unwrap_or_default();
        Ok(Some(Self {
            rows: profit_rows(&held, &scope),
            base_currency,
            base_dp,
            as_of: held.as_of(),
        }))
    }
}
