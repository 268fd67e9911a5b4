use mis_sync_domain::{SchoolId, StaffId, plan::Named};
use mis_sync_store::{
    Pool,
    matches::{self, Candidate},
};
use serde_json::Value;

use crate::{
    commands::{actor, print, sync::find_school, table::table},
    exit::Failure,
};

pub(super) async fn list(pool: &Pool, id: &SchoolId, json: bool) -> Result<(), Failure> {
    let school = find_school(pool, id).await?;
    let found = matches::list(pool, &school.id).await?;
    if json {
        let all: Value = found.into_iter().map(mis_sync_api::json::possible_match).collect();
        return print(&all.to_string());
    }
    let row = |candidate: &Candidate| {
        let name = |named: &Named| {
            let names = format!("{} {}", named.first_name, named.surname);
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
            let (initials, title) = (or_dash(&named.initials), or_dash(&named.job_title));
            format!("{} <{}>, {initials}, {title}", names.trim(), named.email)
        };
        [
            candidate.wonde_id.clone(),
            name(&candidate.mis),
            candidate.staff_id.to_string(),
            name(&candidate.ip),
            candidate.score.to_string(),
            if candidate.in_doubt { "yes" } else { "no" }.to_owned(),
            if candidate.decision.is_some() { "yes" } else { "no" }.to_owned(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let headings = ["WONDE ID", "IN THE MIS", "STAFF ID", "IN IP", "SCORE", "IN DOUBT", "DECIDED"];
    table(headings, &rows, "No record waits for a decision.")
}

pub(super) async fn decide(
    pool: &Pool,
    id: &SchoolId,
    wonde_id: &str,
    staff_id: Option<StaffId>,
) -> Result<(), Failure> {
    let school = find_school(pool, id).await?;
    if !matches::decide(pool, &school.id, wonde_id, staff_id, &actor(None)).await? {
        let what = "there is no such possible match; `mis-sync schools matches` lists them";
        return Err(Failure::work(what));
    }
    print("The next full sync will apply it.")
}
