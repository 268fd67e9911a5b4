//! One invented person.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::quirks::SHARED_EMAIL_PLACE;
use super::{Quirk, upi};
use crate::ids::{Ids, WondeId};
use crate::mis::Feature;
use crate::names;
use crate::photo::Image;
use crate::school::{Contact, Employee, Employment, Photo, Role, School, Times};

/// The first people manage all others: the head manages them, and each of them manages a share of
/// the rest.
const SPAN_OF_CONTROL: usize = 8;

/// A new person for `school`, not yet in its list. Their record is not older than `latest`.
pub(crate) fn hire(
    school: &mut School,
    quirk: Quirk,
    today: NaiveDate,
    latest: DateTime<Utc>,
) -> Employee {
    let mis_id = school.take_mis_id();
    let &(forename, gender) =
        names::FORENAMES.choose(&mut school.rng).expect("there are forenames");
    let surname = surname(&mut school.rng);
    let work_email = work_email(school, forename, &surname);
    let teaching = school.employees.is_empty() || school.rng.random_bool(0.6);
    let created = latest - TimeDelta::days(school.rng.random_range(0..1_500));
    let age = (latest - created).num_seconds();
    let times = Times {
        created,
        updated: created + TimeDelta::seconds(school.rng.random_range(0..=age)),
        restored: None,
    };
    // Fields without permission are nulls. Here the schools of some systems grant these and others
    // do not.
    let grants_personal_fields = school.mis.supports(Feature::LineManager);
    let mut employee = Employee {
        id: school.ids.take(),
        upi: Some(upi(school.id, school.mis, mis_id)),
        mis_id,
        initials: Some(initials(forename, &surname)).filter(|_| school.rng.random_bool(0.9)),
        title: title(gender, &mut school.rng),
        forename: Some(forename.to_owned()),
        surname: Some(surname),
        middle_names: if school.rng.random_bool(0.3) {
            names::MIDDLE_NAMES.choose(&mut school.rng).copied()
        } else {
            None
        },
        gender: Some(gender).filter(|_| grants_personal_fields),
        date_of_birth: Some(birth_date(today, &mut school.rng)).filter(|_| grants_personal_fields),
        times,
        contact: contact(work_email, &mut school.rng),
        employment: Some(employment(teaching, mis_id, today, &mut school.rng)),
        roles: roles(teaching, school),
        photo: photo(times, school),
        manager: manager(school),
    };
    apply(quirk, &mut employee, &mut school.ids, today);
    employee
}

fn surname(rng: &mut StdRng) -> String {
    let first = names::SURNAMES.choose(rng).expect("there are surnames");
    if rng.random_bool(0.12) {
        let second = names::SURNAMES.choose(rng).expect("there are surnames");
        return format!("{first}-{second}");
    }
    (*first).to_owned()
}

/// An address that no one else in the school has, in the school's own domain.
fn work_email(school: &mut School, forename: &str, surname: &str) -> String {
    let part = format!("{}.{}", names::email_part(forename), names::email_part(surname));
    let given_out = school.email_parts.entry(part.clone()).or_insert(0);
    *given_out += 1;
    let number = if *given_out > 1 { given_out.to_string() } else { String::new() };
    format!("{part}{number}@{}", school.profile.domain)
}

fn initials(forename: &str, surname: &str) -> String {
    forename
        .split([' ', '-'])
        .chain(surname.split([' ', '-']))
        .filter_map(|part| part.chars().next())
        .collect()
}

fn title(gender: &str, rng: &mut StdRng) -> Option<&'static str> {
    let titles: &[Option<&str>] = if gender == "female" {
        &[Some("Mrs"), Some("Miss"), Some("Ms"), Some("Dr"), None]
    } else {
        &[Some("Mr"), Some("Mr"), Some("Dr"), None]
    };
    titles.choose(rng).copied().flatten()
}

fn birth_date(today: NaiveDate, rng: &mut StdRng) -> NaiveDate {
    let year = today.year() - rng.random_range(22..66);
    NaiveDate::from_yo_opt(year, rng.random_range(1..=365)).expect("every year has 365 days")
}

fn contact(work_email: String, rng: &mut StdRng) -> Contact {
    let name = work_email.split('@').next().unwrap_or_default();
    Contact {
        home_email: Some(format!("{name}.{}@homemail.example", rng.random_range(100..1_000)))
            .filter(|_| rng.random_bool(0.5)),
        work_phone: Some(format!("01632 960{:03}", rng.random_range(0..1_000)))
            .filter(|_| rng.random_bool(0.7)),
        work_email: Some(work_email),
    }
}

fn employment(teaching: bool, mis_id: u32, today: NaiveDate, rng: &mut StdRng) -> Employment {
    Employment {
        current: Some(true),
        teaching_staff: Some(teaching),
        start: Some(today - Days::new(rng.random_range(30..9_000))),
        end: None,
        staff_code: Some(format!("S{mis_id}")).filter(|_| rng.random_bool(0.8)),
    }
}

/// One role, now and then two or three; a few people have none.
fn roles(teaching: bool, school: &mut School) -> Vec<Role> {
    let pool = if teaching { names::TEACHING_ROLES } else { names::SUPPORT_ROLES };
    let count = [1, 1, 1, 1, 1, 2, 2, 2, 3, 0].choose(&mut school.rng).copied().unwrap_or(1);
    let picked: Vec<_> = pool.sample(&mut school.rng, count).copied().collect();
    picked
        .into_iter()
        .map(|(name, code)| Role { id: school.ids.take(), name: Some(name), code: Some(code) })
        .collect()
}

fn photo(times: Times, school: &mut School) -> Option<Photo> {
    school.rng.random_bool(0.7).then(|| Photo {
        id: school.ids.take(),
        seed: school.rng.random(),
        image: Image::Drawn,
        times,
    })
}

/// A person who came long before, so that no one ever manages their own manager.
fn manager(school: &mut School) -> Option<WondeId> {
    let earlier = school.employees.len();
    if earlier == 0 || school.rng.random_bool(0.05) {
        return None;
    }
    let managers = earlier.div_ceil(SPAN_OF_CONTROL);
    Some(school.employees[school.rng.random_range(0..managers)].id)
}

/// Makes a regular person odd.
fn apply(quirk: Quirk, employee: &mut Employee, ids: &mut Ids, today: NaiveDate) {
    let yesterday = today - Days::new(1);
    let next_month = today + Days::new(30);
    let contact = &mut employee.contact;
    let Some(employment) = &mut employee.employment else { return };
    match quirk {
        Quirk::None => {}
        Quirk::Left => (employment.current, employment.end) = (Some(false), Some(yesterday)),
        Quirk::LeftByDateOnly => (employment.current, employment.end) = (None, Some(yesterday)),
        Quirk::StartsLater => (employment.current, employment.start) = (None, Some(next_month)),
        Quirk::CurrentUnknown => employment.current = None,
        Quirk::CurrentAndStartUnknown => (employment.current, employment.start) = (None, None),
        Quirk::TeachingUnknown => employment.teaching_staff = None,
        Quirk::NoStart => employment.start = None,
        Quirk::EndsLater => employment.end = Some(next_month),
        Quirk::EndsToday => employment.end = Some(today),
        Quirk::StartsToday => employment.start = Some(today),
        Quirk::NoEmployment => employee.employment = None,
        Quirk::NoWorkEmail => {
            contact.home_email =
                contact.work_email.take().map(|email| email.replace('@', ".home@"));
        }
        Quirk::BlankEmail => contact.work_email = Some("  ".to_owned()),
        Quirk::BrokenEmail => {
            contact.work_email = contact.work_email.take().map(|email| email.replace('@', " at "));
        }
        Quirk::SharedEmail => contact.work_email = Some(SHARED_EMAIL_PLACE.to_owned()),
        Quirk::MixedCaseEmail => {
            contact.work_email = contact.work_email.as_deref().map(capitalised);
        }
        Quirk::Padded => pad(employee),
        Quirk::NoUpi => employee.upi = None,
        Quirk::NoForename => employee.forename = None,
        Quirk::Nameless => {
            (employee.forename, employee.surname) = (None, Some(" ".to_owned()));
        }
        Quirk::UntidyRoles => untidy_roles(&mut employee.roles, ids),
    }
}

/// `sian.pugh@…` as `Sian.Pugh@…`.
fn capitalised(email: &str) -> String {
    let mut start = true;
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let name: String = name
        .chars()
        .map(|letter| {
            let shown = if start { letter.to_ascii_uppercase() } else { letter };
            start = letter == '.' || letter == '-';
            shown
        })
        .collect();
    format!("{name}@{domain}")
}

fn pad(employee: &mut Employee) {
    let fields = [
        &mut employee.forename,
        &mut employee.surname,
        &mut employee.initials,
        &mut employee.contact.work_email,
    ];
    for text in fields.into_iter().flatten() {
        *text = format!(" {text}  ");
    }
}

fn untidy_roles(roles: &mut Vec<Role>, ids: &mut Ids) {
    let mut role = |name| Role { id: ids.take(), name, code: None };
    roles.insert(0, role(None));
    roles.extend(
        [Some("Governor"), Some(" "), Some("First Aider"), Some(" Governor ")].map(&mut role),
    );
}
