//! Lists as CSV files.

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use mis_sync_domain::{IssueCode, JobId};
use mis_sync_testing::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, App, Ask};

const LISTS: [&str; 2] = ["changes", "issues"];
const CHANGES_HEADER: &str =
    "\u{feff}record,staff_id,class_id,subject_id,wonde_id,field,old,new\r\n";
const ISSUES_HEADER: &str = "\u{feff}Name,MIS id,Wonde id,Record,Class or subject,\
    Problem,What to do,Field in the MIS,Work email,UPI,iP id,Code\r\n";

async fn new_job(app: &App) -> JobId {
    app.job(&app.school("oak").await).await.id
}

async fn csv(app: &App, path: &str) -> Answer {
    app.admin(Ask::get(path).header("accept", "text/csv")).await
}

/// Gives a job this many changes, whose Wonde ids count from A1.
async fn add_changes(app: &App, id: JobId, count: usize, value: &str) {
    app.sql(format!(
        "INSERT INTO job_change (job_id, wonde_id, field, new_value)
         SELECT '{id}', 'A' || n, 'surname', {value} FROM generate_series(1, {count}) n"
    ))
    .await;
}

#[tokio::test]
async fn json_stays_what_a_caller_gets_who_does_not_ask_for_csv() {
    let app = App::start().await;
    let id = new_job(&app).await;
    for list in LISTS {
        let path = format!("/v1/jobs/{id}/{list}");
        assert!(app.admin(Ask::get(&path)).await.json()[list].is_array());
        for accept in ["*/*", "application/json", "application/json, text/csv"] {
            let answer = app.admin(Ask::get(&path).header("accept", accept)).await;
            assert!(answer.json()[list].is_array(), "{accept}");
        }
        let answer = app.admin(Ask::get(&path).header("accept", "text/html")).await;
        answer.problem(406, "not-acceptable");
    }
}

#[tokio::test]
async fn an_empty_list_is_a_file_with_a_header() {
    let app = App::start().await;
    let id = new_job(&app).await;
    for (list, header) in LISTS.into_iter().zip([CHANGES_HEADER, ISSUES_HEADER]) {
        let answer = csv(&app, &format!("/v1/jobs/{id}/{list}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, header));
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
        let disposition = format!("attachment; filename=\"{list}-{id}.csv\"");
        assert_eq!(answer.header("content-disposition"), disposition);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn changes_are_quoted_and_no_formulas() {
    let app = App::start().await;
    let id = new_job(&app).await;
    app.sql(format!(
        "INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value) VALUES
            ('{id}', '01980000-0000-7000-8000-000000000001', 'A1', 'active', 'false', 'true'),
            ('{id}', NULL, 'A2', 'created', NULL, NULL),
            ('{id}', NULL, 'A3', 'job_title', 'Head, Maths', 'Zoë \"Z\" Day'),
            ('{id}', NULL, 'A4', 'surname', E'two\\nlines', '=HYPERLINK(\"http://x\",\"y\")'),
            ('{id}', NULL, 'A5', 'initials', '+44', '-1'),
            ('{id}', NULL, 'A6', 'initials', '@SUM', E'\\t=1')"
    ))
    .await;
    app.sql(format!(
        "INSERT INTO job_change (job_id, record, class_id, subject_id, wonde_id, field) VALUES
            ('{id}', 'class', '01980000-0000-7000-8000-000000000002', NULL, 'A7', 'code'),
            ('{id}', 'subject', NULL, '01980000-0000-7000-8000-000000000003', 'A8', 'code')"
    ))
    .await;
    let wanted = [
        "staff,01980000-0000-7000-8000-000000000001,,,A1,active,false,true\r\n",
        "staff,,,,A2,created,,\r\n",
        "staff,,,,A3,job_title,\"Head, Maths\",\"Zoë \"\"Z\"\" Day\"\r\n",
        "staff,,,,A4,surname,\"two\nlines\",\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"\r\n",
        "staff,,,,A5,initials,'+44,'-1\r\n",
        "staff,,,,A6,initials,'@SUM,'\t=1\r\n",
        "class,,01980000-0000-7000-8000-000000000002,,A7,code,,\r\n",
        "subject,,,01980000-0000-7000-8000-000000000003,A8,code,,\r\n",
    ];
    let answer = csv(&app, &format!("/v1/jobs/{id}/changes")).await;
    assert_eq!(answer.text, CHANGES_HEADER.to_owned() + &wanted.concat());
}

#[tokio::test]
async fn issues_hold_what_the_school_reads() {
    let app = App::start().await;
    let id = new_job(&app).await;
    app.sql(format!(
        "INSERT INTO job_issue (job_id, code, wonde_id) VALUES
            ('{id}', 'name_missing', 'A1'), ('{id}', 'unreadable_record', NULL)"
    ))
    .await;
    let [nameless, unreadable] = [IssueCode::NameMissing, IssueCode::UnreadableRecord]
        .map(|code| format!("{},{}", code.sentence(), code.what_to_do()));
    let wanted = format!(
        "{ISSUES_HEADER},,A1,,,{nameless},\"Forename, Surname\",,,,name_missing\r\n\
         ,,,,,{unreadable},,,,,unreadable_record\r\n",
    );
    assert_eq!(csv(&app, &format!("/v1/jobs/{id}/issues")).await.text, wanted);
}

#[tokio::test]
async fn a_file_has_every_row_once_however_many_there_are() {
    let app = App::start().await;
    for count in [999, 1000, 1001, 2000, 2500] {
        let id = new_job(&app).await;
        add_changes(&app, id, count, "NULL").await;
        let rows: Vec<_> = (1..=count).map(|n| format!("staff,,,,A{n},surname,,\r\n")).collect();
        let answer = csv(&app, &format!("/v1/jobs/{id}/changes")).await;
        assert!(answer.text == CHANGES_HEADER.to_owned() + &rows.concat(), "{count}");
    }
    let id = new_job(&app).await;
    app.sql(format!(
        "INSERT INTO job_issue (job_id, code, wonde_id)
         SELECT '{id}', 'no_work_email', 'A' || n FROM generate_series(1, 1500) n"
    ))
    .await;
    let answer = csv(&app, &format!("/v1/jobs/{id}/issues")).await;
    let ids = answer.text.lines().skip(1).filter_map(|line| line.split(',').nth(2));
    assert!(ids.eq((1..=1500).map(|n| format!("A{n}"))));
}

#[tokio::test]
async fn a_file_takes_no_parameters_of_pages() {
    let app = App::start().await;
    let id = new_job(&app).await;
    for (list, parameter) in [("changes", "limit"), ("changes", "cursor"), ("issues", "limit")] {
        let answer = csv(&app, &format!("/v1/jobs/{id}/{list}?{parameter}=1")).await;
        assert_eq!(answer.problem(400, "invalid-parameter")["parameter"], parameter);
    }
}

/// The body of a download that has begun.
async fn begin(app: &App, id: JobId) -> BodyDataStream {
    let ask = Ask::get(&format!("/v1/jobs/{id}/changes")).header("accept", "text/csv");
    let response = app.begin(ask.key(&app.admin)).await;
    assert_eq!(response.status(), 200);
    Body::into_data_stream(response.into_body())
}

#[tokio::test]
async fn rows_are_read_when_the_caller_takes_them() {
    let app = App::start().await;
    let id = new_job(&app).await;
    add_changes(&app, id, 5000, "NULL").await;
    let mut body = begin(&app, id).await;
    let first = body.next().await.unwrap().unwrap();
    assert!(first.starts_with(CHANGES_HEADER.as_bytes()));
    let lines = std::str::from_utf8(&first).unwrap().lines().count();
    assert!((2..2000).contains(&lines), "some of the rows are there: {lines} lines");
    // What was not read yet can no longer come.
    app.sql(format!("DELETE FROM job_change WHERE job_id = '{id}'")).await;
    let rest: usize = body.map(|bytes| bytes.unwrap().len()).collect::<Vec<_>>().await.iter().sum();
    assert_eq!(rest, 0);
}

#[tokio::test]
async fn a_list_that_breaks_in_the_middle_does_not_look_whole() {
    let app = App::start().await;
    let id = new_job(&app).await;
    add_changes(&app, id, 1500, "NULL").await;
    app.sql("UPDATE job_change SET field = 'nonsense' WHERE wonde_id = 'A1200'".to_owned()).await;
    let mut body = begin(&app, id).await;
    assert!(body.next().await.unwrap().is_ok());
    assert!(body.next().await.unwrap().is_err());
    assert!(body.next().await.is_none());
}

/// A separate task gives a connection back.
async fn all_connections_are_free(app: &App) {
    eventually("every connection is free", async || {
        let all = usize::try_from(app.pool.size()).unwrap();
        (app.pool.num_idle() == all).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_work_behind() {
    let app = App::start().await;
    let id = new_job(&app).await;
    // 40 MB: more than the sockets in between can hold.
    add_changes(&app, id, 20_000, "repeat('x', 2000)").await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(mis_sync_api::serve(listener, app.state.clone(), stop.clone()));
    let tasks = || Handle::current().metrics().num_alive_tasks();
    all_connections_are_free(&app).await;
    let idle = tasks();

    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /v1/jobs/{id}/changes HTTP/1.1\r\nHost: api\r\nAccept: text/csv\r\n\
         Authorization: Bearer {}\r\n\r\n",
        app.admin
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut start = vec![0; 100_000];
    client.read_exact(&mut start).await.unwrap();
    assert!(start.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(tasks() > idle, "the file is being sent");

    drop(client);
    eventually("no task works on the file", async || (tasks() <= idle).then_some(())).await;
    all_connections_are_free(&app).await;
    stop.cancel();
    server.await.unwrap().unwrap();
}
