//! What people do to runs.
