//! Schools, their meta data and their counts.

use serde::Serialize;
use serde_json::{Value, json};

use super::dates::DateObject;
use crate::ids::WondeId;
use crate::includes::permission;
use crate::mis::Feature;
use crate::query::Query;
use crate::school::{Access, School};

/// The spelling of a MIS that is none of the eleven.
const UNKNOWN_MIS: &str = "Zebra MIS 9";

/// A school as `schools` shows it.
#[derive(Serialize)]
pub(crate) struct SchoolJson<'a> {
    id: WondeId,
    name: &'a str,
    establishment_number: String,
    urn: u32,
    phase_of_education: &'static str,
    la_code: String,
    timezone: &'static str,
    mis: &'static str,
    address: Address<'a>,
    extended: Extended,
    region: Region<'a>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
struct Address<'a> {
    address_line_1: &'static str,
    address_line_2: Option<&'static str>,
    address_town: &'static str,
    address_postcode: &'a str,
    address_country: Country,
}

#[derive(Serialize)]
struct Country {
    code: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct Extended {
    allows_writeback: bool,
    has_timetables: bool,
    has_lesson_attendance: bool,
}

#[derive(Serialize)]
struct Region<'a> {
    code: &'static str,
    domain: &'a str,
    school_url: Option<&'static str>,
    identifiers: Identifiers,
}

#[derive(Serialize)]
struct Identifiers {
    la_code: String,
    establishment_number: String,
    urn: u32,
}

impl<'a> SchoolJson<'a> {
    /// The school seen on `domain`, the host of its region.
    pub(crate) fn new(school: &'a School, domain: &'a str) -> Self {
        let profile = &school.profile;
        let (la_code, establishment_number) =
            (profile.la_code.to_string(), profile.establishment_number.to_string());
        let identifiers = Identifiers {
            la_code: la_code.clone(),
            establishment_number: establishment_number.clone(),
            urn: profile.urn,
        };
        Self {
            id: school.id,
            name: &profile.name,
            establishment_number,
            urn: profile.urn,
            phase_of_education: profile.phase,
            la_code,
            timezone: "Europe/London",
            mis: if school.has_unknown_mis { UNKNOWN_MIS } else { school.mis.wire_name() },
            address: Address {
                address_line_1: profile.street,
                address_line_2: None,
                address_town: profile.town,
                address_postcode: &profile.postcode,
                address_country: Country { code: "GBR", name: "United Kingdom" },
            },
            extended: Extended {
                allows_writeback: false,
                has_timetables: true,
                has_lesson_attendance: false,
            },
            region: Region { code: "GBR", domain, school_url: None, identifiers },
        }
    }
}

/// `meta/schools/{id}`.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has four switches")]
pub(crate) struct MetaJson {
    online: bool,
    approved: bool,
    audited: bool,
    custom_attendance_codes: bool,
}

impl MetaJson {
    pub(crate) fn new(school: &School) -> Self {
        let approved = school.access == Access::Approved;
        Self { online: school.online, approved, audited: approved, custom_attendance_codes: false }
    }
}

/// An item of `meta/schools/{id}/permissions`.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has four switches")]
pub(crate) struct PermissionJson {
    identity: &'static str,
    name: &'static str,
    description: Option<&'static str>,
    parent: Option<&'static str>,
    group: &'static str,
    active_from: DateObject,
    optional: bool,
    approved: bool,
    audited: bool,
    declined: bool,
}

/// All permissions that the application asks of a school; the optional ones can be withdrawn.
pub(crate) fn permissions(school: &School) -> Vec<PermissionJson> {
    let item = |identity, name, optional, approved| PermissionJson {
        identity,
        name,
        description: None,
        parent: None,
        group: "Staff",
        active_from: DateObject::moment(school.profile.updated_at),
        optional,
        approved,
        audited: approved,
        declined: !approved,
    };
    let required = [("employees.read", "Employees"), ("groups.read", "Groups")];
    let optional = Feature::ALL.map(|feature| {
        item(
            permission(feature),
            feature_name(feature),
            true,
            !school.withdrawn.contains_key(&feature),
        )
    });
    required
        .into_iter()
        .map(|(identity, name)| item(identity, name, false, true))
        .chain(optional)
        .collect()
}

fn feature_name(feature: Feature) -> &'static str {
    match feature {
        Feature::Roles => "Employee roles",
        Feature::Photo => "Employee photos",
        Feature::LineManager => "Employee hierarchy",
        Feature::StaffLinks => "Staff of classes",
        Feature::ContactDetails => "Employee contact details",
        Feature::EmploymentDetails => "Employee employment details",
        Feature::Classes => "Classes",
        Feature::Subjects => "Subjects",
    }
}

/// `counts`: here `data` is an object, one key for each include that is known.
pub(crate) fn counts(school: &School, query: &Query) -> Value {
    let mut data = serde_json::Map::new();
    for name in query.list("include") {
        let count = match name {
            "employees" => school.employees.len(),
            "classes" => school.classes_shown().len(),
            "subjects" => school.subjects_shown().len(),
            "groups" => school.groups.len(),
            // Pupils are out of scope; there are none.
            "students" | "contacts" => 0,
            _ => continue,
        };
        data.insert(name.to_owned(), json!({"data": {"count": count}}));
    }
    json!({"data": data, "meta": {"includes": ["students", "employees", "classes", "subjects", "groups", "contacts"]}})
}
