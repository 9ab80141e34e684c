//! Host names of the EC2 endpoints (AWS General Reference, "Amazon EC2 endpoints and quotas"; the
//! partitions of the SDKs' endpoint rules).

/// A partition's DNS suffixes: plain and dual-stack.
struct Suffixes {
    plain: &'static str,
    dual_stack: &'static str,
    /// GovCloud's plain endpoints are FIPS endpoints.
    fips: &'static str,
}

/// The host in a region.
pub(super) fn host(region: &str, fips: bool, dual_stack: bool) -> String {
    let suffixes = suffixes(region);
    let service = if fips { suffixes.fips } else { "ec2" };
    let suffix = if dual_stack { suffixes.dual_stack } else { suffixes.plain };
    format!("{service}.{region}.{suffix}")
}

fn suffixes(region: &str) -> Suffixes {
    let (plain, dual_stack) = match region.split_once('-').map_or("", |(area, _)| area) {
        "cn" => ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        "eusc" => ("amazonaws.eu", "api.amazonwebservices.eu"),
        _ if region.starts_with("us-isof-") || region.starts_with("eu-isof-") => {
            ("csp.hci.ic.gov", "api.aws.hci.ic.gov")
        }
        _ if region.starts_with("us-isob-") => ("sc2s.sgov.gov", "api.aws.scloud"),
        _ if region.starts_with("us-iso-") => ("c2s.ic.gov", "api.aws.ic.gov"),
        _ if region.starts_with("eu-isoe-") => ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        _ => ("amazonaws.com", "api.aws"),
    };
    Suffixes { plain, dual_stack, fips: if region.starts_with("us-gov-") { "ec2" } else { "ec2-fips" } }
}

#[cfg(test)]
mod tests {
    use super::host;

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
            assert_eq!(host(region, fips, dual_stack), expected);
        }
    }
}
