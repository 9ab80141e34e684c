//! Any line as a case: one verdict, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| {
    assert!(bedwatch::access::batch::evaluate_line(line).starts_with('{'));
});
