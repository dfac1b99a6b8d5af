//! Queries of an address, with any bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::cursor(bytes));
