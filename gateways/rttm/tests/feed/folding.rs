//! Snapshot and updates make the replica's rows.

use crate::client::Client;
use crate::room::Room;
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::codes::Side;
use tradewind_domain::event::Kind;
use tradewind_views::query::current::{Current, Filter, Scope};

const STATE: [&str; 8] = [
    "positions",
    "pnl",
    "orders",
    "limits",
    "alerts",
    "market",
    "latency",
    "health",
];

fn all() -> Filter {
    Filter::of(Scope::All)
}

/// Cells of a row as text, those of a null empty.
fn cells(row: &Value, columns: &[usize]) -> Vec<String> {
    let cell = |at: &usize| match &row[*at] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    columns.iter().map(cell).collect()
}

/// Times that a client is given to take what is still to come, before it has to agree.
const LOOKS: usize = 20;

/// What the client comes to hold is what the replica says by another road. The feed is a thread of its own: it may be behind.
fn comes_to_agree(room: &Room, client: &mut Client) {
    for _ in 0..LOOKS {
        client.calm();
        if held_and_known(room, client)
            .iter()
            .all(|(held, known)| held == known)
        {
            return;
        }
    }
    for (held, known) in held_and_known(room, client) {
        assert_eq!(held, known);
    }
}

/// Rows, each as some of its cells.
type Rows = Vec<Vec<String>>;

/// Rows of each channel as the client holds them, and as the replica has them.
fn held_and_known(room: &Room, client: &Client) -> Vec<(Rows, Rows)> {
    let mut pairs = Vec::new();
    let live = room.live();
    let text = |decimal: Option<_>| {
        decimal.map_or_else(
            String::new,
            |decimal: tradewind_views::query::current::Decimal| decimal.to_string(),
        )
    };
    let shown: Vec<_> = client
        .rows("positions")
        .iter()
        .map(|row| cells(row, &[0, 1, 2, 4, 8, 9]))
        .collect();
    let known = live.positions(&all()).unwrap().data;
    let known: Vec<_> = known
        .iter()
        .map(|row| {
            vec![
                row.account.to_string(),
                row.symbol.to_string(),
                row.qty.to_string(),
                text(row.mark),
                text(row.unrealised),
                row.realised.to_string(),
            ]
        })
        .collect();
    pairs.push((shown, known));

    let shown: Vec<_> = client
        .rows("orders")
        .iter()
        .map(|row| cells(row, &[0, 1, 8, 9, 10, 14]))
        .collect();
    let mut known = live.recent_orders(&all(), usize::MAX).unwrap().data;
    known.sort_by_key(|row| json!([row.order_id.to_string()]).to_string());
    let known: Vec<_> = known
        .iter()
        .map(|row| {
            vec![
                row.order_id.to_string(),
                row.cl_ord_id.to_string(),
                row.qty.to_string(),
                row.cum.to_string(),
                row.leaves.to_string(),
                row.state.to_owned(),
            ]
        })
        .collect();
    pairs.push((shown, known));

    let shown: Vec<_> = client
        .rows("pnl")
        .iter()
        .map(|row| cells(row, &[0, 1, 2, 7]))
        .collect();
    let known = live.profit(&Scope::All).unwrap().data;
    let known: Vec<_> = known
        .iter()
        .map(|row| {
            vec![
                row.group.to_owned(),
                row.name.to_string(),
                row.currency.to_string(),
                row.total.to_string(),
            ]
        })
        .collect();
    pairs.push((shown, known));

    let mut shown: Vec<_> = client
        .rows("limits")
        .iter()
        .map(|row| cells(row, &[0, 2, 5, 8]))
        .collect();
    shown.sort();
    let known = live.limits(&Scope::All).unwrap().data;
    let mut known: Vec<_> = known
        .iter()
        .map(|row| {
            vec![
                row.label.to_string(),
                row.scope.to_string(),
                row.used.clone().unwrap_or_default(),
                row.used_pct.map_or_else(String::new, |pct| pct.to_string()),
            ]
        })
        .collect();
    known.sort();
    pairs.push((shown, known));

    let shown: Vec<_> = client
        .rows("market")
        .iter()
        .map(|row| cells(row, &[0, 5, 7]))
        .collect();
    let known = live.market(None).unwrap().data;
    let known: Vec<_> = known
        .iter()
        .map(|row| vec![row.symbol.to_string(), text(row.last), text(row.mark)])
        .collect();
    pairs.push((shown, known));
    pairs
}

#[test]
fn a_client_that_folds_what_it_gets_has_the_replicas_rows() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    let mut client = Client::login(&handle, room.address, "boss");
    for channel in STATE {
        let hz = if channel == "orders" { 5 } else { 20 };
        let result = client.subscribe(json!({"channel": channel, "hz": hz}));
        assert_eq!(result["channel"], channel);
    }
    comes_to_agree(&room, &mut client);
    let mut paused = 0;
    room.act_slowly(
        |desk| desk.busy_day(),
        |written| {
            if written % 9 == 0 {
                paused += 1;
                std::thread::sleep(Duration::from_millis(60));
            }
        },
    );
    comes_to_agree(&room, &mut client);
    assert!(client.tables["positions"].len() > 1 && client.tables["orders"].len() > 5 && paused > 4);
    assert!(
        client.snapshots.values().all(|count| *count == 1),
        "a client that reads needs one snapshot"
    );

    // Whoever comes later is told the same at once.
    let mut late = Client::login(&handle, room.address, "boss");
    for channel in STATE {
        late.subscribe(json!({"channel": channel}));
    }
    late.calm();
    for channel in ["positions", "pnl", "orders", "limits", "alerts", "market"] {
        assert_eq!(late.tables[channel], client.tables[channel], "{channel}");
    }
    // A bust changes positions of the past; a mark changes what every position is worth.
    let booked = room.newest(Kind::TradeCapture);
    room.act(|desk| {
        desk.bust(&booked);
        desk.last_trade("12.5");
    });
    comes_to_agree(&room, &mut client);
    comes_to_agree(&room, &mut late);
    room.stop();
}

#[test]
fn updates_come_at_most_as_often_as_asked_for_and_the_newest_state_wins() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    room.act(|desk| {
        desk.deposit("A", "10000");
        desk.trade("B", Side::Buy, "10", "10");
    });
    let mut client = Client::login(&handle, room.address, "boss");
    client.subscribe(json!({"channel": "market", "hz": 4}));
    let snapshot = client.frame("market");
    assert_eq!(
        (&snapshot["type"], &snapshot["prev"]),
        (&"snapshot".into(), &0.into())
    );
    assert_eq!(snapshot["columns"].as_array().unwrap().len(), 14);
    let begun = std::time::Instant::now();
    for tick in 0..100 {
        room.act(|desk| desk.last_trade(&format!("1{}.5", tick % 10)));
        std::thread::sleep(Duration::from_millis(10));
    }
    room.act(|desk| desk.last_trade("99.5"));
    let mut frames = 0;
    loop {
        let frame = client.frame("market");
        frames += 1;
        assert!(frame.get("columns").is_none(), "columns are said once");
        if frame["data"][0][5] == "99.5" {
            break;
        }
    }
    let most = begun.elapsed().as_millis() / 250 + 2;
    assert!(frames >= 2 && frames <= most, "{frames} frames, at most {most}");
    room.stop();
}

#[test]
fn a_choice_of_accounts_and_symbols_leaves_the_rest_out() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    room.act(|desk| desk.busy_day());
    let mut client = Client::login(&handle, room.address, "boss");
    client.subscribe(json!({"channel": "positions", "accounts": ["A"]}));
    client.subscribe(json!({"channel": "orders", "accounts": ["B"], "symbols": ["ACME"]}));
    client.subscribe(json!({"channel": "pnl", "accounts": ["ORG"]}));
    client.subscribe(json!({"channel": "trades", "symbols": ["NONE"]}));
    client.calm();
    assert!(client.rows("positions").iter().all(|row| row[0] == "A") && client.rows("positions").len() == 1);
    assert!(client.rows("orders").iter().all(|row| row[2] == "B") && client.rows("orders").len() > 1);
    let groups: Vec<_> = client.rows("pnl").iter().map(|row| row[0].clone()).collect();
    assert_eq!(groups, ["ORG"]);
    assert!(client.rows("trades").is_empty());
    room.stop();
}
