/// What a sector is called where none is known.
pub(crate) const UNKNOWN: &str = "Unknown";

/// A sector's name for comparison: case and white space do not count.
pub(crate) fn normal(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// A sector's name for display.
pub(crate) fn shown(name: &str) -> &str {
    let name = name.trim();
    if name.is_empty() { UNKNOWN } else { name }
}
