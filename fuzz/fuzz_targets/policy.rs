//! Any text as a policy: no panic, spans inside the text, and what is well-formed prints to the same meaning.
#![no_main]

use bedwatch::access::Policy;
use bedwatch::inventory::Document;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::parse(&Document::new(text)) else { return };
    for statement in &policy.statements {
        assert!(text.get(statement.span.clone()).is_some());
    }
    if policy.is_well_formed() {
        let Ok(mut again) = Policy::from_json(&policy.to_json()) else { panic!("a printed policy is no policy") };
        let mut first = policy;
        first.statements.iter_mut().chain(&mut again.statements).for_each(|statement| statement.span = 0..0);
        assert_eq!(first, again);
    }
});
