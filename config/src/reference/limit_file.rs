//! Limits by themselves: a file of limits for a hierarchy that a journal already has, and a limit as text that can be read back.
//!
//! The same parser reads the same `[[limit]]` tables as in reference data; only the names that they may mention come from a
//! journal instead of from the file. So a section copied from one means the same in the other.
//!
//! Not here: what becomes of the limits (`tradewind whatif` plays a journal under them).

use super::ReferenceData;
use super::known::Known;
use super::parse;
use super::rows::{Limit, Named};
use crate::limit_units::{Actions, LimitUnit, ParamKind, limit_spec};
use crate::problem::{ConfigError, Problem};
use std::fmt::Write;
use std::path::Path;

impl Limit {
    /// Reads the `[[limit]]` tables of a document; `file` names it in problems. Nodes, accounts and instruments are those of
    /// `known`. Other sections of reference data may stand beside and are not read; the lists of RESTRICTED limits are checked
    /// and not given: they are set line by line, and those of the journal stay.
    pub fn parse_all(text: &str, file: &str, known: &Known) -> Result<Vec<Self>, ConfigError> {
        parse::limits(text, file, known)
    }

    /// Reads the `[[limit]]` tables of a file, as [`parse_all`](Self::parse_all).
    pub fn load_all(path: &Path, known: &Known) -> Result<Vec<Self>, ConfigError> {
        let file = path.display().to_string();
        match crate::text_file::read_text(path, ReferenceData::FILE_BYTES_MAX) {
            Ok(text) => Self::parse_all(&text, &file, known),
            Err(error) => Err(ConfigError {
                problems: vec![Problem::new(file, "", format!("failed to read: {error}"))],
            }),
        }
    }

    /// The limit with one field changed: a key of its table, or the name of one of its parameters. `place` names the request in
    /// problems.
    pub fn with(&self, field: &str, value: &str, place: &str, known: &Known) -> Result<Self, ConfigError> {
        let params = limit_spec(self.limit_type).map_or(&[][..], |spec| spec.params);
        let is_param = params.iter().any(|param| param.name == field);
        let mut rows = self.table();
        let row = (field.to_owned(), literal(value));
        let list = if is_param {
            &mut rows.params
        } else {
            &mut rows.keys
        };
        match list.iter_mut().find(|(name, _)| name == field) {
            Some(found) => *found = row,
            None => list.push(row),
        }
        let mut limits = Self::parse_all(&rows.to_string(), place, known)?;
        limits.pop().ok_or_else(|| ConfigError {
            problems: vec![Problem::new(place, field, "leaves no limit")],
        })
    }

    /// The limit as a `[[limit]]` table of a file.
    pub fn to_toml(&self) -> String {
        self.table().to_string()
    }

    /// What differs from `before`, in one line for people; `None` where nothing does.
    pub fn difference(&self, before: Option<&Self>) -> Option<String> {
        match before {
            None => Some(self.added_line()),
            Some(before) if before == self => None,
            Some(before) => Some(self.changed_line(before)),
        }
    }

    fn table(&self) -> Table {
        let spec = limit_spec(self.limit_type);
        let mut table = Table::default();
        table.text("label", self.label.as_str());
        table.text("scope", self.scope.as_str());
        table.text("type", self.limit_type.text());
        if spec.is_none_or(|spec| spec.unit != LimitUnit::Nothing) {
            table.text("hard", &self.hard_text());
        }
        if self.soft_pct != 0 {
            table.keys.push(("soft_pct".into(), self.soft_pct.to_string()));
        }
        if spec.is_none_or(|spec| spec.actions != Actions::Own) {
            table.text("action", self.action.text());
        }
        table.text("instrument", self.instrument.as_str());
        table.text("kind", self.kind.map_or("", |kind| kind.text()));
        table.text("sector", self.sector.as_str());
        let params = spec.map_or(&[][..], |spec| spec.params);
        for param in params {
            let text = param.kind.show(self.params[param.index]);
            let text = match param.kind {
                ParamKind::Whole(..) | ParamKind::Flag => text,
                _ => quoted(&text),
            };
            table.params.push((param.name.to_owned(), text));
        }
        table
    }
}

/// A `[[limit]]` table: names and TOML values.
#[derive(Default)]
struct Table {
    keys: Vec<(String, String)>,
    params: Vec<(String, String)>,
}

impl Table {
    /// A key with text, where there is any.
    fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.keys.push((key.to_owned(), quoted(value)));
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[[limit]]\n")?;
        for (key, value) in &self.keys {
            writeln!(f, "{} = {value}", quoted_key(key))?;
        }
        let params: Vec<String> = self
            .params
            .iter()
            .map(|(name, value)| format!("{} = {value}", quoted_key(name)))
            .collect();
        if !params.is_empty() {
            writeln!(f, "params = {{ {} }}", params.join(", "))?;
        }
        Ok(())
    }
}

/// A value of the command line as TOML: whole numbers and flags as they are, everything else as text.
fn literal(value: &str) -> String {
    let is_plain = value
        .parse::<i64>()
        .is_ok_and(|number| number.to_string() == value);
    if is_plain || matches!(value, "true" | "false") {
        value.to_owned()
    } else {
        quoted(value)
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Writing to a string cannot fail.
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Bare where TOML allows it.
fn quoted_key(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_bare { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use super::super::ReferenceData;
    use super::*;
    use tradewind_domain::event::Event;

    /// What a journal knows after the demo's reference data was accepted; normalize's part, the ids, in a few lines.
    fn known() -> (Known, Vec<Limit>) {
        let data = ReferenceData::parse(ReferenceData::DEMO, "demo").unwrap();
        let mut known = Known::default();
        for row in &data.nodes {
            known.nodes.insert(row.code, *row);
        }
        for row in &data.accounts {
            known.accounts.insert(row.code, *row);
        }
        for row in &data.instruments {
            known.instruments.insert(row.row.symbol, *row);
        }
        known.observe(&Event::empty());
        (known, data.limits)
    }

    #[test]
    fn a_limit_written_as_text_is_read_back_as_it_was() {
        let (known, limits) = known();
        let text: String = limits.iter().map(Limit::to_toml).collect();
        assert_eq!(Limit::parse_all(&text, "x", &known).unwrap(), limits);
    }

    #[test]
    fn the_limits_of_a_whole_reference_file_are_those_of_its_section() {
        let (known, limits) = known();
        assert_eq!(
            Limit::parse_all(ReferenceData::DEMO, "demo.toml", &known).unwrap(),
            limits
        );
    }

    #[test]
    fn a_name_that_the_journal_does_not_have_is_refused_with_its_line() {
        let (known, _) = known();
        let text = "[[limit]]\nlabel = \"a\"\nscope = \"NOWHERE\"\ntype = \"MAX_ORDER_QTY\"\nhard = \"1\"\ninstrument = \"NOTHING\"\n\n[[limmit]]\n";
        let problems = Limit::parse_all(text, "new.toml", &known)
            .unwrap_err()
            .to_string();
        assert!(
            problems.contains("new.toml:3: NOWHERE: unknown node or account"),
            "{problems}"
        );
        assert!(
            problems.contains("new.toml:6: NOTHING: unknown instrument"),
            "{problems}"
        );
        assert!(problems.contains("did you mean `limit`"), "{problems}");
    }

    #[test]
    fn one_field_or_parameter_of_a_limit_can_be_changed() {
        let (known, limits) = known();
        let find = |label: &str| *limits.iter().find(|limit| limit.label.as_str() == label).unwrap();
        let value = find("firm-order-value")
            .with("hard", "1.5", "--set", &known)
            .unwrap();
        assert_eq!(value.hard, 15 * 10i128.pow(15));
        let rate = find("emil-order-rate")
            .with("burst", "7", "--set", &known)
            .unwrap();
        assert_eq!(rate.params[2], 7);
        let credit = find("n-margin-1-cash")
            .with("credit_line", "12.5", "--set", &known)
            .unwrap();
        assert_eq!(credit.params[0], 1_250_000_000);
        let wrong = find("firm-order-value").with("hart", "1", "--set firm-order-value.hart=1", &known);
        let text = wrong.unwrap_err().to_string();
        assert!(text.contains("did you mean `hard`"), "{text}");
        let injected = find("firm-order-value").with("hard", "1\"\nlabel = \"x", "--set", &known);
        assert!(injected.is_err());
    }
}
