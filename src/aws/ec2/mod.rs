//! The six EC2 `Describe*` calls, without the EC2 SDK (1.2 million generated lines for them).
//!
//! They run on the SDK's own orchestrator, so that signing, retries, timeouts, proxies, the guard
//! and its counts apply as for any other service. Answers come as the inventory's types.

mod answers;
mod call;
mod hosts;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use serde::Deserialize;

use super::config::{endpoint, retry_partition};
use super::error::classify;
use super::guard::Guard;
use super::operations::service_operation;
use crate::base::{Clock, ResourceId, Text};
use crate::inventory::ReadError;
use crate::inventory::ec2::{Endpoint, RouteTable, SecurityGroup, Subnet, Vpc};
use answers::Page;

/// The most values EC2 takes in one filter (Amazon EC2 API Reference, Filter).
const VALUES: usize = 200;

/// A client of Amazon EC2.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: SdkConfig,
    guard: Guard,
    retries: RetryPartition,
    url: String,
    clock: Clock,
}

/// The DNS attributes of a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VpcAttribute {
    /// `enableDnsSupport`.
    DnsSupport,
    /// `enableDnsHostnames`.
    DnsHostnames,
}

impl Client {
    /// A client in a region.
    pub(super) fn new(sdk: &SdkConfig, guard: &Guard, region: &str, clock: Clock) -> Self {
        let (fips, dual_stack) = (sdk.use_fips().unwrap_or(false), sdk.use_dual_stack().unwrap_or(false));
        let url = endpoint(sdk, "EC2").unwrap_or_else(|| format!("https://{}", hosts::host(region, fips, dual_stack)));
        Self { sdk: sdk.clone(), guard: guard.clone(), retries: retry_partition("ec2"), url, clock }
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
        found.map(|found| found.value).ok_or_else(|| ReadError {
            operation: service_operation("EC2", "DescribeVpcAttribute"),
            kind: crate::inventory::ErrorKind::Malformed,
            message: Text::new(format!("the answer for {vpc} has no {name}")),
            at: self.clock.now(),
        })
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
        let operation = service_operation("EC2", action);
        call::call(self, action, parameters).await.map_err(|error| classify(&operation, &error, self.clock.now()))
    }
}

#[cfg(test)]
mod tests;
