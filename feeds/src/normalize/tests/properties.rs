//! Properties over random sequences and random bytes.

use super::*;
use proptest::prelude::*;

/// Commands over few names, so that they meet: known, unknown, taken.
fn command() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["-", "F", "D", "A", "B", "S", "T"]);
    let level = prop::sample::select(vec!["FIRM", "ORG", "DESK", "USER", "ACCOUNT", "STRATEGY"]);
    let currency = prop::sample::select(vec!["-", "USD", "JPY", "EUR"]);
    let kind = prop::sample::select(vec!["CASH", "MARGIN", ""]);
    prop_oneof![
        (currency.clone(), 0..10u8).prop_map(|(code, dp)| format!("currency {code} {dp}")),
        (0..3u16, name.clone(), 0..30u64)
            .prop_map(|(id, code, at)| format!("calendar {id} {code} 1/{at}/9/9 2/12/9/9")),
        (name.clone(), currency.clone(), 0..3u16, -1..3i64).prop_map(
            |(symbol, code, calendar, lot)| format!(
                "instrument {symbol} {code} calendar={calendar} lot={lot}"
            )
        ),
        (level, name.clone(), name.clone(), currency, kind).prop_map(
            |(level, code, parent, currency, kind)| format!("{level} {code} in {parent} {currency} {kind}")
        ),
        (name.clone(), name.clone(), name.clone())
            .prop_map(|(label, node, symbol)| format!("limit {label} on {node} {symbol}")),
        name.prop_map(|label| format!("unlimit {label}")),
        (0..5u32, 0..10u32, 0..4u32).prop_map(|(i, n, l)| format!("capacities {i} {n} {l}")),
    ]
}

proptest! {
    #[test]
    fn apply_of_the_records_leaves_the_state_that_process_left(commands in prop::collection::vec(command(), 0..120)) {
        let mut stage = Normalize::new(&small());
        let mut events = Vec::new();
        for command in &commands {
            let mut event = event_of(command);
            stage.process(&mut event);
            events.push(event);
        }
        prop_assert!(digest(&replayed(&events)) == digest(&stage));
        for (index, row) in stage.registry().nodes().iter().enumerate() {
            prop_assert_eq!(row.node.index(), index);
            prop_assert_eq!(row.parent.is_none(), index == 0);
            prop_assert_eq!(stage.registry().node_named(&row.code), Some(row));
        }
        for (index, row) in stage.registry().instruments().iter().enumerate() {
            prop_assert_eq!(row.id.index(), index);
            prop_assert!(InstrumentKind::from_code(row.kind).is_some());
        }
    }

    #[test]
    fn no_bytes_of_an_event_make_it_panic(
        kinds in prop::collection::vec(prop::sample::select(Kind::ALL), 1..40),
        noise in prop::collection::vec(any::<u8>(), 700),
        shift in 0..64usize,
    ) {
        let mut stage = world();
        for (at, kind) in kinds.into_iter().enumerate() {
            let mut event = Event::empty();
            let bytes = bytemuck::bytes_of_mut(&mut event);
            for (byte, from) in bytes.iter_mut().zip(noise.iter().cycle().skip(at * shift)) {
                *byte = *from;
            }
            event.head.kind = kind as u16;
            stage.process(&mut event);
        }
        prop_assert!(stage.registry().instruments().len() <= 3);
    }

    #[test]
    fn half_sensible_bytes_do_not_make_it_panic(
        kinds in prop::collection::vec(prop::sample::select(Kind::ALL), 1..40),
        symbol in prop::sample::select(vec!["SPY", "USD", "-", "XXX"]),
        account in prop::sample::select(vec!["A", "D", "-", "XXX"]),
        numbers in prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(8), any::<u8>()], 448),
    ) {
        let mut stage = world();
        let mut record = Vec::new();
        for kind in kinds {
            record.clear();
            let len = record_len(kind as u16, 0);
            let head = Head { kind: kind as u16, len: len as u32, ..Head::default() };
            record.extend_from_slice(bytemuck::bytes_of(&head));
            record.extend_from_slice(&numbers[..kind.body_len()]);
            let mut event = Event::empty();
            event.read_record(&record).unwrap();
            event.names = Names { symbol: text(symbol), account: text(account) };
            stage.process(&mut event);
        }
    }
}
