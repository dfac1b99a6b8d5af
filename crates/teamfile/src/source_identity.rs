//! Which tool a piece of source code is. Samples get renamed ("compliance" is really `fetch_webpage`), so that a
//! tool is known by its source and not by its name.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The source of a tool, identified: the first 16 hexadecimal digits of the SHA-256 of its text, in which each run
/// of white space counts as one space and those at the ends do not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceIdentity(String);

impl SourceIdentity {
    /// The identity of a source.
    #[must_use]
    pub fn of(source: &str) -> Self {
        let mut hasher = Sha256::new();
        for (number, word) in source.split_whitespace().enumerate() {
            if number > 0 {
                hasher.update(b" ");
            }
            hasher.update(word.as_bytes());
        }
        let digest = hasher.finalize();
        Self(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The 16 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The well-known tool that has this source.
    #[must_use]
    pub fn known(&self) -> Option<KnownTool> {
        Some(match self.0.as_str() {
            "f46885523a2d9c5c" => KnownTool::Calculator,
            "974b449f75cba15e" => KnownTool::FetchWebpage,
            "f3542743a005ed08" => KnownTool::GoogleSearch,
            "86323a65174c8b4d" | "515c7e6608b2264a" => KnownTool::BingSearch,
            "3455f716df2b1cd9" | "f5f4731b5a022893" => KnownTool::GenerateImage,
            "8cfc0d625f8de0f4" => KnownTool::GeneratePdf,
            _ => return None,
        })
    }
}

/// The sample tools that AutoGen Studio ships, which most team files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownTool {
    /// Adds, subtracts, multiplies and divides two numbers.
    Calculator,
    /// Fetches a page of the web as Markdown.
    FetchWebpage,
    /// Searches by Google.
    GoogleSearch,
    /// Searches by Bing.
    BingSearch,
    /// Draws images by a model.
    GenerateImage,
    /// Writes a PDF.
    GeneratePdf,
}

impl KnownTool {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Calculator,
        Self::FetchWebpage,
        Self::GoogleSearch,
        Self::BingSearch,
        Self::GenerateImage,
        Self::GeneratePdf,
    ];

    /// What Studio calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Calculator => "calculator",
            Self::FetchWebpage => "fetch_webpage",
            Self::GoogleSearch => "google_search",
            Self::BingSearch => "bing_search",
            Self::GenerateImage => "generate_image",
            Self::GeneratePdf => "generate_pdf",
        }
    }
}
