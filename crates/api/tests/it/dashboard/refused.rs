//! A form that is refused leads to its page, with one sentence.

use mis_sync_domain::Role;

use super::{SignedIn, between, place, rights::ROUTES};
use crate::support::{Answer, App, Ask};

/// The sentence on a page about what was not done.
fn sentence(answer: &Answer) -> String {
    assert!(answer.text.contains("id=\"tabs\""), "not a page with a frame: {}", answer.text);
    between(&answer.text, "class=\"refusal\" role=\"alert\">", "</p>")
}

fn title(answer: &Answer) -> String {
    between(&answer.text, "<title>", " · mis-sync")
}

#[tokio::test]
async fn a_form_of_an_earlier_session_leads_to_its_page_as_it_is_now() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await.to_string();
    let job = app.job(&oak).await.id.to_string();
    let earlier = SignedIn::with(&app, &app.admin).await;
    let now = SignedIn::of_role(&app, Role::Admin).await;
    let fields = [("form_token", earlier.form_token.as_str())];
    for (_, path, _) in ROUTES.iter().filter(|(method, ..)| *method == "POST") {
        let path = [("{school_id}", "oak"), ("{job_id}", &job), ("{person}", &person)]
            .iter()
            .fold((*path).to_owned(), |path, (name, id)| path.replace(name, id));
        let answer = app.send(Ask::new("POST", &path).cookie(&now.cookie).form(&fields)).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(sentence(&answer).contains("not from this session"), "{path}: {}", answer.text);
        let mut page = now.get(&app, &path).await;
        while page.status == 303 {
            page = now.get(&app, &place(&page)).await;
        }
        // A key and a draft that do not exist lead further up.
        if page.status == 200 {
            assert_eq!(title(&answer), title(&page), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_on_its_page() {
    let app = App::start().await;
    app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let gone = "/dashboard/jobs/01985bb3-d16d-7a13-92dd-9b0131ca3f1d/retry";
    for (path, fields, status, page, says) in [
        (
            "/dashboard/queues/pause",
            &[("school", "elm")][..],
            404,
            "Queues",
            "There is no school with this id.",
        ),
        (
            "/dashboard/queues/pause",
            &[("school", "oak"), ("until", "2020-01-01T08:00")],
            400,
            "Queues",
            "Nothing was done: `until` has to be a time in the future.",
        ),
        (gone, &[], 404, "Jobs", "There is no job with this id."),
    ] {
        let answer = who.post(&app, path, fields).await;
        assert_eq!((answer.status, title(&answer).as_str()), (status, page), "{path}");
        assert_eq!(sentence(&answer), says, "{path}");
    }
}

#[tokio::test]
async fn a_form_after_the_end_of_the_session_leads_to_its_page_after_signing_in() {
    let app = App::start().await;
    let answer = app.send(Ask::new("POST", "/dashboard/queues/pause").form(&[])).await;
    let login = place(&answer);
    assert_eq!(login, "/dashboard/login?next=%2Fdashboard%2Fqueues%2Fpause");
    let fields = [("key", app.admin.as_str()), ("next", "/dashboard/queues/pause")];
    let answer = app.send(Ask::new("POST", "/dashboard/login").form(&fields)).await;
    assert_eq!(place(&answer), "/dashboard/queues/pause");
    let who = SignedIn::with(&app, &app.admin).await;
    assert_eq!(place(&who.get(&app, "/dashboard/queues/pause").await), "/dashboard/queues");
}

#[tokio::test]
async fn colours_and_times_are_chosen_with_a_form() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    let fields = [("form_token", who.form_token.as_str()), ("theme", "dark"), ("time", "utc")];
    let ask = |referer: &str| {
        let ask = Ask::new("POST", "/dashboard/preferences").cookie(&who.cookie).form(&fields);
        app.send(ask.header("referer", referer))
    };
    let answer = ask("http://ops.example/dashboard/jobs?state.failed=on").await;
    assert_eq!(place(&answer), "/dashboard/jobs?state.failed=on");
    let set: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|one| one.to_str().unwrap()).collect();
    assert!(set[0].starts_with("mis_sync_theme=dark; Path=/dashboard;"), "{set:?}");
    assert!(set[1].starts_with("mis_sync_time=utc; Path=/dashboard;"), "{set:?}");
    assert_eq!(place(&ask("http://evil.example/elsewhere").await), "/dashboard");
    let odd = who.post(&app, "/dashboard/preferences", &[("theme", "dark; Domain=x")]).await;
    assert!(!odd.headers.contains_key("set-cookie"));
}
