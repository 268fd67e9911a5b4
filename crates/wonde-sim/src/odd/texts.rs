//! Odd texts: records that are valid JSON, and contain what people and exports put into a MIS.

use super::OddRecord;
use crate::school::School;
use crate::truth::StaffTruth;

/// An odd text, and the person that iP should have.
pub(crate) struct OddText {
    pub(crate) record: OddRecord,
    /// First name, surname and job title; `None` if the person is not imported.
    imported: Option<[&'static str; 3]>,
}

const fn text(
    about: &'static str,
    wonde_id: &'static str,
    issue: Option<&'static str>,
    written: &'static str,
    imported: Option<[&'static str; 3]>,
) -> OddText {
    let (wonde_id, written) = (Some(wonde_id), written.as_bytes());
    OddText { record: OddRecord { about, wonde_id, issue, written }, imported }
}

/// Whole records without the braces. `@ME@` is the person's address.
pub(crate) const TEXTS: [OddText; 14] = [
    text(
        "characters that cannot be seen",
        "A120",
        None,
        r#""forename":"\u200bBea\u00ad","surname":"Ab\u2060bot","work":"\ufeff@ME@\u200e""#,
        Some(["Bea", "Abbot", ""]),
    ),
    text(
        "HTML entities",
        "A121",
        None,
        r#""forename":"Zo&euml;","surname":"O&#39;Dell","work":"@ME@","roles":[{"name":"Art &amp; Design"}]"#,
        Some(["Zoë", "O'Dell", "Art & Design"]),
    ),
    text(
        "white space of all kinds",
        "A122",
        None,
        r#""forename":"\u00a0 Ann\u3000 Lou\t","surname":" Fenn\r\n","work":" @ME@ ""#,
        Some(["Ann Lou", "Fenn", ""]),
    ),
    text(
        "letters and marks apart",
        "A123",
        None,
        r#""forename":"Zoe\u0308","surname":"Gray","work":"@ME@""#,
        Some(["Zoë", "Gray", ""]),
    ),
    text(
        "an address with mailto",
        "A124",
        None,
        r#""forename":"Hal","surname":"Hart","work":"mailto:@ME@""#,
        Some(["Hal", "Hart", ""]),
    ),
    text(
        "an address out of an address book",
        "A125",
        None,
        r#""forename":"Ina","surname":"Iles","work":"\"Iles, Ina\" <@ME@>;""#,
        Some(["Ina", "Iles", ""]),
    ),
    text(
        "an address with two signs",
        "A126",
        Some("invalid_work_email"),
        r#""forename":"Jan","surname":"Jago","work":"a@@ME@""#,
        None,
    ),
    text(
        "no address",
        "A127",
        Some("no_work_email"),
        r#""forename":"Kay","surname":"Kerr","work":"\u200b""#,
        None,
    ),
    text(
        "one name alone",
        "A128",
        Some("name_missing"),
        r#""forename":"Madonna","surname":null,"work":"@ME@""#,
        Some(["Madonna", "", ""]),
    ),
    text(
        "names of nothing that can be seen",
        "A129",
        Some("name_missing"),
        r#""forename":"\u3164","surname":"\u200b","work":"@ME@""#,
        None,
    ),
    text(
        "roles that are over, to come and said twice",
        "A130",
        None,
        r#""forename":"Nan","surname":"Nash","work":"@ME@","roles":[
            {"name":"NQT","start_date":"2010-09-01","end_date":"2011-08-31"},{"name":"Head of Year"},
            {"name":"head  of year"},{"name":"Deputy Head","start_date":"2999-09-01"}]"#,
        Some(["Nan", "Nash", "Head of Year"]),
    ),
    text(
        "a date that is none",
        "A131",
        Some("date_unreadable"),
        r#""forename":"Oz","surname":"Orme","work":"@ME@","end":"soon""#,
        Some(["Oz", "Orme", ""]),
    ),
    text(
        "a placeholder for no end",
        "A132",
        None,
        r#""forename":"Pia","surname":"Page","work":"@ME@","current":null,"start":"2020-09-01","end":"1899-12-30""#,
        Some(["Pia", "Page", ""]),
    ),
    text(
        "a title that is far too long",
        "A133",
        Some("text_too_long"),
        r#""forename":"Quin","surname":"Ray","work":"@ME@","roles":[{"name":"@LONG@"}]"#,
        Some(["Quin", "Ray", "@LONG@"]),
    ),
];

/// How long a job title of iP may be, in characters.
const LONGEST_TITLE: usize = 500;

impl OddText {
    fn work_email(&self, school: &School) -> String {
        let id = self.record.wonde_id.unwrap_or_default().to_lowercase();
        format!("odd.{id}@{}", school.profile.domain)
    }

    /// The record as Wonde writes it: every detail in its own place.
    pub(crate) fn json(&self, school: &School) -> Vec<u8> {
        let said = String::from_utf8_lossy(self.record.written);
        let said = said.replace("@ME@", &self.work_email(school));
        let said = format!("{{{}}}", said.replace("@LONG@", &"t".repeat(LONGEST_TITLE + 1)));
        let said: serde_json::Value = serde_json::from_str(&said).expect("the table is JSON");
        let record = serde_json::json!({
            "id": self.record.wonde_id,
            "forename": said["forename"],
            "surname": said["surname"],
            "contact_details": { "data": { "emails": { "work": said["work"] } } },
            "employment_details": { "data": {
                "current": said.get("current").unwrap_or(&serde_json::Value::Bool(true)),
                "teaching_staff": true,
                "employment_start_date": said["start"],
                "employment_end_date": said["end"],
            } },
            "roles": { "data": said.get("roles").cloned().unwrap_or_else(|| serde_json::json!([])) },
            "hierarchy": { "data": [] },
            "classes": { "data": [] },
        });
        record.to_string().into_bytes()
    }

    /// As iP should hold the person.
    pub(super) fn staff_truth(&self, school: &School) -> Option<StaffTruth> {
        let [first_name, surname, title] = self.imported?;
        let title = title.replace("@LONG@", &"t".repeat(LONGEST_TITLE));
        Some(StaffTruth {
            first_name: first_name.to_owned(),
            surname: surname.to_owned(),
            job_title: (!title.is_empty()).then_some(title),
            ..self.record.truth_of(self.work_email(school))
        })
    }
}
