//! Keys of an outside issuer, from its JWKS document (RFC 7517): RSA for RS256, P-256 for ES256.
//!
//! # Invariants
//! - A key is used with its own algorithm only; what the token's header claims chooses nothing but the key.
//! - Keys for anything but signatures, and shared secrets, are passed over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// What a key is made of.
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { point: Vec<u8> },
}

struct Key {
    id: Option<String>,
    material: Material,
}

/// The keys of a document.
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    /// Reads a document. The error is for people.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("is no JWKS document: {error}"))?;
        let keys: Vec<Key> = document.keys.into_iter().filter_map(key).collect();
        if keys.is_empty() {
            return Err("has no key for RS256 or ES256".into());
        }
        Ok(Self(keys))
    }

    /// True where a key with this id (any key, where the token names none) made the signature by this algorithm.
    pub(crate) fn verifies(
        &self,
        key_id: Option<&str>,
        algorithm: &str,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.0
            .iter()
            .filter(|key| key_id.is_none() || key.id.as_deref() == key_id)
            .any(|key| key.material.verifies(algorithm, message, signature))
    }
}

fn key(jwk: Jwk) -> Option<Key> {
    if jwk.purpose.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let decoded = |text: Option<String>| BASE64URL.decode(text?).ok();
    let is_for = |wanted: &str| jwk.alg.as_deref().is_none_or(|alg| alg == wanted);
    let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) if is_for("RS256") => Material::Rsa {
            modulus: decoded(jwk.n)?,
            exponent: decoded(jwk.e)?,
        },
        ("EC", Some("P-256")) if is_for("ES256") => {
            let (x, y) = (decoded(jwk.x)?, decoded(jwk.y)?);
            Material::P256 {
                point: [&[4][..], &x, &y].concat(), // 4: an uncompressed point
            }
        }
        _ => return None,
    };
    Some(Key {
        id: jwk.kid,
        material,
    })
}

impl Material {
    fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Rsa { modulus, exponent }, "RS256") => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
            (Self::P256 { point }, "ES256") => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

    #[test]
    fn a_key_signs_for_its_own_algorithm_and_under_its_own_id() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
        let text = format!(
            r#"{{"keys":[{{"kty":"oct","k":"c2VjcmV0","kid":"a"}},{{"kty":"EC","crv":"P-256","kid":"b","use":"sig","x":"{x}","y":"{y}"}}]}}"#
        );
        let keys = Keys::parse(&text).unwrap();
        let signature = pair.sign(&random, b"message").unwrap();
        assert!(keys.verifies(Some("b"), "ES256", b"message", signature.as_ref()));
        assert!(keys.verifies(None, "ES256", b"message", signature.as_ref()));
        for (id, algorithm, message) in [
            ("a", "ES256", "message"),
            ("b", "RS256", "message"),
            ("b", "none", "message"),
            ("b", "ES256", "messagf"),
        ] {
            assert!(
                !keys.verifies(Some(id), algorithm, message.as_bytes(), signature.as_ref()),
                "{id} {algorithm}"
            );
        }
    }

    #[test]
    fn a_document_without_a_key_of_use_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#,
            r#"{"keys":[{"kty":"RSA","use":"enc","n":"AQ","e":"AQAB"}]}"#,
        ] {
            assert!(Keys::parse(text).is_err(), "{text}");
        }
    }
}
