//! *Remove departments when synchronising users*, as iP's settings page calls it.

use std::collections::HashMap;

use super::{lookup::Lookup, matching::Match};
use crate::{DepartmentId, StaffId};

/// A person who leaves a department, or returns to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentChange {
    pub department: DepartmentId,
    pub staff_id: StaffId,
    /// The Wonde id of the person's record.
    pub wonde_id: Option<String>,
    /// True if the assignment is archived, false if it is restored.
    pub leaves: bool,
}

/// The department assignments to archive: those of everyone who was synced.
pub(super) fn cleared(of: &Lookup<'_>, matches: &[Match<'_>]) -> Vec<DepartmentChange> {
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
        let wonde_id = Some((*synced.get(staff_id)?).to_owned());
        let (department, staff_id) = (*department, *staff_id);
        Some(DepartmentChange { department, staff_id, wonde_id, leaves: true })
    });
    let mut cleared: Vec<_> = assigned.collect();
    cleared.sort_by_key(|one| (one.staff_id, one.department));
    cleared
}

#[cfg(test)]
mod tests;
