//! Reads a file of text, up to a bound: a path may name something without an end.

use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

/// The text of a file; an error where it is longer than `bytes_max`, or no UTF-8.
pub fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(bytes_max.saturating_add(1))
        .read_to_string(&mut text)?;
    if read as u64 > bytes_max {
        let message = format!("it is longer than {bytes_max} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_too_long_and_no_more() {
        let error = read_text(Path::new("/dev/zero"), 1_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(read_text(Path::new("/dev/null"), 0).unwrap(), "");
        assert!(read_text(Path::new("/"), 10).is_err());
    }
}
