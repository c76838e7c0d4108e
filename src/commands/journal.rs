//! `tradewind journal info|cat|follow|verify|repair`.

use super::record;
use crate::cli::{CatArgs, FollowArgs, JournalArgs, RepairArgs};
use crate::output::{self, Table};
use anyhow::bail;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tradewind_domain::event::{Event, Kind, SCHEMAS_READ, schema_hash};
use tradewind_machine::journal::{self, Follower, JournalConfig, Overview, SegmentState, StartAt, Writer};

/// How long `follow` waits before it looks again.
const FOLLOW_PAUSE: Duration = Duration::from_millis(5);

/// Segments, sizes, positions.
pub fn info(args: &JournalArgs) -> anyhow::Result<ExitCode> {
    let overview = journal::overview(&args.dir)?;
    let segments = &overview.segments;
    let state = |state: SegmentState| match state {
        SegmentState::Sealed => "sealed",
        SegmentState::Open => "open",
        SegmentState::Empty => "empty",
    };
    let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    if args.json {
        let rows: Vec<_> = segments
            .iter()
            .map(|segment| {
                serde_json::json!({
                    "segment": segment.index, "state": state(segment.state), "epoch": segment.epoch, "first_seq": segment.first_seq,
                    "last_seq": segment.last_seq, "bytes": segment.bytes, "schema_hash": format!("{:016x}", segment.schema_hash),
                    "chain": hex(&segment.chain),
                })
            })
            .collect();
        let missing: Vec<_> = overview
            .missing
            .iter()
            .map(|range| [range.start(), range.end()])
            .collect();
        output::json(&serde_json::json!({
            "segments": rows, "bytes": bytes, "missing": missing, "writer": overview.writer.map(|writer| serde_json::json!({"pid": writer.pid})),
            "durable": overview.durable.map(|position| position.to_string()), "clean": overview.is_clean, "epoch": overview.epoch,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&[
        "segment",
        "<state",
        "epoch",
        "first seq",
        "last seq",
        "bytes",
        "<chain",
    ]);
    for segment in segments {
        let sealed = segment.state == SegmentState::Sealed;
        table.row(vec![
            segment.index.to_string(),
            state(segment.state).to_owned(),
            segment.epoch.to_string(),
            segment.first_seq.to_string(),
            if sealed {
                segment.last_seq.to_string()
            } else {
                "-".to_owned()
            },
            output::bytes(segment.bytes),
            if sealed {
                hex(&segment.chain[..8])
            } else {
                "-".to_owned()
            },
        ]);
    }
    output::text(table);
    output::text(format_args!(
        "{}, {}; none is ever removed: there are no snapshots, and a start reads them all\n",
        output::counted(segments.len() as u64, "segment"),
        output::bytes(bytes)
    ));
    show_state(&overview, overview.writer.is_none() && is_ended(args, &overview)?);
    Ok(ExitCode::SUCCESS)
}

/// True where the last record says that its run ended. A run that was stopped while it waited for space on the disk could not write it.
fn is_ended(args: &JournalArgs, overview: &Overview) -> anyhow::Result<bool> {
    for segment in overview.segments.iter().rev() {
        if segment.state == SegmentState::Empty {
            continue;
        }
        let mut follower = Follower::open(&args.dir, StartAt::Seq(segment.first_seq))?;
        let mut last = None;
        while let Some(record) = follower.poll()? {
            last = Some(record.head().kind);
        }
        if last.is_some() {
            return Ok(last == Some(Kind::EngineStopped as u16));
        }
    }
    Ok(false)
}

/// What is missing, and who writes.
fn show_state(overview: &Overview, is_ended: bool) {
    for range in &overview.missing {
        let (first, last) = (range.start(), range.end());
        let what = if first == last {
            format!("segment {first} is")
        } else {
            format!("segments {first} to {last} are")
        };
        output::text(format_args!(
            "MISSING: {what} not there; the engine does not start without\n"
        ));
    }
    let run = overview.epoch;
    match overview.writer {
        Some(Writer { pid: Some(pid) }) => output::text(format_args!("process {pid} writes it\n")),
        Some(Writer { pid: None }) => output::text("a process writes it\n"),
        None if run == 0 => output::text("nobody writes it; no run has begun\n"),
        None if overview.is_clean && is_ended => {
            output::text(format_args!("nobody writes it; run {run} ended in good order\n"))
        }
        None if overview.is_clean => output::text(format_args!(
            "nobody writes it; run {run} was stopped before it could write its end; all that it journaled is there\n"
        )),
        None => output::text(format_args!(
            "nobody writes it; run {run} did not end in good order, and the next start mends what it left\n"
        )),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn print(event: &Event, json: bool) {
    if json {
        output::text(format_args!("{}\n", record::to_json(event)));
    } else {
        output::text(format_args!("{}\n", record::to_line(event)));
    }
}

/// Prints records.
pub fn cat(args: &CatArgs) -> anyhow::Result<ExitCode> {
    let from = args.from_seq.map_or(StartAt::Start, StartAt::Seq);
    let mut follower = Follower::open(&args.dir, from)?;
    let mut event = Event::empty();
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 && !output::is_lost() {
        let Some(found) = follower.poll()? else { break };
        if args.to_seq.is_some_and(|to| found.head().seq > to) {
            break;
        }
        read(&mut event, found.bytes())?;
        let wanted = args.kind.is_none_or(|kind| event.kind() == Some(kind))
            && (!args.rejected || event.is_rejected());
        if wanted {
            print(&event, args.json);
            left -= 1;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(event: &mut Event, bytes: &[u8]) -> anyhow::Result<()> {
    if event.read_record(bytes).is_none() {
        bail!("a record of a kind that this build does not know: the journal was written by a newer one");
    }
    Ok(())
}

/// Prints records as they are released.
pub fn follow(args: &FollowArgs) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut follower = Follower::open(&args.dir, args.from_seq.map_or(StartAt::End, StartAt::Seq))?;
    let mut event = Event::empty();
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 && !stop.load(Ordering::Relaxed) && !output::is_lost() {
        match follower.poll()? {
            Some(found) => {
                read(&mut event, found.bytes())?;
                print(&event, args.json);
                left -= 1;
            }
            None => std::thread::park_timeout(FOLLOW_PAUSE),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks everything that the journal alone can prove.
pub fn verify(args: &JournalArgs) -> anyhow::Result<ExitCode> {
    let report = tradewind_views::verify(&args.dir)?;
    let ok = report.is_ok();
    if args.json {
        output::json(&report)?;
    } else {
        for check in &report.checks {
            let mark = match (check.ok, check.applies) {
                (false, _) => "FAIL",
                (true, true) => "ok  ",
                (true, false) => "n/a ",
            };
            let (invariants, name, figure) = (check.invariants, check.name, &check.figure);
            output::text(format_args!("{mark} {invariants:<4} {name:<70} {figure}\n"));
            if let Some(detail) = &check.detail {
                output::text(format_args!("          {detail}\n"));
            }
        }
        output::text(if ok {
            "the journal is sound\n"
        } else {
            "the journal is NOT sound\n"
        });
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Cuts a damaged end off, keeping a copy.
pub fn repair(args: &RepairArgs) -> anyhow::Result<ExitCode> {
    if !args.cut_durable {
        return would_cut(args);
    }
    let config = JournalConfig {
        schema_hash: schema_hash(),
        schemas_known: SCHEMAS_READ.to_vec(),
        ..JournalConfig::new(&args.dir)
    };
    let torn = journal::repair(&config)?;
    let rows: Vec<_> = torn
        .iter()
        .map(|torn| serde_json::json!({"position": torn.position.0, "bytes": torn.bytes, "kept": torn.kept.display().to_string()}))
        .collect();
    if args.json {
        output::json(&serde_json::json!({"cut": rows}))?;
    } else if torn.is_empty() {
        output::text("nothing to repair\n");
    } else {
        for torn in &torn {
            output::text(format_args!(
                "cut {} at segment {} byte {}; kept in {}\n",
                output::bytes(torn.bytes),
                torn.position.segment(),
                torn.position.offset(),
                torn.kept.display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what a repair would do: an engine's start mends a torn tail by itself, so only damage to durable records is left.
fn would_cut(args: &RepairArgs) -> anyhow::Result<ExitCode> {
    let report = journal::verify(&args.dir)?;
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| {
            format!(
                "segment {} byte {}: {}",
                problem.position.segment(),
                problem.position.offset(),
                problem.text
            )
        })
        .collect();
    if args.json {
        output::json(&serde_json::json!({"cut": [], "problems": problems}))?;
    } else if problems.is_empty() {
        output::text("nothing to repair: what a crash tears is mended by the next start\n");
    } else {
        for problem in &problems {
            output::text(format_args!("{problem}\n"));
        }
        output::text(
            "--cut-durable cuts the journal at the first of them and keeps a copy of what followed\n",
        );
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
