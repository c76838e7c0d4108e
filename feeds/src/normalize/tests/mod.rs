//! The stage's rules as tables. Every script is also replayed through `apply` into a second stage, whose state must be
//! equal.

mod names;
mod properties;

use super::*;
use tradewind_domain::codes::{AccessStatus, AccountKind, InstrumentKind, Level, Role};
use tradewind_domain::event::*;
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, GroupId, InstrumentId, NodeId, UserId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{Code, Symbol, Text};

fn small() -> Capacities {
    Capacities {
        instruments: 3,
        nodes: 8,
        limits: 2,
        ..Capacities::default()
    }
}

fn digest(stage: &Normalize) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.digest(&mut |row| bytes.extend_from_slice(row));
    bytes
}

fn replayed(events: &[Event]) -> Normalize {
    let mut replica = Normalize::new(&small());
    for event in events {
        replica.apply(event);
    }
    replica
}

fn text<const N: usize>(word: &str) -> Text<N> {
    Text::new(if word == "-" { "" } else { word }).unwrap()
}

/// The event of one command.
fn event_of(command: &str) -> Event {
    let words: Vec<&str> = command.split_whitespace().collect();
    let long = match words[..] {
        ["currency", code, dp] => InboundLong::new(
            Kind::CurrencySet,
            &CurrencySet {
                code: text(code),
                money_dp: dp.parse().unwrap(),
                ..bytemuck::Zeroable::zeroed()
            },
        ),
        ["calendar", id, code, ref days @ ..] => {
            InboundLong::new(Kind::CalendarSet, &calendar_set(id, code, days))
        }
        ["instrument", symbol, currency, ref changes @ ..] => {
            InboundLong::new(Kind::InstrumentSet, &instrument_set(symbol, currency, changes))
        }
        [level, code, "in", parent, ref more @ ..] => node_set(level, code, parent, more),
        ["limit", label, "on", node, symbol] => limit_set(label, 0).named(text(symbol), text(node)),
        ["access", user, group, role, status, node] => access_set(user, group, role, status, node),
        ["unlimit", label] => limit_set(label, 1),
        ["capacities", instruments, nodes, limits] => {
            let mut started: EngineStarted = bytemuck::Zeroable::zeroed();
            started.capacities = Capacities {
                instruments: instruments.parse().unwrap(),
                nodes: nodes.parse().unwrap(),
                limits: limits.parse().unwrap(),
                ..Capacities::default()
            };
            InboundLong::new(Kind::EngineStarted, &started)
        }
        _ => panic!("no such command: {command}"),
    };
    let mut event = Event::empty();
    long.fill(&mut event);
    event
}

/// Days as `date/roll/open/close`.
fn calendar_set(id: &str, code: &str, days: &[&str]) -> CalendarSet {
    let mut set: CalendarSet = bytemuck::Zeroable::zeroed();
    set.calendar = CalendarId(id.parse().unwrap());
    set.code = text(code);
    set.count = days.len() as u8;
    for (to, day) in set.days.iter_mut().zip(days) {
        let figures: Vec<u64> = day.split('/').map(|figure| figure.parse().unwrap()).collect();
        (to.date, to.roll_ns, to.open_ns, to.close_ns) =
            (figures[0] as u32, figures[1], figures[2], figures[3]);
    }
    set
}

fn instrument_set(symbol: &str, currency: &str, changes: &[&str]) -> InstrumentSet {
    let mut row = Instrument {
        symbol: text(symbol),
        ..Instrument::default_linear()
    };
    for change in changes {
        let (field, value) = change.split_once('=').unwrap();
        let value: i64 = value.parse().unwrap();
        match field {
            "mult" => row.mult = value,
            "tick" => row.tick = value,
            "lot" => row.lot = value,
            "mark" => row.configured_mark = value,
            "kind" => row.kind = value as u8,
            "flags" => row.flags = value as u8,
            "calendar" => row.calendar = CalendarId(value as u16),
            _ => panic!("no such field: {field}"),
        }
    }
    InstrumentSet {
        row,
        currency_code: text(currency),
        ..bytemuck::Zeroable::zeroed()
    }
}

fn node_set(level: &str, code: &str, parent: &str, more: &[&str]) -> InboundLong {
    let mut set: NodeSet = bytemuck::Zeroable::zeroed();
    (set.code, set.parent_code) = (text(code), text(parent));
    set.level = Level::from_text(level).map_or(0, |level| level as u8);
    for word in more {
        match AccountKind::from_text(word) {
            Some(kind) => set.kind = kind as u8,
            None if word.starts_with("calendar=") => set.calendar = CalendarId(word[9..].parse().unwrap()),
            None => set.currency_code = text(word),
        }
    }
    let kind = if level == "ACCOUNT" {
        Kind::AccountSet
    } else {
        Kind::NodeSet
    };
    InboundLong::new(kind, &set)
}

fn access_set(user: &str, group: &str, role: &str, status: &str, node: &str) -> InboundLong {
    let set = AccessSet {
        author: text("u1"),
        user: user.parse().map_or(UserId::NONE, UserId),
        group: group.parse().map_or(GroupId::NONE, GroupId),
        role: Role::from_text(role).map_or(0, |role| role as u8),
        status: AccessStatus::from_text(status).map_or(0, |status| status as u8),
        ..bytemuck::Zeroable::zeroed()
    };
    InboundLong::new(Kind::AccessSet, &set).named(Symbol::EMPTY, text(node))
}

fn limit_set(label: &str, removed: u8) -> InboundLong {
    InboundLong::new(
        Kind::LimitSet,
        &LimitSet {
            label: text(label),
            removed,
            ..bytemuck::Zeroable::zeroed()
        },
    )
}

/// What became of an event: ids or the refusal, and notes.
fn outcome(event: &Event) -> String {
    if let Some(code) = event.reject_code() {
        return format!("reject {code}");
    }
    let mut said = match event.kind().unwrap() {
        Kind::CurrencySet => format!("currency {}", event.body::<CurrencySet>().currency),
        Kind::InstrumentSet => {
            let row = &event.body::<InstrumentSet>().row;
            format!("instrument {} in {} dp {}", row.id, row.currency, row.money_dp)
        }
        Kind::AccountSet | Kind::NodeSet => {
            let set = event.body::<NodeSet>();
            format!("node {} in {} account {}", set.node, set.parent, set.account)
        }
        Kind::AccessSet => format!("access at {}", event.body::<AccessSet>().node),
        Kind::LimitSet => {
            let set = event.body::<LimitSet>();
            format!(
                "limit {} node {} instrument {}",
                set.limit, set.node, set.filter_instrument
            )
        }
        _ => "ok".to_owned(),
    };
    for note in tradewind_domain::reject::Note::ALL {
        if event.head.notes & note.bit() != 0 {
            said += &format!(" note {}", note.code());
        }
    }
    said
}

/// Runs `command => outcome` lines.
fn check(script: &str) -> (Normalize, Vec<Event>) {
    let mut stage = Normalize::new(&small());
    let mut events = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, expected) = line.split_once("=>").unwrap();
        let mut event = event_of(command);
        stage.process(&mut event);
        assert_eq!(outcome(&event), expected.trim(), "{line}");
        events.push(event);
    }
    assert!(
        digest(&replayed(&events)) == digest(&stage),
        "apply of the records leaves another state"
    );
    (stage, events)
}

const WORLD: &str = "
    currency USD 2                          => currency 0
    currency JPY 0                          => currency 1
    calendar 1 NYSE 10/5/6/9 11/25/26/29    => ok
    FIRM F in -                             => node 0 in none account none
    DESK D in F                             => node 1 in 0 account none
    ACCOUNT A in D USD CASH                 => node 2 in 1 account 0
    STRATEGY S in A                         => node 3 in 2 account 0
    ACCOUNT B in F JPY MARGIN calendar=1    => node 4 in 0 account 1
    instrument SPY USD calendar=1           => instrument 0 in 0 dp 2
    instrument 7203 JPY                     => instrument 1 in 1 dp 0
";

#[test]
fn ids_are_dense_and_known_names_keep_theirs() {
    let script = format!(
        "{WORLD}
        currency USD 2                   => currency 0
        instrument SPY USD tick=5 lot=7  => instrument 0 in 0 dp 2
        ACCOUNT A in D USD MARGIN        => node 2 in 1 account 0
        STRATEGY S in A                  => node 3 in 2 account 0
        FIRM F in -                      => node 0 in none account none
        instrument QQQ USD               => instrument 2 in 0 dp 2"
    );
    let (stage, _) = check(&script);
    let registry = stage.registry();
    assert_eq!(registry.instrument(InstrumentId(0)).unwrap().tick, 5);
    assert_eq!(registry.account(AccountId(1)).unwrap().code.as_str(), "B");
    assert_eq!(registry.node(NodeId(2)).unwrap().kind, AccountKind::Margin as u8);
    assert_eq!(registry.base_currency().unwrap().code.as_str(), "USD");
    assert_eq!(
        registry.currency_named(&text("JPY")).unwrap().currency,
        CurrencyId(1)
    );
    assert_eq!(registry.calendar(CalendarId::UTC).unwrap().as_str(), "UTC");
    assert_eq!(registry.calendar(CalendarId(2)), None);
}

#[test]
fn what_names_nothing_is_refused_and_takes_no_id() {
    check(&format!(
        "{WORLD}
        instrument X EUR                 => reject UNKNOWN_CURRENCY
        instrument X USD calendar=2      => reject UNKNOWN_CALENDAR
        ACCOUNT X in D EUR CASH          => reject UNKNOWN_CURRENCY
        ACCOUNT X in D - CASH            => reject UNKNOWN_CURRENCY
        ACCOUNT X in D USD CASH calendar=9 => reject UNKNOWN_CALENDAR
        ACCOUNT X in NOBODY USD CASH     => reject UNKNOWN_NODE
        DESK X in -                      => reject UNKNOWN_NODE
        ORG X in F EUR                   => reject UNKNOWN_CURRENCY
        instrument X USD                 => instrument 2 in 0 dp 2
        ORG X in F USD                   => node 5 in 0 account none"
    ));
}

#[test]
fn values_outside_their_range_are_refused() {
    check(&format!(
        "{WORLD}
        currency EUR 9                   => reject INVALID_VALUE
        currency - 2                     => reject INVALID_VALUE
        currency USD 3                   => reject INVALID_VALUE
        instrument - USD                 => reject INVALID_VALUE
        instrument X USD mult=0          => reject INVALID_VALUE
        instrument X USD tick=-1         => reject INVALID_VALUE
        instrument X USD lot=0           => reject INVALID_VALUE
        instrument X USD kind=9          => reject INVALID_VALUE
        instrument X USD flags=128       => reject INVALID_VALUE
        instrument X USD mark=-1         => reject INVALID_VALUE
        instrument X USD mark=-1 flags=1 => instrument 2 in 0 dp 2
        instrument SPY USD kind=2        => reject INVALID_VALUE
        instrument SPY JPY               => reject CURRENCY_MISMATCH
        ACCOUNT X in D USD               => reject INVALID_VALUE
        ACCOUNT A in D JPY CASH          => reject CURRENCY_MISMATCH
        NONSENSE X in D                  => reject INVALID_VALUE
        DESK - in F                      => reject INVALID_VALUE"
    ));
}

#[test]
fn the_hierarchy_is_a_tree_under_one_firm() {
    check(&format!(
        "{WORLD}
        FIRM G in -                      => reject INVALID_VALUE
        FIRM F in D                      => reject UNKNOWN_NODE
        DESK X in A                      => reject UNKNOWN_NODE
        DESK X in D                      => reject UNKNOWN_NODE
        STRATEGY X in D                  => reject UNKNOWN_NODE
        STRATEGY X in S                  => reject UNKNOWN_NODE
        USER D in F                      => reject NAME_TAKEN
        STRATEGY A in B                  => reject NAME_TAKEN
        ACCOUNT D in F USD CASH          => reject NAME_TAKEN
        ACCOUNT A in F USD CASH          => reject NAME_TAKEN
        STRATEGY S in B                  => reject NAME_TAKEN
        USER U in D                      => node 5 in 1 account none"
    ));
}

#[test]
fn calendars_keep_their_names_and_their_days_ascend() {
    check(&format!(
        "{WORLD}
        calendar 1 NYSE 12/45/46/49      => ok
        calendar 1 NYSE 12/45/50/49      => reject INVALID_VALUE
        calendar 1 NYSE 12/45/44/49      => reject INVALID_VALUE
        calendar 1 NYSE 12/45/46/49 12/55/56/57 => reject INVALID_VALUE
        calendar 1 NYSE 12/45/46/49 13/45/56/57 => reject INVALID_VALUE
        calendar 1 NYSE                  => reject INVALID_VALUE
        calendar 1 NYSE 1/1/1/1 2/2/2/2 3/3/3/3 4/4/4/4 5/5/5/5 6/6/6/6 7/7/7/7 8/8/8/8 => ok
        calendar 1 NYSE 1/1/1/1 2/2/2/2 3/3/3/3 4/4/4/4 5/5/5/5 6/6/6/6 7/7/7/7 8/8/8/8 9/9/9/9 => reject INVALID_VALUE
        calendar 0 X 1/1/1/1             => reject INVALID_VALUE
        calendar 2 - 1/1/1/1             => reject INVALID_VALUE
        calendar 64 X 1/1/1/1           => reject CAPACITY
        calendar 1 X 1/1/1/1             => reject NAME_TAKEN
        calendar 2 NYSE 1/1/1/1          => reject NAME_TAKEN
        calendar 2 UTC 1/1/1/1           => reject NAME_TAKEN
        calendar 2 CME 1/1/1/1           => ok"
    ));
}

#[test]
fn full_tables_refuse_new_names_and_take_known_ones() {
    check(&format!(
        "{WORLD}
        instrument C USD                 => instrument 2 in 0 dp 2
        instrument E USD                 => reject CAPACITY
        instrument SPY USD               => instrument 0 in 0 dp 2
        capacities 9 5 2                 => ok
        instrument E USD                 => reject CAPACITY
        ORG X in F                       => reject CAPACITY
        DESK D in F                      => node 1 in 0 account none
        capacities 3 8 2                 => ok
        ORG X in F                       => node 5 in 0 account none"
    ));
}

#[test]
fn a_label_gets_its_id_when_its_names_resolve() {
    let (stage, events) = check(&format!(
        "{WORLD}
        limit L1 on NOBODY SPY           => limit none node none instrument 0 note UNKNOWN_NODE
        limit L1 on A XXX                => limit none node 2 instrument none note UNKNOWN_SYMBOL
        limit L1 on - -                  => limit none node none instrument none note UNKNOWN_NODE
        limit - on A -                   => limit none node 2 instrument none note INVALID_VALUE
        unlimit L1                       => limit none node none instrument none
        limit L1 on A -                  => limit 0 node 2 instrument none
        limit L1 on S SPY                => limit 0 node 3 instrument 0
        limit L1 on NOBODY SPY           => limit 0 node none instrument 0 note UNKNOWN_NODE
        limit L2 on D -                  => limit 1 node 1 instrument none
        limit L3 on D -                  => limit none node 1 instrument none note CAPACITY
        unlimit L2                       => limit 1 node none instrument none"
    ));
    assert_eq!(stage.registry().limit_named(&text("L2")), Some(LimitId(1)));
    assert_eq!(stage.registry().limits().len(), 2);
    // The limit check refuses some of them afterwards: replay still gives the same ids.
    let refused: Vec<Event> = events
        .iter()
        .map(|event| {
            let mut event = *event;
            if event.kind() == Some(Kind::LimitSet) {
                event.reject(tradewind_domain::reject::RejectCode::UnknownLimit);
            }
            event
        })
        .collect();
    assert!(digest(&replayed(&refused)) == digest(&stage));
}

fn world() -> Normalize {
    check(WORLD).0
}

/// `Code` and `Symbol` have one width, which the name tables rely on.
const _: () = assert!(size_of::<Code>() == 32 && size_of::<Symbol>() == 32);

#[test]
fn access_is_set_for_a_user_a_group_or_a_place_in_a_group_and_for_nothing_else() {
    check(&format!(
        "{WORLD}
        access 1 - ADMIN GRANTED -       => access at none
        access 2 - TRADER APPLIED A      => access at 2
        access 2 - TRADER REVOKED A      => access at 2
        access - 7 VIEWER GRANTED D      => access at 1
        access 2 7 - GRANTED -           => access at none
        access 2 7 VIEWER GRANTED -      => reject INVALID_VALUE
        access 2 7 - GRANTED A           => reject INVALID_VALUE
        access - - VIEWER GRANTED A      => reject INVALID_VALUE
        access 2 - - GRANTED A           => reject INVALID_VALUE
        access 2 - VIEWER - A            => reject INVALID_VALUE
        access 2 - VIEWER GRANTED NOBODY => reject UNKNOWN_NODE"
    ));
}
