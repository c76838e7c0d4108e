//! The golden journals in both databases: the same rows in each, however they are cut, and the state that a replica has.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{Cluster, assert_same};
use tradewind_books::position::Position;
use tradewind_books::posting::{Account, Class, Ledger, adjustment, execution_instrument, postings};
use tradewind_domain::event::{Event, InstrumentSet, Kind};
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{Follower, StartAt};
use tradewind_store::{Contents, FollowSettings, Target, contents, rebuild};
use tradewind_views::{ReplayOptions, StateView, replay, state};

const VERSIONS: [&str; 4] = ["v1", "v2", "v3", "v6"];

/// Those whose entries are all of accounts that [`chart`] knows.
const OF_CLIENTS: [&str; 3] = ["v1", "v2", "v3"];

/// Tables that not every golden journal has something for.
const NOT_IN_EACH: [&str; 5] = ["sessions", "bars", "equity_days", "recon_runs", "recon_breaks"];

fn golden(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/golden/journal-{version}"))
}

/// A database made from a journal, in batches of so many records.
fn fill(url: &str, data: &Path, records_max: Option<u64>) -> Vec<Contents> {
    let target = Target::parse(url, data).expect("an address");
    let settings = FollowSettings {
        data_dir: data.to_path_buf(),
        target: target.clone(),
        pause: Duration::ZERO,
        drain: Duration::ZERO,
        records_max,
    };
    rebuild(settings, Clock::start().expect("a clock"), |_| ()).expect("a whole store");
    contents(&target).expect("its contents")
}

fn file(folder: &Path, name: &str) -> String {
    format!("sqlite:{}", folder.join(name).display())
}

#[test]
fn both_databases_hold_the_same_rows_however_the_journal_is_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start();
    for version in VERSIONS {
        let journal = golden(version);
        let whole = fill(&file(folder.path(), version), &journal, None);
        assert!(
            whole
                .iter()
                .all(|table| NOT_IN_EACH.contains(&table.table) || !table.rows.is_empty())
        );
        let cut = format!("{version}-cut");
        assert_same(&whole, &fill(&file(folder.path(), &cut), &journal, Some(7)));
        assert_same(&whole, &fill(&cluster.database(version), &journal, None));
        assert_same(
            &whole,
            &fill(&cluster.database(&format!("{version}_cut")), &journal, Some(3)),
        );
    }
}

/// The value of a column.
fn value<'a>(table: &'a Contents, row: &'a [Option<String>], column: &str) -> &'a str {
    let at = table
        .columns
        .iter()
        .position(|name| name == column)
        .expect("a column");
    row[at].as_deref().unwrap_or("")
}

/// Names by id.
fn names(all: &[Contents], table: &str, id: &str, name: &str) -> BTreeMap<String, String> {
    let table = table_of(all, table);
    let pairs = table.rows.iter();
    pairs
        .map(|row| {
            (
                value(table, row, id).to_owned(),
                value(table, row, name).to_owned(),
            )
        })
        .collect()
}

fn table_of<'a>(all: &'a [Contents], name: &str) -> &'a Contents {
    all.iter().find(|table| table.table == name).expect("a table")
}

#[test]
fn positions_balances_and_orders_are_those_of_a_replica() {
    let folder = tempfile::tempdir().expect("a folder");
    for version in VERSIONS {
        let journal = golden(version);
        let rows = fill(&file(folder.path(), version), &journal, Some(5));
        let clock = Clock::start().expect("a clock");
        let replayed = replay(&journal, ReplayOptions::default(), &clock).expect("a replica");
        let state = state(&replayed.replica);
        assert_positions(&rows, &state);
        assert_base(&rows, replayed.replica.positions());
        assert_balances(&rows, &state);
        assert_orders(&rows, &state);
    }
}

#[test]
fn what_a_strategy_earned_stands_with_its_node_and_the_nodes_of_an_account_add_up_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = golden("v6");
    let rows = fill(&file(folder.path(), "v6"), &journal, None);
    let (nodes, days) = (
        names(&rows, "nodes", "node_id", "code"),
        table_of(&rows, "pnl_days"),
    );
    let raw = |text: &str| i128::from(tradewind_domain::decimal::parse(text.as_bytes()).expect("a decimal"));
    let mut by_holding: BTreeMap<(String, String), i128> = BTreeMap::new();
    let mut of_strategy = 0;
    for row in &days.rows {
        let get = |column| value(days, row, column).to_owned();
        let income = raw(&get("income"));
        *by_holding
            .entry((get("account_id"), get("instrument_id")))
            .or_default() += income;
        if nodes[&get("node_id")] == "STRATEGY" {
            of_strategy += income;
        }
    }
    // 60 shares at 0.333 less 15 % tax.
    assert_eq!(of_strategy, raw("16.98"));
    let clock = Clock::start().expect("a clock");
    let replayed = replay(&journal, ReplayOptions::default(), &clock).expect("a replica");
    let positions = replayed.replica.positions();
    for (holding, row) in positions.positions() {
        let income = positions.income(holding).map_or(0, |income| income.net().raw());
        let key = (row.account.0.to_string(), row.instrument.0.to_string());
        assert_eq!(by_holding.get(&key).copied().unwrap_or(0), income, "{key:?}");
    }
}

/// What an entry says of its leg: number, part, line, template, phase, debit, credit, ledger, amount.
type Line = (u64, u32, u16, u8, u8, (u8, u32), (u8, u32), (u8, u32), u128);

/// Class and number of an account of the books.
fn chart(account: Account) -> (u8, u32) {
    let (class, id) = match account {
        Account::Cash(id) => (Class::Cash, id.0),
        Account::Street(id) => (Class::Street, id.0.into()),
        Account::Bank(id) => (Class::Bank, id.0.into()),
        Account::Fees(id) => (Class::Fees, id.0.into()),
        Account::Sec(id) => (Class::Sec, id.0),
        Account::SecStreet(id) => (Class::SecStreet, id.0),
        Account::Tax(id) => (Class::Tax, id.0.into()),
        Account::Div(id) => (Class::Div, id.0.into()),
        Account::FxPool(id) => (Class::FxPool, id.0.into()),
        other => panic!("{other:?} stands in no golden journal"),
    };
    (class as u8, id)
}

/// The legs of every record of a journal, as the books expand them.
fn legs_of(journal: &Path) -> Vec<Line> {
    let mut follower = Follower::open(journal, StartAt::Start).expect("a journal");
    let mut moving = std::collections::HashSet::new();
    let (mut event, mut lines) = (Event::empty(), Vec::new());
    while let Some(record) = follower.poll().expect("whole records") {
        event.read_record(record.bytes()).expect("a known record");
        if event.kind() == Some(Kind::InstrumentSet) && !event.is_rejected() {
            let row = event.body::<InstrumentSet>().row;
            if row.moves_principal() {
                moving.insert(row.id);
            }
        }
        let moves = execution_instrument(&event).is_none_or(|id| moving.contains(&id));
        let own = postings(&event, moves);
        let adjusted = adjustment(&event);
        let own_legs = own.legs().map(|leg| (own.template, leg));
        let legs = own_legs.chain(adjusted.legs().map(|leg| (adjusted.template, leg)));
        for (line, (template, leg)) in legs.enumerate() {
            let ledger = match leg.ledger {
                Ledger::Currency(id) => (1, u32::from(id.0)),
                Ledger::Instrument(id) => (2, id.0),
            };
            lines.push((
                event.head.seq,
                event.head.part,
                line as u16,
                template.expect("a template") as u8,
                leg.phase as u8,
                chart(leg.debit),
                chart(leg.credit),
                ledger,
                leg.amount,
            ));
        }
    }
    lines
}

#[test]
fn the_entries_of_the_books_are_the_legs_of_the_records() {
    let folder = tempfile::tempdir().expect("a folder");
    for version in OF_CLIENTS {
        let rows = fill(&file(folder.path(), version), &golden(version), None);
        let table = table_of(&rows, "ledger_entries");
        let found = table.rows.iter().map(|row| {
            fn number<T: std::str::FromStr>(text: &str) -> T {
                text.parse().ok().expect("a number")
            }
            let get = |column| value(table, row, column);
            let id = |column| number::<i32>(get(column)) as u32;
            let amount = tradewind_domain::decimal::parse(get("amount").as_bytes()).expect("a decimal");
            (
                number(get("seq")),
                number(get("part")),
                number(get("line")),
                number(get("template")),
                number(get("phase")),
                (number(get("debit_class")), id("debit_id")),
                (number(get("credit_class")), id("credit_id")),
                (number(get("ledger_kind")), id("ledger_id")),
                amount.unsigned_abs().into(),
            )
        });
        let found: Vec<Line> = found.collect();
        assert!(found.len() > 20);
        assert_eq!(found, legs_of(&golden(version)), "{version}");
    }
}

fn assert_positions(all: &[Contents], state: &StateView) {
    let accounts = names(all, "accounts", "account_id", "code");
    let symbols = names(all, "instruments", "instrument_id", "symbol");
    let table = table_of(all, "positions");
    let mut found: Vec<_> = table
        .rows
        .iter()
        .map(|row| {
            let get = |column| value(table, row, column).to_owned();
            let account = accounts[&get("account_id")].clone();
            let symbol = symbols[&get("instrument_id")].clone();
            (
                account,
                symbol,
                [
                    get("qty"),
                    get("cost"),
                    get("realised"),
                    get("fees"),
                    get("fills"),
                ],
            )
        })
        .collect();
    found.sort();
    let expected: Vec<_> = state
        .positions
        .iter()
        .map(|row| {
            let figures = [&row.qty, &row.cost, &row.realised, &row.fees].map(Clone::clone);
            let [qty, cost, realised, fees] = figures;
            (
                row.account.clone(),
                row.symbol.clone(),
                [qty, cost, realised, fees, row.fills.to_string()],
            )
        })
        .collect();
    assert_eq!(found, expected);
}

/// Profit in base currency, where nothing of it was taken back: that is worked out again at the rates of its day, and here at the
/// rate of the record that took it back.
fn assert_base(all: &[Contents], positions: &Position) {
    let raw = |text: &str| tradewind_domain::decimal::parse(text.as_bytes()).expect("a decimal");
    let whose = |table: &Contents, row: &[Option<String>]| {
        let id = |column| value(table, row, column).parse::<i32>().map_or(0, |id| id as u32);
        (id("account_id"), id("instrument_id"))
    };
    let executions = table_of(all, "executions");
    let taken_back = executions
        .rows
        .iter()
        .filter(|row| !value(executions, row, "trade_seq").is_empty());
    let taken_back: BTreeSet<_> = taken_back.map(|row| whose(executions, row)).collect();
    let days = table_of(all, "pnl_days");
    let mut found: BTreeMap<(u32, u32), [i128; 2]> = BTreeMap::new();
    for row in &days.rows {
        let sums = found.entry(whose(days, row)).or_default();
        for (sum, column) in sums.iter_mut().zip(["realised_base", "income_base"]) {
            *sum += i128::from(raw(value(days, row, column)));
        }
    }
    let mut compared = 0;
    for (holding, row) in positions.positions() {
        let whose = (row.account.0, row.instrument.0);
        if taken_back.contains(&whose) {
            continue;
        }
        let income = positions
            .income(holding)
            .map_or(0, |income| income.net_base.raw());
        assert_eq!(found[&whose], [row.realised_base.raw(), income], "{whose:?}");
        compared += 1;
    }
    assert!(compared > 0);
}

fn assert_balances(all: &[Contents], state: &StateView) {
    let accounts = names(all, "accounts", "account_id", "code");
    let currencies = names(all, "currencies", "currency_id", "code");
    let table = table_of(all, "balances");
    let raw = |text: &str| tradewind_domain::decimal::parse(text.as_bytes()).expect("a decimal");
    let mut found: Vec<_> = table
        .rows
        .iter()
        .filter(|row| value(table, row, "class") == "1")
        .map(|row| {
            let get = |column| raw(value(table, row, column));
            let account = accounts[value(table, row, "account_id")].clone();
            let currency = currencies[value(table, row, "currency_id")].clone();
            let settled = get("credits_posted") - get("debits_posted");
            (account, currency, settled, get("debits_pending"))
        })
        .collect();
    found.sort();
    let expected: Vec<_> = state
        .balances
        .iter()
        .map(|row| {
            (
                row.account.clone(),
                row.currency.clone(),
                raw(&row.settled),
                raw(&row.reserved) + raw(&row.pending_out),
            )
        })
        .collect();
    assert_eq!(found, expected);
}

fn assert_orders(all: &[Contents], state: &StateView) {
    use tradewind_domain::codes::OrderState;
    let table = table_of(all, "orders");
    let found: BTreeMap<String, [String; 8]> = table
        .rows
        .iter()
        .filter_map(|row| {
            let get = |column| value(table, row, column).to_owned();
            let state = OrderState::from_code(get("state").parse().ok()?)?;
            let id = tradewind_domain::ids::OrderId(get("order_id").parse::<i64>().ok()? as u64);
            state.is_open().then(|| {
                let figures = ["qty", "cum", "leaves", "px", "stop_px", "cl_ord_id"].map(get);
                let [qty, cum, leaves, px, stop_px, cl_ord_id] = figures;
                let state = state.text().to_owned();
                (
                    id.to_string(),
                    [state, qty, cum, leaves, px, stop_px, cl_ord_id, get("session")],
                )
            })
        })
        .collect();
    let expected: BTreeMap<String, [String; 8]> = state
        .orders
        .iter()
        .map(|row| {
            let px = row.px.clone().unwrap_or_default();
            let stop_px = row.stop_px.clone().unwrap_or_default();
            let row = [
                row.state.clone(),
                row.qty.clone(),
                row.cum.clone(),
                row.leaves.clone(),
                px,
                stop_px,
                row.cl_ord_id.clone(),
                row.session.to_string(),
            ];
            (row, ())
        })
        .zip(&state.orders)
        .map(|((figures, ()), row)| (row.order_id.clone(), figures))
        .collect();
    assert_eq!(found, expected);
}
