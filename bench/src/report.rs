//! The report of a run: for programs as JSON, for people as text.

use crate::conditions::Conditions;
use crate::machine_noise::{Hiccups, MachineNoise};
use crate::measure::Measured;
use crate::open_loop::{SenderReport, Sent};
use crate::percentiles::Latency;
use crate::perf::PerfReading;
use crate::workload::{Outcomes, Workload};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use tradewind_machine::latency::StageReport;

/// What one stage did over the whole run, preparation and warm-up included.
#[derive(Clone, Debug, Serialize)]
pub struct StageLine {
    /// Its name.
    pub stage: &'static str,
    /// Events it saw.
    pub events: u64,
    /// Batches.
    pub batches: u64,
    /// Mean events of a batch.
    pub events_per_batch: f64,
    /// Effects that it made.
    pub effects: u64,
    /// Cycles in which what comes after it had no room.
    pub full_waits: u64,
    /// Cycles without work.
    pub idle_cycles: u64,
    /// Time per event, one sample for every 64th batch, nanoseconds.
    pub ns_per_event: Latency,
}

impl StageLine {
    /// From what the machine reports.
    pub fn of(report: &StageReport) -> Self {
        let figures = &report.figures;
        Self {
            stage: figures.stage.text(),
            events: figures.events,
            batches: figures.batches,
            events_per_batch: figures.events as f64 / figures.batches.max(1) as f64,
            effects: figures.effects,
            full_waits: figures.full_waits,
            idle_cycles: figures.idle_cycles,
            ns_per_event: Latency::of(&report.ns_per_event),
        }
    }
}

/// What the caller counted between [`at_mark`](crate::open_loop::Sending::at_mark) and the end of the sending.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Allocations on pipeline threads.
    pub allocations: Option<u64>,
    /// Instructions and cycles of pipeline threads in user mode.
    pub perf: Option<PerfReading>,
    /// Nanoseconds for which pipeline threads were ready and the system ran something else.
    pub waited_ns: Option<u64>,
}

/// All figures of one run.
#[derive(Clone, Debug, Serialize)]
pub struct PipelineReport {
    /// Inputs a second over the measured span.
    pub events_per_s: f64,
    /// New orders, each with all that becomes of it, a second.
    pub order_cycles_per_s: f64,
    /// Inputs a second in each tenth of the measured span: equal where cost does not grow with history. Null where a
    /// whole tenth was released at one moment.
    pub events_per_s_by_tenth: Vec<Option<f64>>,
    /// Measured inputs.
    pub events: u64,
    /// Planned send to released, nanoseconds.
    pub latency_ns: Latency,
    /// The same, new orders alone.
    pub latency_ns_orders: Latency,
    /// The same, fills alone.
    pub latency_ns_fills: Latency,
    /// Without what the harness's own sender was late; waits for a full ring still count.
    pub latency_ns_from_send: Latency,
    /// The stages.
    pub stages: Vec<StageLine>,
    /// Allocations on pipeline threads for each event after the warm-up; null where nobody counted.
    pub allocations_per_event: Option<f64>,
    /// Instructions of pipeline threads for each event, empty polls included; null without counters.
    pub instructions_per_event: Option<f64>,
    /// Cycles, likewise.
    pub cycles_per_event: Option<f64>,
    /// Journal bytes for each event.
    pub journal_bytes_per_event: f64,
    /// Records for each event: above 1 where events have effects.
    pub records_per_event: f64,
    /// The machine's own pauses: the worst core of those looked at before the run.
    pub hiccups: Option<Hiccups>,
    /// Microseconds of each second for which pipeline threads were ready and the system ran something else.
    pub pipeline_waited_us_per_s: Option<f64>,
    /// The machine without the engine.
    pub machine: Option<MachineNoise>,
    /// How the sender kept up.
    pub sender: SenderReport,
    /// Measured inputs by kind and outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// True where these are the outcomes that the workload foresees and the preparation was accepted whole. Where not,
    /// the other figures describe a different load.
    pub outcomes_as_foreseen: bool,
    /// Conditions.
    pub conditions: Conditions,
}

/// The parts of a report.
pub struct Parts<'a> {
    /// What was sent.
    pub workload: &'a Workload,
    /// How.
    pub sent: &'a Sent,
    /// What the journal says.
    pub measured: &'a Measured,
    /// What the stages say: [`Finished::reports`](tradewind_machine::pipeline::Finished::reports).
    pub stages: &'a [StageReport],
    /// What the caller counted.
    pub counted: Counted,
    /// The machine.
    pub machine: Option<MachineNoise>,
    /// Conditions.
    pub conditions: Conditions,
}

impl PipelineReport {
    /// Puts the parts together.
    pub fn new(parts: Parts<'_>) -> Self {
        let Parts {
            workload,
            sent,
            measured,
            stages,
            counted,
            machine,
            conditions,
        } = parts;
        let per_event = |count: u64| count as f64 / sent.after_mark.max(1) as f64;
        let span_s = sent.after_mark as f64 / measured.events_per_s().max(f64::MIN_POSITIVE);
        let worst = |machine: &MachineNoise| {
            machine
                .before
                .iter()
                .copied()
                .max_by(|a, b| a.per_s.total_cmp(&b.per_s))
        };
        Self {
            events_per_s: measured.events_per_s(),
            order_cycles_per_s: measured.order_cycles_per_s(),
            events_per_s_by_tenth: measured.rates.clone(),
            events: measured.events,
            latency_ns: measured.latency.summary(),
            latency_ns_orders: measured.orders.summary(),
            latency_ns_fills: measured.fills.summary(),
            latency_ns_from_send: measured.from_send.summary(),
            stages: stages.iter().map(StageLine::of).collect(),
            allocations_per_event: counted.allocations.map(per_event),
            instructions_per_event: counted.perf.map(|perf| per_event(perf.instructions)),
            cycles_per_event: counted.perf.map(|perf| per_event(perf.cycles)),
            journal_bytes_per_event: measured.bytes_per_event(),
            records_per_event: measured.records as f64 / measured.events.max(1) as f64,
            hiccups: machine.as_ref().and_then(worst),
            pipeline_waited_us_per_s: counted.waited_ns.map(|ns| ns as f64 / 1e3 / span_s),
            machine,
            sender: sent.report.clone(),
            outcomes: named(&measured.outcomes),
            outcomes_as_foreseen: measured.outcomes == workload.foreseen() && measured.other_refused == 0,
            conditions,
        }
    }

    /// As JSON, indented.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// Writes the JSON to a file.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::new(std::fs::File::create(path)?);
        serde_json::to_writer_pretty(&mut file, self).map_err(io::Error::other)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}

fn named(outcomes: &Outcomes) -> BTreeMap<String, u64> {
    outcomes
        .iter()
        .map(|(outcome, &count)| (outcome.to_string(), count))
        .collect()
}

/// Nanoseconds in the unit that reads best.
struct Ns(u64);

impl fmt::Display for Ns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            ns @ 0..=999 => format!("{ns} ns"),
            ns @ 1_000..=999_999 => format!("{:.1} us", ns as f64 / 1e3),
            ns @ 1_000_000..=999_999_999 => format!("{:.1} ms", ns as f64 / 1e6),
            ns => format!("{:.2} s", ns as f64 / 1e9),
        };
        f.pad(&text)
    }
}

/// A count with groups of three digits.
struct Grouped(f64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.0}", self.0);
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

fn latency_line(f: &mut fmt::Formatter<'_>, name: &str, latency: &Latency) -> fmt::Result {
    let Latency {
        p50,
        p90,
        p99,
        p999,
        p9999,
        max,
        ..
    } = *latency;
    write!(f, "  {name:<22}")?;
    [p50, p90, p99, p999, p9999, max]
        .into_iter()
        .try_for_each(|ns| write!(f, " {:>9}", Ns(ns)))?;
    writeln!(f)
}

impl fmt::Display for PipelineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.conditions;
        writeln!(
            f,
            "{} at {}, {} events measured after {} of warm-up",
            c.mix, c.rate, self.events, c.warmup_events
        )?;
        if !self.outcomes_as_foreseen {
            writeln!(
                f,
                "  NOT THE LOAD THAT WAS ASKED FOR: outcomes differ from those foreseen"
            )?;
            self.outcomes
                .iter()
                .try_for_each(|(outcome, count)| writeln!(f, "    {count:>12} {outcome}"))?;
        }
        let (cycles, events) = (Grouped(self.order_cycles_per_s), Grouped(self.events_per_s));
        writeln!(f, "  {cycles} order cycles/s, {events} events/s")?;
        let tenths: Vec<String> = self
            .events_per_s_by_tenth
            .iter()
            .map(|rate| rate.map_or("-".to_owned(), |rate| Grouped(rate).to_string()))
            .collect();
        writeln!(f, "  events/s by tenth: {}", tenths.join(" "))?;
        write!(f, "\n  {:<22}", "latency")?;
        ["p50", "p90", "p99", "p99.9", "p99.99", "max"]
            .into_iter()
            .try_for_each(|name| write!(f, " {name:>9}"))?;
        writeln!(f)?;
        latency_line(f, "planned to released", &self.latency_ns)?;
        latency_line(f, "  new orders", &self.latency_ns_orders)?;
        latency_line(f, "  fills", &self.latency_ns_fills)?;
        latency_line(f, "sent to released", &self.latency_ns_from_send)?;
        latency_line(f, "sender late by", &self.sender.late_ns)?;
        self.write_stages(f)?;
        self.write_costs(f)?;
        self.write_machine(f)?;
        self.write_conditions(f)
    }
}

impl PipelineReport {
    fn write_stages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n  {:<10} {:>9} {:>9} {:>11} {:>11} {:>12}",
            "stage", "p50/event", "p99/event", "events/batch", "full waits", "idle cycles"
        )?;
        for line in &self.stages {
            let (p50, p99) = (Ns(line.ns_per_event.p50), Ns(line.ns_per_event.p99));
            writeln!(
                f,
                "  {:<10} {:>9} {:>9} {:>12.1} {:>11} {:>12}",
                line.stage, p50, p99, line.events_per_batch, line.full_waits, line.idle_cycles
            )?;
        }
        Ok(())
    }

    fn write_costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = |value: Option<f64>, digits: usize| {
            value.map_or("not counted".to_owned(), |v| format!("{v:.digits$}"))
        };
        writeln!(
            f,
            "\n  per event: allocations {}, instructions {}, cycles {}, journal {:.0} bytes",
            figure(self.allocations_per_event, 6),
            figure(self.instructions_per_event, 0),
            figure(self.cycles_per_event, 0),
            self.journal_bytes_per_event,
        )?;
        let s = &self.sender;
        writeln!(
            f,
            "  sender: ring full {} times, interrupted {} times (worst {}), held back {} times",
            s.ring_full_waits,
            s.stalls,
            Ns(s.stall_max_ns),
            s.holds,
        )
    }

    fn write_machine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hiccups = |f: &mut fmt::Formatter<'_>, when: &str, h: &Hiccups| {
            let core = h
                .core
                .map_or("any core".to_owned(), |core| format!("core {core}"));
            let (p9999, worst) = (Ns(h.p9999_ns), Ns(h.worst_ns));
            writeln!(
                f,
                "  hiccups {when}, {core}: {:.0}/s over 10 us, p99.99 {p9999}, worst {worst}",
                h.per_s
            )
        };
        let Some(machine) = &self.machine else {
            return Ok(());
        };
        writeln!(f)?;
        machine.before.iter().try_for_each(|h| hiccups(f, "before", h))?;
        machine.beside.iter().try_for_each(|h| hiccups(f, "beside", h))?;
        if let Some(us) = self.pipeline_waited_us_per_s {
            writeln!(f, "  pipeline threads ready but not run: {us:.0} us/s")?;
        }
        if let Some(hop) = &machine.hop {
            writeln!(
                f,
                "  hop between cores: {:.0} ns, p99 {:.0} ns",
                hop.p50_ns, hop.p99_ns
            )?;
        }
        let cost = &machine.costs;
        writeln!(
            f,
            "  clock read {:.0} ns; 128 bytes: copy {:.1} ns, CRC32C {:.1} ns; 320 bytes: copy {:.1} ns, CRC32C {:.1} ns",
            cost.clock_read_ns, cost.copy_128_ns, cost.crc_128_ns, cost.copy_320_ns, cost.crc_320_ns
        )?;
        if let Some(disk) = &machine.disk {
            let (p50, p99) = (Ns(disk.sync_p50_ns), Ns(disk.sync_p99_ns));
            writeln!(
                f,
                "  disk: {:.0} MB/s written, 64 KiB synced in {p50}, p99 {p99}",
                disk.write_mb_per_s
            )?;
        }
        Ok(())
    }

    fn write_conditions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.conditions;
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let list = |items: &[String]| {
            if items.is_empty() {
                "none".to_owned()
            } else {
                items.join(", ")
            }
        };
        let machine = if c.virtual_machine {
            "virtual machine"
        } else {
            "machine"
        };
        writeln!(
            f,
            "\n  {}, {} cores, {machine}, Linux {}",
            c.cpu, c.cores, c.kernel
        )?;
        writeln!(
            f,
            "  governor {}, huge pages {}, {} build of {}",
            or(&c.governor),
            or(&c.huge_pages),
            c.profile,
            c.commit
        )?;
        writeln!(
            f,
            "  topology {}, idle {}, durability {}, window {} MiB, followers {}",
            c.topology,
            c.idle,
            c.durability,
            c.window_bytes >> 20,
            list(&c.followers)
        )?;
        writeln!(
            f,
            "  {} accounts, {} instruments, {} pairs, {} limits, {} met by each order",
            c.accounts, c.instruments, c.pairs, c.limits, c.limits_on_chain
        )?;
        if !c.unpinned.is_empty() {
            writeln!(f, "  not pinned: {}", list(&c.unpinned))?;
        }
        Ok(())
    }
}
