//! The real program, from outside: its REST interface, its sockets, its command, its files.
//! One binary holds all of it, so that it is linked once and its tests share the cores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod access;
mod accounts;
mod agentos;
mod auto_survives_kill;
mod autogen;
mod base_path;
mod compression;
mod deletion;
mod document;
mod documents;
mod family;
mod faults;
mod files;
mod golden;
mod interfaces;
mod lessons;
mod limits;
mod maws;
mod model;
mod models;
mod openai;
mod own_prices;
mod polls;
mod promises;
mod scope;
mod secrets;
mod settings;
mod starting_portfolio;
mod steering;
mod stocks;
mod studio;
mod studio_database;
mod survives_kill;
mod tasks;
mod teams;
mod tear_sheet;
mod tools;
mod trades_survive_kill;
mod trials;
mod unruly;
mod upkeep;
mod vendors;
mod verify;
