//! What whole-program tests share: a place to run in, a small firm, a script of messages, journals as bytes.
#![allow(dead_code, reason = "each test file uses its own part of this")]

pub(crate) mod catalogue;
pub(crate) mod firm;
pub(crate) mod journal;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod round;
pub(crate) mod running;
pub(crate) mod scenario;
pub(crate) mod script;
