//! One module for each page.

pub mod account;
pub mod compare;
pub mod document;
pub mod documents;
pub mod lazy;
pub mod not_found;
pub mod overview;
pub mod run;
pub mod runs;
pub mod sign_in;
pub mod start;
pub mod trials;
