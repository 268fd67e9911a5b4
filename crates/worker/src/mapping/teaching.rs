//! Classes and subjects.

use mis_sync_domain::{
    Issue, IssueCode, RecordKind, SubjectOfClass, Teacher, TeachingKind, TeachingRecord,
    plan::{Label, MappedPage},
};
use mis_sync_wonde::{Class, ClassEmployee, Include, Page, Subject, UndecodableRecord};

use super::texts::{self, Texts};

/// Maps a page of classes. Every record of it is accounted for. `staff_supported` says whether the
/// school's MIS delivers who teaches a class.
pub fn map_classes(page: &Page<Class>, staff_supported: bool) -> MappedPage {
    let class = |class: &Class, texts: &mut Texts| TeachingRecord {
        wonde_id: class.id.as_str().to_owned(),
        name: texts.name(class.name.as_deref()),
        code: texts.name(class.code.as_deref()),
        description: texts.description(class.description.as_deref()),
        subject: match &class.subject {
            Include::Missing => SubjectOfClass::NotDelivered,
            Include::Delivered(None) => SubjectOfClass::Without,
            Include::Delivered(Some(subject)) => {
                SubjectOfClass::Of(subject.id().as_str().to_owned())
            }
        },
        staff: class.employees.delivered().filter(|_| staff_supported).map(|all| teachers(all)),
    };
    let mut mapped = MappedPage::default();
    for (place, record) in (0..).zip(&page.records) {
        let mut texts = Texts::default();
        let mis_id = record.as_ref().ok().and_then(|class| texts::key(class.mis_id.as_deref()));
        let record = record.as_ref().map(|record| class(record, &mut texts));
        mapped.labels.extend(record.as_ref().ok().map(|class| Label {
            record: RecordKind::Class,
            wonde_id: class.wonde_id.clone(),
            name: class.name.clone(),
            mis_id,
        }));
        let kind = (TeachingKind::Class, IssueCode::ClassNameMissing);
        add(&mut mapped, place, kind, record, &texts);
    }
    mapped
}

/// Maps a page of subjects. Every record of it is accounted for. A subject that is no longer taught
/// is gone.
pub fn map_subjects(page: &Page<Subject>) -> MappedPage {
    let subject = |subject: &Subject, texts: &mut Texts| TeachingRecord {
        wonde_id: subject.id.as_str().to_owned(),
        name: texts.name(subject.name.as_deref()),
        code: texts.name(subject.code.as_deref()),
        description: texts.description(subject.description.as_deref()),
        subject: SubjectOfClass::NotDelivered,
        // Only all classes together show it.
        staff: None,
    };
    let mut mapped = MappedPage::default();
    for (place, record) in (0..).zip(&page.records) {
        if let Ok(ended) = record
            && ended.active == Some(false)
        {
            mapped.gone.subjects.insert(ended.id.as_str().to_owned());
            continue;
        }
        let mut texts = Texts::default();
        let record = record.as_ref().map(|record| subject(record, &mut texts));
        mapped.labels.extend(record.as_ref().ok().map(|subject| Label {
            record: RecordKind::Subject,
            wonde_id: subject.wonde_id.clone(),
            name: subject.name.clone(),
            mis_id: None,
        }));
        let kind = (TeachingKind::Subject, IssueCode::SubjectNameMissing);
        add(&mut mapped, place, kind, record, &texts);
    }
    mapped
}

/// A record that cannot be read, or has no name, is staged without a name: it exists, so it has not
/// gone. `nameless` is the issue for a record without a name.
fn add(
    mapped: &mut MappedPage,
    place: u64,
    (kind, nameless): (TeachingKind, IssueCode),
    record: Result<TeachingRecord, &UndecodableRecord>,
    texts: &Texts,
) {
    let record = match record {
        Ok(record) => {
            let found = [
                record.name.is_none().then_some(nameless),
                texts.is_any_cut.then_some(IssueCode::TextTooLong),
            ];
            for code in found.into_iter().flatten() {
                let wonde_id = Some(record.wonde_id.clone());
                mapped.issues.push((place, Issue { code, wonde_id }));
            }
            record
        }
        Err(undecodable) => {
            let wonde_id = texts::key(undecodable.wonde_id.as_deref());
            let code = IssueCode::UnreadableRecord;
            mapped.issues.push((place, Issue { code, wonde_id: wonde_id.clone() }));
            TeachingRecord {
                wonde_id: wonde_id.unwrap_or_default(),
                name: None,
                code: None,
                description: None,
                subject: SubjectOfClass::NotDelivered,
                staff: None,
            }
        }
    };
    mapped.teaching.push((kind, record));
}

/// Each person once, main teachers first, otherwise in the given order. A person who is named twice
/// is a main teacher if either entry says so.
fn teachers(employees: &[ClassEmployee]) -> Vec<Teacher> {
    let mut teachers: Vec<Teacher> = Vec::new();
    for employee in employees {
        let (wonde_id, is_main) = (employee.id.as_str(), employee.is_main_teacher == Some(true));
        match teachers.iter_mut().find(|teacher| teacher.wonde_id == wonde_id) {
            Some(teacher) => teacher.is_main |= is_main,
            None => teachers.push(Teacher { wonde_id: wonde_id.to_owned(), is_main }),
        }
    }
    teachers.sort_by_key(|teacher| !teacher.is_main);
    teachers
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn class(record: Value) -> TeachingRecord {
        let records = vec![Ok(serde_json::from_value(record).unwrap())];
        let mut mapped = map_classes(&Page { records, next: None }, true);
        mapped.teaching.remove(0).1
    }

    #[test]
    fn a_class_is_mapped_with_its_main_teacher_first() {
        let teacher =
            |id: &str, main: bool| json!({ "id": id, "meta": { "is_main_teacher": main } });
        let mapped = class(json!({
            "id": "A1", "name": " 9B/Ma1 ", "code": "", "description": "Year 9 Maths",
            "subject": "A7",
            "employees": { "data": [teacher("A2", false), teacher("A3", true), { "id": "A4" }] },
        }));
        let expected = TeachingRecord {
            wonde_id: "A1".into(),
            name: Some("9B/Ma1".into()),
            code: None,
            description: Some("Year 9 Maths".into()),
            subject: SubjectOfClass::Of("A7".into()),
            staff: Some(vec![
                Teacher { wonde_id: "A3".into(), is_main: true },
                Teacher { wonde_id: "A2".into(), is_main: false },
                Teacher { wonde_id: "A4".into(), is_main: false },
            ]),
        };
        assert!(mapped == expected);
    }

    #[test]
    fn texts_are_cleaned_and_what_is_too_long_is_cut_and_told() {
        let map = |name: &str, description: String| {
            let record = json!({ "id": "A1", "name": name, "code": "9\u{0}B\u{200b}",
                "description": description });
            let class = vec![Ok(serde_json::from_value(record.clone()).unwrap())];
            let subject = vec![Ok(serde_json::from_value(record).unwrap())];
            [
                map_classes(&Page { records: class, next: None }, true),
                map_subjects(&Page { records: subject, next: None }),
            ]
        };
        for mapped in map("Art &amp; Design\u{a0}", "\u{0}".into()) {
            let record = &mapped.teaching[0].1;
            assert_eq!(record.name.as_deref(), Some("Art & Design"));
            assert_eq!((record.code.as_deref(), record.description.as_deref()), (Some("9B"), None));
            assert!(mapped.issues.is_empty());
        }
        for mapped in map("9B", "d".repeat(4001)) {
            assert_eq!(mapped.teaching[0].1.description.as_ref().unwrap().len(), 4000);
            let issue = Issue { code: IssueCode::TextTooLong, wonde_id: Some("A1".into()) };
            assert_eq!(mapped.issues, [(0, issue)]);
        }
    }

    #[test]
    fn a_person_named_twice_is_one_and_a_link_that_leads_nowhere_costs_itself() {
        let link = |id: Value, main: Value, role: &str| {
            let meta = json!({ "is_main_teacher": main, "role": role });
            json!({ "id": id, "meta": meta })
        };
        let mapped = class(json!({ "id": "A1", "name": "Maths", "employees": { "data": [
            link(json!("A3"), json!(false), "Class Teacher"),
            link(json!("A2"), json!(null), "Class Teacher"),
            link(json!(null), json!(true), "Main Class Teacher"),
            link(json!("A4"), json!(null), "Main Class Teacher"),
            link(json!("A2"), json!(true), ""),
        ] } }));
        let staff: Vec<_> =
            mapped.staff.unwrap().into_iter().map(|one| (one.wonde_id, one.is_main)).collect();
        let expected = [("A2", true), ("A4", true), ("A3", false)];
        assert_eq!(staff, expected.map(|(id, is_main)| (id.to_owned(), is_main)));
        let lost = class(
            json!({ "id": "A1", "employees": { "data": [link(json!(""), json!(true), "")] } }),
        );
        assert_eq!(lost.staff, None, "nothing was understood, so no link is taken away");
    }

    #[test]
    fn not_delivered_is_told_from_nobody_and_from_no_subject() {
        let nobody = class(json!({ "id": "A1", "subject": null, "employees": { "data": [] } }));
        assert_eq!((nobody.subject, nobody.staff), (SubjectOfClass::Without, Some(Vec::new())));
        let unsaid = class(json!({ "id": "A1", "employees": null }));
        assert_eq!((unsaid.subject, unsaid.staff), (SubjectOfClass::NotDelivered, None));
        let record = json!({ "id": "A1", "employees": { "data": [{ "id": "A2" }] } });
        let records = vec![Ok(serde_json::from_value(record).unwrap())];
        let unsupported = map_classes(&Page { records, next: None }, false);
        assert_eq!(unsupported.teaching[0].1.staff, None);
    }

    #[test]
    fn what_cannot_be_imported_is_reported_and_still_there() {
        let broken = |wonde_id: Option<&str>| {
            Err(UndecodableRecord { wonde_id: wonde_id.map(str::to_owned), reason: "shape".into() })
        };
        let blank = serde_json::from_value(json!({ "id": "A1", "name": "  " })).unwrap();
        let page = Page { records: vec![Ok(blank), broken(Some("A2")), broken(None)], next: None };
        let mapped = map_classes(&page, true);
        let staged: Vec<_> = mapped
            .teaching
            .iter()
            .map(|(_, record)| (record.wonde_id.as_str(), record.name.as_deref()))
            .collect();
        assert_eq!(staged, [("A1", None), ("A2", None), ("", None)]);
        let codes: Vec<_> = mapped.issues.iter().map(|(_, issue)| issue.code).collect();
        let unreadable = IssueCode::UnreadableRecord;
        assert_eq!(codes, [IssueCode::ClassNameMissing, unreadable, unreadable]);
    }

    #[test]
    fn a_subject_that_is_no_longer_taught_is_gone() {
        let subject = |active: Value| {
            let record = json!({ "id": "A5", "name": "Latin", "active": active });
            let records = vec![Ok(serde_json::from_value(record).unwrap())];
            map_subjects(&Page { records, next: None })
        };
        for taught in [json!(true), Value::Null] {
            assert_eq!(subject(taught).teaching[0].1.name.as_deref(), Some("Latin"));
        }
        let ended = subject(json!(false));
        assert!(ended.teaching.is_empty());
        assert_eq!(ended.gone.subjects, ["A5".to_owned()].into());
    }
}
