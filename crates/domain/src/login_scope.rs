use crate::job::named;

named!(
    /// Where a login has to be unique.
    LoginScope, "scope of logins", {
        /// In all schools: the email alone says who logs in.
        Installation = "installation",
        /// In each school: a person who works at two schools of a trust has an account at each.
        School = "school",
    }
);
