//! `why`: one decision, every layer that stands in the way, the deciding statements in full.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::access::{AccessFormat, How, action, lines, seen};
use super::{Exit, Target, Trouble};
use crate::access::{
    self, Answer, Caller, Deciding, Decision, Guards, Identity, Target as Resource, batch, catalogue, who,
};
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
    let mut answer = who::answer(&resource, &identity, &args.action, &args.how.scenario(), &Guards::default());
    answer.caveats.splice(0..0, catalogue::doubt(&args.action));
    let mut out = io::BufWriter::new(io::stdout().lock());
    for format in &args.formats {
        match format {
            AccessFormat::Table => table(&inventory, &resource, &identity, args, &answer, &mut out)?,
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

fn table(
    inventory: &Inventory,
    resource: &Resource,
    identity: &Identity,
    args: &WhyArgs,
    answer: &Answer,
    out: &mut dyn Write,
) -> io::Result<()> {
    let who = who::Who::Caller(identity.caller.clone());
    lines(out, "", who.id().as_str())?;
    lines(out, "", &format!("{} on {}", args.action, resource.arn()))?;
    writeln!(out)?;
    lines(out, "", &format!("{}: {}", answer.decision.word(), answer.decision.words()))?;
    if !answer.paths.is_empty() {
        let paths: Vec<&str> = answer.paths.iter().map(|path| path.word()).collect();
        writeln!(out, "path: {}", paths.join(", "))?;
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
        if let Some(text) = statement(inventory, resource, identity, by) {
            for line in safe_lines(&text).lines() {
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

/// The bytes of a deciding statement.
fn statement(inventory: &Inventory, resource: &Resource, identity: &Identity, by: &Deciding) -> Option<String> {
    let (from, to) = by.span?;
    let documents = access::documents(inventory, resource, Some(identity), &by.layer);
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
