//! `why`: one decision, every layer that stands in the way, the deciding statements in full.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::access::{AccessFormat, WIDTH, action, lines, seen};
use super::access_how::{How, Way};
use super::{Exit, Target, Trouble};
use crate::access::{self, Answer, Caller, Deciding, Decision, Identity, Target as Resource, batch, catalogue, who};
use crate::base::text::safe_lines;
use crate::inventory::{Inventory, SessionInfo};

/// One question.
#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// A role, session, user, `root`, or service principal: ARN or name
    principal: String,
    /// One action (kms:Decrypt)
    #[arg(value_parser = action)]
    action: String,
    /// A key, custom model, deployment, throughput, bucket, object or role: ARN, id, alias or name
    resource: String,
    #[command(flatten)]
    how: How,
    /// Output formats
    #[arg(short = 'M', long = "output-formats", value_enum, value_delimiter = ',', default_value = "table")]
    formats: Vec<AccessFormat>,
    /// Ask a saved case instead of a live account
    #[arg(long, value_name = "CASE")]
    offline: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(target: &Target, args: &WhyArgs) -> Result<Exit, Trouble> {
    let (session, inventory) = seen(target, args.offline.as_deref())?;
    let resource = Resource::of(&inventory, &session, &args.resource).map_err(|no| Trouble::new(Exit::Usage, no))?;
    let caller = principal(&inventory, &session, &args.principal)?;
    let identity = Identity::of(&inventory, &caller);
    let way = args.how.way(&inventory)?;
    way.carries(&args.action)?;
    let mut answer = who::answer(&resource, &identity, &args.action, &way.scenario, &way.guards);
    let doubts = catalogue::doubt(&args.action).into_iter().chain(catalogue::placeless(&args.action));
    answer.caveats.splice(0..0, doubts.chain(way.notes()));
    let mut out = io::BufWriter::new(io::stdout().lock());
    for format in &args.formats {
        match format {
            AccessFormat::Table => {
                let asked = Asked { inventory: &inventory, resource: &resource, identity: &identity, way: &way };
                table(&asked, &args.action, &answer, &mut out)?;
            }
            AccessFormat::Json => {
                let mut document = answer_json(&answer);
                document["schema"] = "bedwatch.why/1".into();
                document["principal"] = who::Who::Caller(identity.caller.clone()).id().as_str().into();
                document["action"] = args.action.as_str().into();
                document["resource"] = resource.arn().to_string().into();
                writeln!(out, "{document:#}")?;
            }
        }
    }
    out.flush()?;
    Ok(if matches!(answer.decision, Decision::Uncertain { .. }) { Exit::Incomplete } else { Exit::Clean })
}

/// Whom the command line names.
fn principal(inventory: &Inventory, session: &SessionInfo, text: &str) -> Result<Caller, Trouble> {
    if text == "root" {
        let arn = format!("arn:{}:iam::{}:root", session.partition, session.account);
        return Caller::parse(&arn).map_err(|no| Trouble::new(Exit::Usage, no));
    }
    let named = inventory
        .roles
        .values()
        .filter(|role| role.name.as_str() == text)
        .map(|role| &role.arn)
        .chain(inventory.users.values().filter(|user| user.name.as_str() == text).map(|user| &user.arn));
    let found: Vec<_> = named.collect();
    let arn = match &found[..] {
        [] => text,
        [one] => one.as_str(),
        _ => {
            let why = format!("'{text}' is a role and a user; give the ARN");
            return Err(Trouble::new(Exit::Usage, why));
        }
    };
    Caller::parse(arn).map_err(|no| Trouble::new(Exit::Usage, no))
}

/// The question.
struct Asked<'a> {
    inventory: &'a Inventory,
    resource: &'a Resource,
    identity: &'a Identity,
    way: &'a Way,
}

fn table(asked: &Asked<'_>, action: &str, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let who = who::Who::Caller(asked.identity.caller.clone());
    lines(out, "", who.id().as_str())?;
    lines(out, "", &format!("{action} on {}", asked.resource.arn()))?;
    writeln!(out)?;
    lines(out, "", &sentence(&answer.decision))?;
    if !answer.paths.is_empty() {
        let paths: Vec<&str> = answer.paths.iter().map(|path| path.word()).collect();
        let head = if matches!(answer.decision, Decision::Uncertain { .. }) { "it would be by" } else { "path" };
        writeln!(out, "{head}: {}", paths.join(", "))?;
    }
    for block in &answer.blocked {
        // A Deny whose conditions are open is not what decides here.
        let surely = matches!(answer.decision, Decision::ExplicitlyDenied { .. });
        let how = match (block.explicit, surely) {
            (true, true) => "denies",
            (true, false) => "may deny",
            (false, _) => "does not allow",
        };
        writeln!(out, "blocked: {} {how}", block.layer)?;
    }
    if matches!(answer.decision, Decision::Conditional { .. }) {
        lines(out, "", &format!("when: {}", answer.when.words()))?;
    }
    for by in answer.decision.by() {
        writeln!(out)?;
        lines(out, "", &by.to_string())?;
        if let Some(text) = statement(asked, by) {
            for line in laid_out(&safe_lines(&text)) {
                writeln!(out, "  {line}")?;
            }
        }
    }
    if !answer.caveats.is_empty() {
        writeln!(out)?;
    }
    for caveat in &answer.caveats {
        lines(out, "", &format!("note: {caveat}"))?;
    }
    Ok(())
}

/// The verdict and its reason. The conditions have a line of their own.
fn sentence(decision: &Decision) -> String {
    let under = if matches!(decision, Decision::Conditional { .. }) { ", under conditions" } else { "" };
    match decision.reason() {
        reason if reason.is_empty() => decision.word().to_owned(),
        reason => format!("{}: {reason}{under}", decision.word()),
    }
}

/// A statement as its writer laid it out, moved to the left; one long line as JSON is usually laid out.
fn laid_out(text: &str) -> Vec<String> {
    let parsed = || serde_json::from_str::<Value>(text).ok();
    if !text.contains('\n')
        && text.width() > WIDTH - 2
        && let Some(json) = parsed()
    {
        return format!("{json:#}").lines().map(str::to_owned).collect();
    }
    let blank = |line: &str| line.len() - line.trim_start_matches(' ').len();
    // The first line begins where the statement does; the last, its bracket, stands as far in as that did.
    let most = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(blank).min().unwrap_or(0);
    let cut = |line: &str| line.get(most.min(blank(line))..).unwrap_or_default().to_owned();
    text.lines().enumerate().map(|(at, line)| if at == 0 { line.to_owned() } else { cut(line) }).collect()
}

/// The bytes of a deciding statement.
fn statement(asked: &Asked<'_>, by: &Deciding) -> Option<String> {
    if let Some(text) = asked.way.statement(by) {
        return Some(text.to_owned());
    }
    let (from, to) = by.span?;
    let documents = access::documents(asked.inventory, asked.resource, Some(asked.identity), &by.layer);
    documents.into_iter().find_map(|(_, document)| document.raw().get(from..to)).map(str::to_owned)
}

/// An answer for programs.
pub(super) fn answer(answer: &Answer) -> Value {
    answer_json(answer)
}

fn answer_json(answer: &Answer) -> Value {
    let mut json = batch::verdict(&Value::Null, answer);
    if let Some(object) = json.as_object_mut() {
        object.shift_remove("id");
    }
    json["why"] = answer.decision.words().as_str().into();
    json["notes"] = json!(answer.caveats);
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Text;

    #[test]
    fn nothing_is_said_twice() {
        let texts = |one: &str| vec![Text::new(one)];
        let by = || Deciding { layer: access::Layer::KeyPolicy, pointer: None, span: None, sid: Text::default() };
        for (decision, said) in [
            (Decision::Uncertain { by: Vec::new(), why: texts("it was not read") }, "Uncertain: it was not read"),
            (Decision::ImplicitlyDenied { missing: texts("no statement") }, "ImplicitlyDenied: no statement"),
            (Decision::ImplicitlyDenied { missing: Vec::new() }, "ImplicitlyDenied"),
            (Decision::Conditional { by: Vec::new(), conditions: texts("x is y") }, "Conditional"),
            (
                Decision::Conditional { by: vec![by()], conditions: texts("x is y") },
                "Conditional: by key policy, under conditions",
            ),
            (Decision::Allowed { by: vec![by()] }, "Allowed: by key policy"),
            (Decision::Allowed { by: Vec::new() }, "Allowed"),
            (Decision::ExplicitlyDenied { by: vec![by()] }, "ExplicitlyDenied: by key policy"),
        ] {
            assert_eq!(sentence(&decision), said);
        }
    }

    #[test]
    fn a_statement_stands_at_the_left() {
        assert_eq!(laid_out("{\n      \"Sid\": \"A\",\n    }"), ["{", "  \"Sid\": \"A\",", "}"]);
        assert_eq!(laid_out("{\"Sid\": \"A\"}"), ["{\"Sid\": \"A\"}"]);
        let long = format!("{{\"Sid\": \"{}\"}}", "a".repeat(90));
        assert_eq!(laid_out(&long).len(), 3);
        assert_eq!(laid_out("not JSON\n  at all"), ["not JSON", "at all"]);
    }
}
