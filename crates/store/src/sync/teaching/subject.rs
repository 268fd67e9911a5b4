//! The tables `subject` and `subject_staff`. `class.rs` is its twin: checked queries cannot
//! share the name of a table.

use std::collections::{HashMap, HashSet};

use mis_sync_domain::SchoolId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    compare::{Difference, Fields, Held, Link, Reference},
    rows::{Columns, LinkColumns},
};
use crate::Error;

/// Every subject that came from the MIS, with who teaches it.
pub(super) async fn read(db: &mut PgConnection, school_id: &SchoolId) -> Result<Vec<Held>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, wonde_id AS "wonde_id!", name, code, description, active
        FROM subject WHERE school_id = $1 AND wonde_id IS NOT NULL
        "#,
        school_id.as_str(),
    )
    .fetch_all(&mut *db)
    .await?;
    let (mut links, mut by_hand) = read_links(db, school_id).await?;
    let held = rows.into_iter().map(|row| Held {
        links: links.remove(&row.id).unwrap_or_default(),
        by_hand: by_hand.remove(&row.id).unwrap_or_default(),
        id: row.id,
        wonde_id: row.wonde_id,
        fields: Fields {
            name: row.name,
            code: row.code,
            description: row.description,
            subject: None,
        },
        active: row.active,
    });
    Ok(held.collect())
}

type Links = (HashMap<Uuid, Vec<Link>>, HashMap<Uuid, HashSet<Uuid>>);

/// The links that syncs made, and those made by hand.
async fn read_links(db: &mut PgConnection, school_id: &SchoolId) -> Result<Links, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT l.subject_id AS id, l.staff_id, l.is_main_teacher, l.from_mis
        FROM subject r JOIN subject_staff l ON l.subject_id = r.id
        WHERE r.school_id = $1 AND r.wonde_id IS NOT NULL ORDER BY l.position, l.staff_id
        "#,
        school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    let (mut links, mut by_hand): Links = Default::default();
    for row in rows {
        if row.from_mis {
            let staff = Reference::Known(row.staff_id);
            links.entry(row.id).or_default().push(Link { staff, is_main: row.is_main_teacher });
        } else {
            by_hand.entry(row.id).or_default().insert(row.staff_id);
        }
    }
    Ok((links, by_hand))
}

/// Creates and changes what differs.
pub(super) async fn write(
    db: &mut PgConnection,
    school_id: &SchoolId,
    difference: &Difference,
) -> Result<(), Error> {
    let columns = Columns::of(difference);
    if columns.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO subject AS r (id, school_id, wonde_id, name, code, description, active)
        SELECT id, $1, wonde_id, name, code, description, active
        FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[])
            AS t (id, wonde_id, name, code, description, active)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, code = excluded.code,
            description = excluded.description, active = excluded.active, updated_at = now()
        "#,
        school_id.as_str(),
        &columns.ids,
        &columns.wonde_ids,
        &columns.names,
        &columns.codes as &[Option<String>],
        &columns.descriptions as &[Option<String>],
        &columns.active,
    )
    .execute(&mut *db)
    .await?;
    write_links(db, &LinkColumns::of(difference)).await
}

/// Puts new links in the place of those that syncs made before.
async fn write_links(db: &mut PgConnection, links: &LinkColumns) -> Result<(), Error> {
    if !links.rebuilt.is_empty() {
        sqlx::query!(
            "DELETE FROM subject_staff WHERE subject_id = ANY($1) AND from_mis",
            &links.rebuilt,
        )
        .execute(&mut *db)
        .await?;
    }
    if links.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO subject_staff (subject_id, staff_id, position, is_main_teacher, from_mis)
        SELECT id, staff_id, position, is_main, true
        FROM UNNEST($1::uuid[], $2::uuid[], $3::int[], $4::bool[])
            AS l (id, staff_id, position, is_main)
        ON CONFLICT DO NOTHING
        "#,
        &links.ids,
        &links.staff_ids,
        &links.positions,
        &links.are_main,
    )
    .execute(db)
    .await?;
    Ok(())
}
