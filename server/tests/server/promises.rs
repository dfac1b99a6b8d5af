//! The table of what was promised names a test beside each row: every one of them has to exist.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// All sources in a folder, but for what is built.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && name != "target" && name != "node_modules" {
            sources(&path, found);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The functions of all tests, each with the files that have one of this name.
fn tests(root: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut files = Vec::new();
    ["app", "crates", "server"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let mut tests: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for part in text.split("fn ").skip(1) {
            let name = part.split(['(', '<']).next().unwrap_or_default();
            tests.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    tests
}

#[test]
fn every_test_that_the_table_of_promises_names_exists_where_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let table = fs::read_to_string(root.join("docs/autogen-conformance.md")).unwrap();
    let tests = tests(root);
    let named: Vec<&str> = table.split('`').skip(1).step_by(2).filter(|code| code.contains("::")).collect();
    assert!(named.len() > 60, "the table names its tests: {named:?}");
    for name in named {
        let (file, test) = (name.split("::").next().unwrap(), name.rsplit("::").next().unwrap());
        let places = tests.get(test).map(Vec::as_slice).unwrap_or_default();
        let is_there = |place: &PathBuf| {
            place.iter().any(|part| part == file || part.to_str() == Some(&format!("{file}.rs")))
        };
        assert!(places.iter().any(is_there), "`{name}` is in {places:?}");
    }
}
