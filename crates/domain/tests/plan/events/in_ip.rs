//! A person changes something in iP.

use mis_sync_domain::plan::{Decision, Person, Ref};

use super::in_mis::one_who;
use crate::school::{MOST, School};

pub(super) fn account(school: &mut School) -> Option<usize> {
    let count = school.held.people.len();
    (count > 0).then(|| school.random.below(count))
}

/// Every change makes another version of an account.
pub(super) fn edit(school: &mut School, at: usize, change: impl FnOnce(&mut Person)) -> Option<()> {
    let now = school.tick();
    let account = school.held.people.get_mut(at)?;
    change(&mut account.person);
    account.email_key = account.person.email.to_lowercase();
    account.version += 1;
    account.updated_at = now;
    Some(())
}

pub(super) fn field_edited(school: &mut School) -> Option<()> {
    let at = account(school)?;
    let other = account(school).map(|at| school.held.people[at].id)?;
    let text = school.random.percent(70).then(|| format!("H{}", school.fresh()));
    match school.random.below(4) {
        0 => edit(school, at, |person| person.initials = text),
        1 => edit(school, at, |person| person.job_title = text),
        2 => edit(school, at, |person| person.photo_hash = text),
        _ => edit(school, at, |person| person.line_manager = text.map(|_| Ref::Known(other))),
    }
}

/// A login that is free in iP: a new one, or one that the MIS knows.
fn free_address(school: &mut School) -> Option<String> {
    let address = if school.random.percent(50) {
        school.fresh_address()
    } else {
        one_who(school, |_| true)?.said.email.clone()
    };
    let address = address.unwrap().as_str().to_owned();
    (!school.is_held(&address)).then_some(address)
}

pub(super) fn login_edited(school: &mut School) -> Option<()> {
    let (at, address) = (account(school)?, free_address(school)?);
    edit(school, at, |person| person.email = address)
}

/// The account may match a record, by the address or by the UPI.
pub(super) fn account_made(school: &mut School) -> Option<()> {
    let address = free_address(school)?;
    (school.held.people.len() < 3 * MOST).then_some(())?;
    let said = one_who(school, |_| true)?.said.clone();
    let upi = said.upi.filter(|_| school.random.percent(50));
    let first_name = if school.random.percent(70) { said.first_name } else { school.first_name() };
    let surname = said.surname;
    let person =
        Person { upi, email: address, first_name, surname, active: true, ..Person::default() };
    school.make_account(person);
    Some(())
}

pub(super) fn decided(school: &mut School) -> Option<()> {
    let at = school.random.below(school.candidates.len().max(1));
    let candidate = school.candidates.get(at)?.clone();
    let is_same = school.random.percent(60);
    let said = candidate.said;
    let known = &mut school.held.decisions;
    known.retain(|decision| decision.wonde_id != candidate.wonde_id);
    known.push(Decision {
        wonde_id: candidate.wonde_id,
        staff_id: is_same.then_some(candidate.staff_id),
        in_doubt: candidate.in_doubt,
        shown: Some([said.first_name, said.surname, said.email]),
    });
    Some(())
}
