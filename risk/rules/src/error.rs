//! What is wrong with a rules file, with line and column.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct RuleError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another word or sign is needed here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What may stand here.
        expected: String,
        /// What stands here.
        found: String,
    },
    /// A byte that begins nothing.
    #[error("{shown} is not part of the language")]
    UnknownSign {
        /// The character or byte.
        shown: String,
    },
    /// A text that the line ends.
    #[error("the text has no closing quote on its line")]
    OpenText,
    /// A text with other than printable ASCII.
    #[error("a text holds printable ASCII only, without a backslash")]
    TextByte,
    /// A text, name or code that is too long or empty.
    #[error("{what} has {len} bytes; 1 to {max} are possible")]
    TextLength {
        /// Which text.
        what: &'static str,
        /// Bytes that it has.
        len: usize,
        /// The most.
        max: usize,
    },
    /// A rule's code with other than capitals, digits, `_` and `-`.
    #[error("a code is made of A to Z, 0 to 9, _ and -")]
    CodeForm,
    /// A number with more than eight decimals.
    #[error("a number has at most eight decimals")]
    Precision,
    /// A number that is too large.
    #[error("a number is at most {max}")]
    Range {
        /// The largest.
        max: &'static str,
    },
    /// A field that does not exist.
    #[error("there is no field {name}{}", hint(nearest.as_deref()))]
    UnknownField {
        /// As it is written.
        name: String,
        /// What may be meant.
        nearest: Option<String>,
    },
    /// A field of another event.
    #[error("{field} is not known on {event}")]
    FieldOfOtherEvent {
        /// The field.
        field: &'static str,
        /// The rule's event.
        event: &'static str,
    },
    /// A word that is none of a closed set.
    #[error("{word} is not {of}: {}", words.join(", "))]
    UnknownWord {
        /// As it is written.
        word: String,
        /// Of what.
        of: &'static str,
        /// What it may be.
        words: Vec<&'static str>,
    },
    /// A word without a field that says what it means.
    #[error("{word} means something only where it is compared with a field")]
    LooseWord {
        /// As it is written.
        word: String,
    },
    /// Another type is needed here.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What is needed.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Two things that cannot be compared.
    #[error("{left} cannot be compared with {right}")]
    Incomparable {
        /// Left side.
        left: &'static str,
        /// Right side.
        right: &'static str,
    },
    /// `<` of things without an order.
    #[error("{what} has no order: compare with = or !=")]
    NoOrder {
        /// What was compared.
        what: &'static str,
    },
    /// Two constants compared.
    #[error("a comparison needs a field on at least one side")]
    NoField,
    /// A division by something that is no number in the file.
    #[error("a division needs a number other than zero on its right")]
    Divisor,
    /// An action that the event cannot have.
    #[error("{action} is not possible on {event}: {why}")]
    ActionOfOtherEvent {
        /// The action.
        action: &'static str,
        /// The rule's event.
        event: &'static str,
        /// Why.
        why: &'static str,
    },
    /// Two rules with one name.
    #[error("line {line} has a rule of this name already")]
    NameTaken {
        /// The first one's line.
        line: u32,
    },
    /// Brackets, `not` or operators nested too deep.
    #[error("nested deeper than {max}")]
    TooDeep {
        /// The most.
        max: usize,
    },
    /// Too many of something.
    #[error("more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most.
        max: usize,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// Everything that is wrong with a file, in its order: at most one error a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleErrors(pub Vec<RuleError>);

impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleErrors {}
