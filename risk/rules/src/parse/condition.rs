//! Reads conditions: operators by their strength, weakest first, each with the types that it joins.

use super::{ITEMS_MAX, OPERATORS_MAX, Parsed, Parser};
use crate::error::{Problem, RuleError};
use crate::expression::{Arithmetic, Expression, Node, Type};
use crate::fields::{Field, FieldType, RuleEvent};
use crate::program::{Comparison, TextRow};
use crate::token::{Place, Token, shortened};

impl Parser<'_> {
    /// A condition, or any other value: the caller says which type it needs.
    pub(super) fn condition(&mut self) -> Parsed {
        self.enter()?;
        let mut left = self.all()?;
        while self.is_word("or") {
            self.operator()?;
            let right = self.all()?.expect(Type::CONDITION)?;
            left = both(Node::Or, left.expect(Type::CONDITION)?, right);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn all(&mut self) -> Parsed {
        let mut left = self.denied()?;
        while self.is_word("and") {
            self.operator()?;
            let right = self.denied()?.expect(Type::CONDITION)?;
            left = both(Node::And, left.expect(Type::CONDITION)?, right);
        }
        Ok(left)
    }

    fn denied(&mut self) -> Parsed {
        if !self.is_word("not") {
            return self.comparison();
        }
        let place = self.place;
        self.advance();
        self.enter()?;
        let denied = self.denied()?.expect(Type::CONDITION)?;
        self.depth -= 1;
        Ok(Expression::new(
            Node::Not(Box::new(denied)),
            Type::CONDITION,
            place,
        ))
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let place = self.place;
        if self.is_word("in") {
            self.advance();
            return self.list(left);
        }
        if self.is_word("not") {
            self.advance();
            self.word("in", "`in` after `not`")?;
            let inside = self.list(left)?;
            let at = inside.place;
            return Ok(Expression::new(Node::Not(Box::new(inside)), Type::CONDITION, at));
        }
        let Some(comparison) = self.comparison_sign() else {
            return Ok(left);
        };
        self.advance();
        let right = self.sum()?;
        Expression::compare(comparison, place, left, right)
    }

    fn comparison_sign(&self) -> Option<Comparison> {
        let Token::Sign(sign) = self.sound()? else {
            return None;
        };
        Some(match sign {
            "=" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    fn list(&mut self, subject: Expression) -> Parsed {
        self.sign("(", "`(` and a list")?;
        let mut items = Vec::new();
        while items.len() < ITEMS_MAX {
            items.push(self.item()?);
            if self.is_sign(")") {
                self.advance();
                return subject.one_of(items);
            }
            self.sign(",", "`,` or `)`")?;
        }
        Err(self.place.error(Problem::TooMany {
            what: "items in a list",
            max: ITEMS_MAX,
        }))
    }

    /// A constant of a list: a number, percent, text, word, `true` or `false`.
    fn item(&mut self) -> Parsed {
        let item = self.signed()?;
        match item.node {
            Node::Constant(_) | Node::Text(_) | Node::Word(_) => Ok(item),
            _ => Err(item.place.error(Problem::Expected {
                expected: "a constant in a list".to_owned(),
                found: "a field or a calculation".to_owned(),
            })),
        }
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let operator = match self.sound() {
                Some(Token::Sign("+")) => Arithmetic::Add,
                Some(Token::Sign("-")) => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.operator()?;
            let right = self.product()?;
            left = calculate(operator, left, right)?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        loop {
            if self.is_sign("*") {
                self.operator()?;
                let right = self.signed()?;
                left = calculate(Arithmetic::Multiply, left, right)?;
            } else if self.is_sign("/") {
                self.operator()?;
                left = self.divided(left)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn divided(&mut self, left: Expression) -> Parsed {
        let (at, place) = (left.place, self.place);
        let left = left.expect(Type::NUMBER)?;
        match self.signed()?.expect(Type::NUMBER)?.node {
            Node::Constant(divisor) if divisor != 0 => {
                let node = Node::Divide(Box::new(left), divisor);
                Ok(Expression::new(node, Type::NUMBER, at))
            }
            _ => Err(place.error(Problem::Divisor)),
        }
    }

    fn signed(&mut self) -> Parsed {
        if !self.is_sign("-") {
            return self.atom();
        }
        let place = self.place;
        self.advance();
        self.enter()?;
        let value = self.signed()?.expect(Type::NUMBER)?;
        self.depth -= 1;
        let node = match value.node {
            Node::Constant(raw) => Node::Constant(-raw),
            _ => Node::Negate(Box::new(value)),
        };
        Ok(Expression::new(node, Type::NUMBER, place))
    }

    fn atom(&mut self) -> Parsed {
        const EXPECTED: &str = "a field, a number, a text, `not` or `(`";
        let place = self.place;
        match self.sound() {
            Some(Token::Number(raw)) => {
                self.advance();
                self.percent(place, raw)
            }
            Some(Token::Text(text)) => {
                self.advance();
                let text = constant(place, text)?;
                Ok(Expression::new(
                    Node::Text(text),
                    Type::Of(FieldType::Text),
                    place,
                ))
            }
            Some(Token::Sign("(")) => {
                self.advance();
                let inside = self.condition()?;
                self.sign(")", "`)`")?;
                Ok(inside)
            }
            Some(Token::Word(word)) if !is_keyword(word) => {
                self.advance();
                self.named(place, word)
            }
            _ => Err(self.expected(EXPECTED)),
        }
    }

    /// `5% of x` is `0.05 * x`; `5%` alone is `0.05`.
    fn percent(&mut self, place: Place, raw: i128) -> Parsed {
        let constant = |raw| Expression::new(Node::Constant(raw), Type::NUMBER, place);
        if !self.is_sign("%") {
            return Ok(constant(raw));
        }
        self.advance();
        if raw % 100 != 0 {
            return Err(place.error(Problem::Precision));
        }
        let share = constant(raw / 100);
        if !self.is_word("of") {
            return Ok(share);
        }
        self.advance();
        self.enter()?;
        let whole = self.signed()?;
        self.depth -= 1;
        calculate(Arithmetic::Multiply, share, whole)
    }

    /// A field, a function, or a word of a closed set.
    fn named(&mut self, place: Place, word: &str) -> Parsed {
        match word {
            "true" | "false" => {
                let code = i128::from(word == "true");
                return Ok(Expression::new(Node::Constant(code), Type::CONDITION, place));
            }
            "abs" | "min" | "max" | "known" if self.is_sign("(") => return self.function(place, word),
            _ => {}
        }
        if !word.contains('.') {
            let node = Node::Word(shortened(word).to_owned());
            return Ok(Expression::new(node, Type::Word, place));
        }
        let Some(field) = Field::named(word) else {
            return Err(place.error(Problem::UnknownField {
                name: shortened(word).to_owned(),
                nearest: nearest(word, self.event),
            }));
        };
        if !field.is_of(self.event) {
            return Err(place.error(Problem::FieldOfOtherEvent {
                field: field.text(),
                event: self.event.text(),
            }));
        }
        Ok(Expression::new(
            Node::Field(field),
            Type::Of(field.field_type()),
            place,
        ))
    }

    fn function(&mut self, place: Place, name: &str) -> Parsed {
        self.advance(); // the bracket
        let mut value = self.condition()?;
        if name == "known" {
            self.sign(")", "`)`")?;
            return known(place, value);
        }
        value = value.expect(Type::NUMBER)?;
        if name == "abs" {
            self.sign(")", "`)`")?;
            return Ok(Expression::new(Node::Abs(Box::new(value)), Type::NUMBER, place));
        }
        let operator = if name == "min" {
            Arithmetic::Min
        } else {
            Arithmetic::Max
        };
        self.sign(",", "`,`")?;
        loop {
            let next = self.condition()?;
            value = calculate(operator, value, next)?;
            if self.is_sign(")") {
                self.advance();
                return Ok(value);
            }
            if !self.is_sign(",") {
                return Err(self.expected("`,` or `)`"));
            }
            self.operator()?;
        }
    }

    /// Takes an operator.
    fn operator(&mut self) -> Result<(), RuleError> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            return Err(self.place.error(Problem::TooMany {
                what: "operators in a rule",
                max: OPERATORS_MAX,
            }));
        }
        self.advance();
        Ok(())
    }
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "rule"
            | "on"
            | "when"
            | "then"
            | "and"
            | "or"
            | "not"
            | "in"
            | "of"
            | "reject"
            | "alert"
            | "quarantine"
    )
}

fn both(
    node: fn(Box<Expression>, Box<Expression>) -> Node,
    left: Expression,
    right: Expression,
) -> Expression {
    let place = left.place;
    Expression::new(node(Box::new(left), Box::new(right)), Type::CONDITION, place)
}

fn calculate(operator: Arithmetic, left: Expression, right: Expression) -> Parsed {
    let (left, right) = (left.expect(Type::NUMBER)?, right.expect(Type::NUMBER)?);
    let place = left.place;
    let node = Node::Arithmetic(operator, Box::new(left), Box::new(right));
    Ok(Expression::new(node, Type::NUMBER, place))
}

/// `known(x)`: any value but a text, which is always known.
fn known(place: Place, value: Expression) -> Parsed {
    match (&value.node, value.result) {
        (Node::Word(word), _) => Err(value.place.error(Problem::LooseWord { word: word.clone() })),
        (_, Type::Of(FieldType::Text)) => Err(value.place.error(Problem::Type {
            expected: "a value that may be missing",
            found: "a text, which is always known",
        })),
        _ => Ok(Expression::new(
            Node::Known(Box::new(value)),
            Type::CONDITION,
            place,
        )),
    }
}

/// A text that a field is compared with; it may be empty.
fn constant(place: Place, text: &str) -> Result<TextRow, RuleError> {
    TextRow::new(text).map_err(|_| {
        place.error(Problem::TextLength {
            what: "a text to compare with",
            len: text.len(),
            max: size_of::<TextRow>(),
        })
    })
}

/// The field of this event that shares the longest beginning or end with a name, where that is most of it.
fn nearest(name: &str, event: RuleEvent) -> Option<String> {
    let shared = |field: &&Field| {
        let known = field.text();
        let from_front = known
            .bytes()
            .zip(name.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let from_back = known
            .bytes()
            .rev()
            .zip(name.bytes().rev())
            .take_while(|(a, b)| a == b)
            .count();
        (from_front + from_back).min(known.len())
    };
    let best = Field::ALL
        .iter()
        .filter(|field| field.is_of(event))
        .max_by_key(shared)?;
    let is_near = shared(&best) * 3 >= best.text().len().max(name.len()) * 2;
    is_near.then(|| best.text().to_owned())
}
