//! The EC2 `Describe*` calls, on the small client. Answers come as the inventory's types.

mod answers;

use serde::Deserialize;

use super::small;
use crate::base::ResourceId;
use crate::inventory::ReadError;
use crate::inventory::ec2::{
    BlockPublicAccess, DhcpOptions, Endpoint, FlowLog, PrefixList, RouteTable, SecurityGroup, Subnet, Vpc,
};
use answers::Page;

/// The most values EC2 takes in one filter (Amazon EC2 API Reference, Filter).
const VALUES: usize = 200;

/// A client of Amazon EC2.
#[derive(Debug, Clone)]
pub struct Client(small::Client);

/// The DNS attributes of a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VpcAttribute {
    /// `enableDnsSupport`.
    DnsSupport,
    /// `enableDnsHostnames`.
    DnsHostnames,
}

impl Client {
    /// The calls of EC2 on a small client.
    pub(super) fn new(client: small::Client) -> Self {
        Self(client)
    }

    /// `DescribeVpcs`: those of `ids` that exist. DNS attributes are calls of their own.
    ///
    /// why a filter, here and below, and not the id parameter: one id that is gone would fail the call.
    pub async fn vpcs(&self, ids: &[ResourceId]) -> Result<Vec<Vpc>, ReadError> {
        self.described::<answers::DescribeVpcs>("DescribeVpcs", "vpc-id", ids).await
    }

    /// `DescribeVpcAttribute`. A VPC that is gone is an error: not found.
    pub async fn vpc_attribute(&self, vpc: &ResourceId, attribute: VpcAttribute) -> Result<bool, ReadError> {
        let name = match attribute {
            VpcAttribute::DnsSupport => "enableDnsSupport",
            VpcAttribute::DnsHostnames => "enableDnsHostnames",
        };
        let parameters = vec![("VpcId".to_owned(), vpc.to_string()), ("Attribute".to_owned(), name.to_owned())];
        let answer: answers::DescribeVpcAttribute = self.call("DescribeVpcAttribute", parameters).await?;
        let found = match attribute {
            VpcAttribute::DnsSupport => answer.enable_dns_support,
            VpcAttribute::DnsHostnames => answer.enable_dns_hostnames,
        };
        let missing = || self.0.malformed("DescribeVpcAttribute", &format!("the answer for {vpc} has no {name}"));
        found.map(|found| found.value).ok_or_else(missing)
    }

    /// `DescribeSubnets`: those of `ids` that exist.
    pub async fn subnets(&self, ids: &[ResourceId]) -> Result<Vec<Subnet>, ReadError> {
        self.described::<answers::DescribeSubnets>("DescribeSubnets", "subnet-id", ids).await
    }

    /// `DescribeRouteTables`: all of these VPCs.
    pub async fn route_tables(&self, vpcs: &[ResourceId]) -> Result<Vec<RouteTable>, ReadError> {
        self.described::<answers::DescribeRouteTables>("DescribeRouteTables", "vpc-id", vpcs).await
    }

    /// `DescribeVpcEndpoints`: all of these VPCs.
    pub async fn endpoints(&self, vpcs: &[ResourceId]) -> Result<Vec<Endpoint>, ReadError> {
        self.described::<answers::DescribeVpcEndpoints>("DescribeVpcEndpoints", "vpc-id", vpcs).await
    }

    /// `DescribeSecurityGroups`: those of `ids` that exist.
    pub async fn security_groups(&self, ids: &[ResourceId]) -> Result<Vec<SecurityGroup>, ReadError> {
        self.described::<answers::DescribeSecurityGroups>("DescribeSecurityGroups", "group-id", ids).await
    }

    /// `DescribeDhcpOptions`: those of `ids` that exist.
    pub async fn dhcp_options(&self, ids: &[ResourceId]) -> Result<Vec<DhcpOptions>, ReadError> {
        self.described::<answers::DescribeDhcpOptions>("DescribeDhcpOptions", "dhcp-options-id", ids).await
    }

    /// `DescribeFlowLogs`: those of these VPCs and subnets.
    pub async fn flow_logs(&self, of: &[ResourceId]) -> Result<Vec<FlowLog>, ReadError> {
        self.described::<answers::DescribeFlowLogs>("DescribeFlowLogs", "resource-id", of).await
    }

    /// `DescribeManagedPrefixLists`: those of `ids` that exist.
    pub async fn prefix_lists(&self, ids: &[ResourceId]) -> Result<Vec<PrefixList>, ReadError> {
        self.described::<answers::DescribeManagedPrefixLists>("DescribeManagedPrefixLists", "prefix-list-id", ids).await
    }

    /// `DescribeVpcBlockPublicAccessOptions`.
    pub async fn vpc_block(&self) -> Result<BlockPublicAccess, ReadError> {
        const ACTION: &str = "DescribeVpcBlockPublicAccessOptions";
        let answer: answers::DescribeVpcBlockPublicAccessOptions = self.call(ACTION, Vec::new()).await?;
        Ok(answer.into())
    }

    /// All pages for all values of a filter. No values means no call: never everything by accident.
    async fn described<P: Page>(
        &self,
        action: &'static str,
        filter: &str,
        values: &[ResourceId],
    ) -> Result<Vec<P::Item>, ReadError> {
        let mut items = Vec::new();
        for values in values.chunks(VALUES) {
            let mut next: Option<String> = None;
            loop {
                let mut parameters = vec![("Filter.1.Name".to_owned(), filter.to_owned())];
                for (at, value) in values.iter().enumerate() {
                    parameters.push((format!("Filter.1.Value.{}", at + 1), value.to_string()));
                }
                parameters.extend(next.take().map(|token| ("NextToken".to_owned(), token)));
                let (page, token) = self.call::<P>(action, parameters).await?.into_items();
                items.extend(page);
                match token.filter(|token| !token.is_empty()) {
                    None => break,
                    token => next = token,
                }
            }
        }
        Ok(items)
    }

    async fn call<T>(&self, action: &'static str, parameters: Vec<(String, String)>) -> Result<T, ReadError>
    where
        T: for<'de> Deserialize<'de> + std::fmt::Debug + Send + Sync + 'static,
    {
        self.0.query(action, parameters).await
    }
}

#[cfg(test)]
mod tests;
