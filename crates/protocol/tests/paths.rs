//! Where things stand in this crate.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

/// General code that reads a family's documents is code that each new family would have to change.
#[test]
fn general_code_knows_no_family() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = fs::read_dir(&src).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(files.len() > 10);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = fs::read_to_string(&path).unwrap();
        let names_a_family = code.lines().any(|line| {
            let line = line.trim_start();
            !line.starts_with("//") && line.contains("trading") && line != "pub mod trading;"
        });
        // What reads the logs of versions that had one family only.
        assert_eq!(names_a_family, name == "upcast.rs", "{name}");
    }
}
