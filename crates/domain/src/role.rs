use crate::job::named;

named!(
    /// What an API key may do. The roles are not a ladder: `app` can connect schools and has no
    /// dashboard, `operator` has the dashboard and cannot connect schools.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    Role, "role (app, viewer, operator or admin)", {
        /// The iP app, for its administrators: syncs, reads, acts on jobs and connects schools.
        App = "app",
        /// Sees everything, changes nothing.
        Viewer = "viewer",
        /// Sees everything, syncs and acts on jobs.
        Operator = "operator",
        /// May do everything, including schools and keys.
        Admin = "admin",
    }
);

/// Something that a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read schools and jobs.
    Read,
    /// Request a sync.
    Sync,
    /// Cancel, retry, approve, reject or undo a job.
    ActOnJobs,
    /// Connect, change or disconnect a school.
    ManageSchools,
    /// Sign in to the dashboard and see everything in it except personal data.
    UseDashboard,
    /// Read personal data: names, emails, pictures and other fields about people. Without this
    /// right they are masked.
    SeePersonalData,
    /// Create and revoke API keys.
    ManageKeys,
}

impl Role {
    /// Whether a key of this role may do that. The iP app connects its own schools.
    pub fn allows(self, action: Action) -> bool {
        match action {
            Action::Read => true,
            Action::Sync | Action::ActOnJobs | Action::SeePersonalData => self != Self::Viewer,
            Action::UseDashboard => self != Self::App,
            Action::ManageKeys => self == Self::Admin,
            Action::ManageSchools => matches!(self, Self::App | Self::Admin),
        }
    }

    /// Whether a key of this role belongs to a person, so that reads of personal data are recorded.
    /// The iP app is not a person: it has these data itself and reads them at every login.
    pub fn is_persons(self) -> bool {
        self != Self::App
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_changes_nothing() {
        assert!(Role::Viewer.allows(Action::Read));
        assert!(!Role::Viewer.allows(Action::Sync));
        assert!(!Role::Viewer.allows(Action::ActOnJobs));
        assert!(!Role::Viewer.allows(Action::ManageSchools));
        assert!(!Role::Viewer.allows(Action::SeePersonalData));
    }

    #[test]
    fn names_survive_a_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().as_ref(), Ok(role));
        }
    }
}
