//! A person in iP.

use std::collections::BTreeMap;

use mis_sync_domain::{JobTitle, SyncRules};
use serde_json::{Value, json};
use uuid::Uuid;

use super::record::Record;
use crate::rows::Person;

/// An account in iP, real or in the model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    /// `None` if the model has not seen the account in iP yet.
    pub(super) id: Option<Uuid>,
    pub(super) wonde_id: Option<String>,
    pub(super) upi: Option<String>,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) initials: Option<String>,
    pub(super) job_title: Option<String>,
    pub(super) active: bool,
    /// The last values of the MIS, field by field.
    pub(super) said: Option<Value>,
}

impl From<&Person> for Account {
    fn from(person: &Person) -> Self {
        Self {
            id: Some(person.id),
            wonde_id: person.wonde_id.clone(),
            upi: person.upi.clone(),
            email: person.email.clone(),
            first_name: person.first_name.clone(),
            initials: person.initials.clone(),
            job_title: person.job_title.clone(),
            active: person.active,
            said: person.mis_values.clone(),
        }
    }
}

impl Account {
    /// As the fixture makes it.
    pub(super) fn made_by_hand(email: String, upi: Option<String>, first_name: String) -> Self {
        Self {
            id: None,
            wonde_id: None,
            upi,
            email,
            first_name,
            initials: None,
            job_title: None,
            active: true,
            said: None,
        }
    }

    /// As a record fills it.
    pub(super) fn new(record: &Record) -> Self {
        Self {
            id: None,
            wonde_id: Some(record.wonde_id.clone()),
            upi: record.upi.clone(),
            email: record.email.clone(),
            first_name: record.first_name.clone(),
            initials: record.initials.clone(),
            job_title: record.job_title.as_deref().map(Into::into),
            active: true,
            said: Some(said(None, record)),
        }
    }

    /// The account after a sync of its record: what the MIS does not say stays, and so does what
    /// the school manages in iP.
    pub(super) fn after(&self, record: &Record, rules: SyncRules) -> Self {
        let mut account = Self {
            id: self.id,
            active: self.active || rules.restores,
            said: Some(said(self.said.as_ref(), record)),
            ..Self::new(record)
        };
        if record.upi.is_none() {
            account.upi.clone_from(&self.upi);
        }
        if record.initials.is_none() || !rules.owned.initials {
            account.initials.clone_from(&self.initials);
        }
        if record.job_title == JobTitle::NotDelivered || !rules.owned.job_title {
            account.job_title.clone_from(&self.job_title);
        }
        account
    }

    /// Whether the MIS gave the person a role when it last said anything about roles.
    pub(super) fn had_role(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said["job_title"].is_string())
    }

    pub(super) fn login(&self) -> String {
        self.email.to_lowercase()
    }

    /// By address and Wonde id, because an inactive person can have the address of a successor.
    pub(super) fn by_login(accounts: impl IntoIterator<Item = Self>) -> BTreeMap<String, Self> {
        let key = |account: &Self| format!("{} {:?}", account.login(), account.wonde_id);
        accounts.into_iter().map(|account| (key(&account), account)).collect()
    }
}

/// What the MIS says now, and otherwise what it said before.
fn said(before: Option<&Value>, record: &Record) -> Value {
    let mut said = before.cloned().unwrap_or_else(|| json!({}));
    said["email"] = json!(record.email);
    said["first_name"] = json!(record.first_name);
    said["surname"] = json!(record.wonde_id);
    if let Some(initials) = &record.initials {
        said["initials"] = json!(initials);
    }
    if record.job_title != JobTitle::NotDelivered {
        said["job_title"] = json!(record.job_title.as_deref());
    }
    said
}
