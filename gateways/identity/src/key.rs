//! The key that signs our own tokens: Ed25519, in a file of the data folder that only its owner reads.
//!
//! A new key ends every token of the old one; that is also how all tokens are ended at once: delete the file and start anew.

use crate::error::IdentityError;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Read and write for the owner, nothing for anybody else.
pub(crate) const MODE: u32 = 0o600;

/// A key pair.
pub(crate) struct SigningKey {
    pair: Ed25519KeyPair,
    /// Names the key in token headers.
    pub(crate) id: String,
}

impl SigningKey {
    /// Reads the key, or makes one.
    pub(crate) fn open(path: &Path) -> Result<Self, IdentityError> {
        let failed = |source| IdentityError::File {
            path: path.to_path_buf(),
            source,
        };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => {
                check_mode(path)?;
                bytes
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                    .map_err(|_| IdentityError::Crypto)?;
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(MODE)
                    .open(path)
                    .map_err(failed)?;
                file.write_all(made.as_ref())
                    .and_then(|()| file.sync_all())
                    .map_err(failed)?;
                made.as_ref().to_vec()
            }
            Err(error) => return Err(failed(error)),
        };
        let pair = Ed25519KeyPair::from_pkcs8(&bytes).map_err(|_| IdentityError::BadFile {
            path: path.to_path_buf(),
            what: "is no signing key: delete it, and a new one is made (all tokens end)".into(),
        })?;
        let id = blake3::hash(pair.public_key().as_ref()).to_hex()[..16].to_owned();
        Ok(Self { pair, id })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref())
            .verify(message, signature)
            .is_ok()
    }
}

/// A key that others can read is none.
fn check_mode(path: &Path) -> Result<(), IdentityError> {
    let metadata = std::fs::metadata(path).map_err(|source| IdentityError::File {
        path: path.to_path_buf(),
        source,
    })?;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(IdentityError::BadFile {
        path: path.to_path_buf(),
        what: "can be read by others: chmod 600, and delete it where others have read it".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_for_its_owner_alone_and_one_that_others_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("identity.key");
        let made = SigningKey::open(&path).unwrap();
        let again = SigningKey::open(&path).unwrap();
        assert_eq!(made.id, again.id);
        assert!(again.verifies(b"m", &made.sign(b"m")) && !again.verifies(b"n", &made.sign(b"m")));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            SigningKey::open(&path),
            Err(IdentityError::BadFile { .. })
        ));
    }
}
