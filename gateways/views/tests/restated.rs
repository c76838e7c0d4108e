//! A trade that is taken back leaves the books as if it had never been, and one that is corrected as if it had been so from the start: whatever
//! corporate actions lie behind it, and whether they found its account holding or flat.
//!
//! Each case is played twice by the whole pipeline: as it came, with its busts and corrections, and without them on the trades that are left.

mod desk;

use bytemuck::Zeroable;
use desk::{Desk, HASH_KEY, capacities, dec, digest_of, text};
use proptest::prelude::*;
use tradewind_domain::codes::{CorporateActionKind, InstrumentKind, Side};
use tradewind_domain::event::{CorporateAction, Event, Execution, InstrumentSet, Kind};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{HoldingId, InstrumentId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_machine::append::VecJournal;
use tradewind_views::{Auditor, Replica};

/// Whose trades are taken back. A holds all the time, so every action finds somebody.
const ACCOUNT: &str = "B";

const SYMBOL: &str = "CASE";

/// What is drawn. Prices are in hundredths.
#[derive(Clone, Copy, Debug)]
enum Step {
    Trade(i64, u32),
    /// A trade that leaves the position flat.
    Flatten(u32),
    Split(u32, u32, u32),
    Dividend(u32),
    Funding(i64),
    /// Variation margin, or the end of a contract.
    Margin(u32),
    End(u32),
    Bust(prop::sample::Index),
    Correct(prop::sample::Index, i64, u32),
}

/// What is sent in the second play.
#[derive(Clone)]
enum Sent {
    Trade(i64, u32),
    Action(CorporateAction),
}

/// One play of a case.
struct Play {
    desk: Desk<VecJournal<Event>>,
    kind: InstrumentKind,
    sent: Vec<Sent>,
    /// Trades that count: where they stand in `sent`, and their records.
    live: Vec<(usize, Event)>,
}

impl Play {
    fn new(kind: InstrumentKind) -> Self {
        let mut desk = Desk::in_memory();
        let set = InstrumentSet {
            row: Instrument {
                symbol: text(SYMBOL),
                kind: kind as u8,
                id: InstrumentId::NONE,
                ..Instrument::default_linear()
            },
            currency_code: text("USD"),
            ..InstrumentSet::zeroed()
        };
        desk.send(Kind::InstrumentSet, &set, "", "");
        assert!(!desk.last().is_rejected(), "{:?}", desk.last().reject_code());
        for account in ["A", ACCOUNT] {
            desk.deposit(account, "100000");
        }
        desk.trade_in(SYMBOL, "A", Side::Buy, "10", &px_of(kind, 50));
        assert!(!desk.last().is_rejected());
        Self {
            desk,
            kind,
            sent: Vec::new(),
            live: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Trade(qty, px) => self.trade(qty, px),
            Step::Flatten(px) => self.trade(-self.held(), px),
            Step::Split(numerator, denominator, px) => self.act(CorporateAction {
                numerator,
                denominator,
                ..action(CorporateActionKind::Split, i128::from(dec(&px_of(self.kind, px))))
            }),
            Step::Dividend(cents) => self.act(CorporateAction {
                withhold_bps: 1_500,
                ..action(CorporateActionKind::CashDividend, i128::from(cents) * 333_333)
            }),
            Step::Funding(rate) => self.act(CorporateAction {
                gross: Money::from_raw(dec("101.01").into()),
                ..action(CorporateActionKind::Funding, rate.into())
            }),
            Step::Margin(px) => self.settle(CorporateActionKind::VariationMargin, px),
            Step::End(px) => self.settle(CorporateActionKind::Settlement, px),
            Step::Bust(which) => self.change(which, 0, 0),
            Step::Correct(which, qty, px) => self.change(which, qty, px),
        }
    }

    fn settle(&mut self, kind: CorporateActionKind, px: u32) {
        let px = match self.kind {
            InstrumentKind::Binary => dec("0.5") * i64::from(px % 3),
            kind => dec(&px_of(kind, px)),
        };
        self.act(action(kind, px.into()));
    }

    fn trade(&mut self, qty: i64, px: u32) {
        if qty == 0 {
            return;
        }
        let side = if qty > 0 { Side::Buy } else { Side::Sell };
        let px_text = px_of(self.kind, px);
        self.desk
            .trade_in(SYMBOL, ACCOUNT, side, &qty.abs().to_string(), &px_text);
        let record = *self.desk.last();
        assert!(!record.is_rejected(), "{:?}", record.reject_code());
        self.live.push((self.sent.len(), record));
        self.sent.push(Sent::Trade(qty, px));
    }

    /// An action that the instrument has no use for is refused, in both plays.
    fn act(&mut self, action: CorporateAction) {
        self.desk.send(Kind::CorporateAction, &action, SYMBOL, "");
        let moves_principal = matches!(self.kind, InstrumentKind::Equity | InstrumentKind::Binary);
        let has_use = match CorporateActionKind::from_code(action.action) {
            Some(CorporateActionKind::Split) => self.kind == InstrumentKind::Equity,
            Some(CorporateActionKind::VariationMargin) => !moves_principal,
            _ => true,
        };
        let announced = self.desk.events().iter().rev().find(|event| event.head.part == 0);
        assert_eq!(
            announced.is_some_and(|event| !event.is_rejected()),
            has_use,
            "{action:?}"
        );
        self.sent.push(Sent::Action(action));
    }

    /// A trade that counts is taken back (`qty` 0), or another one from now on.
    fn change(&mut self, which: prop::sample::Index, qty: i64, px: u32) {
        if self.live.is_empty() {
            return;
        }
        let at = which.index(self.live.len());
        let (place, record) = self.live[at];
        if qty == 0 {
            self.live.remove(at);
            self.desk.bust(&record);
            self.sent[place] = Sent::Trade(0, 0);
        } else {
            let px_text = px_of(self.kind, px);
            self.desk.correct(&record, &qty.to_string(), &px_text);
            let Sent::Trade(was, _) = self.sent[place] else {
                unreachable!("a trade stands there");
            };
            self.sent[place] = Sent::Trade(was.signum() * qty, px);
        }
        assert!(
            !self.desk.last().is_rejected(),
            "{:?}",
            self.desk.last().reject_code()
        );
    }

    /// The account's position as the records have it.
    fn held(&self) -> i64 {
        let replica = replica(self.desk.events());
        let held = replica
            .positions()
            .position(HOLDING)
            .map_or(0, |row| row.qty.raw());
        (held / i128::from(dec("1"))) as i64 // whole lots
    }
}

/// The second holding: A traded first.
const HOLDING: HoldingId = HoldingId(1);

fn action(kind: CorporateActionKind, amount: i128) -> CorporateAction {
    CorporateAction {
        cash_per_unit: Money::from_raw(amount),
        action: kind as u8,
        instrument: InstrumentId::NONE,
        holding: HoldingId::NONE,
        node: NodeId::NONE,
        ..CorporateAction::zeroed()
    }
}

/// Prices of binary contracts are below one.
fn px_of(kind: InstrumentKind, px: u32) -> String {
    match kind {
        InstrumentKind::Binary => format!("0.{:02}", 1 + px % 99),
        _ => format!("{}.{:02}", 90 + px / 10, px % 100),
    }
}

fn replica(events: &[Event]) -> Replica {
    let mut replica = Replica::new(&capacities(), &HASH_KEY);
    events
        .iter()
        .for_each(|event| replica.apply(event).expect("a record that follows"));
    replica
}

/// What the books say of the account: position, profit, income, cash and lots.
#[derive(Debug, Default, PartialEq)]
struct Books {
    qty: i128,
    cost: i128,
    realised: i128,
    fees: i128,
    fills: u64,
    income: [i128; 3],
    cash: i128,
    custody: i128,
    nodes: i128,
    margined: i128,
    lots: Vec<(i128, i128)>,
}

fn books(events: &[Event]) -> Books {
    let replica = replica(events);
    let node = replica.registry().node_named(&text(ACCOUNT)).expect("an account");
    let wallet = replica
        .settle()
        .wallets()
        .find(|(_, wallet)| wallet.account == node.account);
    let mut books = Books {
        cash: wallet.map_or(0, |(_, wallet)| wallet.settled.raw()),
        ..Books::default()
    };
    let pairs = replica.limit_check().pairs();
    if let Some(pair) = pairs.iter().find(|pair| pair.node == node.node) {
        books.nodes = pair.flow.position;
    }
    let positions = replica.positions();
    if let Some(row) = positions.position(HOLDING) {
        (books.qty, books.cost) = (row.qty.raw(), row.cost.raw());
        (books.realised, books.fees, books.fills) = (row.realised.raw(), row.fees.raw(), row.fills);
    }
    if let Some(income) = positions.income(HOLDING) {
        books.income = [income.gross, income.withheld, income.margin].map(Money::raw);
    }
    let custody = replica.settle().custody(HOLDING);
    books.custody = custody.settled.raw();
    books.lots = positions
        .lots(HOLDING)
        .map(|lot| (lot.qty.raw(), lot.cost.raw()))
        .collect();
    books
}

/// The journal agrees with itself, and a replica of it is what the stages were.
fn assert_sound(desk: Desk<VecJournal<Event>>) {
    let mut auditor = Auditor::new(&capacities(), &HASH_KEY);
    desk.events().iter().for_each(|event| auditor.see(event));
    let report = auditor.finish();
    assert!(report.is_ok(), "{:#?}", report.checks);
    let replica = replica(desk.events());
    assert_eq!(replica.digest(), digest_of(&desk.finish().stages));
}

fn assert_as_if_it_had_never_been(kind: InstrumentKind, steps: &[Step]) {
    let mut came = Play::new(kind);
    steps.iter().for_each(|step| came.take(*step));
    let mut never = Play::new(kind);
    for sent in &came.sent {
        match sent {
            Sent::Trade(qty, px) => never.trade(*qty, *px),
            Sent::Action(action) => never.act(*action),
        }
    }
    assert_eq!(
        books(came.desk.events()),
        books(never.desk.events()),
        "{kind:?} {steps:?}"
    );
    assert_sound(came.desk);
}

fn step() -> impl Strategy<Value = Step> {
    let px = 0..300_u32;
    let which = any::<prop::sample::Index>();
    prop_oneof![
        4 => ((-9..=9_i64), px.clone()).prop_map(|(qty, px)| Step::Trade(qty, px)),
        3 => px.clone().prop_map(Step::Flatten),
        2 => (1..=7_u32, 1..=7_u32, px.clone()).prop_map(|(new, old, px)| Step::Split(new, old, px)),
        1 => (1..90_u32).prop_map(Step::Dividend),
        1 => (-90_000..90_000_i64).prop_map(Step::Funding),
        2 => px.clone().prop_map(Step::Margin),
        1 => px.clone().prop_map(Step::End),
        3 => which.clone().prop_map(Step::Bust),
        2 => (which, 1..=9_i64, px).prop_map(|(which, qty, px)| Step::Correct(which, qty, px)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_trade_that_was_taken_back_has_never_been_whatever_happened_since(
        kind in prop::sample::select(vec![
            InstrumentKind::Equity,
            InstrumentKind::Future,
            InstrumentKind::Inverse,
            InstrumentKind::Binary,
        ]),
        steps in prop::collection::vec(step(), 1..24),
    ) {
        assert_as_if_it_had_never_been(kind, &steps);
    }
}

/// Bought and sold at one price, so that nothing is owed: the margins of two days find the account flat and nothing to pay.
#[test]
fn margins_that_found_an_account_flat_are_paid_once_its_sale_is_taken_back() {
    let mut play = Play::new(InstrumentKind::Future);
    for step in [
        Step::Trade(2, 0),
        Step::Flatten(0),
        Step::Margin(50),
        Step::Margin(30),
    ] {
        play.take(step);
    }
    assert_eq!(books(play.desk.events()).income[2], 0);
    let (_, sale) = play.live[1];
    play.desk.bust(&sale);
    let now = books(play.desk.events());
    // Two contracts from 90.00 to 93.30.
    assert_eq!((now.qty, now.cost), (dec("2").into(), dec("186.60").into()));
    assert_eq!(
        (now.realised, now.income[2]),
        (dec("6.60").into(), dec("6.60").into())
    );
    assert_sound(play.desk);
}

#[test]
fn a_binary_contract_that_ended_while_its_account_was_flat_ended_for_what_a_bust_leaves() {
    let mut play = Play::new(InstrumentKind::Binary);
    for step in [Step::Trade(9, 41), Step::Flatten(59), Step::End(2)] {
        play.take(step);
    }
    let (_, sale) = play.live[1];
    play.desk.bust(&sale);
    let now = books(play.desk.events());
    // Nine at 0.42 are worth 9.00.
    assert_eq!((now.qty, now.cost, now.nodes), (0, 0, 0));
    assert_eq!(now.realised, dec("5.22").into());
    assert_sound(play.desk);
}

/// A split that found nobody leaves a record for a trade that may be taken back, and moves nothing.
#[test]
fn what_found_an_account_flat_stands_in_the_journal_and_moves_nothing() {
    let mut play = Play::new(InstrumentKind::Equity);
    play.take(Step::Trade(5, 10));
    play.take(Step::Flatten(20));
    let before = books(play.desk.events());
    play.take(Step::Split(1, 3, 0));
    let found: Vec<bool> = play
        .desk
        .events()
        .iter()
        .filter(|event| event.kind() == Some(Kind::HolderSplit))
        .map(|event| event.body::<CorporateAction>())
        .filter(|split| split.holding == HOLDING)
        .map(CorporateAction::found_nothing)
        .collect();
    assert_eq!(found, [true]);
    assert_eq!(books(play.desk.events()), before);
    let (_, sale) = play.live[1];
    assert_eq!(sale.body::<Execution>().qty, dec("5"));
    play.desk.bust(&sale);
    // Five become one and two thirds, which are paid at 90.00.
    let now = books(play.desk.events());
    assert_eq!(now.qty, dec("1").into());
    assert_eq!(now.cash - before.cash, i128::from(dec("60") - dec("460.75")));
    assert_sound(play.desk);
}
