//! `tradewind explain`: the whole life of one order.

use crate::cli::ExplainArgs;
use crate::output;
use std::fmt::Write;
use std::process::ExitCode;
use tradewind_domain::time::Rfc3339;
use tradewind_views::{OrderEvent, OrderKey, OrderLife};

/// Runs the command.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let life = tradewind_views::explain(&args.dir, OrderKey::of_text(&args.order))?;
    if args.json {
        output::json(&life)?;
    } else {
        output::text(render(&life)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn render(life: &OrderLife) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "order {} ({}) of {} at {}: {} {} {} {}, now {}",
        life.order_id.as_deref().unwrap_or("never accepted"),
        life.cl_ord_id,
        life.account,
        life.node,
        life.side,
        life.symbol,
        life.ord_type,
        life.tif,
        life.state
    )?;
    for event in &life.events {
        render_event(&mut text, event, &life.currency)?;
    }
    Ok(text)
}

fn render_event(text: &mut String, event: &OrderEvent, currency: &str) -> std::fmt::Result {
    let since = event
        .since_previous_ns
        .map_or_else(String::new, |ns| format!(" (+{})", span(ns)));
    writeln!(
        text,
        "\n{}/{}  {}  {}{since}",
        event.seq,
        event.part,
        Rfc3339(event.recv_ns),
        event.kind
    )?;
    let fields = [
        ("cl_ord_id", &event.cl_ord_id),
        ("qty", &event.qty),
        ("px", &event.px),
        ("stop_px", &event.stop_px),
    ];
    let asked: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)))
        .collect();
    if !asked.is_empty() {
        writeln!(text, "    {}", asked.join(", "))?;
    }
    if let Some(execution) = &event.execution {
        write!(
            text,
            "    {} {} @ {}: principal {}, fee {}, realised {} {currency}",
            execution.exec_id,
            execution.qty,
            execution.px,
            execution.principal,
            execution.fee,
            execution.realised
        )?;
        for alert in &execution.alerts {
            write!(text, " {alert}")?;
        }
        writeln!(text)?;
    }
    let verdict = &event.verdict;
    match &verdict.code {
        None => write!(
            text,
            "    accepted: {} -> {}",
            event.state_before, event.state_after
        )?,
        Some(code) => write!(text, "    REJECTED {code}")?,
    }
    if let Some(words) = &verdict.text {
        write!(text, " {words}")?;
    }
    writeln!(text)?;
    for rule in verdict.rule.iter().chain(&verdict.rule_alert) {
        writeln!(
            text,
            "    rule {:?} {}: {} {}",
            rule.name, rule.action, rule.code, rule.text
        )?;
    }
    for hit in &verdict.hits {
        write!(text, "    {} {}", hit.kind, hit.code)?;
        if !hit.limit.is_empty() {
            write!(text, ": limit {} at {} {}", hit.limit, hit.level, hit.scope)?;
        }
        if !hit.unit.is_empty() {
            write!(text, ", used {} of {} {}", hit.used, hit.hard, hit.unit)?;
        }
        writeln!(text)?;
    }
    let held = &event.reservation;
    writeln!(
        text,
        "    reserved {} -> {} {currency}, value {} -> {}; leaves {}, filled {}",
        held.cash_before, held.cash_after, held.value_before, held.value_after, event.leaves, event.cum
    )?;
    if let Some(position) = &event.position {
        writeln!(
            text,
            "    position {} at cost {}, realised {}",
            position.qty, position.cost, position.realised
        )?;
    }
    if let Some(ns) = event.receipt_to_journal_ns {
        writeln!(text, "    receipt to journal {}", span(ns))?;
    }
    Ok(())
}

/// Nanoseconds in the unit that reads best.
fn span(ns: u64) -> String {
    match ns {
        0..=9_999 => format!("{ns} ns"),
        10_000..=9_999_999 => format!("{:.1} us", ns as f64 / 1e3),
        10_000_000..=9_999_999_999 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}
