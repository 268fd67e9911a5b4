use crate::job::named;

named!(
    /// The webhooks of Wonde, by its own names.
    WebhookKind, "kind of webhook", {
        /// A school gives iP access. The event contains the token.
        SchoolApproved = "schoolApproved",
        /// A school ends iP's access.
        AccessRevoked = "accessRevoked",
        /// A school refuses iP access.
        AccessDeclined = "accessDeclined",
        /// A school changes its MIS.
        SchoolMigration = "schoolMigration",
    }
);

impl WebhookKind {
    /// Events that can be true again with the same body: a school may approve and revoke more than
    /// once.
    pub const REPEATABLE: [Self; 3] =
        [Self::SchoolApproved, Self::AccessRevoked, Self::AccessDeclined];
}

named!(
    /// The state of a webhook event.
    WebhookState, "state of a webhook event", {
        /// A worker will handle it.
        Received = "received",
        /// It was handled and applied.
        Applied = "applied",
        /// An approval that Wonde confirmed, for a school that is not connected yet.
        Kept = "kept",
        /// Wonde does not confirm it, or it cannot be understood.
        Refused = "refused",
        /// It has no effect.
        Ignored = "ignored",
    }
);
