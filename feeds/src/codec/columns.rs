//! The columns of our own formats. CSV and JSON share them: a line becomes a [`Row`], whatever it was written in.

use super::error::{Reason, nearest};
use std::borrow::Cow;

macro_rules! columns {
    ($($name:ident = $text:literal,)*) => {
        /// A column, or key, of our own formats.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Column { $($name,)* }

        impl Column {
            /// Every column.
            pub(super) const ALL: &[Column] = &[$(Column::$name,)*];
            pub(super) const COUNT: usize = Self::ALL.len();
            /// The name in headers and keys.
            pub(super) const fn text(self) -> &'static str {
                match self { $(Column::$name => $text,)* }
            }
        }
    };
}

columns! {
    Kind = "kind",
    Type = "type",
    Time = "time",
    Account = "account",
    Symbol = "symbol",
    Side = "side",
    Qty = "qty",
    Px = "px",
    ExecId = "exec_id",
    Venue = "venue",
    Fee = "fee",
    TradeDate = "trade_date",
    SettleDate = "settle_date",
    Liquidity = "liquidity",
    Session = "session",
    ClOrdId = "cl_ord_id",
    OrigClOrdId = "orig_cl_ord_id",
    OrderId = "order_id",
    OrdType = "ord_type",
    Tif = "tif",
    StopPx = "stop_px",
    StopLossPx = "stop_loss_px",
    ExpireTime = "expire_time",
    Located = "located",
}

use Column::*;

/// Columns of a trade.
pub(super) const TRADE: &[Column] = &[
    Time, Account, Symbol, Side, Qty, Px, ExecId, Venue, Fee, TradeDate, SettleDate, Liquidity, Session,
];

/// Columns that a header of trades must have.
pub(super) const TRADE_REQUIRED: &[Column] = &[Time, Account, Symbol, Side, Qty, Px, ExecId];

/// Columns of a new order.
pub(super) const ORDER_NEW: &[Column] = &[
    Time, ClOrdId, Account, Symbol, Side, OrdType, Tif, Qty, Px, StopPx, StopLossPx, ExpireTime, Located,
    Session,
];

/// Columns of a cancel. A side may stand there, as in FIX; the order's own counts.
pub(super) const ORDER_CANCEL: &[Column] = &[
    Time,
    ClOrdId,
    OrigClOrdId,
    OrderId,
    Account,
    Symbol,
    Side,
    Session,
];

/// Columns of a replace. For the side see [`ORDER_CANCEL`].
pub(super) const ORDER_REPLACE: &[Column] = &[
    Time,
    ClOrdId,
    OrigClOrdId,
    OrderId,
    Account,
    Symbol,
    Side,
    Qty,
    Px,
    StopPx,
    Session,
];

/// Columns of a file of orders.
pub(super) const ORDER: &[Column] = &[
    Time,
    Type,
    ClOrdId,
    OrigClOrdId,
    OrderId,
    Account,
    Symbol,
    Side,
    OrdType,
    Tif,
    Qty,
    Px,
    StopPx,
    StopLossPx,
    ExpireTime,
    Located,
    Session,
];

/// Keys of a JSON object: its kind, and the columns of trades and orders but their type.
pub(super) const JSON: &[Column] = &[
    Kind,
    Time,
    Account,
    Symbol,
    Side,
    Qty,
    Px,
    ExecId,
    Venue,
    Fee,
    TradeDate,
    SettleDate,
    Liquidity,
    Session,
    ClOrdId,
    OrigClOrdId,
    OrderId,
    OrdType,
    Tif,
    StopPx,
    StopLossPx,
    ExpireTime,
    Located,
];

/// Columns that a header of orders must have.
pub(super) const ORDER_REQUIRED: &[Column] = &[Time, Type, ClOrdId];

impl Column {
    /// The column of a name among `columns`, or which of them it looks like.
    pub(super) fn find(name: &[u8], columns: &[Column]) -> Result<Self, Reason> {
        let found = columns
            .iter()
            .copied()
            .find(|column| column.text().as_bytes() == name);
        found.ok_or_else(|| {
            let name = String::from_utf8_lossy(&name[..name.len().min(64)]).into_owned();
            let names: Vec<&'static str> = columns.iter().map(|column| column.text()).collect();
            Reason::UnknownColumn {
                nearest: nearest(&name, &names),
                name,
            }
        })
    }
}

/// The values of a line by column. An empty value is none.
pub(super) struct Row<'a> {
    values: [Cow<'a, [u8]>; Column::COUNT],
}

impl<'a> Row<'a> {
    pub(super) fn new() -> Self {
        Self {
            values: [const { Cow::Borrowed(&[]) }; Column::COUNT],
        }
    }

    pub(super) fn set(&mut self, column: Column, value: Cow<'a, [u8]>) {
        self.values[column as usize] = value;
    }

    /// The value, or `None` where there is none.
    pub(super) fn get(&self, column: Column) -> Option<&[u8]> {
        Some(self.values[column as usize].as_ref()).filter(|value| !value.is_empty())
    }

    /// The value, which must be there.
    pub(super) fn need(&self, column: Column) -> Result<&[u8], Reason> {
        self.get(column).ok_or(Reason::Missing { field: column.text() })
    }

    /// Refuses values in columns that this kind of line does not have.
    pub(super) fn allow(&self, kind: &'static str, columns: &[Column]) -> Result<(), Reason> {
        let foreign = Column::ALL.iter().find(|&&column| {
            !matches!(column, Kind | Type) && self.get(column).is_some() && !columns.contains(&column)
        });
        foreign.map_or(Ok(()), |column| {
            Err(Reason::NotApplicable {
                field: column.text(),
                kind,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_orders_are_those_of_its_kinds() {
        for column in [ORDER_NEW, ORDER_CANCEL, ORDER_REPLACE].concat() {
            assert!(ORDER.contains(&column), "{column:?}");
        }
        for column in ORDER.iter().filter(|column| **column != Type) {
            assert!(
                [ORDER_NEW, ORDER_CANCEL, ORDER_REPLACE].concat().contains(column),
                "{column:?}"
            );
        }
    }
}
