//! Callers that their own policies let do anything, so that only the layer in question decides. For controls
//! that ask what a bucket policy, an endpoint policy or an organization lets through.

use std::sync::Arc;

use super::control::Context;
use crate::access::{Bounds, Caller, Facts, Identity, Layer, Policy};
use crate::base::{Arn, ResourceId, Text};

/// A policy that allows everything.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    everything: Arc<Policy>,
}

impl Probe {
    /// Ready to ask.
    pub(super) fn new() -> Self {
        Self { everything: Arc::new(Policy::everything()) }
    }

    /// This role or user; anybody of the account where the text names none.
    pub(super) fn caller(&self, context: &Context<'_>, named: &ResourceId) -> Identity {
        Caller::parse(named.as_str()).map_or_else(|_| self.somebody(context), |caller| self.with(caller))
    }

    /// A role of this account that no policy names.
    pub(super) fn somebody(&self, context: &Context<'_>) -> Identity {
        let arn = Arn {
            partition: context.partition.to_owned(),
            service: "iam".to_owned(),
            region: String::new(),
            account: context.account.to_owned(),
            resource: "role/bedwatch-somebody".to_owned(),
        };
        self.with(Caller::Role { arn, session: None })
    }

    fn with(&self, caller: Caller) -> Identity {
        Identity {
            caller,
            policies: vec![(Layer::Identity(Text::new("everything")), Arc::clone(&self.everything))],
            boundary: None,
            facts: Facts::none(),
            gaps: Vec::new(),
            bounds: Arc::new(Bounds::none()),
        }
    }
}
