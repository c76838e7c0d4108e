//! Cuts a rules file into tokens, each with its place.
//!
//! Any bytes may come: what begins no token is an error with its place. A comment goes from `#` to the end of its line.

use crate::error::{Problem, RuleError};
use crate::numbers;

/// Where something stands, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    pub(crate) fn error(self, problem: Problem) -> RuleError {
        RuleError {
            line: self.line,
            column: self.column,
            problem,
        }
    }
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A word, with points in it where it is a field.
    Word(&'a str),
    /// A number at 1e-8.
    Number(i128),
    /// What stands between quotes.
    Text(&'a str),
    /// One of the signs.
    Sign(&'static str),
    /// Nothing more.
    End,
}

impl Token<'_> {
    /// As messages show it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Token::Word(word) => format!("`{}`", shortened(word)),
            Token::Number(raw) => tradewind_domain::fixed::Money::from_raw(*raw).to_string(),
            Token::Text(text) => format!("\"{}\"", shortened(text)),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end of the file".to_owned(),
        }
    }
}

/// The beginning of a text, for messages. Tokens are ASCII.
pub(crate) fn shortened(text: &str) -> &str {
    const SHOWN_MAX: usize = 40;
    text.get(..SHOWN_MAX).unwrap_or(text)
}

/// Longer signs first.
const SIGNS: [&str; 14] = [
    "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", "+", "-", "*", "/", "%",
];

/// The tokens of a file, one after another.
pub(crate) struct Tokens<'a> {
    source: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(source: &'a [u8]) -> Self {
        Self {
            source,
            at: 0,
            line: 1,
            line_start: 0,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The place of the next byte. Columns count characters: a byte that continues one is none.
    fn place(&self) -> Place {
        let before = self.source.get(self.line_start..self.at).unwrap_or_default();
        let column = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Place {
            line: self.line,
            column: column as u32 + 1,
        }
    }

    fn skip_blank(&mut self) {
        let mut in_comment = false;
        while let Some(&byte) = self.source.get(self.at) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at + 1;
                    in_comment = false;
                }
                b'#' => in_comment = true,
                b' ' | b'\t' | b'\r' => {}
                _ if in_comment => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// The next token. After an error the tokens go on behind what was wrong.
    pub(crate) fn next(&mut self) -> Result<(Place, Token<'a>), RuleError> {
        self.skip_blank();
        let place = self.place();
        let rest = self.rest();
        let token = match rest.first() {
            None => Ok(Token::End),
            Some(b'"') => self.text(),
            Some(byte) if byte.is_ascii_digit() => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                Ok(Token::Word(self.take(is_word_byte)))
            }
            Some(_) => self.sign(),
        };
        token
            .map(|token| (place, token))
            .map_err(|problem| place.error(problem))
    }

    /// Bytes of the source as long as they are of a kind; all of them ASCII.
    fn take(&mut self, is_part: fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
        self.at += len;
        std::str::from_utf8(&rest[..len]).unwrap_or_default()
    }

    fn number(&mut self) -> Result<Token<'a>, Problem> {
        let digits = self
            .take(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_'))
            .as_bytes();
        let points = digits.iter().filter(|byte| **byte == b'.').count();
        let ends_well = digits.last().is_some_and(u8::is_ascii_digit);
        let runs_on = self.rest().first().is_some_and(|byte| is_word_byte(*byte));
        if points > 1 || !ends_well || runs_on {
            let word = self.take(is_word_byte);
            let shown = String::from_utf8_lossy(digits);
            return Err(Problem::Expected {
                expected: "a number like 12, 1_000 or 0.05".to_owned(),
                found: format!("`{}{}`", shortened(&shown), shortened(word)),
            });
        }
        numbers::parse(digits).map(Token::Number)
    }

    fn text(&mut self) -> Result<Token<'a>, Problem> {
        self.at += 1;
        let text = self.take_line_until_quote();
        if self.rest().first() != Some(&b'"') {
            return Err(Problem::OpenText);
        }
        self.at += 1;
        if text
            .iter()
            .any(|byte| !(0x20..=0x7e).contains(byte) || *byte == b'\\')
        {
            return Err(Problem::TextByte);
        }
        Ok(Token::Text(std::str::from_utf8(text).unwrap_or_default()))
    }

    fn take_line_until_quote(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\n'))
            .unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn sign(&mut self) -> Result<Token<'a>, Problem> {
        let rest = self.rest();
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes())) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        // A whole character where it is one, else the byte.
        let len = rest[1..]
            .iter()
            .take(3)
            .take_while(|byte| **byte & 0xc0 == 0x80)
            .count()
            + 1;
        self.at += len;
        let shown = match std::str::from_utf8(&rest[..len]) {
            Ok(text) if !text.chars().any(char::is_control) => format!("`{text}`"),
            _ => format!("byte {:#04x}", rest[0]),
        };
        Err(Problem::UnknownSign { shown })
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}
