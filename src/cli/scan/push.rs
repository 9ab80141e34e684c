//! `--push-security-hub`: the findings of a scan, sent to the Security Hub of the account and region they are of.
//! With a session of its own that was made with the permission to write: the one that read has none.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use super::{Judged, ScanArgs};
use crate::aws::Writer;
use crate::aws::write::Imported;
use crate::base::Clock;
use crate::case::{Case, CaseError, Seen as Standing, place};
use crate::cli::{Exit, Trouble, live, runtime};
use crate::report::Resolved;

/// Pushes every scan. False if some finding was not taken.
pub(super) fn all(judged: &[Judged], args: &ScanArgs) -> Result<bool, Trouble> {
    let mut whole = true;
    for one in judged {
        let findings = one.scan().security_hub(&resolved(one));
        let imported = push(one, args, &findings)?;
        tell(one, &imported);
        whole &= imported.refused.is_empty() && imported.error.is_none();
    }
    Ok(whole)
}

fn push(one: &Judged, args: &ScanArgs, findings: &[serde_json::Value]) -> Result<Imported, Trouble> {
    let (Some(token), Some(target)) = (args.write.token(), &one.seen.target) else {
        let why = "--push-security-hub sends findings: it takes --write, and a live account";
        return Err(Trouble::new(Exit::Usage, why));
    };
    runtime()?.block_on(async {
        let clock = Clock::System;
        let session = live::connect(target, Some(token.clone()), &clock).await?;
        // why: credentials may have been changed while the account was read.
        let (then, now) = (&one.seen.session, session.info());
        if (&then.account, &then.region) != (&now.account, &now.region) {
            let why = format_args!(
                "the credentials lead to account {} now, not to {}: nothing was sent",
                now.account, then.account
            );
            return Err(Trouble::new(Exit::Usage, why));
        }
        let writer = Writer::new(&session, token)?;
        Ok(writer.import_findings(findings).await)
    })
}

/// What the case of this account knew as open and is not found any more. Without a case nothing is known.
fn resolved(one: &Judged) -> Vec<Resolved> {
    let known = || -> Result<Vec<Resolved>, CaseError> {
        let path = place::default_path(&one.seen.session)?;
        if !path.exists() {
            return Ok(Vec::new());
        }
        let case = Case::open(&path)?;
        case.belongs_to(&one.seen.session)?;
        let verdicts = &one.whole.verdicts;
        let there: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.id.as_str()).collect();
        let judged: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.control).collect();
        // A control that could not look says nothing of what is gone.
        let blind: BTreeSet<&str> =
            verdicts.iter().filter(|verdict| verdict.is_blind()).map(|verdict| verdict.control).collect();
        let gone = case.sightings()?.into_iter().filter(|sighting| {
            let control = sighting.control.as_str();
            sighting.status != Standing::Closed
                && judged.contains(control)
                && !blind.contains(control)
                && !there.contains(sighting.verdict.as_str())
        });
        Ok(gone
            .map(|sighting| Resolved {
                verdict: sighting.verdict,
                control: sighting.control,
                name: sighting.name,
                first_seen: sighting.first_seen,
            })
            .collect())
    };
    known().unwrap_or_else(|error| {
        say(&format!("what was found before is not known, so nothing is archived: {error}"));
        Vec::new()
    })
}

fn tell(one: &Judged, imported: &Imported) {
    let session = &one.seen.session;
    for (id, why) in &imported.refused {
        say(&format!("Security Hub did not take {id}: {why}"));
    }
    if let Some(error) = &imported.error {
        say(&format!("{} findings were not sent: {error}. {}", imported.unsent, error.kind.advice_once()));
    }
    say(&format!("Security Hub of {} {} took {} findings", session.account, session.region, imported.taken));
}

fn say(sentence: &str) {
    // stderr may be closed; the exit code still tells.
    let _ = writeln!(io::stderr(), "bedwatch: {}", crate::base::text::safe(sentence));
}
