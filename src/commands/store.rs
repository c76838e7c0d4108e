//! `tradewind store migrate|status|rebuild`: the database of a journal, looked at and made anew.

use crate::cli::{StoreArgs, StoreCommand};
use crate::output;
use crate::store::follow_settings;
use anyhow::Context;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tradewind_config::{Settings, without_password};
use tradewind_domain::time::Rfc3339;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::has_writer;
use tradewind_store::{FollowSettings, Status, inspect, migrate, rebuild};

/// How often a rebuild says how far it is.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Runs the command.
pub fn run(command: &StoreCommand) -> anyhow::Result<ExitCode> {
    match command {
        StoreCommand::Migrate(args) => bring_up(args),
        StoreCommand::Status(args) => status(args),
        StoreCommand::Rebuild(args) => make_anew(args),
    }
}

fn opened(args: &StoreArgs) -> anyhow::Result<(Settings, FollowSettings, String)> {
    let settings = super::settings(&args.settings, &[])?;
    let follow = follow_settings(&settings, &args.data, args.url.as_deref())?;
    let shown = without_password(args.url.as_deref().unwrap_or(&settings.store.url));
    Ok((settings, follow, shown))
}

fn bring_up(args: &StoreArgs) -> anyhow::Result<ExitCode> {
    let (_, follow, url) = opened(args)?;
    let done = migrate(&follow.target).with_context(|| format!("{url} cannot be brought up"))?;
    if args.json {
        output::json(&json!({"url": url, "applied": done}))?;
    } else if done.is_empty() {
        output::text(format_args!("{url}: the schema is the newest\n"));
    } else {
        for step in done {
            output::text(format_args!("{url}: {step}\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn status(args: &StoreArgs) -> anyhow::Result<ExitCode> {
    let (_, follow, url) = opened(args)?;
    anyhow::ensure!(
        !follow.target.is_missing(),
        "{url}: no store has been written there"
    );
    let found = inspect(&follow.target).with_context(|| format!("{url} cannot be read"))?;
    let place = found.saved.place;
    let journal = tradewind_store::compare(&follow.data_dir, &found.saved);
    let (state, code) = match &journal {
        Ok(0) => ("up to the journal's end".to_owned(), ExitCode::SUCCESS),
        Ok(bytes) => (
            format!("{} behind the journal's end", output::bytes(*bytes)),
            ExitCode::SUCCESS,
        ),
        Err(error) => (error.line(), ExitCode::FAILURE),
    };
    if args.json {
        output::json(&json!({
            "url": url,
            "schema": found.schema,
            "schema_known": found.schema_known,
            "seq": place.map(|place| place.seq),
            "recv_ns": place.map(|place| place.recv_ns),
            "epoch": place.map(|place| place.epoch),
            "position": place.map(|place| place.next.to_string()),
            "behind_bytes": journal.as_ref().ok(),
            "problem": journal.as_ref().err().map(tradewind_store::StoreError::line),
        }))?;
        return Ok(code);
    }
    output::text(format_args!(
        "{url}\nschema {} of {}\n",
        found.schema, found.schema_known
    ));
    match place {
        Some(place) => output::text(format_args!(
            "records up to {} of run {}, taken {}\njournal position {}\n{state}\n",
            place.seq,
            place.epoch,
            Rfc3339(place.recv_ns),
            place.next
        )),
        None => output::text(format_args!("nothing written yet\n")),
    }
    Ok(code)
}

fn make_anew(args: &StoreArgs) -> anyhow::Result<ExitCode> {
    let (settings, follow, url) = opened(args)?;
    let is_the_engines = args.url.as_deref().is_none_or(|url| url == settings.store.url);
    if settings.store.enabled && is_the_engines && has_writer(&follow.data_dir) {
        anyhow::bail!(
            "an engine runs on {} and writes to {url}: stop it first, or name another database by --url",
            follow.data_dir.display()
        );
    }
    let clock = Clock::start()?;
    let data_dir = follow.data_dir.clone();
    let target = follow.target.clone();
    let began = clock.raw();
    let mut shared = None;
    rebuild(follow, clock.clone(), |status| {
        shared = Some(Arc::clone(status));
        if !args.json {
            show_while(status, &clock);
        }
    })
    .with_context(|| format!("{url} was not made anew from {}", data_dir.display()))?;
    let seconds = clock.span_ns(began, clock.raw()) as f64 / 1e9;
    let figures = shared.map(|status| status.figures()).unwrap_or_default();
    let schema = inspect(&target)
        .with_context(|| format!("{url} cannot be read"))?
        .schema;
    if args.json {
        output::json(
            &json!({"url": url, "schema": schema, "seq": figures.seq, "records": figures.records,
            "rows": figures.rows, "seconds": seconds}),
        )?;
    } else {
        output::text(format_args!(
            "{url}: {} records, {} rows, {:.1} s, up to {}\n",
            output::count(figures.records),
            output::count(figures.rows),
            seconds,
            figures.seq
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how far a rebuild is, on a thread that ends with it.
fn show_while(status: &Arc<Status>, clock: &Clock) {
    let (status, clock) = (Arc::downgrade(status), clock.clone());
    std::thread::spawn(move || {
        loop {
            std::thread::park_timeout(SHOW_EVERY);
            let Some(status) = status.upgrade().filter(|status| !status.is_over()) else {
                return;
            };
            let (figures, lag) = (status.figures(), status.lag(clock.now_ns(), None));
            output::status(&format!(
                "{} records, {} left",
                output::count(figures.records),
                output::bytes(lag.bytes)
            ));
            if let Some(problem) = status.problem() {
                output::note(problem);
            }
        }
    });
}
