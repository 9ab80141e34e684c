//! Host names of endpoints (AWS General Reference, service endpoints; the partitions and the endpoint
//! rules of the SDKs).

/// How a service's hosts are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// One a region: the plain prefix, the FIPS prefix, and whether GovCloud has FIPS hosts apart (else
    /// its plain endpoints are FIPS endpoints).
    Regional(&'static str, &'static str, bool),
    /// One a partition.
    Global(&'static str),
    /// One a region, under the account's number.
    Account(&'static str),
}

/// Where to send, and for which region to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub host: String,
    pub region: String,
}

/// A partition: its DNS suffixes, plain and dual-stack, and where its global services are.
struct Partition {
    plain: &'static str,
    dual_stack: &'static str,
    home: &'static str,
}

/// The host in a region.
pub(super) fn place(naming: Naming, region: &str, account: &str, fips: bool, dual_stack: bool) -> Place {
    let partition = partition(region);
    let suffix = if dual_stack { partition.dual_stack } else { partition.plain };
    let gov = region.starts_with("us-gov-");
    let (host, region) = match naming {
        Naming::Regional(plain, apart, gov_apart) => {
            let service = if fips && (gov_apart || !gov) { apart } else { plain };
            (format!("{service}.{region}.{suffix}"), region)
        }
        Naming::Global(service) => {
            let service = if fips && !gov { format!("{service}-fips") } else { service.to_owned() };
            (format!("{service}.{}.{suffix}", partition.home), partition.home)
        }
        Naming::Account(service) => {
            // why not the dual-stack suffix: S3 has a label for it, of before there was one.
            let service = if fips { format!("{service}-fips") } else { service.to_owned() };
            let dual_stack = if dual_stack { ".dualstack" } else { "" };
            (format!("{account}.{service}{dual_stack}.{region}.{}", partition.plain), region)
        }
    };
    Place { host, region: region.to_owned() }
}

fn partition(region: &str) -> Partition {
    let (plain, dual_stack, home) = match region.split_once('-').map_or("", |(area, _)| area) {
        "cn" => ("amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"),
        "eusc" => ("amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"),
        _ if region.starts_with("us-isof-") || region.starts_with("eu-isof-") => {
            ("csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1")
        }
        _ if region.starts_with("us-isob-") => ("sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"),
        _ if region.starts_with("us-iso-") => ("c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"),
        _ if region.starts_with("eu-isoe-") => ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
        _ if region.starts_with("us-gov-") => ("amazonaws.com", "api.aws", "us-gov-west-1"),
        _ => ("amazonaws.com", "api.aws", "us-east-1"),
    };
    Partition { plain, dual_stack, home }
}

#[cfg(test)]
mod tests {
    use crate::aws::small::Service;

    #[test]
    fn hosts_of_the_partitions() {
        for (region, fips, dual_stack, expected) in [
            ("us-east-1", false, false, "ec2.us-east-1.amazonaws.com"),
            ("us-east-1", true, false, "ec2-fips.us-east-1.amazonaws.com"),
            ("eu-west-1", false, true, "ec2.eu-west-1.api.aws"),
            ("us-east-2", true, true, "ec2-fips.us-east-2.api.aws"),
            ("cn-north-1", false, false, "ec2.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", false, true, "ec2.cn-north-1.api.amazonwebservices.com.cn"),
            ("us-gov-west-1", true, false, "ec2.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", false, false, "ec2.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", false, false, "ec2.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", false, false, "ec2.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(Service::Ec2.place(region, "1", fips, dual_stack).host, expected);
        }
    }

    #[test]
    fn hosts_of_the_services() {
        for (service, region, fips, dual_stack, host, signed) in [
            (Service::Organizations, "eu-west-1", false, false, "organizations.us-east-1.amazonaws.com", "us-east-1"),
            (
                Service::Organizations,
                "us-west-2",
                true,
                false,
                "organizations-fips.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                Service::Organizations,
                "us-gov-east-1",
                true,
                false,
                "organizations.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                Service::Organizations,
                "cn-north-1",
                false,
                false,
                "organizations.cn-northwest-1.amazonaws.com.cn",
                "cn-northwest-1",
            ),
            (Service::S3Control, "eu-west-1", false, false, "1.s3-control.eu-west-1.amazonaws.com", "eu-west-1"),
            (
                Service::S3Control,
                "us-east-1",
                true,
                true,
                "1.s3-control-fips.dualstack.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (Service::CloudWatch, "us-east-1", false, false, "monitoring.us-east-1.amazonaws.com", "us-east-1"),
            (
                Service::CloudWatch,
                "us-gov-west-1",
                true,
                false,
                "monitoring.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (Service::SageMaker, "us-east-1", true, false, "api-fips.sagemaker.us-east-1.amazonaws.com", "us-east-1"),
            (Service::Lambda, "us-gov-west-1", true, false, "lambda-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            (Service::AccessAnalyzer, "eu-west-1", false, true, "access-analyzer.eu-west-1.api.aws", "eu-west-1"),
        ] {
            let place = service.place(region, "1", fips, dual_stack);
            assert_eq!((place.host.as_str(), place.region.as_str()), (host, signed), "{service:?} {region}");
        }
    }
}
