//! *Remove departments when synchronising users*, as iP's settings page calls it.

use std::collections::HashMap;

use super::{lookup::Lookup, matching::Match};
use crate::{DepartmentId, StaffId};

/// The department assignments that are archived: of everybody that was synced, with the record by which
/// each is known.
pub(super) fn cleared(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
) -> Vec<(DepartmentId, StaffId, Option<String>)> {
    if !of.rules.sync.clears_departments {
        return Vec::new();
    }
    let synced: HashMap<StaffId, &str> = of
        .records
        .iter()
        .zip(matches)
        .filter(|(_, one)| one.is_imported())
        .filter_map(|(record, one)| {
            Some((of.account(one.person?).id, record.said.wonde_id.as_str()))
        })
        .collect();
    let assigned = of.held.departments.iter().filter_map(|(department, staff_id)| {
        let wonde_id = (*synced.get(staff_id)?).to_owned();
        Some((*department, *staff_id, Some(wonde_id)))
    });
    let mut cleared: Vec<_> = assigned.collect();
    cleared.sort_by_key(|(department, staff_id, _)| (*staff_id, *department));
    cleared
}

#[cfg(test)]
mod tests;
