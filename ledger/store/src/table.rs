//! Tables: what a column is called, what it holds, how its value comes from a row and what becomes of it where a row is there already.
//!
//! Everything that has to know columns follows from this one description: `CREATE TABLE`, COPY, INSERT, the laying of changes over
//! what a database has, and the comparison of two databases.
//!
//! # Invariants
//! - A column that was added later says since which version of the schema; the statements of earlier versions never change.
//! - A row hands over its values in the order of its table's columns: both are written in one line.

use crate::fields::Fields;
use crate::schema::Dialect;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// A truth value; in staging tables only.
    Flag,
    /// 16 bits.
    Int2,
    /// 32 bits.
    Int4,
    /// 64 bits.
    Int8,
    /// A decimal with 8 places.
    Dec,
    /// A decimal with places of its own.
    Number,
    /// Text.
    Text,
    /// A date.
    Day,
    /// A time: `x_at` and `x_ns` in Postgres; `x_ns` in SQLite, where `x_at` is computed.
    Time,
    /// Bytes.
    Bytes,
}

/// What becomes of a column where the row is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It stays: part of the key, or the same for ever.
    Stays,
    /// What comes is added.
    Add,
    /// What comes is added; nothing where one of the two is missing.
    Both,
    /// What comes takes its place.
    Set,
    /// What was there first stays.
    First,
    /// The higher one.
    High,
    /// The lower one.
    Low,
    /// What comes takes its place, where something comes.
    Last,
    /// What comes takes its place, nothing too, where the row that comes has quotes.
    Quoted,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its name; of a time without `_at` and `_ns`.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) holds: Type,
    /// True where it may be empty.
    pub(crate) is_optional: bool,
    /// The version of the schema that brought it.
    pub(crate) since: i32,
    /// What becomes of it where the row is there already.
    pub(crate) rule: Rule,
    /// False where rows do not bring it: a later statement fills it in.
    pub(crate) is_written: bool,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns.
    pub(crate) columns: &'static [Column],
    /// Columns of its primary key.
    pub(crate) key: &'static [&'static str],
    /// True where Postgres keeps it in partitions by day.
    pub(crate) by_day: bool,
}

/// Something that becomes a row of one table.
pub(crate) trait Row {
    /// The table.
    const TABLE: &'static Table;
    /// Says its values in the order of the columns that are written.
    fn fields(&self, out: &mut impl Fields);
}

impl<R: Row> Row for &R {
    const TABLE: &'static Table = R::TABLE;
    fn fields(&self, out: &mut impl Fields) {
        (**self).fields(out);
    }
}

impl Table {
    /// The columns that rows bring.
    pub(crate) fn written(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().filter(|column| column.is_written)
    }

    /// True where rows are laid over what is there, and not appended.
    pub(crate) fn is_merged(&self) -> bool {
        self.columns.iter().any(|column| column.rule != Rule::Stays)
    }

    /// The names of the columns that rows bring, as an INSERT or COPY takes them.
    pub(crate) fn names(&self, dialect: Dialect) -> String {
        let names: Vec<String> = self
            .written()
            .flat_map(|column| dialect.names_of(column))
            .collect();
        names.join(", ")
    }
}

/// What the kinds of columns in `table!` mean: each is the method of [`Fields`] that takes the value.
#[allow(non_upper_case_globals, reason = "named as the methods are")]
pub(crate) mod kind {
    use super::Type;

    pub(crate) const flag: (Type, bool) = (Type::Flag, false);
    pub(crate) const int2: (Type, bool) = (Type::Int2, false);
    pub(crate) const opt_int2: (Type, bool) = (Type::Int2, true);
    pub(crate) const int4: (Type, bool) = (Type::Int4, false);
    pub(crate) const opt_int4: (Type, bool) = (Type::Int4, true);
    pub(crate) const int8: (Type, bool) = (Type::Int8, false);
    pub(crate) const opt_int8: (Type, bool) = (Type::Int8, true);
    pub(crate) const dec: (Type, bool) = (Type::Dec, false);
    pub(crate) const opt_dec: (Type, bool) = (Type::Dec, true);
    pub(crate) const wide: (Type, bool) = (Type::Number, false);
    pub(crate) const number: (Type, bool) = (Type::Number, false);
    pub(crate) const opt_number: (Type, bool) = (Type::Number, true);
    pub(crate) const text: (Type, bool) = (Type::Text, false);
    pub(crate) const opt_text: (Type, bool) = (Type::Text, true);
    pub(crate) const day: (Type, bool) = (Type::Day, false);
    pub(crate) const opt_day: (Type, bool) = (Type::Day, true);
    pub(crate) const time: (Type, bool) = (Type::Time, false);
    pub(crate) const opt_time: (Type, bool) = (Type::Time, true);
    pub(crate) const bytes: (Type, bool) = (Type::Bytes, false);
}

/// A table and the row that is written to it.
///
/// `column: kind [rule] @version = value;` in the order of the columns. The rule is said where rows are laid over what is there, the
/// version where it is not the first. Columns behind `filled_in` are those that rows do not bring.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $NAME:ident = $name:literal, key [$($key:ident),+] $(, by $by_day:ident)?, of |$row:ident: $Row:ty| {
            $($column:ident: $kind:ident $([$rule:ident])? $(@ $since:literal)? = $value:expr;)+
        }
        $(filled_in { $($later:ident: $later_kind:ident $(@ $later_since:literal)?;)+ })?
    ) => {
        $(#[$doc])*
        pub(crate) static $NAME: $crate::table::Table = $crate::table::Table {
            name: $name,
            columns: &[
                $($crate::table::Column {
                    name: stringify!($column),
                    holds: $crate::table::kind::$kind.0,
                    is_optional: $crate::table::kind::$kind.1,
                    since: $crate::table::since!($($since)?),
                    rule: $crate::table::rule!($($rule)?),
                    is_written: true,
                },)+
                $($($crate::table::Column {
                    name: stringify!($later),
                    holds: $crate::table::kind::$later_kind.0,
                    is_optional: $crate::table::kind::$later_kind.1,
                    since: $crate::table::since!($($later_since)?),
                    rule: $crate::table::Rule::Stays,
                    is_written: false,
                },)+)?
            ],
            key: &[$(stringify!($key)),+],
            by_day: $crate::table::by_day!($($by_day)?),
        };

        impl $crate::table::Row for $Row {
            const TABLE: &'static $crate::table::Table = &$NAME;
            fn fields(&self, out: &mut impl $crate::fields::Fields) {
                let $row = self;
                $(out.$kind($value);)+
            }
        }
    };
}

macro_rules! since {
    () => {
        1
    };
    ($since:literal) => {
        $since
    };
}

macro_rules! rule {
    () => {
        $crate::table::Rule::Stays
    };
    ($rule:ident) => {
        $crate::table::Rule::$rule
    };
}

macro_rules! by_day {
    () => {
        false
    };
    (day) => {
        true
    };
}

pub(crate) use {by_day, rule, since, table};
