//! The network that jobs run in. Shapes follow the Amazon EC2 API Reference.

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::read::Read;
use super::update::item;
use crate::base::{ResourceId, Text};

/// A VPC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    /// `vpc-…`.
    pub id: ResourceId,
    /// The `Name` tag.
    pub name: Text,
    /// `CidrBlock`.
    pub cidr: Text,
    /// `enableDnsSupport`.
    pub dns_support: Read<bool>,
    /// `enableDnsHostnames`.
    pub dns_hostnames: Read<bool>,
    /// `DhcpOptionsId`: `dopt-…`.
    #[serde(default)]
    pub dhcp_options: Option<ResourceId>,
}

item!(Vpc { id, dns_support, dns_hostnames } named |vpc| vpc.name.as_str());

/// A subnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: ResourceId,
    /// The `Name` tag.
    pub name: Text,
    /// Its VPC.
    pub vpc: ResourceId,
    /// Availability zone.
    pub zone: Text,
    /// `CidrBlock`.
    pub cidr: Text,
    /// `MapPublicIpOnLaunch`.
    pub public_ip: bool,
}

item!(Subnet { id } named |subnet| subnet.name.as_str());

/// A route table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    /// `rtb-…`.
    pub id: ResourceId,
    /// The `Name` tag.
    pub name: Text,
    /// Its VPC.
    pub vpc: ResourceId,
    /// Whether it serves the subnets without a table of their own.
    pub main: bool,
    /// Subnets that name it.
    pub subnets: Vec<ResourceId>,
    /// Its routes.
    pub routes: Vec<Route>,
}

item!(RouteTable { id } named |table| table.name.as_str());

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// IPv4 or IPv6 CIDR, or a prefix list.
    pub destination: Text,
    /// `local`, `igw-…`, `nat-…`, `eigw-…`, `cagw-…`, `tgw-…`, `vgw-…`, `pcx-…`, `vpce-…`, `eni-…`, `i-…`.
    pub target: ResourceId,
    /// `active` or `blackhole`.
    pub state: Text,
}

/// A VPC endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `vpce-…`.
    pub id: ResourceId,
    /// The `Name` tag.
    pub name: Text,
    /// Its VPC.
    pub vpc: ResourceId,
    /// `com.amazonaws.us-east-1.s3`, …
    pub service: Text,
    /// `Gateway` or `Interface`.
    pub kind: Text,
    /// `available`, …
    pub state: Text,
    /// Its policy.
    pub policy: Option<Document>,
    /// Whether the service's public name resolves to it.
    pub private_dns: bool,
    /// Route tables (gateway).
    pub route_tables: Vec<ResourceId>,
    /// Subnets (interface).
    pub subnets: Vec<ResourceId>,
    /// Security groups (interface).
    pub security_groups: Vec<ResourceId>,
}

item!(Endpoint { id } named |endpoint| if endpoint.name.is_empty() {
    endpoint.service.as_str().rsplit('.').next().unwrap_or_default().to_owned()
} else {
    endpoint.name.to_string()
});

/// A security group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: ResourceId,
    /// `GroupName`.
    pub name: Text,
    /// Its VPC.
    pub vpc: ResourceId,
    /// Inbound rules.
    pub ingress: Vec<Permission>,
    /// Outbound rules.
    pub egress: Vec<Permission>,
}

item!(SecurityGroup { id } named |group| group.name.as_str());

/// One `IpPermission`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// `tcp`, `udp`, `icmp`, `-1` for all.
    pub protocol: Text,
    /// First and last port; none for all.
    pub ports: Option<(i32, i32)>,
    /// CIDRs, prefix lists and groups on the other side.
    pub peers: Vec<Text>,
}

/// DHCP options: which name servers a VPC's machines ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DhcpOptions {
    /// `dopt-…`.
    pub id: ResourceId,
    /// `domain-name-servers`: addresses, or `AmazonProvidedDNS`.
    pub name_servers: Vec<Text>,
}

item!(DhcpOptions { id } named |options| options.id.as_str());

/// A flow log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowLog {
    /// `fl-…`.
    pub id: ResourceId,
    /// The VPC or subnet.
    pub resource: ResourceId,
    /// `FlowLogStatus`: `ACTIVE`.
    pub status: Text,
    /// `DeliverLogsStatus`: `SUCCESS` or `FAILED`; empty before the first delivery.
    pub delivery: Text,
    /// `DeliverLogsErrorMessage`.
    pub error: Option<Text>,
    /// `ACCEPT`, `REJECT`, `ALL`.
    pub traffic: Text,
    /// `LogDestination`, else the name of the log group.
    pub destination: Text,
}

item!(FlowLog { id } named |log| log.id.as_str());

/// A managed prefix list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrefixList {
    /// `pl-…`.
    pub id: ResourceId,
    /// `com.amazonaws.us-east-1.s3`, or what its owner called it.
    pub name: Text,
    /// `OwnerId`: `AWS`, or an account.
    pub owner: Text,
}

item!(PrefixList { id } named |list| list.name.as_str());

/// `DescribeVpcBlockPublicAccessOptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockPublicAccess {
    /// `InternetGatewayBlockMode`: `off`, `block-bidirectional`, `block-ingress`.
    pub mode: Text,
    /// `State`: `default-state`, `update-complete`, …
    pub state: Text,
}
