//! Business rules: any text compiles or is refused with its place, and any document runs to its end or is ignored.

use super::Script;
use tradewind_domain::event::Event;
use tradewind_domain::text::Text;
use tradewind_rules::{Facts, Field, Label, RuleBook, RuleEvent, compile, decode, encode, parts};

/// The first byte says what the rest is: a source text, a document, or a sound document with bytes changed.
pub(crate) fn rules(bytes: &[u8]) {
    let mut script = Script(bytes);
    match script.u8() % 3 {
        0 => source(script.0),
        1 => {
            document(script.0);
        }
        _ => changed(script),
    }
}

fn label() -> Label {
    Label {
        author: Text::lossy("fuzz"),
        reason: Text::lossy("any bytes"),
    }
}

fn source(source: &[u8]) {
    match compile(source) {
        Ok(compiled) => {
            let rules = compiled.rows().len();
            let Ok(packed) = encode(&compiled, label()) else {
                return;
            };
            let read = decode(&packed).expect("Invariant: what was compiled verifies");
            assert_eq!(read.source, source, "Invariant: a document holds its source");
            assert_eq!(read.rules.len(), rules, "Invariant: a document holds every rule");
            assert!(document(&packed), "Invariant: what was compiled takes effect");
        }
        Err(errors) => {
            let lines = source.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            assert!(!errors.0.is_empty(), "Invariant: a refusal has a reason");
            for error in errors.0 {
                assert!(
                    (1..=lines).contains(&error.line) && error.column >= 1,
                    "Invariant: an error has a place in the file"
                );
            }
        }
    }
}

/// Sends a document to a book and asks all that is in force. True where it took effect.
fn document(bytes: &[u8]) -> bool {
    let mut book = RuleBook::new();
    let mut event = Event::empty();
    for part in parts(bytes) {
        part.fill(&mut event);
        book.observe(&event);
    }
    assert_eq!(
        book.document().is_some(),
        decode(bytes).is_ok(),
        "Invariant: a stage takes what a reader takes"
    );
    for asked in RuleEvent::ALL {
        for seed in 0..4 {
            let first = book.check(asked, &Seeded::new(seed));
            let again = book.check(asked, &Seeded::new(seed));
            assert_eq!(first, again, "Invariant: the same facts, the same answer");
            let named = [first.rule, first.alert]
                .into_iter()
                .filter(|number| *number != 0);
            for number in named {
                assert!(
                    book.rule(number).is_some(),
                    "Invariant: a rule that acts has a name"
                );
            }
        }
    }
    book.document().is_some()
}

fn changed(mut script: Script<'_>) {
    let compiled = compile(SOURCE.as_bytes()).expect("sound rules");
    let mut packed = encode(&compiled, label()).expect("a small document");
    while !script.is_empty() {
        let at = script.below(packed.len());
        packed[at] = script.u8();
    }
    document(&packed);
}

/// Rules that use every part of the language.
pub(crate) const SOURCE: &str = r#"# every part of the language
rule "penny" on order
  when instrument.kind = EQUITY and known(order.px) and order.px < 1.00 and not account.code in ("A1", "A2")
  then reject "PENNY" "price below one dollar"
rule "large" on order
  when order.qty > 5% of instrument.adv or max(order.notional, order.value, 1) / 3 >= 1_000_000 - -5
  then alert "LARGE" "large order"
rule "far" on trade
  when abs(trade.px - market.last_px) > 5% of market.last_px or trade.venue not in (1, 2) and account.desk != account.code
  then quarantine "FAR" "far from the last price"
rule "wide" on quote
  when min(quote.ask, 1000) - quote.bid * 2 > 0.5 and time.weekday < SAT and (market.halted or time.is_open = false)
  then reject "WIDE" "wide quote"
"#;

/// Facts that follow from a number: some missing, some as large as they can be.
struct Seeded {
    seed: u64,
    text: Text<32>,
}

impl Seeded {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            text: Text::lossy(["", "A1", "EQUITY", "USD"][seed as usize % 4]),
        }
    }
}

impl Facts for Seeded {
    fn number(&self, field: Field) -> Option<i128> {
        match (self.seed + field as u64) % 7 {
            0 => None,
            1 => Some(0),
            2 => Some(1),
            3 => Some(i128::MAX),
            4 => Some(i128::MIN),
            5 => Some(-100_000_000),
            _ => Some(i128::from(field as u8) * 100_000_000),
        }
    }

    fn text(&self, _field: Field) -> &[u8; 32] {
        self.text.padded()
    }
}
