//! How far a scan looks into content, and what that costs.

use clap::Args;

use crate::content::opinion;
use crate::source::Depth;

/// The options of a deep look.
#[derive(Debug, Args)]
pub(in crate::cli) struct DepthArgs {
    /// Look into content too: training, validation and import data in S3, and logged prompts and completions. What is
    /// found is reported by masks and digests; see `bedwatch policy --content`
    #[arg(long, conflicts_with = "offline")]
    deep: bool,
    /// Read at most so many bytes of objects a session; what is left over is UNKNOWN
    #[arg(long, value_name = "BYTES", default_value_t = Depth::BYTES, requires = "deep")]
    deep_bytes: u64,
    /// Ask Amazon Comprehend for a second opinion on personal data: text of training and validation data is sent to
    /// it, at its price, which is told before
    #[arg(long, requires = "deep")]
    comprehend: bool,
    /// Send at most so many bytes of text a session, an even share of each prefix; 100 bytes are about a unit
    #[arg(long, value_name = "BYTES", default_value_t = opinion::BYTES, requires = "comprehend")]
    comprehend_bytes: u64,
}

impl DepthArgs {
    /// How far to look; none: not into content.
    pub(super) fn depth(&self) -> Option<Depth> {
        let opinion = self.comprehend.then_some(self.comprehend_bytes);
        self.deep.then_some(Depth { bytes: self.deep_bytes, opinion })
    }
}
