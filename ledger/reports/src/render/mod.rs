//! A report as a file: CSV for machines and spreadsheets, JSON for programs, HTML for people.

mod charts;
mod csv;
mod html;
mod json;

pub use csv::csv;
pub use html::html;
pub use json::json;
