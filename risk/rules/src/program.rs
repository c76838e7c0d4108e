//! The compiled form: plain rows that stand in a journaled document as they are.
//!
//! Invariant: sizes and numbers here stand in journals. A change of meaning needs a new [`FORMAT`], which an older build then
//! ignores rather than misreads.

use crate::fields::RuleEvent;
use bytemuck::{Pod, Zeroable};
use tradewind_domain::text::{Code, Text};

/// First bytes of a document.
pub(crate) const MAGIC: [u8; 8] = *b"TWRULES1";
/// Version of the compiled form and of what its instructions mean.
pub(crate) const FORMAT: u32 = 1;

/// Bytes of a document, source text included.
pub const DOCUMENT_MAX: usize = 256 * 1024;
/// Rules of a document: the number of one fits a byte of a record's head.
pub const RULES_MAX: usize = 255;
/// Instructions of one rule.
pub(crate) const RULE_CODE_MAX: usize = 1024;
/// Instructions of all rules.
pub(crate) const CODE_MAX: usize = 8192;
/// Rows of each pool of constants.
pub(crate) const POOL_MAX: usize = 4096;
/// Values that a rule may hold at one time.
pub(crate) const STACK_MAX: usize = 16;

/// What a rule does where its condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// Refuses an order or a quote.
    Reject = 1,
    /// Lets it pass and says so.
    Alert = 2,
    /// Puts an executed trade aside.
    Quarantine = 3,
}

impl Action {
    /// The action of a number in a program.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Action::Reject),
            2 => Some(Action::Alert),
            3 => Some(Action::Quarantine),
            _ => None,
        }
    }

    /// The word in a rules file.
    pub const fn text(self) -> &'static str {
        match self {
            Action::Reject => "reject",
            Action::Alert => "alert",
            Action::Quarantine => "quarantine",
        }
    }

    /// True where rules of this event may do it: what was executed cannot be refused, what was not cannot be put aside.
    pub const fn is_of(self, event: RuleEvent) -> bool {
        match self {
            Action::Reject => matches!(event, RuleEvent::Order | RuleEvent::Quote),
            Action::Alert => true,
            Action::Quarantine => matches!(event, RuleEvent::Trade),
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Comparison {
    Equal = 1,
    NotEqual = 2,
    Less = 3,
    LessOrEqual = 4,
    Greater = 5,
    GreaterOrEqual = 6,
}

impl Comparison {
    #[inline]
    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Comparison::Equal),
            2 => Some(Comparison::NotEqual),
            3 => Some(Comparison::Less),
            4 => Some(Comparison::LessOrEqual),
            5 => Some(Comparison::Greater),
            6 => Some(Comparison::GreaterOrEqual),
            _ => None,
        }
    }

    #[inline]
    pub(crate) const fn holds(self, left: i128, right: i128) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }

    /// The same comparison with its sides exchanged.
    pub(crate) const fn mirrored(self) -> Self {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }

    pub(crate) const fn is_equality(self) -> bool {
        matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

/// What an instruction does. Values are numbers at 1e-8, codes, or conditions (0 and 1); each may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Op {
    /// Push number `arg`.
    Number = 1,
    /// Push `field`.
    Load = 2,
    /// Replace the top by its opposite.
    Negate = 3,
    /// Replace the top by its absolute value.
    Abs = 4,
    /// Replace the top by its contrary.
    Not = 5,
    /// Replace the two on top by their sum, and so on.
    Add = 6,
    Subtract = 7,
    Multiply = 8,
    Min = 9,
    Max = 10,
    /// Divide the top by number `arg`, which is not zero.
    Divide = 11,
    /// Compare the two on top.
    Compare = 12,
    /// Push the comparison of `field` with number `arg`.
    CompareField = 13,
    And = 14,
    Or = 15,
    /// Go to instruction `arg` of the rule where the top is false (true), and keep it.
    SkipIfFalse = 16,
    SkipIfTrue = 17,
    /// Replace the top by: it is one of `count` numbers, ascending from `arg`.
    NumberIn = 18,
    /// Replace the top by: it is known.
    Known = 19,
    /// Push: text `field` equals (or not) text `arg`.
    TextCompare = 20,
    /// Push: text `field` is one of `count` texts, ascending from `arg`.
    TextIn = 21,
    /// Push: text `field` equals (or not) text field `arg`.
    TextSame = 22,
}

impl Op {
    #[inline]
    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Op::Number,
            2 => Op::Load,
            3 => Op::Negate,
            4 => Op::Abs,
            5 => Op::Not,
            6 => Op::Add,
            7 => Op::Subtract,
            8 => Op::Multiply,
            9 => Op::Min,
            10 => Op::Max,
            11 => Op::Divide,
            12 => Op::Compare,
            13 => Op::CompareField,
            14 => Op::And,
            15 => Op::Or,
            16 => Op::SkipIfFalse,
            17 => Op::SkipIfTrue,
            18 => Op::NumberIn,
            19 => Op::Known,
            20 => Op::TextCompare,
            21 => Op::TextIn,
            22 => Op::TextSame,
            _ => return None,
        })
    }

    /// Values that it takes from the stack and puts there.
    pub(crate) const fn effect(self) -> (usize, usize) {
        match self {
            Op::Number | Op::Load | Op::CompareField | Op::TextCompare | Op::TextIn | Op::TextSame => (0, 1),
            Op::Negate
            | Op::Abs
            | Op::Not
            | Op::Divide
            | Op::SkipIfFalse
            | Op::SkipIfTrue
            | Op::NumberIn
            | Op::Known => (1, 1),
            Op::Add | Op::Subtract | Op::Multiply | Op::Min | Op::Max | Op::Compare | Op::And | Op::Or => {
                (2, 1)
            }
        }
    }
}

/// One instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Instruction {
    /// [`Op`].
    pub(crate) op: u8,
    /// [`Comparison`], where it compares.
    pub(crate) comparison: u8,
    /// Number of a field, where it looks at one.
    pub(crate) field: u8,
    pub(crate) reserved: u8,
    /// A row of a pool, a field, or an instruction of the rule.
    pub(crate) arg: u16,
    /// Rows of a list.
    pub(crate) count: u16,
}

/// One rule as it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct RuleCode {
    /// First instruction.
    pub(crate) first: u16,
    /// Instructions.
    pub(crate) count: u16,
    /// [`RuleEvent`].
    pub(crate) event: u8,
    /// [`Action`].
    pub(crate) action: u8,
    pub(crate) reserved: u16,
}

/// What people read of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RuleRow {
    /// Name.
    pub name: Text<48>,
    /// The rule's own code.
    pub code: Text<24>,
    /// The rule's own text.
    pub text: Text<96>,
    /// Line of the source on which it begins.
    pub line: u32,
    pub(crate) reserved: u32,
}

/// First bytes of a document. After it: numbers, texts, rows, rules, instructions, source; each section begins at a multiple of
/// 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) format: u32,
    pub(crate) total_len: u32,
    pub(crate) numbers: u32,
    pub(crate) texts: u32,
    pub(crate) rules: u32,
    pub(crate) code: u32,
    pub(crate) source_len: u32,
    pub(crate) reserved: [u32; 3],
    pub(crate) author: Code,
    pub(crate) reason: Text<96>,
}

/// A text constant: the bytes of a [`Code`] or [`Symbol`](tradewind_domain::text::Symbol), padding included.
pub(crate) type TextRow = Text<32>;

const _: () = {
    assert!(size_of::<Instruction>() == 8);
    assert!(size_of::<RuleCode>() == 8);
    assert!(size_of::<RuleRow>() == 176);
    assert!(size_of::<Header>() == 176);
    assert!(size_of::<Header>().is_multiple_of(16) && size_of::<RuleRow>().is_multiple_of(16));
};
