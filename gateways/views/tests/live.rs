//! The live replica beside a running pipeline: what readers see, who is told, and that what is said to have changed is all that did.

mod desk;

use bytemuck::Zeroable;
use desk::{Desk, Place, capacities, text};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use tradewind_domain::codes::{CorporateActionKind, Level, Side};
use tradewind_domain::event::{CorporateAction, Event, HolderAction, Kind, head_flags};
use tradewind_domain::fixed::Money;
use tradewind_machine::journal::{Follower, JournalHandle, JournalWriter, StartAt};
use tradewind_machine::source::SOURCE_LONG;
use tradewind_views::live::{Awaited, Group, Held, Live, LiveThread, Told};
use tradewind_views::query::current::{
    Current, Decimal, Filter, LimitUsage, LiveError, Market, Order, Position, Profit, Scope,
};
use tradewind_views::{Reader, state};

/// A journal that is written record by record, and its live replica.
struct Beside {
    place: Place,
    writer: JournalWriter,
    handle: JournalHandle,
    thread: LiveThread,
}

impl Beside {
    fn new() -> Self {
        let place = Place::new();
        let (mut writer, handle) = place.open();
        let first = Desk::in_memory();
        append(&mut writer, &first.events()[0]);
        let live = Live::new(place.dir(), &capacities()).unwrap();
        let follower = Follower::open(place.dir(), StartAt::Start).unwrap();
        let thread = LiveThread::start(live, follower).unwrap();
        Self {
            place,
            writer,
            handle,
            thread,
        }
    }

    fn live(&self) -> &Arc<Live> {
        self.thread.live()
    }

    fn append(&mut self, event: &Event) {
        append(&mut self.writer, event);
    }

    fn stop(self) -> Place {
        self.thread.stop();
        drop(self.writer);
        self.handle.stop().unwrap();
        self.place
    }
}

fn append(writer: &mut JournalWriter, event: &Event) {
    writer.append(event).unwrap();
    writer.commit(event.head.recv_ns + 500).unwrap();
}

fn busy_events() -> Vec<Event> {
    let mut desk = Desk::in_memory();
    desk.busy_day();
    let is_booked = |event: &&Event| event.kind() == Some(Kind::TradeCapture) && !event.is_rejected();
    let booked = *desk.events().iter().rfind(is_booked).unwrap();
    desk.bust(&booked);
    desk.events().to_vec()
}

fn all() -> Filter {
    Filter::of(Scope::All)
}

#[test]
fn what_readers_see_is_the_state_of_a_replica_made_of_the_journal_at_rest() {
    let mut beside = Beside::new();
    let events = busy_events();
    events[1..].iter().for_each(|event| beside.append(event));
    let live = Arc::clone(beside.live());
    let (positions, balances) = (live.positions(&all()).unwrap(), live.balances(&all()).unwrap());
    let (orders, profit) = (
        live.open_orders(&all()).unwrap(),
        live.profit(&Scope::All).unwrap(),
    );
    let limits = live.limits(&Scope::All).unwrap();
    assert_eq!(
        positions.as_of,
        events.last().unwrap().head.seq,
        "all that was released is in"
    );

    let place = beside.stop();
    let mut reader = Reader::open(place.dir()).unwrap();
    let mut replica = reader.replica();
    let mut event = Event::empty();
    while reader.next_into(&mut event).unwrap().is_some() {
        replica.apply(&event).unwrap();
    }
    let state = state(&replica);
    let shown = positions.data.iter().map(|row| {
        (
            row.account.to_string(),
            row.symbol.to_string(),
            row.qty.to_string(),
            row.cost.to_string(),
        )
    });
    let known = state.positions.iter();
    let known: Vec<_> = known
        .map(|row| {
            (
                row.account.clone(),
                row.symbol.clone(),
                row.qty.clone(),
                row.cost.clone(),
            )
        })
        .collect();
    assert_eq!(shown.collect::<Vec<_>>(), known);
    let shown = balances
        .data
        .iter()
        .map(|row| (row.account.to_string(), row.available.to_string()));
    let known = state
        .balances
        .iter()
        .map(|row| (row.account.clone(), row.available.clone()));
    assert_eq!(shown.collect::<Vec<_>>(), known.collect::<Vec<_>>());
    let shown = orders.data.iter().map(|row| {
        (
            row.order_id.to_string(),
            row.leaves.to_string(),
            row.state.to_owned(),
        )
    });
    let known = state
        .orders
        .iter()
        .map(|row| (row.order_id.clone(), row.leaves.clone(), row.state.clone()));
    assert_eq!(shown.collect::<Vec<_>>(), known.collect::<Vec<_>>());
    assert_eq!(limits.data.len(), state.limits.len());
    let accounts = profit
        .data
        .iter()
        .filter(|row| row.group == Level::Account.text());
    let shown = accounts.map(|row| (row.name.to_string(), row.total.to_string(), row.open));
    let known = state
        .pnl
        .iter()
        .map(|row| (row.account.clone(), row.total.clone(), u64::from(row.open)));
    assert_eq!(shown.collect::<Vec<_>>(), known.collect::<Vec<_>>());
    assert!(
        !known_rows_are_empty(&state),
        "the day leaves something of everything"
    );
}

fn known_rows_are_empty(state: &tradewind_views::StateView) -> bool {
    state.positions.is_empty() || state.balances.is_empty() || state.pnl.is_empty() || state.limits.is_empty()
}

#[test]
fn sums_of_profit_are_those_of_the_positions_below() {
    let mut beside = Beside::new();
    busy_events()[1..].iter().for_each(|event| beside.append(event));
    let positions = beside.live().positions(&all()).unwrap().data;
    let profit = beside.live().profit(&Scope::All).unwrap().data;
    let sum = |of: fn(&Position) -> Decimal| positions.iter().map(|row| of(row).0).sum::<i128>();
    for group in ["FIRM", "ORG", "INSTRUMENT", "SECTOR"] {
        let rows: Vec<&Profit> = profit.iter().filter(|row| row.group == group).collect();
        assert!(!rows.is_empty(), "{group}");
        let realised = rows.iter().map(|row| row.realised.0).sum::<i128>();
        assert_eq!(realised, sum(|row| row.realised), "{group}");
        let unrealised = rows.iter().map(|row| row.unrealised.0).sum::<i128>();
        assert_eq!(
            unrealised,
            sum(|row| row.unrealised.unwrap_or_default()),
            "{group}"
        );
        let fees = rows.iter().map(|row| row.fees.0).sum::<i128>();
        assert_eq!(fees, sum(|row| row.fees), "{group}");
    }
    beside.stop();
}

/// A strategy that trades, is corrected and busted, and lives through a dividend and a split.
fn strategy_events() -> Vec<Event> {
    let mut desk = Desk::in_memory();
    desk.deposit("A", "10000");
    desk.trade("S", Side::Buy, "100", "10");
    desk.trade("S", Side::Sell, "30", "11");
    let sold = *desk.last();
    desk.trade("S", Side::Buy, "10", "9");
    let bought = *desk.last();
    desk.correct(&sold, "40", "11.5");
    desk.bust(&bought);
    let dividend = CorporateAction {
        cash_per_unit: Money::from_raw(desk::dec("0.5").into()),
        withhold_bps: 1_000,
        action: CorporateActionKind::CashDividend as u8,
        ..CorporateAction::zeroed()
    };
    desk.send(Kind::CorporateAction, &dividend, "ACME", "");
    let split = CorporateAction {
        numerator: 2,
        denominator: 1,
        action: CorporateActionKind::Split as u8,
        ..CorporateAction::zeroed()
    };
    desk.send(Kind::CorporateAction, &split, "ACME", "");
    desk.last_trade("6");
    desk.events().to_vec()
}

#[test]
fn a_strategy_has_its_own_unrealised_and_income_and_adds_up_to_its_account() {
    let mut beside = Beside::new();
    strategy_events()[1..]
        .iter()
        .for_each(|event| beside.append(event));
    let profit = beside.live().profit(&Scope::All).unwrap().data;
    let of = |group: &str| {
        let mut rows = profit.iter().filter(|row| row.group == group);
        rows.next().unwrap_or_else(|| panic!("no {group}"))
    };
    let (strategy, account, firm) = (of("STRATEGY"), of("ACCOUNT"), of("FIRM"));
    // 40 sold at 11.5; 60 left at 10, 120 after the split, marked at 6.
    let gains = |row: &Profit| [row.realised, row.unrealised].map(|amount| amount.to_string());
    assert_eq!(gains(strategy), ["60", "120"]);
    // A dividend of 30 less 3.
    assert_eq!(strategy.income.to_string(), "27");
    for wider in [account, firm] {
        let same = (gains(wider), wider.income, wider.fees, wider.total);
        let own = (gains(strategy), strategy.income, strategy.fees, strategy.total);
        assert_eq!(own, same, "{}", wider.group);
    }
    beside.stop();
}

/// Two strategies of one account, one long and one short, through a dividend, a reverse split and a funding.
#[test]
fn what_an_action_brings_a_strategy_is_recorded_by_its_own_quantity_and_is_its_profit() {
    let mut desk = Desk::in_memory();
    desk.node("S2", "A", Level::Strategy, None);
    desk.deposit("A", "10000");
    desk.trade("S", Side::Buy, "101", "10");
    desk.trade("S2", Side::SellShort, "40", "10");
    let action = |kind: CorporateActionKind, amount: &str| CorporateAction {
        cash_per_unit: Money::from_raw(desk::dec(amount).into()),
        withhold_bps: 1_500,
        action: kind as u8,
        ..CorporateAction::zeroed()
    };
    let dividend = action(CorporateActionKind::CashDividend, "0.333");
    let split = CorporateAction {
        withhold_bps: 0,
        numerator: 1,
        denominator: 3,
        ..action(CorporateActionKind::Split, "30")
    };
    let funding = CorporateAction {
        withhold_bps: 0,
        gross: Money::from_raw(desk::dec("30").into()),
        ..action(CorporateActionKind::Funding, "0.001")
    };
    for action in [dividend, split, funding] {
        desk.send(Kind::CorporateAction, &action, "ACME", "");
    }
    desk.last_trade("30");
    let shares: Vec<(Option<Kind>, String, String)> = desk
        .events()
        .iter()
        .filter_map(|event| match event.kind()? {
            Kind::HolderDividend | Kind::HolderSplit => {
                let body: &CorporateAction = event.body();
                let is_share = body.holding.is_none() && !body.node.is_none();
                is_share.then(|| (event.kind(), body.gross.to_string(), body.withheld.to_string()))
            }
            Kind::HolderFunding => {
                let body: &HolderAction = event.body();
                body.holding
                    .is_none()
                    .then(|| (event.kind(), body.cash.to_string(), String::new()))
            }
            _ => None,
        })
        .collect();
    let share = |kind, cash: &str, withheld: &str| (Some(kind), cash.to_owned(), withheld.to_owned());
    // 101 shares earn 33.63 less 5.04, 40 short ones pay 13.32; of 101 are left 33 and two thirds, of 40 short 13 and a third.
    assert_eq!(
        shares,
        [
            share(Kind::HolderDividend, "33.63", "5.04"),
            share(Kind::HolderDividend, "-13.32", "0"),
            share(Kind::HolderSplit, "20", "0"),
            share(Kind::HolderSplit, "-10", "0"),
            share(Kind::HolderFunding, "-0.99", ""),
            share(Kind::HolderFunding, "0.39", ""),
        ]
    );
    let mut beside = Beside::new();
    desk.events()[1..].iter().for_each(|event| beside.append(event));
    let profit = beside.live().profit(&Scope::All).unwrap().data;
    let of = |name: &str| {
        let mut rows = profit.iter().filter(|row| row.name.as_str() == name);
        let row = rows.next().unwrap_or_else(|| panic!("no {name}"));
        [row.realised, row.unrealised, row.income, row.fees].map(|amount| amount.to_string())
    };
    // The two thirds of a share had cost 20.00, the third 10.00; what is left is worth what it cost.
    assert_eq!(of("S"), ["0", "0", "27.6", "0.25"]);
    assert_eq!(of("S2"), ["0", "0", "-12.93", "0.25"]);
    beside.stop();
}

/// Rows by key, as a client keeps them.
#[derive(Default, PartialEq, Debug)]
struct Tables {
    positions: BTreeMap<String, Position>,
    orders: BTreeMap<String, Order>,
    profit: BTreeMap<String, Profit>,
    markets: BTreeMap<String, Market>,
    limits: BTreeMap<String, LimitUsage>,
}

fn set<T>(rows: &mut BTreeMap<String, T>, key: String, row: Option<T>) {
    match row {
        Some(row) => rows.insert(key, row),
        None => rows.remove(&key),
    };
}

impl Tables {
    /// All rows.
    fn whole(held: &mut Held) -> Self {
        let mut tables = Self::default();
        for id in held.holdings().collect::<Vec<_>>() {
            set(&mut tables.positions, id.to_string(), held.position(id));
        }
        for id in held.order_ids().collect::<Vec<_>>() {
            set(&mut tables.orders, id.to_string(), held.order(id));
        }
        for key in held.groups().collect::<Vec<_>>() {
            set(&mut tables.profit, format!("{key:?}"), held.profit(key));
        }
        for id in held.instruments().collect::<Vec<_>>() {
            set(&mut tables.markets, id.to_string(), held.market(id));
        }
        for (id, row) in held.limits_from(0, usize::MAX) {
            tables.limits.insert(id.to_string(), row);
        }
        tables
    }

    /// Rows that are said to have changed.
    fn fold(&mut self, held: &mut Held) {
        while held.refresh(3) {}
        let changes = held.take_changes();
        if changes.reference {
            *self = Self::whole(held);
        }
        for id in changes.holdings.iter() {
            set(&mut self.positions, id.to_string(), held.position(id));
        }
        for id in changes.orders.iter() {
            set(&mut self.orders, id.to_string(), held.order(id));
        }
        for key in changes.groups.iter() {
            set(&mut self.profit, format!("{key:?}"), held.profit(key));
        }
        for id in changes.markets.iter() {
            set(&mut self.markets, id.to_string(), held.market(id));
        }
        self.limits = Tables::whole(held).limits; // their use is asked for in turn, not told
    }
}

#[test]
fn rows_that_are_said_to_have_changed_make_the_whole_state_after_every_record() {
    let mut beside = Beside::new();
    beside.live().look(Held::watch);
    let mut tables = Tables::default();
    let (mut at_once, mut marks) = (0, 0);
    for event in &busy_events()[1..] {
        beside.append(event);
        if event.head.flags & head_flags::LAST == 0 {
            continue;
        }
        let whole = beside.live().read_now(|held| {
            tables.fold(held);
            Tables::whole(held)
        });
        let whole = whole.unwrap();
        assert_eq!(tables.positions, whole.positions, "after {}", event.head.seq);
        assert_eq!(tables.orders, whole.orders, "after {}", event.head.seq);
        assert_eq!(tables.profit, whole.profit, "after {}", event.head.seq);
        // What values an instrument that nobody trades is shown once somebody does.
        let mark = |row: &Market| (row.bid, row.ask, row.last);
        let shown = tables.markets.values().map(mark).collect::<Vec<_>>();
        assert_eq!(shown, whole.markets.values().map(mark).collect::<Vec<_>>());
        at_once += usize::from(event.kind() == Some(Kind::VenueFill));
        marks += usize::from(event.kind() == Some(Kind::LastTrade));
    }
    assert!(at_once > 3 && marks > 1 && tables.orders.len() > 3 && tables.profit.len() > 5);
    beside.stop();
}

#[test]
fn the_blotter_and_the_refusals_are_the_journals_newest_first() {
    let mut beside = Beside::new();
    let events = busy_events();
    events[1..].iter().for_each(|event| beside.append(event));
    let trades = beside.live().recent_trades(&all(), usize::MAX).unwrap().data;
    let booked = events.iter().rev().filter(|event| {
        let is_execution = matches!(
            event.kind(),
            Some(Kind::VenueFill | Kind::TradeCapture | Kind::TradeBust | Kind::TradeCorrect)
        );
        is_execution && !event.is_rejected()
    });
    let places = |event: &Event| (event.head.seq, event.head.part);
    let shown: Vec<_> = trades.iter().map(|row| (row.seq, row.part)).collect();
    assert_eq!(shown, booked.map(places).collect::<Vec<_>>());
    assert!(
        trades
            .iter()
            .any(|row| row.kind == "BUST" && row.ref_seq.is_some())
    );
    let refusals = beside.live().recent_refusals(&all(), 1).unwrap().data;
    let all_refusals = beside.live().recent_refusals(&all(), usize::MAX).unwrap().data;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0], all_refusals[0]);
    let limited = all_refusals.iter().find(|row| !row.limit.is_empty()).unwrap();
    assert!(limited.reason.contains(limited.limit.as_str()), "{limited:?}");
    for row in &all_refusals {
        assert!(row.reason.len() > 5 && !row.code.is_empty(), "{row:?}");
    }
    let after = beside
        .live()
        .look(|held| held.trades_after((trades[2].seq, u32::MAX), 10))
        .unwrap();
    assert_eq!(
        after.iter().rev().collect::<Vec<_>>(),
        trades[..2].iter().collect::<Vec<_>>()
    );
    beside.stop();
}

#[test]
fn a_scope_hides_what_is_not_below_it() {
    let mut beside = Beside::new();
    busy_events()[1..].iter().for_each(|event| beside.append(event));
    let live = beside.live();
    let only = |code: &str| Filter::of(Scope::Below(vec![text(code)]));
    for account in ["A", "B"] {
        let rows = live.positions(&only(account)).unwrap().data;
        assert!(!rows.is_empty() && rows.iter().all(|row| row.account.as_str() == account));
        let trades = live.recent_trades(&only(account), usize::MAX).unwrap().data;
        assert!(!trades.is_empty() && trades.iter().all(|row| row.account.as_str() == account));
        let profit = live.profit(&Scope::Below(vec![text(account)])).unwrap().data;
        assert!(
            profit
                .iter()
                .all(|row| row.group == "ACCOUNT" || row.group == "STRATEGY"),
            "{profit:?}"
        );
    }
    assert!(
        live.positions(&Filter::of(Scope::Below(Vec::new())))
            .unwrap()
            .data
            .is_empty()
    );
    let whole = live.positions(&all()).unwrap().data;
    assert_eq!(live.positions(&only("FIRM")).unwrap().data, whole);
    let summary = live.summary(&Scope::Below(vec![text("A")])).unwrap().data;
    assert_eq!(summary.accounts, 1);
    beside.stop();
}

#[test]
fn who_waits_for_a_record_is_told_once_it_is_in_and_who_gave_up_is_not() {
    let mut beside = Beside::new();
    let events = busy_events();
    let (known, order) = events[1..].split_at(
        events[1..]
            .iter()
            .position(|event| event.kind() == Some(Kind::OrderNew))
            .unwrap(),
    );
    known.iter().for_each(|event| beside.append(event));
    let order = &order[0];
    let live = Arc::clone(beside.live());
    let (tell, told) = channel();
    let seen = Arc::clone(&live);
    let wish = |awaited| {
        let (tell, seen) = (tell.clone(), Arc::clone(&seen));
        live.expect(
            awaited,
            Box::new(move |of: Told| {
                let as_of = seen.last().0;
                tell.send((awaited, of.event.head.seq, as_of)).unwrap();
            }),
        )
        .unwrap()
    };
    let stamp = Awaited::Stamp {
        kind: Kind::OrderNew,
        source: SOURCE_LONG,
        origin_ns: order.head.origin_ns,
    };
    let seq = order.head.seq;
    let kept = [wish(stamp), wish(Awaited::Seq(seq))];
    drop(wish(Awaited::Seq(seq)));
    let later = wish(Awaited::Seq(u64::MAX));
    beside.append(order);
    let mut came: Vec<_> = (0..2)
        .map(|_| told.recv_timeout(Duration::from_secs(20)).unwrap())
        .collect();
    came.sort_by_key(|(awaited, ..)| matches!(awaited, Awaited::Seq(_)));
    assert_eq!(came, [(stamp, seq, seq), (Awaited::Seq(seq), seq, seq)]);
    live.read_now(|_| ()).unwrap();
    assert!(
        told.try_recv().is_err(),
        "neither the one that was dropped nor the one that is to come"
    );
    drop((kept, later));
    beside.stop();
}

#[test]
fn a_journal_that_begins_late_fails_the_reads() {
    let place = Place::new();
    let (mut writer, handle) = place.open();
    append(&mut writer, &busy_events()[3]);
    let live = Live::new(place.dir(), &capacities()).unwrap();
    let thread = LiveThread::start(live, Follower::open(place.dir(), StartAt::Start).unwrap()).unwrap();
    let error = thread.live().positions(&all()).unwrap_err();
    assert!(
        matches!(&error, LiveError::Failed(why) if why.contains("needs it all")),
        "{error}"
    );
    assert!(thread.live().expect(Awaited::Seq(1), Box::new(|_| ())).is_err());
    thread.stop();
    drop(writer);
    handle.stop().unwrap();
}

#[test]
fn groups_have_a_key_of_their_own_in_each_currency() {
    let mut beside = Beside::new();
    busy_events()[1..].iter().for_each(|event| beside.append(event));
    beside.live().profit(&Scope::All).unwrap();
    let keys = beside.live().look(|held| held.groups().collect::<Vec<_>>());
    let firm = keys
        .iter()
        .filter(|key| matches!(key.group, Group::Node(node) if node.index() == 0));
    assert_eq!(firm.count(), 1);
    beside.stop();
}
