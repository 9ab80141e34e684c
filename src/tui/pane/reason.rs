//! What is wrong, without the name that stands beside it.

use crate::posture::Verdict;

/// The reason of a verdict for a table whose next column names the resource: `key K is Disabled; …` becomes
/// `Disabled; …`, `statement 1 lets X assume role R` becomes `statement 1 lets X assume it`.
pub fn short(verdict: &Verdict) -> String {
    let reason = verdict.reason.as_str();
    let (mark, reason) = match verdict.stale {
        // why without the time: it would fill the line, and the finding itself has it.
        Some(_) => ("stale: ", reason.split_once(", stale: ").map_or(reason, |(_, rest)| rest)),
        None => ("", reason),
    };
    format!("{mark}{}", shorten(reason, verdict.resource.kind.word(), verdict.name.as_str()))
}

fn shorten(reason: &str, kind: &str, name: &str) -> String {
    if name.is_empty() {
        return reason.to_owned();
    }
    let named = format!("{kind} {name}");
    let rest = reason.strip_prefix(&named).or_else(|| reason.strip_prefix(name)).filter(|rest| is_end(rest));
    let text = match rest {
        // `job J, the latest of model M, …`: without its name the clause would hang in the air.
        Some(rest) if rest.starts_with(',') => reason.to_owned(),
        Some(rest) => {
            let rest = rest.trim_start_matches([':', ' ']);
            let rest = rest.strip_prefix("is ").unwrap_or(rest);
            rest.strip_prefix("has ").filter(|rest| rest.starts_with("no ")).unwrap_or(rest).to_owned()
        }
        None => reason.to_owned(),
    };
    if text.is_empty() {
        return reason.to_owned();
    }
    let text = replace(&text, &format!(" of {named}"), "");
    let text = replace(&text, &named, "it");
    replace(&text, &format!(" of {name}"), "")
}

fn is_end(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.')))
}

/// Replaces a name wherever it stands by itself.
fn replace(text: &str, what: &str, by: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(what) {
        let (before, after) = (&rest[..at], &rest[at + what.len()..]);
        let begins = what.starts_with(' ') || before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        out.push_str(before);
        out.push_str(if begins && is_end(after) { by } else { what });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stand_beside_go() {
        for (reason, kind, name, short) in [
            ("key k-1 is Disabled; bucket b cannot be read", "key", "k-1", "Disabled; bucket b cannot be read"),
            ("model m has no KMS key: it is …", "model", "m", "no KMS key: it is …"),
            ("role R: aws:SourceArn names another account", "role", "R", "aws:SourceArn names another account"),
            ("the trust policy of R does not let Bedrock in", "role", "R", "the trust policy does not let Bedrock in"),
            ("statement 1 lets X assume role R", "role", "R", "statement 1 lets X assume it"),
            ("T customizes with key k but lacks kms:X", "key", "k", "T customizes with it but lacks kms:X"),
            ("job j names no VPC", "job", "j", "names no VPC"),
            ("s3://b/p/: code lies there", "data", "s3://b/p/", "code lies there"),
            ("s3://b/p/ holds: a secret", "data", "s3://b/p/", "holds: a secret"),
            ("key k-10 and key k", "key", "k", "key k-10 and it"),
            ("rotation is off", "key", "k", "rotation is off"),
            ("key k", "key", "k", "key k"),
            ("no name", "key", "", "no name"),
        ] {
            assert_eq!(shorten(reason, kind, name), short);
        }
    }
}
