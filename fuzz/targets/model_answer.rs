//! What a model wrote, with any bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::model_answer(bytes));
