//! Parts that several pages use.

pub mod access;
pub mod answer;
pub mod approval;
pub mod badge;
pub mod copy;
pub mod day_field;
pub mod delete_run;
pub mod dialog;
pub mod draft;
pub mod icon;
pub mod json;
pub mod keys;
pub mod limits;
pub mod long_text;
pub mod menu;
pub mod notice;
pub mod paper;
pub mod product;
pub mod schema;
pub mod search;
pub mod status;
pub mod table;
pub mod theme;
pub mod top_bar;
pub mod verbatim;
pub mod whole_text;
