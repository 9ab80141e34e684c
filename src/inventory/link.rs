//! What two ends of lineage are to each other, and the sentence that says so, from either end.

use serde::{Deserialize, Serialize};

/// What one end is to the other. The sentence reads `from` link `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// A base model or data feeds a job.
    Feeds,
    /// A job makes a model.
    Makes,
    /// A model is copied to another.
    CopiedTo,
    /// A model is served by a deployment or throughput.
    ServedBy,
    /// Something runs as a role.
    RunsAs,
    /// Something is encrypted with a key.
    EncryptedWith,
    /// Something reads from data.
    Reads,
    /// Something writes to data.
    Writes,
    /// Data lies in a bucket.
    LiesIn,
    /// Something runs in a subnet; a subnet in a VPC.
    RunsIn,
    /// Something is protected by a security group.
    ProtectedBy,
    /// A subnet follows a route table.
    Follows,
    /// Something logs to a group or bucket.
    LogsTo,
}

impl Link {
    /// The sentence between the two, read from `from`: a job `runs as` a role.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Feeds => "feeds",
            Self::Makes => "makes",
            Self::CopiedTo => "is copied by",
            Self::ServedBy => "is served by",
            Self::RunsAs => "runs as",
            Self::EncryptedWith => "is encrypted with",
            Self::Reads => "reads",
            Self::Writes => "writes to",
            Self::LiesIn => "lies in",
            Self::RunsIn => "runs in",
            Self::ProtectedBy => "is protected by",
            Self::Follows => "follows",
            Self::LogsTo => "logs to",
        }
    }

    /// The same sentence read from `to`: a role `is used by` a job.
    pub fn back(self) -> &'static str {
        match self {
            Self::Feeds => "is fed by",
            Self::Makes => "is made by",
            Self::CopiedTo => "copies",
            Self::ServedBy => "serves",
            Self::RunsAs => "is used by",
            Self::EncryptedWith => "encrypts",
            Self::Reads => "is read by",
            Self::Writes => "is written by",
            Self::LiesIn => "holds",
            Self::RunsIn => "hosts",
            Self::ProtectedBy => "protects",
            Self::Follows => "routes",
            Self::LogsTo => "takes logs of",
        }
    }

    /// Whether `to` is made out of `from`. Else `from` only leans on `to`: it needs a key, a role, a network,
    /// a place to write to.
    pub fn is_origin(self) -> bool {
        matches!(self, Self::Feeds | Self::Makes | Self::CopiedTo | Self::ServedBy)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_edge_reads_both_ways() {
        use Link as L;
        let all = [
            L::Feeds,
            L::Makes,
            L::CopiedTo,
            L::ServedBy,
            L::RunsAs,
            L::EncryptedWith,
            L::Reads,
            L::Writes,
            L::LiesIn,
            L::RunsIn,
            L::ProtectedBy,
            L::Follows,
            L::LogsTo,
        ];
        let words: BTreeSet<&str> = all.iter().flat_map(|link| [link.verb(), link.back()]).collect();
        assert_eq!(words.len(), 26, "no sentence says two things");
        assert_eq!((L::EncryptedWith.verb(), L::EncryptedWith.back()), ("is encrypted with", "encrypts"));
    }
}
