//! What the firm tells others about its books, and what others tell it: reconciliation.

pub mod recon;
