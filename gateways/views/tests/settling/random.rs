//! Days on which anything happens between trade and settlement.

use crate::desk::{dec, text};
use crate::{MONDAY, Memory, desk, dividend, of_kind, replica, split};
use bytemuck::Zeroable;
use proptest::prelude::*;
use tradewind_domain::codes::{Side, TransferPhase};
use tradewind_domain::event::{Event, Execution, Kind, LedgerTransfer, SettlementFail};
use tradewind_domain::fixed::Money;

/// One thing that happens between trade and settlement; numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Trade {
        account: u8,
        buys: bool,
        qty: u16,
        px: u16,
    },
    Bust {
        trade: u8,
    },
    Correct {
        trade: u8,
        qty: u16,
        px: u16,
    },
    Allocate {
        trade: u8,
        part: u16,
    },
    Unallocate {
        id: u8,
    },
    Fail {
        trade: u8,
        days: u8,
    },
    Dividend {
        cents: u16,
        days: u8,
    },
    Split {
        numerator: u8,
        denominator: u8,
    },
    Transfer {
        id: u8,
        phase: u8,
        cents: u16,
    },
    NextDay,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let px = 900..1_100u16;
    prop_oneof![
        8 => (0..4u8, any::<bool>(), 1..200u16, px.clone())
            .prop_map(|(account, buys, qty, px)| Step::Trade { account, buys, qty, px }),
        2 => any::<u8>().prop_map(|trade| Step::Bust { trade }),
        2 => (any::<u8>(), 1..200u16, px).prop_map(|(trade, qty, px)| Step::Correct { trade, qty, px }),
        4 => (any::<u8>(), 0..100u16).prop_map(|(trade, part)| Step::Allocate { trade, part }),
        2 => any::<u8>().prop_map(|id| Step::Unallocate { id }),
        4 => (any::<u8>(), 0..4u8).prop_map(|(trade, days)| Step::Fail { trade, days }),
        2 => (1..99u16, 0..4u8).prop_map(|(cents, days)| Step::Dividend { cents, days }),
        1 => (1..4u8, 1..4u8).prop_map(|(numerator, denominator)| Step::Split { numerator, denominator }),
        2 => (0..8u8, 0..4u8, 0..99u16).prop_map(|(id, phase, cents)| Step::Transfer { id, phase, cents }),
        3 => Just(Step::NextDay),
    ]
}

const ACCOUNTS: [&str; 4] = ["A", "B", "C", "D"];

pub(crate) struct Play {
    pub(crate) desk: Memory,
    blocks: u32,
    days: u32,
}

impl Play {
    pub(crate) fn new() -> Self {
        Self {
            desk: desk(),
            blocks: 0,
            days: 0,
        }
    }

    fn booked(&self, number: u8) -> Option<Event> {
        let trades = of_kind(&self.desk, Kind::TradeCapture);
        (!trades.is_empty()).then(|| trades[usize::from(number) % trades.len()])
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let cents = |value: u16| format!("{}.{:02}", value / 100, value % 100);
        match *step {
            Step::Trade {
                account,
                buys,
                qty,
                px,
            } => {
                let side = if buys { Side::Buy } else { Side::SellShort };
                let account = ACCOUNTS[usize::from(account)];
                self.desk.trade(account, side, &qty.to_string(), &cents(px));
            }
            Step::Bust { trade } => {
                if let Some(booked) = self.booked(trade) {
                    self.desk.bust(&booked);
                }
            }
            Step::Correct { trade, qty, px } => {
                if let Some(booked) = self.booked(trade) {
                    self.desk.correct(&booked, &qty.to_string(), &cents(px));
                }
            }
            Step::Allocate { trade, part } => self.allocate(trade, part),
            Step::Unallocate { id } => {
                let id = u32::from(id) % self.blocks.max(1);
                for block in ACCOUNTS {
                    self.desk.allocate(&format!("AL{id}"), block, &[], &[]);
                }
            }
            Step::Fail { trade, days } => {
                if let Some(booked) = self.booked(trade) {
                    let execution: &Execution = booked.body();
                    let body = SettlementFail {
                        exec_id: execution.exec_id,
                        trade_date: execution.trade_date,
                        venue: execution.venue,
                        settle_date: if days == 0 {
                            0
                        } else {
                            MONDAY + self.days + u32::from(days)
                        },
                        ..SettlementFail::zeroed()
                    };
                    self.desk.send(Kind::SettlementFail, &body, "", "");
                }
            }
            Step::Dividend { cents, days } => {
                let ex_date = MONDAY + self.days;
                dividend(
                    &mut self.desk,
                    &format!("0.{cents:02}"),
                    ex_date,
                    ex_date + u32::from(days),
                );
            }
            Step::Split {
                numerator,
                denominator,
            } => split(&mut self.desk, numerator.into(), denominator.into()),
            Step::Transfer {
                id,
                phase,
                cents: amount,
            } => {
                let body = LedgerTransfer {
                    transfer_id: text(&format!("T{id}")),
                    phase: TransferPhase::ALL[usize::from(phase)] as u8,
                    debit: text("STREET:USD"),
                    credit: text("SUSPENSE:USD"),
                    amount: Money::from_raw(dec(&cents(amount)).into()),
                    ..LedgerTransfer::zeroed()
                };
                self.desk.send(Kind::LedgerTransfer, &body, "", "");
            }
            Step::NextDay => {
                self.desk.next_day();
                self.days += 1;
            }
        }
    }

    /// A trade becomes a block for two of the other accounts.
    fn allocate(&mut self, trade: u8, part: u16) {
        let Some(booked) = self.booked(trade) else { return };
        let execution: &Execution = booked.body();
        let replica = replica(&self.desk);
        let code = |name: &&&str| {
            let node = replica.registry().node_named(&text(name)).expect("an account");
            node.account == execution.account
        };
        let block = ACCOUNTS.iter().find(code).expect("one of ours");
        let others: Vec<&str> = ACCOUNTS.into_iter().filter(|name| name != block).collect();
        let whole = execution.qty / dec("1");
        let first = i64::from(part) * whole / 100;
        let legs: Vec<(&str, String)> = [(others[0], first), (others[1], whole - first)]
            .into_iter()
            .filter(|(_, qty)| *qty > 0)
            .map(|(name, qty)| (name, qty.to_string()))
            .collect();
        let legs: Vec<(&str, &str)> = legs.iter().map(|(name, qty)| (*name, qty.as_str())).collect();
        let id = format!("AL{}", self.blocks);
        self.blocks += 1;
        self.desk.allocate(&id, block, &[execution.exec_id], &legs);
    }
}
