//! `access`: who can use a key, model, bucket or role: a matrix, with reasons.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::access_how::How;
use super::{Exit, Target, Trouble, live, runtime};
use crate::access::obtain::{Ways, obtain};
use crate::access::remarks::{Remarked, remarks};
use crate::access::{Decision, Matrix, People, Row, Target as Resource, catalogue, who_under};
use crate::base::text::{safe, shorten_middle};
use crate::base::{Clock, ResourceId, Text};
use crate::inventory::kms::Key;
use crate::inventory::{Inventory, SessionInfo};
use crate::source::{Envelope, Message};

pub(super) const WIDTH: usize = 80;
/// The column of names.
const NAMES: usize = 44;

/// What to ask, and how to say it.
#[derive(Debug, Args)]
pub(super) struct AccessArgs {
    /// A key, custom model, deployment, throughput, bucket or role: ARN, id, alias or name
    resource: String,
    /// Ask about these actions; default: those that matter on such a resource
    #[arg(long = "action", value_name = "ACTION", value_delimiter = ',', value_parser = action)]
    actions: Vec<String>,
    /// Show everybody, those without any access too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    propose: super::access_propose::ProposeArgs,
    /// Output formats
    #[arg(short = 'M', long = "output-formats", value_enum, value_delimiter = ',', default_value = "table")]
    formats: Vec<AccessFormat>,
    /// Ask a saved case instead of a live account
    #[arg(long, value_name = "CASE")]
    offline: Option<PathBuf>,
}

/// `kms:Decrypt`, no wildcards: a cell is about one action.
pub(super) fn action(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match text.split_once(':') {
        Some((service, name))
            if !service.is_empty() && !name.is_empty() && (service.to_owned() + name).chars().all(good) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("an action is given as kms:Decrypt, without wildcards".into()),
    }
}

/// Formats of `access` and `why`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AccessFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Reads the account once, or takes a case.
pub(super) fn seen(target: &Target, offline: Option<&Path>) -> Result<(SessionInfo, Inventory), Trouble> {
    if let Some(path) = offline {
        let case = super::case::open(path)?;
        let saved = super::case::latest(&case, path)?;
        return Ok((saved.session, saved.inventory));
    }
    runtime()?.block_on(async {
        let session = live::connect(target, None, &Clock::System).await?;
        let mut inventory = Inventory::default();
        crate::source::live::read_once(&session, &[], |envelope: Envelope| {
            if let Message::Update(update) = envelope.message {
                inventory.apply(*update);
            }
        })
        .await;
        Ok((session.info().clone(), inventory))
    })
}

/// Runs it.
pub(super) fn run(target: &Target, args: &AccessArgs) -> Result<Exit, Trouble> {
    let (session, inventory) = seen(target, args.offline.as_deref())?;
    let resource = Resource::of(&inventory, &session, &args.resource).map_err(|no| Trouble::new(Exit::Usage, no))?;
    if args.propose.is_asked() {
        return super::access_propose::run(&session, &inventory, &resource, &args.propose, &args.formats);
    }
    let way = args.how.way(&inventory)?;
    let actions: Vec<String> = if args.actions.is_empty() {
        resource.actions().iter().filter(|action| way.carries(action).is_ok()).map(|one| (*one).to_owned()).collect()
    } else {
        args.actions.iter().try_for_each(|action| way.carries(action))?;
        args.actions.clone()
    };
    if actions.is_empty() {
        let asked = resource.actions().first().map_or(Ok(()), |action| way.carries(action));
        asked?;
        let why = format!("which actions on {}? Name them with --action", resource.arn());
        return Err(Trouble::new(Exit::Usage, why));
    }
    let mut people = People::of(&inventory);
    let mut matrix = who_under(&inventory, &mut people, &resource, &actions, &way.scenario, &way.guards);
    matrix.notes.splice(0..0, way.notes());
    matrix.notes.splice(0..0, args.actions.iter().filter_map(|action| catalogue::doubt(action)));
    if let Resource::One(one) = &resource
        && one.grants.as_ref().is_ok_and(|grants| !grants.is_empty())
    {
        // G7: AWS KMS Developer Guide, "Eventual consistency for grants".
        let late = "a grant counts up to five minutes after it is made, at once with its token; one that is \
            retired or revoked may work as long";
        matrix.notes.push(Text::new(late));
    }
    let ways = obtain(&inventory, &people, &resource, &matrix);
    let said = remarks(&inventory, &resource, Clock::System.now());
    let mut out = io::BufWriter::new(io::stdout().lock());
    for format in &args.formats {
        match format {
            AccessFormat::Table => {
                let name = inventory.keys.get(matrix.resource.to_string().as_str()).map(Key::label);
                let seen = Seen { session: &session, name, matrix: &matrix, ways: &ways, remarks: &said };
                table(&seen, args.all, &mut out)?;
            }
            AccessFormat::Json => writeln!(out, "{:#}", document(&session, &matrix, &ways, &said))?,
        }
    }
    out.flush()?;
    Ok(if is_whole(&matrix, &ways) { Exit::Clean } else { Exit::Incomplete })
}

fn is_whole(matrix: &Matrix, ways: &Ways) -> bool {
    let open = |row: &Row| row.cells.iter().any(|cell| matches!(cell.decision, Decision::Uncertain { .. }));
    matrix.gaps.is_empty() && ways.gaps.is_empty() && !matrix.rows.iter().any(open)
}

/// One letter a cell.
fn letter(decision: &Decision) -> char {
    match decision {
        Decision::Allowed { .. } => 'Y',
        Decision::Conditional { .. } => 'c',
        Decision::Uncertain { .. } => '?',
        Decision::ExplicitlyDenied { .. } => 'x',
        Decision::ImplicitlyDenied { .. } => '-',
    }
}

/// Everything that is told.
struct Seen<'a> {
    session: &'a SessionInfo,
    /// What a person calls it, if that is not its ARN.
    name: Option<&'a str>,
    matrix: &'a Matrix,
    ways: &'a Ways,
    remarks: &'a [Remarked],
}

fn table(seen: &Seen<'_>, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let Seen { session, name, matrix, ways, remarks } = *seen;
    if let Some(name) = name {
        lines(out, "", name)?;
    }
    lines(out, "", matrix.resource.to_string().as_str())?;
    writeln!(out, "{}  account {}  region {}", session.mode.badge(), session.account, session.region)?;
    writeln!(out)?;
    for (at, action) in matrix.actions.iter().enumerate() {
        writeln!(out, "{:>3} {action}", at + 1)?;
    }
    writeln!(out, "    Y allowed  c under conditions  ? uncertain  - not allowed  x denied")?;
    writeln!(out, "  ! not of this account")?;
    writeln!(out)?;
    let heads = (1..=matrix.actions.len()).map(|n| format!("{n:>3}")).collect::<Vec<_>>().concat();
    writeln!(out, "{:<NAMES$}{heads}", "principal")?;
    let shown: Vec<&Row> = matrix.rows.iter().filter(|row| all || row.has_access() || row.who.is_synthetic()).collect();
    for row in &shown {
        let cells = row.cells.iter().map(|cell| format!("{:>3}", letter(&cell.decision))).collect::<Vec<_>>().concat();
        let mark = if row.foreign { "! " } else { "  " };
        let name = shorten_middle(row.who.name().as_str(), NAMES - 3).into_owned();
        let pad = " ".repeat((NAMES - 2).saturating_sub(name.width()));
        writeln!(out, "{mark}{name}{pad}{cells}")?;
    }
    let hidden = matrix.rows.len() - shown.len();
    if hidden > 0 {
        writeln!(out, "  … and {hidden} without any access (--all shows them)")?;
    }
    writeln!(out)?;
    writeln!(out, "Why:")?;
    for (names, reasons) in alike(shown.iter().filter(|row| row.has_access()), &matrix.actions) {
        lines(out, "  ", &names.join(", "))?;
        for (actions, words) in reasons {
            lines(out, "    ", &format!("{actions}: {words}"))?;
        }
    }
    writeln!(out)?;
    writeln!(out, "Who can obtain access:")?;
    if ways.ways.is_empty() {
        writeln!(out, "  nobody that was seen")?;
    }
    let own = ResourceId::new(matrix.resource.to_string());
    let mut last = None;
    for (who, what, on) in detours(ways, &own) {
        if last.as_ref() != Some(&who) {
            lines(out, "  ", who.as_str())?;
        }
        lines(out, "    ", &format!("{what} on {}", on.join(", ")))?;
        last = Some(who);
    }
    if !remarks.is_empty() {
        writeln!(out)?;
        writeln!(out, "To be said of its policies:")?;
        for remark in remarks {
            lines(out, "  ", remark.line().as_str())?;
        }
    }
    let gaps: Vec<_> = matrix.gaps.iter().chain(&ways.gaps).collect();
    if !gaps.is_empty() {
        writeln!(out)?;
        writeln!(out, "Not complete:")?;
        for gap in gaps {
            lines(out, "  ", gap.as_str())?;
        }
    }
    writeln!(out)?;
    for note in &matrix.notes {
        lines(out, "", &format!("note: {note}"))?;
    }
    Ok(())
}

/// Actions that are decided alike, with the reason.
type Reasons = Vec<(String, String)>;

/// Principals that may do the same for the same reasons, with the reasons; in the order of the first of them.
fn alike<'a>(rows: impl Iterator<Item = &'a &'a Row>, actions: &[String]) -> Vec<(Vec<String>, Reasons)> {
    let mut found: Vec<(Vec<String>, Reasons)> = Vec::new();
    for row in rows {
        let (name, why) = (row.who.name().as_str().to_owned(), reasons(row, actions));
        match found.iter_mut().find(|(_, held)| *held == why) {
            Some((names, _)) => names.push(name),
            None => found.push((vec![name], why)),
        }
    }
    found
}

/// The ways of one principal by one action for one reason, on all that it reaches so: who, the action with the
/// reason, and on what. Ordered by principal, as they came.
fn detours(ways: &Ways, own: &ResourceId) -> Vec<(String, String, Vec<String>)> {
    let mut found: Vec<(String, String, Vec<String>)> = Vec::new();
    for way in &ways.ways {
        let who = way.who.name().as_str().to_owned();
        let why = way.decision.words().as_str().replace(way.action.as_str(), "it");
        // What lets somebody become a role is its trust policy.
        let why = if way.action.starts_with("sts:") { why.replace("resource policy", "trust policy") } else { why };
        let what = format!("{}, {why},", way.action);
        let chain: Vec<&str> = way.through.iter().map(ResourceId::last).collect();
        let on = match (way.on == *own, &chain[..]) {
            (true, _) => "it".to_owned(),
            (false, []) => way.on.last().to_owned(),
            (false, chain) => format!("{} (through {})", way.on.last(), chain.join(", ")),
        };
        match found.iter_mut().find(|(held, same, _)| *held == who && *same == what) {
            Some((_, _, all)) => all.push(on),
            None => {
                let after = found.iter().rposition(|(held, _, _)| *held == who).map_or(found.len(), |at| at + 1);
                found.insert(after, (who, what, vec![on]));
            }
        }
    }
    found
}

/// The actions of a row that are decided alike, with the reason.
fn reasons(row: &Row, actions: &[String]) -> Reasons {
    let mut found = Reasons::new();
    for (action, cell) in actions.iter().zip(&row.cells).filter(|(_, cell)| !cell.decision.is_denied()) {
        let words = cell.decision.words().as_str().replace(action.as_str(), "it");
        let name = action.split_once(':').map_or(action.as_str(), |(_, name)| name);
        match found.iter_mut().find(|(_, held)| *held == words) {
            Some((names, _)) => {
                names.push_str(", ");
                names.push_str(name);
            }
            None => found.push((name.to_owned(), words)),
        }
    }
    found
}

/// Text in lines of 80 columns, indented.
pub(super) fn lines(out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    let text = safe(text);
    let width = WIDTH - indent.len();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            writeln!(out, "{indent}{line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            // An ARN is longer than a line: it goes on in the next.
            if line.width() >= width {
                writeln!(out, "{indent}{line}")?;
                line.clear();
            }
            line.push(letter);
        }
    }
    writeln!(out, "{indent}{line}")
}

fn document(session: &SessionInfo, matrix: &Matrix, ways: &Ways, remarks: &[Remarked]) -> Value {
    let rows: Vec<Value> = matrix
        .rows
        .iter()
        .map(|row| {
            let cells: serde_json::Map<String, Value> = matrix
                .actions
                .iter()
                .zip(&row.cells)
                .map(|(action, cell)| (action.clone(), super::why::answer(cell)))
                .collect();
            json!({
                "principal": row.who.id(),
                "name": row.who.name(),
                "foreign": row.foreign,
                "synthetic": row.who.is_synthetic(),
                "access": cells,
            })
        })
        .collect();
    let obtain: Vec<Value> = ways
        .ways
        .iter()
        .map(|way| {
            json!({
                "principal": way.who.id(),
                "action": way.action,
                "on": way.on,
                "through": way.through,
                "decision": way.decision.word(),
                "why": way.decision.words(),
            })
        })
        .collect();
    let remarks: Vec<Value> = remarks
        .iter()
        .map(|one| {
            let remark = &one.remark;
            json!({"code": remark.code, "policy": one.document, "pointer": remark.pointer, "words": remark.words})
        })
        .collect();
    json!({
        "schema": "bedwatch.access/1",
        "account": session.account,
        "region": session.region,
        "resource": matrix.resource,
        "actions": matrix.actions,
        "rows": rows,
        "obtain": obtain,
        "remarks": remarks,
        "complete": is_whole(matrix, ways),
        "gaps": matrix.gaps.iter().chain(&ways.gaps).collect::<Vec<_>>(),
        "notes": matrix.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_checked() {
        assert_eq!(action("kms:Decrypt"), Ok("kms:Decrypt".to_owned()));
        for bad in ["Decrypt", "kms:*", "kms:", ":x", "kms:De crypt"] {
            assert!(action(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn long_words_are_broken_at_the_edge() {
        let mut out = Vec::new();
        lines(&mut out, "  ", &format!("a {} b\u{1b}[2J", "x".repeat(200))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
