//! Source text to the compiled form: rules that were read become flat code and pools of constants.

use crate::error::{Problem, RuleError, RuleErrors};
use crate::expression::{Arithmetic, Expression, Node};
use crate::fields::Field;
use crate::parse::{Parser, Rule};
use crate::program::{
    CODE_MAX, Comparison, Instruction, Op, POOL_MAX, RULE_CODE_MAX, RULES_MAX, RuleCode, RuleRow, STACK_MAX,
    TextRow,
};
use crate::token::Place;
use std::collections::HashMap;

/// Bytes of a rules file.
pub const SOURCE_MAX: usize = 128 * 1024;
/// Errors that are reported of one file.
const ERRORS_MAX: usize = 50;

/// A rules file in its compiled form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    pub(crate) source: Vec<u8>,
    pub(crate) rules: Vec<RuleCode>,
    pub(crate) rows: Vec<RuleRow>,
    pub(crate) code: Vec<Instruction>,
    pub(crate) numbers: Vec<i128>,
    pub(crate) texts: Vec<TextRow>,
}

impl Compiled {
    /// The rules, in the order of the file.
    pub fn rows(&self) -> &[RuleRow] {
        &self.rows
    }
}

/// Compiles a rules file. A file that is wrong gives at most one error a rule, in the order of the file.
pub fn compile(source: &[u8]) -> Result<Compiled, RuleErrors> {
    if source.len() > SOURCE_MAX {
        let problem = Problem::TooMany {
            what: "bytes in a file",
            max: SOURCE_MAX,
        };
        return Err(RuleErrors(vec![Place { line: 1, column: 1 }.error(problem)]));
    }
    let mut parser = Parser::new(source);
    let mut compiler = Compiler::default();
    let mut errors = Vec::new();
    while let Some(rule) = parser.next_rule() {
        if let Err(error) = rule.and_then(|rule| compiler.add(&rule)) {
            errors.push(error);
            if errors.len() == ERRORS_MAX {
                break;
            }
        }
    }
    if !errors.is_empty() {
        return Err(RuleErrors(errors));
    }
    compiler.out.source = source.to_vec();
    Ok(compiler.out)
}

#[derive(Default)]
struct Compiler {
    out: Compiled,
    /// Where a number stands in the pool. Lists have places of their own.
    number_at: HashMap<i128, u16>,
    text_at: HashMap<TextRow, u16>,
    /// First instruction of the rule.
    first: usize,
    depth: usize,
}

type Added = Result<(), RuleError>;

impl Compiler {
    fn add(&mut self, rule: &Rule) -> Added {
        let at = rule.place;
        if let Some(row) = self.out.rows.iter().find(|row| row.name == rule.name) {
            return Err(at.error(Problem::NameTaken { line: row.line }));
        }
        if self.out.rules.len() == RULES_MAX {
            return Err(too_many(at, "rules", RULES_MAX));
        }
        (self.first, self.depth) = (self.out.code.len(), 0);
        self.condition(&rule.condition)?;
        let count = self.out.code.len() - self.first;
        self.out.rules.push(RuleCode {
            first: self.first as u16,
            count: count as u16,
            event: rule.event as u8,
            action: rule.action as u8,
            reserved: 0,
        });
        self.out.rows.push(RuleRow {
            name: rule.name,
            code: rule.code,
            text: rule.text,
            line: at.line,
            reserved: 0,
        });
        Ok(())
    }

    /// Appends an instruction. `depth` follows the values that the rule holds.
    fn emit(&mut self, at: Place, op: Op, set: impl FnOnce(&mut Instruction)) -> Added {
        if self.out.code.len() - self.first == RULE_CODE_MAX {
            return Err(too_many(at, "steps in a rule", RULE_CODE_MAX));
        }
        if self.out.code.len() == CODE_MAX {
            return Err(too_many(at, "steps in all rules", CODE_MAX));
        }
        let (takes, gives) = op.effect();
        self.depth = self.depth - takes + gives;
        if self.depth > STACK_MAX {
            return Err(at.error(Problem::TooDeep { max: STACK_MAX }));
        }
        let mut instruction = Instruction {
            op: op as u8,
            ..Instruction::default()
        };
        set(&mut instruction);
        self.out.code.push(instruction);
        Ok(())
    }

    fn condition(&mut self, expression: &Expression) -> Added {
        let at = expression.place;
        match &expression.node {
            Node::Constant(raw) => {
                let arg = self.number(at, *raw)?;
                self.emit(at, Op::Number, |code| code.arg = arg)
            }
            Node::Field(field) => self.emit(at, Op::Load, |code| code.field = *field as u8),
            Node::Negate(value) => self.unary(at, Op::Negate, value),
            Node::Abs(value) => self.unary(at, Op::Abs, value),
            Node::Known(value) => self.unary(at, Op::Known, value),
            Node::Not(value) => self.unary(at, Op::Not, value),
            Node::Arithmetic(operator, left, right) => {
                let op = match operator {
                    Arithmetic::Add => Op::Add,
                    Arithmetic::Subtract => Op::Subtract,
                    Arithmetic::Multiply => Op::Multiply,
                    Arithmetic::Min => Op::Min,
                    Arithmetic::Max => Op::Max,
                };
                self.condition(left)?;
                self.condition(right)?;
                self.emit(at, op, |_| {})
            }
            Node::Divide(value, divisor) => {
                self.condition(value)?;
                let arg = self.number(at, *divisor)?;
                self.emit(at, Op::Divide, |code| code.arg = arg)
            }
            Node::Compare(comparison, left, right) => self.compare(at, *comparison, left, right),
            Node::NumberIn(value, list) => {
                self.condition(value)?;
                let arg = list_of(&mut self.out.numbers, at, list)?;
                self.emit(at, Op::NumberIn, |code| {
                    (code.arg, code.count) = (arg, list.len() as u16)
                })
            }
            Node::TextIn(field, list) => {
                let arg = list_of(&mut self.out.texts, at, list)?;
                self.emit(at, Op::TextIn, |code| {
                    (code.field, code.arg, code.count) = (*field as u8, arg, list.len() as u16);
                })
            }
            Node::And(left, right) => self.shortcut(at, (Op::SkipIfFalse, Op::And), left, right),
            Node::Or(left, right) => self.shortcut(at, (Op::SkipIfTrue, Op::Or), left, right),
            // The parser gives a text or a word only as a side of a comparison.
            Node::Text(_) | Node::Word(_) => Err(at.error(Problem::NoField)),
        }
    }

    fn unary(&mut self, at: Place, op: Op, value: &Expression) -> Added {
        self.condition(value)?;
        self.emit(at, op, |_| {})
    }

    /// The right side is passed over where the left one decides.
    fn shortcut(&mut self, at: Place, (skip, op): (Op, Op), left: &Expression, right: &Expression) -> Added {
        self.condition(left)?;
        let skip_at = self.out.code.len();
        self.emit(at, skip, |_| {})?;
        self.condition(right)?;
        self.emit(at, op, |_| {})?;
        let target = self.out.code.len() - self.first;
        if let Some(code) = self.out.code.get_mut(skip_at) {
            code.arg = target as u16;
        }
        Ok(())
    }

    fn compare(&mut self, at: Place, comparison: Comparison, left: &Expression, right: &Expression) -> Added {
        match (&left.node, &right.node) {
            (Node::Field(field), Node::Text(text)) | (Node::Text(text), Node::Field(field)) => {
                let arg = self.text(at, *text)?;
                self.field_test(at, Op::TextCompare, comparison, *field, arg)
            }
            (Node::Field(field), Node::Field(other)) if is_text(*field) => {
                self.field_test(at, Op::TextSame, comparison, *field, *other as u16)
            }
            (Node::Field(field), Node::Constant(raw)) => {
                let arg = self.number(at, *raw)?;
                self.field_test(at, Op::CompareField, comparison, *field, arg)
            }
            (Node::Constant(raw), Node::Field(field)) => {
                let arg = self.number(at, *raw)?;
                self.field_test(at, Op::CompareField, comparison.mirrored(), *field, arg)
            }
            _ => {
                self.condition(left)?;
                self.condition(right)?;
                self.emit(at, Op::Compare, |code| code.comparison = comparison as u8)
            }
        }
    }

    /// An instruction that compares a field with something that stands elsewhere.
    fn field_test(&mut self, at: Place, op: Op, comparison: Comparison, field: Field, arg: u16) -> Added {
        self.emit(at, op, |code| {
            (code.comparison, code.field, code.arg) = (comparison as u8, field as u8, arg);
        })
    }

    fn number(&mut self, at: Place, raw: i128) -> Result<u16, RuleError> {
        if let Some(&place) = self.number_at.get(&raw) {
            return Ok(place);
        }
        let place = list_of(&mut self.out.numbers, at, &[raw])?;
        self.number_at.insert(raw, place);
        Ok(place)
    }

    fn text(&mut self, at: Place, text: TextRow) -> Result<u16, RuleError> {
        if let Some(&place) = self.text_at.get(&text) {
            return Ok(place);
        }
        let place = list_of(&mut self.out.texts, at, &[text])?;
        self.text_at.insert(text, place);
        Ok(place)
    }
}

fn is_text(field: Field) -> bool {
    field.field_type() == crate::fields::FieldType::Text
}

/// Appends to a pool; gives the place of the first row.
fn list_of<T: Copy>(pool: &mut Vec<T>, at: Place, rows: &[T]) -> Result<u16, RuleError> {
    let first = pool.len();
    if first + rows.len() > POOL_MAX {
        return Err(too_many(at, "constants of one type", POOL_MAX));
    }
    pool.extend_from_slice(rows);
    Ok(first as u16)
}

fn too_many(at: Place, what: &'static str, max: usize) -> RuleError {
    at.error(Problem::TooMany { what, max })
}
