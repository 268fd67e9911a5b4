//! Classes and subjects: what iP holds, and what is written of them.

use std::collections::{HashMap, HashSet};

use mis_sync_domain::{
    ClassId, SchoolId, StaffId, SubjectId,
    plan::{Difference, Group, GroupFields, Link, NewIds, Ref},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{TaughtClass, Write, held::version, people::staff_id};
use crate::Error;

/// A class or subject as the tables have it.
struct GroupRow {
    id: Uuid,
    version: i64,
    wonde_id: String,
    name: String,
    code: Option<String>,
    description: Option<String>,
    subject_id: Option<Uuid>,
    active: bool,
}

/// Somebody who teaches it.
struct LinkRow {
    id: Uuid,
    staff_id: Uuid,
    position: i32,
    is_main_teacher: bool,
    from_mis: bool,
}

/// The statements of a kind: checked queries cannot share the name of a table. A subject is of no
/// subject, so its table has no such column: `$subject` reads it, `$set` and `$into` write it.
macro_rules! kind {
    ($name:ident, $table:tt, $staff:tt, $key:tt, $subject:tt, $set:tt, $into:tt, $values:tt) => {
        mod $name {
            use super::*;

            /// Everything of the kind that came from the MIS, or (`ids`) some of it.
            pub(super) async fn read(
                db: &mut PgConnection,
                school_id: &SchoolId,
                only: Option<&[Uuid]>,
            ) -> Result<(Vec<GroupRow>, Vec<LinkRow>), Error> {
                let rows = sqlx::query_as!(
                    GroupRow,
                    r#"SELECT id, xmin::text::bigint AS "version!", wonde_id AS "wonde_id!", name,
                        code, description, "# + $subject + r#" AS subject_id, active FROM "#
                        + $table + r#"
                    WHERE school_id = $1 AND wonde_id IS NOT NULL
                        AND ($2::uuid[] IS NULL OR id = ANY($2))
                    ORDER BY id"#,
                    school_id.as_str(),
                    only,
                )
                .fetch_all(&mut *db)
                .await?;
                let links = sqlx::query_as!(
                    LinkRow,
                    "SELECT l." + $key + " AS id, l.staff_id, l.position, l.is_main_teacher,
                        l.from_mis FROM "
                        + $table + " r JOIN " + $staff + " l ON l." + $key + r#" = r.id
                    WHERE r.school_id = $1 AND r.wonde_id IS NOT NULL
                        AND ($2::uuid[] IS NULL OR r.id = ANY($2))
                    ORDER BY l.position, l.staff_id"#,
                    school_id.as_str(),
                    only,
                )
                .fetch_all(db)
                .await?;
                Ok((rows, links))
            }

            pub(super) async fn create(
                db: &mut PgConnection,
                school_id: &SchoolId,
                columns: &Columns<'_>,
            ) -> Result<(), Error> {
                sqlx::query!(
                    "INSERT INTO " + $table + " (id, school_id, wonde_id, name, code, description,
                        active" + $into + ") SELECT id, $1, wonde_id, name, code, description,
                        active" + $values + r#"
                    FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                            $7::bool[], $8::uuid[])
                        AS t (id, wonde_id, name, code, description, active, subject_id)"#,
                    school_id.as_str(),
                    &columns.ids,
                    &columns.wonde_ids as &[&str],
                    &columns.names as &[&str],
                    &columns.codes as &[Option<&str>],
                    &columns.descriptions as &[Option<&str>],
                    &columns.active,
                    &columns.subject_ids as &[Option<Uuid>],
                )
                .execute(db)
                .await?;
                Ok(())
            }

            /// How many are not any more as they were compared stay as they are.
            pub(super) async fn update(
                db: &mut PgConnection,
                columns: &Columns<'_>,
            ) -> Result<u64, Error> {
                let done = sqlx::query!(
                    "UPDATE " + $table + " g SET name = t.name, code = t.code,
                        description = t.description, active = t.active, updated_at = now()"
                        + $set + r#"
                    FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[],
                            $6::bool[], $7::uuid[])
                        AS t (id, version, name, code, description, active, subject_id)
                    WHERE g.id = t.id AND g.xmin::text::bigint = t.version"#,
                    &columns.ids,
                    &columns.versions,
                    &columns.names as &[&str],
                    &columns.codes as &[Option<&str>],
                    &columns.descriptions as &[Option<&str>],
                    &columns.active,
                    &columns.subject_ids as &[Option<Uuid>],
                )
                .execute(db)
                .await?;
                Ok(done.rows_affected())
            }

            /// Puts new links in the place of those that syncs made before; a link that stays the same
            /// is not written.
            pub(super) async fn link(
                db: &mut PgConnection,
                links: &LinkColumns,
            ) -> Result<(), Error> {
                if !links.rebuilt.is_empty() {
                    sqlx::query!(
                        "DELETE FROM " + $staff + " l WHERE l." + $key + " = ANY($1) AND l.from_mis
                            AND NOT EXISTS (SELECT FROM UNNEST($2::uuid[], $3::uuid[])
                                AS n (id, staff_id)
                                WHERE n.id = l." + $key + " AND n.staff_id = l.staff_id)",
                        &links.rebuilt,
                        &links.ids,
                        &links.staff_ids,
                    )
                    .execute(&mut *db)
                    .await?;
                }
                if links.ids.is_empty() {
                    return Ok(());
                }
                sqlx::query!(
                    "INSERT INTO " + $staff + " AS l (" + $key + ", staff_id, position,
                        is_main_teacher, from_mis)
                    SELECT id, staff_id, position, is_main, true
                    FROM UNNEST($1::uuid[], $2::uuid[], $3::int[], $4::bool[])
                        AS n (id, staff_id, position, is_main)
                    ON CONFLICT (" + $key + ", staff_id) DO UPDATE SET
                        position = excluded.position, is_main_teacher = excluded.is_main_teacher
                        WHERE l.from_mis AND (l.position, l.is_main_teacher)
                            IS DISTINCT FROM (excluded.position, excluded.is_main_teacher)",
                    &links.ids,
                    &links.staff_ids,
                    &links.positions,
                    &links.are_main,
                )
                .execute(db)
                .await?;
                Ok(())
            }
        }
    };
}

kind!(
    class,
    "class",
    "class_staff",
    "class_id",
    "subject_id",
    ", subject_id = t.subject_id",
    ", subject_id",
    ", subject_id"
);
kind!(subject, "subject", "subject_staff", "subject_id", "NULL::uuid", "", "", "");

/// The classes of a school that came from the MIS, or some of them.
pub(super) async fn classes(
    db: &mut PgConnection,
    school_id: &SchoolId,
    only: Option<&[Uuid]>,
) -> Result<Vec<Group<ClassId>>, Error> {
    let (rows, links) = class::read(db, school_id, only).await?;
    Ok(groups(rows, links, ClassId))
}

/// The classes that the MIS names for somebody, or that a sync linked with them.
pub(super) async fn classes_of_person(
    db: &mut PgConnection,
    school_id: &SchoolId,
    staff_id: StaffId,
    named: &[TaughtClass],
) -> Result<Vec<Group<ClassId>>, Error> {
    let named: Vec<&str> = named.iter().map(|class| class.wonde_id.as_str()).collect();
    let ids = sqlx::query_scalar!(
        r#"
        SELECT id AS "id!" FROM class WHERE school_id = $1 AND wonde_id = ANY($3)
        UNION
        SELECT class_id FROM class_staff WHERE staff_id = $2 AND from_mis
        "#,
        school_id.as_str(),
        staff_id.0,
        &named as &[&str],
    )
    .fetch_all(&mut *db)
    .await?;
    if ids.is_empty() { Ok(Vec::new()) } else { classes(db, school_id, Some(&ids)).await }
}

/// The subjects of a school that came from the MIS.
pub(super) async fn subjects(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<Group<SubjectId>>, Error> {
    let (rows, links) = subject::read(db, school_id, None).await?;
    Ok(groups(rows, links, SubjectId))
}

fn groups<Id>(rows: Vec<GroupRow>, links: Vec<LinkRow>, id: fn(Uuid) -> Id) -> Vec<Group<Id>> {
    let mut from_mis: HashMap<Uuid, (Vec<Link>, Vec<i32>)> = HashMap::new();
    let mut by_hand: HashMap<Uuid, HashSet<StaffId>> = HashMap::new();
    for row in links {
        let staff = StaffId(row.staff_id);
        if row.from_mis {
            let link = Link { staff: Ref::Known(staff), is_main: row.is_main_teacher };
            let (links, places) = from_mis.entry(row.id).or_default();
            links.push(link);
            places.push(row.position);
        } else {
            by_hand.entry(row.id).or_default().insert(staff);
        }
    }
    let group = |row: GroupRow| {
        let (links, places) = from_mis.remove(&row.id).unwrap_or_default();
        Group {
            id: id(row.id),
            version: version(row.version),
            wonde_id: row.wonde_id,
            fields: GroupFields {
                name: row.name,
                code: row.code,
                description: row.description,
                subject: row.subject_id.map(|id| Ref::Known(SubjectId(id))),
                active: row.active,
            },
            links,
            places,
            by_hand: by_hand.remove(&row.id).unwrap_or_default(),
        }
    };
    rows.into_iter().map(group).collect()
}

/// Creates and changes what differs; subjects first, because classes are of them.
pub(super) async fn write(
    db: &mut PgConnection,
    write: &Write<'_>,
    ids: &NewIds,
) -> Result<(), Error> {
    let (subjects, classes) = (&write.plan.subjects, &write.plan.classes);
    let new: Vec<Uuid> = ids.subjects.iter().map(|id| id.0).collect();
    let (created, changed) =
        (Columns::of_new(subjects, &new, ids), Columns::of_changed(subjects, |id| id.0, ids));
    if !created.ids.is_empty() {
        subject::create(db, write.school_id, &created).await?;
    }
    if !changed.ids.is_empty() {
        all_or_moved(subject::update(db, &changed).await?, &changed)?;
    }
    subject::link(db, &LinkColumns::of(write, subjects, &new, |id| id.0, ids)).await?;

    let new: Vec<Uuid> = ids.classes.iter().map(|id| id.0).collect();
    let (created, changed) =
        (Columns::of_new(classes, &new, ids), Columns::of_changed(classes, |id| id.0, ids));
    if !created.ids.is_empty() {
        class::create(db, write.school_id, &created).await?;
    }
    if !changed.ids.is_empty() {
        all_or_moved(class::update(db, &changed).await?, &changed)?;
    }
    class::link(db, &LinkColumns::of(write, classes, &new, |id| id.0, ids)).await
}

fn all_or_moved(written: u64, columns: &Columns<'_>) -> Result<(), Error> {
    if written == columns.ids.len() as u64 { Ok(()) } else { Err(Error::Moved) }
}

/// Classes or subjects, column by column.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    versions: Vec<i64>,
    wonde_ids: Vec<&'a str>,
    names: Vec<&'a str>,
    codes: Vec<Option<&'a str>>,
    descriptions: Vec<Option<&'a str>>,
    subject_ids: Vec<Option<Uuid>>,
    active: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn of_new<Id>(difference: &'a Difference<Id>, new: &[Uuid], ids: &NewIds) -> Self {
        let mut columns = Self::default();
        for (id, new) in new.iter().zip(&difference.new) {
            columns.push(*id, 0, &new.wonde_id, &new.fields, ids);
        }
        columns
    }

    /// Those of which a field differs; of the others only the links do.
    fn of_changed<Id: Copy>(
        difference: &'a Difference<Id>,
        uuid: fn(Id) -> Uuid,
        ids: &NewIds,
    ) -> Self {
        let mut columns = Self::default();
        for changed in difference.changed.iter().filter(|one| one.fields != one.before.fields) {
            let before = &changed.before;
            let id = uuid(before.id);
            columns.push(id, before.version, &before.wonde_id, &changed.fields, ids);
        }
        columns
    }

    fn push(
        &mut self,
        id: Uuid,
        version: u32,
        wonde_id: &'a str,
        fields: &'a GroupFields,
        ids: &NewIds,
    ) {
        self.ids.push(id);
        self.versions.push(i64::from(version));
        self.wonde_ids.push(wonde_id);
        self.names.push(&fields.name);
        self.codes.push(fields.code.as_deref());
        self.descriptions.push(fields.description.as_deref());
        self.subject_ids.push(match fields.subject {
            Some(Ref::Known(id)) => Some(id.0),
            Some(Ref::New(at)) => ids.subjects.get(at).map(|id| id.0),
            None => None,
        });
        self.active.push(fields.active);
    }
}

/// Links that take the place of those that were there, column by column.
#[derive(Default)]
struct LinkColumns {
    /// Whose links are replaced.
    rebuilt: Vec<Uuid>,
    ids: Vec<Uuid>,
    staff_ids: Vec<Uuid>,
    positions: Vec<i32>,
    are_main: Vec<bool>,
}

impl LinkColumns {
    fn of<Id: Copy>(
        write: &Write<'_>,
        difference: &Difference<Id>,
        new: &[Uuid],
        uuid: fn(Id) -> Uuid,
        ids: &NewIds,
    ) -> Self {
        let mut columns = Self::default();
        for (id, new) in new.iter().zip(&difference.new) {
            columns.push(*id, &new.links, 0.., ids);
        }
        for changed in &difference.changed {
            if let Some(links) = &changed.links {
                let id = uuid(changed.before.id);
                columns.rebuilt.push(id);
                if write.is_of_one_person {
                    columns.push(id, links, kept_places(&changed.before, links), ids);
                } else {
                    columns.push(id, links, 0.., ids);
                }
            }
        }
        columns
    }

    fn push(
        &mut self,
        id: Uuid,
        links: &[Link],
        places: impl IntoIterator<Item = i32>,
        ids: &NewIds,
    ) {
        for (position, link) in places.into_iter().zip(links) {
            let Some(staff_id) = staff_id(link.staff, ids) else { continue };
            self.ids.push(id);
            self.staff_ids.push(staff_id);
            self.positions.push(position);
            self.are_main.push(link.is_main);
        }
    }
}

/// Where one person is put among the others, who all stay where they are: behind whom they follow, else
/// before the first.
fn kept_places<Id>(before: &Group<Id>, links: &[Link]) -> Vec<i32> {
    let place_of = |link: &Link| {
        let at = before.links.iter().position(|held| held.staff == link.staff)?;
        // Whoever is another sort of teacher now is put in another place.
        (before.links[at].is_main == link.is_main).then(|| before.places[at])
    };
    let before_first = links.iter().find_map(place_of).map_or(0, |first| first - 1);
    let mut places = Vec::new();
    for (at, link) in links.iter().enumerate() {
        let behind = places.last().copied();
        let is_last = at + 1 == links.len();
        let new = behind.map_or(before_first, |place: i32| if is_last { place + 1 } else { place });
        places.push(place_of(link).unwrap_or(new));
    }
    places
}
