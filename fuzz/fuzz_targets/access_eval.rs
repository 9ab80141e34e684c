//! Any line as a case. What must hold stands in the library, where a test runs it too.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| {
    if let Err(broken) = bedwatch::access::invariants::of_case(line) {
        panic!("{broken}");
    }
});
