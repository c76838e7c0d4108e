//! Reference data as the store keeps it: names behind ids, and the little that the projection needs to know of them.
//!
//! # Invariants
//! - It is what accepted admin events said last. After a restart it is read back from the database, where it stands as of the position.

use crate::fields::{Fields, Row, Table};
use tradewind_domain::text::{Code, Symbol, Text};

macro_rules! rows {
    ($($(#[$doc:meta])* $Name:ident, $table:literal, $constant:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty = $column:literal, $put:ident;)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) struct $Name { $($(#[$fdoc])* pub(crate) $field: $type,)* }

            /// The table.
            pub(crate) const $constant: Table = Table { name: $table, columns: &[$($column),*] };

            impl Row for $Name {
                const TABLE: Table = $constant;
                fn fields(&self, out: &mut impl Fields) {
                    $(put::$put(out, self.$field);)*
                }
            }
        )*
    };
}

/// How values of the rows are put.
mod put {
    use super::Fields;
    use tradewind_domain::text::Text;

    pub(super) fn id(out: &mut impl Fields, id: u32) {
        out.int4(id as i32);
    }
    pub(super) fn small(out: &mut impl Fields, value: u8) {
        out.int2(i16::from(value));
    }
    pub(super) fn text<const N: usize>(out: &mut impl Fields, text: Text<N>) {
        out.text(text.as_str());
    }
    pub(super) fn dec(out: &mut impl Fields, raw: i64) {
        out.dec(raw.into());
    }
    pub(super) fn whole(out: &mut impl Fields, raw: i128) {
        out.number(Some((raw, 0)));
    }
    pub(super) fn long(out: &mut impl Fields, value: i64) {
        out.int8(value);
    }
}

rows! {
    /// A currency.
    CurrencyRow, "currencies", CURRENCIES {
        /// Its id.
        id: u32 = "currency_id", id;
        /// Its code.
        code: Text<8> = "code", text;
        /// Decimals of its minor unit.
        money_dp: u8 = "money_dp", small;
    }
    /// A node of the hierarchy.
    NodeRow, "nodes", NODES {
        /// Its id.
        id: u32 = "node_id", id;
        /// Its name.
        code: Code = "code", text;
        /// Its level.
        level: u8 = "level", small;
        /// The node above; `u32::MAX` for the firm.
        parent: u32 = "parent_id", id;
        /// The account; `u32::MAX` above accounts.
        account: u32 = "account_id", id;
    }
    /// An account.
    AccountRow, "accounts", ACCOUNTS {
        /// Its id.
        id: u32 = "account_id", id;
        /// Its name.
        code: Code = "code", text;
        /// Its node.
        node: u32 = "node_id", id;
        /// Cash or margin.
        kind: u8 = "kind", small;
        /// Base currency.
        currency: u32 = "currency_id", id;
    }
    /// An instrument.
    InstrumentRow, "instruments", INSTRUMENTS {
        /// Its id.
        id: u32 = "instrument_id", id;
        /// Its name.
        symbol: Symbol = "symbol", text;
        /// Its sector.
        sector: Symbol = "sector", text;
        /// What it is.
        kind: u8 = "kind", small;
        /// Currency of its prices.
        currency: u32 = "currency_id", id;
        /// Its calendar.
        calendar: u32 = "calendar_id", id;
        /// Multiplier.
        mult: i64 = "mult", dec;
        /// Price step.
        tick: i64 = "tick", dec;
        /// Quantity step.
        lot: i64 = "lot", dec;
    }
    /// A limit.
    LimitRow, "limits", LIMITS {
        /// Its id.
        id: u32 = "limit_id", id;
        /// Its name.
        label: Code = "label", text;
        /// Its type.
        limit_type: u8 = "limit_type", small;
        /// The node that it binds.
        node: u32 = "node_id", id;
        /// Action.
        action: u8 = "action", small;
        /// Warning threshold in percent.
        soft_pct: u8 = "soft_pct", small;
        /// 1 where it was removed.
        removed: u8 = "removed", small;
        /// The figure as the journal has it.
        hard: i128 = "hard_raw", whole;
        /// Its first parameter: the period of a rate in milliseconds.
        period_ms: i64 = "param_0", long;
        /// Its second parameter: what a rate counts.
        algo: i64 = "param_1", long;
    }
    /// A client session.
    SessionRow, "sessions", SESSIONS {
        /// Its id.
        id: u32 = "session_id", id;
        /// Its name.
        name: Code = "name", text;
    }
}

/// What the projection knows of reference data.
#[derive(Debug, Default)]
pub(crate) struct Names {
    nodes: Vec<Option<Code>>,
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

    /// Takes a node.
    pub(crate) fn put_node(&mut self, row: &NodeRow) {
        put_at(&mut self.nodes, row.id, row.code);
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
