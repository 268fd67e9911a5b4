//! What the staging tables hold of classes and subjects, and the change history of both.

use std::collections::HashSet;

use mis_sync_domain::{ChangedField, TeachingKind};
use sqlx::PgConnection;
use uuid::Uuid;

use super::compare::{Changed, Difference, Link};
use crate::{Error, sync::Run};

/// A class or subject as it was fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Staged {
    /// Empty: a record so broken that nobody can say which it is.
    pub(super) wonde_id: String,
    /// `None`: it cannot be imported.
    pub(super) name: Option<String>,
    pub(super) code: Option<String>,
    pub(super) description: Option<String>,
    pub(super) subject_delivered: bool,
    pub(super) subject: Option<String>,
    /// Wonde ids, main teachers first; `None`: not said.
    pub(super) staff: Option<Vec<String>>,
    pub(super) main_teachers: usize,
}

pub(super) async fn read_staged(
    db: &mut PgConnection,
    run: &Run<'_>,
    kind: TeachingKind,
) -> Result<Vec<Staged>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT wonde_id, name, code, description, subject_delivered, subject_wonde_id, staff,
            main_teachers
        FROM stage_teaching WHERE job_id = $1 AND kind = $2 ORDER BY wonde_id
        "#,
        run.lease.job_id.0,
        kind.as_str(),
    )
    .fetch_all(db)
    .await?;
    let staged = rows.into_iter().map(|row| Staged {
        wonde_id: row.wonde_id,
        name: row.name,
        code: row.code,
        description: row.description,
        subject_delivered: row.subject_delivered,
        subject: row.subject_wonde_id,
        staff: row.staff,
        main_teachers: usize::try_from(row.main_teachers).unwrap_or_default(),
    });
    Ok(staged.collect())
}

/// Wonde ids of what is gone.
pub(super) async fn read_gone(
    db: &mut PgConnection,
    run: &Run<'_>,
    kind: TeachingKind,
) -> Result<HashSet<String>, Error> {
    let gone = sqlx::query_scalar!(
        "SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = $2",
        run.lease.job_id.0,
        kind.as_str(),
    )
    .fetch_all(db)
    .await?;
    Ok(gone.into_iter().collect())
}

/// Lines of the change history, column by column.
#[derive(Default)]
pub(super) struct Lines {
    ids: Vec<Option<Uuid>>,
    wonde_ids: Vec<String>,
    fields: Vec<&'static str>,
    old: Vec<Option<String>>,
    new: Vec<Option<String>>,
}

/// Writes every field that differs to the change history; nothing says more of what is new.
pub(super) async fn record(
    db: &mut PgConnection,
    run: &Run<'_>,
    kind: TeachingKind,
    difference: &Difference,
) -> Result<(), Error> {
    let mut lines = Lines::default();
    for new in &difference.new {
        let id = (!run.dry_run).then_some(new.id);
        lines.push(id, &new.wonde_id, ChangedField::Created, None, None);
    }
    for changed in &difference.changed {
        lines.push_changed(changed);
    }
    record_lines(db, run, kind, &lines).await
}

/// Writes lines to the change history.
pub(super) async fn record_lines(
    db: &mut PgConnection,
    run: &Run<'_>,
    kind: TeachingKind,
    lines: &Lines,
) -> Result<(), Error> {
    if lines.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO job_change
            (job_id, record, class_id, subject_id, wonde_id, field, old_value, new_value)
        SELECT $1, $2, CASE WHEN $2 = 'class' THEN id END, CASE WHEN $2 = 'subject' THEN id END,
            wonde_id, field, old_value, new_value
        FROM UNNEST($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS l (id, wonde_id, field, old_value, new_value)
        "#,
        run.lease.job_id.0,
        kind.as_str(),
        &lines.ids as &[Option<Uuid>],
        &lines.wonde_ids,
        &lines.fields as &[&str],
        &lines.old as &[Option<String>],
        &lines.new as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(())
}

impl Lines {
    pub(super) fn push(
        &mut self,
        id: Option<Uuid>,
        wonde_id: &str,
        field: ChangedField,
        old: Option<String>,
        new: Option<String>,
    ) {
        self.ids.push(id);
        self.wonde_ids.push(wonde_id.to_owned());
        self.fields.push(field.as_str());
        self.old.push(old);
        self.new.push(new);
    }

    fn push_changed(&mut self, changed: &Changed) {
        let (before, after) = (&changed.before.fields, &changed.fields);
        let name = |name: &String| Some(name.clone());
        let active = |active: bool| Some(active.to_string());
        let reference = |to: &Option<super::Reference>| to.as_ref().map(ToString::to_string);
        let fields = [
            (ChangedField::Name, name(&before.name), name(&after.name)),
            (ChangedField::Code, before.code.clone(), after.code.clone()),
            (ChangedField::Description, before.description.clone(), after.description.clone()),
            (ChangedField::SubjectId, reference(&before.subject), reference(&after.subject)),
            (ChangedField::Active, active(changed.before.active), active(changed.active)),
        ];
        let (id, wonde_id) = (Some(changed.before.id), &changed.before.wonde_id);
        for (field, old, new) in fields {
            self.push_if_different(id, wonde_id, field, old, new);
        }
        if let Some(links) = &changed.links {
            let (old, new) = (people(&changed.before.links), people(links));
            self.push_if_different(id, wonde_id, ChangedField::Staff, old, new);
            let (old, new) = (main_teachers(&changed.before.links), main_teachers(links));
            self.push_if_different(id, wonde_id, ChangedField::MainTeachers, old, new);
        }
    }

    pub(super) fn push_if_different(
        &mut self,
        id: Option<Uuid>,
        wonde_id: &str,
        field: ChangedField,
        old: Option<String>,
        new: Option<String>,
    ) {
        if old != new {
            self.push(id, wonde_id, field, old, new);
        }
    }
}

/// The people in their order, joined by commas.
fn people<'a>(links: impl IntoIterator<Item = &'a Link>) -> Option<String> {
    let ids: Vec<String> = links.into_iter().map(|link| link.staff.to_string()).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

fn main_teachers(links: &[Link]) -> Option<String> {
    people(links.iter().filter(|link| link.is_main))
}

/// Columns of the rows that a [`Difference`] creates or changes.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) ids: Vec<Uuid>,
    pub(super) wonde_ids: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) codes: Vec<Option<String>>,
    pub(super) descriptions: Vec<Option<String>>,
    pub(super) subject_ids: Vec<Option<Uuid>>,
    pub(super) active: Vec<bool>,
}

impl Columns {
    pub(super) fn of(difference: &Difference) -> Self {
        let mut columns = Self::default();
        let new = difference.new.iter().map(|new| (new.id, &new.wonde_id, &new.fields, true));
        let changed = difference.changed.iter().map(|changed| {
            (changed.before.id, &changed.before.wonde_id, &changed.fields, changed.active)
        });
        for (id, wonde_id, fields, active) in new.chain(changed) {
            columns.ids.push(id);
            columns.wonde_ids.push(wonde_id.clone());
            columns.names.push(fields.name.clone());
            columns.codes.push(fields.code.clone());
            columns.descriptions.push(fields.description.clone());
            columns.subject_ids.push(fields.subject_id());
            columns.active.push(active);
        }
        columns
    }
}

/// Columns of the links that a [`Difference`] puts in the place of those that were there.
#[derive(Default)]
pub(super) struct LinkColumns {
    /// Whose links are replaced.
    pub(super) rebuilt: Vec<Uuid>,
    pub(super) ids: Vec<Uuid>,
    pub(super) staff_ids: Vec<Uuid>,
    pub(super) positions: Vec<i32>,
    pub(super) are_main: Vec<bool>,
}

impl LinkColumns {
    pub(super) fn of(difference: &Difference) -> Self {
        let mut columns = Self::default();
        for new in &difference.new {
            columns.push(new.id, &new.links);
        }
        for changed in &difference.changed {
            if let Some(links) = &changed.links {
                columns.rebuilt.push(changed.before.id);
                columns.push(changed.before.id, links);
            }
        }
        columns
    }

    fn push(&mut self, id: Uuid, links: &[Link]) {
        for (position, link) in (0..).zip(links) {
            let Some(staff_id) = link.staff_id() else { continue };
            self.ids.push(id);
            self.staff_ids.push(staff_id);
            self.positions.push(position);
            self.are_main.push(link.is_main);
        }
    }
}
