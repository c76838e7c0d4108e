//! Corporate actions and lot methods as an operator sets them: what the engine answers, and what its journal and its state say afterwards.

use super::recon::held_place;
use super::{Engine, of_kind};
use serde_json::Value;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::event::{CorporateAction, Kind, LotMethodSet};

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

fn ask_state(place: &super::Place) -> Value {
    let output = std::process::Command::new(super::BINARY)
        .args(["state", "--json"])
        .arg(place.data())
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", super::stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
