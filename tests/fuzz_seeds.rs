//! The seeds of the fuzz targets, run as ordinary tests: on stable, without libFuzzer, in the time of a unit test.
#![allow(unreachable_pub)] // reason: the bodies are the library of the crate `fuzz`, which is outside the workspace

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus-seeds")
}

#[test]
fn seeds_on_disk_are_those_that_are_made() {
    let update = std::env::var_os("UPDATE_SEEDS").is_some();
    for (target, name, bytes) in bodies::seeds::seeds() {
        let path = folder().join(target).join(name);
        if update {
            std::fs::create_dir_all(folder().join(target)).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        let found = std::fs::read(&path).unwrap_or_default();
        assert!(
            found == bytes,
            "{} is not as made: run with UPDATE_SEEDS=1",
            path.display()
        );
    }
}

#[test]
fn the_seeds_of_every_target_pass() {
    for (target, _) in bodies::TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(folder().join(target)).unwrap() {
            bodies::run(target, &std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target} has no seed");
        bodies::run(target, &[]);
    }
}
