//! What became of cases: passed, failed, skipped, and a table of them by topic.

use super::compare::Difference;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// Something that is not as the file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A key differs.
    Difference(Difference),
    /// The case could not be played on.
    Broken(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Difference(difference) => difference.fmt(f),
            Problem::Broken(why) => f.write_str(why),
        }
    }
}

/// A step that was played.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Number, time and subject.
    pub name: String,
    /// What the file says.
    pub expected: Map<String, Value>,
    /// What was found.
    pub got: Map<String, Value>,
    /// What differs; nothing where it passed.
    pub problems: Vec<Problem>,
}

impl StepReport {
    /// A step that could not be played.
    pub fn broken(name: impl Into<String>, why: String) -> Self {
        Self {
            name: name.into(),
            expected: Map::new(),
            got: Map::new(),
            problems: vec![Problem::Broken(why)],
        }
    }
}

/// The steps of a case that were played.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// In their order.
    pub steps: Vec<StepReport>,
}

impl Played {
    /// A case that could not be played at all.
    pub fn broken(what: &str, why: String) -> Self {
        Self {
            steps: vec![StepReport::broken(what, why)],
        }
    }
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every step is as the file says.
    Passed,
    /// Some step is not.
    Failed,
    /// This version does not play it.
    Skipped,
}

/// A case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    /// Identifier.
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// What it shows.
    pub title: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was skipped; empty where it was not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The steps that differ; all of them where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
}

/// Cases by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped.
    pub skipped: usize,
}

impl Totals {
    /// Counts a case.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Skipped => self.skipped += 1,
        }
    }
}

impl fmt::Display for Totals {
    /// `N passed, N failed`, and the skipped ones where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// A file.
#[derive(Clone, Debug, Serialize)]
pub struct FileReport {
    /// Which.
    pub file: String,
    /// Which rules it is about.
    pub family: String,
    /// Cases by what became of them.
    pub totals: Totals,
    /// The cases.
    pub cases: Vec<CaseReport>,
}

impl FileReport {
    /// Totals by topic.
    pub fn topics(&self) -> BTreeMap<&str, Totals> {
        let mut topics: BTreeMap<&str, Totals> = BTreeMap::new();
        for case in &self.cases {
            topics.entry(&case.topic).or_default().add(case.outcome);
        }
        topics
    }
}
