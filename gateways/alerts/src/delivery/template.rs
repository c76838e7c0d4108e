//! What a receiver gets that has a form of its own: a text with places such as `{line}` in it.
//!
//! A place is a known word between braces; all other braces stand for themselves, so that JSON can be written as it is. Where the
//! text begins with a brace or a bracket it is JSON and what fills a place is escaped as JSON; else it is a form and percent-encoded.

use crate::notification::Notification;
use std::fmt::Write;

/// Characters of `{short}`: what one text message holds.
pub const SHORT_CHARS: usize = 160;

/// A place's name, and what fills it.
type Place = (&'static str, fn(&Notification) -> String);

/// The places.
const PLACES: [Place; 13] = [
    ("line", Notification::line),
    ("short", |n| n.line().chars().take(SHORT_CHARS).collect()),
    ("text", |n| n.text.clone()),
    ("severity", |n| n.severity.to_string()),
    ("rule", |n| n.rule.clone()),
    ("scope", |n| n.scope.clone()),
    ("instrument", |n| n.instrument.clone()),
    ("incident", |n| n.incident.to_string()),
    ("level", |n| n.level.to_string()),
    ("cause", |n| n.cause.text().to_owned()),
    ("count", |n| n.count.to_string()),
    ("opened_at", |n| n.opened_at.clone()),
    ("at", |n| n.at.clone()),
];

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is nothing to send.
    #[error("it is empty")]
    Empty,
    /// A word between braces is no place.
    #[error("{{{0}}} is none of the places {places}", places = places())]
    Place(String),
    /// It begins like JSON and is none.
    #[error("it begins like JSON, and filled it is none: {0}")]
    Json(String),
}

fn places() -> String {
    PLACES.map(|(name, _)| format!("{{{name}}}")).join(" ")
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    /// Index in [`PLACES`].
    Place(usize),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
    is_json: bool,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TemplateError::Empty);
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            let Some((word, behind)) = word_between_braces(&rest[at..]) else {
                literal.push('{');
                rest = &rest[at + 1..];
                continue;
            };
            let place = PLACES.iter().position(|(name, _)| *name == word);
            let place = place.ok_or_else(|| TemplateError::Place(word.to_owned()))?;
            parts.push(Part::Literal(std::mem::take(&mut literal)));
            parts.push(Part::Place(place));
            rest = behind;
        }
        literal.push_str(rest);
        parts.push(Part::Literal(literal));
        let template = Self {
            parts,
            is_json: text.starts_with(['{', '[']),
        };
        template.check()?;
        Ok(template)
    }

    /// JSON stays JSON however the places are filled, as what fills them is escaped: so one trial is enough.
    fn check(&self) -> Result<(), TemplateError> {
        if !self.is_json {
            return Ok(());
        }
        let filled: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::Place(_) => "1",
            })
            .collect();
        serde_json::from_str::<serde_json::Value>(&filled)
            .map(|_| ())
            .map_err(|error| TemplateError::Json(error.to_string()))
    }

    /// The type of what it makes.
    pub fn content_type(&self) -> &'static str {
        if self.is_json {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        }
    }

    /// Fills the places.
    pub fn fill(&self, notification: &Notification) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Place(place) => {
                    let value = PLACES[*place].1(notification);
                    if self.is_json {
                        push_json(&mut text, &value);
                    } else {
                        push_percent(&mut text, &value);
                    }
                }
            }
        }
        text
    }
}

/// The word of `{word}...` and what is behind it; `None` where the brace begins something else.
fn word_between_braces(text: &str) -> Option<(&str, &str)> {
    let (word, behind) = text.strip_prefix('{')?.split_once('}')?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_word.then_some((word, behind))
}

/// Within a string of JSON: without the quotes round it.
fn push_json(text: &mut String, value: &str) {
    let quoted = serde_json::Value::from(value).to_string();
    text.push_str(&quoted[1..quoted.len() - 1]);
}

fn push_percent(text: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => {
                let _ = write!(text, "%{byte:02X}"); // a String takes everything
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notification;
    use proptest::prelude::*;

    fn said(text: &str) -> Notification {
        Notification {
            text: text.into(),
            ..notification("7:1")
        }
    }

    #[test]
    fn json_is_written_as_it_is_and_what_fills_it_is_escaped() {
        let template = Template::parse(r#"{"a":{"text":"{text}"},"n":{level}}"#).unwrap();
        assert_eq!(template.content_type(), "application/json");
        assert_eq!(
            template.fill(&said("say \"no\"\n\\")),
            r#"{"a":{"text":"say \"no\"\n\\"},"n":1}"#
        );
    }

    #[test]
    fn a_form_is_percent_encoded() {
        let template = Template::parse("To=%2B4912345&Body={text}").unwrap();
        assert_eq!(template.content_type(), "application/x-www-form-urlencoded");
        assert_eq!(
            template.fill(&said("1+1 & ü")),
            "To=%2B4912345&Body=1%2B1%20%26%20%C3%BC"
        );
    }

    #[test]
    fn a_short_text_fits_one_message() {
        let template = Template::parse("b={short}").unwrap();
        assert_eq!(template.fill(&said(&"x".repeat(500))).len(), {
            let line: String = said(&"x".repeat(500)).line().chars().take(SHORT_CHARS).collect();
            let mut encoded = String::from("b=");
            push_percent(&mut encoded, &line);
            encoded.len()
        });
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(Template::parse("  ").unwrap_err(), TemplateError::Empty);
        let error = Template::parse("b={lin}").unwrap_err();
        assert_eq!(error, TemplateError::Place("lin".into()));
        assert!(error.to_string().contains("{line}"), "{error}");
        assert!(matches!(
            Template::parse(r#"{"text":{line}"#),
            Err(TemplateError::Json(_))
        ));
    }

    proptest! {
        #[test]
        fn json_stays_json_whatever_fills_it(text in ".*") {
            let template = Template::parse(r#"{"text":"{text}"}"#).unwrap();
            let filled: serde_json::Value = serde_json::from_str(&template.fill(&said(&text))).unwrap();
            prop_assert_eq!(filled["text"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn no_text_is_too_strange_to_be_read_or_refused(text in ".*") {
            if let Ok(template) = Template::parse(&text) {
                template.fill(&said("x"));
            }
        }
    }
}
