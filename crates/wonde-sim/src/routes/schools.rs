//! Schools and what is known about them.

use serde_json::{Value, json};

use super::Call;
use super::path::SchoolList;
use crate::includes::{Includes, SCHOOL};
use crate::options::UnknownInclude;
use crate::paging::{PageRequest, Pagination};
use crate::refusal::Refusal;
use crate::render::school::{MetaJson, SchoolJson, counts, permissions};
use crate::render::{Each, Meta, Single, json as bytes};
use crate::scenarios::ScenarioName;
use crate::school::{Access, School};

pub(super) fn list_schools(call: &Call<'_>, list: SchoolList) -> Result<Vec<u8>, Refusal> {
    let options = call.simulator.options();
    Includes::from_query(&call.query, &[SCHOOL], options.unknown_include)?;
    let request = PageRequest::from_query(&call.query, options)?;
    let (after, before) =
        (call.query.moment("updated_after")?, call.query.moment("updated_before")?);
    let keep = |school: &School| {
        let updated = school.profile.updated_at;
        call.caller.owns(school)
            && belongs(school, list)
            && after.is_none_or(|after| updated > after)
            && before.is_none_or(|before| updated < before)
            && is_looked_for(call, school)
    };
    let world = call.simulator.world();
    let page = request.of_some(&world.schools, |school| school.id, keep);
    let pagination = Pagination::of(&page, &request, &call.query, &call.url, options.pagination);
    let data = Each(page.items.iter().map(|school| SchoolJson::new(school, &call.host)));
    Ok(bytes(&Single { data, meta: Meta { pagination, includes: SCHOOL.to_vec() } }))
}

fn belongs(school: &School, list: SchoolList) -> bool {
    let approved = school.access == Access::Approved;
    match list {
        SchoolList::All => true,
        SchoolList::Approved | SchoolList::Audited => approved,
        SchoolList::Offline => approved && !school.online,
        SchoolList::Revoked => !approved,
        SchoolList::Pending | SchoolList::Declined => false,
    }
}

/// The filters by address and number.
fn is_looked_for(call: &Call<'_>, school: &School) -> bool {
    let profile = &school.profile;
    let plain = |text: &str| text.replace(' ', "").to_uppercase();
    let is = |name: &str, number: u32| {
        call.query.get(name).is_none_or(|wanted| wanted == number.to_string())
    };
    call.query
        .get("postcode")
        .is_none_or(|start| plain(&profile.postcode).starts_with(&plain(start)))
        && is("la_code", profile.la_code)
        && is("establishment_number", profile.establishment_number)
        && is("urn", profile.urn)
}

pub(super) fn get_school(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let unknown_include: UnknownInclude = call.simulator.options().unknown_include;
    Includes::from_query(&call.query, &[SCHOOL], unknown_include)?;
    let world = call.simulator.world();
    let data = SchoolJson::new(call.caller.open(&world, id)?, &call.host);
    Ok(bytes(&Single { data, meta: Meta { pagination: None, includes: SCHOOL.to_vec() } }))
}

pub(super) fn get_meta(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let world = call.simulator.world();
    let data = MetaJson::new(call.caller.open(&world, id)?);
    Ok(bytes(&Single { data, meta: Meta { pagination: None, includes: Vec::new() } }))
}

pub(super) fn list_permissions(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let world = call.simulator.world();
    let data = permissions(call.caller.open(&world, id)?);
    Ok(bytes(&Single { data, meta: Meta { pagination: None, includes: Vec::new() } }))
}

/// A list of hidden people. It is always empty.
pub(super) fn get_acl(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let world = call.simulator.world();
    call.caller.open(&world, id)?;
    let data = json!({"mode": "exclude", "ids": []});
    Ok(bytes(&Single { data, meta: Meta { pagination: None, includes: Vec::new() } }))
}

pub(super) fn get_counts(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let world = call.simulator.world();
    Ok(bytes(&counts(call.caller.open(&world, id)?, &call.query)))
}

/// The school grants the request at once.
pub(super) fn request_access(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    change_access(call, id, ScenarioName::RestoreAccess, "approved")
}

pub(super) fn revoke_access(call: &Call<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    change_access(call, id, ScenarioName::Revoke, "revoked")
}

fn change_access(
    call: &Call<'_>,
    id: &str,
    change: ScenarioName,
    state: &str,
) -> Result<Vec<u8>, Refusal> {
    let owned = call.simulator.world().school(id).is_some_and(|school| call.caller.owns(school));
    if !owned {
        return Err(Refusal::forbidden("schools.read"));
    }
    call.simulator.apply_scenario(id, change).map_err(|_| Refusal::not_found())?;
    let message = format!("Access to the school is {state}.");
    let answer: Value = json!({"success": true, "state": state, "message": message});
    Ok(bytes(&answer))
}
