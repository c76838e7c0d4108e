//! Which limits are in force in the second world: those of a file in place of the journal's, or the journal's with changes.
//!
//! Not here: setting them (see `world`).

use crate::error::WhatIfError;
use crate::survey::Survey;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_config::{Known, Limit, nearest};
use tradewind_domain::text::Code;

/// New limits, as somebody asks for them.
#[derive(Clone, Debug, Default)]
pub struct LimitRequest {
    /// Text of a file with `[[limit]]` tables, and its name for problems.
    pub file: Option<(String, String)>,
    /// The journal's limits stay but for those that the file names. Without a file they always stay.
    pub keep: bool,
    /// `LABEL.FIELD=VALUE`: one field or parameter of one limit.
    pub sets: Vec<String>,
    /// Labels of limits that are left out.
    pub removes: Vec<String>,
}

/// One field of a limit that is to have another value.
struct Patch {
    field: String,
    value: String,
    request: String,
}

/// What is done with limits.
pub(crate) struct Plan {
    /// Limits that are set as soon as what they name exists.
    pub(crate) fixed: Vec<Limit>,
    /// True where recorded limits are played too, with the changes below.
    keeps: bool,
    replaced: BTreeSet<Code>,
    removed: BTreeSet<Code>,
    patches: BTreeMap<Code, Vec<Patch>>,
}

/// What becomes of a recorded limit.
pub(crate) enum Fate {
    /// It is set as recorded.
    AsRecorded,
    /// It is set with changes.
    Changed(Box<Limit>),
    /// It is left out.
    LeftOut,
}

impl Plan {
    pub(crate) fn new(request: &LimitRequest, survey: &Survey) -> Result<Self, WhatIfError> {
        let fixed = match &request.file {
            Some((text, name)) => Limit::parse_all(text, name, &survey.known)?,
            None => Vec::new(),
        };
        let mut plan = Self {
            keeps: request.keep || request.file.is_none(),
            replaced: fixed.iter().map(|limit| limit.label).collect(),
            fixed,
            removed: BTreeSet::new(),
            patches: BTreeMap::new(),
        };
        for label in &request.removes {
            plan.remove(label, survey)?;
        }
        for set in &request.sets {
            plan.set(set, survey)?;
        }
        Ok(plan)
    }

    /// True where the journal's limits are in force beside the file's.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    fn remove(&mut self, text: &str, survey: &Survey) -> Result<(), WhatIfError> {
        let request = format!("--remove {text}");
        let label = self.label(text, &request, survey)?;
        self.fixed.retain(|limit| limit.label != label);
        self.removed.insert(label);
        Ok(())
    }

    fn set(&mut self, text: &str, survey: &Survey) -> Result<(), WhatIfError> {
        let request = format!("--set {text}");
        let wrong = || WhatIfError::Request {
            request: request.clone(),
            expected: "LABEL.FIELD=VALUE, for example desk-daily.hard=250000",
        };
        let (path, value) = text.split_once('=').ok_or_else(wrong)?;
        let (label, field) = path.rsplit_once('.').ok_or_else(wrong)?;
        if matches!(field, "label" | "scope" | "type" | "params") {
            return Err(WhatIfError::Request {
                request,
                expected: "a field that a limit may change: not its label, scope or type; parameters by their own names",
            });
        }
        let label = self.label(label, &request, survey)?;
        let patch = Patch {
            field: field.to_owned(),
            value: value.to_owned(),
            request,
        };
        if let Some(fixed) = self.fixed.iter_mut().find(|limit| limit.label == label) {
            *fixed = patch.apply(fixed, &survey.known)?;
            return Ok(());
        }
        if let Some(limit) = survey.known.limits().find(|limit| limit.label == label) {
            patch.apply(limit, &survey.known)?; // a mistake is told before anything is played
        }
        self.patches.entry(label).or_default().push(patch);
        Ok(())
    }

    /// The label of a limit that is in force in the second world.
    fn label(&self, text: &str, request: &str, survey: &Survey) -> Result<Code, WhatIfError> {
        let recorded = survey.labels.iter().filter(|_| self.keeps);
        let mut labels = self.fixed.iter().map(|limit| &limit.label).chain(recorded);
        let found = labels.clone().find(|label| label.as_str() == text);
        found.copied().ok_or_else(|| WhatIfError::NoSuchLimit {
            request: request.to_owned(),
            label: text.to_owned(),
            near: nearest(text, labels.by_ref().map(Code::as_str)).map(str::to_owned),
        })
    }

    /// What becomes of a limit that the journal sets. `known` has seen the record.
    pub(crate) fn fate(&self, label: &Code, known: &Known) -> Result<Fate, WhatIfError> {
        if !self.keeps || self.replaced.contains(label) || self.removed.contains(label) {
            return Ok(Fate::LeftOut);
        }
        let limit = known.limits().find(|limit| limit.label == *label);
        let (Some(patches), Some(limit)) = (self.patches.get(label), limit) else {
            return Ok(Fate::AsRecorded);
        };
        let changed = self.patched(limit, patches, known)?;
        Ok(Fate::Changed(Box::new(changed)))
    }

    fn patched(&self, limit: &Limit, patches: &[Patch], known: &Known) -> Result<Limit, WhatIfError> {
        let mut limit = *limit;
        for patch in patches {
            limit = patch.apply(&limit, known)?;
        }
        Ok(limit)
    }

    /// The limits that are in force at the end, by label.
    pub(crate) fn at_the_end(&self, known: &Known) -> Result<BTreeMap<Code, Limit>, WhatIfError> {
        let mut limits: BTreeMap<Code, Limit> =
            self.fixed.iter().map(|limit| (limit.label, *limit)).collect();
        for limit in known.limits() {
            match self.fate(&limit.label, known)? {
                Fate::AsRecorded => drop(limits.insert(limit.label, *limit)),
                Fate::Changed(changed) => drop(limits.insert(limit.label, *changed)),
                Fate::LeftOut => {}
            }
        }
        Ok(limits)
    }
}

impl Patch {
    fn apply(&self, limit: &Limit, known: &Known) -> Result<Limit, WhatIfError> {
        Ok(limit.with(&self.field, &self.value, &self.request, known)?)
    }
}
