//! The small services: what each is called in the SDK's terms, and which protocol it speaks.

use super::hosts::{self, Naming, Place};

/// How a service takes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// EC2's Query.
    Query,
    /// awsJson: version and the prefix of `X-Amz-Target`.
    AwsJson(&'static str, &'static str),
    /// restJson1 or restXml.
    Rest,
}

/// What is fixed about a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// The service id of its API model: what `Metadata`, the guard and endpoint overrides go by.
    pub id: &'static str,
    /// The name that requests are signed for.
    pub signing: &'static str,
    pub dialect: Dialect,
    pub naming: Naming,
}

macro_rules! services {
    ($($(#[doc = $doc:literal])* $variant:ident = $id:literal, $signing:literal, $dialect:expr, $naming:expr;)*) => {
        /// A small service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Service {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Service {
            /// Every one, in the order of the variants.
            pub(in crate::aws) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub(super) fn facts(self) -> Facts {
                match self {
                    $(Self::$variant => Facts {
                        id: $id,
                        signing: $signing,
                        dialect: $dialect,
                        naming: $naming,
                    },)*
                }
            }
        }
    };
}

use Dialect::{AwsJson, Query, Rest};
use Naming::{Account, Global, Regional};

services! {
    /// Amazon EC2.
    Ec2 = "EC2", "ec2", Query, Regional("ec2", "ec2-fips", false);
    /// Amazon S3 Control.
    S3Control = "S3 Control", "s3", Rest, Account("s3-control");
    /// AWS Organizations.
    Organizations = "Organizations", "organizations", AwsJson("1.1", "AWSOrganizationsV20161128"),
        Global("organizations");
    /// IAM Access Analyzer.
    AccessAnalyzer = "AccessAnalyzer", "access-analyzer", Rest, Regional("access-analyzer", "access-analyzer-fips", false);
    /// Amazon GuardDuty.
    GuardDuty = "GuardDuty", "guardduty", Rest, Regional("guardduty", "guardduty-fips", false);
    /// Amazon Macie.
    Macie = "Macie2", "macie2", Rest, Regional("macie2", "macie2-fips", true);
    /// Amazon CloudWatch.
    CloudWatch = "CloudWatch", "monitoring", AwsJson("1.0", "GraniteServiceVersion20100801"),
        Regional("monitoring", "monitoring-fips", false);
    /// AWS RAM.
    Ram = "RAM", "ram", Rest, Regional("ram", "ram-fips", false);
    /// Amazon SageMaker.
    SageMaker = "SageMaker", "sagemaker", AwsJson("1.1", "SageMaker"), Regional("api.sagemaker", "api-fips.sagemaker", true);
    /// AWS Lambda.
    Lambda = "Lambda", "lambda", Rest, Regional("lambda", "lambda-fips", true);
    /// Amazon OpenSearch Serverless.
    OpenSearchServerless = "OpenSearchServerless", "aoss", AwsJson("1.0", "OpenSearchServerless"),
        Regional("aoss", "aoss-fips", true);
    /// AWS Security Hub.
    SecurityHub = "SecurityHub", "securityhub", Rest, Regional("securityhub", "securityhub-fips", true);
    /// Amazon Comprehend.
    Comprehend = "Comprehend", "comprehend", AwsJson("1.1", "Comprehend_20171127"),
        Regional("comprehend", "comprehend-fips", false);
}

impl Service {
    /// Its service id.
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// Where it is asked, and for which region requests are signed.
    pub(super) fn place(self, region: &str, account: &str, fips: bool, dual_stack: bool) -> Place {
        hosts::place(self.facts().naming, region, account, fips, dual_stack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_indices() {
        for (at, service) in Service::ALL.iter().enumerate() {
            assert_eq!(*service as usize, at);
        }
    }
}
