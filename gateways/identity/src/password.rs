//! Passwords and keys as argon2id hashes, in the usual text form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
//!
//! Hashing takes memory and time on purpose, so few are worked at one time (see `identity`).

use crate::error::IdentityError;
use crate::secret::Secret;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// The shortest password that is taken.
pub(crate) const LENGTH_MIN: usize = 10;
/// The longest one: hashing reads all of it.
pub(crate) const LENGTH_MAX: usize = 256;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// 19 MiB and two passes, as OWASP recommends.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
        }
    }
}

/// Hashes a password with a new salt.
pub(crate) fn hash(password: &Secret, cost: PasswordCost) -> Result<String, IdentityError> {
    let mut salt = [0; SALT_BYTES];
    fill_random(&mut salt)?;
    let hash = digest(password, &salt, cost).ok_or(IdentityError::Crypto)?;
    let PasswordCost { memory_kib, passes } = cost;
    let (salt, hash) = (BASE64.encode(salt), BASE64.encode(hash));
    Ok(format!(
        "$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${hash}"
    ))
}

/// True where the password has this hash. A hash that cannot be read has none.
pub(crate) fn verify(password: &Secret, hash: &str) -> bool {
    let Some((cost, salt, wanted)) = parse(hash) else {
        return false;
    };
    let found = digest(password, &salt, cost);
    // blake3's equality takes the same time wherever the difference is.
    found.is_some_and(|found| blake3::hash(&found) == blake3::hash(&wanted))
}

fn digest(password: &Secret, salt: &[u8], cost: PasswordCost) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(HASH_BYTES)).ok()?;
    let mut out = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.reveal().as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

fn parse(hash: &str) -> Option<(PasswordCost, Vec<u8>, Vec<u8>)> {
    let mut parts = hash.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut figures = parts.next()?.split(',');
    let memory_kib = figures.next()?.strip_prefix("m=")?.parse().ok()?;
    let passes = figures.next()?.strip_prefix("t=")?.parse().ok()?;
    let salt = BASE64.decode(parts.next()?).ok()?;
    let wanted = BASE64.decode(parts.next()?).ok()?;
    Some((PasswordCost { memory_kib, passes }, salt, wanted))
}

/// Random bytes of the system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), IdentityError> {
    SystemRandom::new().fill(bytes).map_err(|_| IdentityError::Crypto)
}

/// Random text of 5 bits a character, without letters that look alike.
pub(crate) fn random_text(characters: usize) -> Result<String, IdentityError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = vec![0; characters];
    fill_random(&mut bytes)?;
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    Ok(bytes.iter().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordCost = PasswordCost {
        memory_kib: 8,
        passes: 1,
    };

    #[test]
    fn a_password_is_known_by_its_hash_and_two_hashes_of_it_differ() {
        let password = Secret::new("correct horse");
        let (one, two) = (hash(&password, CHEAP).unwrap(), hash(&password, CHEAP).unwrap());
        assert_ne!(one, two);
        assert!(verify(&password, &one) && verify(&password, &two));
        assert!(!verify(&Secret::new("correct horsf"), &one));
        assert!(!one.contains("correct"));
    }

    #[test]
    fn text_that_is_no_hash_fits_no_password() {
        let texts = [
            "",
            "x",
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$",
            "$argon2id$v=19$m=0,t=0,p=1$c2FsdHNhbHQ$YQ",
        ];
        for text in texts {
            assert!(!verify(&Secret::new(""), text), "{text:?}");
        }
    }
}
