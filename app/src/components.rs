//! Parts that several pages use.

pub mod chart;
pub mod copy;
pub mod icon;
pub mod keys;
pub mod long_text;
pub mod notice;
pub mod search;
pub mod start_form;
pub mod status;
pub mod table;
pub mod theme;
pub mod top_bar;
