use super::errors;
use proptest::prelude::*;

/// Errors of a file as `line:column problem`.
fn shown(source: &[u8]) -> Vec<String> {
    let lines = errors(source).0;
    let shown = lines
        .iter()
        .map(|error| format!("{}:{} {}", error.line, error.column, error.problem));
    shown.collect()
}

/// Each file has one error, and it is the one beside it.
fn check(cases: impl IntoIterator<Item = (String, &'static str)>) {
    for (source, expected) in cases {
        assert_eq!(shown(source.as_bytes()), [expected], "{source}");
    }
}

fn with_condition(condition: &str) -> String {
    format!("rule \"r\" on order\n  when {condition}\n  then reject \"C\" \"t\"\n")
}

#[test]
fn errors_in_conditions_name_line_column_and_what_is_wrong() {
    let cases = [
        (
            "order.px <",
            "3:3 expected a field, a number, a text, `not` or `(`, found `then`",
        ),
        ("order.px < 1 2", "2:21 expected `then`, `and` or `or`, found 2"),
        ("(order.px < 1", "3:3 expected `)`, found `then`"),
        (
            "order.px == 1",
            "2:18 expected a field, a number, a text, `not` or `(`, found `=`",
        ),
        ("order.price < 1", "2:8 there is no field order.price"),
        (
            "order.stop_pc < 1",
            "2:8 there is no field order.stop_pc (did you mean order.stop_px?)",
        ),
        ("trade.px < 1", "2:8 trade.px is not known on order"),
        (
            "order.side = BYE",
            "2:21 BYE is not a side: BUY, SELL, SELL_SHORT",
        ),
        (
            "BUY = SELL",
            "2:8 BUY means something only where it is compared with a field",
        ),
        (
            "BUY",
            "2:8 BUY means something only where it is compared with a field",
        ),
        (
            "BUY in (SELL)",
            "2:8 BUY means something only where it is compared with a field",
        ),
        ("order.px", "2:8 expected a condition, found a number"),
        (
            "order.px and market.halted",
            "2:8 expected a condition, found a number",
        ),
        (
            "market.halted or order.px",
            "2:25 expected a condition, found a number",
        ),
        ("not order.px", "2:12 expected a condition, found a number"),
        ("order.px < \"1\"", "2:17 a number cannot be compared with a text"),
        (
            "order.side < BUY",
            "2:19 a side has no order: compare with = or !=",
        ),
        (
            "instrument.symbol < \"A\"",
            "2:26 a text has no order: compare with = or !=",
        ),
        ("1 < 2", "2:10 a comparison needs a field on at least one side"),
        (
            "instrument.symbol = GIZMO",
            "2:28 a text cannot be compared with a word",
        ),
        (
            "order.px + market.halted > 1",
            "2:19 expected a number, found a condition",
        ),
        (
            "order.qty / order.px > 1",
            "2:20 a division needs a number other than zero on its right",
        ),
        (
            "order.qty / 0 > 1",
            "2:20 a division needs a number other than zero on its right",
        ),
        (
            "order.px in ()",
            "2:21 expected a field, a number, a text, `not` or `(`, found `)`",
        ),
        (
            "order.px in (1, \"A\")",
            "2:24 a number cannot be compared with a text",
        ),
        (
            "order.px in (1, market.bid)",
            "2:24 expected a constant in a list, found a field or a calculation",
        ),
        ("order.px not 1", "2:21 expected `in` after `not`, found 1"),
        (
            "\"A\" in (\"A\")",
            "2:8 a comparison needs a field on at least one side",
        ),
        (
            "known(instrument.symbol)",
            "2:14 expected a value that may be missing, found a text, which is always known",
        ),
        ("min(order.px) > 1", "2:20 expected `,`, found `)`"),
        (
            "order.px < 0.000000001",
            "2:19 a number has at most eight decimals",
        ),
        (
            "order.px < 0.000000001%",
            "2:19 a number has at most eight decimals",
        ),
        (
            "order.px < 1234567890123456789",
            "2:19 a number is at most 999,999,999,999,999,999.99999999",
        ),
        (
            "order.px < 1.2.3",
            "2:19 expected a number like 12, 1_000 or 0.05, found `1.2.3`",
        ),
        (
            "order.px < 1x",
            "2:19 expected a number like 12, 1_000 or 0.05, found `1x`",
        ),
        (
            "order.px < 1.",
            "2:19 expected a number like 12, 1_000 or 0.05, found `1.`",
        ),
        ("order.px ? 1", "2:17 `?` is not part of the language"),
        ("order.px € 1", "2:17 `€` is not part of the language"),
        (
            "instrument.symbol = \"A",
            "2:28 the text has no closing quote on its line",
        ),
        (
            "instrument.symbol = \"Å\"",
            "2:28 a text holds printable ASCII only, without a backslash",
        ),
        (
            "instrument.symbol = \"123456789012345678901234567890123\"",
            "2:28 a text to compare with has 33 bytes; 1 to 32 are possible",
        ),
    ];
    check(cases.map(|(condition, expected)| (with_condition(condition), expected)));
}

#[test]
fn errors_around_conditions_name_line_column_and_what_is_wrong() {
    let cases: [(&str, &str); 16] = [
        ("role \"r\"", "1:1 expected `rule`, found `role`"),
        ("rule r", "1:6 expected the rule's name in quotes, found `r`"),
        (
            "rule \"\" on",
            "1:6 a rule's name has 0 bytes; 1 to 48 are possible",
        ),
        ("rule \"r\" when", "1:10 expected `on` and an event, found `when`"),
        (
            "rule \"r\" on fill",
            "1:13 expected `order`, `trade` or `quote`, found `fill`",
        ),
        (
            "rule \"r\" on order then",
            "1:19 expected `when` and a condition, found `then`",
        ),
        (
            "rule \"r\" on order when market.halted",
            "1:37 expected `then`, `and` or `or`, found the end of the file",
        ),
        (
            "rule \"r\" on order when market.halted then",
            "1:42 expected `reject`, `alert` or `quarantine`, found the end of the file",
        ),
        (
            "rule \"r\" on order when market.halted then reject",
            "1:49 expected the rule's own code in quotes, found the end of the file",
        ),
        (
            "rule \"r\" on order when market.halted then reject \"C\"",
            "1:53 expected the rule's own text in quotes, found the end of the file",
        ),
        (
            "rule \"r\" on order when market.halted then reject \"c\" \"t\"",
            "1:50 a code is made of A to Z, 0 to 9, _ and -",
        ),
        (
            "rule \"r\" on order when market.halted then reject \"\" \"t\"",
            "1:50 a code has 0 bytes; 1 to 24 are possible",
        ),
        (
            "rule \"r\" on order when market.halted then reject \"C\" \"t\" or",
            "1:58 expected `rule` or the end of the file, found `or`",
        ),
        (
            "rule \"r\" on order when market.halted then quarantine \"C\" \"t\"",
            "1:43 quarantine is not possible on order: only an executed trade is put aside",
        ),
        (
            "rule \"r\" on trade when market.halted then reject \"C\" \"t\"",
            "1:43 reject is not possible on trade: what was executed stays executed; quarantine puts it aside",
        ),
        ("\u{7}", "1:1 byte 0x07 is not part of the language"),
    ];
    check(cases.map(|(source, expected)| (source.to_owned(), expected)));
    assert_eq!(
        shown(b"# fine \xff\n  \xfe"),
        ["2:3 byte 0xfe is not part of the language"]
    );
}

#[test]
fn every_wrong_rule_is_reported_once() {
    let source = r#"# three rules, two of them wrong
rule "a" on order when order.px < then reject "A" "a"
rule "b" on order when market.halted then reject "B" "b"
rule "b" on order when market.halted then alert "B" "b"
rule "c" on trade when order.px < 1 then alert "C" "c"
"#;
    assert_eq!(
        shown(source.as_bytes()),
        [
            "2:35 expected a field, a number, a text, `not` or `(`, found `then`",
            "4:1 line 3 has a rule of this name already",
            "5:24 order.px is not known on trade",
        ]
    );
}

#[test]
fn what_is_too_large_is_refused_where_it_becomes_so() {
    let deep = with_condition(&format!("{}market.halted", "not ".repeat(100)));
    assert_eq!(shown(deep.as_bytes()), ["2:264 nested deeper than 64"]);
    let brackets = with_condition(&format!("{}market.halted", "(".repeat(100_000)));
    assert!(shown(brackets.as_bytes())[0].ends_with("nested deeper than 64"));
    let wide = with_condition(&vec!["market.halted"; 2_000].join(" or "));
    assert!(shown(wide.as_bytes())[0].ends_with("more than 1024 operators in a rule"));
    let steps = with_condition(&vec!["market.halted"; 1_000].join(" or "));
    assert!(shown(steps.as_bytes())[0].ends_with("more than 1024 steps in a rule"));
    let right = with_condition(&format!(
        "{}order.px{} > 1",
        "order.px + (".repeat(20),
        ")".repeat(20)
    ));
    assert!(shown(right.as_bytes())[0].ends_with("nested deeper than 16"));
    let rules: String = (0..256)
        .map(|n| with_condition("market.halted").replacen("\"r\"", &format!("\"r{n}\""), 1))
        .collect();
    assert_eq!(shown(rules.as_bytes()), ["766:1 more than 255 rules"]);
    let comment = vec![b'#'; 128 * 1024 + 1];
    assert_eq!(shown(&comment), ["1:1 more than 131072 bytes in a file"]);
    let list: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    let list = with_condition(&format!("order.px in ({})", list.join(",")));
    assert!(shown(list.as_bytes())[0].ends_with("more than 4096 items in a list"));
}

/// Texts made of the language's own words: they get far into the parser.
fn words() -> impl Strategy<Value = String> {
    const WORDS: [&str; 36] = [
        "rule",
        "\"r\"",
        "\"C\"",
        "on",
        "order",
        "trade",
        "quote",
        "when",
        "then",
        "reject",
        "alert",
        "quarantine",
        "and",
        "or",
        "not",
        "in",
        "of",
        "(",
        ")",
        ",",
        "=",
        "<",
        "+",
        "-",
        "*",
        "/",
        "%",
        "1",
        "0",
        "2.5",
        "order.px",
        "instrument.symbol",
        "BUY",
        "abs",
        "min",
        "known",
    ];
    proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_bytes_compile_or_are_refused_with_a_place(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(errors) = crate::compile(&bytes) {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            prop_assert!(!errors.0.is_empty());
            prop_assert!(errors.0.iter().all(|error| (1..=lines).contains(&error.line) && error.column >= 1));
        }
    }

    #[test]
    fn any_words_of_the_language_compile_to_what_verifies(
        condition in words(),
        whole in words(),
    ) {
        let rule = format!("rule \"x\" on order when {condition} then reject \"C\" \"t\"");
        for source in [rule, whole] {
            if let Ok(compiled) = crate::compile(source.as_bytes()) {
                let document = crate::encode(&compiled, super::label()).unwrap();
                prop_assert!(crate::decode(&document).is_ok(), "{}", source);
            }
        }
    }
}
