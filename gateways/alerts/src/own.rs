//! Rules that a firm writes on top of the standard ones: a TOML file, checked with lines, journaled as a document, in force from its last
//! part on.
//!
//! A rule of a name that is known changes what it names of that rule; another name is another rule, with a metric and steps of its own.
//!
//! # Invariants
//! - What is in force follows from the settings and the journal: a start reads the same document at the same record.
//! - A file that is not sound puts nothing into force, and a document that this build cannot read leaves the rules as they are.
//! - Thresholds are exact: percent in hundredths, times in milliseconds, all else whole.
//!
//! Not here: where notifications go. Routes are settings; a rule may name one.

use crate::fact::{Metric, Unit};
use crate::rule::{Clear, Comparator, Rule, STAMPS_MAX, Step};
use crate::severity::Severity;
use serde::{Deserialize, Serialize};
use std::fmt;
use toml::Spanned;
use tradewind_domain::event::{InboundLong, documents};
use tradewind_rules::parts_of;

/// Bytes of a file at most.
pub const FILE_MAX: usize = 64 << 10;
/// Rules that there may be at most, the standard ones among them.
const RULES_MAX: usize = 256;
/// Steps of a rule at most.
const STEPS_MAX: usize = 8;
/// The longest name.
const NAME_MAX: usize = 48;
/// Milliseconds of the longest time, 30 days.
const MS_MAX: u64 = 30 * 86_400_000;
const NANOS_PER_MS: u64 = 1_000_000;
/// Routes that a rule may name (settings `alerts.route_*`).
const ROUTES: [&str; 6] = ["info", "warning", "error", "critical", "level2", "level3"];

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleFileError {
    /// Line, from 1; 0 where no line is to blame.
    pub line: usize,
    /// What.
    pub problem: String,
}

impl fmt::Display for RuleFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.problem),
            line => write!(f, "line {line}: {}", self.problem),
        }
    }
}

/// A threshold as a file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Figure {
    Whole(i64),
    Decimal(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    at: Figure,
    severity: String,
    #[serde(default)]
    for_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: Spanned<String>,
    metric: Option<String>,
    #[serde(default)]
    off: bool,
    compare: Option<String>,
    step: Option<Vec<StepText>>,
    clear: Option<Figure>,
    clear_pct: Option<u8>,
    clear_for_ms: Option<u64>,
    window_ms: Option<u64>,
    severity_max: Option<String>,
    route: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<RuleText>,
}

/// The rules in force where a file stands on top of others. An empty file leaves those.
pub fn rules_with(standard: &[Rule], source: &str) -> Result<Vec<Rule>, Vec<RuleFileError>> {
    if source.len() > FILE_MAX {
        return Err(vec![plain(format!("the file is larger than {FILE_MAX} bytes"))]);
    }
    let line_of = |offset: usize| {
        source
            .get(..offset)
            .map_or(0, |before| before.matches('\n').count() + 1)
    };
    let file: File = toml::from_str(source).map_err(|error| {
        vec![RuleFileError {
            line: error.span().map_or(0, |span| line_of(span.start)),
            problem: error.message().to_owned(),
        }]
    })?;
    let (mut rules, mut errors, mut named) = (standard.to_vec(), Vec::new(), Vec::new());
    for text in &file.rule {
        let name = text.name.as_ref().as_str();
        let made = if named.contains(&name) {
            Err("is in the file twice".to_owned())
        } else {
            put(&mut rules, name, text)
        };
        named.push(name);
        if let Err(problem) = made {
            let line = line_of(text.name.span().start);
            let problem = format!("rule {name:?} {problem}");
            errors.push(RuleFileError { line, problem });
        }
    }
    if rules.len() > RULES_MAX {
        errors.push(plain(format!("there are more than {RULES_MAX} rules")));
    }
    if errors.is_empty() { Ok(rules) } else { Err(errors) }
}

fn plain(problem: String) -> RuleFileError {
    RuleFileError { line: 0, problem }
}

/// Changes a rule of this name, or adds one.
fn put(rules: &mut Vec<Rule>, name: &str, text: &RuleText) -> Result<(), String> {
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(format!("has no name of 1 to {NAME_MAX} printable bytes"));
    }
    let at = rules.iter().position(|rule| rule.name == name);
    let metric = text.metric.as_deref().map(metric_of).transpose()?;
    let before = match (at, metric) {
        (Some(at), None) => rules[at].clone(),
        (Some(at), Some(metric)) if rules[at].metric == metric => rules[at].clone(),
        (Some(at), Some(_)) => {
            return Err(format!(
                "looks at {}, which a file does not change",
                rules[at].metric.text()
            ));
        }
        (None, Some(metric)) if text.step.is_some() || text.off => Rule::new(metric, Vec::new()),
        (None, Some(_)) => return Err("is new and has no [[rule.step]]".to_owned()),
        (None, None) => return Err("is no standard rule and names no metric".to_owned()),
    };
    let rule = changed(before, name, text)?;
    match at {
        Some(at) => rules[at] = rule,
        None => rules.push(rule),
    }
    Ok(())
}

fn changed(mut rule: Rule, name: &str, text: &RuleText) -> Result<Rule, String> {
    rule.name = name.to_owned();
    let unit = rule.metric.unit();
    if let Some(compare) = &text.compare {
        rule.comparator = comparator_of(compare)?;
    }
    if let Some(steps) = &text.step {
        rule.steps = steps
            .iter()
            .map(|step| step_of(step, unit))
            .collect::<Result<_, _>>()?;
    }
    rule.clear = match (&text.clear, text.clear_pct) {
        (None, None) => rule.clear,
        (Some(figure), None) => Clear::At(threshold(figure, unit)?),
        (None, Some(percent @ 1..=100)) => Clear::Percent(percent),
        (None, Some(_)) => return Err("has a clear_pct that is none of 1 to 100".to_owned()),
        (Some(_), Some(_)) => return Err("has clear and clear_pct: one of them".to_owned()),
    };
    if let Some(ms) = text.clear_for_ms {
        rule.clear_for_ns = nanos("clear_for_ms", ms)?;
    }
    if let Some(ms) = text.window_ms {
        if unit != Unit::Events || ms == 0 {
            return Err(
                "has a window_ms: things that happen are counted within one, figures are not".to_owned(),
            );
        }
        rule.window_ns = nanos("window_ms", ms)?;
    }
    if let Some(severity) = &text.severity_max {
        rule.severity_max = severity_of(severity)?;
    }
    if let Some(route) = &text.route {
        if !route.is_empty() && !ROUTES.contains(&route.as_str()) {
            return Err(format!(
                "names a route {route:?}: {} are there",
                ROUTES.join(", ")
            ));
        }
        rule.route.clone_from(route);
    }
    if text.off {
        rule.steps.clear();
        rule.is_off = true;
    } else {
        check_steps(&rule)?;
        rule.is_off = false;
    }
    Ok(rule)
}

/// Steps go from mild to severe, and a figure that reaches a later one reaches the earlier ones.
fn check_steps(rule: &Rule) -> Result<(), String> {
    if rule.steps.is_empty() || rule.steps.len() > STEPS_MAX {
        return Err(format!("has {} steps: 1 to {STEPS_MAX}", rule.steps.len()));
    }
    let rises = matches!(rule.comparator, Comparator::AtLeast | Comparator::Above);
    for pair in rule.steps.windows(2) {
        let further = if rises {
            pair[0].threshold <= pair[1].threshold
        } else {
            pair[0].threshold >= pair[1].threshold
        };
        if !further || pair[0].severity > pair[1].severity {
            return Err("has steps that do not go from mild to severe".to_owned());
        }
    }
    let counts = rule.metric.unit() == Unit::Events;
    let fits = |step: &Step| (1..=STAMPS_MAX as i64).contains(&step.threshold) && step.for_ns == 0;
    if counts && (rule.comparator != Comparator::AtLeast || !rule.steps.iter().all(fits)) {
        return Err(format!(
            "counts things that happen: compare at_least, 1 to {STAMPS_MAX}, without for_ms"
        ));
    }
    Ok(())
}

fn step_of(step: &StepText, unit: Unit) -> Result<Step, String> {
    Ok(Step {
        threshold: threshold(&step.at, unit)?,
        for_ns: nanos("for_ms", step.for_ms)?,
        severity: severity_of(&step.severity)?,
    })
}

fn nanos(what: &str, ms: u64) -> Result<u64, String> {
    if ms > MS_MAX {
        return Err(format!("has {what} = {ms}: at most {MS_MAX}"));
    }
    Ok(ms * NANOS_PER_MS)
}

/// Percent with two decimals, milliseconds, or a whole number, by unit.
fn threshold(figure: &Figure, unit: Unit) -> Result<i64, String> {
    let places: u32 = match unit {
        Unit::BasisPoints => 2,
        Unit::Nanos => 6,
        Unit::Number | Unit::Events => 0,
    };
    let wrong = |text: &str| match unit {
        Unit::BasisPoints => format!("has {text:?} for a percentage of at most two decimals"),
        Unit::Nanos => format!("has {text:?} for milliseconds"),
        Unit::Number | Unit::Events => format!("has {text:?} for a whole number"),
    };
    match figure {
        Figure::Whole(value) => value
            .checked_mul(10_i64.pow(places))
            .ok_or_else(|| wrong(&value.to_string())),
        Figure::Decimal(text) => {
            let (whole, part) = text.split_once('.').unwrap_or((text, ""));
            let fits = part.len() <= places as usize && part.bytes().all(|byte| byte.is_ascii_digit());
            let digits = format!("{whole}{part:0<width$}", width = places as usize);
            let value = digits.parse().ok().filter(|_| fits && !whole.is_empty());
            value.ok_or_else(|| wrong(text))
        }
    }
}

fn metric_of(text: &str) -> Result<Metric, String> {
    Metric::from_text(text).ok_or_else(|| {
        let names: Vec<_> = Metric::ALL.iter().map(|metric| metric.text()).collect();
        format!("looks at {text:?}: none of {}", names.join(", "))
    })
}

fn severity_of(text: &str) -> Result<Severity, String> {
    Severity::from_text(text)
        .ok_or_else(|| format!("has a severity {text:?}: none of INFO, WARNING, ERROR, CRITICAL"))
}

fn comparator_of(text: &str) -> Result<Comparator, String> {
    Ok(match text {
        "at_least" => Comparator::AtLeast,
        "above" => Comparator::Above,
        "at_most" => Comparator::AtMost,
        "below" => Comparator::Below,
        _ => {
            return Err(format!(
                "has compare = {text:?}: none of at_least, above, at_most, below"
            ));
        }
    })
}

/// A file as it is journaled: who put it into force, why, and its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleDocument {
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The text of the file.
    pub source: String,
}

impl RuleDocument {
    /// The events that put it into force, in their order.
    pub fn parts(&self) -> Result<Vec<InboundLong>, serde_json::Error> {
        let bytes = serde_json::to_vec(self)?;
        Ok(parts_of(documents::ALERT_RULES, &bytes).collect())
    }

    /// The document of these bytes; `None` where they are of another build.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
