//! Strict reading of one TOML table: known keys only, each value of its type, each problem with its line.

use crate::nearest::nearest;
use crate::problem::{Lines, Problem};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tradewind_domain::decimal;
use tradewind_domain::fixed::Price;
use tradewind_domain::text::Text;
use tradewind_domain::time::{DayNumber, parse_date};

/// Problems and places of one document.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) lines: Lines,
    pub(super) problems: Vec<Problem>,
}

impl Reader<'_> {
    /// Notes a problem at a byte of the document.
    pub(super) fn problem(&mut self, at: usize, subject: &str, message: impl Into<String>) {
        let place = format!("{}:{}", self.file, self.lines.at(at));
        let subject: String = subject.chars().take(80).collect();
        self.problems.push(Problem::new(place, subject, message));
    }

    /// Refuses a name that is not in `known`.
    pub(super) fn unknown<'k>(
        &mut self,
        at: usize,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let near = nearest(name, known)
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        self.problem(at, name, format!("unknown {what}{near}"));
    }

    /// The tables of an array `[[name]]`; none where the document has no such array.
    pub(super) fn tables<'t, 'i>(
        &mut self,
        root: &'t DeTable<'i>,
        name: &str,
    ) -> Vec<(usize, &'t DeTable<'i>)> {
        let Some(found) = root.get(name) else {
            return Vec::new();
        };
        let Some(array) = found.get_ref().as_array() else {
            self.problem(
                found.span().start,
                name,
                format!("must be written as [[{name}]] tables"),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for element in array.iter() {
            match element.get_ref().as_table() {
                Some(table) => tables.push((element.span().start, table)),
                None => self.problem(element.span().start, name, "must be a table"),
            }
        }
        tables
    }
}

/// One table while it is read. Getters note what is wrong and go on with a harmless value: a document with problems is
/// never used.
pub(super) struct Fields<'r, 'a, 't, 'i> {
    pub(super) reader: &'r mut Reader<'a>,
    table: &'t DeTable<'i>,
    /// Where the table begins.
    pub(super) at: usize,
}

impl<'r, 'a, 't, 'i> Fields<'r, 'a, 't, 'i> {
    /// Opens a table whose keys must be among `keys`.
    pub(super) fn open(
        reader: &'r mut Reader<'a>,
        (at, table): (usize, &'t DeTable<'i>),
        keys: &[&str],
    ) -> Self {
        for (key, _) in table
            .iter()
            .filter(|(key, _)| !keys.contains(&key.get_ref().as_ref()))
        {
            reader.unknown(key.span().start, "key", key.get_ref(), keys.iter().copied());
        }
        Self { reader, table, at }
    }

    fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.table.get(key)
    }

    /// Where a key's value begins, or else the table.
    pub(super) fn place(&self, key: &str) -> usize {
        self.value(key).map_or(self.at, |value| value.span().start)
    }

    /// Notes a problem with a key.
    pub(super) fn wrong(&mut self, key: &str, message: impl Into<String>) {
        self.reader.problem(self.place(key), key, message);
    }

    /// A key's value by `read`, or `default` where the key is absent; `what` says what it must be.
    pub(super) fn get<T>(
        &mut self,
        key: &str,
        default: Option<T>,
        what: &str,
        read: impl FnOnce(&'t DeValue<'i>) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = self.value(key) else {
            if default.is_none() {
                self.wrong(key, "is missing");
            }
            return default;
        };
        let value = read(value.get_ref());
        if value.is_none() {
            self.wrong(key, format!("must be {what}"));
        }
        value
    }

    /// Text of at most `N` printable characters; `None` as default makes it mandatory and not empty.
    pub(super) fn text<const N: usize>(&mut self, key: &str, default: Option<&str>) -> Text<N> {
        let what = format!("text of 1 to {N} printable ASCII characters");
        let default = default.and_then(|text| Text::new(text).ok());
        let read = |value: &'t DeValue<'i>| Text::new(value.as_str()?).ok().filter(|text| !text.is_empty());
        self.get(key, default, &what, read).unwrap_or_default()
    }

    /// A decimal string or a whole number, at 1e-8, from `min` up.
    pub(super) fn decimal(&mut self, key: &str, default: Option<i64>, min: i64) -> i64 {
        self.decimal_in(key, default, min, i64::MAX)
    }

    /// A decimal string or a whole number, at 1e-8, of a range.
    pub(super) fn decimal_in(&mut self, key: &str, default: Option<i64>, min: i64, max: i64) -> i64 {
        let what = match (min, max) {
            (0, i64::MAX) => "a decimal string, not negative, with at most 8 decimals".to_owned(),
            (1, i64::MAX) => "a decimal string above zero with at most 8 decimals".to_owned(),
            (_, i64::MAX) => format!("a decimal string from {}", Price::from_raw(min)),
            _ => format!(
                "a decimal string from {} to {}",
                Price::from_raw(min),
                Price::from_raw(max)
            ),
        };
        self.get(key, default, &what, |value| {
            decimal_of(value).filter(|raw| (min..=max).contains(raw))
        })
        .unwrap_or(min)
    }

    /// A whole number of a range.
    pub(super) fn whole(&mut self, key: &str, default: Option<i64>, min: i64, max: i64) -> i64 {
        let what = format!("a whole number from {min} to {max}");
        let read = |value: &'t DeValue<'i>| whole_of(value).filter(|number| (min..=max).contains(number));
        self.get(key, default, &what, read).unwrap_or(min)
    }

    /// true or false.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        self.get(key, Some(default), "true or false", |value| value.as_bool())
            .unwrap_or(default)
    }

    /// One of the named values; refuses others with the nearest.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        default: Option<T>,
        all: &[(&'static str, T)],
    ) -> Option<T> {
        let Some(value) = self.value(key) else {
            return self.get(key, default, "", |_| None);
        };
        let text = value.get_ref().as_str().unwrap_or_default();
        let found = all
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let near = nearest(text, all.iter().map(|(name, _)| *name));
            let near = near
                .map(|near| format!(", did you mean {near}?"))
                .unwrap_or_default();
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.wrong(key, format!("must be one of {}{near}", names.join(", ")));
        }
        found
    }

    /// Local time `HH:MM` in minutes after midnight, up to 24:00.
    pub(super) fn minute(&mut self, key: &str, default: Option<u16>) -> u16 {
        self.get(key, default, "a local time HH:MM", |value| {
            minute_of(value.as_str()?)
        })
        .unwrap_or_default()
    }

    /// Dates `YYYY-MM-DD`, ascending and each once.
    pub(super) fn dates(&mut self, key: &str) -> Vec<DayNumber> {
        let read = |value: &'t DeValue<'i>| {
            let dates: Option<Vec<_>> = value
                .as_array()?
                .iter()
                .map(|date| parse_date(date.get_ref().as_str()?))
                .collect();
            dates.filter(|dates| dates.windows(2).all(|pair| pair[0] < pair[1]))
        };
        self.get(
            key,
            Some(Vec::new()),
            "a list of dates \"YYYY-MM-DD\", ascending",
            read,
        )
        .unwrap_or_default()
    }

    /// An optional date; 0 where there is none.
    pub(super) fn date(&mut self, key: &str) -> DayNumber {
        let read = |value: &DeValue<'_>| parse_date(value.as_str()?);
        self.get(key, Some(0), "a date YYYY-MM-DD", read).unwrap_or(0)
    }

    /// The table of a key, where there is one.
    pub(super) fn table(&mut self, key: &str) -> Option<(usize, &'t DeTable<'i>)> {
        let place = self.place(key);
        self.value(key)?;
        self.get(key, None, "a table", |value| value.as_table())
            .map(|table| (place, table))
    }

    /// True where the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }
}

fn whole_of(value: &DeValue<'_>) -> Option<i64> {
    let DeValue::Integer(number) = value else {
        return None;
    };
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A decimal string or a whole number, at 1e-8.
pub(super) fn decimal_of(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::String(text) => decimal::parse(text.as_bytes()).ok(),
        DeValue::Integer(_) => decimal::rescale(whole_of(value)?, 0),
        _ => None,
    }
}

/// `HH:MM`.
pub(super) fn minute_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| {
        (part.len() == 2)
            .then(|| part.bytes().all(|b| b.is_ascii_digit()))
            .filter(|all| *all)
    };
    digits(hours)?;
    digits(minutes)?;
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= crate::calendar::DAY_MINUTES).then_some(total)
}
