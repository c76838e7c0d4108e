use super::{Table, book, document, label, send};
use crate::program::{Header, Instruction};
use crate::{DOCUMENT_MAX, DocumentError, Flaw, RuleBook, RuleEvent, compile, decode, encode, parts};
use proptest::prelude::*;
use tradewind_domain::event::{Blob, Event, InboundLong};

const SOURCE: &str = r#"
    rule "penny" on order
      when instrument.kind = EQUITY and order.px_or_last < 1.00 and not account.code in ("A1", "A2")
      then reject "PENNY" "price below one dollar"
    rule "far" on trade
      when abs(trade.px - market.last_px) > 5% of market.last_px or trade.qty in (1, 2, 3)
      then quarantine "FAR" "far from the market"
    rule "wide" on quote
      when max(quote.ask, 1) - quote.bid / 2 >= 10 and instrument.currency != account_is_no_field
      then alert "WIDE" "wide"
"#;

fn source() -> String {
    SOURCE.replace("account_is_no_field", "\"USD\"")
}

fn events(document: &[u8]) -> Vec<Event> {
    let event = |part: InboundLong| *part.event();
    parts(document).map(event).collect()
}

#[test]
fn a_document_read_back_has_source_label_and_rules() {
    let read = decode(&document(&source())).unwrap();
    assert_eq!(read.source, source().as_bytes());
    assert_eq!(read.label, label());
    let shown: Vec<String> = read
        .rules
        .iter()
        .map(|rule| {
            format!(
                "{} {} {} {} {} {} line {}",
                rule.number,
                rule.event.text(),
                rule.action.text(),
                rule.row.name,
                rule.row.code,
                rule.row.text,
                rule.row.line
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 order reject penny PENNY price below one dollar line 2",
            "2 trade quarantine far FAR far from the market line 5",
            "3 quote alert wide WIDE wide line 8",
        ]
    );
}

#[test]
fn an_empty_file_takes_all_rules_away() {
    let mut book = book(&source());
    assert!(book.has(RuleEvent::Order));
    assert!(send(&mut book, &document("# nothing\n")));
    assert!(!book.has(RuleEvent::Order) && book.document().unwrap().rules.is_empty());
}

#[test]
fn a_document_takes_effect_with_its_last_part_and_not_before() {
    let long = format!("{}{}", "# a comment to make it long\n".repeat(400), source());
    let events = events(&document(&long));
    assert!(events.len() > 10);
    let mut book = RuleBook::new();
    for (at, event) in events.iter().enumerate() {
        assert!(!book.has(RuleEvent::Order));
        assert_eq!(book.observe(event), at + 1 == events.len());
    }
    assert!(book.has(RuleEvent::Order));
    assert_eq!(book.refused(), 0);
}

#[test]
fn parts_that_do_not_go_together_leave_the_rules_in_force() {
    let before = document("rule \"r\" on quote when quote.bid > 1 then alert \"A\" \"a\"");
    let long = format!("{}{}", "# long\n".repeat(1_000), source());
    let sent = events(&document(&long));
    let change = |at: usize, set: fn(&mut Event)| {
        let mut events = sent.clone();
        set(&mut events[at]);
        events
    };
    let without = |gone: usize| {
        let kept = sent.iter().enumerate().filter(|(at, _)| *at != gone);
        kept.map(|(_, event)| *event).collect::<Vec<_>>()
    };
    let last = sent.len() - 1;
    let cases = [
        ("a part is missing", without(1)),
        ("the first part is missing", without(0)),
        ("the last part is missing", without(last)),
        ("a byte differs", change(2, |event| event.set_tail(&[7; 1024]))),
        ("a part is empty", change(1, |event| event.set_tail(&[]))),
        (
            "the hash differs",
            change(last, |event| event.body_mut::<Blob>().hash[0] ^= 1),
        ),
        (
            "another length",
            change(last, |event| event.body_mut::<Blob>().total_len += 1),
        ),
        (
            "too long",
            change(0, |event| {
                event.body_mut::<Blob>().total_len = DOCUMENT_MAX as u32 + 1
            }),
        ),
        (
            "an offset beyond all",
            change(1, |event| event.body_mut::<Blob>().offset = u32::MAX),
        ),
        (
            "another document",
            change(0, |event| event.body_mut::<Blob>().document = 9),
        ),
    ];
    for (what, events) in cases {
        let mut book = RuleBook::new();
        assert!(send(&mut book, &before));
        for event in &events {
            assert!(!book.observe(event), "{what}");
        }
        assert!(
            book.has(RuleEvent::Quote) && !book.has(RuleEvent::Order),
            "{what}"
        );
        // What comes whole afterwards is taken.
        assert!(send(&mut book, &document(&long)), "{what}");
    }
}

#[test]
fn a_document_that_is_not_sound_is_counted_and_ignored() {
    let mut newer = document(&source());
    newer[8] = 2; // the format's version
    assert_eq!(decode(&newer), Err(Flaw::Format(2)));
    let mut book = book(&source());
    let hash = *book.hash();
    assert!(!send(&mut book, &newer));
    assert_eq!((book.refused(), *book.hash()), (1, hash));
}

#[test]
fn source_and_program_share_the_room_of_a_document() {
    let list = |quote: &str| {
        let items: Vec<String> = (1_000..5_000).map(|n| format!("{quote}{n}{quote}")).collect();
        items.join(",")
    };
    let rule = |name: usize, condition: &str| {
        format!("rule \"{name}\" on order when {condition} then alert \"A\" \"a\"\n")
    };
    let small = rule(0, &format!("instrument.symbol in ({})", list("\"")));
    let document = encode(&compile(small.as_bytes()).unwrap(), label()).unwrap();
    assert!(decode(&document).is_ok());

    let mut large = small + &rule(1, &format!("order.qty in ({})", list("")));
    large.extend((2..255).map(|name| rule(name, "market.halted")));
    large.push('#');
    large.extend(std::iter::repeat_n('x', 128 * 1024 - large.len()));
    let packed = encode(&compile(large.as_bytes()).unwrap(), label());
    assert!(matches!(packed, Err(DocumentError::TooLarge { len }) if len > DOCUMENT_MAX));
}

fn table() -> Table {
    Table::default()
}

/// Asks everything of a document that verified: it must come to an end without a panic.
fn exercise(document: &[u8]) {
    let mut book = RuleBook::new();
    if send(&mut book, document) {
        for event in RuleEvent::ALL {
            book.check(event, &table());
            book.answers(event, &table(), |_, _| {});
        }
        assert!(book.infos().count() <= 255);
    }
}

#[test]
fn every_single_changed_byte_is_refused_or_harmless() {
    let sound = document(&source());
    for at in 0..sound.len() {
        for bit in [1, 0x10, 0x80] {
            let mut changed = sound.clone();
            changed[at] ^= bit;
            exercise(&changed);
        }
    }
}

#[test]
fn a_document_cut_anywhere_is_refused() {
    let sound = document(&source());
    for len in 0..sound.len() {
        assert!(decode(&sound[..len]).is_err(), "{len} bytes");
    }
}

proptest! {
    #[test]
    fn random_instructions_are_refused_or_run_to_their_end(
        code in proptest::collection::vec((0_u8..25, 0_u8..8, any::<u8>(), 0_u16..12, 0_u16..4), 1..40),
    ) {
        let mut document = document(&source());
        let compiled = compile(source().as_bytes()).unwrap();
        let room = compiled.code.len();
        let code_end = document.len() - compiled.source.len();
        let code_start = code_end - (room * size_of::<Instruction>()).next_multiple_of(16);
        for (at, (op, comparison, field, arg, count)) in code.into_iter().take(room).enumerate() {
            let instruction = Instruction { op, comparison, field, reserved: 0, arg, count };
            let first = code_start + at * size_of::<Instruction>();
            document[first..first + size_of::<Instruction>()].copy_from_slice(bytemuck::bytes_of(&instruction));
        }
        exercise(&document);
    }

    #[test]
    fn random_bytes_behind_a_sound_header_are_refused_or_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut document = document(&source());
        let after = size_of::<Header>();
        let len = bytes.len().min(document.len() - after);
        document[after..after + len].copy_from_slice(&bytes[..len]);
        exercise(&document);
    }
}
