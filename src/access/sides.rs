//! How the layers come together (E5–E10): written once, for every logic that it is asked in. An answer is made
//! of expressions that can be read ([`Truth`]); a table of thousands of callers is made of words of 64 columns
//! (`engine::Mask`). Which layers must agree is the same question for both, so it has one answer, here.

use super::decision::{Path, Truth};

/// What the formula needs of a logic: Kleene's, in which "perhaps" stands between no and yes.
pub(super) trait Logic: Clone {
    /// One of both is enough.
    fn either(self, other: Self) -> Self;
    /// Both are needed.
    fn both(self, other: Self) -> Self;
}

impl Logic for Truth {
    fn either(self, other: Self) -> Self {
        self.or(other)
    }

    fn both(self, other: Self) -> Self {
        self.and(other)
    }
}

/// How the caller stands to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stand {
    /// The caller is an AWS service under its own name (E9).
    pub service: bool,
    /// The caller belongs to another account (E8).
    pub foreign: bool,
    /// The resource's own policy stands above the account's (E6).
    pub sovereign: bool,
    /// The caller is the session of a federated user.
    pub federated: bool,
}

/// What each layer says, Denies apart.
pub(super) struct Sides<'a, L> {
    /// The resource's policy, to the caller itself.
    pub direct: &'a L,
    /// The resource's policy, to the role of the session or the user who federated it.
    pub role: &'a L,
    /// The resource's policy, to the account.
    pub account: &'a L,
    /// The caller's own policies.
    pub own: &'a L,
    /// The caller's permissions boundary.
    pub boundary: &'a L,
    /// The session policy.
    pub session: &'a L,
    /// Grants on the key.
    pub grant: &'a L,
    /// Whether the action has an effect for this caller at all (E8).
    pub effect: &'a L,
}

impl<L: Logic> Sides<'_, L> {
    /// Every way to access that is open to a caller who stands so; one is enough.
    pub(super) fn ways(&self, stand: Stand) -> Vec<(Path, L)> {
        let limit = || self.boundary.clone().both(self.session.clone());
        let own_side = || self.own.clone().both(limit());
        if stand.service {
            return vec![(Path::ServicePrincipal, self.direct.clone()), (Path::Grant, self.grant.clone())];
        }
        if stand.foreign {
            let all = self.direct.clone().either(self.role.clone()).either(self.account.clone());
            return vec![
                (Path::CrossAccount, self.effect.clone().both(all).both(own_side())),
                (Path::Grant, self.effect.clone().both(self.grant.clone())),
            ];
        }
        let own_way = if stand.sovereign { self.account.clone().both(own_side()) } else { own_side() };
        vec![
            (Path::Direct, self.direct.clone()),
            (
                if stand.federated { Path::UserOfFederated } else { Path::RoleOfSession },
                self.role.clone().both(limit()),
            ),
            (if stand.sovereign { Path::RootDelegated } else { Path::Identity }, own_way),
            (Path::Grant, self.grant.clone()),
        ]
    }
}
