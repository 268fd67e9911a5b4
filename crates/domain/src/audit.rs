use crate::job::named;

named!(
    /// What a person did. These strings are for ever: the audit log is.
    AuditAction, "audited action", {
        /// Called a job off.
        Cancel = "cancel",
        /// Let a job be done again.
        Retry = "retry",
        /// Let a held job make its changes, or some of them.
        Approve = "approve",
        /// Let a held job change nobody.
        Reject = "reject",
        /// Took back what a job changed.
        Undo = "undo",
        /// Decided whom a record of the MIS means.
        Match = "match",
        /// Connected a school that was not there before.
        ConnectSchool = "connect_school",
        /// Changed a school's connection or settings.
        ChangeSchool = "change_school",
        /// Destroyed a school's token.
        DisconnectSchool = "disconnect_school",
        /// Made an API key.
        CreateKey = "create_key",
        /// Made an API key open nothing any more.
        RevokeKey = "revoke_key",
        /// Signed in to the dashboard.
        SignIn = "sign_in",
        /// Signed out of it.
        SignOut = "sign_out",
        /// Had personal data shown.
        Reveal = "reveal",
        /// Took a file with personal data.
        Export = "export",
        /// Stopped a lane or a school from starting work.
        Pause = "pause",
        /// Let it start work again.
        Resume = "resume",
        /// Asked a worker to finish what it has and take nothing new.
        Drain = "drain",
        /// Let it take new work again.
        Undrain = "undrain",
        /// Did something to many at once.
        Bulk = "bulk",
        /// Pressed *Sync Data* on the dashboard, as a dry run or not.
        Sync = "sync",
    }
);
