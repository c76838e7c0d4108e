//! The order table: rows, their index, and what it remembers of closed orders.

use super::*;

fn order(counter: u64) -> OrderRow {
    OrderRow {
        order_id: OrderId::new(0, counter),
        state: OrderState::Working as u8,
        ..OrderRow::zeroed()
    }
}

#[test]
fn forgetting_an_order_costs_the_same_however_many_are_remembered() {
    let mut table = OrderTable::new(1_000, 10_000);
    for counter in 1..=30_000 {
        let slot = table.insert(&order(counter)).unwrap();
        table.get_mut(slot).unwrap().state = OrderState::Filled as u8;
        table.close(slot);
    }
    let longest_run = table
        .index
        .split(|entry| entry.slot == NIL)
        .map(<[Entry]>::len)
        .max();
    assert!(
        longest_run < Some(128),
        "an index run of {longest_run:?} is walked with each order"
    );
    assert!(table.find(OrderId::new(0, 20_000)).is_none() && table.find(OrderId::new(0, 20_001)).is_some());
}

#[test]
fn open_orders_stand_in_acceptance_order_and_closed_ones_are_remembered() {
    let mut table = OrderTable::new(4, 2);
    let slots: Vec<_> = (1..=4).map(|n| table.insert(&order(n)).unwrap()).collect();
    assert!(table.is_full());
    let closed = |table: &mut OrderTable, slot| {
        table.get_mut(slot).unwrap().state = OrderState::Filled as u8;
        table.close(slot);
    };
    closed(&mut table, slots[1]);
    let open: Vec<_> = table.open().map(|(_, row)| row.order_id.counter()).collect();
    assert_eq!(open, [1, 3, 4]);
    assert!(table.find(OrderId::new(0, 2)).is_some(), "remembered");
    closed(&mut table, slots[0]);
    closed(&mut table, slots[3]);
    assert!(
        table.find(OrderId::new(0, 2)).is_none(),
        "the third that closes pushes out the first"
    );
    assert!(table.find(OrderId::new(0, 4)).is_some());
    assert_eq!(table.open_count, 1);
}

#[test]
fn finds_every_order_through_many_generations() {
    let mut table = OrderTable::new(8, 8);
    for n in 1..=10_000u64 {
        let expected = table.next_slot();
        let slot = table.insert(&order(n)).unwrap();
        assert_eq!(slot, expected);
        if n > 4 {
            let old = OrderId::new(0, n - 4);
            let (slot, _) = table.find(old).unwrap();
            table.get_mut(slot).unwrap().state = OrderState::Filled as u8;
            table.close(slot);
        }
        for back in 0..12.min(n) {
            assert_eq!(
                table
                    .find(OrderId::new(0, n - back))
                    .map(|(_, row)| row.order_id.counter()),
                Some(n - back)
            );
        }
    }
}
