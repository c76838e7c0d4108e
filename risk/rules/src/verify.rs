//! Judges bytes that say they are a document, before anything runs them: a journal may come from anywhere.
//!
//! Invariant: of a verified document every index is inside its pool, every jump goes forward, and every rule leaves exactly one
//! value on a stack that never holds more than it can. So it runs to its end whatever the facts are. No allocation here.

use crate::fields::{Field, FieldType, RuleEvent};
use crate::program::{
    Action, CODE_MAX, Comparison, DOCUMENT_MAX, FORMAT, Header, Instruction, MAGIC, Op, POOL_MAX,
    RULE_CODE_MAX, RULES_MAX, RuleCode, RuleRow, STACK_MAX, TextRow,
};
use bytemuck::Pod;
use std::ops::Range;

/// Why bytes are no document that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Shorter or longer than its parts.
    #[error("its length does not fit its parts")]
    Length,
    /// Other first bytes.
    #[error("it is no rules document")]
    Magic,
    /// Another version.
    #[error("its format is version {0}, this build runs version {FORMAT}")]
    Format(u32),
    /// More of something than there may be.
    #[error("it is larger than a rules document may be")]
    Size,
    /// A rule with an event or action that is none, or code that is not its own.
    #[error("rule {0} is damaged")]
    Rule(u32),
    /// An instruction that cannot be run.
    #[error("instruction {0} is damaged")]
    Instruction(u32),
}

/// Where the sections of a document are: byte ranges, each beginning at a multiple of 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sections {
    pub(crate) numbers: Range<usize>,
    pub(crate) texts: Range<usize>,
    pub(crate) rows: Range<usize>,
    pub(crate) rules: Range<usize>,
    pub(crate) code: Range<usize>,
    pub(crate) source: Range<usize>,
}

impl Sections {
    /// The sections of this many rows, and the length of the whole document.
    pub(crate) fn of(
        numbers: usize,
        texts: usize,
        rules: usize,
        code: usize,
        source_len: usize,
    ) -> (Self, usize) {
        let mut at = size_of::<Header>();
        let mut section = |bytes: usize| {
            let range = at..at + bytes;
            at = range.end.next_multiple_of(16);
            range
        };
        let sections = Self {
            numbers: section(numbers * size_of::<i128>()),
            texts: section(texts * size_of::<TextRow>()),
            rows: section(rules * size_of::<RuleRow>()),
            rules: section(rules * size_of::<RuleCode>()),
            code: section(code * size_of::<Instruction>()),
            source: section(source_len),
        };
        let total = sections.source.end;
        (sections, total)
    }
}

/// The rows of a section; none where the bytes are not aligned or not there.
#[inline]
pub(crate) fn rows<'a, T: Pod>(document: &'a [u8], section: &Range<usize>) -> &'a [T] {
    document
        .get(section.clone())
        .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
        .unwrap_or_default()
}

/// Verifies a document that begins at a multiple of 16 in memory.
pub(crate) fn verify(document: &[u8]) -> Result<Sections, Flaw> {
    let header = document.get(..size_of::<Header>()).ok_or(Flaw::Length)?;
    let header: Header = bytemuck::pod_read_unaligned(header);
    if header.magic != MAGIC {
        return Err(Flaw::Magic);
    }
    if header.format != FORMAT {
        return Err(Flaw::Format(header.format));
    }
    let counts = [
        (header.numbers, POOL_MAX),
        (header.texts, POOL_MAX),
        (header.rules, RULES_MAX),
        (header.code, CODE_MAX),
        (header.source_len, DOCUMENT_MAX),
    ];
    if counts.iter().any(|(count, max)| *count as usize > *max) {
        return Err(Flaw::Size);
    }
    let [numbers, texts, rules, code, source_len] = counts.map(|(count, _)| count as usize);
    let (sections, total) = Sections::of(numbers, texts, rules, code, source_len);
    if document.len() != total || header.total_len as usize != total || total > DOCUMENT_MAX {
        return Err(Flaw::Length);
    }
    let program = Pools {
        numbers: rows(document, &sections.numbers),
        texts: rows(document, &sections.texts),
    };
    let (rule_codes, code) = (
        rows::<RuleCode>(document, &sections.rules),
        rows::<Instruction>(document, &sections.code),
    );
    if rule_codes.len() != rules || program.numbers.len() != numbers || program.texts.len() != texts {
        return Err(Flaw::Length);
    }
    let mut next = 0;
    for (rule, number) in rule_codes.iter().zip(1..) {
        let (first, count) = (usize::from(rule.first), usize::from(rule.count));
        let (Some(event), Some(action)) = (
            RuleEvent::from_number(rule.event),
            Action::from_number(rule.action),
        ) else {
            return Err(Flaw::Rule(number));
        };
        let own = code.get(first..first + count).ok_or(Flaw::Rule(number))?;
        if first != next || count > RULE_CODE_MAX || !action.is_of(event) {
            return Err(Flaw::Rule(number));
        }
        next += count;
        program.verify_rule(own, event).map_err(|at| match at {
            Some(at) => Flaw::Instruction((first + at) as u32),
            None => Flaw::Rule(number),
        })?;
    }
    if next == code.len() {
        Ok(sections)
    } else {
        Err(Flaw::Length)
    }
}

struct Pools<'a> {
    numbers: &'a [i128],
    texts: &'a [TextRow],
}

/// No jump leads to this instruction.
const UNTOLD: u8 = u8::MAX;

impl Pools<'_> {
    /// Walks once over a rule: jumps go forward, so the depth at each instruction is known when it is reached. Gives the
    /// instruction that is wrong, or nothing where the rule as a whole is.
    fn verify_rule(&self, code: &[Instruction], event: RuleEvent) -> Result<(), Option<usize>> {
        let mut told = [UNTOLD; RULE_CODE_MAX + 1];
        let mut depth = 0;
        for (at, instruction) in code.iter().enumerate() {
            if !fits(told[at], depth) {
                return Err(Some(at));
            }
            let op = self.verify_one(instruction, event).ok_or(Some(at))?;
            let (takes, gives) = op.effect();
            if depth < takes || depth - takes + gives > STACK_MAX {
                return Err(Some(at));
            }
            depth = depth - takes + gives;
            if matches!(op, Op::SkipIfFalse | Op::SkipIfTrue) {
                let target = usize::from(instruction.arg);
                if target <= at || target > code.len() || !fits(told[target], depth) {
                    return Err(Some(at));
                }
                told[target] = depth as u8;
            }
        }
        if depth == 1 && fits(told[code.len()], depth) {
            Ok(())
        } else {
            Err(None)
        }
    }

    fn verify_one(&self, instruction: &Instruction, event: RuleEvent) -> Option<Op> {
        let op = Op::from_number(instruction.op)?;
        let (arg, count) = (usize::from(instruction.arg), usize::from(instruction.count));
        let comparison = || Comparison::from_number(instruction.comparison);
        let field = |number: u8, text: bool| {
            let field = Field::from_number(number)?;
            (field.is_of(event) && (field.field_type() == FieldType::Text) == text).then_some(())
        };
        match op {
            Op::Number => drop(self.numbers.get(arg)?),
            Op::Load => field(instruction.field, false)?,
            Op::Divide => drop(self.numbers.get(arg).filter(|number| **number != 0)?),
            Op::Compare => drop(comparison()?),
            Op::CompareField => {
                comparison()?;
                field(instruction.field, false)?;
                self.numbers.get(arg)?;
            }
            Op::NumberIn => ascending(self.numbers.get(arg..arg + count)?)?,
            Op::TextCompare => {
                comparison().filter(|comparison| comparison.is_equality())?;
                field(instruction.field, true)?;
                self.texts.get(arg)?;
            }
            Op::TextIn => {
                field(instruction.field, true)?;
                ascending(self.texts.get(arg..arg + count)?)?;
            }
            Op::TextSame => {
                comparison().filter(|comparison| comparison.is_equality())?;
                field(instruction.field, true)?;
                field(u8::try_from(instruction.arg).ok()?, true)?;
            }
            Op::Negate
            | Op::Abs
            | Op::Not
            | Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Min
            | Op::Max
            | Op::And
            | Op::Or
            | Op::SkipIfFalse
            | Op::SkipIfTrue
            | Op::Known => {}
        }
        Some(op)
    }
}

/// True where a jump to here has the depth that the way through has.
fn fits(told: u8, depth: usize) -> bool {
    told == UNTOLD || usize::from(told) == depth
}

/// Lists are searched by halves.
fn ascending<T: PartialOrd>(list: &[T]) -> Option<()> {
    (!list.is_empty() && list.is_sorted_by(|a, b| a < b)).then_some(())
}
