use mis_sync_domain::{Action, Role};
use mis_sync_store::audit::{self, Actor, Entry};

use super::Access;
use crate::ApiError;

/// Whether an answer contains personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonalData {
    /// Unmasked.
    Shown,
    /// Masked, in the same shape.
    Masked,
}

/// A view that can be shown without its personal data.
pub(crate) trait Mask {
    /// The same view with masks in their place.
    #[must_use]
    fn masked(self) -> Self;
}

impl PersonalData {
    /// What a role may see.
    pub(crate) fn of(role: Role) -> Self {
        if role.allows(Action::SeePersonalData) { Self::Shown } else { Self::Masked }
    }

    /// A view as it may be shown.
    pub(crate) fn show<T: Mask>(self, view: T) -> T {
        match self {
            Self::Shown => view,
            Self::Masked => view.masked(),
        }
    }
}

impl Access {
    /// Whether the caller may read personal data, for the API and the dashboard alike. Reading by a
    /// person is recorded first, so nothing is read without a trace.
    pub(crate) async fn read_personal_data(
        &self,
        actor: &Actor,
        entry: &Entry,
    ) -> Result<PersonalData, ApiError> {
        let role = self.key().role;
        let personal = PersonalData::of(role);
        if personal == PersonalData::Shown && role.is_persons() {
            audit::note(self.pool(), actor, entry).await?;
        }
        Ok(personal)
    }
}
