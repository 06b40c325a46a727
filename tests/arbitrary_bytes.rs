//! What comes from outside may be anything: the subjects of the fuzz targets, with random bytes and with all their seeds.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[path = "../fuzz/subjects/mod.rs"]
mod subjects;

use subjects::SUBJECTS;

#[allow(clippy::unwrap_used)]
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    fs::read_dir(directory).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// Shorter where a subject is more than a parser.
fn most_beginnings(name: &str) -> usize {
    if matches!(name, "stored_row" | "ffi_call") { 40 } else { 600 }
}

#[test]
fn every_seed_is_read_without_a_fault() {
    for (name, subject) in SUBJECTS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 5, "{name}");
        seeds.iter().for_each(|seed| subject(seed));
    }
}

#[test]
fn every_beginning_of_every_seed_is_read_without_a_fault() {
    for (name, subject) in SUBJECTS {
        for seed in seeds(name) {
            (0..seed.len().min(most_beginnings(name))).filter_map(|end| seed.get(..end)).for_each(subject);
        }
    }
}

#[test]
fn there_is_a_fuzz_target_for_each() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap_or_default();
    for (name, _) in SUBJECTS {
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs")));
        assert!(target.is_ok_and(|code| code.contains(&format!("subjects::{name}::{name}(data)"))), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_are_read_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        SUBJECTS.iter().for_each(|(_, subject)| subject(&bytes));
    }

    #[test]
    fn seeds_with_a_piece_exchanged_are_read_without_a_fault(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), piece in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        for (name, subject) in SUBJECTS {
            let seeds = seeds(name);
            let mut seed = which.get(&seeds).clone();
            let start = at.index(seed.len() + 1);
            let end = (start + piece.len()).min(seed.len());
            seed.splice(start..end, piece.iter().copied());
            subject(&seed);
        }
    }
}
