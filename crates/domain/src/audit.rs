use crate::job::named;

named!(
    /// What a person did. These strings never change, because the audit log keeps them for ever.
    AuditAction, "audited action", {
        /// Cancelled a job.
        Cancel = "cancel",
        /// Let a job run again.
        Retry = "retry",
        /// Let a held job apply its changes, or some of them.
        Approve = "approve",
        /// Cancelled a held job.
        Reject = "reject",
        /// Reversed the changes of a job.
        Undo = "undo",
        /// Decided who a record of the MIS belongs to.
        Match = "match",
        /// Connected a new school.
        ConnectSchool = "connect_school",
        /// Changed a school's connection or settings.
        ChangeSchool = "change_school",
        /// Destroyed a school's token.
        DisconnectSchool = "disconnect_school",
        CreateKey = "create_key",
        /// Revoked an API key.
        RevokeKey = "revoke_key",
        /// Encrypted all stored secrets with the first encryption key.
        Reseal = "reseal",
        /// Signed in to the dashboard.
        SignIn = "sign_in",
        /// Signed out of the dashboard.
        SignOut = "sign_out",
        /// Revealed personal data.
        Reveal = "reveal",
        /// Downloaded a file with personal data.
        Export = "export",
        /// Paused a lane or a school.
        Pause = "pause",
        /// Resumed a lane or a school.
        Resume = "resume",
        /// Asked a worker to finish its jobs and take no new ones.
        Drain = "drain",
        /// Let a worker take new jobs again.
        Undrain = "undrain",
        /// Acted on many jobs at once.
        Bulk = "bulk",
        /// Pressed *Sync Data* on the dashboard, as a dry run or not.
        Sync = "sync",
    }
);
