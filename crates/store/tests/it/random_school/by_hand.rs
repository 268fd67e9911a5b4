//! A person changes something in iP.

use rand::{RngExt, seq::IteratorRandom};

use super::{account::Account, events::Turn, record::Record, school::ByHand};

/// Fields that the school can manage in iP, and whether the person can log in.
pub(super) fn field_edited(turn: &mut Turn<'_>) -> Option<String> {
    let at = known_account(turn)?;
    let text = turn.random.random_bool(0.7).then(|| format!("H{}", turn.school.fresh()));
    let value = text.as_ref().map_or("NULL".into(), |text| format!("'{text}'"));
    let login = turn.school.accounts[at].login();
    let mut others = turn.school.accounts.iter().chain(&turn.other.accounts);
    let is_held = others.any(|other| other.active && other.login() == login);
    let account = &mut turn.school.accounts[at];
    let assignment = match turn.random.random_range(0..3) {
        0 => {
            account.initials = text;
            format!("initials = {value}")
        }
        1 => {
            account.job_title = text;
            format!("job_title = {value}")
        }
        _ => {
            // iP refuses to activate a person whose login is in use.
            if !account.active && is_held {
                return None;
            }
            account.active = !account.active;
            format!("active = {}", account.active)
        }
    };
    edit(turn, at, &assignment)
}

pub(super) fn login_edited(turn: &mut Turn<'_>) -> Option<String> {
    let (at, address) = (known_account(turn)?, free_address(turn)?);
    let assignment = format!("email = '{address}'");
    turn.school.accounts[at].email = address;
    edit(turn, at, &assignment)
}

/// It may match a record, by the address or by the UPI.
pub(super) fn account_made(turn: &mut Turn<'_>) -> Option<String> {
    let address = free_address(turn)?;
    let someone = turn.one_who(|_| true)?;
    let upi = turn.school.records[someone].upi.clone().filter(|_| turn.random.random());
    // Usually they are who they seem to be.
    let first_name = if turn.random.random_bool(0.7) {
        turn.school.records[someone].first_name.clone()
    } else {
        "By".into()
    };
    turn.school.make_account(address, upi.clone(), first_name);
    Some(format!("with the UPI {upi:?}"))
}

/// An account that is already in iP.
fn known_account(turn: &mut Turn<'_>) -> Option<usize> {
    let accounts = turn.school.accounts.iter().enumerate();
    accounts.filter(|(_, account)| account.id.is_some()).map(|(at, _)| at).choose(turn.random)
}

/// A login that is free in iP: a new one, or one in the MIS of either school.
fn free_address(turn: &mut Turn<'_>) -> Option<String> {
    if turn.random.random() {
        return Some(turn.school.fresh_address());
    }
    let held: Vec<String> =
        turn.school.accounts.iter().chain(&turn.other.accounts).map(Account::login).collect();
    let records = turn.school.records.iter().chain(&turn.other.records);
    records.map(Record::login).filter(|login| !held.contains(login)).choose(turn.random)
}

fn edit(turn: &mut Turn<'_>, at: usize, assignment: &str) -> Option<String> {
    let account = &turn.school.accounts[at];
    let id = account.id?;
    let who = format!("{:?}: {assignment}", account.wonde_id);
    let statement = format!("UPDATE staff SET {assignment} WHERE id = '{id}'");
    turn.school.by_hand.push(ByHand::Edited(statement));
    Some(who)
}
