//! What EC2 answers, as XML, and the inventory's types made of it. Shapes follow the Amazon EC2 API
//! Reference, version 2016-11-15.

use serde::Deserialize;

use crate::base::{ResourceId, Text};
use crate::inventory::ec2::{
    BlockPublicAccess, DhcpOptions, Endpoint, FlowLog, Permission, PrefixList, Route, RouteTable, SecurityGroup,
    Subnet, Vpc,
};
use crate::inventory::{Document, Read};

/// One page of a `Describe*` call.
pub(super) trait Page: for<'de> Deserialize<'de> + std::fmt::Debug + Send + Sync + 'static {
    /// What it lists.
    type Item;
    /// The items, and the token of the next page.
    fn into_items(self) -> (Vec<Self::Item>, Option<String>);
}

/// `<xSet><item>…</item><item>…</item></xSet>`.
#[derive(Debug, Deserialize)]
pub(super) struct Set<T> {
    #[serde(default = "Vec::new")]
    item: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { item: Vec::new() }
    }
}

/// `DescribeVpcAttribute`: one of the two.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeVpcAttribute {
    pub enable_dns_support: Option<Flag>,
    pub enable_dns_hostnames: Option<Flag>,
}

/// `<value>true</value>`.
#[derive(Debug, Deserialize)]
pub(super) struct Flag {
    pub value: bool,
}

macro_rules! pages {
    ($($page:ident { $field:ident: $raw:ident } => $item:ty;)*) => {
        $(
            #[doc = concat!("`", stringify!($page), "`.")]
            #[derive(Debug, Deserialize)]
            #[serde(rename_all = "camelCase")]
            pub(super) struct $page {
                // why no default: an answer without the set is not an empty set.
                $field: Set<$raw>,
                next_token: Option<String>,
            }

            impl Page for $page {
                type Item = $item;

                fn into_items(self) -> (Vec<Self::Item>, Option<String>) {
                    (self.$field.item.into_iter().map(Into::into).collect(), self.next_token)
                }
            }
        )*
    };
}

pages! {
    DescribeVpcs { vpc_set: RawVpc } => Vpc;
    DescribeSubnets { subnet_set: RawSubnet } => Subnet;
    DescribeRouteTables { route_table_set: RawRouteTable } => RouteTable;
    DescribeVpcEndpoints { vpc_endpoint_set: RawEndpoint } => Endpoint;
    DescribeSecurityGroups { security_group_info: RawSecurityGroup } => SecurityGroup;
    DescribeDhcpOptions { dhcp_options_set: RawDhcpOptions } => DhcpOptions;
    DescribeFlowLogs { flow_log_set: RawFlowLog } => FlowLog;
    DescribeManagedPrefixLists { prefix_list_set: RawPrefixList } => PrefixList;
}

#[derive(Debug, Deserialize)]
struct Tag {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: String,
}

fn name(tags: &Set<Tag>) -> Text {
    tags.item.iter().find(|tag| tag.key == "Name").map(|tag| Text::new(&tag.value)).unwrap_or_default()
}

fn ids(set: Set<String>) -> Vec<ResourceId> {
    set.item.into_iter().map(ResourceId::new).collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVpc {
    vpc_id: String,
    #[serde(default)]
    cidr_block: String,
    dhcp_options_id: Option<String>,
    #[serde(default)]
    tag_set: Set<Tag>,
}

impl From<RawVpc> for Vpc {
    fn from(raw: RawVpc) -> Self {
        Self {
            id: ResourceId::new(&raw.vpc_id),
            name: name(&raw.tag_set),
            cidr: Text::new(&raw.cidr_block),
            dns_support: Read::NotAsked,
            dns_hostnames: Read::NotAsked,
            dhcp_options: raw.dhcp_options_id.filter(|id| !id.is_empty()).map(ResourceId::new),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSubnet {
    subnet_id: String,
    vpc_id: String,
    #[serde(default)]
    availability_zone: String,
    #[serde(default)]
    cidr_block: String,
    #[serde(default)]
    map_public_ip_on_launch: bool,
    #[serde(default)]
    tag_set: Set<Tag>,
}

impl From<RawSubnet> for Subnet {
    fn from(raw: RawSubnet) -> Self {
        Self {
            id: ResourceId::new(&raw.subnet_id),
            name: name(&raw.tag_set),
            vpc: ResourceId::new(&raw.vpc_id),
            zone: Text::new(&raw.availability_zone),
            cidr: Text::new(&raw.cidr_block),
            public_ip: raw.map_public_ip_on_launch,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRouteTable {
    route_table_id: String,
    vpc_id: String,
    #[serde(default)]
    route_set: Set<RawRoute>,
    #[serde(default)]
    association_set: Set<RawAssociation>,
    #[serde(default)]
    tag_set: Set<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAssociation {
    #[serde(default)]
    main: bool,
    subnet_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRoute {
    destination_cidr_block: Option<String>,
    destination_ipv6_cidr_block: Option<String>,
    destination_prefix_list_id: Option<String>,
    gateway_id: Option<String>,
    nat_gateway_id: Option<String>,
    egress_only_internet_gateway_id: Option<String>,
    carrier_gateway_id: Option<String>,
    transit_gateway_id: Option<String>,
    local_gateway_id: Option<String>,
    vpc_peering_connection_id: Option<String>,
    core_network_arn: Option<String>,
    network_interface_id: Option<String>,
    instance_id: Option<String>,
    #[serde(default)]
    state: String,
}

impl From<RawRoute> for Route {
    fn from(raw: RawRoute) -> Self {
        let destination =
            raw.destination_cidr_block.or(raw.destination_ipv6_cidr_block).or(raw.destination_prefix_list_id);
        // why the instance last: EC2 names it besides the interface that the route points to.
        let target = raw
            .gateway_id
            .or(raw.nat_gateway_id)
            .or(raw.egress_only_internet_gateway_id)
            .or(raw.carrier_gateway_id)
            .or(raw.transit_gateway_id)
            .or(raw.local_gateway_id)
            .or(raw.vpc_peering_connection_id)
            .or(raw.core_network_arn)
            .or(raw.network_interface_id)
            .or(raw.instance_id);
        Self {
            destination: Text::new(destination.unwrap_or_default()),
            target: ResourceId::new(target.unwrap_or_default()),
            state: Text::new(&raw.state),
        }
    }
}

impl From<RawRouteTable> for RouteTable {
    fn from(raw: RawRouteTable) -> Self {
        let associations = &raw.association_set.item;
        Self {
            id: ResourceId::new(&raw.route_table_id),
            name: name(&raw.tag_set),
            vpc: ResourceId::new(&raw.vpc_id),
            main: associations.iter().any(|association| association.main),
            subnets: associations.iter().filter_map(|a| a.subnet_id.as_ref()).map(ResourceId::new).collect(),
            routes: raw.route_set.item.into_iter().map(Into::into).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEndpoint {
    vpc_endpoint_id: String,
    #[serde(default)]
    vpc_endpoint_type: String,
    vpc_id: String,
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    state: String,
    policy_document: Option<String>,
    #[serde(default)]
    private_dns_enabled: bool,
    #[serde(default)]
    route_table_id_set: Set<String>,
    #[serde(default)]
    subnet_id_set: Set<String>,
    #[serde(default)]
    group_set: Set<RawGroup>,
    #[serde(default)]
    tag_set: Set<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawGroup {
    group_id: String,
}

impl From<RawEndpoint> for Endpoint {
    fn from(raw: RawEndpoint) -> Self {
        Self {
            id: ResourceId::new(&raw.vpc_endpoint_id),
            name: name(&raw.tag_set),
            vpc: ResourceId::new(&raw.vpc_id),
            service: Text::new(&raw.service_name),
            kind: Text::new(&raw.vpc_endpoint_type),
            state: Text::new(&raw.state),
            policy: raw.policy_document.filter(|policy| !policy.is_empty()).map(Document::new),
            private_dns: raw.private_dns_enabled,
            route_tables: ids(raw.route_table_id_set),
            subnets: ids(raw.subnet_id_set),
            security_groups: raw.group_set.item.into_iter().map(|group| ResourceId::new(group.group_id)).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSecurityGroup {
    group_id: String,
    #[serde(default)]
    group_name: String,
    #[serde(default)]
    vpc_id: String,
    #[serde(default)]
    ip_permissions: Set<RawPermission>,
    #[serde(default)]
    ip_permissions_egress: Set<RawPermission>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPermission {
    #[serde(default)]
    ip_protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    #[serde(default)]
    ip_ranges: Set<RawRange>,
    #[serde(default)]
    ipv6_ranges: Set<RawRange>,
    #[serde(default)]
    prefix_list_ids: Set<RawRange>,
    #[serde(default)]
    groups: Set<RawRange>,
}

/// The other side of a permission: one of these.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRange {
    cidr_ip: Option<String>,
    cidr_ipv6: Option<String>,
    prefix_list_id: Option<String>,
    group_id: Option<String>,
}

impl From<RawPermission> for Permission {
    fn from(raw: RawPermission) -> Self {
        let ranges = [raw.ip_ranges, raw.ipv6_ranges, raw.prefix_list_ids, raw.groups];
        let peers = ranges.into_iter().flat_map(|set| set.item);
        Self {
            protocol: Text::new(&raw.ip_protocol),
            ports: raw.from_port.zip(raw.to_port),
            peers: peers
                .filter_map(|range| range.cidr_ip.or(range.cidr_ipv6).or(range.prefix_list_id).or(range.group_id))
                .map(Text::new)
                .collect(),
        }
    }
}

impl From<RawSecurityGroup> for SecurityGroup {
    fn from(raw: RawSecurityGroup) -> Self {
        let all = |set: Set<RawPermission>| set.item.into_iter().map(Into::into).collect();
        Self {
            id: ResourceId::new(&raw.group_id),
            name: Text::new(&raw.group_name),
            vpc: ResourceId::new(&raw.vpc_id),
            ingress: all(raw.ip_permissions),
            egress: all(raw.ip_permissions_egress),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDhcpOptions {
    dhcp_options_id: String,
    #[serde(default)]
    dhcp_configuration_set: Set<RawDhcpOption>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDhcpOption {
    key: String,
    #[serde(default)]
    value_set: Set<RawValue>,
}

#[derive(Debug, Deserialize)]
struct RawValue {
    #[serde(default)]
    value: String,
}

impl From<RawDhcpOptions> for DhcpOptions {
    fn from(raw: RawDhcpOptions) -> Self {
        let servers = raw.dhcp_configuration_set.item.into_iter().filter(|option| option.key == "domain-name-servers");
        Self {
            id: ResourceId::new(&raw.dhcp_options_id),
            name_servers: servers.flat_map(|option| option.value_set.item).map(|one| Text::new(one.value)).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFlowLog {
    flow_log_id: String,
    #[serde(default)]
    resource_id: String,
    #[serde(default)]
    flow_log_status: String,
    #[serde(default)]
    deliver_logs_status: String,
    deliver_logs_error_message: Option<String>,
    #[serde(default)]
    traffic_type: String,
    log_destination: Option<String>,
    log_group_name: Option<String>,
}

impl From<RawFlowLog> for FlowLog {
    fn from(raw: RawFlowLog) -> Self {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            id: ResourceId::new(&raw.flow_log_id),
            resource: ResourceId::new(&raw.resource_id),
            status: Text::new(&raw.flow_log_status),
            delivery: Text::new(&raw.deliver_logs_status),
            error: some(raw.deliver_logs_error_message).map(Text::new),
            traffic: Text::new(&raw.traffic_type),
            destination: Text::new(some(raw.log_destination).or(raw.log_group_name).unwrap_or_default()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPrefixList {
    prefix_list_id: String,
    #[serde(default)]
    prefix_list_name: String,
    #[serde(default)]
    owner_id: String,
}

impl From<RawPrefixList> for PrefixList {
    fn from(raw: RawPrefixList) -> Self {
        Self {
            id: ResourceId::new(&raw.prefix_list_id),
            name: Text::new(&raw.prefix_list_name),
            owner: Text::new(&raw.owner_id),
        }
    }
}

/// `DescribeVpcBlockPublicAccessOptions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeVpcBlockPublicAccessOptions {
    vpc_block_public_access_options: RawBlock,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBlock {
    internet_gateway_block_mode: String,
    #[serde(default)]
    state: String,
}

impl From<DescribeVpcBlockPublicAccessOptions> for BlockPublicAccess {
    fn from(raw: DescribeVpcBlockPublicAccessOptions) -> Self {
        let raw = raw.vpc_block_public_access_options;
        Self { mode: Text::new(&raw.internet_gateway_block_mode), state: Text::new(&raw.state) }
    }
}
