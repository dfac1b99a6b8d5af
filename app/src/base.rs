//! Below which path of its host name the server is: every address in a page begins with it.
//!
//! Inside of the server all paths begin at the root. Only what a browser is told has the path in front; the
//! router takes it off again.

use std::sync::OnceLock;

static BASE: OnceLock<String> = OnceLock::new();

/// Says where the server is: nothing for the root of its host name, else a path such as `/pitwall`. It cannot be
/// changed later.
pub fn set(base: String) {
    // The first word counts: a program serves at one place, and a page comes from one.
    BASE.get_or_init(|| base);
}

/// What stands before each path.
pub fn base() -> &'static str {
    BASE.get().map_or("", String::as_str)
}

/// The address of a path of this server.
pub fn at(path: impl AsRef<str>) -> String {
    format!("{}{}", base(), path.as_ref())
}

/// A page's path as the server names it.
pub fn within(path: &str) -> &str {
    // The server renders below the root, whatever stands before it outside.
    if cfg!(feature = "ssr") {
        return path;
    }
    match path.strip_prefix(base()) {
        Some("") => "/",
        Some(rest) => rest,
        None => path,
    }
}

/// Whether a page's path is `root`, or below it. Below `/` is nothing but itself.
pub fn is_below(path: &str, root: &str) -> bool {
    match path.strip_prefix(root) {
        Some("") => true,
        Some(rest) => root != "/" && rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_page_is_below_its_own_root_only() {
        assert!(is_below("/runs", "/runs"));
        assert!(is_below("/runs/1", "/runs"));
        assert!(!is_below("/runs/1", "/"));
        assert!(!is_below("/portfolios/a", "/portfolio"));
    }
}
