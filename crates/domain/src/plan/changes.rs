//! The change history of a plan: every field that differs, before and after.

use super::{
    Plan,
    held::{GroupFields, Link, Person, Ref},
    teaching::Difference,
};
use crate::{Change, ChangedField, ChangedRecord, ClassId, StaffId, SubjectId};

/// The ids of the records that a plan creates, in order. Empty if the plan is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewIds {
    pub people: Vec<StaffId>,
    pub classes: Vec<ClassId>,
    pub subjects: Vec<SubjectId>,
}

impl Plan {
    /// Every change, in the order of the history: people, subjects, classes. A new record is one
    /// line. If it has no id yet, the others refer to it by its Wonde id.
    pub fn changes(&self, ids: &NewIds) -> Vec<Change> {
        let names = Names { plan: self, ids };
        let mut lines = Vec::new();
        for (at, new) in self.created.iter().enumerate() {
            let record = ChangedRecord::Staff(ids.people.get(at).copied());
            lines.push(line(record, new.wonde_id.clone(), ChangedField::Created, None, None));
        }
        for changed in &self.changed {
            let record = ChangedRecord::Staff(Some(changed.id));
            let wonde_id = changed.after.wonde_id.clone().or(changed.before.wonde_id.clone());
            let before = names.fields(&changed.before);
            let after = names.fields(&changed.after);
            add_differences(&mut lines, record, wonde_id.as_ref(), before, after);
            if let Some(was_required) = changed.new_password {
                let field = ChangedField::PasswordResetRequired;
                let (old, new) = (Some(was_required.to_string()), Some(true.to_string()));
                lines.push(line(record, wonde_id.clone(), field, old, new));
            }
        }
        for change in &self.departments {
            let record = ChangedRecord::Staff(Some(change.staff_id));
            let department = Some(change.department.0.to_string());
            let (old, new) = if change.leaves { (department, None) } else { (None, department) };
            let field = ChangedField::DepartmentId;
            lines.push(line(record, change.wonde_id.clone(), field, old, new));
        }
        let subject = |id| ChangedRecord::Subject(id);
        names.group_lines(&mut lines, &self.subjects, &ids.subjects, subject);
        let class = |id| ChangedRecord::Class(id);
        names.group_lines(&mut lines, &self.classes, &ids.classes, class);
        lines
    }
}

/// How the history writes the values of a plan.
pub(super) struct Names<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ids: &'a NewIds,
}

type Field = (ChangedField, Option<String>);

impl Names<'_> {
    fn staff(&self, staff: Ref<StaffId>) -> String {
        let wonde_id = |at: usize| self.plan.created[at].wonde_id.as_deref().unwrap_or_default();
        match staff {
            Ref::Known(id) => id.to_string(),
            Ref::New(at) => named(self.ids.people.get(at), wonde_id(at)),
        }
    }

    fn subject(&self, subject: Ref<SubjectId>) -> String {
        match subject {
            Ref::Known(id) => id.to_string(),
            Ref::New(at) => named(self.ids.subjects.get(at), &self.plan.subjects.new[at].wonde_id),
        }
    }

    /// The value of each field of a person.
    pub(super) fn fields(&self, person: &Person) -> [Field; 11] {
        let text = |text: &str| Some(text.to_owned());
        [
            (ChangedField::WondeId, person.wonde_id.clone()),
            (ChangedField::Upi, person.upi.clone()),
            (ChangedField::Email, text(&person.email)),
            (ChangedField::FirstName, text(&person.first_name)),
            (ChangedField::Surname, text(&person.surname)),
            (ChangedField::Initials, person.initials.clone()),
            (ChangedField::JobTitle, person.job_title.clone()),
            (ChangedField::NonTeaching, Some(person.non_teaching.to_string())),
            (ChangedField::Active, Some(person.active.to_string())),
            (ChangedField::LineManagerId, person.line_manager.map(|manager| self.staff(manager))),
            (ChangedField::PhotoHash, person.photo_hash.clone()),
        ]
    }

    fn group_lines<Id: Copy>(
        &self,
        lines: &mut Vec<Change>,
        of: &Difference<Id>,
        ids: &[Id],
        record: impl Fn(Option<Id>) -> ChangedRecord,
    ) {
        for (at, new) in of.new.iter().enumerate() {
            let wonde_id = Some(new.wonde_id.clone());
            let record = record(ids.get(at).copied());
            lines.push(line(record, wonde_id, ChangedField::Created, None, None));
        }
        for changed in &of.changed {
            let held = &changed.before;
            let before = self.group_fields(&held.fields, &held.links);
            let taught = changed.links.as_ref().unwrap_or(&held.links);
            let after = self.group_fields(&changed.fields, taught);
            let record = record(Some(held.id));
            add_differences(lines, record, Some(&held.wonde_id), before, after);
        }
    }

    /// The value of each field of a class or subject.
    pub(super) fn group_fields(&self, fields: &GroupFields, links: &[Link]) -> [Field; 7] {
        let main: Vec<Link> = links.iter().copied().filter(|link| link.is_main).collect();
        [
            (ChangedField::Name, Some(fields.name.clone())),
            (ChangedField::Code, fields.code.clone()),
            (ChangedField::Description, fields.description.clone()),
            (ChangedField::SubjectId, fields.subject.map(|subject| self.subject(subject))),
            (ChangedField::Active, Some(fields.active.to_string())),
            (ChangedField::Staff, self.people(links)),
            (ChangedField::MainTeachers, self.people(&main)),
        ]
    }

    /// The people in their order, joined by commas.
    fn people(&self, links: &[Link]) -> Option<String> {
        let ids: Vec<String> = links.iter().map(|link| self.staff(link.staff)).collect();
        (!ids.is_empty()).then(|| ids.join(","))
    }
}

/// A new record is called by its Wonde id until it has its own.
fn named<Id: std::fmt::Display>(id: Option<&Id>, wonde_id: &str) -> String {
    id.map_or_else(|| format!("wonde:{wonde_id}"), ToString::to_string)
}

/// Adds a line for each field that differs.
fn add_differences(
    lines: &mut Vec<Change>,
    record: ChangedRecord,
    wonde_id: Option<&String>,
    before: impl IntoIterator<Item = Field>,
    after: impl IntoIterator<Item = Field>,
) {
    for ((field, old), (_, new)) in before.into_iter().zip(after) {
        if old != new {
            lines.push(line(record, wonde_id.cloned(), field, old, new));
        }
    }
}

fn line(
    record: ChangedRecord,
    wonde_id: Option<String>,
    field: ChangedField,
    old: Option<String>,
    new: Option<String>,
) -> Change {
    let value = |text: Option<String>| text.and_then(|text| field.value(text));
    Change { record, wonde_id, field, old: value(old), new: value(new) }
}

#[cfg(test)]
mod tests;
