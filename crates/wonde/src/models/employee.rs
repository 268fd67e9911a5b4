use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::class::{TaughtClass, taught_classes};
use super::date::{WondeDate, date};
use super::id::WondeId;
use super::include::{Include, ids, to_many, to_one};
use super::photo::Photo;
use super::shape;

/// A member of staff. Everything except the ids is personal data, so `Debug` prints only the id.
#[derive(Clone, Deserialize)]
pub struct Employee {
    /// Wonde's id; changes when the school changes its MIS.
    pub id: WondeId,
    /// Wonde derives it from the school and the MIS id. It may survive a new `id`.
    #[serde(default, deserialize_with = "shape::key")]
    pub upi: Option<String>,
    /// The id in the MIS itself.
    #[serde(default, deserialize_with = "shape::key")]
    pub mis_id: Option<String>,
    /// Staff initials or code as the MIS shows them.
    #[serde(default, deserialize_with = "shape::text")]
    pub initials: Option<String>,
    /// Preferred surname.
    #[serde(default, deserialize_with = "shape::text")]
    pub surname: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    pub forename: Option<String>,
    #[serde(default, deserialize_with = "to_one")]
    pub contact_details: Include<Option<ContactDetails>>,
    #[serde(default, deserialize_with = "to_one")]
    pub employment_details: Include<Option<EmploymentDetails>>,
    #[serde(default, deserialize_with = "to_many")]
    pub roles: Include<Vec<Role>>,
    /// Include `hierarchy`: ids of the employees listed there, in order. Whether they are above or
    /// below this one is not documented. An item without a readable id is left out. If no item has
    /// one, this is [`Include::Missing`].
    #[serde(default, deserialize_with = "ids")]
    pub hierarchy: Include<Vec<WondeId>>,
    /// Include `photo`. A school that does not grant it may show a photo that consists of nulls.
    #[serde(default, deserialize_with = "to_one")]
    pub photo: Include<Option<Photo>>,
    /// Include `classes`: those that the person teaches. A link without a readable id is left out.
    /// If no link has one, this is [`Include::Missing`].
    #[serde(default, deserialize_with = "taught_classes")]
    pub classes: Include<Vec<TaughtClass>>,
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Contact details, as far as a sync needs them. `Debug` prints nothing of them.
#[derive(Clone, Default, Deserialize)]
pub struct ContactDetails {
    /// Addresses by use.
    #[serde(default, deserialize_with = "shape::object")]
    pub emails: Emails,
}

impl fmt::Debug for ContactDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactDetails").finish_non_exhaustive()
    }
}

/// Email addresses as written in the MIS, neither trimmed nor checked. `Debug` prints none.
#[derive(Clone, Default, Deserialize)]
pub struct Emails {
    /// The work address.
    #[serde(default, deserialize_with = "shape::text")]
    pub work: Option<String>,
}

impl fmt::Debug for Emails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emails").finish_non_exhaustive()
    }
}

/// Employment at the school. `Debug` prints nothing of it.
#[derive(Clone, Default, Deserialize)]
pub struct EmploymentDetails {
    /// Whether they are employed now, as the MIS says; often null.
    #[serde(default, deserialize_with = "shape::flag")]
    pub current: Option<bool>,
    /// Whether they teach.
    #[serde(default, deserialize_with = "shape::flag")]
    pub teaching_staff: Option<bool>,
    #[serde(default, deserialize_with = "day")]
    pub employment_start_date: Option<WondeDate>,
    #[serde(default, deserialize_with = "day")]
    pub employment_end_date: Option<WondeDate>,
}

impl fmt::Debug for EmploymentDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmploymentDetails").finish_non_exhaustive()
    }
}

/// One role of a person. `Debug` prints nothing of it.
#[derive(Clone, Deserialize)]
#[serde(from = "WrittenRole")]
pub struct Role {
    /// The shape of a role is not documented, so this is the first of `name`, `role`,
    /// `description`, `title` and `code` that is there.
    pub name: Option<String>,
    /// First day in the role.
    pub start_date: Option<WondeDate>,
    /// Last day in the role.
    pub end_date: Option<WondeDate>,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct WrittenRole {
    #[serde(default, deserialize_with = "shape::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    role: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    code: Option<String>,
    #[serde(default, deserialize_with = "day")]
    start_date: Option<WondeDate>,
    #[serde(default, deserialize_with = "day")]
    end_date: Option<WondeDate>,
}

impl From<WrittenRole> for Role {
    fn from(written: WrittenRole) -> Self {
        let names = [written.name, written.role, written.description, written.title, written.code];
        Self {
            name: names.into_iter().flatten().next(),
            start_date: written.start_date,
            end_date: written.end_date,
        }
    }
}

/// A first or last day. `0000-00-00`, which PHP turns into a day of the year -1, is how some MIS
/// say that there is none.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WondeDate>, D::Error> {
    let written = Value::deserialize(deserializer)?;
    let text = written.get("date").unwrap_or(&written).as_str().unwrap_or_default().trim_start();
    if text.starts_with("0000-00-00") || text.starts_with("-0001-11-") {
        return Ok(None);
    }
    date(written).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys and their order as Wonde sends them; the person is invented.
    const CAPTURED: &str = r#"{"id":"A193","upi":"0f3e","mis_id":41,"initials":"QX","title":"Ms",
        "surname":"Quillfeather","forename":"Xanthe","middle_names":null,
        "legal_surname":"Quillfeather","legal_forename":"Xanthe","gender":null,
        "date_of_birth":null,"restored_at":null,
        "updated_at":{"date":"2023-05-25 09:09:31.000000","timezone_type":3,"timezone":"UTC"},
        "created_at":{"date":"2020-01-07 10:00:00.000000","timezone_type":3,"timezone":"UTC"},
        "contact_details":{"data":{"phones":{"phone":null},"emails":{"email":null,
            "primary":"x.quillfeather@home.example","home":null,
            "work":"x.quillfeather@school.example"},"salutation":null}},
        "employment_details":{"data":{"current":"true","teaching_staff":0,
            "employment_start_date":{"date":"2020-09-01 00:00:00.000000","timezone_type":3,
                "timezone":"Europe/London"},
            "employment_end_date":null,"role_text":"Librarian","staff_code":7}},
        "roles":{"data":[{"id":"A7","mis_id":"3","name":"Librarian"}]},
        "photo":{"data":{"id":"A8","content":"UXVpbGw=","hash":"5f70","updated_at":null}},
        "hierarchy":{"data":[{"id":"A9","surname":"Marchbanks"}]},
        "classes":{"data":[{"id":"A60","name":"9B/Ma1","subject":"A7",
            "meta":{"is_main_teacher":true,"role":"Main Class Teacher"}},{"id":"A61"}]}}"#;

    #[test]
    fn a_captured_employee_is_read_whole() {
        let employee: Employee = serde_json::from_str(CAPTURED).unwrap();
        assert_eq!(employee.surname.as_deref(), Some("Quillfeather"));

        let Include::Delivered(Some(contact)) = &employee.contact_details else {
            panic!("contact details were delivered")
        };
        assert_eq!(contact.emails.work.as_deref(), Some("x.quillfeather@school.example"));

        let Include::Delivered(Some(employment)) = &employee.employment_details else {
            panic!("employment details were delivered")
        };
        assert_eq!(employment.current, Some(true));
        assert_eq!(employment.teaching_staff, Some(false));
        assert_eq!(employment.employment_end_date, None);
        let start = employment.employment_start_date.unwrap();
        assert_eq!(start.civil().unwrap().to_string(), "2020-09-01");

        let Include::Delivered(roles) = &employee.roles else { panic!("roles were delivered") };
        assert_eq!(roles[0].name.as_deref(), Some("Librarian"));

        let Include::Delivered(Some(photo)) = &employee.photo else {
            panic!("a photo was delivered")
        };
        assert_eq!(photo.bytes(5), Ok(Some(b"Quill".to_vec())));
        let hierarchy = employee.hierarchy.delivered().unwrap();
        assert_eq!(hierarchy.iter().map(WondeId::as_str).collect::<Vec<_>>(), ["A9"]);
        let classes = employee.classes.delivered().unwrap().iter();
        let classes: Vec<_> =
            classes.map(|class| (class.id.as_str(), class.is_main_teacher)).collect();
        assert_eq!(classes, [("A60", Some(true)), ("A61", None)]);
    }

    #[test]
    fn an_id_is_enough_and_broken_leaves_do_no_harm() {
        let bare: Employee = serde_json::from_str(r#"{"id":"A1"}"#).unwrap();
        assert!(bare.roles.delivered().is_none());
        assert!(bare.contact_details.delivered().is_none());
        assert!(bare.hierarchy.delivered().is_none());
        assert!(bare.photo.delivered().is_none());
        assert!(bare.classes.delivered().is_none());

        let odd = r#"{"id":5,"surname":{"x":1},"forename":[],"initials":false,
            "contact_details":{"data":{"emails":[]}},
            "employment_details":{"data":{"current":"?","employment_end_date":9}},"roles":7,
            "hierarchy":{"data":{"count":2}},"photo":{"data":[]}}"#;
        let odd: Employee = serde_json::from_str(odd).unwrap();
        assert_eq!((odd.id.as_str(), odd.surname, odd.initials), ("5", None, None));
        let employment = odd.employment_details.delivered().unwrap().as_ref().unwrap();
        assert_eq!(employment.current, None);
        assert!(employment.employment_end_date.unwrap().is_unreadable());
        let contact = odd.contact_details.delivered().unwrap().as_ref().unwrap();
        assert_eq!(contact.emails.work, None);
        assert!(odd.roles.delivered().is_none());
        assert!(odd.hierarchy.delivered().is_none());
        assert!(odd.photo.delivered().is_some_and(Option::is_none));
    }

    #[test]
    fn a_role_takes_the_first_name_there_is() {
        let cases = [
            (r#"{"name":"Head","role":"R","code":"C"}"#, Some("Head")),
            (r#"{"name":null,"role":"Teacher","description":"D"}"#, Some("Teacher")),
            (r#"{"name":"","description":"Site team"}"#, Some("Site team")),
            (r#"{"title":"Tutor","code":"TU"}"#, Some("Tutor")),
            (r#"{"code":"TCHR"}"#, Some("TCHR")),
            (r#"{"id":3}"#, None),
        ];
        for (json, expected) in cases {
            let role: Role = serde_json::from_str(json).unwrap();
            assert_eq!(role.name.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_day_of_noughts_is_no_day() {
        let end = |json: &str| {
            let details = format!(r#"{{"employment_end_date":{json}}}"#);
            let details: EmploymentDetails = serde_json::from_str(&details).unwrap();
            details.employment_end_date
        };
        for none in [
            "null",
            r#""0000-00-00""#,
            r#""0000-00-00 00:00:00""#,
            r#"{"date":"-0001-11-30 00:00:00.000000","timezone_type":3,"timezone":"UTC"}"#,
        ] {
            assert_eq!(end(none), None, "{none}");
        }
        for garbage in [r#""31/08/2026""#, r#"{"date":"soon"}"#, "9", r#""0000-01-32""#] {
            assert!(end(garbage).unwrap().is_unreadable(), "{garbage}");
        }
        let role: Role = serde_json::from_str(r#"{"end_date":"0000-00-00"}"#).unwrap();
        assert_eq!(role.end_date, None);
    }

    #[test]
    fn debug_shows_ids_and_nobody() {
        let employee: Employee = serde_json::from_str(CAPTURED).unwrap();
        let contact = employee.contact_details.delivered().unwrap().as_ref().unwrap();
        let shown = format!(
            "{employee:?} {contact:?} {:?} {:?} {:?} {:?}",
            contact.emails, employee.employment_details, employee.roles, employee.photo
        );
        assert!(shown.contains("A193"), "{shown}");
        for private in ["Quill", "Xanthe", "school.example", "QX", "Librarian", "2020", "UXVp"] {
            assert!(!shown.contains(private), "{private}: {shown}");
        }
    }
}
