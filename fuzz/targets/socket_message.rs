//! Messages of a socket, with any bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::socket_message(bytes));
