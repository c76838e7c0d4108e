//! Runs a rule: a loop over its instructions with a stack of fixed size. No allocation, no recursion, no way back.
//!
//! Conditions have three values. `false and x` is false and `true or x` is true whatever x is; everything else that touches
//! something unknown is unknown.

use crate::fields::Field;
use crate::numbers;
use crate::program::{Comparison, Instruction, Op, STACK_MAX, TextRow};

/// Where a program gets the values of fields from. Asked only for fields of the event that it runs for.
pub trait Facts {
    /// A number at 1e-8, a code, or a condition (0 or 1); `None` where it is missing.
    fn number(&self, field: Field) -> Option<i128>;
    /// A text, padded with zeros; empty where there is none.
    fn text(&self, field: Field) -> &[u8; 32];
}

/// What a value on the stack may be: `None` is unknown.
type Value = Option<i128>;

/// Values that a rule holds; reused for all rules of an event.
pub(crate) struct Stack {
    values: [Value; STACK_MAX],
    len: usize,
}

impl Stack {
    pub(crate) const fn new() -> Self {
        Self {
            values: [None; STACK_MAX],
            len: 0,
        }
    }

    #[inline]
    fn push(&mut self, value: Value) {
        if let Some(place) = self.values.get_mut(self.len) {
            *place = value;
            self.len += 1;
        }
    }

    #[inline]
    fn pop(&mut self) -> Value {
        self.len = self.len.saturating_sub(1);
        self.values.get(self.len).copied().flatten()
    }

    #[inline]
    fn top(&self) -> Value {
        self.values.get(self.len.wrapping_sub(1)).copied().flatten()
    }

    #[inline]
    fn one(&mut self, change: impl FnOnce(i128) -> Value) {
        let value = self.pop();
        self.push(value.and_then(change));
    }

    #[inline]
    fn two(&mut self, join: impl FnOnce(i128, i128) -> Value) {
        let (right, left) = (self.pop(), self.pop());
        self.push(left.zip(right).and_then(|(left, right)| join(left, right)));
    }
}

/// The pools that instructions point into.
#[derive(Clone, Copy)]
pub(crate) struct Pools<'a> {
    pub(crate) numbers: &'a [i128],
    pub(crate) texts: &'a [TextRow],
}

impl Pools<'_> {
    #[inline]
    fn number(&self, at: u16) -> Value {
        self.numbers.get(usize::from(at)).copied()
    }

    fn text(&self, at: u16) -> Option<&TextRow> {
        self.texts.get(usize::from(at))
    }
}

/// What a rule's condition comes to; `None` is unknown.
#[inline]
pub(crate) fn run<F: Facts>(
    code: &[Instruction],
    pools: Pools<'_>,
    facts: &F,
    stack: &mut Stack,
) -> Option<bool> {
    stack.len = 0;
    let mut at = 0;
    while let Some(instruction) = code.get(at) {
        at += 1;
        let arg = instruction.arg;
        let op = Op::from_number(instruction.op)?;
        match op {
            Op::Number => stack.push(pools.number(arg)),
            Op::Load => stack.push(load(instruction, facts)),
            Op::Negate => stack.one(i128::checked_neg),
            Op::Abs => stack.one(i128::checked_abs),
            Op::Not => stack.one(|value| Some(i128::from(value == 0))),
            Op::Add => stack.two(i128::checked_add),
            Op::Subtract => stack.two(i128::checked_sub),
            Op::Multiply => stack.two(numbers::multiply),
            Op::Min => stack.two(|left, right| Some(left.min(right))),
            Op::Max => stack.two(|left, right| Some(left.max(right))),
            Op::Divide => {
                let divisor = pools.number(arg);
                stack.one(|value| numbers::divide(value, divisor?));
            }
            Op::Compare => {
                let comparison = Comparison::from_number(instruction.comparison);
                stack.two(|left, right| Some(i128::from(comparison?.holds(left, right))));
            }
            Op::CompareField => stack.push(compare_field(instruction, pools, facts)),
            Op::And => {
                let (right, left) = (stack.pop(), stack.pop());
                stack.push(and(left, right));
            }
            Op::Or => {
                let (right, left) = (stack.pop(), stack.pop());
                stack.push(or(left, right));
            }
            Op::SkipIfFalse if stack.top() == Some(0) => at = at.max(usize::from(arg)),
            Op::SkipIfTrue if stack.top().is_some_and(|value| value != 0) => at = at.max(usize::from(arg)),
            Op::SkipIfFalse | Op::SkipIfTrue => {}
            Op::NumberIn => {
                let list = list(pools.numbers, instruction);
                stack.one(|value| Some(i128::from(list.binary_search(&value).is_ok())));
            }
            Op::Known => {
                let value = stack.pop();
                stack.push(Some(i128::from(value.is_some())));
            }
            Op::TextCompare | Op::TextIn | Op::TextSame => {
                stack.push(test_text(op, instruction, pools, facts));
            }
        }
    }
    stack.pop().map(|value| value != 0)
}

#[inline]
fn load<F: Facts>(instruction: &Instruction, facts: &F) -> Value {
    facts.number(Field::from_number(instruction.field)?)
}

#[inline]
fn compare_field<F: Facts>(instruction: &Instruction, pools: Pools<'_>, facts: &F) -> Value {
    let comparison = Comparison::from_number(instruction.comparison)?;
    let (left, right) = (load(instruction, facts)?, pools.number(instruction.arg)?);
    Some(i128::from(comparison.holds(left, right)))
}

fn test_text<F: Facts>(op: Op, instruction: &Instruction, pools: Pools<'_>, facts: &F) -> Value {
    let text = facts.text(Field::from_number(instruction.field)?);
    let is_equal = match op {
        Op::TextIn => {
            let list = list(pools.texts, instruction);
            return Some(i128::from(
                list.binary_search_by(|row| row.padded().cmp(text)).is_ok(),
            ));
        }
        Op::TextSame => text == facts.text(Field::from_number(u8::try_from(instruction.arg).ok()?)?),
        _ => text == pools.text(instruction.arg)?.padded(),
    };
    let wants_equal = instruction.comparison == Comparison::Equal as u8;
    Some(i128::from(is_equal == wants_equal))
}

fn list<'a, T>(pool: &'a [T], instruction: &Instruction) -> &'a [T] {
    let first = usize::from(instruction.arg);
    pool.get(first..first + usize::from(instruction.count))
        .unwrap_or_default()
}

fn and(left: Value, right: Value) -> Value {
    match (left, right) {
        (Some(0), _) | (_, Some(0)) => Some(0),
        (Some(_), Some(_)) => Some(1),
        _ => None,
    }
}

fn or(left: Value, right: Value) -> Value {
    match (left, right) {
        (Some(0), Some(0)) => Some(0),
        (None | Some(0), None | Some(0)) => None,
        _ => Some(1),
    }
}
