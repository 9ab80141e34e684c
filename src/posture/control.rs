//! What a control is, and what it looks at.

use super::baseline::Baseline;
use super::expectations::Expectations;
use super::judge::Judge;
use super::verdict::{Area, Severity, Verdict};
use crate::activity::Watch;
use crate::base::arn::ArnKind;
use crate::base::{ResourceId, Timestamp};
use crate::inventory::kms::Key;
use crate::inventory::{Inventory, Kind, Lineage, ResourceRef, SessionInfo, SourceId};

/// A rule of the catalogue.
#[derive(Debug)]
pub struct Control {
    /// `CUS-KMS-01`, …
    pub id: &'static str,
    /// One line, as it should be.
    pub title: &'static str,
    /// How bad a failure is, unless the sub-reason says otherwise.
    pub severity: Severity,
    /// Its area.
    pub area: Area,
    /// What it judges, in the plural: it ends the sentence "there are no …".
    pub what: &'static str,
    /// Sources that say which resources there are. When one is not complete, the resources known are
    /// still judged, and one Unknown on the region says that there may be more.
    pub lists: &'static [SourceId],
    /// Sources that are only right as a whole (route tables, roles). When one is not complete, nothing
    /// that rests on it passes.
    pub tables: &'static [SourceId],
    /// Sources that are read resource by resource: what was not read makes its resource Unknown.
    /// Those of a deep look (here and in `lists`) are no gap in a look that was not asked to be one.
    pub details: &'static [SourceId],
    /// How it decides, for people.
    pub logic: &'static str,
    /// The sub-reasons of its findings: a contract with reports, mutes and tests.
    pub reasons: &'static [&'static str],
    /// What to do about a finding.
    pub remediation: &'static str,
    /// An AWS CLI line with places to fill in.
    pub cli: &'static str,
    /// Frameworks and the ids in them.
    pub compliance: &'static [(&'static str, &'static [&'static str])],
    /// Fixes of the catalogue that bedwatch can make.
    pub fixes: &'static [&'static str],
    /// The rule. Returns nothing when there is nothing to judge.
    pub evaluate: fn(&Judge<'_>) -> Vec<Verdict>,
}

/// What says which policies bind principals from above their account.
const ABOVE: &[SourceId] = &[
    SourceId::ORGANIZATIONS,
    SourceId::ORGANIZATION_PATH,
    SourceId::ORGANIZATION_POLICIES,
    SourceId::ORGANIZATION_DOCUMENTS,
];

impl Control {
    /// Every source it needs. One that is not complete makes it Unknown.
    pub fn needs(&self) -> impl Iterator<Item = SourceId> + use<'_> {
        [self.lists, self.tables, self.details].into_iter().flatten().copied()
    }

    /// Every source that its verdicts stand on: beside those it needs, where rights of principals are judged, the
    /// policies of the organization. Where these are not seen, a verdict that hangs on them says so itself.
    pub fn sources(&self) -> impl Iterator<Item = SourceId> + use<'_> {
        let above = if self.needs().any(|source| source == SourceId::AUTHORIZATION) { ABOVE } else { &[] };
        let needs = || self.needs();
        needs().chain(above.iter().copied().filter(move |source| !needs().any(|held| held == *source)))
    }

    /// Whether it can say nothing without a deep look: what it judges is only listed by one. A control that
    /// has a deep source among its details alone judges the rest without it.
    pub fn is_deep(&self) -> bool {
        self.lists.iter().any(|source| source.is_deep())
    }
}

/// What all controls look at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What exists.
    pub inventory: &'a Inventory,
    /// How it hangs together.
    pub lineage: &'a Lineage,
    /// Our account, twelve digits.
    pub account: &'a str,
    /// The region's code.
    pub region: &'a str,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: &'a str,
    /// The time of the assessment.
    pub now: Timestamp,
    /// What is expected of the account beyond the catalogue.
    pub expect: &'a Expectations,
    /// What was done lately, where that was read.
    pub activity: Option<&'a Watch>,
    /// What earlier deep looks saw, where they were kept.
    pub baseline: Option<&'a Baseline>,
}

impl<'a> Context<'a> {
    /// Of a session.
    pub fn of(
        inventory: &'a Inventory,
        lineage: &'a Lineage,
        session: &'a SessionInfo,
        now: Timestamp,
        expect: &'a Expectations,
    ) -> Self {
        Self {
            inventory,
            lineage,
            account: session.account.as_str(),
            region: session.region.as_str(),
            partition: session.partition.as_str(),
            now,
            expect,
            activity: None,
            baseline: None,
        }
    }

    /// The same with what was done lately.
    #[must_use]
    pub fn with_activity(self, activity: &'a Watch) -> Self {
        Self { activity: Some(activity), ..self }
    }

    /// The same with what earlier deep looks saw.
    #[must_use]
    pub fn with_baseline(self, baseline: &'a Baseline) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// The region as a resource: what a verdict is about when it is about no single thing.
    pub fn region_ref(&self) -> ResourceRef {
        ResourceRef::new(Kind::Region, self.region)
    }

    /// A key by whatever names it: ARN, alias ARN, alias or bare id. Services let users write any.
    pub fn key(&self, named: &ResourceId) -> Option<&'a Key> {
        let keys = &self.inventory.keys;
        if let Some(key) = keys.get(named) {
            return Some(key);
        }
        let arn = named.arn();
        let home = |key: &&Key| {
            let held = key.arn.arn();
            held.is_some_and(|held| match &arn {
                Some(arn) => (&held.account, &held.region) == (&arn.account, &arn.region),
                None => held.account == self.account && held.region == self.region,
            })
        };
        let alias = match &arn {
            Some(arn) if arn.kind() == ArnKind::Alias => arn.resource.strip_prefix("alias/"),
            Some(_) => return None,
            None => named.as_str().strip_prefix("alias/"),
        };
        match alias {
            Some(alias) => keys.values().filter(home).find(|key| key.aliases.iter().any(|held| held == alias)),
            None => keys.values().filter(home).find(|key| key.arn.last() == named.as_str()),
        }
    }

    /// Whether an account is ours or trusted.
    pub fn trusts(&self, account: &str) -> bool {
        account == self.account || self.expect.trusted_accounts.contains(account)
    }

    /// What a person calls a resource.
    pub fn name_of(&self, reference: &ResourceRef) -> String {
        self.inventory.name_of(reference)
    }
}
