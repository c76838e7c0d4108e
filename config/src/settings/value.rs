//! Values of settings: what a key may be, and how text becomes it.

use std::fmt;
use tradewind_domain::codes::ClockMode;

/// What a key may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// A whole number.
    Count {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// A number of bytes, plain or with KiB, MiB, GiB, TiB.
    Bytes {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// true or false.
    Flag,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A path.
    Path {
        /// True where no path means something.
        may_be_empty: bool,
    },
    /// A topology by name, or a list of groups of stages. The names of stages are checked where they are wired.
    Topology,
    /// realtime, max or a multiple.
    Speed,
    /// Some of a few words with commas between them, or none.
    Words(&'static [&'static str]),
    /// An address of http or https without user and password, or nothing.
    HttpUrl,
    /// An address of a database, perhaps with a password, which is never shown.
    DatabaseUrl,
    /// One line of text.
    Line,
    /// HOST:PORT to listen at, or nothing.
    Address,
    /// Origins of web pages with commas between them, or nothing.
    Origins,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { min, max } => write!(f, "{min} to {max}"),
            Self::Bytes { min, max } => write!(f, "{} to {}", ByteSize(*min), ByteSize(*max)),
            Self::Flag => f.write_str("true or false"),
            Self::Choice(words) => f.write_str(&words.join(", ")),
            Self::Path { may_be_empty: true } => f.write_str("a path, or empty"),
            Self::Path { may_be_empty: false } => f.write_str("a path"),
            Self::Topology => f.write_str("auto, fused, split, staged, or groups such as a+b@0, c@1"),
            Self::Speed => f.write_str("realtime, max, or a multiple from 0.01x to 1000000x"),
            Self::Words(words) => write!(f, "some of {}, or empty", words.join(", ")),
            Self::HttpUrl => f.write_str("http[s]://HOST[:PORT][/PATH], or empty"),
            Self::Address => f.write_str("HOST:PORT, or empty"),
            Self::Origins => {
                f.write_str("origins such as https://desk.example.org with commas between them, *, or empty")
            }
            Self::DatabaseUrl => f.write_str("sqlite:FILE or postgres://USER@HOST/DATABASE"),
            Self::Line => f.write_str("one line of text"),
        }
    }
}

/// A value before its type is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    /// A number of a file.
    Integer(i128),
    /// A truth value of a file.
    Flag(bool),
    /// A text of a file.
    Text(&'a str),
    /// A variable's or a flag's text: the key says what it means.
    Untyped(&'a str),
    /// Something of a file that no key takes (array, table, date, float).
    Other(&'static str),
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) | Self::Untyped(text) => {
                write!(
                    f,
                    "\"{}\"",
                    text.chars().take(60).collect::<String>().escape_debug()
                )
            }
            Self::Other(kind) => write!(f, "a value of type {kind}"),
        }
    }
}

/// A value of a key's range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Flag(bool),
    Text(String),
}

impl Range {
    /// The value, or `None` where it is of another type or out of range.
    pub(super) fn read(&self, raw: Raw<'_>) -> Option<Value> {
        match *self {
            Self::Count { min, max } => within(number(raw)?, min, max),
            Self::Bytes { min, max } => within(byte_count(raw)?, min, max),
            Self::Flag => match raw {
                Raw::Flag(flag) => Some(Value::Flag(flag)),
                Raw::Untyped(text) => text.parse().ok().map(Value::Flag),
                _ => None,
            },
            Self::Choice(words) => text(raw).filter(|word| words.contains(word)).map(owned),
            Self::Path { may_be_empty } => text(raw)
                .filter(|path| (may_be_empty || !path.is_empty()) && !path.contains('\0'))
                .map(owned),
            Self::Topology => text(raw).filter(|text| is_topology(text)).map(owned),
            Self::Speed => text(raw).filter(|text| is_speed(text)).map(owned),
            Self::Words(words) => text(raw)
                .filter(|list| list.is_empty() || list.split(',').all(|word| words.contains(&word.trim())))
                .map(owned),
            Self::DatabaseUrl => text(raw).filter(|url| is_database_url(url)).map(owned),
            Self::HttpUrl => text(raw)
                .filter(|url| url.is_empty() || is_http_url(url))
                .map(owned),
            Self::Address => text(raw)
                .filter(|address| address.is_empty() || is_address(address))
                .map(owned),
            Self::Origins => text(raw)
                .filter(|list| list.is_empty() || list.split(',').all(|one| is_origin(one.trim())))
                .map(owned),
            Self::Line => text(raw)
                .filter(|line| !line.chars().any(char::is_control))
                .map(owned),
        }
    }

    /// True where a value may hold a password: neither it nor the flag that set it is shown.
    pub(super) const fn may_hold_secret(&self) -> bool {
        matches!(self, Self::DatabaseUrl)
    }

    /// The value as `config show` prints it; reads back to the same value, a password apart.
    pub(super) fn show(&self, value: &Value) -> String {
        match (self, value) {
            (Self::Bytes { .. }, Value::Number(bytes)) => ByteSize(*bytes).to_string(),
            (Self::DatabaseUrl, Value::Text(url)) => without_password(url),
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Flag(flag)) => flag.to_string(),
            (_, Value::Text(text)) => text.clone(),
        }
    }
}

fn within(number: u64, min: u64, max: u64) -> Option<Value> {
    (min..=max).contains(&number).then_some(Value::Number(number))
}

fn owned(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn text(raw: Raw<'_>) -> Option<&str> {
    match raw {
        Raw::Text(text) | Raw::Untyped(text) => Some(text),
        _ => None,
    }
}

fn number(raw: Raw<'_>) -> Option<u64> {
    match raw {
        Raw::Integer(number) => u64::try_from(number).ok(),
        Raw::Untyped(text) => plain_number(text),
        _ => None,
    }
}

/// Digits, with `_` between them.
fn plain_number(text: &str) -> Option<u64> {
    let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    (starts_well && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'))
        .then(|| text.replace('_', "").parse().ok())
        .flatten()
}

fn byte_count(raw: Raw<'_>) -> Option<u64> {
    let Some(text) = text(raw) else { return number(raw) };
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let unit = unit.trim_start_matches(' ');
    let shift = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    plain_number(digits)?.checked_mul(1 << shift)
}

/// Units of bytes and their powers of two.
const UNITS: [(&str, u32); 6] = [
    ("TiB", 40),
    ("GiB", 30),
    ("MiB", 20),
    ("KiB", 10),
    ("B", 0),
    ("", 0),
];

/// Shows bytes in the largest unit that loses nothing.
pub(super) struct ByteSize(pub(super) u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |shift: u32| shift == 0 || (self.0 != 0 && self.0.trailing_zeros() >= shift);
        let (unit, shift) = UNITS
            .into_iter()
            .find(|(_, shift)| fits(*shift))
            .unwrap_or(("B", 0));
        if shift == 0 {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{}{unit}", self.0 >> shift)
        }
    }
}

/// A name, or groups `stage+stage@core` between commas.
fn is_topology(text: &str) -> bool {
    if ["auto", "fused", "split", "staged"].contains(&text) {
        return true;
    }
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let is_group = |group: &str| {
        let (names, core) = group
            .split_once('@')
            .map_or((group, None), |(names, core)| (names, Some(core)));
        names.split('+').all(|name| is_name(name.trim()))
            && core.is_none_or(|core| core.trim().parse::<u16>().is_ok())
    };
    // One bare word is a misspelt name, not a list.
    text.contains(['+', ',', '@']) && text.split(',').all(is_group)
}

/// `http://HOST[:PORT][/PATH]` of printable ASCII; whoever needs a secret has a header for it.
fn is_http_url(text: &str) -> bool {
    let schemes = ["http://", "https://"];
    let Some(rest) = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)) else {
        return false;
    };
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let (host, port) = authority
        .rsplit_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port)));
    !host.is_empty()
        && !authority.contains('@')
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A host and a port; port 0 means any.
fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()) && port.parse::<u16>().is_ok()
    })
}

/// `*`, or scheme and host without a path.
fn is_origin(text: &str) -> bool {
    let schemes = ["http://", "https://"];
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    text == "*" || rest.is_some_and(|rest| !rest.contains('/') && is_http_url(text))
}

fn is_database_url(url: &str) -> bool {
    let is_file = url.strip_prefix("sqlite:").is_some_and(|file| !file.is_empty());
    let rest = url
        .strip_prefix("postgres://")
        .or(url.strip_prefix("postgresql://"));
    let is_server =
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()));
    is_file || is_server
}

/// An address of a database without its password, for people.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // Passwords may also stand among the parameters.
    let path = path.split_once("password=").map_or_else(
        || path.to_owned(),
        |(before, secret)| {
            let after = secret.find('&').map_or("", |at| &secret[at..]);
            format!("{before}password=***{after}")
        },
    );
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user
                .split_once(':')
                .map_or_else(|| user.to_owned(), |(name, _)| format!("{name}:***"));
            format!("{scheme}://{user}@{host}{path}")
        }
        None => format!("{scheme}://{authority}{path}"),
    }
}

/// realtime, max, or a plain decimal and `x`.
fn is_speed(text: &str) -> bool {
    const LEAST: i64 = 1_000_000;
    const MOST: i64 = 100_000_000_000_000;
    let multiple = || tradewind_domain::decimal::parse(text.strip_suffix('x')?.as_bytes()).ok();
    text == "realtime" || text == "max" || multiple().is_some_and(|raw| (LEAST..=MOST).contains(&raw))
}

/// A type that a checked value becomes.
pub(super) trait FromValue: Sized {
    /// `None` where the value is of another type, which a range that fits the type rules out.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_number {
    ($($type:ty),*) => {$(
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                if let Value::Number(number) = value { Self::try_from(*number).ok() } else { None }
            }
        }
    )*};
}
from_number!(u16, u32, u64);

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Flag(flag) = value {
            Some(*flag)
        } else {
            None
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value {
            Some(text.clone())
        } else {
            None
        }
    }
}

impl FromValue for ClockMode {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value {
            Self::from_text(text)
        } else {
            None
        }
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            pub(super) const TEXTS: &'static [&'static str] = &[$($text,)*];
        }
        impl FromValue for $name {
            fn from_value(value: &Value) -> Option<Self> {
                let Value::Text(text) = value else { return None };
                match text.as_str() { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

choice!(
    /// What a pipeline thread does without work.
    Idle {
        /// Looks again at once.
        Spin = "spin",
        /// Spins for a while, then gives the core away between looks.
        Yield = "yield",
        /// Spins, yields, then sleeps until it is woken.
        Park = "park",
    }
);
choice!(
    /// When a record is released to the outside.
    Durability {
        /// When it is committed in memory: it survives the process, not the machine.
        Memory = "memory",
        /// When it is on disk: it survives both.
        Disk = "disk",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Range = Range::Bytes { min: 1, max: 1 << 50 };

    #[test]
    fn byte_sizes_are_read_with_binary_units_and_shown_alike() {
        for (text, bytes) in [
            ("4096", 4096),
            ("64MiB", 64 << 20),
            ("1_024 KiB", 1 << 20),
            ("3TiB", 3 << 40),
            ("7B", 7),
        ] {
            assert_eq!(SIZE.read(Raw::Text(text)), Some(Value::Number(bytes)), "{text}");
            let shown = SIZE.show(&Value::Number(bytes));
            assert_eq!(
                SIZE.read(Raw::Text(&shown)),
                Some(Value::Number(bytes)),
                "{shown}"
            );
        }
        for text in [
            "",
            "MiB",
            "64MB",
            "64M",
            "-1",
            "1.5GiB",
            "99999999999TiB",
            "0",
            "1 2",
        ] {
            assert_eq!(SIZE.read(Raw::Text(text)), None, "{text:?}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:secret@host:1/db", "postgres://me:***@host:1/db"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            (
                "postgres://host/db?password=secret&a=b",
                "postgres://host/db?password=***&a=b",
            ),
            ("postgres://u:p@ss@host/db", "postgres://u:***@host/db"),
            ("sqlite:store.db", "sqlite:store.db"),
        ] {
            let value = Range::DatabaseUrl.read(Raw::Text(url)).expect(url);
            assert_eq!(Range::DatabaseUrl.show(&value), shown);
        }
        for bad in ["", "sqlite:", "store.db", "mysql://host/db", "postgres://"] {
            assert!(Range::DatabaseUrl.read(Raw::Text(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_file_must_use_the_type_of_the_key_and_a_variable_may_not() {
        let count = Range::Count { min: 1, max: 9 };
        assert_eq!(count.read(Raw::Integer(9)), Some(Value::Number(9)));
        assert_eq!(count.read(Raw::Untyped("9")), Some(Value::Number(9)));
        for raw in [
            Raw::Text("9"),
            Raw::Integer(10),
            Raw::Integer(0),
            Raw::Integer(-1),
            Raw::Untyped("9ms"),
            Raw::Flag(true),
        ] {
            assert_eq!(count.read(raw), None, "{raw}");
        }
        assert_eq!(Range::Flag.read(Raw::Untyped("true")), Some(Value::Flag(true)));
        assert_eq!(Range::Flag.read(Raw::Text("true")), None);
        assert_eq!(Range::Flag.read(Raw::Untyped("yes")), None);
    }

    #[test]
    fn topologies_and_speeds_have_a_form() {
        for good in ["auto", "staged", "ingest+normalize@0, settle@1", "a,b"] {
            assert!(is_topology(good), "{good}");
        }
        for bad in ["", "fuzed", "a+@1", "a@x", "a,,b", "A+B", "@1"] {
            assert!(!is_topology(bad), "{bad}");
        }
        for good in ["max", "realtime", "10x", "0.5x"] {
            assert!(is_speed(good), "{good}");
        }
        for bad in ["", "x", "10", "-1x", "0x", "1e3x", "fast"] {
            assert!(!is_speed(bad), "{bad}");
        }
    }

    #[test]
    fn lists_of_words_and_addresses_have_a_form() {
        let words = Range::Words(&["log", "webhook"]);
        for good in ["", "log", "log,webhook", "webhook, log"] {
            assert!(words.read(Raw::Text(good)).is_some(), "{good}");
        }
        for bad in [",", "mail", "log,", "log webhook"] {
            assert!(words.read(Raw::Text(bad)).is_none(), "{bad}");
        }
        for good in [
            "",
            "http://localhost",
            "http://10.0.0.1:8080/alerts?x=1",
            "https://host/",
        ] {
            assert!(Range::HttpUrl.read(Raw::Text(good)).is_some(), "{good}");
        }
        for bad in [
            "ftp://host/",
            "http://",
            "http://:80/",
            "http://a:b@host/",
            "http://host:0/",
            "http://host:x/",
            "http://ho st/",
            "host",
        ] {
            assert!(Range::HttpUrl.read(Raw::Text(bad)).is_none(), "{bad}");
        }
    }
}
