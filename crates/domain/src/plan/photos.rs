//! Pictures of the people in the list.

use std::collections::HashMap;

use super::{
    held::{MisValues, Person, Said},
    lookup::Lookup,
    matching::Match,
    people::Outcome,
};
use crate::{IssueCode, PhotoCounts};

/// Applies the pictures that were fetched.
///
/// The MIS can remove only a picture that it delivered, and only if a full list has photos of other
/// people. A list without any photo means that access was withdrawn.
pub(super) fn apply(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    outcome: &mut Outcome,
) -> Result<PhotoCounts, IssueCode> {
    let Some(photos) = of.fetched.photos.as_ref().filter(|_| of.rules.sync.imports.photos) else {
        return Ok(PhotoCounts::default());
    };
    let said: HashMap<&str, Option<&str>> = photos
        .iter()
        .map(|(wonde_id, hash)| (wonde_id.as_str(), hash.as_deref()))
        .filter(|(wonde_id, _)| {
            of.listed_staff.get(wonde_id).is_some_and(|at| matches[*at].is_imported())
        })
        .collect();
    let mut counts = PhotoCounts {
        fetched: said.values().flatten().count() as u64,
        skipped: of.fetched.issues.iter().filter(|(_, issue)| is_of_photo(issue.code)).count()
            as u64,
        ..PhotoCounts::default()
    };
    // Photos of people who are left out also show that photos are delivered.
    if counts.skipped == 0 && photos.iter().all(|(_, hash)| hash.is_none()) {
        let gave_one = |mis: &MisValues| matches!(mis.photo_hash, Some(Said(Some(_))));
        let had_photos =
            of.held.people.iter().any(|account| account.person.mis.as_ref().is_some_and(gave_one));
        return if of.fetched.is_full && had_photos {
            Err(IssueCode::PhotosWithheld)
        } else {
            Ok(PhotoCounts::default())
        };
    }
    let is_said = |(_, hash): &(&str, Option<&str>)| hash.is_some() || of.fetched.is_full;
    for (wonde_id, hash) in said.into_iter().filter(is_said) {
        let Some(who) = outcome.whose(matches, of.listed_staff[wonde_id]) else { continue };
        if !concerns(outcome.of_any(of, who), hash) {
            continue;
        }
        let changed = u64::from(give(outcome.edit_any(of, who), hash));
        match hash {
            Some(_) => counts.updated += changed,
            None => counts.removed += changed,
        }
    }
    counts.unchanged = counts.fetched.saturating_sub(counts.updated);
    Ok(counts)
}

fn is_of_photo(code: IssueCode) -> bool {
    matches!(code, IssueCode::PhotoUnreadable | IssueCode::PhotoTooLarge)
}

/// Whether anything has to be written for the person.
fn concerns(person: &Person, hash: Option<&str>) -> bool {
    let before = person.mis.as_ref().and_then(|mis| mis.photo_hash.as_ref()?.0.as_deref());
    hash != before || hash.is_some() && hash != person.photo_hash.as_deref()
}

/// Sets this picture, or removes the one from the MIS. Returns whether the picture changes.
fn give(person: &mut Person, hash: Option<&str>) -> bool {
    let mis = person.mis.get_or_insert_default();
    let said = Said(hash.map(str::to_owned));
    let before = mis.photo_hash.replace(said).and_then(|said| said.0);
    let changes = match hash {
        Some(hash) => person.photo_hash.as_deref() != Some(hash),
        None => person.photo_hash.is_some() && person.photo_hash == before,
    };
    if changes {
        person.photo_hash = hash.map(str::to_owned);
    }
    changes
}

#[cfg(test)]
mod tests;
