//! Classes and subjects: reads iP's record and writes the differences.

mod columns;

use std::collections::{HashMap, HashSet};

use mis_sync_domain::{
    ClassId, SchoolId, StaffId, SubjectId,
    plan::{Difference, Group, GroupFields, Link, NewIds, Ref},
};
use sqlx::PgConnection;
use uuid::Uuid;

use self::columns::{Columns, LinkColumns};
use super::{TaughtClass, Write, held::version};
use crate::Error;

/// A class or subject as in the tables.
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

/// A teacher of it.
struct LinkRow {
    id: Uuid,
    staff_id: Uuid,
    position: i32,
    is_main_teacher: bool,
    from_mis: bool,
}

/// The queries for one kind, because checked queries cannot share the name of a table. A subject
/// has no subject, so its table has no such column: `$subject` reads it, `$set` and `$into` write
/// it.
macro_rules! kind {
    ($name:ident, $id:ident, $table:tt, $staff:tt, $key:tt, $subject:tt, $set:tt, $into:tt) => {
        mod $name {
            use super::*;

            /// Everything of the kind that came from the MIS, or (`only`) some of it.
            pub(super) async fn read(
                db: &mut PgConnection,
                school_id: &SchoolId,
                only: Option<&[Uuid]>,
            ) -> Result<Vec<Group<$id>>, Error> {
                let rows = sqlx::query_as!(
                    GroupRow,
                    r#"SELECT id, xmin::text::bigint AS "version!", wonde_id AS "wonde_id!", name,
                        code, description, "#
                        + $subject
                        + r#" AS subject_id, active FROM "#
                        + $table
                        + r#"
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
                    "SELECT l."
                        + $key
                        + " AS id, l.staff_id, l.position, l.is_main_teacher,
                        l.from_mis FROM "
                        + $table
                        + " r JOIN "
                        + $staff
                        + " l ON l."
                        + $key
                        + r#" = r.id
                    WHERE r.school_id = $1 AND r.wonde_id IS NOT NULL
                        AND ($2::uuid[] IS NULL OR r.id = ANY($2))
                    ORDER BY l.position, l.staff_id"#,
                    school_id.as_str(),
                    only,
                )
                .fetch_all(db)
                .await?;
                Ok(groups(rows, links, $id))
            }

            /// Creates and changes records, and links their teachers.
            pub(super) async fn write(
                db: &mut PgConnection,
                write: &Write<'_>,
                difference: &Difference<$id>,
                new: &[$id],
                ids: &NewIds,
            ) -> Result<(), Error> {
                let new: Vec<Uuid> = new.iter().map(|id| id.0).collect();
                let uuid = |id: $id| id.0;
                let created = Columns::of_new(difference, &new, ids);
                if !created.ids.is_empty() {
                    create(db, write.school_id, &created).await?;
                }
                let changed = Columns::of_changed(difference, uuid, ids);
                if !changed.ids.is_empty() {
                    update(db, &changed).await?;
                }
                link(db, &LinkColumns::of(write, difference, &new, uuid, ids)).await
            }

            async fn create(
                db: &mut PgConnection,
                school_id: &SchoolId,
                columns: &Columns<'_>,
            ) -> Result<(), Error> {
                sqlx::query!(
                    "INSERT INTO "
                        + $table
                        + " (id, school_id, wonde_id, name, code, description,
                        active"
                        + $into
                        + ") SELECT id, $1, wonde_id, name, code, description,
                        active"
                        + $into
                        + r#"
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

            /// [`Error::Moved`] if a record has changed since it was compared.
            async fn update(db: &mut PgConnection, columns: &Columns<'_>) -> Result<(), Error> {
                let done = sqlx::query!(
                    "UPDATE "
                        + $table
                        + " g SET name = t.name, code = t.code,
                        description = t.description, active = t.active, updated_at = now()"
                        + $set
                        + r#"
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
                let is_whole = done.rows_affected() == columns.ids.len() as u64;
                if is_whole { Ok(()) } else { Err(Error::Moved) }
            }

            /// Replaces the links that syncs made before. A link that stays the same is not
            /// written.
            async fn link(db: &mut PgConnection, links: &LinkColumns) -> Result<(), Error> {
                if !links.rebuilt.is_empty() {
                    sqlx::query!(
                        "DELETE FROM "
                            + $staff
                            + " l WHERE l."
                            + $key
                            + " = ANY($1) AND l.from_mis
                            AND NOT EXISTS (SELECT FROM UNNEST($2::uuid[], $3::uuid[])
                                AS n (id, staff_id)
                                WHERE n.id = l."
                            + $key
                            + " AND n.staff_id = l.staff_id)",
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
                    "INSERT INTO "
                        + $staff
                        + " AS l ("
                        + $key
                        + ", staff_id, position,
                        is_main_teacher, from_mis)
                    SELECT id, staff_id, position, is_main, true
                    FROM UNNEST($1::uuid[], $2::uuid[], $3::int[], $4::bool[])
                        AS n (id, staff_id, position, is_main)
                    ON CONFLICT ("
                        + $key
                        + ", staff_id) DO UPDATE SET
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
    ClassId,
    "class",
    "class_staff",
    "class_id",
    "subject_id",
    ", subject_id = t.subject_id",
    ", subject_id"
);
kind!(subject, SubjectId, "subject", "subject_staff", "subject_id", "NULL::uuid", "", "");

/// The classes of a school that came from the MIS.
pub(super) async fn classes(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<Group<ClassId>>, Error> {
    class::read(db, school_id, None).await
}

/// The subjects of a school that came from the MIS.
pub(super) async fn subjects(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<Group<SubjectId>>, Error> {
    subject::read(db, school_id, None).await
}

/// The classes that the MIS names for a person, or that a sync linked to them.
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
    if ids.is_empty() { Ok(Vec::new()) } else { class::read(db, school_id, Some(&ids)).await }
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

/// Writes the differences, subjects first, because classes refer to them.
pub(super) async fn write(
    db: &mut PgConnection,
    write: &Write<'_>,
    ids: &NewIds,
) -> Result<(), Error> {
    subject::write(db, write, &write.plan.subjects, &ids.subjects, ids).await?;
    class::write(db, write, &write.plan.classes, &ids.classes, ids).await
}
