//! From a journal and new limits to a report: survey, plan, play, compare.

use crate::divergence::Divergence;
use crate::error::WhatIfError;
use crate::plan::{Fate, LimitRequest, Plan};
use crate::report::Report;
use crate::subject::{Class, Subject, is_alike};
use crate::summary::Summary;
use crate::survey::{Survey, Until, names_something};
use crate::tally::{Definitions, Tally};
use crate::world::{Step, Unfilled, World};
use std::path::Path;
use tradewind_config::{Known, Limit};
use tradewind_domain::event::{Decider, Event, Kind, LimitSet};
use tradewind_machine::clock::Clock;
use tradewind_views::Reader;

/// How a journal is played.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where to end.
    pub until: Until,
    /// How orders live that only the second world accepts.
    pub unfilled: Unfilled,
    /// Changed verdicts that are listed, at most.
    pub list_max: usize,
}

/// Plays the journal of a data folder under other limits. `clock` measures how long it takes.
pub fn whatif(
    data_dir: &Path,
    request: &LimitRequest,
    options: &Options,
    clock: &Clock,
) -> Result<Report, WhatIfError> {
    let begun = clock.raw();
    let survey = Survey::of(&mut Reader::open(data_dir)?, options.until)?;
    // What a running engine writes meanwhile was not surveyed.
    let until = Until {
        seq: Some(survey.last.0),
        ..options.until
    };
    let plan = Plan::new(request, &survey)?;
    let mut reader = Reader::open(data_dir)?;
    let world = World::new(
        reader.capacities(),
        reader.hash_key(),
        &survey,
        plan.fixed.clone(),
        options.unfilled,
    );
    let mut run = Run {
        world,
        plan: &plan,
        known: Known::default(),
        definitions: Definitions::default(),
        divergence: Divergence::default(),
        tally: Tally::new(options.list_max),
        orders_after: 0,
        orders_reached: 0,
    };
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() && !until.ends_before(&event) {
        run.see(&event)?;
    }
    let seconds = clock.span_ns(begun, clock.raw()) as f64 / 1e9;
    Summary {
        survey: &survey,
        plan: &plan,
        run: &run,
    }
    .report(seconds)
}

/// The limits in force at the end of a journal, as a file that can be changed and played.
pub fn journal_limits(data_dir: &Path, until: Until) -> Result<String, WhatIfError> {
    let survey = Survey::of(&mut Reader::open(data_dir)?, until)?;
    let tables: Vec<String> = survey.known.limits().map(Limit::to_toml).collect();
    Ok(tables.join("\n"))
}

/// The second pass.
pub(crate) struct Run<'a> {
    pub(crate) world: World,
    plan: &'a Plan,
    /// Names and limits as the journal has them so far.
    known: Known,
    pub(crate) definitions: Definitions,
    pub(crate) divergence: Divergence,
    pub(crate) tally: Tally,
    /// Orders and replaces behind the first difference, and those of them that it may have reached.
    pub(crate) orders_after: u64,
    pub(crate) orders_reached: u64,
}

impl Run<'_> {
    /// Takes the next record. Effects are those of the second world's own expander.
    fn see(&mut self, recorded: &Event) -> Result<(), WhatIfError> {
        if recorded.head.part != 0 {
            self.world.pair_effect(recorded);
            return Ok(());
        }
        let Some(kind) = recorded.kind() else {
            return Ok(());
        };
        match kind {
            Kind::EngineStarted => self.world.begin_run(recorded),
            Kind::LimitSet => self.limit(recorded)?,
            _ if kind.decider() == Decider::Normalize => {
                if names_something(kind) {
                    self.known.observe(recorded);
                }
                self.world.take_reference(recorded);
            }
            _ => {
                self.set_ready(recorded)?;
                self.play(recorded);
            }
        }
        Ok(())
    }

    /// Sets new limits whose names are there now: before the first input that they could bind.
    fn set_ready(&mut self, before: &Event) -> Result<(), WhatIfError> {
        for limit in self.world.ready() {
            let set = self.world.set(&limit, &before.head)?;
            self.learn(&set);
        }
        Ok(())
    }

    /// A limit of the journal.
    fn limit(&mut self, recorded: &Event) -> Result<(), WhatIfError> {
        if recorded.is_rejected() {
            return Ok(()); // it never was in force
        }
        self.known.observe(recorded);
        let set: &LimitSet = recorded.body();
        if set.removed == 0 {
            self.definitions.before.insert(set.limit, *set);
        }
        match self.plan.fate(&set.label, &self.known)? {
            Fate::LeftOut => {}
            Fate::AsRecorded => {
                if self.world.set_recorded(recorded) {
                    self.learn(set);
                }
            }
            Fate::Changed(limit) => {
                let set = self.world.set(&limit, &recorded.head)?;
                self.learn(&set);
            }
        }
        Ok(())
    }

    fn learn(&mut self, set: &LimitSet) {
        self.divergence.set_limit(set);
        if set.removed == 0 {
            self.definitions.after.insert(set.limit, *set);
        }
    }

    fn play(&mut self, recorded: &Event) {
        let step = self.world.play(recorded);
        let again = &self.world.event;
        let subject = Subject::of_either(recorded, again);
        let registry = self.world.registry();
        if Class::of(recorded).asks() && self.divergence.first.is_some() {
            let is_reached = self
                .divergence
                .reaches(registry, subject.leaf, subject.instrument);
            self.orders_after += 1;
            self.orders_reached += u64::from(is_reached);
        }
        self.tally.see(recorded, again, step, registry, &self.definitions);
        if step != Step::Played || !is_alike(recorded, again) {
            let head = &recorded.head;
            let place = (subject.leaf, subject.instrument);
            self.divergence.mark(registry, place, (head.seq, head.recv_ns));
        }
    }
}
