//! Who sees what, and for how long.

use crate::client::{Came, Client};
use crate::room::Room;
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::codes::Side;

const CHANNELS: [&str; 10] = [
    "positions",
    "pnl",
    "orders",
    "trades",
    "rejects",
    "limits",
    "alerts",
    "market",
    "latency",
    "health",
];

fn everything(room: &Room, token: &str) -> Client {
    let mut client = Client::login(room.runtime.handle(), room.address, token);
    for channel in CHANNELS {
        client.subscribe(json!({"channel": channel, "hz": 20}));
    }
    client.calm();
    client
}

fn column<'a>(client: &'a Client, channel: &str, at: usize) -> Vec<&'a Value> {
    client.rows(channel).into_iter().map(|row| &row[at]).collect()
}

/// What somebody who sees nodes A and S (its strategy) may have on each channel.
fn is_of_a_alone(client: &Client) {
    for (channel, at, names) in [
        ("positions", 0, &["A"][..]),
        ("pnl", 1, &["A", "S"]),
        ("orders", 2, &["A"]),
        ("trades", 7, &["A"]),
        ("rejects", 5, &["A"]),
        ("limits", 2, &["A"]),
        ("alerts", 4, &["A"]),
    ] {
        let seen = column(client, channel, at);
        assert!(!seen.is_empty(), "{channel}");
        assert!(
            seen.iter().all(|name| names.contains(&name.as_str().unwrap())),
            "{channel}: {seen:?}"
        );
    }
    assert!(
        column(client, "pnl", 0)
            .iter()
            .all(|group| *group == "ACCOUNT" || *group == "STRATEGY")
    );
    for channel in ["market", "latency", "health"] {
        assert!(!client.rows(channel).is_empty(), "{channel} is for everybody");
    }
}

#[test]
fn every_channel_shows_what_its_viewer_may_see_and_nothing_else() {
    let mut room = Room::new();
    let (a, s) = (room.node("A"), room.node("S"));
    room.people.add("ada", 2, &[a, s], false);
    room.people.add("nobody", 3, &[], false);
    let (before_ada, before_nobody) = (everything(&room, "ada"), everything(&room, "nobody"));
    drop((before_ada, before_nobody));
    let mut ada = everything(&room, "ada");
    room.act(|desk| {
        desk.limit(
            "a-qty",
            tradewind_domain::codes::LimitType::MaxOrderQty,
            "A",
            crate::desk::dec("500").into(),
            [0; 6],
            tradewind_domain::codes::LimitAction::Reject,
        );
        desk.busy_day();
        desk.order("a9", "A", Side::Buy, "600", "10");
        desk.order("s9", "S", Side::Sell, "1", "10");
    });
    ada.calm();
    is_of_a_alone(&ada);
    let fresh = everything(&room, "ada");
    is_of_a_alone(&fresh);
    for channel in CHANNELS
        .iter()
        .filter(|name| !["latency", "health"].contains(*name))
    {
        assert_eq!(
            fresh.tables[*channel], ada.tables[*channel],
            "{channel}: by updates as by a snapshot"
        );
    }
    let boss = everything(&room, "boss");
    for channel in &CHANNELS[..7] {
        assert!(
            boss.rows(channel).len() > ada.rows(channel).len(),
            "{channel} has more for others"
        );
    }
    assert!(
        column(&boss, "rejects", 5).contains(&&Value::from("")),
        "refusals of nobody are an operator's"
    );
    let nobody = everything(&room, "nobody");
    for channel in &CHANNELS[..7] {
        assert!(nobody.rows(channel).is_empty(), "{channel}");
    }
    room.stop();
}

#[test]
fn a_grant_or_its_end_shows_as_a_new_snapshot() {
    let mut room = Room::new();
    let (a, b) = (room.node("A"), room.node("B"));
    let eve = room.people.add("eve", 7, &[a], false);
    room.act(|desk| desk.busy_day());
    let mut client = Client::login(room.runtime.handle(), room.address, "eve");
    client.subscribe(json!({"channel": "positions"}));
    client.subscribe(json!({"channel": "trades"}));
    client.calm();
    assert_eq!(column(&client, "positions", 0), ["A"]);
    eve.grant(8, &[b]);
    while column(&client, "positions", 0) != ["B"] {
        client.frame("positions");
    }
    client.calm();
    assert!(column(&client, "trades", 7).iter().all(|account| *account == "B"));
    room.act(|desk| desk.trade("A", Side::Buy, "1", "10"));
    client.calm();
    assert_eq!(column(&client, "positions", 0), ["B"]);
    assert!(column(&client, "trades", 7).iter().all(|account| *account == "B"));
    room.stop();
}

#[test]
fn who_is_revoked_is_out_and_whose_token_ends_is_told_so() {
    let room = Room::new();
    let a = room.node("A");
    let (eve, ann) = (
        room.people.add("eve", 7, &[a], false),
        room.people.add("ann", 7, &[a], false),
    );
    let mut reads = Client::login(room.runtime.handle(), room.address, "eve");
    reads.subscribe(json!({"channel": "market"}));
    let mut expires = Client::login(room.runtime.handle(), room.address, "ann");
    eve.revoke();
    assert_eq!(reads.closed(), Some(4003));
    assert!(
        matches!(expires.next_within(Duration::from_millis(300)), Came::Nothing),
        "others stay"
    );
    ann.expire();
    assert_eq!(expires.closed(), Some(4001));
    room.stop();
}

#[test]
fn nobody_comes_in_without_a_token_and_a_new_one_keeps_subscriptions() {
    let room = Room::new();
    let handle = room.runtime.handle();
    let mut silent = Client::connect(handle, room.address);
    let mut wrong = Client::connect(handle, room.address);
    let refused = wrong.ask("authenticate", json!({"token": "guess"}));
    assert_eq!(refused["error"]["code"], "NOT_AUTHENTICATED");
    assert_eq!(wrong.closed(), Some(4001));

    let mut early = Client::connect(handle, room.address);
    let refused = early.ask("subscribe", json!({"channel": "market"}));
    assert_eq!(refused["error"]["code"], "NOT_AUTHENTICATED");
    assert_eq!(
        early.ask("authenticate", json!({"token": "boss"}))["success"],
        true
    );
    early.subscribe(json!({"channel": "market"}));
    early.frame("market");

    room.people.add("ada", 9, &[], false);
    let refused = early.ask("authenticate", json!({"token": "ada"}));
    assert_eq!(
        refused["error"]["code"], "NOT_PERMITTED",
        "a connection stays its user's"
    );
    room.people.add("boss", 1, &[], true).expire();
    let renewed = early.ask("authenticate", json!({"token": "boss"}));
    assert_eq!(renewed["success"], true);
    assert_eq!(
        early.closed(),
        Some(4001),
        "the token that counts is the new one, which has ended"
    );
    assert_eq!(silent.closed(), Some(4001));
    room.stop();
}
