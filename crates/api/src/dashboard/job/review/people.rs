//! Everyone about whom a held job would change something: one line for each person.

use std::collections::HashSet;

use maud::{Markup, html};
use mis_sync_domain::{Action, GuardCategory, Job, PersonKey, ReviewedPerson};

use super::{Draft, Held};
use crate::{
    csv,
    dashboard::{
        job::changes::{Shown, described, tail, words},
        parts::{number, school_path},
    },
    state::Operator,
};

/// People on a page.
const PEOPLE: usize = 500;

/// What a line of the list is about: the person, what would change, and name and email if shown.
type Line<'a> = (&'a PersonKey, &'a ReviewedPerson, Option<&'a [String; 2]>);

pub(super) fn list(
    operator: &Operator,
    job: &Job,
    held: &Held,
    draft: &Draft,
    shown: Shown,
) -> Markup {
    let all = lines(held);
    if all.is_empty() {
        return html! {};
    }
    let find = draft.find.to_lowercase();
    let is_meant = |(_, _, name): &&Line<'_>| {
        name.is_none_or(|of| of.iter().any(|text| text.to_lowercase().contains(&find)))
    };
    let meant: Vec<&Line<'_>> = all.iter().filter(is_meant).collect();
    let listed = &meant[draft.from.min(meant.len())..meant.len().min(draft.from + PEOPLE)];
    let on_page: HashSet<&PersonKey> = listed.iter().map(|(key, ..)| *key).collect();
    let elsewhere = draft.leave.iter().filter(|key| !on_page.contains(key));
    html! {
        (filters(&all))
        @for key in elsewhere { input type="hidden" name={ "leave." (key) } value="on"; }
        @if shown == Shown::Shown {
            div.inline {
                label {
                    "Name or email"
                    input name="find" value=(draft.find) autocomplete="off";
                }
                button { "Find" }
            }
        }
        @if listed.is_empty() {
            p.quiet { "No one here has this name or email." }
        }
        ul.people {
            @for line in listed { (person(operator, job, line, draft, shown)) }
        }
        @if meant.len() > draft.from + listed.len() {
            button name="from" value=(draft.from + PEOPLE) { "Next people" }
        }
        @if draft.from > 0 {
            button name="from" value=(draft.from.saturating_sub(PEOPLE)) { "Previous people" }
        }
    }
}

/// Everyone: first those whom the guard counts, by the gravest category, then new and other people.
fn lines(held: &Held) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> =
        held.review.people.iter().map(|(key, one)| (key, one, held.names.get(key))).collect();
    let rank = |one: &ReviewedPerson| (one.categories.first().is_none(), one.is_new);
    lines.sort_by(|(one_key, one, one_name), (other_key, other, other_name)| {
        (rank(one), one.categories.first(), one_name, one_key).cmp(&(
            rank(other),
            other.categories.first(),
            other_name,
            other_key,
        ))
    });
    lines
}

/// One line for each change of a person, in the order of the list.
pub(super) fn file(held: &Held) -> String {
    let columns = ["Name", "Work email", "Id", "Group", "Field", "Old", "New"];
    let mut file = csv::header(&columns);
    for (key, one, name) in lines(held) {
        let [name, email] = name.map_or(["", ""], |[name, email]| [name.as_str(), email]);
        let id = page_id(key);
        let group = match one.categories.first() {
            Some(category) => heading(*category),
            None if one.is_new => "new in iP",
            None => "other changes",
        };
        for change in &one.changes {
            let [old, new] = [&change.old, &change.new]
                .map(|value| value.as_ref().map_or("", |value| value.as_str()));
            let field = words(change.field);
            file.push_str(&csv::record(&[name, email, &id, group, field, old, new]));
        }
    }
    file
}

/// The id of a person as their page has it.
fn page_id(key: &PersonKey) -> String {
    match key {
        PersonKey::StaffId(id) => id.to_string(),
        PersonKey::WondeId(id) => id.clone(),
    }
}

/// Links that show one category alone. The address has the category, and ticks stay.
fn filters(all: &[Line<'_>]) -> Markup {
    let people_of = |is: &dyn Fn(&ReviewedPerson) -> bool| {
        i128::try_from(all.iter().filter(|(_, one, _)| is(one)).count()).unwrap_or_default()
    };
    let categories = GuardCategory::ALL.iter().map(|category| {
        (category.as_str(), heading(*category), people_of(&|one| one.categories.contains(category)))
    });
    let others = [
        ("new", "new in iP", people_of(&|one| one.is_new)),
        ("other", "other changes", people_of(&is_other)),
    ];
    let filters: Vec<_> = categories.chain(others).filter(|(_, _, people)| *people > 0).collect();
    html! {
        h3 {
            @for (name, ..) in &filters { span #{ "only-" (name) } {} }
            "Everyone about whom something would change"
        }
        ul.groups {
            li {
                a href="#review" { "All " (number(people_of(&|_| true))) }
            }
            @for (name, heading, people) in &filters {
                li {
                    a href={ "#only-" (name) } { (heading) " " (number(*people)) }
                }
            }
        }
    }
}

fn is_other(one: &ReviewedPerson) -> bool {
    one.categories.is_empty() && !one.is_new
}

fn heading(category: GuardCategory) -> &'static str {
    match category {
        GuardCategory::Deactivated => "can no longer log in",
        GuardCategory::EmailsChanged => "sign-in email changes",
        GuardCategory::JobTitlesEmptied => "job title emptied",
        GuardCategory::LineManagersEmptied => "line manager emptied",
        GuardCategory::ClassesEmptied => "classes emptied",
        GuardCategory::NewIds => "new Wonde id",
    }
}

fn person(
    operator: &Operator,
    job: &Job,
    (key, one, name): &Line<'_>,
    draft: &Draft,
    shown: Shown,
) -> Markup {
    let mut kinds: Vec<&str> = one.categories.iter().map(|category| category.as_str()).collect();
    kinds.extend(one.is_new.then_some("new"));
    kinds.extend(is_other(one).then_some("other"));
    let id = key.to_string();
    let page_id = page_id(key);
    html! {
        li data-kinds=(kinds.join(" ")) {
            @match &job.school_id {
                Some(school) => a href={ (school_path(school)) "/people/" (page_id) } title=(id) {
                    @match name {
                        Some([name, _]) => strong { (name) },
                        None => { "person " code { (tail(&page_id)) } },
                    }
                },
                None => code { (tail(&page_id)) },
            }
            @if let Some([_, email]) = name {
                " "
                span.quiet { (email) }
            }
            ul.quiet {
                @for change in &one.changes { li { (described(change, shown)) } }
            }
            @if operator.is_allowed(Action::ActOnJobs) {
                label.check {
                    input
                        type="checkbox"
                        name={ "leave." (id) }
                        checked[draft.leave.contains(key)];
                    "Leave as is"
                }
            }
        }
    }
}
