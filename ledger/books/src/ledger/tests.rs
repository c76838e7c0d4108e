use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const USD: u32 = 0;
const EUR: u32 = 1;

fn transfer(id: u128, debit: AccountNo, credit: AccountNo, amount: i128) -> Command {
    let action = Action::Transfer {
        debit,
        credit,
        amount,
    };
    Command {
        id: TransferId(id),
        action,
    }
}

fn pending(id: u128, debit: AccountNo, credit: AccountNo, amount: i128, timeout: u64) -> Command {
    let action = Action::Pending {
        debit,
        credit,
        amount,
        timeout,
    };
    Command {
        id: TransferId(id),
        action,
    }
}

fn post(id: u128, pending: u128, amount: Option<i128>) -> Command {
    let pending = TransferId(pending);
    Command {
        id: TransferId(id),
        action: Action::Post { pending, amount },
    }
}

fn void(id: u128, pending: u128) -> Command {
    let pending = TransferId(pending);
    Command {
        id: TransferId(id),
        action: Action::Void { pending },
    }
}

/// Bank, a client's cash with 1,000 in it, and the street.
fn funded() -> (Books, [AccountNo; 3]) {
    let mut books = Books::new(8, 64);
    let bank = books.open(USD, Flag::None).unwrap();
    let cash = books.open(USD, Flag::DebitsMustNotExceedCredits).unwrap();
    let street = books.open(USD, Flag::None).unwrap();
    assert_eq!(books.submit(&transfer(1, bank, cash, 1_000)), Code::Ok);
    (books, [bank, cash, street])
}

fn sums(books: &Books, account: AccountNo) -> [u128; 4] {
    let row = books.account(account).unwrap();
    [
        row.debits_pending,
        row.debits_posted,
        row.credits_pending,
        row.credits_posted,
    ]
}

#[test]
fn a_partial_fill_is_void_trade_and_new_reservation_in_one() {
    // SETTLEMENT section 2.
    let (mut books, [_, cash, street]) = funded();
    let linked = |books: &mut Books, commands: &[Command]| {
        let mut codes = [Code::Full; 3];
        books.submit_linked(commands, &mut codes[..commands.len()]);
        assert!(codes[..commands.len()].iter().all(|&code| code == Code::Ok));
    };
    assert_eq!(books.submit(&pending(2, cash, street, 1_000, 0)), Code::Ok);
    linked(
        &mut books,
        &[
            void(3, 2),
            pending(4, cash, street, 392, 0),
            pending(5, cash, street, 600, 0),
        ],
    );
    assert_eq!(sums(&books, cash)[0], 992);
    linked(&mut books, &[void(6, 5), pending(7, cash, street, 599, 0)]);
    linked(&mut books, &[post(8, 4, None), post(9, 7, None)]);
    assert_eq!(sums(&books, cash), [0, 991, 0, 1_000]);
}

#[test]
fn the_first_thing_that_is_wrong_is_told() {
    let (mut books, [bank, cash, street]) = funded();
    let euro = books.open(EUR, Flag::None).unwrap();
    let nobody = AccountNo(99);
    for (command, code) in [
        (transfer(1, nobody, nobody, -1), Code::ExistsDifferent),
        (transfer(2, nobody, nobody, -1), Code::AccountNotFound),
        (transfer(2, euro, euro, -1), Code::SameAccount),
        (transfer(2, cash, euro, -1), Code::LedgerMismatch),
        (transfer(2, cash, street, -1), Code::AmountNotPositive),
        (transfer(2, cash, street, 0), Code::AmountNotPositive),
        (transfer(2, cash, street, 1_001), Code::ExceedsCredits),
        (post(2, 77, Some(-1)), Code::PendingNotFound),
        (post(2, 1, None), Code::PendingNotFound),
        (pending(2, cash, street, 700, 0), Code::Ok),
        (post(3, 2, Some(0)), Code::AmountNotPositive),
        (post(3, 2, Some(701)), Code::ExceedsPendingAmount),
        (transfer(3, cash, street, 301), Code::ExceedsCredits),
        (post(3, 2, Some(650)), Code::Ok),
        (post(3, 2, Some(650)), Code::Exists),
        (post(3, 2, Some(1)), Code::ExistsDifferent),
        (void(4, 2), Code::PendingAlreadyPosted),
        (transfer(4, cash, street, 350), Code::Ok),
        (transfer(5, bank, cash, i128::MAX), Code::Ok),
        (transfer(6, bank, cash, i128::MAX), Code::Overflow),
    ] {
        assert_eq!(books.submit(&command), code, "{command:?}");
    }
}

#[test]
fn an_asset_account_gives_no_more_than_it_was_given() {
    let mut books = Books::new(2, 8);
    let loan = books.open(USD, Flag::CreditsMustNotExceedDebits).unwrap();
    let bank = books.open(USD, Flag::None).unwrap();
    assert_eq!(books.open(USD, Flag::None), None);
    assert_eq!(books.submit(&transfer(1, loan, bank, 100)), Code::Ok);
    assert_eq!(books.submit(&transfer(2, bank, loan, 101)), Code::ExceedsDebits);
    assert_eq!(books.submit(&transfer(2, bank, loan, 100)), Code::Ok);
}

#[test]
fn a_list_that_fails_leaves_nothing_and_its_identifiers_are_free() {
    let (mut books, [_, cash, street]) = funded();
    assert_eq!(books.submit(&pending(2, cash, street, 500, 9)), Code::Ok);
    let before: Vec<_> = [cash, street].map(|account| sums(&books, account)).to_vec();
    let list = [
        transfer(3, cash, street, 100),
        post(4, 2, Some(100)),
        pending(5, cash, street, 800, 1),
        void(6, 5),
        transfer(7, cash, street, 1_000),
        transfer(8, cash, street, 1),
    ];
    let mut codes = [Code::Ok; 6];
    books.submit_linked(&list, &mut codes);
    let mut expected = [Code::LinkedEventFailed; 6];
    expected[4] = Code::ExceedsCredits;
    assert_eq!(codes, expected);
    assert_eq!(
        [cash, street].map(|account| sums(&books, account)).to_vec(),
        before
    );
    assert_eq!(books.submit(&transfer(3, cash, street, 400)), Code::Ok);
    // What was taken back expires no more; what was there before does.
    let mut expired = Vec::new();
    books.advance(100, |id| expired.push(id.0));
    assert_eq!(expired, [2]);
}

#[test]
fn what_expires_at_an_instant_does_so_before_the_command_of_that_instant() {
    let (mut books, [_, cash, street]) = funded();
    for (id, timeout) in [(2, 30), (3, 10), (4, 20), (5, 60)] {
        assert_eq!(books.submit(&pending(id, cash, street, 100, timeout)), Code::Ok);
    }
    assert_eq!(books.submit(&void(9, 4)), Code::Ok);
    let mut expired = Vec::new();
    books.advance(29, |id| expired.push(id.0));
    books.advance(30, |id| expired.push(id.0));
    assert_eq!(expired, [3, 2], "4 was voided");
    assert_eq!(books.submit(&post(10, 3, None)), Code::PendingAlreadyExpired);
    books.advance(7, |id| expired.push(id.0));
    books.advance(60, |id| expired.push(id.0));
    assert_eq!(expired, [3, 2, 5], "time does not go back");
    assert_eq!(sums(&books, cash), [0, 0, 0, 1_000]);
}

#[test]
fn a_full_table_is_a_code() {
    let mut books = Books::new(2, 1);
    let (a, b) = (books.open(USD, Flag::None), books.open(USD, Flag::None));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(books.submit(&transfer(1, a, b, 1)), Code::Ok);
    assert_eq!(books.submit(&transfer(1, a, b, 1)), Code::Exists);
    assert_eq!(books.submit(&transfer(2, a, b, 1)), Code::Full);
}

/// The obvious model: a list of what stands, and sums worked out from it anew.
#[derive(Default)]
struct Model {
    moved: Vec<(u32, u32, u128)>,
    held: BTreeMap<u128, (u32, u32, u128)>,
}

impl Model {
    fn sums(&self, account: u32) -> [u128; 4] {
        let held = || self.held.values();
        let of = |list: &mut dyn Iterator<Item = &(u32, u32, u128)>, side: fn(&(u32, u32, u128)) -> u32| {
            list.filter(|entry| side(entry) == account)
                .map(|entry| entry.2)
                .sum()
        };
        [
            of(&mut held(), |entry| entry.0),
            of(&mut self.moved.iter(), |entry| entry.0),
            of(&mut held(), |entry| entry.1),
            of(&mut self.moved.iter(), |entry| entry.1),
        ]
    }

    fn take(&mut self, command: &Command) {
        match command.action {
            Action::Transfer {
                debit,
                credit,
                amount,
            } => self.moved.push((debit.0, credit.0, amount.unsigned_abs())),
            Action::Pending {
                debit,
                credit,
                amount,
                ..
            } => {
                let amount = amount.unsigned_abs();
                self.held.insert(command.id.0, (debit.0, credit.0, amount));
            }
            Action::Post { pending, amount } => {
                let (debit, credit, held) = self.held.remove(&pending.0).unwrap();
                let amount = amount.map_or(held, i128::unsigned_abs);
                self.moved.push((debit, credit, amount));
            }
            Action::Void { pending } => {
                self.held.remove(&pending.0).unwrap();
            }
        }
    }
}

fn commands() -> impl Strategy<Value = Vec<Vec<Command>>> {
    let account = || (0u32..6).prop_map(AccountNo);
    let amount = || -2i128..60;
    let any = prop_oneof![
        (account(), account(), amount()).prop_map(|(debit, credit, amount)| Action::Transfer {
            debit,
            credit,
            amount
        }),
        (account(), account(), amount(), 0u64..8).prop_map(|(debit, credit, amount, timeout)| {
            Action::Pending {
                debit,
                credit,
                amount,
                timeout,
            }
        }),
        (0u128..40, proptest::option::of(amount())).prop_map(|(id, amount)| Action::Post {
            pending: TransferId(id),
            amount
        }),
        (0u128..40).prop_map(|id| Action::Void {
            pending: TransferId(id)
        }),
    ];
    let command = (0u128..40, any).prop_map(|(id, action)| Command {
        id: TransferId(id),
        action,
    });
    prop::collection::vec(prop::collection::vec(command, 1..4), 1..60)
}

proptest! {
    #[test]
    fn books_are_the_sum_of_what_stands_and_limits_hold(lists in commands()) {
        let mut books = Books::new(5, 48);
        for (ledger, flag) in [
            (USD, Flag::None),
            (USD, Flag::DebitsMustNotExceedCredits),
            (USD, Flag::CreditsMustNotExceedDebits),
            (EUR, Flag::None),
            (EUR, Flag::DebitsMustNotExceedCredits),
        ] {
            books.open(ledger, flag);
        }
        let mut model = Model::default();
        for (now, list) in (0u64..).zip(&lists) {
            books.advance(now, |id| {
                model.held.remove(&id.0).unwrap();
            });
            let mut codes = vec![Code::Ok; list.len()];
            books.submit_linked(list, &mut codes);
            if codes.iter().all(|code| code.is_ok()) {
                let done = list.iter().zip(&codes).filter(|(_, code)| **code == Code::Ok);
                done.for_each(|(command, _)| model.take(command));
            } else {
                prop_assert_eq!(codes.iter().filter(|code| **code != Code::LinkedEventFailed).count(), 1);
            }
            let mut ledgers = [[0u128; 4]; 2];
            for account in 0..5 {
                let row = books.account(AccountNo(account)).unwrap();
                let found = sums(&books, AccountNo(account));
                prop_assert_eq!(found, model.sums(account));
                let total = &mut ledgers[row.ledger as usize];
                (0..4).for_each(|at| total[at] += found[at]);
                let [debits_pending, debits, credits_pending, credits] = found;
                match row.flag {
                    Flag::None => {}
                    Flag::DebitsMustNotExceedCredits => prop_assert!(debits_pending + debits <= credits),
                    Flag::CreditsMustNotExceedDebits => prop_assert!(credits_pending + credits <= debits),
                }
            }
            for [debits_pending, debits, credits_pending, credits] in ledgers {
                prop_assert_eq!((debits_pending, debits), (credits_pending, credits));
            }
        }
    }
}
