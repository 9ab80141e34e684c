//! `access KEY --propose ROLE --for PURPOSE`: the least that lets a role use a key, with who gains by it. Prints;
//! changes nothing.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::access::{AccessFormat, lines};
use super::{Exit, Trouble};
use crate::access::Target as Resource;
use crate::access::propose::{Purpose, Until, propose, propose_grant};
use crate::access::who::Difference;
use crate::base::text::safe_lines;
use crate::base::{ResourceId, Timestamp};
use crate::fix::{Change, GrantSpec};
use crate::inventory::{Document, Inventory, SessionInfo};

/// What to propose.
#[derive(Debug, Args)]
pub(super) struct ProposeArgs {
    /// Propose what lets this role use the key, and show who gains; prints only
    #[arg(long, value_name = "ROLE", requires = "purpose", conflicts_with_all = ["actions", "via", "direct", "context", "through", "session_policy"])]
    propose: Option<String>,
    /// What the role needs the key for
    #[arg(long = "for", id = "purpose", value_name = "PURPOSE", value_enum, requires = "propose")]
    purpose: Option<For>,
    /// Propose a grant instead of a statement
    #[arg(long, requires = "propose", conflicts_with = "until")]
    grant: bool,
    /// Until this time only (2026-12-01T00:00:00Z); the Sid says so
    #[arg(long, value_name = "TIME", requires = "ticket", value_parser = time)]
    until: Option<Timestamp>,
    /// The ticket it is for; stands in the Sid
    #[arg(long, requires = "until")]
    ticket: Option<String>,
}

/// Purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    /// To customize models under the key.
    Customize,
    /// To invoke models under it.
    Invoke,
    /// To invoke models built on Amazon Nova.
    InvokeNova,
    /// To copy a model under it.
    Copy,
    /// To read training data under it.
    ReadData,
}

impl ProposeArgs {
    pub(super) fn is_asked(&self) -> bool {
        self.propose.is_some()
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "a time is given as 2026-12-01T00:00:00Z".to_owned())
}

/// Runs it.
pub(super) fn run(
    session: &SessionInfo,
    inventory: &Inventory,
    resource: &Resource,
    args: &ProposeArgs,
    formats: &[AccessFormat],
) -> Result<Exit, Trouble> {
    let id = ResourceId::new(resource.arn().to_string());
    let key = inventory.keys.get(&id);
    let key = key.ok_or_else(|| Trouble::new(Exit::Usage, format!("{id} is no key that was read: name a key")))?;
    let role = role(inventory, session, args.propose.as_deref().unwrap_or_default())?;
    let purpose = match args.purpose {
        Some(For::Customize) | None => Purpose::Customize,
        Some(For::Invoke) => Purpose::Invoke { nova: false },
        Some(For::InvokeNova) => Purpose::Invoke { nova: true },
        Some(For::Copy) => Purpose::Copy,
        Some(For::ReadData) => Purpose::ReadData,
    };
    let refused = |no| Trouble::new(Exit::Failure, no);
    let (what, call, bytes, changes) = if args.grant {
        let found = propose_grant(inventory, key, &role, purpose).map_err(refused)?;
        let spec = GrantSpec::new(&key.arn, role.clone(), &found.operations);
        let what = json!({"GranteePrincipal": role, "Operations": found.operations, "Name": spec.name});
        let change = Change::CreateGrant { key: key.arn.clone(), grant: spec };
        (what, change.call(), None, found.changes)
    } else {
        let ticket = args.ticket.clone().unwrap_or_default();
        let until = args.until.map(|at| Until { at, ticket });
        let found = propose(inventory, key, &role, purpose, until.as_ref()).map_err(refused)?;
        let bytes = found.document.raw().len();
        let change = Change::PutKeyPolicy { key: key.arn.clone(), policy: found.document };
        (Value::Array(found.statements), change.call(), Some(bytes), found.changes)
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for format in formats {
        match format {
            AccessFormat::Table => table(key.label(), &role, &what, &call, bytes, &changes, &mut out)?,
            AccessFormat::Json => {
                let changes: Vec<Value> = changes.iter().map(change).collect();
                let document = json!({
                    "schema": "bedwatch.propose/1", "key": key.arn, "role": role, "kind": kind(args.grant),
                    "proposal": what, "changes": changes, "call": call,
                });
                writeln!(out, "{document:#}")?;
            }
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn kind(grant: bool) -> &'static str {
    if grant { "grant" } else { "statements" }
}

fn role(inventory: &Inventory, session: &SessionInfo, text: &str) -> Result<ResourceId, Trouble> {
    if text.starts_with("arn:") {
        return Ok(ResourceId::new(text));
    }
    let named = inventory.roles.values().find(|role| role.name.as_str() == text);
    named.map(|role| role.arn.clone()).ok_or_else(|| {
        let why = format!("no role of {} is called so: give its ARN", session.account);
        Trouble::new(Exit::Usage, why)
    })
}

fn change(one: &Difference) -> Value {
    json!({
        "principal": one.who.id(), "action": one.action, "shift": one.shift.word(), "foreign": one.foreign,
        "before": one.before.word(), "after": one.after.word(), "why": one.after.words(),
    })
}

fn table(
    key: &str,
    role: &ResourceId,
    what: &Value,
    call: &str,
    bytes: Option<usize>,
    changes: &[Difference],
    out: &mut dyn Write,
) -> io::Result<()> {
    lines(out, "", &format!("For {} on {key}:", role.last()))?;
    for line in safe_lines(&format!("{what:#}")).lines() {
        writeln!(out, "  {line}")?;
    }
    if let Some(bytes) = bytes {
        writeln!(out)?;
        writeln!(out, "The policy then has {bytes} of {} bytes.", Document::KEY_POLICY_LIMIT)?;
    }
    writeln!(out)?;
    writeln!(out, "What changes:")?;
    if changes.is_empty() {
        writeln!(out, "  nothing: the role has it already")?;
    }
    for one in changes {
        let (shift, who) = (one.shift.word(), one.who.name());
        lines(out, "  ", &format!("{shift} {} by {who}: {}", one.action, one.after.words()))?;
    }
    writeln!(out)?;
    writeln!(out, "Nobody else gains. Nothing was changed; the call would be:")?;
    lines(out, "  ", call)
}
