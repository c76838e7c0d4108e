//! Event channels: every row once, in order, also over reconnections and for slow clients.

use crate::client::{Came, Client};
use crate::room::Room;
use serde_json::json;
use std::time::Duration;
use tradewind_domain::codes::Side;
use tradewind_rttm::FeedSettings;

fn places(client: &Client, channel: &str) -> Vec<(u64, u64)> {
    let place = |row: &&serde_json::Value| (row[0].as_u64().unwrap(), row[1].as_u64().unwrap());
    let mut places: Vec<_> = client.rows(channel).iter().map(place).collect();
    places.sort_unstable();
    places
}

#[test]
fn a_client_that_was_away_goes_on_where_it_was() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    room.act(|desk| desk.trade("B", Side::Buy, "1", "10"));
    let mut stays = Client::login(&handle, room.address, "boss");
    stays.subscribe(json!({"channel": "trades"}));
    let mut first = Client::login(&handle, room.address, "boss");
    first.subscribe(json!({"channel": "trades"}));
    assert_eq!(first.frame("trades")["type"], "snapshot");
    room.act(|desk| desk.trade("B", Side::Buy, "2", "10"));
    first.frame("trades");
    let (known, seen) = (places(&first, "trades"), first.last_seq("trades"));
    assert_eq!(known.len(), 2);
    drop(first);
    for qty in 3..40 {
        room.act(|desk| desk.trade("B", Side::Buy, &qty.to_string(), "10"));
    }
    let mut again = Client::login(&handle, room.address, "boss");
    again.subscribe(json!({"channel": "trades", "from_seq": seen}));
    let frame = again.frame("trades");
    assert_eq!((&frame["type"], &frame["prev"]), (&"update".into(), &seen.into()));
    room.act(|desk| desk.trade("B", Side::Buy, "40", "10"));
    stays.calm();
    again.calm();
    let mut whole = known;
    whole.extend(places(&again, "trades"));
    assert_eq!(
        whole,
        places(&stays, "trades"),
        "nothing is missing, nothing comes twice"
    );
    assert_eq!(whole.len(), 40);
    assert_eq!(again.snapshots.get("trades"), None);
    // A number that the journal does not have yet is another journal's.
    let mut strange = Client::login(&handle, room.address, "boss");
    strange.subscribe(json!({"channel": "trades", "from_seq": 1u64 << 40}));
    let frame = strange.frame("trades");
    assert_eq!(
        (&frame["type"], &frame["gap"]),
        (&"snapshot".into(), &true.into())
    );
    room.stop();
}

#[test]
fn events_wait_for_no_tick_unless_that_is_asked_for() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    let mut client = Client::login(&handle, room.address, "boss");
    client.subscribe(json!({"channel": "trades"}));
    client.frame("trades");
    let mut calm = Client::login(&handle, room.address, "boss");
    calm.subscribe(json!({"channel": "trades", "hz": 4}));
    calm.frame("trades");
    for qty in 1..=30 {
        room.act(|desk| desk.trade("B", Side::Buy, &qty.to_string(), "10"));
        let frame = client.frame("trades");
        assert_eq!(
            frame["data"].as_array().unwrap().len(),
            1,
            "each in a frame of its own: {frame}"
        );
    }
    let mut rows = 0;
    let mut frames = 0;
    while rows < 30 {
        rows += calm.frame("trades")["data"].as_array().unwrap().len();
        frames += 1;
    }
    assert_eq!(places(&calm, "trades"), places(&client, "trades"));
    assert!(frames < 30, "gathered: {frames} frames");
    room.stop();
}

#[test]
fn a_client_that_does_not_read_is_closed_and_delays_nobody() {
    let settings = FeedSettings {
        send_timeout_ms: 400,
        ..FeedSettings::default()
    };
    let mut room = Room::with(settings);
    let handle = room.runtime.handle().clone();
    let mut stuck = Client::login(&handle, room.address, "boss");
    let mut reads = Client::login(&handle, room.address, "boss");
    for client in [&mut stuck, &mut reads] {
        for channel in ["rejects", "limits", "health"] {
            client.subscribe(json!({"channel": channel}));
        }
    }
    reads.calm();
    let refused = 30_000;
    for round in 0..refused / 500 {
        room.act(|desk| {
            for order in 0..500 {
                desk.order(&format!("x{round}-{order}"), "Z", Side::Buy, "1", "10");
            }
        });
        reads.next_within(Duration::from_millis(1));
    }
    let last = room.last_seq();
    while reads.last_seq("rejects") < last {
        reads.frame("rejects");
    }
    assert_eq!(reads.rows("rejects").len(), refused, "who reads has them all");
    let begun = std::time::Instant::now();
    while room.feed().counts().clients() > 1 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the other one is still there"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(room.feed().counts().slow(), 1);
    // What the socket's buffers still held comes, then the end.
    loop {
        match stuck.next() {
            Came::Closed(code) => {
                assert!(code.is_none() || code == Some(4008), "{code:?}");
                break;
            }
            Came::Nothing => panic!("it is still open"),
            _ => {}
        }
    }
    assert!(matches!(
        reads.next_within(Duration::from_millis(100)),
        Came::Json(_) | Came::Nothing
    ));
    room.stop();
}

#[test]
fn a_slow_client_of_a_state_channel_gets_the_newest_state_instead_of_every_step() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    let mut client = Client::login(&handle, room.address, "boss");
    client.subscribe(json!({"channel": "market", "hz": 20}));
    client.frame("market");
    for tick in 0..200 {
        room.act(|desk| desk.last_trade(&format!("10.{:02}", tick % 100)));
        std::thread::sleep(Duration::from_millis(5));
    }
    room.act(|desk| desk.last_trade("77"));
    client.calm();
    assert_eq!(client.rows("market")[0][5], "77");
    room.stop();
}

#[test]
fn when_the_server_stops_every_client_is_told_to_come_back() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    let mut clients: Vec<_> = (0..5)
        .map(|_| {
            let mut client = Client::login(&handle, room.address, "boss");
            client.subscribe(json!({"channel": "trades"}));
            client
        })
        .collect();
    room.stop_feed();
    for client in &mut clients {
        assert_eq!(client.closed(), Some(1012));
    }
    room.stop();
}
