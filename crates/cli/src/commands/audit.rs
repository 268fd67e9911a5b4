use mis_sync_domain::SchoolId;
use mis_sync_store::{
    Pool,
    audit::{self, AuditFilter, AuditHash, AuditLine},
};
use serde_json::{Value, json};

use crate::{
    arguments::Audit,
    commands::{print, table::table},
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn run(config: &Config, command: Audit) -> Result<(), Failure> {
    let pool = wiring::database(config).await?;
    match command {
        Audit::List { school, job, action, limit, json } => {
            let filter =
                AuditFilter { school_id: school, job_id: job, action, ..AuditFilter::default() };
            list(&audit::list(&pool, &filter, limit.into()).await?, json)
        }
        Audit::Verify { head, json } => verify(&pool, head, json).await,
    }
}

fn list(lines: &[AuditLine], json: bool) -> Result<(), Failure> {
    if json {
        return print(&lines.iter().map(describe).collect::<Value>().to_string());
    }
    let row = |line: &AuditLine| {
        let on = [
            line.job_id.map(|id| format!("job {id}")),
            line.staff_id.map(|id| format!("person {id}")),
            line.subject.clone(),
        ];
        [
            line.position.to_string(),
            line.at.format("%Y-%m-%d %H:%M:%S").to_string(),
            line.actor.to_string(),
            line.action.to_string(),
            line.school_id.as_ref().map_or_else(String::new, SchoolId::to_string),
            on.into_iter().flatten().collect::<Vec<_>>().join(", "),
            line.reason.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    let headings = ["LINE", "WHEN", "WHO", "WHAT", "SCHOOL", "ON", "WHY"];
    table(headings, &rows, "There are no such lines yet.")
}

fn describe(line: &AuditLine) -> Value {
    json!({
        "position": line.position,
        "at": line.at,
        "actor": line.actor.to_string(),
        "api_key_id": line.api_key_id,
        "action": line.action,
        "school_id": line.school_id,
        "job_id": line.job_id,
        "staff_id": line.staff_id,
        "subject": line.subject,
        "reason": line.reason,
        "hash": line.hash.to_string(),
    })
}

async fn verify(pool: &Pool, kept: Option<AuditHash>, json: bool) -> Result<(), Failure> {
    let verified = match audit::verify(pool).await? {
        Ok(verified) => verified,
        Err(broken) => {
            if json {
                let (position, why) = (broken.position, broken.why.to_string());
                print(&json!({"whole": false, "position": position, "why": why}).to_string())?;
            }
            return Err(Failure::work(broken));
        }
    };
    if let Some(kept) = kept
        && !audit::contains(pool, kept).await?
    {
        let after = verified.lines + 1;
        if json {
            let why = "the line with the stored hash is missing";
            print(&json!({"whole": false, "position": after, "why": why}).to_string())?;
        }
        return Err(Failure::work(format!(
            "no line has the hash {kept}: lines were removed from position {after} on, or the \
             hash does not belong to this log"
        )));
    }
    let head = verified.head_hash.map(|hash| hash.to_string());
    if json {
        let lines = verified.lines;
        return print(&json!({"whole": true, "lines": lines, "head_hash": head}).to_string());
    }
    print(&format!("{} lines, none changed, none missing.", verified.lines))?;
    match head {
        Some(head) => print(&format!(
            "{head}\nStore this hash elsewhere; mis-sync audit verify --head HASH then checks that \
             nothing was removed since."
        )),
        None => Ok(()),
    }
}
