//! Who calls, and whom a statement names (P1–P7).

use crate::base::Arn;
use crate::base::arn::ArnKind;
use crate::base::text::safe;

use super::decision::Tri;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Caller {
    /// A session of a role.
    Role {
        /// The role's ARN, with its path if it is known (a session ARN carries none).
        arn: Arn,
        /// The session's name, if the question is about one session.
        session: Option<String>,
    },
    /// A user; with an ARN of `sts`, the session of a federated user.
    User(Arn),
    /// The root user of an account.
    Root(Arn),
    /// An AWS service under its own name (`bedrock.amazonaws.com`), not on behalf of somebody.
    Service(String),
}

/// Why a string names no caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no role, role session, user, account root or service principal")]
pub struct NotACaller(String);

impl Caller {
    /// Whether it is the session of a federated user. By which user it was federated, its ARN does not tell.
    pub fn is_federated(&self) -> bool {
        matches!(self, Self::User(arn) if arn.service == "sts")
    }

    /// From an ARN of a role, a role session, a user or an account's root, or from a service principal.
    pub fn parse(text: &str) -> Result<Self, NotACaller> {
        let no = || NotACaller(safe(text).chars().take(120).collect());
        if is_service(text) {
            return Ok(Self::Service(text.to_owned()));
        }
        let arn: Arn = text.parse().map_err(|_| no())?;
        match arn.kind() {
            ArnKind::Role => Ok(Self::Role { arn, session: None }),
            ArnKind::User => Ok(Self::User(arn)),
            _ if arn.service == "sts" && arn.resource.starts_with("federated-user/") => Ok(Self::User(arn)),
            ArnKind::AccountRoot => Ok(Self::Root(arn)),
            ArnKind::AssumedRole => {
                let (role, session) = arn.assumed_role().ok_or_else(no)?;
                let session = Some(session.to_owned());
                Ok(Self::Role { arn: arn.sibling("iam", &format!("role/{role}")), session })
            }
            _ => Err(no()),
        }
    }

    /// Its account; none for a service.
    pub fn account(&self) -> Option<&str> {
        self.arn().map(|arn| arn.account.as_str())
    }

    /// The role, user or root; none for a service.
    pub fn arn(&self) -> Option<&Arn> {
        match self {
            Self::Role { arn, .. } | Self::User(arn) | Self::Root(arn) => Some(arn),
            Self::Service(_) => None,
        }
    }

    /// What a person calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Role { arn, .. } | Self::User(arn) => arn.name(),
            Self::Root(_) => "root user",
            Self::Service(name) => name,
        }
    }
}

fn is_service(text: &str) -> bool {
    !text.contains(':') && (text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn"))
}

/// One entry of `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalEntry {
    /// `"*"` or `{"AWS":"*"}` (P1).
    Everyone,
    /// An account: its root ARN or its twelve digits (P2).
    Account(String),
    /// A role, user, role session or federated user by ARN (P3).
    Arn(Arn),
    /// `AROA…`, `AIDA…`: whoever had it is gone; matches nobody (P5).
    UniqueId(String),
    /// A service principal (P4).
    Service(String),
    /// An identity provider: for trust policies (P6).
    Federated(String),
    /// An S3 canonical user.
    Canonical(String),
}

impl PrincipalEntry {
    /// From the kind (`AWS`, `Service`, …) and the value; `None` for what AWS refuses.
    pub fn new(kind: &str, value: &str) -> Option<Self> {
        match kind {
            "AWS" if value == "*" => Some(Self::Everyone),
            "AWS" if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Self::Account(value.into()))
            }
            "AWS" if is_unique_id(value) => Some(Self::UniqueId(value.to_owned())),
            "AWS" => {
                let arn: Arn = value.parse().ok()?;
                match arn.kind() {
                    ArnKind::AccountRoot if arn.resource == "root" => Some(Self::Account(arn.account)),
                    // No wildcard inside an ARN (P1), no group (P6).
                    ArnKind::Role | ArnKind::User | ArnKind::AssumedRole if !value.contains(['*', '?']) => {
                        Some(Self::Arn(arn))
                    }
                    _ if arn.service == "sts" && arn.resource.starts_with("federated-user/") => Some(Self::Arn(arn)),
                    _ => None,
                }
            }
            "Service" => Some(Self::Service(value.to_owned())),
            "Federated" => Some(Self::Federated(value.to_owned())),
            "CanonicalUser" => Some(Self::Canonical(value.to_owned())),
            _ => None,
        }
    }

    /// The account it belongs to, where it says so.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Account(id) => Some(id),
            Self::Arn(arn) => Some(&arn.account),
            _ => None,
        }
    }

    /// As the policy writes it, not safe to draw.
    pub fn written(&self) -> String {
        match self {
            Self::Everyone => "*".to_owned(),
            Self::Arn(arn) => arn.to_string(),
            Self::Account(text)
            | Self::UniqueId(text)
            | Self::Service(text)
            | Self::Federated(text)
            | Self::Canonical(text) => text.clone(),
        }
    }

    /// How it meets a caller.
    pub fn meets(&self, caller: &Caller) -> Match {
        let account = |id: &str| caller.account() == Some(id);
        match (self, caller) {
            (Self::Everyone, _) => Match::As(Class::Direct),
            (Self::Service(name) | Self::Federated(name), Caller::Service(caller)) if name == caller => {
                Match::As(Class::Service)
            }
            (Self::Account(id), _) if account(id) => Match::As(Class::Account),
            (Self::Arn(named), Caller::User(user)) if named == user => Match::As(Class::Direct),
            (Self::Arn(named), Caller::User(user))
                if caller.is_federated()
                    && named.kind() == ArnKind::User
                    && (&named.partition, &named.account) == (&user.partition, &user.account) =>
            {
                Match::IfFederatedBy(named.to_string())
            }
            (Self::Arn(named), Caller::Role { arn, session }) => match named.kind() {
                ArnKind::Role if same_role(named, arn, named.name()) => Match::As(Class::RoleOfSession),
                ArnKind::AssumedRole => match named.assumed_role() {
                    Some((role, name)) if same_role(named, arn, role) => match session {
                        Some(session) if session == name => Match::As(Class::Direct),
                        Some(_) => Match::None,
                        None => Match::IfSession(name.to_owned()),
                    },
                    _ => Match::None,
                },
                _ => Match::None,
            },
            _ => Match::None,
        }
    }
}

/// A role is one by partition, account and name: names are unique whatever the path.
fn same_role(named: &Arn, role: &Arn, name: &str) -> bool {
    named.partition == role.partition && named.account == role.account && name == role.name()
}

/// `AIDA…`, `AROA…` and their kin: four letters of kind, then letters and digits, no separators.
fn is_unique_id(text: &str) -> bool {
    const KINDS: &[&str] = &["AIDA", "AROA", "AGPA", "AIPA", "ANPA", "ASCA"];
    text.get(..4).is_some_and(|kind| KINDS.contains(&kind))
        && text.len() >= 8
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// As what an entry meets a caller. The class decides which other layers must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Through its account: the identity side must allow too.
    Account,
    /// Through the role of the session, or the user who federated it: limited by boundary and session policy.
    RoleOfSession,
    /// Itself, or as one of everybody.
    Direct,
    /// As a service.
    Service,
}

/// Whether an entry meets a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Not.
    None,
    /// It does.
    As(Class),
    /// It does, directly, if the session has this name.
    IfSession(String),
    /// It does, through the user, if that user federated it.
    IfFederatedBy(String),
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principals {
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// The entries.
    pub entries: Vec<PrincipalEntry>,
}

impl Principals {
    /// How a `Principal` meets a caller: every class once. `NotPrincipal` in an Allow is everybody (P7).
    pub fn meet(&self, caller: &Caller) -> Vec<Match> {
        if self.negated {
            return vec![Match::As(Class::Direct)];
        }
        let mut met: Vec<Match> = Vec::new();
        let mut classes: Vec<Class> = Vec::new();
        for entry in &self.entries {
            match entry.meets(caller) {
                Match::None => {}
                // why by themselves: classes are four, but a policy may name a hundred thousand sessions.
                Match::As(class) if classes.contains(&class) => {}
                one => {
                    if let Match::As(class) = one {
                        classes.push(class);
                    }
                    met.push(one);
                }
            }
        }
        met
    }

    /// Whether a `NotPrincipal` Deny strikes a caller (P7): it is spared only if its whole chain is
    /// listed; with a boundary it never is. `holds` says whether an entry meets it at all: that may take the name of
    /// the session, or the user who federated it.
    pub fn strikes(&self, caller: &Caller, has_boundary: bool, holds: impl Fn(&Match) -> Tri) -> Tri {
        if self.entries.contains(&PrincipalEntry::Everyone) {
            return Tri::No;
        }
        let met: Vec<(Tri, Match)> = self
            .entries
            .iter()
            .map(|entry| entry.meets(caller))
            .map(|met| (holds(&met), met))
            .filter(|(holds, _)| *holds != Tri::No)
            .collect();
        let listed = |class: Class| met.iter().any(|(_, met)| *met == Match::As(class));
        let named = listed(Class::Direct)
            || met.iter().any(|(holds, met)| matches!(met, Match::IfSession(_)) && *holds == Tri::Yes);
        let chain: Vec<bool> = match caller {
            Caller::Service(_) => vec![listed(Class::Service)],
            Caller::Root(_) => vec![listed(Class::Account)],
            _ if has_boundary => return Tri::Yes,
            Caller::User(_) => vec![listed(Class::Account), named],
            Caller::Role { .. } => vec![listed(Class::Account), listed(Class::RoleOfSession), named],
        };
        match chain.iter().filter(|listed| **listed).count() {
            0 if met.is_empty() => Tri::Yes,
            all if all == chain.len() => Tri::No,
            _ => Tri::Maybe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str) -> PrincipalEntry {
        PrincipalEntry::new("AWS", value).unwrap()
    }

    #[test]
    fn entries_meet_callers() {
        let role = Caller::parse("arn:aws:iam::123456789012:role/ml/Tuner").unwrap();
        let session = Caller::parse("arn:aws:sts::123456789012:assumed-role/Tuner/s1").unwrap();
        let user = Caller::parse("arn:aws:iam::123456789012:user/zoe").unwrap();
        let service = Caller::parse("bedrock.amazonaws.com").unwrap();
        let federated = Caller::parse("arn:aws:sts::123456789012:federated-user/zoe").unwrap();
        let by = |user: &str| Match::IfFederatedBy(user.to_owned());
        use Class::{Account, Direct, RoleOfSession};
        for (value, caller, expected) in [
            ("*", &role, Match::As(Direct)),
            ("*", &service, Match::As(Direct)),
            ("123456789012", &role, Match::As(Account)),
            ("arn:aws:iam::123456789012:root", &user, Match::As(Account)),
            ("arn:aws:iam::999999999999:root", &user, Match::None),
            ("arn:aws:iam::123456789012:root", &service, Match::None),
            ("arn:aws:iam::123456789012:role/ml/Tuner", &role, Match::As(RoleOfSession)),
            ("arn:aws:iam::123456789012:role/ml/Tuner", &session, Match::As(RoleOfSession)),
            ("arn:aws:iam::123456789012:role/tuner", &role, Match::None),
            ("arn:aws-cn:iam::123456789012:role/Tuner", &role, Match::None),
            ("arn:aws:sts::123456789012:assumed-role/Tuner/s1", &session, Match::As(Direct)),
            ("arn:aws:sts::123456789012:assumed-role/Tuner/s2", &session, Match::None),
            ("arn:aws:sts::123456789012:assumed-role/Tuner/s1", &role, Match::IfSession("s1".into())),
            ("arn:aws:iam::123456789012:user/zoe", &user, Match::As(Direct)),
            ("arn:aws:iam::123456789012:user/Zoe", &user, Match::None),
            ("AROAEXAMPLEID1234567", &role, Match::None),
            ("arn:aws:sts::123456789012:federated-user/zoe", &federated, Match::As(Direct)),
            ("arn:aws:sts::123456789012:federated-user/zoe", &user, Match::None),
            ("arn:aws:sts::123456789012:federated-user/max", &federated, Match::None),
            ("arn:aws:iam::123456789012:user/x/max", &federated, by("arn:aws:iam::123456789012:user/x/max")),
            ("arn:aws:iam::999999999999:user/max", &federated, Match::None),
            ("arn:aws:iam::123456789012:role/max", &federated, Match::None),
            ("123456789012", &federated, Match::As(Account)),
        ] {
            assert_eq!(entry(value).meets(caller), expected, "{value} × {caller:?}");
        }
        let bedrock = PrincipalEntry::new("Service", "bedrock.amazonaws.com").unwrap();
        assert_eq!((bedrock.meets(&service), bedrock.meets(&role)), (Match::As(Class::Service), Match::None));
    }

    #[test]
    fn what_aws_refuses_is_no_principal() {
        for value in ["arn:aws:iam::1:role/*", "arn:aws:iam::1:group/x", "zoe", "", "arn:aws:s3:::b", "12345678901"] {
            assert_eq!(PrincipalEntry::new("AWS", value), None, "{value}");
        }
        assert!(Caller::parse("arn:aws:iam::1:group/x").is_err());
        assert!(Caller::parse("\u{202e}").unwrap_err().to_string().contains("⟨U+202E⟩"));
    }

    #[test]
    fn not_principal_spares_a_whole_chain_only() {
        let role = Caller::parse("arn:aws:iam::123456789012:role/Tuner").unwrap();
        let session = Caller::parse("arn:aws:sts::123456789012:assumed-role/Tuner/s1").unwrap();
        let federated = Caller::parse("arn:aws:sts::123456789012:federated-user/zoe").unwrap();
        let list = |values: &[&str]| Principals { negated: true, entries: values.iter().map(|v| entry(v)).collect() };
        let root = "arn:aws:iam::123456789012:root";
        let (by_role, by_session) =
            ("arn:aws:iam::123456789012:role/Tuner", "arn:aws:sts::123456789012:assumed-role/Tuner/s1");
        for (values, caller, boundary, expected) in [
            (vec![root, by_role, by_session], &session, false, Tri::No),
            (vec![root, by_role, by_session], &session, true, Tri::Yes),
            (vec![root, by_role, by_session], &role, false, Tri::Maybe),
            (vec![by_role], &role, false, Tri::Maybe),
            (vec!["999999999999"], &role, false, Tri::Yes),
            (vec!["*"], &role, false, Tri::No),
            (vec![root, "arn:aws:sts::123456789012:federated-user/zoe"], &federated, false, Tri::No),
            (vec!["arn:aws:iam::123456789012:user/max"], &federated, false, Tri::Maybe),
            (vec!["arn:aws:iam::999999999999:user/max"], &federated, false, Tri::Yes),
        ] {
            let holds = |met: &Match| match met {
                Match::None => Tri::No,
                Match::As(_) => Tri::Yes,
                Match::IfSession(_) | Match::IfFederatedBy(_) => Tri::Maybe,
            };
            assert_eq!(list(&values).strikes(caller, boundary, holds), expected, "{values:?}");
        }
        // What is known of the session, or of who federated it, decides.
        let told = |met: &Match| Tri::from(matches!(met, Match::As(_) | Match::IfSession(_)));
        assert_eq!(list(&[root, by_role, by_session]).strikes(&role, false, told), Tri::No);
        assert_eq!(list(&["arn:aws:iam::123456789012:user/max"]).strikes(&federated, false, told), Tri::Yes);
    }
}
