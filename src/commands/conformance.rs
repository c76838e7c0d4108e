//! `tradewind conformance`: vector files against the engine.

use crate::cli::ConformanceArgs;
use crate::conformance::{self, CaseReport, FileReport, Options, Outcome, Totals};
use crate::output::{self, Table};
use anyhow::bail;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Report {
    totals: Totals,
    files: Vec<FileReport>,
}

impl Report {
    fn add(&mut self, file: FileReport) {
        self.totals.passed += file.totals.passed;
        self.totals.failed += file.totals.failed;
        self.totals.skipped += file.totals.skipped;
        self.files.push(file);
    }
}

/// Runs the command: exit code 1 where a case failed or a file cannot be played; the other files are played all the same.
pub fn run(args: &ConformanceArgs) -> anyhow::Result<ExitCode> {
    let options = Options {
        case: args.case.clone(),
        all_steps: args.verbose,
    };
    let mut report = Report {
        totals: Totals::default(),
        files: Vec::new(),
    };
    let mut is_well = true;
    for path in &args.files {
        match conformance::play_file(path, &options) {
            Ok(file) => report.add(file),
            Err(error) => {
                output::error(&error.into());
                is_well = false;
            }
        }
    }
    let is_missing = is_well && report.files.iter().all(|file| file.cases.is_empty());
    if let Some(id) = args.case.as_ref().filter(|_| is_missing) {
        bail!("no case {id} in these files");
    }
    if args.json {
        output::json(&report)?;
    } else if !report.files.is_empty() {
        show(&report, args.verbose);
    }
    Ok(if is_well && report.totals.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(report: &Report, verbose: bool) {
    for case in report.files.iter().flat_map(|file| &file.cases) {
        if verbose || case.outcome == Outcome::Failed {
            show_case(case, verbose);
        }
    }
    let mut table = Table::new(&["<family", "<topic", "passed", "failed", "skipped"]);
    for file in &report.files {
        for (topic, totals) in file.topics() {
            let counts = [totals.passed, totals.failed, totals.skipped];
            let mut cells = vec![file.family.clone(), topic.to_owned()];
            cells.extend(counts.map(|count| count.to_string()));
            table.row(cells);
        }
    }
    output::text(format_args!("{table}\n{}\n", report.totals));
}

fn show_case(case: &CaseReport, verbose: bool) {
    let mark = match case.outcome {
        Outcome::Passed => "pass",
        Outcome::Failed => "FAIL",
        Outcome::Skipped => "skip",
    };
    output::text(format_args!(
        "{mark} {} {}: {}\n",
        case.id, case.topic, case.title
    ));
    if !case.why.is_empty() {
        output::text(format_args!("     {}\n", case.why));
    }
    for step in &case.steps {
        output::text(format_args!("     {}\n", step.name));
        if verbose {
            let json = |map| serde_json::Value::Object(map);
            output::text(format_args!("       expected {}\n", json(step.expected.clone())));
            output::text(format_args!("       got      {}\n", json(step.got.clone())));
        }
        for problem in &step.problems {
            output::text(format_args!("       {problem}\n"));
        }
    }
}
