//! `tradewind whatif`: a journal under other limits.

use crate::cli::{UnfilledArg, WhatIfArgs};
use crate::output::{self, Table, count};
use anyhow::Context;
use std::fmt::Write;
use std::process::ExitCode;
use tradewind_config::{ReferenceData, read_text};
use tradewind_domain::time::Rfc3339;
use tradewind_machine::clock::Clock;
use tradewind_whatif::{
    ChangedOrder, Counts, LimitRequest, Options, PeakUse, Report, Unfilled, Until, Verdict,
};

/// Runs the command. With `--check` anything that changes is exit code 1.
pub fn run(args: &WhatIfArgs) -> anyhow::Result<ExitCode> {
    let until = super::until(&args.as_of);
    let until = Until {
        seq: until.to_seq,
        time_ns: until.to_time_ns,
    };
    if args.print_limits {
        output::text(tradewind_whatif::journal_limits(&args.journal, until)?);
        return Ok(ExitCode::SUCCESS);
    }
    let clock = Clock::start()?;
    let options = Options {
        until,
        unfilled: match args.unfilled {
            UnfilledArg::Open => Unfilled::Open,
            UnfilledArg::Ended => Unfilled::Ended,
        },
        list_max: args.max,
    };
    let report = tradewind_whatif::whatif(&args.journal, &request(args)?, &options, &clock)?;
    if args.json {
        output::json(&report)?;
    } else {
        output::text(render(args, &report)?);
    }
    let fails = args.check && !report.is_unchanged();
    Ok(if fails {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn request(args: &WhatIfArgs) -> anyhow::Result<LimitRequest> {
    let read = |path: &std::path::PathBuf| {
        let text = read_text(path, ReferenceData::FILE_BYTES_MAX)
            .with_context(|| format!("failed to read {}", path.display()))?;
        anyhow::Ok((text, path.display().to_string()))
    };
    Ok(LimitRequest {
        file: args.limits.as_ref().map(read).transpose()?,
        keep: args.keep,
        sets: args.sets.clone(),
        removes: args.removes.clone(),
    })
}

type Rendered = Result<(), std::fmt::Error>;

fn render(args: &WhatIfArgs, report: &Report) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    header(&mut text, args, report)?;
    totals(&mut text, report)?;
    by_limit(&mut text, report)?;
    by_account(&mut text, report)?;
    changed(&mut text, report)?;
    dropped(&mut text, report)?;
    peaks(&mut text, report)?;
    approximation(&mut text, report)?;
    writeln!(
        text,
        "\n{} records in {:.3} s: {} records/s",
        count(report.span.records),
        report.seconds,
        count(report.records_per_s as u64)
    )?;
    Ok(text)
}

fn header(text: &mut String, args: &WhatIfArgs, report: &Report) -> Rendered {
    let (span, limits) = (&report.span, &report.limits);
    writeln!(
        text,
        "journal {}: seq {} to {}, {} to {}",
        args.journal.display(),
        span.first_seq,
        span.last_seq,
        Rfc3339(span.first_ns),
        Rfc3339(span.last_ns)
    )?;
    let kind = if limits.kept {
        "the journal's limits with changes"
    } else {
        "other limits instead of the journal's"
    };
    writeln!(
        text,
        "{kind}: {} before, {} after, {} differ",
        limits.before,
        limits.after,
        limits.lines.len()
    )?;
    for line in &limits.lines {
        writeln!(text, "  {}", line.text)?;
    }
    for version in &report.foreign_rules {
        writeln!(
            text,
            "warning: parts were decided by rules of version {version}; differences there may come from the rules"
        )?;
    }
    Ok(())
}

fn totals(text: &mut String, report: &Report) -> Rendered {
    let totals = &report.totals;
    let mut table = Table::new(&[
        "<",
        "inputs",
        "accepted",
        "rejected",
        "-> accepted",
        "rejected",
        "newly rejected",
        "newly accepted",
        "knock-on",
        "other reason",
    ]);
    let rows = [
        ("orders", totals.orders),
        ("replaces", totals.replaces),
        ("cancels", totals.cancels),
        ("executions", totals.executions),
        ("others", totals.others),
    ];
    for (name, counts) in rows.into_iter().filter(|(_, counts)| counts.inputs != 0) {
        table.row(totals_row(name, counts));
    }
    if !table.is_empty() {
        write!(text, "\n{table}")?;
    }
    Ok(())
}

fn totals_row(name: &str, counts: Counts) -> Vec<String> {
    let figures = [
        counts.inputs,
        counts.accepted_before,
        counts.rejected_before,
        counts.accepted,
        counts.rejected,
        counts.newly_rejected,
        counts.newly_accepted,
        counts.knock_on,
        counts.reason_changed,
    ];
    let figures = figures.into_iter().map(count);
    std::iter::once(name.to_owned()).chain(figures).collect()
}

/// A limit's name with the one instrument that it looks at.
fn scope(scope: &str, symbol: Option<&str>) -> String {
    symbol.map_or_else(|| scope.to_owned(), |symbol| format!("{scope} {symbol}"))
}

fn by_limit(text: &mut String, report: &Report) -> Rendered {
    let mut table = Table::new(&[
        "<limit",
        "<type",
        "<scope",
        "newly rejected",
        "value",
        "newly accepted",
        "value",
        "knock-on",
        "warnings",
        "alerts",
    ]);
    let was_is = |was: u64, is: u64| {
        if was == is {
            count(is)
        } else {
            format!("{} -> {}", count(was), count(is))
        }
    };
    for row in &report.by_limit {
        table.row(vec![
            row.label.clone(),
            row.limit_type.clone(),
            scope(&row.scope, row.symbol.as_deref()),
            count(row.newly_rejected),
            row.newly_rejected_value.clone(),
            count(row.newly_accepted),
            row.newly_accepted_value.clone(),
            count(row.knock_on),
            was_is(row.warnings_before, row.warnings),
            was_is(row.alerts_before, row.alerts),
        ]);
    }
    for row in &report.by_reason {
        let mut cells = vec![row.code.clone(), "(no limit)".to_owned(), String::new()];
        cells.extend([
            count(row.newly_rejected),
            String::new(),
            count(row.newly_accepted),
        ]);
        table.row(cells);
    }
    if !table.is_empty() {
        write!(text, "\nby limit (values in {})\n{table}", report.base_currency)?;
    }
    Ok(())
}

fn by_account(text: &mut String, report: &Report) -> Rendered {
    let mut table = Table::new(&[
        "<account",
        "orders",
        "newly rejected",
        "value",
        "newly accepted",
        "value",
        "fills dropped",
        "value",
        "realised",
    ]);
    for row in &report.by_account {
        let realised: Vec<String> = row
            .realised
            .iter()
            .map(|row| format!("{} -> {} {}", row.before, row.after, row.currency))
            .collect();
        table.row(vec![
            row.account.clone(),
            count(row.orders),
            count(row.newly_rejected),
            row.newly_rejected_value.clone(),
            count(row.newly_accepted),
            row.newly_accepted_value.clone(),
            count(row.fills_dropped),
            row.fills_dropped_value.clone(),
            realised.join(", "),
        ]);
    }
    if !table.is_empty() {
        write!(text, "\nby account (values in {})\n{table}", report.base_currency)?;
    }
    Ok(())
}

fn changed(text: &mut String, report: &Report) -> Rendered {
    if report.changed_count == 0 {
        return writeln!(text, "\nno verdict changes");
    }
    writeln!(text, "\nchanged verdicts: {}", count(report.changed_count))?;
    for order in &report.changed {
        changed_order(text, order)?;
    }
    let more = report.changed_count - report.changed.len() as u64;
    if more != 0 {
        writeln!(text, "  and {} more (--max)", count(more))?;
    }
    Ok(())
}

fn changed_order(text: &mut String, order: &ChangedOrder) -> Rendered {
    let parts = [
        Some(order.kind),
        Some(order.id.as_str()),
        Some(order.account.as_str()),
        Some(order.side.as_str()),
        order.qty.as_deref(),
        Some(order.symbol.as_str()),
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    let knock_on = if order.knock_on { "  (knock-on)" } else { "" };
    let px = order
        .px
        .as_deref()
        .map_or_else(String::new, |px| format!(" @ {px}"));
    writeln!(
        text,
        "  {}  {}  {}{px}\n      {}  ->  {}{knock_on}",
        order.seq,
        Rfc3339(order.recv_ns),
        parts.join(" "),
        verdict(&order.before),
        verdict(&order.after)
    )
}

fn verdict(said: &Verdict) -> String {
    let Some(code) = said.code.as_deref() else {
        return "accepted".to_owned();
    };
    let Some(limit) = said.limit.as_deref() else {
        return code.to_owned();
    };
    let shown = |figure: &Option<String>| figure.clone().unwrap_or_else(|| "?".to_owned());
    let also = if said.also.is_empty() {
        String::new()
    } else {
        format!(", also {}", said.also.join(", "))
    };
    format!(
        "{code} by {limit}, {} of {} {}{also}",
        shown(&said.used),
        shown(&said.hard),
        said.unit.unwrap_or("")
    )
}

fn dropped(text: &mut String, report: &Report) -> Rendered {
    let dropped = &report.dropped;
    if dropped.fills + dropped.fills_cut != 0 {
        writeln!(
            text,
            "\nfills dropped: {} whole, {} in part, worth {} {}",
            count(dropped.fills),
            count(dropped.fills_cut),
            dropped.fills_value,
            report.base_currency
        )?;
    }
    if dropped.requests + dropped.reports != 0 {
        writeln!(
            text,
            "left without an order: {} cancels and replaces, {} reports of venues",
            count(dropped.requests),
            count(dropped.reports)
        )?;
    }
    Ok(())
}

fn peaks(text: &mut String, report: &Report) -> Rendered {
    let mut table = Table::new(&["<limit", "<type", "<scope", "peak", "of", "%", "<unit", "<at"]);
    for row in &report.peaks {
        table.row(peak_row(row));
    }
    if !table.is_empty() {
        write!(text, "\nmost used under these limits\n{table}")?;
    }
    Ok(())
}

fn peak_row(row: &PeakUse) -> Vec<String> {
    let percent = match (row.percent, &row.used) {
        (Some(percent), _) => format!("{percent:.1}"),
        (None, Some(_)) => "over".to_owned(),
        (None, None) => String::new(),
    };
    vec![
        row.label.clone(),
        row.limit_type.clone(),
        scope(&row.scope, row.symbol.as_deref()),
        row.used.clone().unwrap_or_else(|| "never met".to_owned()),
        row.hard.clone().unwrap_or_default(),
        percent,
        row.unit.to_owned(),
        row.at_ns.map_or_else(String::new, |ns| Rfc3339(ns).to_string()),
    ]
}

fn approximation(text: &mut String, report: &Report) -> Rendered {
    let approximation = &report.approximation;
    let Some(first) = approximation.first_difference else {
        return writeln!(text, "\nexact: both worlds did the same throughout");
    };
    let share = if approximation.orders_after == 0 {
        0.0
    } else {
        approximation.orders_that_could_depend as f64 / approximation.orders_after as f64 * 100.0
    };
    writeln!(
        text,
        "\nexact up to seq {} ({}), an approximation after it: {} of {} later orders ({share:.1} %) met a limit whose counters \
         differ from the journal's",
        first.seq,
        Rfc3339(first.recv_ns),
        count(approximation.orders_that_could_depend),
        count(approximation.orders_after)
    )?;
    for assumption in &approximation.assumptions {
        writeln!(text, "  - {assumption}")?;
    }
    Ok(())
}
