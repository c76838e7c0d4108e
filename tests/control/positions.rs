//! Corporate actions, tax lots, money and prices as an operator sets them: what the engine answers, and what its journal and its state say afterwards.

use super::recon::held_place;
use super::{Engine, of_kind};
use serde_json::Value;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::event::{CorporateAction, Kind, LotMethodSet, LotSelect};

#[test]
fn a_dividend_and_a_split_reach_every_holder_and_the_lots_are_kept_as_was_set() {
    let place = held_place();
    let engine = Engine::start(&place);
    let by = |args: &[&'static str]| [args, &["--reason", "bulletin 7", "--operator", "ops"]].concat();
    engine.json(&by(&[
        "positions",
        "lot-method",
        "FREE",
        "HIFO",
        "--fee-in-basis",
    ]));
    let dividend = [
        "positions",
        "announce",
        "GIZMO",
        "CASH_DIVIDEND",
        "--amount",
        "0.5",
        "--withhold",
        "15",
    ];
    let paid = engine.json(&by(&dividend));
    assert_eq!(paid["outcome"]["kind"], "corporate_action");
    engine.json(&by(&[
        "positions",
        "announce",
        "GIZMO",
        "SPLIT",
        "--ratio",
        "2:1",
        "--amount",
        "25",
    ]));

    let without_ratio = engine.refusal(&by(&["positions", "announce", "GIZMO", "SPLIT"]), 1);
    assert_eq!(without_ratio["code"], "REFUSED");
    let unknown = engine.refusal(
        &by(&["positions", "announce", "NOTHING", "SPLIT", "--ratio", "2:1"]),
        1,
    );
    assert_eq!(unknown["outcome"]["code"], "UNKNOWN_SYMBOL");
    let method = engine.refusal(&by(&["positions", "lot-method", "FREE", "FIFA"]), 2);
    assert_eq!(method["code"], "BAD_ARGUMENT");
    let nobody = engine.refusal(&by(&["positions", "lot-method", "NOBODY", "FIFO"]), 1);
    assert_eq!(nobody["code"], "REFUSED");

    let events = engine.stop();
    let set: &LotMethodSet = of_kind(&events, Kind::LotMethodSet)[0].body();
    assert_eq!(
        (set.author.as_str(), set.method, set.fee_in_basis),
        ("ops", LotMethod::Hifo as u8, 1)
    );
    // 80 held: 40.00 gross, 6.00 withheld; then 160.
    let paid = of_kind(&events, Kind::HolderDividend);
    let paid: &CorporateAction = paid[0].body();
    assert_eq!(
        (paid.gross.to_string(), paid.withheld.to_string()),
        ("40".into(), "6".into())
    );
    let split = of_kind(&events, Kind::HolderSplit);
    let split = split.iter().map(|event| event.body::<CorporateAction>());
    let of_holder = split
        .into_iter()
        .find(|split| !split.holding.is_none())
        .expect("a holder");
    assert_eq!(of_holder.qty_delta, 80_0000_0000);
    let output = ask_state(&place);
    let profit = &output["pnl"][0];
    assert_eq!(
        (&profit["account"], &profit["income"]),
        (&Value::from("FREE"), &Value::from("34"))
    );
}

#[test]
fn money_prices_halts_and_lots_are_booked_by_command_and_name_who_says_so() {
    let place = held_place();
    let engine = Engine::start(&place);
    let by = |args: &[&'static str]| [args, &["--reason", "custodian", "--operator", "ops"]].concat();
    let deposit = ["cash", "deposit", "FREE", "1000", "USD", "--reference", "w-1"];
    engine.json(&by(&deposit));
    let twice = engine.refusal(&by(&deposit), 1);
    assert_eq!(twice["outcome"]["code"], "DUPLICATE_EXEC_ID");
    engine.json(&by(&[
        "cash",
        "withdraw",
        "FREE",
        "400",
        "USD",
        "--reference",
        "w-2",
    ]));
    let convert = [
        "cash",
        "convert",
        "FREE",
        "110",
        "USD",
        "EUR",
        "--rate",
        "0.9",
        "--reference",
        "c-1",
    ];
    engine.json(&by(&convert));
    engine.json(&by(&["market", "mark", "GIZMO", "52"]));
    engine.json(&by(&["market", "rate", "EUR", "1.2"]));
    engine.json(&by(&["market", "halt", "GIZMO"]));
    engine.json(&by(&["market", "resume", "GIZMO"]));
    engine.json(&by(&[
        "positions",
        "select-lots",
        "T2",
        "--venue",
        "1",
        "--lot",
        "T1=20",
    ]));
    engine.json(&by(&[
        "positions",
        "announce",
        "GIZMO",
        "SPLIT",
        "--ratio",
        "2:1",
        "--ex-date",
        "2100-01-04",
    ]));
    let listed = &engine.json(&["positions", "actions"])["actions"];
    assert_eq!(
        (&listed[0]["action"], &listed[0]["state"]),
        (&"SPLIT".into(), &"WAITING".into())
    );
    engine.json(&by(&[
        "fees", "set", "BPS", "--rate", "0.5", "--symbol", "GIZMO", "--name", "cheap",
    ]));
    let fees = &engine.json(&["fees", "list"])["schedules"];
    assert_eq!(
        (&fees[0]["name"], &fees[0]["rate"]),
        (&"cheap".into(), &"0.5".into())
    );

    let events = engine.stop();
    for kind in [
        Kind::Withdrawal,
        Kind::FxConversion,
        Kind::Mark,
        Kind::FxRate,
        Kind::InstrumentStatus,
    ] {
        let told = of_kind(&events, kind)
            .into_iter()
            .map(|event| String::from_utf8_lossy(event.tail()));
        let by_ops = told
            .filter(|text| text.starts_with("ops: custodian [os user "))
            .count();
        assert_eq!(
            by_ops,
            1 + usize::from(kind == Kind::InstrumentStatus),
            "{kind:?}"
        );
    }
    let select = of_kind(&events, Kind::LotSelect)[0];
    assert_eq!(select.body::<LotSelect>().author.as_str(), "ops");
    assert!(select.lots_reason().starts_with(b"custodian [os user "));
}

fn ask_state(place: &super::Place) -> Value {
    let output = std::process::Command::new(super::support::process::BINARY)
        .args(["state", "--json"])
        .arg(place.data())
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", super::stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
