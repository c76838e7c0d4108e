//! JSON Web Tokens (RFC 7519): our own with EdDSA, and those of an outside issuer with RS256 or ES256.
//!
//! # Invariants
//! - The algorithm is the one of the key, never what a header asks for; `none` and shared secrets do not exist here.
//! - A token without an end, or with one that is past, is none.

use crate::error::AuthError;
use crate::jwks::Keys;
use crate::key::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Issuer and audience of our own tokens.
pub(crate) const OURS: &str = "tradewind";
/// How far an outside issuer's clock may be off, seconds.
const LEEWAY_S: u64 = 30;
/// The longest token that is looked at.
const TOKEN_MAX: usize = 8 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

/// What our own tokens say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    /// Number of the user.
    pub(crate) sub: String,
    /// Seconds.
    pub(crate) iat: u64,
    /// Seconds.
    pub(crate) exp: u64,
    /// Names the token.
    pub(crate) jti: String,
    /// The last journal record that had been read when the token was made: a later revocation ends it.
    pub(crate) seq: u64,
    /// The login that it came from: a logout ends all of its tokens.
    pub(crate) family: String,
}

/// What is looked at of an outside issuer's tokens.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OutsideClaims {
    pub(crate) iss: String,
    aud: Audience,
    pub(crate) sub: String,
    pub(crate) exp: u64,
    #[serde(default)]
    nbf: Option<u64>,
    pub(crate) iat: u64,
    #[serde(default)]
    pub(crate) jti: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Signs.
pub(crate) fn sign(key: &SigningKey, claims: &Claims) -> Option<String> {
    let header = Header {
        alg: "EdDSA".into(),
        typ: Some("JWT".into()),
        kid: Some(key.id.clone()),
    };
    let part = |json: serde_json::Result<Vec<u8>>| Some(BASE64URL.encode(json.ok()?));
    let message = format!(
        "{}.{}",
        part(serde_json::to_vec(&header))?,
        part(serde_json::to_vec(claims))?
    );
    let signature = BASE64URL.encode(key.sign(message.as_bytes()));
    Some(format!("{message}.{signature}"))
}

/// A token in its parts.
pub(crate) struct Token<'a> {
    header: Header,
    message: &'a str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes it apart. Nothing is believed yet.
    pub(crate) fn parse(text: &'a str) -> Result<Self, AuthError> {
        if text.len() > TOKEN_MAX {
            return Err(AuthError::BadToken);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(AuthError::BadToken)?;
        let (header, claims) = message.split_once('.').ok_or(AuthError::BadToken)?;
        let decoded = |part: &str| BASE64URL.decode(part).map_err(|_| AuthError::BadToken);
        let header = serde_json::from_slice(&decoded(header)?).map_err(|_| AuthError::BadToken)?;
        Ok(Self {
            header,
            message,
            claims: decoded(claims)?,
            signature: decoded(signature)?,
        })
    }

    /// What it says, where it is one of ours and still counts.
    pub(crate) fn ours(&self, key: &SigningKey, now_ns: UnixNanos) -> Result<Claims, AuthError> {
        let is_named = self.header.kid.as_deref() == Some(key.id.as_str()) && self.header.alg == "EdDSA";
        if !is_named || !key.verifies(self.message.as_bytes(), &self.signature) {
            return Err(AuthError::BadToken);
        }
        let claims: Claims = serde_json::from_slice(&self.claims).map_err(|_| AuthError::BadToken)?;
        if claims.iss != OURS || claims.aud != OURS {
            return Err(AuthError::BadToken);
        }
        if now_ns / NANOS_PER_SEC >= claims.exp {
            return Err(AuthError::Expired);
        }
        Ok(claims)
    }

    /// What a logout ends of an outside issuer's tokens: those of the same name, and where they have none this one alone.
    pub(crate) fn outside_family(&self, jti: Option<&str>) -> String {
        match jti.filter(|jti| !jti.is_empty()) {
            Some(jti) => format!("outside {jti}"),
            None => format!("outside {}", blake3::hash(self.message.as_bytes()).to_hex()),
        }
    }

    /// What it says, where this issuer made it for this audience and it still counts.
    pub(crate) fn outside(
        &self,
        keys: &Keys,
        issuer: &str,
        audience: &str,
        now_ns: UnixNanos,
    ) -> Result<OutsideClaims, AuthError> {
        let Header { alg, kid, .. } = &self.header;
        if !keys.verifies(kid.as_deref(), alg, self.message.as_bytes(), &self.signature) {
            return Err(AuthError::BadToken);
        }
        let claims: OutsideClaims = serde_json::from_slice(&self.claims).map_err(|_| AuthError::BadToken)?;
        let is_for_us = match &claims.aud {
            Audience::One(one) => one == audience,
            Audience::Many(many) => many.iter().any(|one| one == audience),
        };
        let now_s = now_ns / NANOS_PER_SEC;
        let is_early = claims.nbf.is_some_and(|nbf| nbf > now_s + LEEWAY_S) || claims.iat > now_s + LEEWAY_S;
        if claims.iss != issuer || !is_for_us || is_early {
            return Err(AuthError::BadToken);
        }
        if now_s >= claims.exp.saturating_add(LEEWAY_S) {
            return Err(AuthError::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (tempfile::TempDir, SigningKey) {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::open(&dir.path().join("k")).unwrap();
        (dir, key)
    }

    fn claims() -> Claims {
        Claims {
            iss: OURS.into(),
            aud: OURS.into(),
            sub: "7".into(),
            iat: 100,
            exp: 200,
            jti: "j".into(),
            seq: 5,
            family: "f".into(),
        }
    }

    #[test]
    fn a_token_of_ours_counts_until_its_end() {
        let (_dir, key) = key();
        let text = sign(&key, &claims()).unwrap();
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.ours(&key, 199 * NANOS_PER_SEC).unwrap(), claims());
        assert_eq!(token.ours(&key, 200 * NANOS_PER_SEC), Err(AuthError::Expired));
    }

    #[test]
    fn a_token_that_was_changed_or_signed_by_another_key_is_none() {
        let ((_one, ours), (_two, other)) = (key(), key());
        let text = sign(&ours, &claims()).unwrap();
        assert!(Token::parse(&text).unwrap().ours(&other, 0).is_err());
        let parts: Vec<&str> = text.split('.').collect();
        let forged = BASE64URL.encode(
            serde_json::to_vec(&Claims {
                sub: "1".into(),
                ..claims()
            })
            .unwrap(),
        );
        let changed = format!("{}.{forged}.{}", parts[0], parts[2]);
        assert_eq!(
            Token::parse(&changed).unwrap().ours(&ours, 0),
            Err(AuthError::BadToken)
        );
        let none = format!(
            "{}.{forged}.",
            BASE64URL.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, ours.id))
        );
        assert_eq!(
            Token::parse(&none).unwrap().ours(&ours, 0),
            Err(AuthError::BadToken)
        );
    }

    #[test]
    fn bytes_that_are_no_token_are_refused() {
        for text in ["", ".", "..", "a.b.c", "e30.e30.e30", &"x".repeat(TOKEN_MAX + 1)] {
            assert!(Token::parse(text).is_err() || text == "e30.e30.e30", "{text}");
        }
    }
}
