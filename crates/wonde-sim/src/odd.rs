//! One of each odd record, as some MIS and servers really produce them, and the issue that a school
//! gets. With [`SimulatorOptions::odd`](crate::SimulatorOptions::odd) the first school has them all
//! in addition to its own. They are written as bytes, because half of them are not JSON.

mod texts;

use self::texts::TEXTS;
use crate::school::School;
use crate::truth::{ClassTruth, StaffTruth};

/// An odd record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRecord {
    /// What is odd about it.
    pub about: &'static str,
    /// Its id, if that can be read.
    pub wonde_id: Option<&'static str>,
    /// The code of the issue that the school gets; `None` if nothing important is lost and the
    /// record is imported.
    pub issue: Option<&'static str>,
    /// Its own part of the record.
    written: &'static [u8],
}

const UNREADABLE: Option<&str> = Some("unreadable_record");

const fn person(
    about: &'static str,
    wonde_id: Option<&'static str>,
    issue: Option<&'static str>,
    written: &'static [u8],
) -> OddRecord {
    OddRecord { about, wonde_id, issue, written }
}

/// Odd people: what is between `{` and the details that all of them share.
const PEOPLE: [OddRecord; 16] = [
    person("a forename cut in the middle of an emoji", Some("A101"), UNREADABLE,
        br#""id":"A101","surname":"Marchbanks","forename":"Ann\ud83d""#),
    person("the second half of an emoji in a surname", Some("A102"), UNREADABLE,
        br#""id":"A102","surname":"\ude00 Marchbanks","forename":"Bea""#),
    person("a byte of Latin-1", Some("A103"), UNREADABLE,
        b"\"id\":\"A103\",\"surname\":\"Marchbanks\",\"forename\":\"Ren\xe9\""),
    person("a line break in a text", Some("A104"), UNREADABLE,
        b"\"id\":\"A104\",\"surname\":\"March\nbanks\",\"forename\":\"Cora\""),
    person("a number that no number can hold", Some("A105"), UNREADABLE,
        br#""id":"A105","upi":1e999,"surname":"Marchbanks","forename":"Dan""#),
    person("a number that is none", Some("A106"), UNREADABLE,
        br#""id":"A106","initials":NaN,"surname":"Marchbanks","forename":"Eve""#),
    person("an escape that JSON does not know", Some("A107"), UNREADABLE,
        br#""id":"A107","surname":"O\'Marchbanks","forename":"Flo""#),
    person("a missing colon", Some("A108"), UNREADABLE,
        br#""id":"A108","surname" "Marchbanks","forename":"Gus""#),
    person("a surname twice", Some("A109"), UNREADABLE,
        br#""id":"A109","surname":"Marchbanks","surname":"Quill","forename":"Hal""#),
    person("no id", None, UNREADABLE,
        br#""id":null,"surname":"Marchbanks","forename":"Ida""#),
    person("two ids", None, UNREADABLE,
        br#""id":"A110","surname":"Marchbanks","forename":"Jo","id":"A111""#),
    person("a damaged id", None, UNREADABLE,
        b"\"id\":\"A\xff112\",\"surname\":\"Marchbanks\",\"forename\":\"Kit\""),
    person("an id that is too long", None, UNREADABLE,
        br#""id":"A11300000000000000000000000000000000000000000000000000000000000000000""#),
    person("a NUL", Some("A114"), None,
        br#""id":"A114","surname":"Marchbanks","forename":"Lena\u0000""#),
    person("a damaged text that no sync reads", Some("A115"), None,
        b"\"id\":\"A115\",\"surname\":\"Marchbanks\",\"forename\":\"Max\",\"salutation\":\"Monsieur Ren\xe9\""),
    person("a mark in front of the record", Some("A116"), None,
        b"\"id\":\"A116\",\"surname\":\"Marchbanks\",\"forename\":\"Nora\",\xef\xbb\xbf\"gender\":null"),
];

/// Odd classes: everything between `{` and `}`. `@HEAD@` is the id of the head, who exists in every
/// school.
const CLASSES: [OddRecord; 3] = [
    person(
        "a teacher without an id, an unknown one, and one twice",
        Some("A201"),
        None,
        br#""id":"A201","name":"Odd 1","subject":null,"employees":{"data":[
            {"id":null,"meta":{"is_main_teacher":true}},{"id":"A299","meta":null},
            {"id":"@HEAD@","meta":{"is_main_teacher":null,"role":"Class Teacher"}},
            {"id":"@HEAD@","meta":{"is_main_teacher":null,"role":"Main Class Teacher"}}]}"#,
    ),
    person(
        "a name cut in the middle of an emoji",
        Some("A202"),
        UNREADABLE,
        br#""id":"A202","name":"Odd \ud83d""#,
    ),
    person(
        "no name",
        Some("A203"),
        Some("class_name_missing"),
        br#""id":"A203","name":" ","subject":null,"employees":{"data":[]}"#,
    ),
];

impl OddRecord {
    fn work_email(&self, school: &School) -> String {
        let local = self.wonde_id.unwrap_or("nameless").to_lowercase();
        format!("odd.{local}@{}", school.profile.domain)
    }

    fn person_json(&self, school: &School) -> Vec<u8> {
        let email = self.work_email(school);
        let details = format!(
            r#","contact_details":{{"data":{{"emails":{{"work":"{email}"}}}}}},"employment_details":
            {{"data":{{"current":true,"teaching_staff":true}}}},"roles":{{"data":[]}},
            "hierarchy":{{"data":[]}},"classes":{{"data":[]}}"#
        );
        [b"{", self.written, details.as_bytes(), b"}"].concat()
    }

    fn class_json(&self, school: &School) -> Vec<u8> {
        let head = school.employees.first().map(|head| head.id.to_string()).unwrap_or_default();
        let written = match std::str::from_utf8(self.written) {
            Ok(text) => text.replace("@HEAD@", &head).into_bytes(),
            Err(_) => self.written.to_vec(),
        };
        [b"{".as_slice(), &written, b"}"].concat()
    }

    /// As iP should hold the person.
    fn staff_truth(&self, school: &School) -> Option<StaffTruth> {
        self.wonde_id.filter(|_| self.issue.is_none())?;
        let said = String::from_utf8_lossy(self.written);
        let forename = said.split(r#""forename":""#).nth(1)?.split(['"', '\\']).next()?;
        Some(StaffTruth {
            first_name: forename.to_owned(),
            surname: "Marchbanks".to_owned(),
            ..self.truth_of(self.work_email(school))
        })
    }

    /// A person without a name who has this address.
    fn truth_of(&self, email: String) -> StaffTruth {
        StaffTruth {
            wonde_id: self.wonde_id.unwrap_or_default().to_owned(),
            upi: None,
            mis_id: String::new(),
            email,
            first_name: String::new(),
            surname: String::new(),
            initials: None,
            job_title: None,
            non_teaching: false,
            line_manager_wonde_id: None,
            has_photo: false,
            photo_hash: None,
        }
    }
}

/// Every odd record: people, then classes.
pub(crate) fn records() -> impl Iterator<Item = &'static OddRecord> {
    let texts = TEXTS.iter().map(|text| &text.record);
    PEOPLE.iter().chain(texts).chain(&CLASSES)
}

/// The odd people of a school, as they are written.
pub(crate) fn people(school: &School) -> Vec<Vec<u8>> {
    let people = PEOPLE.iter().map(|odd| odd.person_json(school));
    people.chain(TEXTS.iter().map(|text| text.json(school))).collect()
}

/// The odd classes of a school, as they are written.
pub(crate) fn classes(school: &School) -> Vec<Vec<u8>> {
    CLASSES.iter().map(|odd| odd.class_json(school)).collect()
}

/// The odd record of that id among people or classes.
pub(crate) fn alone(school: &School, is_class: bool, wonde_id: &str) -> Option<Vec<u8>> {
    let is_it = |odd: &&OddRecord| odd.wonde_id == Some(wonde_id);
    if is_class {
        return CLASSES.iter().find(is_it).map(|odd| odd.class_json(school));
    }
    let text = TEXTS.iter().find(|text| is_it(&&text.record)).map(|text| text.json(school));
    text.or_else(|| PEOPLE.iter().find(is_it).map(|odd| odd.person_json(school)))
}

/// The odd people that iP should have.
pub(crate) fn staff_truth(school: &School) -> impl Iterator<Item = StaffTruth> {
    let people = PEOPLE.iter().filter_map(|odd| odd.staff_truth(school));
    people.chain(TEXTS.iter().filter_map(|text| text.staff_truth(school)))
}

/// The odd class that iP should hold.
pub(crate) fn class_truth(school: &School) -> ClassTruth {
    ClassTruth {
        wonde_id: "A201".to_owned(),
        name: "Odd 1".to_owned(),
        code: None,
        description: None,
        subject_wonde_id: None,
        staff: school.employees.first().map(|head| head.id.to_string()).into_iter().collect(),
    }
}
