use mis_sync_domain::{
    FieldValue, School, SyncOptions,
    explain::{Explanation, FieldResult, Outcome, explain},
};
use mis_sync_store::{
    Pool,
    explain::{Known, Who, gather},
    staff::Provenance,
};

use crate::{
    arguments::{Explain, Person},
    commands::{
        follow::{Shown, follow},
        print,
        sync::{find_school, press},
        table::table,
        words,
    },
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn run(config: &Config, arguments: &Explain) -> Result<(), Failure> {
    let table_of_mis = config.mis.table()?;
    let pool = if arguments.live {
        look_now(config, arguments).await?
    } else {
        wiring::database(config).await?
    };
    let school = find_school(&pool, &arguments.school).await?;
    let known = gather(&pool, &school.id, &who(&arguments.person)).await?.ok_or_else(|| {
        Failure::work(format!(
            "there is no person with this --staff-id in the school {}; it is iP's own key, not Wonde's",
            school.id
        ))
    })?;
    let mis = school.mis.as_deref().and_then(|spelling| table_of_mis.find(spelling));
    let explanation = explain(&known.evidence, &school.settings, mis);
    if arguments.json {
        let json = mis_sync_api::json::explanation(known, explanation, &school, mis);
        return print(&json.to_string());
    }
    tell(&known, &explanation, &school)
}

/// Makes a dry run, so that the explanation is up to date.
async fn look_now(config: &Config, arguments: &Explain) -> Result<Pool, Failure> {
    let queue = wiring::queue(config).await?;
    let school = find_school(queue.pool(), &arguments.school).await?;
    let options = SyncOptions { dry_run: true, ..SyncOptions::default() };
    let job = press(&queue, &school, options).await?;
    let shown = if arguments.json { Shown::Nothing } else { Shown::Progress };
    let job = follow(queue.pool(), job.id, shown).await?;
    words::require_success(&job)?;
    Ok(queue.pool().clone())
}

fn who(person: &Person) -> Who {
    let Person { email, wonde_id, staff_id } = person;
    match (email, wonde_id, staff_id) {
        (Some(email), _, _) => Who::Email(email.clone()),
        (_, Some(wonde_id), _) => Who::WondeId(wonde_id.clone()),
        (_, _, Some(id)) => Who::Staff(*id),
        (None, None, None) => unreachable!("the command line demands one of them"),
    }
}

fn tell(known: &Known, explanation: &Explanation, school: &School) -> Result<(), Failure> {
    print(&format!("{}\n", explanation.sentence))?;
    for step in &explanation.steps {
        let mark = mark(step.outcome);
        print(&format!("  {mark:<8} {:<10}  {}", step.step.as_str(), step.sentence))?;
    }
    tell_fields(known, explanation)?;
    if !known.others.is_empty() {
        print(&format!("\nThe same work email in the MIS: {}", known.others.join(", ")))?;
    }
    if let Some(undo) = &known.undone_by {
        print(&format!(
            "\nA sync was undone by {} at {}: mis-sync jobs show {}\nThe next sync applies the same again \
             unless the MIS is corrected.",
            undo.requested_by,
            undo.created_at.format("%Y-%m-%d %H:%M UTC"),
            undo.id
        ))?;
    }
    print("")?;
    let id = |id: Option<&str>| id.unwrap_or("none").to_owned();
    let account = known.evidence.account.as_ref().map(|account| account.id.to_string());
    print(&format!(
        "Verdict {}; Wonde id {}, id in iP {}.",
        explanation.verdict,
        id(known.wonde_id.as_deref()),
        id(account.as_deref())
    ))?;
    match &known.evidence.reading {
        Some(reading) => {
            let at = reading.read_at.format("%Y-%m-%d %H:%M UTC");
            let dry = if reading.dry_run { "a dry run" } else { "a sync" };
            print(&format!("Worked out from {dry} of {at}: mis-sync jobs show {}", reading.job_id))
        }
        None => print(&format!("Read the school first: mis-sync sync {} --follow", school.id)),
    }
}

fn tell_fields(known: &Known, explanation: &Explanation) -> Result<(), Failure> {
    let Some(person) = &known.person else { return Ok(()) };
    let row = |(provenance, result): (&Provenance, &FieldResult)| {
        [
            mark(result.outcome).to_owned(),
            provenance.field.mis_name().to_owned(),
            value(provenance.mis_value.as_ref()),
            value(provenance.ip_value.as_ref()),
            result.sentence.clone(),
        ]
    };
    let rows: Vec<_> = person.fields.iter().zip(&explanation.fields).map(row).collect();
    print("")?;
    table(["", "FIELD", "MIS", "iP", "WHY"], &rows, "")
}

/// A value under the name of the field in the MIS. The only flag is *non-teaching*, and *Teaching
/// staff* is its reverse.
fn value(value: Option<&FieldValue>) -> String {
    match value {
        None => "–",
        Some(FieldValue::Flag(non_teaching)) => {
            if *non_teaching {
                "no"
            } else {
                "yes"
            }
        }
        Some(FieldValue::Text(text)) => text,
    }
    .to_owned()
}

fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "NO",
        Outcome::Unknown => "?",
        Outcome::NotApplicable => "-",
    }
}
