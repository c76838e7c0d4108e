//! Codecs of recorded files.
