//! The journal's tests: each writes events through the real writer, archiver and keeper into temporary folders.

mod document;
mod file_systems;
mod golden;
mod pool;
mod power_loss;
mod recovery;
mod run;
mod sim;
mod support;
mod windows;
