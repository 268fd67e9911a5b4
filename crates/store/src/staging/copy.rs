//! Rows in the text format of `COPY`: tab-separated, `\N` for null.

use std::fmt::Write;

use mis_sync_domain::{JobId, JobTitle, StaffRecord};

pub(super) const STAGE_STAFF: &str = "COPY stage_staff (job_id, wonde_id, position, upi, email, \
    first_name, surname, initials, job_title_delivered, job_title, non_teaching, \
    hierarchy) FROM STDIN";

pub(super) fn staff_rows(job: JobId, first: i64, staff: &[(u64, StaffRecord)]) -> String {
    let mut rows = String::with_capacity(staff.len() * 200);
    for (place, person) in staff {
        write_plain(&mut rows, &job);
        write_text(&mut rows, Some(&person.wonde_id));
        write_plain(&mut rows, &position(first, *place));
        write_text(&mut rows, person.upi.as_deref());
        write_text(&mut rows, Some(person.email.as_str()));
        write_text(&mut rows, Some(&person.first_name));
        write_text(&mut rows, Some(&person.surname));
        write_text(&mut rows, person.initials.as_deref());
        write_plain(&mut rows, &(person.job_title != JobTitle::NotDelivered));
        write_text(&mut rows, person.job_title.as_deref());
        match person.non_teaching {
            Some(non_teaching) => write_plain(&mut rows, &non_teaching),
            None => write_text(&mut rows, None),
        }
        write_text(&mut rows, as_array(person.hierarchy.as_deref()).as_deref());
        end_row(&mut rows);
    }
    rows
}

/// A list of Wonde ids as the text of a Postgres array. Wonde ids are letters, digits, `-` and
/// `_`; whatever else there might be is quoted.
pub(super) fn as_array(ids: Option<&[String]>) -> Option<String> {
    let quoted = |id: &String| {
        let escaped = id.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    };
    Some(format!("{{{}}}", ids?.iter().map(quoted).collect::<Vec<_>>().join(",")))
}

pub(super) fn position(first: i64, place: u64) -> i64 {
    first.saturating_add(i64::try_from(place).unwrap_or(i64::MAX))
}

fn write_plain(rows: &mut String, value: &dyn std::fmt::Display) {
    write!(rows, "{value}\t").expect("writing to a String cannot fail");
}

fn write_text(rows: &mut String, text: Option<&str>) {
    match text {
        None => rows.push_str("\\N"),
        Some(text) => {
            for character in text.chars() {
                match character {
                    '\\' => rows.push_str("\\\\"),
                    '\t' => rows.push_str("\\t"),
                    '\n' => rows.push_str("\\n"),
                    '\r' => rows.push_str("\\r"),
                    // JSON can carry it and Postgres cannot; one such name must not stop a school.
                    '\0' => {}
                    other => rows.push(other),
                }
            }
        }
    }
    rows.push('\t');
}

/// Turns the last separator into the end of the row.
fn end_row(rows: &mut String) {
    rows.pop();
    rows.push('\n');
}

#[cfg(test)]
mod tests {
    use mis_sync_domain::WorkEmail;

    use super::*;

    #[test]
    fn text_is_escaped_and_null_is_told_from_empty() {
        let job = JobId::new();
        let person = StaffRecord {
            wonde_id: "A1".into(),
            upi: None,
            email: WorkEmail::parse("a@b").unwrap(),
            first_name: "Ann\tBea\nCara\\N".into(),
            surname: String::new(),
            initials: Some("AB".into()),
            job_title: JobTitle::Empty,
            non_teaching: Some(true),
            hierarchy: Some(vec!["A2".into(), "A3".into()]),
        };
        let expected =
            format!("{job}\tA1\t7\t\\N\ta@b\tAnn\\tBea\\nCara\\\\N\t\tAB\ttrue\t\\N\ttrue\t");
        let expected = expected + "{\"A2\",\"A3\"}\n";
        assert_eq!(staff_rows(job, 5, &[(2, person)]), expected);
    }
}
