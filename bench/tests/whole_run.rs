//! A whole measured run: real stages on threads, a real journal, every step of the harness, and the report.

use bytemuck::Zeroable;
use std::path::Path;
use tradewind_bench::machine_noise::{MachineNoise, NoisePlan};
use tradewind_bench::measure::{self, MeasureError, Measured};
use tradewind_bench::open_loop::{self, RING_SLOTS, Sending, Sent};
use tradewind_bench::report::{Counted, Parts};
use tradewind_bench::workload::{self, STALE_ORDER_MS};
use tradewind_bench::{Conditions, Mix, PipelineReport, Rate, RunFacts, Workload, WorkloadConfig};
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{EngineStarted, Event, InboundLong, Kind};
use tradewind_feeds::Normalize;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::{Durability, Journal, JournalConfig, StartAt};
use tradewind_machine::latency::StageReport;
use tradewind_machine::pipeline::{Builder, Settings, StopMode};
use tradewind_machine::source::SourceClass;
use tradewind_machine::stage::Stages;
use tradewind_risk::{LimitCheck, TradingSchedule, Validate};

/// One run and all that it left.
struct Run {
    sent: Sent,
    measured: Result<Measured, MeasureError>,
    stages: Vec<StageReport>,
    marks: u32,
}

fn run(dir: &Path, workload: &Workload, rate: Rate, durability: Durability) -> Run {
    let (clock, cores) = (Clock::start().unwrap(), Cores::detect());
    let config = JournalConfig {
        window_dir: dir.join("window"),
        segment_bytes: 4 << 20,
        window_bytes: 64 << 20,
        durability,
        allow_unsafe_fs: true,
        ..JournalConfig::new(dir)
    };
    std::fs::create_dir(&config.window_dir).unwrap();
    let opened = Journal::open(config).unwrap();
    let capacities = workload.capacities();
    let stages: Stages<Event> = [
        Box::new(Normalize::new(&capacities)),
        Box::new(Validate::new(&capacities)),
        Box::new(LimitCheck::new(&capacities, &opened.identity().hash_key)),
        Box::new(Settle::new(&capacities)),
        Box::new(Position::new(&capacities)),
    ];
    let start = EngineStarted {
        epoch: 1,
        stale_order_ms: STALE_ORDER_MS,
        capacities,
        ..EngineStarted::zeroed()
    };
    let (writer, journal) = opened.start().unwrap();
    let mut builder = Builder::new(
        Settings::default(),
        stages,
        writer,
        clock.clone(),
        ClockMode::Wall,
    )
    .schedule(Box::new(TradingSchedule::new(capacities.sessions)))
    .open_with(InboundLong::new(Kind::EngineStarted, &start));
    let mut source = builder.source(SourceClass::Order, RING_SLOTS);
    let long = builder.long_source();
    let running = builder.start(&cores).unwrap();
    let counters = running.counters();
    workload::prepare(workload, &long, &counters).unwrap();
    let mut marks = 0;
    let sent = open_loop::send(Sending {
        workload,
        run_tag: 1,
        source: &mut source,
        clock: &clock,
        counters: &counters,
        rate,
        watch_release: (durability == Durability::Disk).then_some(&journal),
        hold: Some(&|| journal.stats().lag_segments > 12),
        at_mark: &mut || marks += 1,
    })
    .unwrap();
    let finished = running.stop(StopMode::Drain, None).unwrap();
    journal.stop().unwrap();
    let measured = measure::read(dir, StartAt::Start, source.id(), workload, &sent);
    Run {
        sent,
        measured,
        stages: finished.reports,
        marks,
    }
}

fn workload(mix: Mix) -> Workload {
    let config = WorkloadConfig {
        mix,
        accounts: 50,
        instruments: 10,
        events: 20_000,
        warmup: None,
    };
    Workload::new(config).unwrap()
}

#[test]
fn a_run_measures_every_message_and_its_outcomes_are_those_foreseen() {
    for (mix, rate, durability) in [
        (Mix::Cycles, Rate::Max, Durability::Memory),
        (Mix::Cycles, Rate::OrdersPerSecond(50_000), Durability::Memory),
        (Mix::Canonical, Rate::Max, Durability::Disk),
        (Mix::Canonical, Rate::OrdersPerSecond(10_000), Durability::Disk),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let workload = workload(mix);
        let run = run(dir.path(), &workload, rate, durability);
        let measured = run.measured.unwrap();
        assert_eq!(measured.outcomes, workload.foreseen(), "{mix} {rate}");
        assert_eq!((measured.other_refused, run.marks), (0, 1));
        assert_eq!(measured.events, 20_000);
        assert_eq!(measured.latency.count(), measured.events);
        assert_eq!(measured.from_send.count(), measured.events);
        assert_eq!(measured.orders.count(), measured.order_count);
        assert_eq!(measured.rates.len(), measure::SPANS);
        assert_eq!(run.sent.report.messages, workload.messages());
        let (_, sent) = (measured.latency.summary(), measured.from_send.summary());
        assert!(
            sent.p50 <= measured.latency.summary().p50,
            "without the sender's lateness it is no longer"
        );
        if let Rate::OrdersPerSecond(orders_per_s) = rate {
            let (messages, orders) = workload.block();
            let planned_s =
                workload.messages() as f64 * orders as f64 / messages as f64 / orders_per_s as f64;
            assert!(
                run.sent.report.seconds >= planned_s * 0.99,
                "never faster than planned"
            );
        }
    }
}

#[test]
fn a_report_has_the_keys_that_readers_rely_on() {
    let dir = tempfile::tempdir().unwrap();
    let workload = workload(Mix::Cycles);
    let run = run(dir.path(), &workload, Rate::Max, Durability::Memory);
    let (clock, cores) = (Clock::start().unwrap(), Cores::detect());
    let plan = NoisePlan {
        seconds: 0.01,
        disk_bytes: 1 << 20,
        ..NoisePlan::new(&cores, Some(dir.path()))
    };
    let facts = RunFacts {
        topology: "fused".to_owned(),
        commit: "abc".to_owned(),
        ..RunFacts::default()
    };
    let report = PipelineReport::new(Parts {
        workload: &workload,
        sent: &run.sent,
        measured: &run.measured.unwrap(),
        stages: &run.stages,
        counted: Counted {
            allocations: Some(0),
            ..Counted::default()
        },
        machine: Some(MachineNoise::measure(&clock, &cores, &plan).unwrap()),
        conditions: Conditions::detect(&workload, Rate::Max, facts),
    });
    let path = dir.path().join("report.json");
    report.save(&path).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for key in [
        "events_per_s",
        "order_cycles_per_s",
        "stages",
        "journal_bytes_per_event",
        "hiccups",
        "conditions",
    ] {
        assert!(!json[key].is_null(), "{key}");
    }
    for key in ["p50", "p90", "p99", "p999", "p9999", "max"] {
        assert!(json["latency_ns"][key].as_u64().unwrap() > 0, "{key}");
    }
    assert_eq!(json["allocations_per_event"], 0.0);
    assert!(json.as_object().unwrap().contains_key("instructions_per_event"));
    assert!(json["instructions_per_event"].is_null(), "nobody counted");
    assert_eq!(json["outcomes_as_foreseen"], true);
    assert_eq!(json["stages"].as_array().unwrap().len(), 7);
    assert_eq!(json["conditions"]["topology"], "fused");
    // Two records of 320 bytes: an order with its facts, and a fill.
    assert_eq!(json["journal_bytes_per_event"], 320.0);
    let text = report.to_string();
    for word in [
        "order cycles/s",
        "planned to released",
        "hiccups before",
        "limit",
        "CRC32C",
        "followers none",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
}

#[test]
fn a_journal_without_the_messages_is_said_to_lack_them() {
    let dir = tempfile::tempdir().unwrap();
    let workload = workload(Mix::Cycles);
    let run = run(dir.path(), &workload, Rate::Max, Durability::Memory);
    let error = measure::read(dir.path(), StartAt::Start, u16::MAX, &workload, &run.sent).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the journal holds 0 of {} messages", workload.messages())
    );
}
