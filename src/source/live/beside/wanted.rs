//! What each list around Bedrock asks for, by what is known so far.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ResourceId;
use crate::inventory::bedrock::S3Uri;
use crate::inventory::{Inventory, Kind, Lineage, SourceId};
use crate::source::live::known::Known;

type S = SourceId;

/// What one list asks for; each list uses its own part.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::source::live) struct Wanted {
    /// Ids, names or ARNs.
    pub(super) ids: Vec<ResourceId>,
    /// What may be in the answer.
    pub(super) among: BTreeSet<ResourceId>,
    /// Ids by what they belong to.
    pub(super) groups: BTreeMap<ResourceId, Vec<ResourceId>>,
    /// Data.
    pub(super) data: Vec<S3Uri>,
    /// It is known already that there is nothing to ask.
    pub(super) nothing: bool,
}

impl Wanted {
    pub(in crate::source::live) fn of(source: S, inventory: &Inventory, known: &Known, partition: &str) -> Self {
        let ids = |ids: Vec<ResourceId>| Self { ids, ..Self::default() };
        let each = |ids: &mut dyn Iterator<Item = &ResourceId>| ids.cloned().collect::<Vec<_>>();
        match source {
            S::FLOW_LOGS => {
                // why not the list of VPCs alone: a log of a VPC must be found where VPCs may not be described.
                let of_subnets = inventory.subnets.values().map(|subnet| &subnet.vpc);
                let vpcs: BTreeSet<&ResourceId> = inventory.vpcs.keys().chain(of_subnets).collect();
                ids(each(&mut vpcs.into_iter().chain(inventory.subnets.keys())))
            }
            S::DHCP_OPTIONS => ids(each(&mut inventory.vpcs.values().filter_map(|vpc| vpc.dhcp_options.as_ref()))),
            S::PREFIX_LISTS => ids(prefix_lists(inventory)),
            S::METRICS => ids(each(
                &mut inventory
                    .throughputs
                    .keys()
                    .chain(inventory.deployments.keys())
                    .chain(inventory.imported_models.keys()),
            )),
            S::ORGANIZATION_PATH => {
                Self { nothing: inventory.settings.organization.known() == Ok(&None), ..Self::default() }
            }
            S::ORGANIZATION_POLICIES => ids(inventory.settings.organization_path.last().cloned().unwrap_or_default()),
            S::ANALYZER_FINDINGS => {
                let watching = inventory.analyzers.values().filter(|analyzer| analyzer.watches_outside());
                Self {
                    ids: watching.map(|analyzer| analyzer.arn.clone()).collect(),
                    among: exposed(inventory, known, partition),
                    ..Self::default()
                }
            }
            S::THREATS => ids(each(&mut inventory.detectors.keys())),
            S::THREAT_DETAILS => {
                let mut groups: BTreeMap<ResourceId, Vec<ResourceId>> = BTreeMap::new();
                for threat in inventory.threats.values() {
                    groups.entry(threat.detector.clone()).or_default().push(threat.id.clone());
                }
                Self { groups, ..Self::default() }
            }
            S::MACIE_BUCKETS | S::SENSITIVE_FINDINGS => ids(each(&mut known.reached_buckets.iter())),
            S::SENSITIVE_DETAILS => ids(each(&mut inventory.sensitive_findings.keys())),
            S::SAGEMAKER => Self { data: imported(inventory), ..Self::default() },
            S::FUNCTIONS => {
                let details = inventory.jobs.values().filter_map(|job| job.detail.last());
                let graders: BTreeSet<_> = details.filter_map(|detail| detail.grader.clone()).collect();
                ids(graders.into_iter().collect())
            }
            _ => Self::default(),
        }
    }
}

/// Prefix lists that routes and security groups name.
fn prefix_lists(inventory: &Inventory) -> Vec<ResourceId> {
    let groups = inventory.security_groups.values().flat_map(|group| group.ingress.iter().chain(&group.egress));
    let peers = groups.flat_map(|permission| &permission.peers);
    let routes = inventory.route_tables.values().flat_map(|table| &table.routes).map(|route| &route.destination);
    let lists: BTreeSet<_> = peers
        .chain(routes)
        .filter(|text| text.as_str().starts_with("pl-"))
        .map(|text| ResourceId::new(text.as_str()))
        .collect();
    lists.into_iter().collect()
}

/// ARNs of what lineage reaches and Access Analyzer looks at.
fn exposed(inventory: &Inventory, known: &Known, partition: &str) -> BTreeSet<ResourceId> {
    let buckets = known.reached_buckets.iter().map(|name| ResourceId::new(format!("arn:{partition}:s3:::{name}")));
    let roles = Lineage::of(inventory).reached(Kind::Role);
    buckets.chain(known.reached_keys.iter().cloned()).chain(roles).collect()
}

/// Where imported models came from.
fn imported(inventory: &Inventory) -> Vec<S3Uri> {
    let jobs = inventory.import_jobs.values().filter_map(|job| job.detail.last()?.data.clone());
    let models = inventory.imported_models.values().filter_map(|model| model.detail.last()?.data.clone());
    let all: BTreeSet<_> = jobs.chain(models).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Generation, Timestamp};
    use crate::inventory::ec2::{Permission, Route, RouteTable, SecurityGroup};
    use crate::inventory::organization::Organization;
    use crate::inventory::{Items, Mode, Read, SessionInfo, Setting, Update};

    fn known() -> Known {
        Known::new(&SessionInfo {
            generation: Generation(1),
            account: "123456789012".into(),
            alias: None,
            principal: "arn:aws:sts::123456789012:assumed-role/a/b".into(),
            partition: "aws-cn".into(),
            region: "cn-north-1".into(),
            mode: Mode::ReadOnly,
            profile: None,
            endpoint: None,
            expires: None,
        })
    }

    fn wanted(source: S, inventory: &Inventory) -> Wanted {
        let mut known = known();
        known.reached_buckets.insert("train".into());
        Wanted::of(source, inventory, &known, "aws-cn")
    }

    #[test]
    fn prefix_lists_are_those_that_rules_and_routes_name() {
        let mut inventory = Inventory::default();
        let peers = vec!["10.0.0.0/8".into(), "pl-2".into()];
        let egress = vec![Permission { protocol: "tcp".into(), ports: None, peers }];
        let group = SecurityGroup { id: "sg".into(), name: "".into(), vpc: "v".into(), ingress: Vec::new(), egress };
        let routes = ["pl-1", "pl-2", "0.0.0.0/0"].map(|to| Route {
            destination: to.into(),
            target: "vpce-1".into(),
            state: "active".into(),
        });
        let table = RouteTable {
            id: "rtb".into(),
            name: "".into(),
            vpc: "v".into(),
            main: true,
            subnets: Vec::new(),
            routes: routes.to_vec(),
        };
        inventory.apply(Update::Listed(Items::SecurityGroup(vec![group])));
        inventory.apply(Update::Listed(Items::RouteTable(vec![table])));
        assert_eq!(wanted(S::PREFIX_LISTS, &inventory).ids, ["pl-1", "pl-2"]);
    }

    #[test]
    fn an_account_in_no_organization_has_no_path_and_one_that_was_denied_is_asked() {
        let mut inventory = Inventory::default();
        assert!(!wanted(S::ORGANIZATION_PATH, &inventory).nothing);
        let at = Timestamp::from_secs(1);
        inventory.apply(Update::Setting(Setting::Organization(Read::got(None, at))));
        assert!(wanted(S::ORGANIZATION_PATH, &inventory).nothing);
        let member =
            Organization { id: "o".into(), arn: "a".into(), management_account: "1".into(), features: "ALL".into() };
        inventory.apply(Update::Setting(Setting::Organization(Read::got(Some(member), at))));
        assert!(!wanted(S::ORGANIZATION_PATH, &inventory).nothing);
    }

    #[test]
    fn buckets_are_asked_about_by_name_and_by_arn_of_the_partition() {
        let inventory = Inventory::default();
        assert_eq!(wanted(S::MACIE_BUCKETS, &inventory).ids, ["train"]);
        let among = wanted(S::ANALYZER_FINDINGS, &inventory).among;
        assert_eq!(among.into_iter().collect::<Vec<_>>(), ["arn:aws-cn:s3:::train"]);
    }
}
