use std::{collections::BTreeMap, fmt::Write};

use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::DemoSchool;
use crate::{commands::print, exit::Failure, private::PrivateSystem};

/// Ids shown for each reason; the whole list is behind the link.
const IDS_SHOWN: usize = 5;

/// Says what the sync did, in words that a school understands. A failed job is a failure of
/// the demo.
pub(super) async fn report(
    system: &PrivateSystem,
    http: &Client,
    school: &DemoSchool,
    job: &Value,
) -> Result<(), Failure> {
    if job["state"] != "succeeded" {
        let error = &job["error"];
        return Err(Failure::work(format!(
            "the sync ended as {}: {}. {}",
            job["state"].as_str().unwrap_or_default(),
            error["title"].as_str().unwrap_or("no reason given"),
            error["detail"].as_str().unwrap_or_default(),
        )));
    }
    let report = &job["report"];
    let count = |field: &str| report[field].as_u64().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
    let seconds = count("duration_ms") as f64 / 1000.0;
    print(&format!(
        "\n  Done in {seconds:.2} s. {} has in iP what its MIS says:\n",
        school.simulated.name
    ))?;
    let lines = [
        (
            count("fetched"),
            format!("staff records read, with {} requests to Wonde", count("requests")),
        ),
        (count("fetched") - count("current"), "of them are not current staff: not imported".into()),
        (
            count("created"),
            "people are new in iP; each presses Forgot Password before the first login".into(),
        ),
        (count("updated"), "people changed".into()),
        (count("unchanged"), "people were as the MIS says already".into()),
        (count("deactivated"), "people left; they can no longer log in".into()),
        (count("skipped"), "people were left out".into()),
        (
            report["classes"]["created"].as_u64().unwrap_or_default(),
            "classes are new in iP, with who teaches them".into(),
        ),
        (count("issues"), "things for the school to look at:".into()),
    ];
    for (number, text) in lines {
        print(&format!("  {number:>8}  {text}"))?;
    }
    reasons(system, http, job).await
}

async fn reasons(system: &PrivateSystem, http: &Client, job: &Value) -> Result<(), Failure> {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let id = job["id"].as_str().unwrap_or_default();
    let mut page = format!("{}/v1/jobs/{id}/issues?limit=200", system.api_url);
    loop {
        let answer: Value = http
            .get(&page)
            .bearer_auth(system.api_key.expose_secret())
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        for issue in answer["issues"].as_array().into_iter().flatten() {
            let sentence = issue["sentence"].as_str().unwrap_or_default().to_owned();
            let who = issue["wonde_id"].as_str().unwrap_or("unknown").to_owned();
            by_reason.entry(sentence).or_default().push(who);
        }
        let Some(cursor) = answer["next_cursor"].as_str() else { break };
        page = format!("{}/v1/jobs/{id}/issues?limit=200&cursor={cursor}", system.api_url);
    }
    for (sentence, people) in by_reason {
        let mut shown = people.iter().take(IDS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if people.len() > IDS_SHOWN {
            shown.push_str(", …");
        }
        print(&format!("  {:>12}  {sentence}\n                ({shown})", people.len()))?;
    }
    Ok(())
}

/// Commands to copy.
pub(super) fn try_it(system: &PrivateSystem, schools: &[DemoSchool]) -> Result<(), Failure> {
    let mut text = String::from("\n  Try it yourself:\n\n");
    let header = format!("-H 'Authorization: Bearer {}'", system.api_key.expose_secret());
    for (method, path) in
        [("-X POST ", "/v1/schools/arbor/sync"), ("", "/v1/jobs"), ("", "/v1/schools/arbor")]
    {
        let _ = writeln!(text, "    curl {method}{header} {}{path}", system.api_url);
    }
    let ids: Vec<&str> = schools.iter().map(|school| school.id.as_str()).collect();
    let _ = write!(text, "\n  Schools: {}", ids.join(", "));
    print(&text)
}
