//! Other rules in force: what holds is asked of the new ones, and incidents go on under them.
//!
//! # Invariants
//! - A rule's place never changes, because keys name it: a rule that is gone leaves its place, switched off.
//! - A figure that still holds is judged by the new thresholds at once, and tells nobody again what is told already.

use super::{Held, IncidentBook, Timer};
use crate::condition::Condition;
use crate::incident::{Key, State};
use crate::rule::Rule;
use crate::severity::Severity;
use tradewind_domain::time::UnixNanos;

impl IncidentBook {
    /// The rules in force, those that are switched off among them.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Puts rules into force in place of those before.
    pub(crate) fn set_rules(&mut self, rules: &[Rule], at_ns: UnixNanos) {
        let named = |name: &str| rules.iter().find(|rule| rule.name == name).cloned();
        let mut next: Vec<Rule> = self
            .rules
            .iter()
            .map(|held| named(&held.name).unwrap_or_else(|| held.clone().switched_off()))
            .collect();
        let is_known = |rule: &&Rule| self.rules.iter().any(|held| held.name == rule.name);
        next.extend(rules.iter().filter(|rule| !is_known(rule)).cloned());
        let before = std::mem::replace(&mut self.rules, next.into());
        let differs = |key: &&Key| before.get(usize::from(key.rule)) != self.rules.get(usize::from(key.rule));
        let changed: Vec<Key> = self.conditions.keys().filter(differs).cloned().collect();
        for key in changed {
            self.judge_anew(&key, at_ns);
        }
    }

    fn judge_anew(&mut self, key: &Key, at_ns: UnixNanos) {
        let rules = std::sync::Arc::clone(&self.rules);
        let Some(rule) = rules.get(usize::from(key.rule)) else {
            return;
        };
        if rule.is_off {
            if let Some(armed_ns) = self.conditions.remove(key).and_then(|held| held.armed_ns) {
                self.timers.remove(&(armed_ns, Timer::Condition(key.clone())));
            }
            return self.clear(key, at_ns);
        }
        let Some(Held {
            condition,
            level,
            subject,
            text,
            ..
        }) = self.conditions.get_mut(key)
        else {
            return;
        };
        *condition = Condition::new(rule);
        let fires = match *level {
            Some((value, at_least)) => condition.on_level(rule, value, at_least, at_ns),
            None => {
                condition.is_quiet_from(at_ns);
                None
            }
        };
        let (subject, text) = (subject.clone(), text.clone());
        self.rearm(key, rule);
        if let Some(severity) = fires.filter(|severity| !self.is_told(key, rule.capped(*severity))) {
            self.fire(key.clone(), severity, &subject, &text, at_ns);
        }
    }

    /// True where an incident of the key that is not over says so already.
    fn is_told(&self, key: &Key, severity: Severity) -> bool {
        let number = self.by_key.get(key);
        let incident = number.and_then(|number| self.incidents.get(number));
        incident.is_some_and(|incident| incident.state() != State::Resolved && incident.severity >= severity)
    }
}
