use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::id::{self, WondeId};
use super::include::{Include, Wrapped, links};
use super::shape::{self, Shape};
use super::subject::{Subject, WrittenSubject};

/// A teaching group. Schools name classes after people too, so `Debug` prints only the id.
#[derive(Clone, Deserialize)]
pub struct Class {
    /// Wonde's id; changes when the school changes its MIS.
    pub id: WondeId,
    /// The id in the MIS itself.
    #[serde(default, deserialize_with = "shape::key")]
    pub mis_id: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    pub code: Option<String>,
    /// Often the name again.
    #[serde(default, deserialize_with = "shape::text")]
    pub description: Option<String>,
    /// The subject. Its id is there even without an include, so a plain null counts as delivered: a
    /// class without a subject. A school that does not grant subjects may look the same.
    #[serde(default, deserialize_with = "subject")]
    pub subject: Include<Option<ClassSubject>>,
    /// Include `employees`: who teaches it. A link without a readable id is left out. If no link
    /// has one, this is [`Include::Missing`].
    #[serde(default, deserialize_with = "class_employees")]
    pub employees: Include<Vec<ClassEmployee>>,
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Class").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The subject of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassSubject {
    /// Only its id, because the include was not requested.
    Id(WondeId),
    /// The whole record.
    Included(Subject),
}

impl ClassSubject {
    /// Wonde's id of the subject.
    pub fn id(&self) -> &WondeId {
        match self {
            Self::Id(id) => id,
            Self::Included(subject) => &subject.id,
        }
    }
}

/// An id, an include, or null. A subject without a usable id cannot be understood.
fn subject<'de, D>(deserializer: D) -> Result<Include<Option<ClassSubject>>, D::Error>
where
    D: Deserializer<'de>,
{
    type Written = Shape<IgnoredAny, Wrapped<IgnoredAny, WrittenSubject>>;
    let found = match Written::deserialize(deserializer)? {
        Shape::Null => return Ok(Include::Delivered(None)),
        Shape::Object(Wrapped { data }) => match data {
            Shape::Null => return Ok(Include::Delivered(None)),
            Shape::List(items) if items.is_empty() => return Ok(Include::Delivered(None)),
            Shape::Object(written) => Subject::try_from(written).ok().map(ClassSubject::Included),
            leaf => id::read(leaf).map(ClassSubject::Id),
        },
        leaf => id::read(leaf).map(ClassSubject::Id),
    };
    Ok(found.map_or(Include::Missing, |subject| Include::Delivered(Some(subject))))
}

/// A teacher of a class. `Debug` prints only the id.
#[derive(Clone)]
pub struct ClassEmployee {
    /// Wonde's id of the employee.
    pub id: WondeId,
    /// Whether they are the main teacher, by Wonde's flag or otherwise by the role; `None` if
    /// neither says.
    pub is_main_teacher: Option<bool>,
}

impl fmt::Debug for ClassEmployee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassEmployee").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A class that an employee teaches. `Debug` prints only the id.
#[derive(Clone)]
pub struct TaughtClass {
    pub id: WondeId,
    /// Whether the employee is its main teacher, by Wonde's flag or otherwise by the role; `None`
    /// if neither says.
    pub is_main_teacher: Option<bool>,
}

impl fmt::Debug for TaughtClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaughtClass").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One side of a link as the other side lists it.
#[derive(Deserialize)]
struct WrittenLink {
    #[serde(default, deserialize_with = "id::optional")]
    id: Option<WondeId>,
    #[serde(default, deserialize_with = "shape::object")]
    meta: Pivot,
}

/// How an employee and a class are related.
#[derive(Default, Deserialize)]
struct Pivot {
    #[serde(default, deserialize_with = "shape::flag")]
    is_main_teacher: Option<bool>,
    #[serde(default, deserialize_with = "shape::text")]
    role: Option<String>,
}

impl Pivot {
    /// The flag, or if it says nothing, the name of the role.
    fn is_main_teacher(&self) -> Option<bool> {
        self.is_main_teacher.or_else(|| self.role.as_deref().map(is_main))
    }
}

/// Whether a role is `Main Class Teacher`, in any spelling.
fn is_main(role: &str) -> bool {
    let role = role.to_lowercase();
    let has = |wanted| role.split(|c: char| !c.is_alphanumeric()).any(|word| word == wanted);
    has("main") && has("teacher")
}

/// The staff of a class.
fn class_employees<'de, D>(deserializer: D) -> Result<Include<Vec<ClassEmployee>>, D::Error>
where
    D: Deserializer<'de>,
{
    links(deserializer, |WrittenLink { id, meta }| {
        Some(ClassEmployee { id: id?, is_main_teacher: meta.is_main_teacher() })
    })
}

/// The classes of an employee.
pub(super) fn taught_classes<'de, D>(deserializer: D) -> Result<Include<Vec<TaughtClass>>, D::Error>
where
    D: Deserializer<'de>,
{
    links(deserializer, |WrittenLink { id, meta }| {
        Some(TaughtClass { id: id?, is_main_teacher: meta.is_main_teacher() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys and their order as Wonde sends them; the people are invented.
    const CAPTURED: &str = r#"{"id":"A60","mis_id":"311","name":"7x/Ma1","code":null,
        "description":"Miss Quillfeather's","subject":{"data":{"id":"A5","mis_id":"12","code":"Ma",
            "name":"Mathematics","active":true}},
        "alternative":null,"priority":null,"restored_at":null,
        "created_at":{"date":"2020-01-07 10:00:00.000000","timezone_type":3,"timezone":"UTC"},
        "updated_at":{"date":"2023-05-25 09:09:31.000000","timezone_type":3,"timezone":"UTC"},
        "meta":null,
        "employees":{"data":[
            {"id":"A193","surname":"Quillfeather","meta":{"is_main_teacher":true,
                "is_class_teacher":false,"role":"Main Class Teacher",
                "all_roles":["Main Class Teacher"]}},
            {"id":"A194","surname":"Marchbanks","meta":{"is_main_teacher":0,"role":""}},
            {"id":"A195","meta":[]},
            {"id":"A196"}]}}"#;

    #[test]
    fn a_captured_class_is_read_whole() {
        let class: Class = serde_json::from_str(CAPTURED).unwrap();
        assert_eq!(class.id.as_str(), "A60");
        assert_eq!((class.name.as_deref(), class.code), (Some("7x/Ma1"), None));
        assert_eq!(class.description.as_deref(), Some("Miss Quillfeather's"));
        let Include::Delivered(Some(ClassSubject::Included(subject))) = &class.subject else {
            panic!("the subject was delivered")
        };
        assert_eq!(subject.name.as_deref(), Some("Mathematics"));
        let people = class.employees.delivered().unwrap().iter();
        let links: Vec<_> =
            people.map(|person| (person.id.as_str(), person.is_main_teacher)).collect();
        let main = [("A193", Some(true)), ("A194", Some(false)), ("A195", None), ("A196", None)];
        assert_eq!(links, main);
    }

    #[test]
    fn subject_shapes() {
        let given = |id: &str| Include::Delivered(Some(id.to_owned()));
        let cases = [
            (r#"{"id":"A1"}"#, Include::Missing),
            (r#"{"id":"A1","subject":true}"#, Include::Missing),
            (r#"{"id":"A1","subject":""}"#, Include::Missing),
            (r#"{"id":"A1","subject":{}}"#, Include::Missing),
            (r#"{"id":"A1","subject":[]}"#, Include::Missing),
            (r#"{"id":"A1","subject":{"data":{}}}"#, Include::Missing),
            (r#"{"id":"A1","subject":{"data":{"id":null,"name":null}}}"#, Include::Missing),
            (r#"{"id":"A1","subject":{"data":[{"id":"A5"}]}}"#, Include::Missing),
            (r#"{"id":"A1","subject":null}"#, Include::Delivered(None)),
            (r#"{"id":"A1","subject":{"data":null}}"#, Include::Delivered(None)),
            (r#"{"id":"A1","subject":{"data":[]}}"#, Include::Delivered(None)),
            (r#"{"id":"A1","subject":"A5"}"#, given("A5")),
            (r#"{"id":"A1","subject":5}"#, given("5")),
            (r#"{"id":"A1","subject":{"data":"A5"}}"#, given("A5")),
            (r#"{"id":"A1","subject":{"data":{"id":"A5","name":[]}}}"#, given("A5")),
        ];
        for (json, expected) in cases {
            let class: Class = serde_json::from_str(json).unwrap();
            let read = match &class.subject {
                Include::Missing => Include::Missing,
                Include::Delivered(subject) => {
                    Include::Delivered(subject.as_ref().map(|subject| subject.id().to_string()))
                }
            };
            assert_eq!(read, expected, "{json}");
        }
    }

    #[test]
    fn nobody_teaching_is_not_the_same_as_not_told_who() {
        for (json, expected) in [
            (r#"{"id":"A1"}"#, None),
            (r#"{"id":"A1","employees":null}"#, None),
            (r#"{"id":"A1","employees":{"data":{"count":1}}}"#, None),
            (r#"{"id":"A1","employees":{"data":[{"id":null},{},null,"A2"]}}"#, None),
            (r#"{"id":"A1","employees":{"data":[]}}"#, Some(0)),
            (r#"{"id":"A1","employees":{"data":null}}"#, Some(0)),
            (r#"{"id":"A1","employees":{"data":[{"id":"A2"}]}}"#, Some(1)),
            (r#"{"id":"A1","employees":{"data":[{"id":null},{"id":"A2"},{"id":"a/b"}]}}"#, Some(1)),
        ] {
            let class: Class = serde_json::from_str(json).unwrap();
            assert_eq!(class.employees.delivered().map(Vec::len), expected, "{json}");
        }
    }

    #[test]
    fn the_role_says_who_is_main_where_the_flag_says_nothing() {
        for (meta, expected) in [
            (r#"{"is_main_teacher":null,"role":"Main Class Teacher"}"#, Some(true)),
            (r#"{"is_main_teacher":"","role":"MAIN_CLASS_TEACHER"}"#, Some(true)),
            (r#"{"role":"main teacher"}"#, Some(true)),
            (r#"{"role":"Class Teacher"}"#, Some(false)),
            (r#"{"role":"Maintenance of the teachers' room"}"#, Some(false)),
            (r#"{"is_main_teacher":false,"role":"Main Class Teacher"}"#, Some(false)),
            (r#"{"is_main_teacher":1,"role":"Class Teacher"}"#, Some(true)),
            (r#"{"is_main_teacher":null,"role":null}"#, None),
            ("null", None),
        ] {
            let class = format!(r#"{{"id":"A1","employees":[{{"id":"A2","meta":{meta}}}]}}"#);
            let class: Class = serde_json::from_str(&class).unwrap();
            let staff = class.employees.delivered().unwrap();
            assert_eq!(staff[0].is_main_teacher, expected, "{meta}");
        }
    }

    #[test]
    fn debug_shows_ids_and_nobody() {
        let class: Class = serde_json::from_str(CAPTURED).unwrap();
        let shown = format!("{class:?} {:?}", class.employees);
        assert!(shown.contains("A60") && shown.contains("A193"), "{shown}");
        assert!(!shown.contains("Quill") && !shown.contains("Teacher"), "{shown}");
    }
}
