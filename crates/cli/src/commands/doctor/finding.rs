use serde::Serialize;

use crate::exit::Failure;

/// What one check found.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The name of the check, which scripts know.
    pub(super) check: String,
    pub(super) status: Status,
    pub(super) detail: String,
    pub(super) what_to_do: Option<String>,
    /// Whether a failure is in the configuration, and not in a dependency.
    #[serde(skip)]
    is_configuration: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    /// The service works, and a person should know.
    Warn,
    /// The service does not work, or not for long.
    Fail,
}

impl Finding {
    pub(super) fn ok(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, detail.into(), None)
    }

    pub(super) fn warn(check: &str, detail: impl Into<String>, what_to_do: &str) -> Self {
        Self::new(check, Status::Warn, detail.into(), Some(what_to_do.to_owned()))
    }

    /// Something in the configuration has to be changed.
    pub(super) fn wrong(check: &str, detail: impl Into<String>, what_to_do: &str) -> Self {
        let finding = Self::new(check, Status::Fail, detail.into(), Some(what_to_do.to_owned()));
        Self { is_configuration: true, ..finding }
    }

    /// A dependency does not work.
    pub(super) fn broken(check: &str, detail: impl Into<String>, what_to_do: &str) -> Self {
        Self::new(check, Status::Fail, detail.into(), Some(what_to_do.to_owned()))
    }

    /// What makes a command exit, in the words of that command, which say what to do.
    pub(super) fn failed(check: &str, failure: &Failure) -> Self {
        let finding = Self::new(check, Status::Fail, failure.to_string(), None);
        Self { is_configuration: matches!(failure, Failure::Usage(_)), ..finding }
    }

    fn new(check: &str, status: Status, detail: String, what_to_do: Option<String>) -> Self {
        Self { check: check.to_owned(), status, detail, what_to_do, is_configuration: false }
    }

    pub(super) fn is_failure(&self) -> bool {
        self.status == Status::Fail
    }

    pub(super) fn is_configuration(&self) -> bool {
        self.is_failure() && self.is_configuration
    }

    /// A line for people, and another one that says what to do.
    pub(super) fn tell(&self) -> String {
        let Self { check, status, detail, .. } = self;
        let word = match status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "FAILS",
        };
        let what_to_do = self.what_to_do.as_ref();
        let what_to_do = what_to_do.map_or_else(String::new, |text| format!("\n       → {text}"));
        format!("{word:<6} {check}: {detail}{what_to_do}")
    }
}
