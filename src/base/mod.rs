//! What every room stands on: ARNs, text made safe, time, ids. Knows nothing of AWS calls.

pub mod arn;
pub mod digest;
pub mod figures;
pub mod ids;
pub mod severity;
pub mod text;
pub mod time;

pub use arn::Arn;
pub use ids::{Generation, RequestId, ResourceId};
pub use severity::Severity;
pub use text::Text;
pub use time::{Clock, Timestamp};
