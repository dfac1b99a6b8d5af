//! The address of an endpoint, from a base URL as people write it.

use reqwest::Url;

use crate::ChatError;

/// The path of chat completions below the base URL.
const PATH: &str = "/chat/completions";

/// Paths of other interfaces, which people copy by mistake.
const OTHERS: [&str; 5] = ["/completions", "/responses", "/embeddings", "/models", "/messages"];

/// The address of chat completions: below the base URL, or the URL itself if it is the whole address already.
/// A query, such as `?api-version=2024-10-21`, stays at the end.
///
/// # Errors
/// [`ChatError::Configuration`] with what to write instead, for a URL that cannot work. It never shows a
/// password.
pub(crate) fn of_chats(base_url: &str) -> Result<Url, ChatError> {
    let base_url = base_url.trim();
    let wrong = |why: String| ChatError::Configuration(format!("the base URL {why}"));
    let like = "such as https://host/v1 or http://localhost:11434/v1";
    if !base_url.contains("://") && !base_url.is_empty() && !base_url.contains('@') {
        let rest = base_url.trim_start_matches('/');
        let local = rest.starts_with("localhost") || rest.starts_with("127.");
        let scheme = if local { "http" } else { "https" };
        return Err(wrong(format!("does not say how to connect: write {scheme}://{rest}")));
    }
    let mut url =
        Url::parse(base_url).map_err(|error| wrong(format!("cannot be read ({error}): write one {like}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!(
            "begins with {}:, but only http and https are spoken: write one {like}",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "holds a name or a password: leave them out, and set the key by PITWALL_MODEL_KEY".to_owned(),
        ));
    }
    if let Some(fragment) = url.fragment() {
        return Err(wrong(format!("ends with a fragment, which is never sent: leave #{fragment} out")));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with(PATH) {
        url.set_path(&path);
    } else if let Some(other) = OTHERS.iter().find(|other| path.ends_with(*other)) {
        let mut base = url.clone();
        base.set_path(path.strip_suffix(other).unwrap_or_default());
        return Err(wrong(format!("is the address of another interface ({other}): write {base}")));
    } else {
        url.set_path(&format!("{path}{PATH}"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_chats_is_made_of_every_base_url_that_can_work() {
        for (base_url, address) in [
            ("http://localhost:11434/v1", "http://localhost:11434/v1/chat/completions"),
            (" https://h/v1/ ", "https://h/v1/chat/completions"),
            ("https://h/v1//", "https://h/v1/chat/completions"),
            ("https://h", "https://h/chat/completions"),
            ("http://[::1]:8080/", "http://[::1]:8080/chat/completions"),
            ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
            ("https://h/v1/chat/completions/", "https://h/v1/chat/completions"),
            (
                "http://h/openai/deployments/gpt-4o?api-version=2024-10-21",
                "http://h/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            ),
            ("http://h/v1/chat/completions?a=1&b=%20", "http://h/v1/chat/completions?a=1&b=%20"),
            ("https://h/v1/?key=a/b/", "https://h/v1/chat/completions?key=a/b/"),
        ] {
            assert_eq!(of_chats(base_url).map(String::from), Ok(address.to_owned()), "{base_url}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_to_write() {
        for (base_url, words) in [
            ("localhost:11434/v1", "write http://localhost:11434/v1"),
            ("api.example.com/v1", "write https://api.example.com/v1"),
            ("//h/v1", "write https://h/v1"),
            ("", "such as https://host/v1"),
            ("http://", "such as https://host/v1"),
            ("https://:8080/v1", "such as https://host/v1"),
            ("file:///v1", "only http and https"),
            ("ftp://h/v1", "only http and https"),
            ("https://me:hunter2@h/v1", "PITWALL_MODEL_KEY"),
            ("me:hunter2@h/v1", "such as https://host/v1"),
            ("https://h/v1#chat", "leave #chat out"),
            ("https://h/v1/responses?a=1", "write https://h/v1?a=1"),
            ("https://h/v1/completions", "write https://h/v1"),
            ("https://h/v1/models/", "write https://h/v1"),
        ] {
            let refused = of_chats(base_url).unwrap_err().to_string();
            assert!(refused.contains(words), "{base_url}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
