//! Rows of each channel: key, cells, who may see them, by what a subscription may choose them.
//!
//! Invariant: the cells of a line stand in the order of its channel's columns (`channel`).

mod engine;
mod portfolio;
mod risk;
mod trading;

pub(crate) use risk::AlertLine;

use crate::encode::{BinaryCells, Cells, JsonCells};
use tradewind_domain::ids::{HoldingId, InstrumentId, LimitId, NodeId, OrderId};
use tradewind_domain::text::{Code, Symbol};
use tradewind_views::live::{DueKey, GroupKey};

/// Names a row of a state channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Holding(HoldingId),
    Group(GroupKey),
    Order(OrderId),
    Limit(LimitId),
    Alert(u64),
    Market(InstrumentId),
    Stage(usize),
    Check(Code),
    Due(DueKey),
}

/// Who may see a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// Everybody who is let in.
    Everybody,
    /// Who sees the node.
    Node(NodeId),
    /// Who sees the firm.
    Firm,
    /// Operators: it belongs to nobody.
    Nobody,
}

impl Owner {
    /// Of an account's row; one without an account belongs to nobody.
    fn of(node: NodeId) -> Self {
        if node.is_none() {
            Self::Nobody
        } else {
            Self::Node(node)
        }
    }
}

/// A row as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) owner: Owner,
    /// Account, or code of the node.
    pub(crate) account: Code,
    pub(crate) symbol: Symbol,
    pub(crate) json: Box<[u8]>,
    /// Empty where nobody asks for the binary form.
    pub(crate) binary: Box<[u8]>,
}

/// A line that becomes a row.
pub(crate) trait Line {
    fn owner(&self) -> Owner;
    fn account(&self) -> Code;
    fn symbol(&self) -> Symbol;
    fn cells(&self, cells: &mut impl Cells);
    /// The key columns alone.
    fn key_cells(&self, cells: &mut impl Cells);
}

fn encoded(write: impl Fn(&mut JsonCells), write_binary: impl Fn(&mut BinaryCells), binary: bool) -> Encoded {
    let mut json = JsonCells::default();
    write(&mut json);
    let mut bytes = BinaryCells::default();
    if binary {
        write_binary(&mut bytes);
    }
    (json.finish(), bytes.finish())
}

/// JSON and binary bytes.
pub(crate) type Encoded = (Box<[u8]>, Box<[u8]>);

impl Row {
    /// A line as bytes; in the binary form too where somebody asks for it.
    pub(crate) fn of(line: &impl Line, binary: bool) -> Self {
        let (json, binary) = encoded(|cells| line.cells(cells), |cells| line.cells(cells), binary);
        Self {
            owner: line.owner(),
            account: line.account(),
            symbol: line.symbol(),
            json,
            binary,
        }
    }
}

/// The key columns of a line as bytes.
pub(crate) fn key_of(line: &impl Line) -> Encoded {
    encoded(|cells| line.key_cells(cells), |cells| line.key_cells(cells), true)
}
