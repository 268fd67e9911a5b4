use mis_sync_domain::{
    StaffId,
    plan::{MatchReason, Named},
};
use mis_sync_store::matches::Candidate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::mask_text;
use crate::{body::Body, state::Mask};

/// Which person a record belongs to.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchRequest {
    /// Wonde's id of the record.
    #[schema(value_type = String, required)]
    pub(crate) wonde_id: Option<String>,
    /// iP's id of the person; null or left out for a new person.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(crate) staff_id: Option<StaffId>,
}

impl MatchRequest {
    /// What `wonde_id` has to be.
    pub(crate) const WONDE_ID: &str = "has to be the Wonde id of the record";
}

impl Body for MatchRequest {
    fn wanted(field: &str) -> Option<String> {
        let wanted = match field {
            "wonde_id" => Self::WONDE_ID,
            "staff_id" => "has to be iP's id of a person, or null for a new person",
            _ => return None,
        };
        Some(wanted.to_owned())
    }
}

/// Records that may belong to a person in iP.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchList)]
pub(crate) struct MatchListView {
    pub(crate) matches: Vec<MatchView>,
}

/// A record of the MIS, and the person in iP it may belong to.
#[derive(Serialize, ToSchema)]
#[schema(as = Match)]
pub(crate) struct MatchView {
    /// Wonde's id of the record.
    wonde_id: String,
    /// iP's id of the person.
    #[schema(format = "uuid")]
    staff_id: String,
    /// How much they have in common; 100 is everything.
    #[schema(minimum = 0, maximum = 100)]
    score: u8,
    /// What they have in common.
    reasons: Vec<MatchReason>,
    /// A key is the same but the names are not, so the account may belong to another person: if
    /// it is linked, it gets a new password.
    in_doubt: bool,
    /// What the record says.
    mis: NamedView,
    /// What iP says.
    ip: NamedView,
    /// A person has decided, and the next full sync follows it.
    is_decided: bool,
}

/// How a person is recognised; each `•••••` for a key that may not read personal data.
#[derive(Serialize, ToSchema)]
#[schema(as = Named)]
struct NamedView {
    first_name: String,
    surname: String,
    email: String,
    /// Null if they are not given, or if the record was read before this field existed.
    #[schema(required)]
    initials: Option<String>,
    /// In the MIS the roles, joined by commas; null like the initials.
    #[schema(required)]
    job_title: Option<String>,
}

impl Mask for MatchView {
    fn masked(self) -> Self {
        Self { mis: self.mis.masked(), ip: self.ip.masked(), ..self }
    }
}

impl Mask for NamedView {
    fn masked(self) -> Self {
        let mask = |text: Option<String>| text.map(|_| mask_text());
        Self {
            first_name: mask_text(),
            surname: mask_text(),
            email: mask_text(),
            initials: mask(self.initials),
            job_title: mask(self.job_title),
        }
    }
}

impl From<Candidate> for MatchView {
    fn from(candidate: Candidate) -> Self {
        Self {
            wonde_id: candidate.wonde_id,
            staff_id: candidate.staff_id.to_string(),
            score: candidate.score,
            reasons: candidate.reasons,
            in_doubt: candidate.in_doubt,
            mis: candidate.mis.into(),
            ip: candidate.ip.into(),
            is_decided: candidate.decision.is_some(),
        }
    }
}

impl From<Named> for NamedView {
    fn from(named: Named) -> Self {
        let Named { first_name, surname, email, initials, job_title } = named;
        Self { first_name, surname, email, initials, job_title }
    }
}
