//! The feed through real sockets: a journal that is written record by record, its live replica, a server, and clients.

#![allow(clippy::disallowed_methods)] // reason: the tests' own threads wait for sockets, and look at how long that takes

#[path = "../../../views/tests/desk/mod.rs"]
mod desk;

mod client;
mod folding;
mod people;
mod resuming;
mod room;
mod wire;
