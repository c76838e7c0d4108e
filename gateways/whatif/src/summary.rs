//! From counts to the report: names, decimals, order of rows.

use crate::error::WhatIfError;
use crate::peaks::Peak;
use crate::plan::Plan;
use crate::report::{
    AccountEffect, Approximation, Dropped, LimitDifference, LimitEffect, LimitLine, Moment, PeakUse,
    Realised, ReasonEffect, Report, Span, Totals,
};
use crate::run::Run;
use crate::subject::Class;
use crate::survey::Survey;
use crate::tally::{AccountSums, LimitSums, code_text};
use crate::world::Unfilled;
use std::collections::BTreeMap;
use tradewind_config::Limit;
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::{AccountId, LimitId};
use tradewind_domain::text::Code;
use tradewind_views::{Names, Unit};

// What is assumed where the journal says nothing.
const FILLS: &str = "fills are those of the journal: fills of newly rejected orders are dropped, newly accepted orders are not filled";
const OPEN: &str = "a newly accepted order is acknowledged and takes room until it expires; one that is IOC or FOK ends at once";
const ENDED: &str = "a newly accepted order ends at once and takes no room";
const REQUESTS: &str = "a newly accepted replace takes place; a newly accepted cancel of an order that went on trading is refused by the venue";
const CLIENTS: &str =
    "clients send what they sent: nobody splits, retries or withholds an order because of another verdict";

/// All that the report is made of.
pub(crate) struct Summary<'a> {
    pub(crate) survey: &'a Survey,
    pub(crate) plan: &'a Plan,
    pub(crate) run: &'a Run<'a>,
}

impl Summary<'_> {
    pub(crate) fn report(&self, seconds: f64) -> Result<Report, WhatIfError> {
        let (survey, tally) = (self.survey, &self.run.tally);
        let base = self.run.world.registry().base_currency();
        Ok(Report {
            span: Span {
                first_seq: survey.first.0,
                last_seq: survey.last.0,
                first_ns: survey.first.1,
                last_ns: survey.last.1,
                records: survey.records,
                inputs: survey.inputs,
            },
            base_currency: base.map_or_else(String::new, |row| row.code.to_string()),
            limits: self.difference()?,
            totals: Totals {
                orders: tally.counts(Class::Order),
                replaces: tally.counts(Class::Replace),
                cancels: tally.counts(Class::Cancel),
                executions: tally.counts(Class::Execution),
                others: tally.counts(Class::Other),
            },
            by_limit: self.by_limit(),
            by_reason: self.by_reason(),
            by_account: self.by_account(),
            changed: tally.changed.clone(),
            changed_count: tally.changed_count,
            dropped: self.dropped(),
            approximation: self.approximation(),
            peaks: self.peaks(),
            foreign_rules: survey.foreign_rules.iter().copied().collect(),
            seconds,
            records_per_s: if seconds > 0.0 {
                survey.records as f64 / seconds
            } else {
                0.0
            },
        })
    }

    fn difference(&self) -> Result<LimitDifference, WhatIfError> {
        let before: BTreeMap<Code, Limit> = self
            .survey
            .known
            .limits()
            .map(|limit| (limit.label, *limit))
            .collect();
        let after = self.plan.at_the_end(&self.survey.known)?;
        let mut lines = Vec::new();
        for (label, limit) in &after {
            let old = before.get(label);
            if let Some(text) = limit.difference(old) {
                lines.push(LimitLine {
                    label: label.to_string(),
                    change: if old.is_some() { "changed" } else { "added" },
                    text,
                });
            }
        }
        let gone = before.keys().filter(|label| !after.contains_key(*label));
        lines.extend(gone.map(|label| LimitLine {
            label: label.to_string(),
            change: "removed",
            text: format!("limit {label}: removed"),
        }));
        lines.sort_by(|a, b| a.label.cmp(&b.label));
        Ok(LimitDifference {
            kept: self.plan.keeps(),
            before: before.len(),
            after: after.len(),
            lines,
        })
    }

    /// The limit as it was set last, in the second world if it was set there.
    fn definition(&self, id: LimitId) -> Option<&LimitSet> {
        let definitions = &self.run.definitions;
        definitions.after.get(&id).or_else(|| definitions.before.get(&id))
    }

    fn by_limit(&self) -> Vec<LimitEffect> {
        let mut rows: Vec<LimitEffect> = self
            .run
            .tally
            .limits
            .iter()
            .map(|(&id, sums)| self.limit_effect(id, sums))
            .collect();
        rows.sort_by(|a, b| a.label.cmp(&b.label));
        rows
    }

    fn limit_effect(&self, id: LimitId, sums: &LimitSums) -> LimitEffect {
        let names = Names(self.run.world.registry());
        let set = self.definition(id);
        LimitEffect {
            label: names.limit(id),
            limit_type: set.map_or_else(String::new, type_text),
            scope: set.map_or_else(String::new, |set| names.node(set.node)),
            symbol: set.and_then(|set| self.symbol(set)),
            hard: self.run.definitions.after.get(&id).and_then(hard_text),
            newly_rejected: sums.newly_rejected.count,
            newly_rejected_value: value_text(sums.newly_rejected.value),
            newly_accepted: sums.newly_accepted.count,
            newly_accepted_value: value_text(sums.newly_accepted.value),
            knock_on: sums.knock_on,
            warnings_before: sums.warnings[0],
            warnings: sums.warnings[1],
            alerts_before: sums.alerts[0],
            alerts: sums.alerts[1],
        }
    }

    fn symbol(&self, set: &LimitSet) -> Option<String> {
        let names = Names(self.run.world.registry());
        (!set.filter_instrument.is_none()).then(|| names.symbol(set.filter_instrument))
    }

    fn by_reason(&self) -> Vec<ReasonEffect> {
        let rows = self.run.tally.reasons.iter();
        rows.map(|(&number, &[newly_rejected, newly_accepted])| ReasonEffect {
            code: code_text(number),
            newly_rejected,
            newly_accepted,
        })
        .collect()
    }

    fn by_account(&self) -> Vec<AccountEffect> {
        let rows = self.run.tally.accounts.iter();
        let mut rows: Vec<AccountEffect> = rows
            .filter(|(_, sums)| sums.is_changed())
            .map(|(&id, sums)| self.account_effect(id, sums))
            .collect();
        rows.sort_by(|a, b| a.account.cmp(&b.account));
        rows
    }

    fn account_effect(&self, id: AccountId, sums: &AccountSums) -> AccountEffect {
        let names = Names(self.run.world.registry());
        let realised = sums.realised.iter().filter(|(_, [was, is])| was != is);
        AccountEffect {
            account: names.account(id),
            orders: sums.orders,
            newly_rejected: sums.newly_rejected.count,
            newly_rejected_value: value_text(sums.newly_rejected.value),
            newly_accepted: sums.newly_accepted.count,
            newly_accepted_value: value_text(sums.newly_accepted.value),
            fills_dropped: sums.dropped.count,
            fills_dropped_value: value_text(sums.dropped.value),
            realised: realised
                .map(|(&currency, &[was, is])| Realised {
                    currency: names.currency(currency),
                    before: Money::from_raw(was).to_string(),
                    after: Money::from_raw(is).to_string(),
                })
                .collect(),
        }
    }

    fn dropped(&self) -> Dropped {
        let tally = &self.run.tally;
        Dropped {
            fills: tally.dropped_fills.count,
            fills_cut: tally.cut_fills,
            fills_value: value_text(tally.dropped_fills.value),
            requests: tally.dropped_requests,
            reports: tally.dropped_reports,
        }
    }

    fn approximation(&self) -> Approximation {
        let first = self.run.divergence.first;
        Approximation {
            first_difference: first.map(|(seq, recv_ns)| Moment { seq, recv_ns }),
            orders_after: self.run.orders_after,
            orders_that_could_depend: self.run.orders_reached,
            assumptions: first.map(|_| self.assumptions()).unwrap_or_default(),
        }
    }

    fn assumptions(&self) -> Vec<&'static str> {
        let life = match self.run.world.unfilled {
            Unfilled::Open => OPEN,
            Unfilled::Ended => ENDED,
        };
        vec![FILLS, life, REQUESTS, CLIENTS]
    }

    /// Every limit that was set in the second world, those nearest to their hard figure first.
    fn peaks(&self) -> Vec<PeakUse> {
        let mut rows: Vec<PeakUse> = self
            .run
            .definitions
            .after
            .iter()
            .flat_map(|(&id, set)| self.peaks_of(id, set))
            .collect();
        let rank = |row: &PeakUse| match (&row.used, row.percent) {
            (None, _) => -1.0,
            (Some(_), percent) => percent.unwrap_or(f64::INFINITY),
        };
        rows.sort_by(|a, b| {
            let by_name = || (&a.label, a.unit).cmp(&(&b.label, b.unit));
            rank(b).total_cmp(&rank(a)).then_with(by_name)
        });
        rows
    }

    fn peaks_of(&self, id: LimitId, set: &LimitSet) -> Vec<PeakUse> {
        let met: Vec<PeakUse> = self
            .run
            .world
            .peaks
            .of(id)
            .map(|peak| self.peak(id, set, Some(peak)))
            .collect();
        if met.is_empty() {
            vec![self.peak(id, set, None)]
        } else {
            met
        }
    }

    fn peak(&self, id: LimitId, set: &LimitSet, peak: Option<&Peak>) -> PeakUse {
        let names = Names(self.run.world.registry());
        let limit_type = LimitType::from_code(set.limit_type);
        let unit = limit_type.map(|kind| Unit::of_hit(kind, peak.map(|peak| peak.code), &set.params));
        let show = |raw: i128| unit.map_or_else(|| raw.to_string(), |unit| unit.show(raw, &set.params));
        let percent = peak
            .map(|peak| peak.percent())
            .filter(|percent| percent.is_finite());
        PeakUse {
            label: names.limit(id),
            limit_type: type_text(set),
            scope: names.node(set.node),
            symbol: self.symbol(set),
            used: peak.map(|peak| show(peak.used)),
            hard: peak.map(|peak| show(peak.hard)).or_else(|| hard_text(set)),
            unit: unit.map_or("", Unit::text),
            percent: percent.map(|percent| (percent * 100.0).round() / 100.0),
            at_ns: peak.map(|peak| peak.at_ns),
        }
    }
}

fn type_text(set: &LimitSet) -> String {
    LimitType::from_code(set.limit_type).map_or_else(|| set.limit_type.to_string(), |kind| kind.to_string())
}

/// The hard figure as configured; none for types that have none.
fn hard_text(set: &LimitSet) -> Option<String> {
    let limit_type = LimitType::from_code(set.limit_type).filter(|kind| *kind != LimitType::BuyingPower)?;
    Some(Unit::of_limit(limit_type).show(set.hard, &set.params))
}

fn value_text(raw: i128) -> String {
    Notional::from_raw(raw).to_string()
}
