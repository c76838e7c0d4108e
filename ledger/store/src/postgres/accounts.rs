//! The rows of accounts: for each account and batch, which orders, executions and entries of the books it has there.
//!
//! An index by account would cost more than the rows themselves, since each of its entries goes to another page. Here a batch leaves one
//! row for each account that it touches, however many rows of it there are; a question unfolds the lists and finds rows by their keys.
//!
//! # Invariants
//! - Every row of `orders`, `executions` and `ledger_legs` is in the list of its account and day exactly once; rows of one input share one
//!   entry. Legs in which no client takes part are in none.
//! - How a journal is cut into batches shows here and nowhere else: the lists are an index, and no part of what is compared.

use super::copy::Copy;
use crate::batch::Batch;
use crate::fields::Fields;
use std::collections::BTreeMap;
use tradewind_domain::time::DayNumber;

/// The table.
pub(super) const TABLE: &str = "account_rows";
/// Its columns.
pub(super) const COLUMNS: &str = "account_id, day, upto, orders, executions, legs";

/// What a batch has of one account on one day.
#[derive(Default)]
struct Lists {
    orders: Vec<i64>,
    executions: Vec<i64>,
    legs: Vec<i64>,
}

/// Adds an input, whose rows come one after the other.
fn add(list: &mut Vec<i64>, seq: u64) {
    let seq = seq as i64;
    if list.last() != Some(&seq) {
        list.push(seq);
    }
}

/// The rows of a batch that ends with input `upto`, by day.
pub(super) fn rows(batch: &Batch, upto: u64) -> BTreeMap<DayNumber, Copy> {
    let mut lists: BTreeMap<(DayNumber, u32), Lists> = BTreeMap::new();
    for order in batch.orders.values() {
        if let Some(entered) = &order.entered {
            let list = lists.entry((entered.origin.day, entered.account.0)).or_default();
            list.orders.push(order.order.0 as i64);
        }
    }
    for row in &batch.executions {
        let list = lists.entry((row.origin.day, row.account.0)).or_default();
        add(&mut list.executions, row.origin.seq);
    }
    for row in batch.entries.iter().filter(|row| !row.account.is_none()) {
        let list = lists.entry((row.origin.day, row.account.0)).or_default();
        add(&mut list.legs, row.origin.seq);
    }
    let mut copies: BTreeMap<DayNumber, Copy> = BTreeMap::new();
    for ((day, account), list) in lists {
        copies.entry(day).or_insert_with(Copy::empty).row_of(|copy| {
            copy.int4(account as i32);
            copy.day(day);
            copy.int8(upto as i64);
            copy.int8_list(&list.orders);
            copy.int8_list(&list.executions);
            copy.int8_list(&list.legs);
        });
    }
    copies
}
