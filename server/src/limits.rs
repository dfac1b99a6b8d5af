//! What one request may have at most. The answer to a larger one says which limit it is.

/// Bytes that the body of a request may have, but for a file to import.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// Bytes that an address may have.
pub const LONGEST_ADDRESS: usize = 8 * 1024;
/// The most bytes that the file of a document may have: its content, indented by an editor.
pub const LARGEST_DOCUMENT_FILE: usize = 4 * 1024 * 1024;
/// The most bytes that the file of a run may have.
pub const LARGEST_IMPORT: usize = 64 * 1024 * 1024;
