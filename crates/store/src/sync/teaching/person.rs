//! The classes of one person: only their own links, and only in classes that iP has.

use mis_sync_domain::{ChangedField, StaffId, TeachingCounts, TeachingKind};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{self, Lines};
use crate::{
    Error,
    sync::{Run, TaughtClass},
};

/// Links the person with the classes that the MIS names, and takes away their links with others
/// that a sync made. Nobody else's link is touched, nor one that was made by hand. Who teaches a
/// subject is left to the next full sync: only all classes together say it.
pub(in crate::sync) async fn link_person(
    db: &mut PgConnection,
    run: &Run<'_>,
    staff_id: StaffId,
    classes: &[TaughtClass],
) -> Result<TeachingCounts, Error> {
    let wonde_ids: Vec<String> = classes.iter().map(|class| class.wonde_id.clone()).collect();
    let are_main: Vec<bool> = classes.iter().map(|class| class.is_main).collect();
    let concerned = read_concerned(db, run, staff_id, &wonde_ids, &are_main).await?;
    let changed: Vec<&Concerned> = concerned.iter().filter(|class| class.differs()).collect();
    let counts = TeachingCounts {
        fetched: classes.len() as u64,
        updated: changed.len() as u64,
        unchanged: (concerned.len() - changed.len()) as u64,
        ..TeachingCounts::default()
    };
    if changed.is_empty() {
        return Ok(counts);
    }
    write(db, staff_id.0, &changed).await?;
    let mut lines = Lines::default();
    for class in changed {
        let after = read_links(db, class.id).await?;
        let (id, wonde_id) = (Some(class.id), &class.wonde_id);
        let (staff, main) = (ChangedField::Staff, ChangedField::MainTeachers);
        lines.push_if_different(id, wonde_id, staff, class.before.clone(), after.staff);
        lines.push_if_different(id, wonde_id, main, class.main_before.clone(), after.main);
    }
    rows::record_lines(db, run, TeachingKind::Class, &lines).await?;
    Ok(counts)
}

/// A class that the MIS names for the person, or that a sync linked with them.
struct Concerned {
    id: Uuid,
    wonde_id: String,
    /// Who teaches it by the MIS' word, in the words of the change history.
    before: Option<String>,
    /// The main teachers among them, likewise.
    main_before: Option<String>,
    /// What the MIS says; `None`: the person does not teach it.
    is_main: Option<bool>,
    /// What a sync linked; `None`: nothing.
    was_main: Option<bool>,
    /// Somebody linked the person by hand.
    by_hand: bool,
}

impl Concerned {
    fn differs(&self) -> bool {
        !self.by_hand && self.is_main != self.was_main
    }
}

async fn read_concerned(
    db: &mut PgConnection,
    run: &Run<'_>,
    staff_id: StaffId,
    wonde_ids: &[String],
    are_main: &[bool],
) -> Result<Vec<Concerned>, Error> {
    let concerned = sqlx::query_as!(
        Concerned,
        r#"
        SELECT c.id, c.wonde_id AS "wonde_id!", said.is_main AS "is_main?",
            CASE WHEN l.from_mis THEN l.is_main_teacher END AS "was_main?",
            coalesce(NOT l.from_mis, false) AS "by_hand!",
            (SELECT string_agg(o.staff_id::text, ',' ORDER BY o.position, o.staff_id)
                FROM class_staff o WHERE o.class_id = c.id AND o.from_mis) AS before,
            (SELECT string_agg(o.staff_id::text, ',' ORDER BY o.position, o.staff_id)
                FROM class_staff o WHERE o.class_id = c.id AND o.from_mis
                    AND o.is_main_teacher) AS main_before
        FROM class c
        LEFT JOIN (
            SELECT wonde_id, bool_or(is_main) AS is_main
            FROM UNNEST($3::text[], $4::bool[]) AS s (wonde_id, is_main) GROUP BY wonde_id
        ) said ON said.wonde_id = c.wonde_id
        LEFT JOIN class_staff l ON l.class_id = c.id AND l.staff_id = $2
        WHERE c.school_id = $1 AND c.active AND (said.wonde_id IS NOT NULL OR l.from_mis)
            AND c.wonde_id IS NOT NULL
        ORDER BY c.id
        "#,
        run.school_id.as_str(),
        staff_id.0,
        wonde_ids,
        are_main,
    )
    .fetch_all(db)
    .await?;
    Ok(concerned)
}

/// Takes the person out of each class, and puts them back where they belong: a main teacher
/// behind the other main teachers, anybody else at the end. Where exactly among their like only
/// the class itself would say.
async fn write(db: &mut PgConnection, staff_id: Uuid, changed: &[&Concerned]) -> Result<(), Error> {
    let all: Vec<Uuid> = changed.iter().map(|class| class.id).collect();
    sqlx::query!(
        "DELETE FROM class_staff WHERE staff_id = $1 AND class_id = ANY($2) AND from_mis",
        staff_id,
        &all,
    )
    .execute(&mut *db)
    .await?;
    let (ids, are_main): (Vec<Uuid>, Vec<bool>) =
        changed.iter().filter_map(|class| Some((class.id, class.is_main?))).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO class_staff (class_id, staff_id, position, is_main_teacher, from_mis)
        SELECT t.id, $1, coalesce(CASE WHEN t.is_main
                THEN coalesce(max(o.position) FILTER (WHERE o.is_main_teacher), min(o.position) - 1)
                ELSE max(o.position) + 1 END, 0),
            t.is_main, true
        FROM UNNEST($2::uuid[], $3::bool[]) AS t (id, is_main)
        LEFT JOIN class_staff o ON o.class_id = t.id
        GROUP BY t.id, t.is_main
        "#,
        staff_id,
        &ids,
        &are_main,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Who teaches a class by the MIS' word, in the words of the change history.
struct Links {
    staff: Option<String>,
    main: Option<String>,
}

async fn read_links(db: &mut PgConnection, class: Uuid) -> Result<Links, Error> {
    let links = sqlx::query_as!(
        Links,
        r#"
        SELECT string_agg(staff_id::text, ',' ORDER BY position, staff_id) AS staff,
            string_agg(staff_id::text, ',' ORDER BY position, staff_id)
                FILTER (WHERE is_main_teacher) AS main
        FROM class_staff WHERE class_id = $1 AND from_mis
        "#,
        class,
    )
    .fetch_one(db)
    .await?;
    Ok(links)
}
