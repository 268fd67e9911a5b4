//! Pages and filters.

use std::collections::HashSet;

use mis_sync_wonde_sim::{Mis, PaginationStyle, ScenarioName, SimulatorOptions};

use crate::client::{World, ids, one_school};

#[tokio::test]
async fn both_ways_of_paging_give_everyone_once() {
    let world = World::start(one_school(Mis::Sims, 130)).await;
    let by_number = world.read_all("/employees").await;
    let by_cursor = world.read_all("/employees/?cursor=true&per_page=17").await;
    assert_eq!(by_number.len(), 130);
    assert_eq!(by_number, by_cursor);
    assert_eq!(ids(&by_number).into_iter().collect::<HashSet<_>>().len(), 130);
}

#[tokio::test]
async fn next_is_absolute_and_keeps_the_query() {
    let world = World::start(one_school(Mis::Sims, 120)).await;
    let page = world
        .read("/employees?include=roles,photo&per_page=50&updated_after=2001-01-01+00:00:00")
        .await;
    let pagination = &page["meta"]["pagination"];
    let expected = format!(
        "{}/schools/{}/employees?include=roles%2Cphoto&per_page=50&updated_after=2001-01-01+00%3A00%3A00&page=2",
        world.running.base_url(),
        world.school.id
    );
    assert_eq!(pagination["next"], expected);
    assert_eq!(pagination["previous"], serde_json::Value::Null);
    assert_eq!((&pagination["per_page"], &pagination["current_page"]), (&50.into(), &1.into()));

    let plain = world.read("/employees").await;
    assert_eq!(plain["data"].as_array().unwrap().len(), 50);
    assert!(!plain["meta"]["pagination"]["next"].as_str().unwrap().contains("per_page"));
    let last = world.read("/employees?page=3").await;
    assert_eq!(last["meta"]["pagination"]["more"], false);
    assert!(last["meta"]["pagination"]["next"].is_null());

    let cursor = world.read("/employees?cursor=true").await;
    assert!(cursor["meta"]["pagination"]["per_page"].is_null());
    assert!(cursor["meta"]["pagination"]["current_page"].is_null());
}

#[tokio::test]
async fn the_host_and_scheme_of_the_request_are_kept() {
    let world = World::start(one_school(Mis::Sims, 60)).await;
    let answer = world
        .bare(&format!("/schools/{}/employees", world.school.id))
        .bearer_auth(&world.school.token)
        .header("host", "wonde.test:8443")
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .unwrap();
    let page: serde_json::Value = answer.json().await.unwrap();
    let next = page["meta"]["pagination"]["next"].as_str().unwrap();
    assert!(next.starts_with("https://wonde.test:8443/v1.0/schools/"), "{next}");
}

#[tokio::test]
async fn small_lists_can_go_without_pagination() {
    let style = |pagination| SimulatorOptions { pagination, ..one_school(Mis::Sims, 50) };
    let world = World::start(style(PaginationStyle::OmitWhenSmall)).await;
    assert!(world.read("/employees").await["meta"].get("pagination").is_none());
    assert!(world.read("/employees?per_page=50").await["meta"]["pagination"].is_object());
    let world = World::start(style(PaginationStyle::Always)).await;
    assert!(world.read("/employees").await["meta"]["pagination"].is_object());
}

#[tokio::test]
async fn switches_are_read_in_any_spelling() {
    let world = World::start(one_school(Mis::Sims, 80)).await;
    let all = world.read_all("/employees?include=roles,classes").await;
    let with =
        all.iter().filter(|person| !person["roles"]["data"].as_array().unwrap().is_empty()).count();
    assert!(with > 0 && with < 80);
    for value in ["true", "True", "1", "TRUE"] {
        assert_eq!(
            world.read_all(&format!("/employees?has_role={value}")).await.len(),
            with,
            "{value}"
        );
    }
    assert_eq!(world.read_all("/employees?has_role=false").await.len(), 80 - with);
    let has_code = |person: &serde_json::Value| {
        person["roles"]["data"].as_array().unwrap().iter().any(|role| role["code"] == "TCHR")
    };
    let coded = all.iter().filter(|person| has_code(person)).count();
    assert_eq!(world.read_all("/employees?has_role=TCHR").await.len(), coded);
    let teaching = all
        .iter()
        .filter(|person| !person["classes"]["data"].as_array().unwrap().is_empty())
        .count();
    assert_eq!(world.read_all("/employees?has_class=1").await.len(), teaching);
}

#[tokio::test]
async fn only_what_changed_is_listed_after_a_moment() {
    let world = World::start(one_school(Mis::Sims, 30)).await;
    let before = world.simulator().now();
    assert!(
        world
            .read_all(&format!(
                "/employees?updated_after={}",
                before.format("%Y-%m-%dT%H:%M:%S%.3fZ")
            ))
            .await
            .is_empty()
    );
    world.simulator().set_now(before + std::time::Duration::from_secs(90));
    let touched =
        world.simulator().apply_scenario(&world.school.id, ScenarioName::Rename).unwrap().touched;
    let date = before.format("%Y-%m-%d %H:%M:%S").to_string();
    let changed =
        world.read_all(&format!("/employees?updated_after={}", date.replace(' ', "+"))).await;
    assert_eq!(ids(&changed), touched);
    let refused =
        world.get(&format!("/schools/{}/employees?updated_after=soon", world.school.id)).await;
    assert_eq!(refused.status(), 422);
}

#[tokio::test]
async fn people_are_found_by_start_and_record_number() {
    let world = World::start(one_school(Mis::Arbor, 40)).await;
    let today = world.simulator().now().date_naive();
    let later = world
        .read_all(&format!("/employees?employment_start_after={today}&include=employment_details"))
        .await;
    assert!(!later.is_empty());
    let start =
        later[0]["employment_details"]["data"]["employment_start_date"]["date"].as_str().unwrap();
    assert!(start > today.to_string().as_str());
    let earlier = world.read_all(&format!("/employees?employment_start_before={today}")).await;
    assert!(!earlier.is_empty() && ids(&later).iter().all(|id| !ids(&earlier).contains(id)));

    let wanted = later[0]["mis_id"].as_str().unwrap();
    assert_eq!(world.read_all(&format!("/employees?only_mis_ids={wanted},none")).await.len(), 1);
}

#[tokio::test]
async fn classes_subjects_and_groups_are_filtered() {
    let world = World::start(one_school(Mis::Progresso, 60)).await;
    let classes = world.read_all("/classes").await;
    let subjects = world.read_all("/subjects").await;
    let subject = subjects[0]["id"].as_str().unwrap();
    let of_subject = classes.iter().filter(|class| class["subject"] == subject).count();
    assert!(of_subject > 0);
    assert_eq!(
        world.read_all(&format!("/classes?class_subject={subject}")).await.len(),
        of_subject
    );
    let name = classes[3]["name"].as_str().unwrap().replace('/', "%2F");
    assert_eq!(world.read_all(&format!("/classes?class_name={name}")).await.len(), 1);
    assert_eq!(world.read_all("/subjects?subject_name=English").await.len(), 1);
    let houses = world.read_all("/groups?type=HOUSE").await;
    assert_eq!(houses.len(), 1);
    assert!(world.read_all("/groups?type=REGISTRATION,HOUSE").await.len() > 1);
}

#[tokio::test]
async fn deletions_tell_who_went_and_who_came_back() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let (simulator, id) = (world.simulator(), world.school.id.as_str());
    let gone = simulator.apply_scenario(id, ScenarioName::Deleted).unwrap().touched;
    let lines = world.read_all("/deletions?type=employee").await;
    assert_eq!(ids(&lines), gone);
    assert!(lines[0]["restored_at"].is_null() && lines[0]["deleted_at"]["date"].is_string());
    assert_eq!(world.get(&format!("/schools/{id}/employees/{}", gone[0])).await.status(), 404);
    assert!(world.read_all("/deletions?type=class").await.is_empty());

    assert_eq!(simulator.apply_scenario(id, ScenarioName::Restored).unwrap().touched, gone);
    assert!(world.read_all("/deletions").await[0]["restored_at"]["date"].is_string());
    let person = world.read(&format!("/employees/{}", gone[0])).await;
    assert!(person["data"]["restored_at"]["date"].is_string());
}
