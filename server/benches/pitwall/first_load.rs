//! What a browser downloads at its first visit.

use std::{collections::HashMap, fs, path::Path};

use crate::report::{Better, Figure, target};

/// Bytes in a kB.
const KB: f64 = 1000.0;
const AIM: f64 = 250.0;
/// The page at `/`, by the name of its part of the program.
const PAGE: &str = "overview";

/// The first page's program, scripts and style, each in Brotli as the build leaves it.
pub fn size() -> Figure {
    const NAME: &str = "first load, Brotli";
    const LIMITED_BY: &str = "the aim itself";
    match compressed(&target()) {
        Some(bytes) => Figure::new(NAME, "kB", Better::Less, bytes as f64 / KB, AIM, LIMITED_BY),
        None => Figure::unknown(NAME, "kB", "not built; run `make build` first", AIM, LIMITED_BY),
    }
    .at_most(AIM)
}

/// `None` unless all files are there.
fn compressed(target: &Path) -> Option<u64> {
    let package = target.join("site/pkg");
    let sizes = files(target, &package)?.into_iter().map(|file| {
        let compressed = package.join(format!("{file}.br"));
        Some(fs::metadata(compressed).ok()?.len())
    });
    sizes.sum()
}

/// The files that the page's head names: the program, and the parts of it that the page needs.
fn files(target: &Path, package: &Path) -> Option<Vec<String>> {
    let hashes = fs::read_to_string(target.join("release/hash.txt")).ok()?;
    let hashes: HashMap<&str, &str> = hashes.lines().filter_map(|line| line.split_once(": ")).collect();
    let manifest = package.join(format!("__wasm_split_manifest.{}.json", hashes.get("manifest")?));
    let mut parts: HashMap<String, Vec<String>> = serde_json::from_slice(&fs::read(manifest).ok()?).ok()?;
    let mut files = vec![format!("__wasm_split.{}.js", hashes.get("split")?)];
    for kind in ["wasm", "js", "css"] {
        files.push(format!("pitwall.{}.{kind}", hashes.get(kind)?));
    }
    files.extend(parts.remove(PAGE)?.into_iter().map(|part| format!("{part}.wasm")));
    Some(files)
}
