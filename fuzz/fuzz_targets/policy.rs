//! Any text as a policy. What must hold stands in the library, where a test runs it too.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(broken) = bedwatch::access::invariants::of_policy(text) {
        panic!("{broken}");
    }
});
