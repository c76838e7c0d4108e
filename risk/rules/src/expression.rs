//! Conditions as trees, with their types: what the parser makes and the compiler lays flat.

use crate::error::{Problem, RuleError};
use crate::fields::{Field, FieldType};
use crate::program::{Comparison, TextRow};
use crate::token::Place;

/// Operators of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Min,
    Max,
}

/// A node of a condition.
#[derive(Debug)]
pub(crate) enum Node {
    /// A number, a code of a closed set, or a condition (0, 1).
    Constant(i128),
    Field(Field),
    Text(TextRow),
    /// A word of a closed set whose field is not known yet.
    Word(String),
    Negate(Box<Expression>),
    Abs(Box<Expression>),
    Known(Box<Expression>),
    Not(Box<Expression>),
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>),
    Divide(Box<Expression>, i128),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// Ascending, without doubles.
    NumberIn(Box<Expression>, Vec<i128>),
    TextIn(Field, Vec<TextRow>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

/// What a node comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// As a field of this type.
    Of(FieldType),
    /// A word that only a field can explain.
    Word,
}

impl Type {
    pub(crate) const NUMBER: Self = Self::Of(FieldType::Number);
    pub(crate) const CONDITION: Self = Self::Of(FieldType::Flag);

    pub(crate) fn text(self) -> &'static str {
        match self {
            Type::Of(field_type) => field_type.text(),
            Type::Word => "a word",
        }
    }
}

/// A part of a condition, with its type and its place.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) node: Node,
    pub(crate) result: Type,
    pub(crate) place: Place,
}

impl Expression {
    pub(crate) fn new(node: Node, result: Type, place: Place) -> Self {
        Self { node, result, place }
    }

    /// This expression, which must be of a type.
    pub(crate) fn expect(self, result: Type) -> Result<Self, RuleError> {
        if self.result == result {
            return Ok(self);
        }
        let problem = match &self.node {
            Node::Word(word) => Problem::LooseWord { word: word.clone() },
            _ => Problem::Type {
                expected: result.text(),
                found: self.result.text(),
            },
        };
        Err(self.place.error(problem))
    }

    fn field(&self) -> Option<Field> {
        match self.node {
            Node::Field(field) => Some(field),
            _ => None,
        }
    }

    /// A word gets the code that it has in a closed set.
    pub(crate) fn resolved(self, of: Type) -> Result<Self, RuleError> {
        let (Node::Word(word), Type::Of(field_type)) = (&self.node, of) else {
            return Ok(self);
        };
        let words = field_type.words();
        if words.is_empty() {
            return Err(self.place.error(Problem::Incomparable {
                left: of.text(),
                right: "a word",
            }));
        }
        match words.iter().find(|(known, _)| known == word) {
            Some((_, code)) => Ok(Self::new(Node::Constant(*code), of, self.place)),
            None => Err(self.place.error(Problem::UnknownWord {
                word: word.clone(),
                of: field_type.text(),
                words: words.into_iter().map(|(known, _)| known).collect(),
            })),
        }
    }

    /// `left comparison right`, where types and order allow it.
    pub(crate) fn compare(
        comparison: Comparison,
        at: Place,
        left: Self,
        right: Self,
    ) -> Result<Self, RuleError> {
        let (left_type, right_type) = (left.result, right.result);
        let (left, right) = (left.resolved(right_type)?, right.resolved(left_type)?);
        if let (Node::Word(word), Node::Word(_)) = (&left.node, &right.node) {
            return Err(left.place.error(Problem::LooseWord { word: word.clone() }));
        }
        if left.result != right.result {
            return Err(at.error(Problem::Incomparable {
                left: left.result.text(),
                right: right.result.text(),
            }));
        }
        let is_constant = |side: &Self| matches!(side.node, Node::Constant(_) | Node::Text(_));
        if is_constant(&left) && is_constant(&right) {
            return Err(at.error(Problem::NoField));
        }
        if let Type::Of(of) = left.result
            && !comparison.is_equality()
            && !of.is_ordered()
        {
            return Err(at.error(Problem::NoOrder { what: of.text() }));
        }
        let place = left.place;
        let node = Node::Compare(comparison, Box::new(left), Box::new(right));
        Ok(Self::new(node, Type::CONDITION, place))
    }

    /// `subject in (list)`. Each item is a constant of the subject's type.
    pub(crate) fn one_of(self, items: Vec<Self>) -> Result<Self, RuleError> {
        let (place, of) = (self.place, self.result);
        if let Node::Word(word) = &self.node {
            return Err(place.error(Problem::LooseWord { word: word.clone() }));
        }
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        for item in items {
            let item = item.resolved(of)?;
            match item.node {
                Node::Constant(raw) if item.result == of => numbers.push(raw),
                Node::Text(text) if item.result == of => texts.push(text),
                _ => {
                    return Err(item.place.error(Problem::Incomparable {
                        left: of.text(),
                        right: item.result.text(),
                    }));
                }
            }
        }
        let node = match self.field() {
            Some(field) if of == Type::Of(FieldType::Text) => {
                texts.sort_unstable();
                texts.dedup();
                Node::TextIn(field, texts)
            }
            _ if of == Type::Of(FieldType::Text) => return Err(place.error(Problem::NoField)),
            _ => {
                numbers.sort_unstable();
                numbers.dedup();
                Node::NumberIn(Box::new(self), numbers)
            }
        };
        Ok(Self::new(node, Type::CONDITION, place))
    }
}
