//! Where things stand in this crate.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The families, by their folders.
const FAMILIES: [&str; 3] = ["resolver", "team", "trading"];

/// The source files below a folder, but for those in the folder of a family.
fn general_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !FAMILIES.iter().any(|family| path.ends_with(family)) {
            files.extend(general_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// General code that reads a family's documents is code that each new family would have to change.
#[test]
fn general_code_knows_no_family() {
    let files = general_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 10);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = fs::read_to_string(&path).unwrap();
        for family in FAMILIES {
            let names_it = code.lines().any(|line| {
                let line = line.trim_start();
                // "team" alone is a word of many others.
                let name = if family == "team" { "team::" } else { family };
                !line.starts_with("//") && line.contains(name) && line != format!("pub mod {family};")
            });
            // What reads the logs of versions that had one family only.
            assert_eq!(names_it, name == "upcast.rs" && family == "trading", "{name}");
        }
    }
}
