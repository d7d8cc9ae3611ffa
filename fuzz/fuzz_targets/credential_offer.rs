#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::credential_offer(data));
