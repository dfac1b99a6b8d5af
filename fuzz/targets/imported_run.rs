//! Files to import, with any bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::imported_run(bytes));
