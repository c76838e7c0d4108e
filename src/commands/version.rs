//! `tradewind --version`.

/// Version with the facts of the build.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("TRADEWIND_COMMIT"),
    "\nprofile: ",
    env!("TRADEWIND_BUILD_PROFILE"),
    "\ntarget: ",
    env!("TRADEWIND_BUILD_TARGET"),
    "\nrustc: ",
    env!("TRADEWIND_BUILD_RUSTC"),
    "\njournal format: 1"
);
