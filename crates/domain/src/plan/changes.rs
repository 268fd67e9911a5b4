//! The change history of a plan: every field that differs, before and after.

use super::{
    Plan,
    held::{Group, GroupFields, Link, Person, Ref},
    teaching::{Changed, Difference},
};
use crate::{Change, ChangedField, ChangedRecord, ClassId, DepartmentId, StaffId, SubjectId};

/// Ids of what a plan creates, in its order; empty where it is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewIds {
    /// Of people.
    pub people: Vec<StaffId>,
    /// Of classes.
    pub classes: Vec<ClassId>,
    /// Of subjects.
    pub subjects: Vec<SubjectId>,
}

impl Plan {
    /// Every change, in the order of the history: people, subjects, classes. What is new is said in
    /// one line, and where it has no id yet the others call it by Wonde's.
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
            for ((field, old), (_, new)) in before.into_iter().zip(after) {
                if old != new {
                    lines.push(line(record, wonde_id.clone(), field, old, new));
                }
            }
            if let Some(was_required) = changed.new_password {
                let field = ChangedField::PasswordResetRequired;
                let (old, new) = (Some(was_required.to_string()), Some(true.to_string()));
                lines.push(line(record, wonde_id.clone(), field, old, new));
            }
        }
        for (department, staff_id, wonde_id) in &self.departments {
            let record = ChangedRecord::Staff(Some(*staff_id));
            let DepartmentId(id) = department;
            let (field, old) = (ChangedField::DepartmentId, Some(id.to_string()));
            lines.push(line(record, wonde_id.clone(), field, old, None));
        }
        let subject = |id| ChangedRecord::Subject(id);
        names.group_lines(&mut lines, &self.subjects, &ids.subjects, subject);
        let class = |id| ChangedRecord::Class(id);
        names.group_lines(&mut lines, &self.classes, &ids.classes, class);
        lines
    }
}

struct Names<'a> {
    plan: &'a Plan,
    ids: &'a NewIds,
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

    fn fields(&self, person: &Person) -> [Field; 11] {
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
            let wonde_id = Some(changed.before.wonde_id.clone());
            let record = record(Some(changed.before.id));
            for (field, old, new) in self.group_fields(changed) {
                if old != new {
                    lines.push(line(record, wonde_id.clone(), field, old, new));
                }
            }
        }
    }

    fn group_fields<Id>(
        &self,
        changed: &Changed<Id>,
    ) -> [(ChangedField, Option<String>, Option<String>); 7] {
        let of = |fields: &GroupFields, links: &[Link]| {
            let main: Vec<Link> = links.iter().copied().filter(|link| link.is_main).collect();
            [
                Some(fields.name.clone()),
                fields.code.clone(),
                fields.description.clone(),
                fields.subject.map(|subject| self.subject(subject)),
                Some(fields.active.to_string()),
                self.people(links),
                self.people(&main),
            ]
        };
        let Group { fields, links, .. } = &changed.before;
        let before = of(fields, links);
        let after = of(&changed.fields, changed.links.as_ref().unwrap_or(links));
        let fields = [
            ChangedField::Name,
            ChangedField::Code,
            ChangedField::Description,
            ChangedField::SubjectId,
            ChangedField::Active,
            ChangedField::Staff,
            ChangedField::MainTeachers,
        ];
        let mut values = before.into_iter().zip(after);
        fields.map(|field| {
            let (old, new) = values.next().unwrap_or_default();
            (field, old, new)
        })
    }

    /// The people in their order, joined by commas.
    fn people(&self, links: &[Link]) -> Option<String> {
        let ids: Vec<String> = links.iter().map(|link| self.staff(link.staff)).collect();
        (!ids.is_empty()).then(|| ids.join(","))
    }
}

/// What is new is called by Wonde's id until it has one of its own.
fn named<Id: std::fmt::Display>(id: Option<&Id>, wonde_id: &str) -> String {
    id.map_or_else(|| format!("wonde:{wonde_id}"), ToString::to_string)
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
