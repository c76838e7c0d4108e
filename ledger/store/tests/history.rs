//! History: the same answers from both databases, page by page and filter by filter.

mod support;

use std::sync::Arc;
use support::play::Play;
use support::{Cluster, follow};
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::ids::OrderId;
use tradewind_machine::clock::Clock;
use tradewind_store::{Store, StoreHistory, Target};
use tradewind_views::query::history::{
    Accounts, Answer, AuditFilter, BarFilter, BarLength, Days, History, HistoryError, LedgerFilter,
    LimitFilter, OrderFilter, Page, PageRequest, PnlFilter, PnlGroup, RefusalFilter, TradeFilter,
};

const ROUNDS: u64 = 120;

fn wait<T>(answer: Answer<'_, T>) -> Result<T, HistoryError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(answer)
}

fn page(limit: u32, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

/// All rows, in pages of so many.
fn all<T>(limit: u32, ask: impl Fn(PageRequest) -> Result<Page<T>, HistoryError>) -> Vec<T> {
    let mut rows = Vec::new();
    let mut cursor = None;
    loop {
        let page = ask(page(limit, cursor)).expect("a page");
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return rows;
        }
    }
}

fn of(account: &str) -> Accounts {
    Accounts::Of(vec![account.to_owned()])
}

fn orders(accounts: Accounts) -> OrderFilter {
    OrderFilter {
        accounts,
        days: Days::default(),
        symbol: None,
        side: None,
        states: Vec::new(),
        order_id: None,
        cl_ord_id: None,
    }
}

fn trades(accounts: Accounts) -> TradeFilter {
    TradeFilter {
        accounts,
        days: Days::default(),
        symbol: None,
        side: None,
        order_id: None,
        exec_id: None,
    }
}

fn pnl(group: PnlGroup, by_day: bool) -> PnlFilter {
    PnlFilter {
        accounts: Accounts::All,
        days: Days::default(),
        symbol: None,
        group,
        by_day,
    }
}

/// What a whole history says, as text.
fn story(history: &Arc<StoreHistory>) -> Vec<String> {
    let mut told = Vec::new();
    let everybody = || Accounts::All;
    let days = Days::default();
    macro_rules! tell {
        ($limit:literal, $method:ident, $filter:expr) => {
            for row in all($limit, |page| wait(history.$method($filter, page))) {
                told.push(format!("{row:?}"));
            }
        };
    }
    tell!(7, orders, orders(everybody()));
    tell!(1000, orders, orders(of("ACC-1")));
    tell!(9, trades, trades(everybody()));
    tell!(
        100,
        ledger_entries,
        LedgerFilter {
            accounts: of("ACC-2"),
            days,
            currency: None,
            symbol: None,
            posted_only: false
        }
    );
    tell!(
        11,
        ledger_entries,
        LedgerFilter {
            accounts: everybody(),
            days,
            currency: Some("USD".into()),
            symbol: None,
            posted_only: true
        }
    );
    tell!(
        5,
        limit_events,
        LimitFilter {
            accounts: everybody(),
            days,
            limit: None,
            kinds: Vec::new()
        }
    );
    tell!(
        5,
        refusals,
        RefusalFilter {
            accounts: everybody(),
            days,
            symbol: None,
            code: None
        }
    );
    tell!(
        3,
        audit,
        AuditFilter {
            days,
            author: Some("ada".into()),
            kind: None
        }
    );
    tell!(
        4,
        bars,
        BarFilter {
            symbol: "SYM1".into(),
            length: BarLength::Second,
            from_ns: 0,
            to_ns: u64::MAX
        }
    );
    for group in [
        PnlGroup::Account,
        PnlGroup::Node,
        PnlGroup::Instrument,
        PnlGroup::Sector,
        PnlGroup::Org,
        PnlGroup::AccountInstrument,
    ] {
        told.push(format!(
            "{:?}",
            wait(history.pnl(pnl(group, group == PnlGroup::Node))).expect("profit")
        ));
    }
    told
}

#[test]
fn both_databases_give_the_same_answers_and_pages_join_without_seam() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut play = Play::new(folder.path(), 1, 0);
    play.rounds(0..ROUNDS);
    play.stop();
    let cluster = Cluster::start();
    let mut stories = Vec::new();
    for url in ["sqlite:store.db".to_owned(), cluster.database("history")] {
        let clock = Clock::start().expect("a clock");
        Store::start(follow(&url, folder.path()), clock)
            .expect("threads")
            .stop()
            .expect("everything written");
        let target = Target::parse(&url, folder.path()).expect("an address");
        let history = StoreHistory::open(&target).expect("history");
        check(&history);
        stories.push(story(&history));
    }
    assert_eq!(stories[0].len(), stories[1].len());
    for (a, b) in stories[0].iter().zip(&stories[1]) {
        assert_eq!(a, b);
    }
}

/// What the journal's rounds must give.
fn check(history: &Arc<StoreHistory>) {
    let as_of = wait(history.as_of()).expect("a place");
    assert_eq!(as_of.seq, 11 + 5 * ROUNDS);
    let found = all(7, |page| wait(history.orders(orders(Accounts::All), page)));
    assert_eq!(found.len() as u64, ROUNDS);
    let ids: Vec<String> = (1..=ROUNDS)
        .rev()
        .map(|n| OrderId::new(0, n).to_string())
        .collect();
    assert_eq!(
        found.iter().map(|row| row.order_id.clone()).collect::<Vec<_>>(),
        ids,
        "new to old, each once"
    );
    let first = found.last().expect("an order");
    assert_eq!(
        (first.state.as_str(), first.avg_px.as_deref()),
        ("FILLED", Some("100"))
    );
    assert_eq!(
        (
            first.account.as_str(),
            first.symbol.as_str(),
            first.venue_order_id.as_str()
        ),
        ("ACC-0", "SYM0", "V0")
    );
    let one = OrderFilter {
        cl_ord_id: Some("C5".to_owned()),
        states: vec![OrderState::Filled],
        side: Some(Side::Buy),
        ..orders(of("ACC-1"))
    };
    let found = wait(history.orders(one, page(10, None))).expect("a page");
    assert_eq!(
        (found.rows.len(), found.next, found.as_of_seq),
        (1, None, as_of.seq)
    );
    let nobody = wait(history.orders(orders(Accounts::Of(Vec::new())), page(10, None))).expect("a page");
    assert!(nobody.rows.is_empty());
    let of_order = TradeFilter {
        order_id: Some(OrderId::new(0, 6)),
        ..trades(Accounts::All)
    };
    let found = wait(history.trades(of_order, page(10, None))).expect("a page");
    assert_eq!(found.rows[0].exec_id, "X5");
    assert_eq!(found.rows[0].status, "BOOKED");
    let total = wait(history.pnl(pnl(PnlGroup::Org, false))).expect("profit");
    assert_eq!(
        (
            total.rows.len(),
            total.rows[0].group.as_str(),
            total.rows[0].fills
        ),
        (1, "ORG", ROUNDS as i64)
    );
    assert_eq!(total.rows[0].fees, "0.72", "96 fees and 24 rebates of a cent");
    let realised: i64 = (0..ROUNDS as i64).map(|n| n % 7 - 3).sum();
    assert_eq!(total.rows[0].realised, realised.to_string());
    let wrong = wait(history.orders(orders(Accounts::All), page(0, None)));
    assert!(matches!(wrong, Err(HistoryError::Request(_))));
}

#[test]
fn a_database_that_is_not_there_is_said_to_be_unavailable() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = Target::parse("sqlite:none.db", folder.path()).expect("an address");
    let history = StoreHistory::open(&target).expect("history");
    assert!(matches!(wait(history.as_of()), Err(HistoryError::Unavailable(_))));
}
