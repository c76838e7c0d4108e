//! What an order is worth, read from LIMITS sections 1 and 14.

use super::history::{History, Order, Price, Standing, ceil, principal};
use tradewind_domain::codes::{InstrumentKind, OrderType, Side};
use tradewind_domain::fixed::ONE;
use tradewind_domain::reference::Instrument;

/// An order before it is accepted, or what a replace would make of one.
pub(super) struct Ask<'a> {
    pub(super) leaf: u32,
    pub(super) instrument: usize,
    pub(super) side: Side,
    pub(super) ord_type: OrderType,
    pub(super) qty: i128,
    pub(super) leaves: i128,
    pub(super) px: i64,
    pub(super) stop_px: i64,
    pub(super) stop_loss_px: i64,
    pub(super) origin_ns: u64,
    /// The order that a replace takes the place of.
    pub(super) old: Option<(&'a Order, Standing)>,
    /// False where nothing is asked for: the figures are those that stand.
    pub(super) is_new: bool,
}

impl Ask<'_> {
    pub(super) fn old_qty(&self) -> i128 {
        self.old.as_ref().map_or(0, |(_, now)| now.reserved_qty())
    }

    pub(super) fn old_value(&self) -> i128 {
        self.old.as_ref().map_or(0, |(_, now)| now.reserved_value())
    }

    pub(super) fn old_order_value(&self) -> i128 {
        self.old.as_ref().map_or(0, |(_, now)| now.order_value())
    }
}

impl History {
    /// Base value of one unit at a price, rounded up (section 1).
    pub(super) fn unit(&self, instrument: &Instrument, px: i128) -> i128 {
        let (mult, rate) = (i128::from(instrument.mult), self.rate(instrument.currency.0));
        if instrument.kind == InstrumentKind::Inverse as u8 {
            ceil(mult * rate, px)
        } else {
            ceil(px * mult * rate, 10i128.pow(16))
        }
    }

    /// Section 1: the price that an order is held at; `None` where it needs a reference and has none.
    fn risk_price(&self, ask: &Ask<'_>) -> Option<i128> {
        let reference = self.reference(ask.instrument).map(i128::from);
        let slipped = |px: i128| ceil(px * 10_500, 10_000);
        let above = |px: i64| reference.map_or(i128::from(px), |reference| reference.max(i128::from(px)));
        Some(match (ask.ord_type, ask.side.is_buy()) {
            (OrderType::Limit | OrderType::StopLimit, true) => i128::from(ask.px),
            (OrderType::Limit | OrderType::StopLimit, false) => above(ask.px),
            (OrderType::Market, true) => slipped(reference?),
            (OrderType::Market, false) => reference?,
            (OrderType::Stop, true) => slipped(above(ask.stop_px)),
            (OrderType::Stop, false) => above(ask.stop_px),
        })
    }

    /// What an order is worth; `None` for NO_REFERENCE_PRICE.
    pub(super) fn price(&self, ask: &Ask<'_>) -> Option<Price> {
        let instrument = &self.instruments[ask.instrument];
        let risk_px = self.risk_price(ask)?;
        let unit = self.unit(instrument, risk_px);
        let (close_qty, short_px) = self.binary_parts(ask, risk_px);
        let short_unit = short_px.map_or(unit, |px| self.unit(instrument, px));
        let value = close_qty * unit + (ask.leaves - close_qty) * short_unit;
        let mut price = Price {
            risk_px: short_px.unwrap_or(risk_px),
            unit,
            short_unit,
            close_qty,
            value,
            order_value: value + (ask.qty - ask.leaves) * short_unit,
            risk: self.risk(ask, risk_px, unit),
            ..Price::default()
        };
        if (ask.side.is_buy() || short_px.is_some()) && instrument.moves_principal() {
            let opens = ask.leaves - close_qty;
            let needed = principal(instrument, opens, price.risk_px, true).max(0);
            let minor = 10i128.pow(8 - u32::from(instrument.money_dp));
            price.fee = ceil(needed * self.fee_bps(ask.leaf), 10_000 * minor) * minor;
            price.cash = needed + price.fee;
        }
        Some(price)
    }

    /// Section 14, Cash: the part of a binary sale that closes the long position, and the price that the rest is valued at.
    fn binary_parts(&self, ask: &Ask<'_>, risk_px: i128) -> (i128, Option<i128>) {
        let is_binary = self.instruments[ask.instrument].kind == InstrumentKind::Binary as u8;
        if !is_binary || ask.side.is_buy() {
            return (0, None);
        }
        let account = self.account_of(ask.leaf);
        let others = self.open_qty(account, ask.instrument, false) - ask.old_qty();
        let closes = (self.position(account, ask.instrument) - others).clamp(0, ask.leaves);
        if closes == ask.leaves {
            return (0, None);
        }
        let own = match ask.ord_type {
            OrderType::Limit | OrderType::StopLimit => i128::from(ask.px),
            OrderType::Stop => i128::from(ask.stop_px),
            OrderType::Market => risk_px,
        };
        (closes, Some(i128::from(ONE) - own))
    }

    /// L32: what one unit loses at the trader's stop price, 1e-16.
    fn risk(&self, ask: &Ask<'_>, risk_px: i128, unit: i128) -> Option<i128> {
        let instrument = &self.instruments[ask.instrument];
        let stop = i128::from(ask.stop_loss_px);
        if stop == 0 {
            return None;
        }
        if instrument.kind == InstrumentKind::Inverse as u8 {
            return Some((unit - self.unit(instrument, stop)).abs() * i128::from(ONE));
        }
        let point = i128::from(instrument.mult) * self.rate(instrument.currency.0);
        assert_eq!(
            point % i128::from(ONE),
            0,
            "the test's multipliers and rates are exact"
        );
        Some((risk_px - stop).abs() * (point / i128::from(ONE)))
    }

    /// The fee estimate: that of the narrowest node with a BUYING_POWER limit.
    pub(super) fn fee_bps(&self, leaf: u32) -> i128 {
        let limits = self.in_force();
        let of = |node: &u32| {
            let here = limits
                .iter()
                .filter(|set| set.limit_type == 29 && set.node.0 == *node);
            here.map(|set| i128::from(set.params[1])).max()
        };
        self.chain(leaf).iter().find_map(of).unwrap_or(0)
    }

    /// Value of an execution at its own price and the present rate; the part of a binary sale that opens a short by what it can lose.
    pub(super) fn execution_value(
        &self,
        leaf: u32,
        instrument: usize,
        side: Side,
        qty: i128,
        px: i128,
    ) -> i128 {
        let row = &self.instruments[instrument];
        if row.kind != InstrumentKind::Binary as u8 || side.is_buy() {
            return qty * self.unit(row, px);
        }
        let closes = self.position(self.account_of(leaf), instrument).clamp(0, qty);
        closes * self.unit(row, px) + (qty - closes) * self.unit(row, i128::from(ONE) - px)
    }

    /// Position of a node: executions that were not busted.
    pub(super) fn position(&self, node: u32, instrument: usize) -> i128 {
        let mine = self
            .execs
            .iter()
            .filter(|exec| !exec.busted && exec.instrument == instrument && self.is_below(exec.leaf, node));
        mine.map(super::history::Exec::signed).sum()
    }

    /// Reserved quantity of a side below a node.
    pub(super) fn open_qty(&self, node: u32, instrument: usize, buys: bool) -> i128 {
        let mine = self.open().filter(|(_, order, _)| {
            order.asked.instrument.index() == instrument
                && order.is_buy() == buys
                && self.is_below(order.asked.leaf.0, node)
        });
        mine.map(|(_, _, now)| now.reserved_qty()).sum()
    }
}
