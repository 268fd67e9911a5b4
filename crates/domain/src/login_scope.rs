use crate::job::named;

named!(
    /// Within what a login is one person's.
    LoginScope, "scope of logins", {
        /// All schools: an email alone says who logs in.
        Installation = "installation",
        /// One school: a person who works at two schools of a trust has an account in each.
        School = "school",
    }
);
