//! Writes new and changed people.

use std::collections::{HashMap, HashSet};

use mis_sync_domain::{
    ClassId, StaffId, SubjectId,
    plan::{self, ChangedPerson, MisValues, NewIds, Person, Ref},
};
use ring::rand::SystemRandom;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::Write;
use crate::{Error, password::hash_of_a_forgotten_password};

/// Draws the ids of the records that a plan creates.
pub(super) fn draw_ids(plan: &plan::Plan) -> NewIds {
    NewIds {
        people: plan.created.iter().map(|_| StaffId::new()).collect(),
        classes: plan.classes.new.iter().map(|_| ClassId::new()).collect(),
        subjects: plan.subjects.new.iter().map(|_| SubjectId::new()).collect(),
    }
}

/// The id of a person who is now in iP.
pub(super) fn staff_id(staff: Ref<StaffId>, ids: &NewIds) -> Option<Uuid> {
    match staff {
        Ref::Known(id) => Some(id.0),
        Ref::New(at) => ids.people.get(at).map(|id| id.0),
    }
}

/// People, column by column.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    wonde_ids: Vec<Option<&'a str>>,
    upis: Vec<Option<&'a str>>,
    emails: Vec<&'a str>,
    first_names: Vec<&'a str>,
    surnames: Vec<&'a str>,
    initials: Vec<Option<&'a str>>,
    job_titles: Vec<Option<&'a str>>,
    non_teaching: Vec<bool>,
    active: Vec<bool>,
    managers: Vec<Option<Uuid>>,
    photos: Vec<Option<&'a str>>,
    mis: Vec<Option<Json<&'a MisValues>>>,
    passwords: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, id: StaffId, person: &'a Person, ids: &NewIds) {
        self.ids.push(id.0);
        self.wonde_ids.push(person.wonde_id.as_deref());
        self.upis.push(person.upi.as_deref());
        self.emails.push(&person.email);
        self.first_names.push(&person.first_name);
        self.surnames.push(&person.surname);
        self.initials.push(person.initials.as_deref());
        self.job_titles.push(person.job_title.as_deref());
        self.non_teaching.push(person.non_teaching);
        self.active.push(person.active);
        self.managers.push(person.line_manager.and_then(|manager| staff_id(manager, ids)));
        self.photos.push(person.photo_hash.as_deref());
        self.mis.push(person.mis.as_ref().map(Json));
    }
}

/// Runs a statement over people: `$statement`, then the columns as `p`, then `$which`. `$2` is an
/// additional argument; if it is a column too, `$type` and `$name` describe it.
macro_rules! people {
    ($db:expr, $second:expr, $columns:expr, $statement:tt, $type:tt, $name:tt, $which:tt) => {
        sqlx::query!(
            $statement
                + " FROM UNNEST($1::uuid[]"
                + $type
                + ", $3::text[], $4::text[], $5::text[],
                    $6::text[], $7::text[], $8::text[], $9::text[], $10::bool[], $11::bool[],
                    $12::uuid[], $13::text[], $14::jsonb[], $15::text[])
                AS p (id"
                + $name
                + ", wonde_id, upi, email, first_name, surname, initials,
                    job_title, non_teaching, active, manager, photo, mis, password) "
                + $which,
            &$columns.ids,
            $second,
            &$columns.wonde_ids as &[Option<&str>],
            &$columns.upis as &[Option<&str>],
            &$columns.emails as &[&str],
            &$columns.first_names as &[&str],
            &$columns.surnames as &[&str],
            &$columns.initials as &[Option<&str>],
            &$columns.job_titles as &[Option<&str>],
            &$columns.non_teaching,
            &$columns.active,
            &$columns.managers as &[Option<Uuid>],
            &$columns.photos as &[Option<&str>],
            &$columns.mis as &[Option<Json<&MisValues>>],
            &$columns.passwords as &[Option<String>],
        )
        .execute($db)
        .await?
    };
}

/// Writes people. Changed people come first, because they give up logins and ids that new people
/// get. Links to new managers follow once those are there.
pub(super) async fn write(
    db: &mut PgConnection,
    write: &Write<'_>,
    ids: &NewIds,
) -> Result<(), Error> {
    let random = SystemRandom::new();
    let plan = write.plan;
    if !plan.changed.is_empty() {
        let freed = free_ids(db, plan).await?;
        update(db, &plan.changed, &freed, &random).await?;
    }
    if !plan.created.is_empty() {
        create(db, write, ids, &random).await?;
    }
    let reports_to_new = plan.changed.iter().filter_map(|one| match one.after.line_manager {
        Some(Ref::New(at)) => Some((one.id.0, ids.people[at].0)),
        _ => None,
    });
    let (staff_ids, managers): (Vec<Uuid>, Vec<Uuid>) = reports_to_new.unzip();
    if !staff_ids.is_empty() {
        sqlx::query!(
            r#"
            UPDATE staff s SET line_manager_id = m.manager
            FROM UNNEST($1::uuid[], $2::uuid[]) AS m (id, manager) WHERE s.id = m.id
            "#,
            &staff_ids,
            &managers,
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

/// Removes Wonde ids from people whose records now belong to someone else, because two people must
/// never have the same one. Returns the new versions of these people.
async fn free_ids(
    db: &mut PgConnection,
    plan: &plan::Plan,
) -> Result<HashMap<StaffId, u32>, Error> {
    let of_changed = plan.changed.iter().filter(|one| one.before.wonde_id != one.after.wonde_id);
    let given: HashSet<&str> = of_changed
        .clone()
        .map(|one| &one.after)
        .chain(&plan.created)
        .filter_map(|person| person.wonde_id.as_deref())
        .collect();
    let is_given = |one: &&ChangedPerson| {
        one.before.wonde_id.as_deref().is_some_and(|wonde_id| given.contains(wonde_id))
    };
    let losing: Vec<&ChangedPerson> = of_changed.filter(is_given).collect();
    if losing.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = losing.iter().map(|one| one.id.0).collect();
    let versions: Vec<i64> = losing.iter().map(|one| i64::from(one.version)).collect();
    let rows = sqlx::query!(
        r#"
        UPDATE staff s SET wonde_id = NULL
        FROM UNNEST($1::uuid[], $2::bigint[]) AS p (id, version)
        WHERE s.id = p.id AND s.xmin::text::bigint = p.version
        RETURNING s.id, s.xmin::text::bigint AS "version!"
        "#,
        &ids,
        &versions,
    )
    .fetch_all(db)
    .await?;
    if rows.len() != losing.len() {
        return Err(Error::Moved);
    }
    let versions = rows.into_iter().map(|row| (StaffId(row.id), super::held::version(row.version)));
    Ok(versions.collect())
}

/// [`Error::Moved`] if a person has changed since they were compared.
async fn update(
    db: &mut PgConnection,
    changed: &[ChangedPerson],
    freed: &HashMap<StaffId, u32>,
    random: &SystemRandom,
) -> Result<(), Error> {
    let mut columns = Columns::default();
    for one in changed {
        // A new manager gets an id together with the other new people.
        columns.push(one.id, &one.after, &NewIds::default());
        let password = one.new_password.map(|_| hash_of_a_forgotten_password(random));
        columns.passwords.push(password);
    }
    let version = |one: &ChangedPerson| freed.get(&one.id).copied().unwrap_or(one.version);
    let versions: Vec<i64> = changed.iter().map(|one| i64::from(version(one))).collect();
    let done = people!(
        db,
        &versions,
        columns,
        "UPDATE staff s SET wonde_id = p.wonde_id, upi = p.upi, email = p.email,
            first_name = p.first_name, surname = p.surname, initials = p.initials,
            job_title = p.job_title, non_teaching = p.non_teaching, active = p.active,
            line_manager_id = p.manager, photo_hash = p.photo, mis_values = p.mis,
            password_hash = coalesce(p.password, s.password_hash),
            password_reset_required = s.password_reset_required OR p.password IS NOT NULL,
            updated_at = now()",
        ", $2::bigint[]",
        ", version",
        "WHERE s.id = p.id AND s.xmin::text::bigint = p.version"
    );
    if done.rows_affected() == changed.len() as u64 { Ok(()) } else { Err(Error::Moved) }
}

async fn create(
    db: &mut PgConnection,
    write: &Write<'_>,
    ids: &NewIds,
    random: &SystemRandom,
) -> Result<(), Error> {
    let mut columns = Columns::default();
    for (id, person) in ids.people.iter().zip(&write.plan.created) {
        columns.push(*id, person, ids);
        columns.passwords.push(Some(hash_of_a_forgotten_password(random)));
    }
    people!(
        db,
        write.school_id.as_str(),
        columns,
        "INSERT INTO staff (id, school_id, wonde_id, upi, email, first_name, surname, initials,
            job_title, non_teaching, active, line_manager_id, photo_hash, mis_values,
            password_hash)
        SELECT p.id, $2, p.wonde_id, p.upi, p.email, p.first_name, p.surname, p.initials,
            p.job_title, p.non_teaching, p.active, p.manager, p.photo, p.mis, p.password",
        "",
        "",
        ""
    );
    Ok(())
}

/// Stores the images that people get and that are not stored yet.
pub(super) async fn write_photos(db: &mut PgConnection, write: &Write<'_>) -> Result<(), Error> {
    let created = write.plan.created.iter().filter_map(|person| person.photo_hash.as_deref());
    let changed = write.plan.changed.iter().filter_map(|one| {
        one.after.photo_hash.as_deref().filter(|_| one.after.photo_hash != one.before.photo_hash)
    });
    let hashes: Vec<&str> = created.chain(changed).collect();
    if hashes.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO staff_photo (hash, content_type, content)
        SELECT DISTINCT ON (i.hash) i.hash, i.content_type, i.content
        FROM fetched_page p,
            UNNEST(p.image_hashes, p.image_types, p.images) AS i (hash, content_type, content)
        WHERE p.job_id = $1 AND i.hash = ANY($2)
        ON CONFLICT DO NOTHING
        "#,
        write.job_id.0,
        &hashes as &[&str],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes people from departments, or returns them.
pub(super) async fn write_departments(
    db: &mut PgConnection,
    plan: &plan::Plan,
) -> Result<(), Error> {
    if plan.departments.is_empty() {
        return Ok(());
    }
    let (departments, people): (Vec<Uuid>, Vec<Uuid>) =
        plan.departments.iter().map(|one| (one.department.0, one.staff_id.0)).unzip();
    let leave: Vec<bool> = plan.departments.iter().map(|one| one.leaves).collect();
    sqlx::query!(
        r#"
        UPDATE department_staff d SET archived_at = CASE WHEN c.leaves THEN now() END
        FROM UNNEST($1::uuid[], $2::uuid[], $3::bool[]) AS c (department_id, staff_id, leaves)
        WHERE d.department_id = c.department_id AND d.staff_id = c.staff_id
        "#,
        &departments,
        &people,
        &leave,
    )
    .execute(db)
    .await?;
    Ok(())
}
