//! IAM: everything in one paged pass of `GetAccountAuthorizationDetails`.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail};

use super::{PAGE, failed, id, maybe_time, tags, text, time_or_zero};
use crate::aws::Session;
use crate::base::{ResourceId, Text};
use crate::inventory::iam::{Group, InlinePolicy, ManagedPolicy, Role, User};
use crate::inventory::{Document, ReadError, SourceId};

/// Who there is and what they may do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Authorization {
    /// Roles.
    pub roles: Vec<Role>,
    /// Users.
    pub users: Vec<User>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Managed policies that something uses, as policy or as boundary, and all of the account's own.
    pub policies: Vec<ManagedPolicy>,
}

/// `ListAccountAliases`; an account has one or none.
pub async fn account_alias(session: &Session) -> Result<Option<Text>, ReadError> {
    let answer = session.iam().list_account_aliases().send().await;
    answer
        .map(|answer| answer.account_aliases().first().map(Text::new))
        .map_err(|error| failed(session, SourceId::ACCOUNT_ALIAS, &error))
}

/// `GetAccountAuthorizationDetails`, every page.
pub async fn authorization(session: &Session) -> Result<Authorization, ReadError> {
    let mut pages = session.iam().get_account_authorization_details().into_paginator().page_size(PAGE).send();
    let mut found = Authorization::default();
    let mut foreign = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(session, SourceId::AUTHORIZATION, &error))?;
        found.roles.extend(page.role_detail_list().iter().filter_map(role));
        found.users.extend(page.user_detail_list().iter().filter_map(user));
        found.groups.extend(page.group_detail_list().iter().filter_map(group));
        foreign.extend(page.policies().iter().filter_map(managed_policy));
    }
    let used = found.used_policies();
    // why the filter: AWS's own policies number over a thousand, of which an account uses a few.
    foreign.retain(|policy| used.contains(&policy.arn) || policy.arn.arn().is_some_and(|arn| arn.account != "aws"));
    found.policies = foreign;
    Ok(found)
}

impl Authorization {
    fn used_policies(&self) -> BTreeSet<ResourceId> {
        let roles = self.roles.iter().flat_map(|role| role.attached.iter().chain(&role.boundary));
        let users = self.users.iter().flat_map(|user| user.attached.iter().chain(&user.boundary));
        let groups = self.groups.iter().flat_map(|group| &group.attached);
        roles.chain(users).chain(groups).cloned().collect()
    }
}

fn role(role: &RoleDetail) -> Option<Role> {
    Some(Role {
        arn: id(role.arn())?,
        name: text(role.role_name()),
        role_id: text(role.role_id()),
        trust: document(role.assume_role_policy_document()),
        inline: inline(role.role_policy_list()),
        attached: attached(role.attached_managed_policies()),
        boundary: role.permissions_boundary().and_then(|boundary| id(boundary.permissions_boundary_arn())),
        created: time_or_zero(role.create_date()),
        last_used: maybe_time(role.role_last_used().and_then(|used| used.last_used_date())),
        tags: tags(role.tags().iter().map(|tag| (tag.key(), tag.value()))),
    })
}

fn user(user: &UserDetail) -> Option<User> {
    Some(User {
        arn: id(user.arn())?,
        name: text(user.user_name()),
        user_id: text(user.user_id()),
        groups: user.group_list().iter().map(Text::new).collect(),
        inline: inline(user.user_policy_list()),
        attached: attached(user.attached_managed_policies()),
        boundary: user.permissions_boundary().and_then(|boundary| id(boundary.permissions_boundary_arn())),
        created: time_or_zero(user.create_date()),
        tags: tags(user.tags().iter().map(|tag| (tag.key(), tag.value()))),
    })
}

fn group(group: &GroupDetail) -> Option<Group> {
    Some(Group {
        arn: id(group.arn())?,
        name: text(group.group_name()),
        inline: inline(group.group_policy_list()),
        attached: attached(group.attached_managed_policies()),
    })
}

fn managed_policy(policy: &ManagedPolicyDetail) -> Option<ManagedPolicy> {
    let default = policy.policy_version_list().iter().find(|version| version.is_default_version());
    let arn = id(policy.arn())?;
    Some(ManagedPolicy {
        name: policy.policy_name().map_or_else(|| arn.last().into(), Text::new),
        arn,
        version: text(policy.default_version_id()),
        document: document(default.and_then(|version| version.document())),
    })
}

fn inline(policies: &[PolicyDetail]) -> Vec<InlinePolicy> {
    policies
        .iter()
        .map(|policy| InlinePolicy { name: text(policy.policy_name()), document: document(policy.policy_document()) })
        .collect()
}

fn attached(policies: &[AttachedPolicy]) -> Vec<ResourceId> {
    policies.iter().filter_map(|policy| id(policy.policy_arn())).collect()
}

/// IAM returns documents URL-encoded (RFC 3986). One that is missing becomes an empty document, which
/// no parser takes for a policy: a rule that needs it says so instead of passing.
fn document(encoded: Option<&str>) -> Document {
    let encoded = encoded.unwrap_or_default();
    // why the test: a server that does not encode would otherwise lose the percent signs of its policy.
    if encoded.trim_start().starts_with('{') {
        return Document::new(encoded);
    }
    Document::new(decode(encoded))
}

/// Percent decoding. What is no escape stays as it is; bytes that are no UTF-8 become U+FFFD.
fn decode(encoded: &str) -> String {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = encoded.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            // Two hex digits fit a byte.
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_iam::types::{AttachedPermissionsBoundary, PolicyVersion, RoleLastUsed, Tag};
    use aws_smithy_types::DateTime;
    use proptest::prelude::*;

    #[test]
    fn documents_are_decoded_and_broken_ones_stay() {
        for (encoded, raw) in [
            ("%7B%22Version%22%3A%222012-10-17%22%7D", r#"{"Version":"2012-10-17"}"#),
            (r#"{"Resource":"arn:aws:s3:::a%20b"}"#, r#"{"Resource":"arn:aws:s3:::a%20b"}"#),
            ("%7B%22a%22%3A%22%2525%22%7D", r#"{"a":"%25"}"#),
            ("%7Bnot+json%2", "{not+json%2"),
            ("%E6%97%A5", "日"),
            ("%FF", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(document(Some(encoded)).raw(), raw);
        }
        assert!(document(Some("%7Bnot")).json().is_err());
        assert!(document(None).json().is_err());
    }

    #[test]
    fn a_role_in_full() {
        let detail = RoleDetail::builder()
            .arn("arn:aws:iam::123456789012:role/ml/OrionTuner")
            .role_name("OrionTuner")
            .role_id("AROA1")
            .create_date(DateTime::from_secs(5))
            .assume_role_policy_document("%7B%22Statement%22%3A%5B%5D%7D")
            .role_policy_list(PolicyDetail::builder().policy_name("data").policy_document("%7B%7D").build())
            .attached_managed_policies(AttachedPolicy::builder().policy_arn("arn:aws:iam::aws:policy/X").build())
            .permissions_boundary(
                AttachedPermissionsBoundary::builder().permissions_boundary_arn("arn:aws:iam::1:policy/B").build(),
            )
            .tags(Tag::builder().key("env").value("prod\x1b[m").build().unwrap())
            .role_last_used(RoleLastUsed::builder().last_used_date(DateTime::from_secs(9)).build())
            .build();
        let role = role(&detail).unwrap();
        assert_eq!(role.trust.raw(), r#"{"Statement":[]}"#);
        assert_eq!((role.inline.len(), role.attached.len(), role.boundary.is_some()), (1, 1, true));
        assert_eq!(role.last_used.unwrap().millis(), 9000);
        assert_eq!(role.tags.get(&Text::new("env")).unwrap().as_str(), "prod␛[m");
        assert_eq!(super::role(&RoleDetail::builder().role_name("no arn").build()), None);
        let found = Authorization { roles: vec![role], ..Authorization::default() };
        assert_eq!(found.used_policies().len(), 2);
    }

    #[test]
    fn the_default_version_is_the_one_that_counts() {
        let version = |id: &str, default, document: &str| {
            PolicyVersion::builder().version_id(id).is_default_version(default).document(document).build()
        };
        let policy = ManagedPolicyDetail::builder()
            .arn("arn:aws:iam::123456789012:policy/P")
            .default_version_id("v1")
            .policy_version_list(version("v2", false, "%7B%22v%22%3A2%7D"))
            .policy_version_list(version("v1", true, "%7B%22v%22%3A1%7D"))
            .build();
        assert_eq!(managed_policy(&policy).unwrap().document.raw(), r#"{"v":1}"#);
    }

    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(text in any::<String>()) {
            let encoded: String = text.bytes().flat_map(|byte| ['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).collect();
            prop_assert_eq!(decode(&encoded), text);
        }
    }
}
