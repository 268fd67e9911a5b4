use crate::job::named;

named!(
    /// What Wonde tells of by itself, by its own names.
    WebhookKind, "kind of webhook", {
        /// A school lets iP in; the token comes with it.
        SchoolApproved = "schoolApproved",
        /// A school no longer lets iP in.
        AccessRevoked = "accessRevoked",
        /// A school does not let iP in.
        AccessDeclined = "accessDeclined",
        /// A school changes its MIS.
        SchoolMigration = "schoolMigration",
    }
);

impl WebhookKind {
    /// Those that can be true again in the same words: a school that revoked may approve and
    /// revoke anew.
    pub const REPEATABLE: [Self; 3] =
        [Self::SchoolApproved, Self::AccessRevoked, Self::AccessDeclined];
}

named!(
    /// Where an event from Wonde stands.
    WebhookState, "state of a webhook event", {
        /// A worker will look at it.
        Received = "received",
        /// What it says is done.
        Applied = "applied",
        /// An approval that Wonde confirmed, of a school that is not connected yet.
        Kept = "kept",
        /// Wonde does not confirm it, or it cannot be understood.
        Refused = "refused",
        /// Nothing follows from it.
        Ignored = "ignored",
    }
);
