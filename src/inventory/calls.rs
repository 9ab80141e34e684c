//! What reading costs: calls by operation.

use serde::{Deserialize, Serialize};

/// Calls of one operation since the session began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallStats {
    /// `service:Operation`.
    pub operation: String,
    /// Calls that were sent.
    pub calls: u64,
    /// Requests on the wire, retries included.
    pub attempts: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Attempts that were throttled.
    pub throttles: u64,
    /// Sum of the calls' durations, in milliseconds.
    pub total_ms: u64,
    /// Calls the guard refused.
    pub refused: u64,
}
