//! The details of an employee: contact, employment, roles and photo.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Data;
use super::dates::DateObject;
use crate::ids::WondeId;
use crate::school::{Contact, Employee, Employment, Photo, Role, Times};

/// What is shown if details are not shared: only nulls.
pub(super) static NO_CONTACT: Contact =
    Contact { work_email: None, home_email: None, work_phone: None };
pub(super) static NO_EMPLOYMENT: Employment =
    Employment { current: None, teaching_staff: None, start: None, end: None, staff_code: None };

pub(super) struct ContactJson<'a>(pub(super) &'a Contact);

impl Serialize for ContactJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Phones<'a> {
            phone: Option<&'a str>,
            primary: Option<&'a str>,
            home: Option<&'a str>,
            work: Option<&'a str>,
            mobile: Option<&'a str>,
        }
        #[derive(serde::Serialize)]
        struct Emails<'a> {
            email: Option<&'a str>,
            primary: Option<&'a str>,
            home: Option<&'a str>,
            work: Option<&'a str>,
        }
        #[derive(serde::Serialize, Default, Clone, Copy)]
        struct Address {
            house_number: Option<&'static str>,
            house_name: Option<&'static str>,
            street: Option<&'static str>,
            town: Option<&'static str>,
            county: Option<&'static str>,
            postcode: Option<&'static str>,
        }
        #[derive(serde::Serialize)]
        struct Addresses {
            home: Address,
            postal: Address,
            work: Address,
        }
        let (work, home) = (self.0.work_email.as_deref(), self.0.home_email.as_deref());
        let phone = self.0.work_phone.as_deref();
        let nowhere = Address::default();
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry(
            "phones",
            &Phones { phone, primary: phone, home: None, work: phone, mobile: None },
        )?;
        map.serialize_entry(
            "emails",
            &Emails { email: home.or(work), primary: home.or(work), home, work },
        )?;
        map.serialize_entry("salutation", &())?;
        map.serialize_entry(
            "addresses",
            &Addresses { home: nowhere, postal: nowhere, work: nowhere },
        )?;
        map.end()
    }
}

pub(super) struct EmploymentJson<'a>(pub(super) &'a Employment);

impl Serialize for EmploymentJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let day = |date: Option<NaiveDate>| date.map(DateObject::civil);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("current", &self.0.current)?;
        map.serialize_entry("teaching_staff", &self.0.teaching_staff)?;
        map.serialize_entry("teacher_number", &())?;
        map.serialize_entry("teacher_category", &())?;
        map.serialize_entry("staff_code", &self.0.staff_code)?;
        map.serialize_entry("primary_location", &())?;
        map.serialize_entry("employment_start_date", &day(self.0.start))?;
        map.serialize_entry("employment_end_date", &day(self.0.end))?;
        for key in EMPLOYMENT_NULLS {
            map.serialize_entry(key, &())?;
        }
        map.end()
    }
}

/// Fields of employment that applications of this kind may not read.
const EMPLOYMENT_NULLS: [&str; 11] = [
    "local_authority_start_date",
    "probation_end_date",
    "police_check_date",
    "health_check_date",
    "employment_payroll_number",
    "employee_payroll_number",
    "working_with_children_registration_number",
    "role_text",
    "qualified_teacher_status",
    "qualified_teacher_status_route",
    "higher_level_teaching_assistant_status",
];

/// A role. The shape of Wonde's own is not known.
#[derive(Clone, Copy)]
pub(super) struct RoleJson<'a> {
    pub(super) role: &'a Role,
    pub(super) person: &'a Employee,
    /// The outer `Some` where the contract is included.
    pub(super) contract: Option<(&'a Employee, Option<&'a Employment>)>,
}

impl Serialize for RoleJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.role.id)?;
        map.serialize_entry("mis_id", &self.role.id.to_string()[1..])?;
        map.serialize_entry("name", &self.role.name)?;
        map.serialize_entry("code", &self.role.code)?;
        map.serialize_entry("start_date", &())?;
        map.serialize_entry("end_date", &())?;
        map.serialize_entry("created_at", &DateObject::moment(self.person.times.created))?;
        map.serialize_entry("updated_at", &DateObject::moment(self.person.times.updated))?;
        if let Some((person, employment)) = self.contract {
            let data = employment.map(|employment| ContractJson { person, employment });
            map.serialize_entry("contract", &Data { data })?;
        }
        map.end()
    }
}

/// The one contract of a person: their employment seen from its dates.
pub(super) struct ContractJson<'a> {
    pub(super) person: &'a Employee,
    pub(super) employment: &'a Employment,
}

impl Serialize for ContractJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("id", &self.person.id)?;
        map.serialize_entry("mis_id", &self.person.mis_id.to_string())?;
        map.serialize_entry("start_date", &self.employment.start.map(DateObject::civil))?;
        map.serialize_entry("end_date", &self.employment.end.map(DateObject::civil))?;
        map.end()
    }
}

/// A photo; only nulls if it is not shared.
pub(crate) struct PhotoJson(pub(crate) Option<Photo>);

impl Serialize for PhotoJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let photo = self.0;
        let time = |pick: fn(&Times) -> DateTime<Utc>| {
            photo.map(|photo| DateObject::moment(pick(&photo.times)))
        };
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry::<_, Option<WondeId>>("id", &photo.map(|photo| photo.id))?;
        map.serialize_entry("content", &photo.map(|photo| STANDARD.encode(photo.file())))?;
        map.serialize_entry("hash", &photo.map(|photo| photo.hash()))?;
        map.serialize_entry("created_at", &time(|times| times.created))?;
        map.serialize_entry("updated_at", &time(|times| times.updated))?;
        map.end()
    }
}
