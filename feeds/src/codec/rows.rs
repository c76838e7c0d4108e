//! Rows of our own formats to messages.

use super::columns::{Column, ORDER_CANCEL, ORDER_NEW, ORDER_REPLACE, Row, TRADE};
use super::error::Reason;
use super::fields::{date, decimal, integer, text, time};
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Execution, Inbound, Kind, OrderCancel, OrderNew, OrderReplace, execution_flags,
};
use tradewind_domain::fixed::{Money, SCALE_DP};
use tradewind_domain::ids::{OrderId, SessionId, VenueId};
use tradewind_domain::text::ClOrdId;

const DP: u8 = SCALE_DP as u8;

/// The value of a column, read by `read`; `None` where there is none.
fn optional<T>(
    row: &Row<'_>,
    column: Column,
    read: impl FnOnce(&'static str, &[u8]) -> Result<T, Reason>,
) -> Result<Option<T>, Reason> {
    row.get(column)
        .map(|bytes| read(column.text(), bytes))
        .transpose()
}

/// The value of a column, which must be there, read by `read`.
fn required<T>(
    row: &Row<'_>,
    column: Column,
    read: impl FnOnce(&'static str, &[u8]) -> Result<T, Reason>,
) -> Result<T, Reason> {
    read(column.text(), row.need(column)?)
}

/// A value of a small closed set by its name.
fn code<T>(
    expected: &'static str,
    from_text: impl FnOnce(&str) -> Option<T>,
) -> impl FnOnce(&'static str, &[u8]) -> Result<T, Reason> {
    move |field, bytes| {
        std::str::from_utf8(bytes)
            .ok()
            .and_then(from_text)
            .ok_or(Reason::Value { field, expected })
    }
}

fn side(field: &'static str, bytes: &[u8]) -> Result<u8, Reason> {
    code("BUY, SELL or SELL_SHORT", Side::from_text)(field, bytes).map(|side| side as u8)
}

fn session(row: &Row<'_>, default: SessionId) -> Result<SessionId, Reason> {
    Ok(optional(row, Column::Session, integer)?.map_or(default, SessionId))
}

/// The message with time and names of the row.
fn addressed(row: &Row<'_>, inbound: Inbound) -> Result<Inbound, Reason> {
    let symbol = optional(row, Column::Symbol, text)?.unwrap_or_default();
    let account = optional(row, Column::Account, text)?.unwrap_or_default();
    Ok(inbound
        .named(symbol, account)
        .at(required(row, Column::Time, time)?))
}

/// An executed trade.
pub(super) fn trade(row: &Row<'_>, default_session: SessionId) -> Result<Inbound, Reason> {
    row.allow("trade", TRADE)?;
    row.need(Column::Account)?;
    row.need(Column::Symbol)?;
    let fee = optional(row, Column::Fee, decimal)?;
    let settle_date = optional(row, Column::SettleDate, date)?;
    let mut flags = 0;
    if fee.is_some() {
        flags |= execution_flags::HAS_FEE;
    }
    if settle_date.is_some() {
        flags |= execution_flags::HAS_SETTLE_DATE;
    }
    let body = Execution {
        exec_id: required(row, Column::ExecId, text)?,
        order_id: OrderId::NONE,
        qty: required(row, Column::Qty, decimal)?,
        px: required(row, Column::Px, decimal)?,
        fee: Money::from_raw(i128::from(fee.unwrap_or_default())),
        trade_date: optional(row, Column::TradeDate, date)?.unwrap_or_default(),
        settle_date: settle_date.unwrap_or_default(),
        session: session(row, default_session)?,
        venue: VenueId(optional(row, Column::Venue, integer)?.unwrap_or_default()),
        side: required(row, Column::Side, side)?,
        flags,
        qty_dp: DP,
        px_dp: DP,
        liquidity: optional(row, Column::Liquidity, liquidity)?.unwrap_or_default(),
        ..Execution::zeroed()
    };
    addressed(row, Inbound::new(Kind::TradeCapture, &body))
}

fn liquidity(field: &'static str, bytes: &[u8]) -> Result<u8, Reason> {
    let known = |text: &str| match text {
        "MAKER" => Some(1),
        "TAKER" => Some(2),
        _ => None,
    };
    code("MAKER or TAKER", known)(field, bytes)
}

/// A new order. Without an order type it is a limit order where it has a price, else a market order.
pub(super) fn order_new(row: &Row<'_>, default_session: SessionId) -> Result<Inbound, Reason> {
    row.allow("new", ORDER_NEW)?;
    row.need(Column::Account)?;
    row.need(Column::Symbol)?;
    let px = optional(row, Column::Px, decimal)?;
    let ord_type = optional(
        row,
        Column::OrdType,
        code("MARKET, LIMIT, STOP or STOP_LIMIT", OrderType::from_text),
    )?;
    let tif = optional(
        row,
        Column::Tif,
        code("DAY, GTC, IOC, FOK or GTD", TimeInForce::from_text),
    )?;
    let located = optional(
        row,
        Column::Located,
        code("0 or 1", |text| ["0", "1"].iter().position(|&flag| flag == text)),
    )?;
    let body = OrderNew {
        cl_ord_id: required(row, Column::ClOrdId, text)?,
        qty: required(row, Column::Qty, decimal)?,
        px: px.unwrap_or_default(),
        stop_px: optional(row, Column::StopPx, decimal)?.unwrap_or_default(),
        stop_loss_px: optional(row, Column::StopLossPx, decimal)?.unwrap_or_default(),
        expire_ns: optional(row, Column::ExpireTime, time)?.unwrap_or_default(),
        session: session(row, default_session)?,
        side: required(row, Column::Side, side)?,
        ord_type: ord_type.unwrap_or(if px.is_some() {
            OrderType::Limit
        } else {
            OrderType::Market
        }) as u8,
        tif: tif.unwrap_or(TimeInForce::Day) as u8,
        qty_dp: DP,
        px_dp: DP,
        located: located.unwrap_or_default() as u8,
        ..OrderNew::zeroed()
    };
    addressed(row, Inbound::new(Kind::OrderNew, &body))
}

/// Which order a cancel or replace is about: by identifier, by order id, or both.
fn target(row: &Row<'_>) -> Result<(ClOrdId, OrderId), Reason> {
    let order_id = code("SHARD-COUNTER, for example 0-42", |text| text.parse().ok());
    let orig = optional(row, Column::OrigClOrdId, text)?;
    let order_id = optional(row, Column::OrderId, order_id)?;
    if orig.is_none() && order_id.is_none() {
        return Err(Reason::Missing {
            field: Column::OrigClOrdId.text(),
        });
    }
    Ok((orig.unwrap_or_default(), order_id.unwrap_or_default()))
}

/// A cancel of one order.
pub(super) fn order_cancel(row: &Row<'_>, default_session: SessionId) -> Result<Inbound, Reason> {
    row.allow("cancel", ORDER_CANCEL)?;
    optional(row, Column::Side, side)?;
    let (orig_cl_ord_id, order_id) = target(row)?;
    let body = OrderCancel {
        cl_ord_id: required(row, Column::ClOrdId, text)?,
        orig_cl_ord_id,
        order_id,
        session: session(row, default_session)?,
        ..OrderCancel::zeroed()
    };
    addressed(row, Inbound::new(Kind::OrderCancel, &body))
}

/// A replace of one order.
pub(super) fn order_replace(row: &Row<'_>, default_session: SessionId) -> Result<Inbound, Reason> {
    row.allow("replace", ORDER_REPLACE)?;
    optional(row, Column::Side, side)?;
    let (orig_cl_ord_id, order_id) = target(row)?;
    let body = OrderReplace {
        cl_ord_id: required(row, Column::ClOrdId, text)?,
        orig_cl_ord_id,
        order_id,
        qty: required(row, Column::Qty, decimal)?,
        px: optional(row, Column::Px, decimal)?.unwrap_or_default(),
        stop_px: optional(row, Column::StopPx, decimal)?.unwrap_or_default(),
        session: session(row, default_session)?,
        qty_dp: DP,
        px_dp: DP,
        ..OrderReplace::zeroed()
    };
    addressed(row, Inbound::new(Kind::OrderReplace, &body))
}
