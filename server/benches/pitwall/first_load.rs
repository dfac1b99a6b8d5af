//! What a browser downloads at its first visit.

use std::path::Path;

use crate::report::{Better, Figure, target};

/// Bytes in a kB.
const KB: f64 = 1000.0;
const AIM: f64 = 250.0;

/// The page's program, script and style, each in Brotli as the build leaves it.
pub fn size() -> Figure {
    const NAME: &str = "first load, Brotli";
    const LIMITED_BY: &str = "the aim itself";
    match compressed(&target().join("site/pkg")) {
        Some(bytes) => Figure::new(NAME, "kB", Better::Less, bytes as f64 / KB, AIM, LIMITED_BY),
        None => Figure::unknown(NAME, "kB", "not built; run `make build` first", AIM, LIMITED_BY),
    }
    .at_most(AIM)
}

/// `None` unless all three are there.
fn compressed(package: &Path) -> Option<u64> {
    let files: Vec<_> = std::fs::read_dir(package).ok()?.flatten().collect();
    let newest = |suffix: &str| {
        let matching = files.iter().filter(|file| file.file_name().to_string_lossy().ends_with(suffix));
        let metadata = matching.filter_map(|file| file.metadata().ok());
        // A build leaves the files of the one before it.
        Some(metadata.max_by_key(|metadata| metadata.modified().ok())?.len())
    };
    [".wasm.br", ".js.br", ".css.br"].into_iter().map(newest).sum()
}
