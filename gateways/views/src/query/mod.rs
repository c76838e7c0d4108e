//! Questions that front ends ask, one trait for what is and one for what has been.

pub mod current;
pub mod history;
