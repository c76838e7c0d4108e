//! Facts of the build for `tradewind --version` and the journal: commit, profile, target, compiler.

use std::process::Command;

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-env-changed=TRADEWIND_COMMIT");
    let given = std::env::var("TRADEWIND_COMMIT").ok();
    let commit = given
        .or_else(|| output("git", &["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown".to_owned());
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let facts = [
        ("TRADEWIND_COMMIT", commit),
        (
            "TRADEWIND_BUILD_PROFILE",
            std::env::var("PROFILE").unwrap_or_default(),
        ),
        (
            "TRADEWIND_BUILD_TARGET",
            std::env::var("TARGET").unwrap_or_default(),
        ),
        (
            "TRADEWIND_BUILD_RUSTC",
            output(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned()),
        ),
    ];
    for (name, value) in facts {
        println!("cargo:rustc-env={name}={value}");
    }
}
