//! Lots that a trade names: which of them are closed, and what a bust of one of them makes of it.

mod desk;

use desk::{Desk, HASH_KEY, capacities, dec, digest_of};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, Kind, LotSelect};
use tradewind_domain::ids::HoldingId;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ExecId;
use tradewind_machine::append::VecJournal;
use tradewind_views::{Auditor, Replica};

type Memory = Desk<VecJournal<Event>>;

fn trade(desk: &mut Memory, side: Side, qty: &str, px: &str) -> ExecId {
    desk.trade("B", side, qty, px);
    desk.last().body::<Execution>().exec_id
}

/// A desk that has bought 100 at 10, 14 and 12 and sold 150 at 15; what was bought, and the sale.
fn sold() -> (Memory, [ExecId; 3], ExecId) {
    let mut desk = Desk::in_memory();
    let bought = ["10", "14", "12"].map(|px| trade(&mut desk, Side::Buy, "100", px));
    let sale = trade(&mut desk, Side::Sell, "150", "15");
    (desk, bought, sale)
}

/// Realised profit by lots, and the lots that are held: number of the record, quantity and cost.
fn lots(desk: &Memory) -> (String, Vec<(u64, String, String)>) {
    let mut replica = Replica::new(&capacities(), &HASH_KEY);
    desk.events()
        .iter()
        .for_each(|event| replica.apply(event).expect("a record that follows"));
    let positions = replica.positions();
    let head = positions.tax_lots(HoldingId(0)).expect("a row");
    let held = positions.lots(HoldingId(0));
    let held = held.map(|lot| (lot.open, lot.qty.to_string(), lot.cost.to_string()));
    (head.realised.to_string(), held.collect())
}

fn assert_sound(desk: Memory) {
    let mut auditor = Auditor::new(&capacities(), &HASH_KEY);
    let mut replica = Replica::new(&capacities(), &HASH_KEY);
    for event in desk.events() {
        auditor.see(event);
        replica.apply(event).expect("a record that follows");
    }
    let report = auditor.finish();
    assert!(report.is_ok(), "{:#?}", report.checks);
    assert_eq!(replica.digest(), digest_of(&desk.finish().stages));
}

/// Numbers of the records of trades.
fn trades(desk: &Memory) -> Vec<u64> {
    let events = desk.events().iter();
    let trades = events.filter(|event| event.kind() == Some(Kind::TradeCapture));
    trades.map(|event| event.head.seq).collect()
}

#[test]
fn a_sale_closes_the_lots_that_it_names_and_then_goes_by_the_method() {
    let (mut desk, bought, sale) = sold();
    assert_eq!(lots(&desk).0, "550");
    desk.select(sale, &[(bought[1], "100"), (bought[2], "20")]);
    assert!(!desk.last().is_rejected());
    let of = trades(&desk);
    // 100 at 14, 20 at 12, and the 30 that are left from the oldest.
    let held = vec![
        (of[0], "70".to_owned(), "700".to_owned()),
        (of[2], "80".to_owned(), "960".to_owned()),
    ];
    assert_eq!(lots(&desk), ("310".to_owned(), held));
    // The last selection counts; without lots it is the method again.
    desk.select(sale, &[]);
    assert_eq!(lots(&desk).0, "550");
    assert_sound(desk);
}

#[test]
fn what_is_selected_stays_selected_through_busts_and_later_trades() {
    let (mut desk, bought, sale) = sold();
    desk.select(sale, &[(bought[1], "100"), (bought[2], "50")]);
    assert_eq!(lots(&desk).0, "250");
    trade(&mut desk, Side::Sell, "10", "15");
    assert_eq!(lots(&desk).0, "300");
    let second = desk
        .events()
        .iter()
        .find(|event| event.head.seq == trades(&desk)[1])
        .copied();
    desk.bust(&second.expect("the second purchase"));
    // Of the two named lots one is gone: 50 at 12, and 100 at 10; then 10 at 12, what is left.
    assert_eq!(lots(&desk).0, "680");
    assert_sound(desk);
}

#[test]
fn a_lot_that_the_trade_cannot_close_is_refused() {
    let (mut desk, bought, sale) = sold();
    desk.trade("A", Side::Buy, "10", "10");
    let other = desk.last().body::<Execution>().exec_id;
    type Named<'a> = &'a [(ExecId, &'a str)];
    let cases: [(ExecId, Named<'_>, RejectCode); 5] = [
        (sale, &[(other, "10")], RejectCode::InvalidValue),
        (sale, &[(sale, "10")], RejectCode::InvalidValue),
        (sale, &[(bought[0], "0")], RejectCode::InvalidValue),
        (
            sale,
            &[(bought[0], "1"), (bought[0], "1")],
            RejectCode::InvalidValue,
        ),
        (desk::text("never"), &[(bought[0], "1")], RejectCode::UnknownTrade),
    ];
    for (closing, lots, code) in cases {
        desk.select(closing, lots);
        assert_eq!(desk.last().reject_code(), Some(code), "{lots:?}");
    }
    desk.select(sale, &[(bought[2], "150")]);
    let body: &LotSelect = desk.last().body();
    assert_eq!(
        (body.alerts, desk.last().selected_lots().next().map(|lot| lot.qty)),
        (0, Some(dec("150")))
    );
    assert_sound(desk);
}
