use super::{Table, book};
use crate::{Answer, Field, Findings, RuleBook, RuleEvent};
use tradewind_domain::codes::{InstrumentKind, OrderType, Side};
use tradewind_domain::decimal;
use tradewind_domain::text::Text;

fn dec(text: &str) -> i128 {
    decimal::parse(text.as_bytes()).expect("a decimal").into()
}

/// A limit order to buy 500 GIZMO at 9.50, last traded at 10; no quote, no stop price, no mark.
fn order() -> Table {
    let mut table = Table::default();
    let numbers = [
        (Field::OrderSide, Side::Buy as i128),
        (Field::OrderType, OrderType::Limit as i128),
        (Field::OrderQty, dec("500")),
        (Field::OrderPx, dec("9.50")),
        (Field::OrderNotional, dec("4750")),
        (Field::Kind, InstrumentKind::Equity as i128),
        (Field::LastPx, dec("10")),
        (Field::Adv, dec("10000")),
        (Field::Halted, 0),
        (Field::EasyToBorrow, 1),
        (Field::Weekday, 3),
    ];
    table.numbers.extend(numbers);
    let texts = [
        (Field::Symbol, "GIZMO"),
        (Field::Sector, "TOOLS"),
        (Field::Currency, "USD"),
        (Field::Account, "A1"),
        (Field::Desk, "A1"),
        (Field::User, ""),
    ];
    table
        .texts
        .extend(texts.map(|(field, text)| (field, Text::new(text).unwrap())));
    table
}

fn rule(condition: &str) -> String {
    format!("rule \"r\" on order when {condition} then reject \"C\" \"t\"\n")
}

fn answer_of(book: &RuleBook, table: &Table) -> Answer {
    let mut answers = Vec::new();
    book.answers(RuleEvent::Order, table, |number, answer| {
        answers.push((number, answer))
    });
    let [(1, answer)] = answers[..] else {
        panic!("one rule, one answer: {answers:?}")
    };
    answer
}

#[test]
fn conditions_come_to_what_their_words_say() {
    use Answer::{Met, NotMet, Unknown};
    let table = order();
    let cases = [
        // comparison
        ("order.px < 9.5", NotMet),
        ("order.px <= 9.5", Met),
        ("9.5 >= order.px", Met),
        ("9.5 > order.px", NotMet),
        ("order.px = 9.50000000", Met),
        ("order.px != 9.5", NotMet),
        ("order.px > -1", Met),
        ("order.qty >= 1_000", NotMet),
        ("order.px < market.last_px", Met),
        // closed sets and flags
        ("order.side = BUY", Met),
        ("SELL_SHORT != order.side", Met),
        ("order.type in (MARKET, STOP)", NotMet),
        ("instrument.kind not in (FUTURE, CRYPTO)", Met),
        ("market.halted", NotMet),
        ("not market.halted", Met),
        ("instrument.easy_to_borrow = true", Met),
        ("market.halted in (true, false)", Met),
        ("time.weekday >= SAT", NotMet),
        ("time.weekday = WED", Met),
        // texts
        ("instrument.symbol = \"GIZMO\"", Met),
        ("\"GIZM\" = instrument.symbol", NotMet),
        (
            "instrument.symbol in (\"ACME\", \"GIZMO\", \"ACME\", \"ZETA\")",
            Met,
        ),
        ("account.code not in (\"A2\", \"A10\")", Met),
        ("account.user = \"\"", Met),
        ("account.desk = account.code", Met),
        ("account.desk != account.code", NotMet),
        // arithmetic
        ("order.px + 0.5 = market.last_px", Met),
        ("order.px - market.last_px = -0.5", Met),
        ("abs(order.px - market.last_px) > 5% of market.last_px", NotMet),
        ("abs(order.px - market.last_px) >= 5% of market.last_px", Met),
        ("order.qty > 5% of instrument.adv", NotMet),
        ("order.qty / 2 - instrument.lot > 1", Unknown),
        ("order.qty * order.px = 4750", Met),
        ("order.notional / 3 = 1583.33333333", Met),
        ("-order.notional / 3 = -1583.33333333", Met),
        ("min(order.qty, 300, order.px) = 9.5", Met),
        ("max(order.qty, 300, order.px) = 500", Met),
        ("2 + 3 * order.px = 30.5", Met),
        ("(2 + 3) * order.px = 47.5", Met),
        ("--order.px = 9.5", Met),
        ("order.px = 2.5% * 380", Met),
        ("order.px - 1 - 1 = 7.5", Met),
        // and, or, not
        ("order.px > 9 and order.qty > 400", Met),
        ("order.px > 9 and order.qty > 900", NotMet),
        ("order.px > 99 or order.qty > 400", Met),
        ("not (order.px > 9 and order.qty > 400)", NotMet),
        (
            "order.px > 99 or order.px > 9 and order.qty > 900 or order.qty = 500",
            Met,
        ),
        ("not order.px > 99", Met),
        ("not not order.px > 99", NotMet),
        // what is missing
        ("order.stop_px > 1", Unknown),
        ("not order.stop_px > 1", Unknown),
        ("order.stop_px > 1 and order.px > 99", NotMet),
        ("order.px > 99 and order.stop_px > 1", NotMet),
        ("order.px > 9 and order.stop_px > 1", Unknown),
        ("order.stop_px > 1 or order.px > 9", Met),
        ("order.px > 9 or order.stop_px > 1", Met),
        ("order.px > 99 or order.stop_px > 1", Unknown),
        ("order.stop_px in (1, 2)", Unknown),
        ("known(order.stop_px)", NotMet),
        ("known(order.px)", Met),
        ("known(order.stop_px) and order.stop_px > 1", NotMet),
        ("not known(market.bid - order.px)", Met),
        ("known(order.stop_px > 1)", NotMet),
        // what does not fit counts as missing
        ("order.qty * 99999999999999999 * 99999999999999999 > 0", Unknown),
        ("order.qty * 99999999999999999 > 0", Met),
    ];
    for (condition, expected) in cases {
        // A division by a field is no part of the language: that line is about a field that is missing.
        let condition = condition.replace("order.qty / instrument.lot", "order.qty / 2 - instrument.lot");
        assert_eq!(
            answer_of(&book(&rule(&condition)), &table),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn shortcuts_answer_as_the_full_evaluation_does() {
    // All nine pairs of true, false and missing, on both sides of `and` and `or`, against the tables of Kleene.
    let table = order();
    let atoms = [
        ("order.px > 9", Some(true)),
        ("order.px > 99", Some(false)),
        ("order.stop_px > 1", None),
    ];
    for (left_text, left) in atoms {
        for (right_text, right) in atoms {
            let and = match (left, right) {
                (Some(false), _) | (_, Some(false)) => Answer::NotMet,
                (Some(true), Some(true)) => Answer::Met,
                _ => Answer::Unknown,
            };
            let or = match (left, right) {
                (Some(true), _) | (_, Some(true)) => Answer::Met,
                (Some(false), Some(false)) => Answer::NotMet,
                _ => Answer::Unknown,
            };
            for (word, expected) in [("and", and), ("or", or)] {
                let condition = format!("{left_text} {word} {right_text}");
                assert_eq!(
                    answer_of(&book(&rule(&condition)), &table),
                    expected,
                    "{condition}"
                );
            }
        }
    }
}

#[test]
fn the_first_rule_of_each_kind_of_action_is_named() {
    let source = r#"
        rule "quotes only" on quote when quote.bid > 0 then reject "Q" "q"
        rule "not met" on order when order.px > 99 then reject "N" "n"
        rule "alert one" on order when order.px > 1 then alert "A1" "a"
        rule "alert two" on order when order.px > 1 then alert "A2" "a"
        rule "cannot be told" on order when order.stop_px > 1 then reject "U" "u"
        rule "met" on order when order.px > 1 then reject "M" "m"
    "#;
    let book = book(source);
    let findings = book.check(RuleEvent::Order, &order());
    assert_eq!(findings, Findings { rule: 5, alert: 3 });
    let names: Vec<String> = [5, 3]
        .iter()
        .map(|number| book.rule(*number).unwrap().row.name.to_string())
        .collect();
    assert_eq!(names, ["cannot be told", "alert one"]);
    assert_eq!(book.check(RuleEvent::Trade, &order()), Findings::default());
    assert!(book.has(RuleEvent::Quote) && !book.has(RuleEvent::Trade));
    assert_eq!(book.rule(0), None);
    assert_eq!(book.rule(7), None);
}

#[test]
fn long_lists_are_found_to_the_last_item() {
    let symbols: Vec<String> = (0..2_000).map(|n| format!("\"S{n}\"")).collect();
    let numbers: Vec<String> = (0..2_000).rev().map(|n| n.to_string()).collect();
    let source = rule(&format!(
        "instrument.symbol in ({}) and order.qty in ({})",
        symbols.join(","),
        numbers.join(", ")
    ));
    let book = book(&source);
    for n in [0, 1, 999, 1_999, 2_000] {
        let mut table = order();
        table
            .texts
            .insert(Field::Symbol, Text::new(format!("S{n}")).unwrap());
        table.numbers.insert(Field::OrderQty, dec(&n.to_string()));
        let expected = if n < 2_000 { Answer::Met } else { Answer::NotMet };
        assert_eq!(answer_of(&book, &table), expected, "{n}");
    }
}
