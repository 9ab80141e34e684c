//! The operations that may leave the process, by name.
//!
//! Explicit on purpose: `Get*` and `List*` would let `sts:GetSessionToken`, `s3:GetObject` of
//! training data and `logs:GetQueryResults` through.

use crate::base::text::safe;

/// A service and an operation as the SDK's `Metadata` names them.
pub type Operation = (&'static str, &'static str);

/// What a read-only session may send: exactly the sources that this version reads. Sorted.
pub static READS: &[Operation] = &[
    ("AccessAnalyzer", "GetFindingV2"),
    ("AccessAnalyzer", "ListAnalyzers"),
    ("AccessAnalyzer", "ListFindingsV2"),
    ("Bedrock", "GetAccountDataRetention"),
    ("Bedrock", "GetCustomModel"),
    ("Bedrock", "GetCustomModelDeployment"),
    ("Bedrock", "GetEvaluationJob"),
    ("Bedrock", "GetGuardrail"),
    ("Bedrock", "GetImportedModel"),
    ("Bedrock", "GetModelCustomizationJob"),
    ("Bedrock", "GetModelImportJob"),
    ("Bedrock", "GetModelInvocationLoggingConfiguration"),
    ("Bedrock", "GetResourcePolicy"),
    ("Bedrock", "ListCustomModelDeployments"),
    ("Bedrock", "ListCustomModels"),
    ("Bedrock", "ListEnforcedGuardrailsConfiguration"),
    ("Bedrock", "ListEvaluationJobs"),
    ("Bedrock", "ListFoundationModels"),
    ("Bedrock", "ListGuardrails"),
    ("Bedrock", "ListImportedModels"),
    ("Bedrock", "ListModelCopyJobs"),
    ("Bedrock", "ListModelCustomizationJobs"),
    ("Bedrock", "ListModelImportJobs"),
    ("Bedrock", "ListModelInvocationJobs"),
    ("Bedrock", "ListProvisionedModelThroughputs"),
    ("Bedrock", "ListTagsForResource"),
    ("CloudTrail", "DescribeTrails"),
    ("CloudTrail", "GetEventDataStore"),
    ("CloudTrail", "GetEventSelectors"),
    ("CloudTrail", "GetTrailStatus"),
    ("CloudTrail", "ListChannels"),
    ("CloudTrail", "ListEventDataStores"),
    ("CloudTrail", "LookupEvents"),
    ("CloudWatch", "DescribeAlarms"),
    ("CloudWatch", "GetMetricData"),
    ("CloudWatch Logs", "DescribeAccountPolicies"),
    ("CloudWatch Logs", "DescribeLogGroups"),
    ("CloudWatch Logs", "DescribeMetricFilters"),
    ("CloudWatch Logs", "DescribeSubscriptionFilters"),
    ("CloudWatch Logs", "FilterLogEvents"),
    ("CloudWatch Logs", "GetDataProtectionPolicy"),
    ("EC2", "DescribeDhcpOptions"),
    ("EC2", "DescribeFlowLogs"),
    ("EC2", "DescribeManagedPrefixLists"),
    ("EC2", "DescribeRouteTables"),
    ("EC2", "DescribeSecurityGroups"),
    ("EC2", "DescribeSubnets"),
    ("EC2", "DescribeVpcAttribute"),
    ("EC2", "DescribeVpcBlockPublicAccessOptions"),
    ("EC2", "DescribeVpcEndpoints"),
    ("EC2", "DescribeVpcs"),
    ("EventBridge", "ListRules"),
    ("EventBridge", "ListTargetsByRule"),
    ("GuardDuty", "GetDetector"),
    ("GuardDuty", "GetFindings"),
    ("GuardDuty", "GetMalwareProtectionPlan"),
    ("GuardDuty", "ListDetectors"),
    ("GuardDuty", "ListFindings"),
    ("GuardDuty", "ListMalwareProtectionPlans"),
    ("IAM", "GenerateServiceLastAccessedDetails"),
    ("IAM", "GetAccountAuthorizationDetails"),
    ("IAM", "GetServiceLastAccessedDetails"),
    ("IAM", "ListAccountAliases"),
    ("IAM", "ListServiceSpecificCredentials"),
    ("KMS", "DescribeKey"),
    ("KMS", "GetKeyPolicy"),
    ("KMS", "GetKeyRotationStatus"),
    ("KMS", "ListAliases"),
    ("KMS", "ListGrants"),
    ("Lambda", "GetFunctionConfiguration"),
    ("Lambda", "GetPolicy"),
    ("Macie2", "DescribeBuckets"),
    ("Macie2", "GetAutomatedDiscoveryConfiguration"),
    ("Macie2", "GetFindings"),
    ("Macie2", "GetMacieSession"),
    ("Macie2", "ListClassificationJobs"),
    ("Macie2", "ListFindings"),
    ("OpenSearchServerless", "GetSecurityPolicy"),
    ("OpenSearchServerless", "ListSecurityPolicies"),
    ("Organizations", "DescribeEffectivePolicy"),
    ("Organizations", "DescribeOrganization"),
    ("Organizations", "DescribePolicy"),
    ("Organizations", "ListParents"),
    ("Organizations", "ListPoliciesForTarget"),
    ("RAM", "GetResourceShares"),
    ("RAM", "ListPrincipals"),
    ("RAM", "ListResources"),
    ("S3", "GetBucketAcl"),
    ("S3", "GetBucketEncryption"),
    ("S3", "GetBucketLifecycleConfiguration"),
    ("S3", "GetBucketLocation"),
    ("S3", "GetBucketLogging"),
    ("S3", "GetBucketOwnershipControls"),
    ("S3", "GetBucketPolicy"),
    ("S3", "GetBucketPolicyStatus"),
    ("S3", "GetBucketReplication"),
    ("S3", "GetBucketVersioning"),
    ("S3", "GetObjectLockConfiguration"),
    ("S3", "GetPublicAccessBlock"),
    ("S3", "ListBuckets"),
    ("S3 Control", "GetPublicAccessBlock"),
    ("STS", "GetCallerIdentity"),
    ("SageMaker", "DescribeTrainingJob"),
    ("SageMaker", "ListTrainingJobs"),
];

/// What a session that was asked to look into objects may send besides: reads of content, never implied. Sorted.
pub static CONTENT: &[Operation] = &[
    ("CloudWatch Logs", "GetLogEvents"),
    ("S3", "GetObject"),
    ("S3", "GetObjectTagging"),
    ("S3", "HeadObject"),
    ("S3", "ListObjectsV2"),
];

/// What a session that was asked for a second opinion may send besides: text leaves for another service, at a price.
/// Sorted.
pub static OPINION: &[Operation] = &[("Comprehend", "ContainsPiiEntities"), ("Comprehend", "DetectPiiEntities")];

/// What a session made with a `WriteToken` may send besides. Sorted.
pub static WRITES: &[Operation] = &[
    ("KMS", "CreateGrant"),
    ("KMS", "PutKeyPolicy"),
    ("KMS", "RevokeGrant"),
    ("S3", "PutBucketVersioning"),
    ("S3", "PutPublicAccessBlock"),
    ("SecurityHub", "BatchImportFindings"),
];

/// The service names of `Metadata` and the prefixes that IAM, CloudTrail and the coverage use.
const PREFIXES: &[(&str, &str)] = &[
    ("AccessAnalyzer", "access-analyzer"),
    ("Bedrock", "bedrock"),
    ("CloudTrail", "cloudtrail"),
    ("CloudWatch", "cloudwatch"),
    ("CloudWatch Logs", "logs"),
    ("Comprehend", "comprehend"),
    ("EC2", "ec2"),
    ("EventBridge", "events"),
    ("GuardDuty", "guardduty"),
    ("IAM", "iam"),
    ("KMS", "kms"),
    ("Lambda", "lambda"),
    ("Macie2", "macie2"),
    ("OpenSearchServerless", "aoss"),
    ("Organizations", "organizations"),
    ("RAM", "ram"),
    ("S3", "s3"),
    ("S3 Control", "s3control"),
    ("STS", "sts"),
    ("SageMaker", "sagemaker"),
    ("SecurityHub", "securityhub"),
];

/// Whether a sorted list holds an operation.
pub fn listed(list: &[Operation], service: &str, operation: &str) -> bool {
    list.binary_search_by(|(s, o)| (*s, *o).cmp(&(service, operation))).is_ok()
}

/// `kms:GetKeyPolicy`, as the coverage names its sources. A service that bedwatch does not know
/// keeps the SDK's name.
pub fn service_operation(service: &str, operation: &str) -> String {
    let prefix = PREFIXES.iter().find(|(name, _)| *name == service).map_or(service, |(_, prefix)| prefix);
    format!("{}:{}", safe(prefix), safe(operation))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::inventory::SourceId;

    #[test]
    fn the_lists_are_sorted_and_apart() {
        assert!(READS.is_sorted_by(|a, b| a < b) && WRITES.is_sorted_by(|a, b| a < b) && PREFIXES.is_sorted());
        assert!(READS.iter().all(|(service, operation)| !listed(WRITES, service, operation)));
        assert!(listed(READS, "KMS", "GetKeyPolicy"));
        for (service, operation) in [("kms", "GetKeyPolicy"), ("KMS", "GetKeyPolic"), ("KMS", ""), ("", "")] {
            assert!(!listed(READS, service, operation));
        }
    }

    #[test]
    fn what_may_be_read_is_what_the_coverage_shows() {
        let shown = |which: fn(SourceId) -> bool| -> BTreeSet<String> {
            SourceId::all().filter(|source| which(*source)).map(|source| source.name().to_owned()).collect()
        };
        for (list, which) in
            [(READS, SourceId::is_read as fn(_) -> _), (CONTENT, SourceId::is_deep), (OPINION, SourceId::is_opinion)]
        {
            let allowed: BTreeSet<String> = list.iter().map(|(s, o)| service_operation(s, o)).collect();
            assert_eq!(allowed, shown(which));
            assert_eq!(allowed.len(), list.len());
        }
    }

    #[test]
    fn nothing_that_changes_spends_or_hands_out_is_a_read() {
        for (service, operation) in READS {
            let verbs = ["Get", "List", "Describe", "Lookup", "Filter"];
            // why this one: it makes IAM count, and leaves nothing in the account; SecurityAudit has it too.
            let counts = (*service, *operation) == ("IAM", "GenerateServiceLastAccessedDetails");
            assert!(counts || verbs.iter().any(|verb| operation.starts_with(verb)), "{service}:{operation}");
        }
        for (service, operation) in [
            ("STS", "GetSessionToken"),
            ("STS", "GetFederationToken"),
            ("STS", "AssumeRole"),
            ("S3", "GetObject"),
            ("CloudWatch Logs", "GetQueryResults"),
            ("CloudWatch Logs", "StartQuery"),
            ("KMS", "Decrypt"),
            ("KMS", "GenerateDataKey"),
            ("KMS", "GetParametersForImport"),
            ("Bedrock", "PutResourcePolicy"),
        ] {
            assert!(!listed(READS, service, operation), "{service}:{operation}");
        }
        assert!(CONTENT.is_sorted_by(|a, b| a < b));
        for (service, operation) in CONTENT {
            let verbs = ["Get", "Head", "List"];
            assert!(verbs.iter().any(|verb| operation.starts_with(verb)), "{service}:{operation}");
            assert!(!listed(READS, service, operation) && !listed(WRITES, service, operation));
        }
        assert!(OPINION.is_sorted_by(|a, b| a < b));
        for (service, operation) in OPINION {
            assert!(["Contains", "Detect"].iter().any(|verb| operation.starts_with(verb)), "{service}:{operation}");
            assert!([READS, CONTENT, WRITES].iter().all(|list| !listed(list, service, operation)));
        }
        for (service, operation) in WRITES {
            assert!(
                ["Put", "Create", "Revoke", "BatchImport"].iter().any(|verb| operation.starts_with(verb)),
                "{service}"
            );
        }
    }

    #[test]
    fn names() {
        assert_eq!(service_operation("EventBridge", "ListRules"), "events:ListRules");
        assert_eq!(service_operation("Athena", "StartQueryExecution"), "Athena:StartQueryExecution");
    }
}
