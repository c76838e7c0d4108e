//! A day of clients and venues that do anything.

use crate::desk::Desk;
use proptest::prelude::*;
use tradewind_domain::codes::{Side, TimeInForce};
use tradewind_domain::event::{Event, Kind};

/// One thing that a client or a venue may do; numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Order {
        account: u8,
        side: u8,
        qty: u16,
        px: u16,
        gtc: bool,
    },
    Replace {
        order: u8,
        qty: u16,
        px: u16,
    },
    Cancel {
        order: u8,
    },
    Fill {
        order: u8,
        qty: u16,
        px: u16,
    },
    Report {
        order: u8,
        kind: u8,
    },
    Trade {
        account: u8,
        side: u8,
        qty: u16,
        px: u16,
    },
    Cash {
        account: u8,
        out: bool,
        amount: u16,
    },
    Mark {
        px: u16,
    },
    Kill {
        on: bool,
    },
    NextDay,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let px = 900..1_100u16;
    prop_oneof![
        6 => (0..3u8, 0..3u8, 1..400u16, px.clone(), any::<bool>())
            .prop_map(|(account, side, qty, px, gtc)| Step::Order { account, side, qty, px, gtc }),
        3 => (1..5u8, 1..400u16, px.clone()).prop_map(|(order, qty, px)| Step::Replace { order, qty, px }),
        2 => (1..5u8).prop_map(|order| Step::Cancel { order }),
        6 => (1..5u8, 1..200u16, px.clone()).prop_map(|(order, qty, px)| Step::Fill { order, qty, px }),
        6 => (1..5u8, 0..8u8).prop_map(|(order, kind)| Step::Report { order, kind }),
        2 => (0..3u8, 0..3u8, 1..200u16, px.clone())
            .prop_map(|(account, side, qty, px)| Step::Trade { account, side, qty, px }),
        2 => (0..2u8, any::<bool>(), 1..2_000u16).prop_map(|(account, out, amount)| Step::Cash { account, out, amount }),
        1 => px.prop_map(|px| Step::Mark { px }),
        1 => any::<bool>().prop_map(|on| Step::Kill { on }),
        1 => Just(Step::NextDay),
    ]
}

const ACCOUNTS: [&str; 3] = ["A", "B", "S"];
const SIDES: [Side; 3] = [Side::Buy, Side::Sell, Side::SellShort];
const REPORTS: [Kind; 8] = [
    Kind::VenueAck,
    Kind::VenueReject,
    Kind::VenueCancelled,
    Kind::VenueReplaced,
    Kind::VenueCancelReject,
    Kind::VenueExpired,
    Kind::VenueStatus,
    Kind::OrderUnknown,
];

/// The desk, and the present ClOrdID of each order by its number.
pub(crate) struct Play {
    pub(crate) desk: Desk<tradewind_machine::append::VecJournal<Event>>,
    pub(crate) names: Vec<String>,
    pub(crate) requests: u32,
}

impl Play {
    pub(crate) fn take(&mut self, step: &Step) {
        let cents = |value: u16| format!("{}.{:02}", value / 100, value % 100);
        self.requests += 1;
        let name = format!("c{}", self.requests);
        match *step {
            Step::Order {
                account,
                side,
                qty,
                px,
                gtc,
            } => {
                let (account, side) = (ACCOUNTS[usize::from(account)], SIDES[usize::from(side)]);
                let tif = if gtc { TimeInForce::Gtc } else { TimeInForce::Day };
                self.desk
                    .order_tif(&name, account, side, &qty.to_string(), &cents(px), tif);
                if !self.desk.last().is_rejected() {
                    self.names.push(name);
                }
            }
            Step::Replace { order, qty, px } => {
                let orig = self.name(order);
                self.desk.replace(&orig, &name, &qty.to_string(), &cents(px));
            }
            Step::Cancel { order } => {
                let orig = self.name(order);
                self.desk.cancel(&orig);
            }
            Step::Fill { order, qty, px } => self.desk.fill(order.into(), &qty.to_string(), &cents(px)),
            Step::Report { order, kind } => self.report(order, REPORTS[usize::from(kind)]),
            Step::Trade {
                account,
                side,
                qty,
                px,
            } => {
                let (account, side) = (ACCOUNTS[usize::from(account)], SIDES[usize::from(side)]);
                self.desk.trade(account, side, &qty.to_string(), &cents(px));
            }
            Step::Cash { account, out, amount } => {
                let kind = if out { Kind::Withdrawal } else { Kind::Deposit };
                self.desk
                    .cash(kind, ACCOUNTS[usize::from(account)], &amount.to_string());
            }
            Step::Mark { px } => self.desk.last_trade(&cents(px)),
            Step::Kill { on: true } => self.desk.control(Kind::Kill, "A", ""),
            Step::Kill { on: false } => self.desk.control(Kind::Rearm, "A", "boss"),
            Step::NextDay => self.desk.next_day(),
        }
    }

    fn report(&mut self, order: u8, kind: Kind) {
        self.desk.report(kind, order.into());
    }

    fn name(&self, order: u8) -> String {
        self.names
            .get(usize::from(order) - 1)
            .cloned()
            .unwrap_or_else(|| "none".to_owned())
    }
}
