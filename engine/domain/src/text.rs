//! Short fixed-size text: what the wires call symbols, accounts and identifiers.

use bytemuck::{Pod, Zeroable};
use std::fmt;

/// At most `N` bytes of printable ASCII, padded with zeros.
///
/// Invariant: bytes after the first zero are zero, so equality and hashing may look at all bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Text<const N: usize>([u8; N]);

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More bytes than the field holds.
    #[error("longer than {max} bytes")]
    TooLong {
        /// The most that fits.
        max: usize,
    },
    /// A byte outside printable ASCII (0x20 to 0x7e).
    #[error("byte {byte:#04x} is not printable ASCII")]
    NotPrintable {
        /// The first such byte.
        byte: u8,
    },
}

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self([0; N]);

    /// Takes printable ASCII of at most `N` bytes.
    #[inline]
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, TextError> {
        let bytes = bytes.as_ref();
        if bytes.len() > N {
            return Err(TextError::TooLong { max: N });
        }
        if let Some(&byte) = bytes.iter().find(|b| !(0x20..=0x7e).contains(*b)) {
            return Err(TextError::NotPrintable { byte });
        }
        let mut text = [0; N];
        text[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(text))
    }

    /// As [`Text::new`], cutting what is too long and replacing what is not printable by `?`: for notes and names
    /// that identify nothing.
    pub fn lossy(bytes: impl AsRef<[u8]>) -> Self {
        let mut text = [0; N];
        for (to, &from) in text.iter_mut().zip(bytes.as_ref()) {
            *to = if (0x20..=0x7e).contains(&from) { from } else { b'?' };
        }
        Self(text)
    }

    /// The bytes without padding.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let len = self.0.iter().position(|&b| b == 0).unwrap_or(N);
        &self.0[..len]
    }

    /// All `N` bytes, padding included.
    #[inline]
    pub const fn padded(&self) -> &[u8; N] {
        &self.0
    }

    /// As text. Bytes that came from a damaged file and are no text show as nothing.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("")
    }

    /// True for no text.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0[0] == 0
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}
impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// An instrument's symbol as the wire spells it.
pub type Symbol = Text<32>;
/// An account's or node's code.
pub type Code = Text<32>;
/// A client's order identifier (FIX tag 11): room for a UUID with dashes.
pub type ClOrdId = Text<40>;
/// A venue's execution or order identifier (FIX tags 17, 37).
pub type ExecId = Text<40>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_fits_and_refuses_the_rest() {
        assert_eq!(Text::<4>::new("ABCD").unwrap().as_str(), "ABCD");
        assert_eq!(Text::<4>::new("ABCDE"), Err(TextError::TooLong { max: 4 }));
        assert_eq!(
            Text::<4>::new("A\n"),
            Err(TextError::NotPrintable { byte: b'\n' })
        );
        assert_eq!(Text::<4>::lossy("A\nBCD").as_str(), "A?BC");
        assert!(Text::<4>::new("").unwrap().is_empty());
    }
}
