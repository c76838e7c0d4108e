//! Reads rules: grammar and types in one pass, one rule at a time.
//!
//! ```text
//! file       = { rule }
//! rule       = "rule" TEXT "on" ("order" | "trade" | "quote") "when" condition "then" action TEXT TEXT
//! action     = "reject" | "alert" | "quarantine"
//! condition  = all { "or" all }
//! all        = denied { "and" denied }
//! denied     = "not" denied | comparison
//! comparison = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "(" sum { "," sum } ")" ]
//! sum        = product { ("+" | "-") product }
//! product    = signed { "*" signed | "/" NUMBER }
//! signed     = "-" signed | atom
//! atom       = NUMBER [ "%" [ "of" signed ] ] | TEXT | FIELD | WORD | "true" | "false" | "(" condition ")"
//!            | ("abs" | "known") "(" condition ")" | ("min" | "max") "(" condition { "," condition } ")"
//! ```

mod condition;

use crate::error::{Problem, RuleError};
use crate::expression::{Expression, Type};
use crate::fields::RuleEvent;
use crate::program::Action;
use crate::token::{Place, Token, Tokens};
use tradewind_domain::text::Text;

/// Brackets, signs and operators within one another: bounds the parser's own stack.
const DEPTH_MAX: usize = 64;
/// Operators of one rule: bounds the depth of its tree, which is walked and dropped by recursion.
const OPERATORS_MAX: usize = 1024;
/// Items of one list.
const ITEMS_MAX: usize = 4096;

/// A rule as it was read.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) place: Place,
    pub(crate) name: Text<48>,
    pub(crate) event: RuleEvent,
    pub(crate) condition: Expression,
    pub(crate) action: Action,
    pub(crate) code: Text<24>,
    pub(crate) text: Text<96>,
}

/// Reads one rule after another.
pub(crate) struct Parser<'a> {
    tokens: Tokens<'a>,
    place: Place,
    token: Token<'a>,
    /// An error of the tokenizer, kept until its token would be used.
    broken: Option<RuleError>,
    event: RuleEvent,
    depth: usize,
    operators: usize,
}

type Parsed = Result<Expression, RuleError>;

impl<'a> Parser<'a> {
    pub(crate) fn new(source: &'a [u8]) -> Self {
        let mut parser = Self {
            tokens: Tokens::new(source),
            place: Place { line: 1, column: 1 },
            token: Token::End,
            broken: None,
            event: RuleEvent::Order,
            depth: 0,
            operators: 0,
        };
        parser.advance();
        parser
    }

    fn advance(&mut self) {
        match self.tokens.next() {
            Ok((place, token)) => (self.place, self.token) = (place, token),
            Err(error) => self.broken = Some(error),
        }
    }

    /// The next rule; `None` at the end. After an error the parser stands at the next `rule`.
    pub(crate) fn next_rule(&mut self) -> Option<Result<Rule, RuleError>> {
        if self.broken.is_none() && self.token == Token::End {
            return None;
        }
        (self.depth, self.operators) = (0, 0);
        let rule = self.rule();
        if rule.is_err() {
            self.recover();
        }
        Some(rule)
    }

    fn recover(&mut self) {
        loop {
            let was_broken = self.broken.take().is_some();
            if !was_broken && matches!(self.token, Token::Word("rule") | Token::End) {
                return;
            }
            self.advance();
        }
    }

    fn rule(&mut self) -> Result<Rule, RuleError> {
        let place = self.place;
        // A word `rule` that is not the first of a rule must not be met again by `recover`.
        self.word("rule", "`rule`")?;
        let name = self.text("the rule's name in quotes")?;
        let name = fitted(name, "a rule's name")?;
        self.word("on", "`on` and an event")?;
        self.event = self.event()?;
        self.word("when", "`when` and a condition")?;
        let condition = self.condition()?;
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let condition = condition.expect(Type::CONDITION)?;
        self.word("then", "`then`, `and` or `or`")?;
        let action = self.action()?;
        let code = self.text("the rule's own code in quotes")?;
        let is_code =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        if !code.1.bytes().all(is_code) {
            return Err(code.0.error(Problem::CodeForm));
        }
        let code = fitted(code, "a code")?;
        let text = self.text("the rule's own text in quotes")?;
        let text = fitted(text, "a rule's text")?;
        if self.broken.is_some() || !matches!(self.token, Token::Word("rule") | Token::End) {
            return Err(self.expected("`rule` or the end of the file"));
        }
        Ok(Rule {
            place,
            name,
            event: self.event,
            condition,
            action,
            code,
            text,
        })
    }

    fn event(&mut self) -> Result<RuleEvent, RuleError> {
        let found = RuleEvent::ALL
            .into_iter()
            .find(|event| self.is_word(event.text()));
        match found {
            Some(event) => {
                self.advance();
                Ok(event)
            }
            None => Err(self.expected("`order`, `trade` or `quote`")),
        }
    }

    fn action(&mut self) -> Result<Action, RuleError> {
        let all = [Action::Reject, Action::Alert, Action::Quarantine];
        let Some(action) = all.into_iter().find(|action| self.is_word(action.text())) else {
            return Err(self.expected("`reject`, `alert` or `quarantine`"));
        };
        if !action.is_of(self.event) {
            return Err(self.place.error(Problem::ActionOfOtherEvent {
                action: action.text(),
                event: self.event.text(),
                why: match action {
                    Action::Reject => "what was executed stays executed; quarantine puts it aside",
                    Action::Quarantine | Action::Alert => "only an executed trade is put aside",
                },
            }));
        }
        self.advance();
        Ok(action)
    }

    /// One level deeper; every way back lowers it again, and an error ends the rule.
    fn enter(&mut self) -> Result<(), RuleError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.place.error(Problem::TooDeep { max: DEPTH_MAX }));
        }
        Ok(())
    }

    /// The token, where it is one.
    fn sound(&self) -> Option<Token<'a>> {
        self.broken.is_none().then_some(self.token)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.sound(), Some(Token::Word(found)) if found == word)
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.sound(), Some(Token::Sign(found)) if found == sign)
    }

    fn word(&mut self, word: &str, expected: &str) -> Result<(), RuleError> {
        if !self.is_word(word) {
            return Err(self.expected(expected));
        }
        self.advance();
        Ok(())
    }

    fn sign(&mut self, sign: &str, expected: &str) -> Result<(), RuleError> {
        if !self.is_sign(sign) {
            return Err(self.expected(expected));
        }
        self.advance();
        Ok(())
    }

    fn text(&mut self, expected: &str) -> Result<(Place, &'a str), RuleError> {
        let Some(Token::Text(text)) = self.sound() else {
            return Err(self.expected(expected));
        };
        let place = self.place;
        self.advance();
        Ok((place, text))
    }

    fn expected(&self, expected: &str) -> RuleError {
        if let Some(error) = &self.broken {
            return error.clone();
        }
        self.place.error(Problem::Expected {
            expected: expected.to_owned(),
            found: self.token.shown(),
        })
    }
}

fn fitted<const N: usize>((place, text): (Place, &str), what: &'static str) -> Result<Text<N>, RuleError> {
    let length = Problem::TextLength {
        what,
        len: text.len(),
        max: N,
    };
    match Text::new(text) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(place.error(length)),
    }
}
