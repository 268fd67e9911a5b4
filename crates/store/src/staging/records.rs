//! The rows of a page, sent as arrays and not by `COPY`: sqlx loses count of the answers when one is
//! cut off.

use std::{borrow::Cow, collections::HashMap, fmt::Write};

use chrono::NaiveDate;
use mis_sync_domain::{
    JobTitle, Lease, Photo, PhotoRecord, StaffRecord, SubjectOfClass, TeachingKind, TeachingRecord,
};
use ring::digest::{SHA256, digest};
use sqlx::PgConnection;

use super::{Gone, LeftOut};
use crate::Error;

/// Stages people.
pub(super) async fn insert_staff(
    db: &mut PgConnection,
    lease: Lease,
    first_position: i64,
    staff: &[(u64, StaffRecord)],
) -> Result<(), Error> {
    if staff.is_empty() {
        return Ok(());
    }
    let all = || staff.iter().map(|(_, person)| person);
    let positions: Vec<i64> =
        staff.iter().map(|(place, _)| position(first_position, *place)).collect();
    let wonde_ids: Vec<Cow<'_, str>> = all().map(|person| storable(&person.wonde_id)).collect();
    let upis: Vec<Option<Cow<'_, str>>> =
        all().map(|person| person.upi.as_deref().map(storable)).collect();
    let emails: Vec<Cow<'_, str>> = all().map(|person| storable(person.email.as_str())).collect();
    let first_names: Vec<Cow<'_, str>> = all().map(|person| storable(&person.first_name)).collect();
    let surnames: Vec<Cow<'_, str>> = all().map(|person| storable(&person.surname)).collect();
    let initials: Vec<Option<Cow<'_, str>>> =
        all().map(|person| person.initials.as_deref().map(storable)).collect();
    let titles_delivered: Vec<bool> =
        all().map(|person| person.job_title != JobTitle::NotDelivered).collect();
    let titles: Vec<Option<Cow<'_, str>>> =
        all().map(|person| person.job_title.as_deref().map(storable)).collect();
    let non_teaching: Vec<Option<bool>> = all().map(|person| person.non_teaching).collect();
    let hierarchies: Vec<Option<String>> =
        all().map(|person| as_array(person.hierarchy.as_deref())).collect();
    sqlx::query!(
        r#"
        INSERT INTO stage_staff (job_id, wonde_id, position, upi, email, first_name, surname,
            initials, job_title_delivered, job_title, non_teaching, hierarchy)
        SELECT $1, wonde_id, position, upi, email, first_name, surname, initials,
            title_delivered, title, non_teaching, hierarchy::text[]
        FROM UNNEST($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::bool[], $10::text[], $11::bool[], $12::text[])
            AS p (position, wonde_id, upi, email, first_name, surname, initials,
                title_delivered, title, non_teaching, hierarchy)
        "#,
        lease.job_id.0,
        &positions,
        &wonde_ids as &[Cow<'_, str>],
        &upis as &[Option<Cow<'_, str>>],
        &emails as &[Cow<'_, str>],
        &first_names as &[Cow<'_, str>],
        &surnames as &[Cow<'_, str>],
        &initials as &[Option<Cow<'_, str>>],
        &titles_delivered,
        &titles as &[Option<Cow<'_, str>>],
        &non_teaching as &[Option<bool>],
        &hierarchies as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// JSON can carry NUL and Postgres cannot; one such name must not stop a school.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "").into() } else { text.into() }
}

/// A list of Wonde ids as the text of a Postgres array. Wonde ids are letters, digits, `-` and
/// `_`; whatever else there might be is quoted.
pub(super) fn as_array(ids: Option<&[String]>) -> Option<String> {
    let quoted = |id: &String| {
        let escaped = storable(id).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    };
    Some(format!("{{{}}}", ids?.iter().map(quoted).collect::<Vec<_>>().join(",")))
}

fn position(first: i64, place: u64) -> i64 {
    first.saturating_add(i64::try_from(place).unwrap_or(i64::MAX))
}

/// Stages classes or subjects; of two deliveries of one the later counts.
pub(super) async fn insert_teaching(
    db: &mut PgConnection,
    lease: Lease,
    teaching: &[(TeachingKind, TeachingRecord)],
) -> Result<(), Error> {
    if teaching.is_empty() {
        return Ok(());
    }
    let latest: HashMap<(TeachingKind, &str), &TeachingRecord> =
        teaching.iter().map(|(kind, record)| ((*kind, record.wonde_id.as_str()), record)).collect();
    let kinds: Vec<&str> = latest.keys().map(|(kind, _)| kind.as_str()).collect();
    let wonde_ids: Vec<&str> = latest.keys().map(|(_, wonde_id)| *wonde_id).collect();
    let all = || latest.values();
    let names: Vec<Option<&str>> = all().map(|record| record.name.as_deref()).collect();
    let codes: Vec<Option<&str>> = all().map(|record| record.code.as_deref()).collect();
    let descriptions: Vec<Option<&str>> =
        all().map(|record| record.description.as_deref()).collect();
    let delivered: Vec<bool> =
        all().map(|record| record.subject != SubjectOfClass::NotDelivered).collect();
    let subjects: Vec<Option<&str>> = all().map(|record| subject_id(record)).collect();
    let staff: Vec<Option<String>> = all().map(|record| staff_ids(record)).collect();
    let main_teachers: Vec<i32> = all().map(|record| count_main_teachers(record)).collect();
    sqlx::query!(
        r#"
        INSERT INTO stage_teaching (job_id, kind, wonde_id, name, code, description,
            subject_delivered, subject_wonde_id, staff, main_teachers)
        SELECT $1, kind, wonde_id, name, code, description, delivered, subject, staff::text[],
            main_teachers
        FROM UNNEST($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
                $8::text[], $9::text[], $10::int[])
            AS t (kind, wonde_id, name, code, description, delivered, subject, staff,
                main_teachers)
        ON CONFLICT (job_id, kind, wonde_id) DO UPDATE SET name = excluded.name,
            code = excluded.code, description = excluded.description,
            subject_delivered = excluded.subject_delivered,
            subject_wonde_id = excluded.subject_wonde_id, staff = excluded.staff,
            main_teachers = excluded.main_teachers
        "#,
        lease.job_id.0,
        &kinds as &[&str],
        &wonde_ids as &[&str],
        &names as &[Option<&str>],
        &codes as &[Option<&str>],
        &descriptions as &[Option<&str>],
        &delivered,
        &subjects as &[Option<&str>],
        &staff as &[Option<String>],
        &main_teachers,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn subject_id(record: &TeachingRecord) -> Option<&str> {
    match &record.subject {
        SubjectOfClass::Of(wonde_id) => Some(wonde_id),
        SubjectOfClass::NotDelivered | SubjectOfClass::Without => None,
    }
}

fn staff_ids(record: &TeachingRecord) -> Option<String> {
    let staff = record.staff.as_ref()?;
    let ids: Vec<String> = staff.iter().map(|teacher| teacher.wonde_id.clone()).collect();
    as_array(Some(&ids))
}

fn count_main_teachers(record: &TeachingRecord) -> i32 {
    let main = record.staff.iter().flatten().filter(|teacher| teacher.is_main).count();
    i32::try_from(main).unwrap_or(i32::MAX)
}

/// Stages photos. An image that is stored already is not sent to the database again.
pub(super) async fn insert_photos(
    db: &mut PgConnection,
    lease: Lease,
    photos: &[(String, PhotoRecord)],
) -> Result<(), Error> {
    if photos.is_empty() {
        return Ok(());
    }
    let latest: HashMap<&str, Option<(&Photo, String)>> =
        photos.iter().map(|(wonde_id, record)| (wonde_id.as_str(), image_of(record))).collect();
    let wonde_ids: Vec<&str> = latest.keys().copied().collect();
    let all = || latest.values().map(Option::as_ref);
    let hashes: Vec<Option<&str>> =
        all().map(|image| image.map(|(_, hash)| hash.as_str())).collect();
    let stored = sqlx::query_scalar!(
        "SELECT hash FROM staff_photo WHERE hash = ANY($1)",
        &hashes as &[Option<&str>],
    )
    .fetch_all(&mut *db)
    .await?;
    let types: Vec<Option<&str>> =
        all().map(|image| image.map(|(photo, _)| photo.kind.as_str())).collect();
    let contents: Vec<Option<&[u8]>> = all()
        .map(|image| image.filter(|(_, hash)| !stored.contains(hash)))
        .map(|image| image.map(|(photo, _)| photo.content.as_slice()))
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO stage_photo (job_id, wonde_id, hash, content_type, content)
        SELECT $1, wonde_id, hash, content_type, content
        FROM UNNEST($2::text[], $3::text[], $4::text[], $5::bytea[])
            AS p (wonde_id, hash, content_type, content)
        ON CONFLICT (job_id, wonde_id) DO UPDATE SET hash = excluded.hash,
            content_type = excluded.content_type, content = excluded.content
        "#,
        lease.job_id.0,
        &wonde_ids as &[&str],
        &hashes as &[Option<&str>],
        &types as &[Option<&str>],
        &contents as &[Option<&[u8]>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The image with the SHA-256 of its content, in hex.
fn image_of(record: &PhotoRecord) -> Option<(&Photo, String)> {
    match record {
        PhotoRecord::Without => None,
        PhotoRecord::Image(photo) => Some((photo, hex(digest(&SHA256, &photo.content).as_ref()))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

/// Stages what a delta says to be gone.
pub(super) async fn insert_gone(
    db: &mut PgConnection,
    lease: Lease,
    gone: &[Gone],
) -> Result<(), Error> {
    if gone.is_empty() {
        return Ok(());
    }
    let (kinds, wonde_ids): (Vec<&str>, Vec<&str>) = gone
        .iter()
        .map(|gone| match gone {
            Gone::Employee(wonde_id) => ("employee", wonde_id.as_str()),
            Gone::Class(wonde_id) => ("class", wonde_id.as_str()),
            Gone::Subject(wonde_id) => ("subject", wonde_id.as_str()),
        })
        .unzip();
    sqlx::query!(
        r#"
        INSERT INTO stage_gone (job_id, kind, wonde_id)
        SELECT $1, kind, wonde_id FROM UNNEST($2::text[], $3::text[]) AS g (kind, wonde_id)
        ON CONFLICT DO NOTHING
        "#,
        lease.job_id.0,
        &kinds as &[&str],
        &wonde_ids as &[&str],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stages what is kept of records that are not imported.
pub(super) async fn insert_left_out(
    db: &mut PgConnection,
    lease: Lease,
    first_position: i64,
    left_out: &[(u64, LeftOut)],
) -> Result<(), Error> {
    if left_out.is_empty() {
        return Ok(());
    }
    let all = || left_out.iter().map(|(_, person)| person);
    let positions: Vec<i64> =
        left_out.iter().map(|(place, _)| position(first_position, *place)).collect();
    let wonde_ids: Vec<&str> = all().map(|person| person.wonde_id.as_str()).collect();
    let upis: Vec<Option<&str>> = all().map(|person| person.upi.as_deref()).collect();
    let emails: Vec<Option<&str>> = all().map(|person| person.email.as_deref()).collect();
    let standings: Vec<&str> = all().map(|person| person.standing.as_str()).collect();
    let starts: Vec<Option<NaiveDate>> = all().map(|person| person.starts_on).collect();
    let ends: Vec<Option<NaiveDate>> = all().map(|person| person.ends_on).collect();
    let teaching: Vec<Option<bool>> = all().map(|person| person.teaching).collect();
    let outcomes: Vec<&str> = all().map(|person| person.outcome.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO stage_left_out (job_id, position, wonde_id, upi, email, standing, starts_on,
            ends_on, teaching, outcome)
        SELECT $1, position, wonde_id, upi, email, standing, starts_on, ends_on, teaching, outcome
        FROM UNNEST($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[],
                $8::date[], $9::bool[], $10::text[])
            AS p (position, wonde_id, upi, email, standing, starts_on, ends_on, teaching, outcome)
        "#,
        lease.job_id.0,
        &positions,
        &wonde_ids as &[&str],
        &upis as &[Option<&str>],
        &emails as &[Option<&str>],
        &standings as &[&str],
        &starts as &[Option<NaiveDate>],
        &ends as &[Option<NaiveDate>],
        &teaching as &[Option<bool>],
        &outcomes as &[&str],
    )
    .execute(db)
    .await?;
    Ok(())
}
