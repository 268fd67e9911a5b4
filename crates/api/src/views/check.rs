use mis_sync_domain::{CheckedPart, GrantState, SchoolCheck, TokenVerdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::timestamp;

/// What Wonde says to a school's token, and what the school grants.
#[derive(Serialize, ToSchema)]
#[schema(as = SchoolCheck)]
pub(crate) struct SchoolCheckView {
    /// When Wonde was asked.
    #[schema(format = DateTime)]
    checked_at: String,
    token: TokenVerdict,
    /// What `token` means, in one sentence.
    sentence: &'static str,
    /// Each part of the school's data; empty unless the token is accepted.
    grants: Vec<GrantView>,
    /// What will be missing in iP, in words for people; empty if nothing will.
    missing: Vec<String>,
}

/// Whether one part of the school's data arrives.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantView {
    part: CheckedPart,
    /// The name that people know.
    label: &'static str,
    state: GrantState,
}

impl From<&SchoolCheck> for SchoolCheckView {
    fn from(check: &SchoolCheck) -> Self {
        let grants = check.grants.iter().map(|grant| GrantView {
            part: grant.part,
            label: grant.part.label(),
            state: grant.state,
        });
        Self {
            checked_at: timestamp(check.checked_at),
            token: check.token,
            sentence: check.token.sentence(),
            grants: grants.collect(),
            missing: check.missing(),
        }
    }
}
