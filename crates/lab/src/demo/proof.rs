use std::collections::HashMap;

use mis_sync_cli::{Failure, print};
use mis_sync_domain::{StaffId, StaffMember};
use mis_sync_wonde_sim::StaffTruth;

use super::DemoSchool;
use crate::private::PrivateSystem;

/// Compares the people in iP one by one with the simulator's own list of who should be there. That
/// list follows from a second statement of the rules, without a line of the worker's code.
pub(super) async fn compare(system: &PrivateSystem, school: &DemoSchool) -> Result<(), Failure> {
    let truth = system
        .simulator
        .simulator()
        .truth(&school.simulated.id)
        .ok_or_else(|| Failure::work("the simulator does not know the school any more"))?;
    let people = mis_sync_store::staff::list(&system.pool, &school.id).await?;
    let held: HashMap<&str, &StaffMember> =
        people.iter().filter_map(|person| Some((person.wonde_id.as_deref()?, person))).collect();
    let wonde_ids: HashMap<StaffId, Option<&str>> =
        people.iter().map(|person| (person.id, person.wonde_id.as_deref())).collect();
    let is = |person: &StaffMember, wanted: &StaffTruth| {
        let manager = person.line_manager_id.and_then(|id| wonde_ids[&id]);
        has_fields(person, wanted) && manager == wanted.line_manager_wonde_id.as_deref()
    };
    let same = truth
        .staff
        .iter()
        .filter(|wanted| {
            held.get(wanted.wonde_id.as_str()).is_some_and(|person| is(person, wanted))
        })
        .count();
    if same < truth.staff.len() || people.len() != truth.staff.len() {
        return Err(Failure::work(format!(
            "of {} people that should be in iP, {same} are as they should be, and iP holds {}",
            truth.staff.len(),
            people.len()
        )));
    }
    print(&format!(
        "\n  Compared one by one with the simulator's own list: all {same} people are the same."
    ))
}

fn has_fields(person: &StaffMember, wanted: &StaffTruth) -> bool {
    person.active
        && person.upi == wanted.upi
        && person.email == wanted.email
        && person.first_name == wanted.first_name
        && person.surname == wanted.surname
        && person.initials == wanted.initials
        && person.job_title == wanted.job_title
        && person.non_teaching == wanted.non_teaching
}
