//! The dashboard over HTTP: who is let in, who may do what, and what pages contain. Its looks and
//! behaviour are tested in a browser.

mod jobs;
mod live;
mod pages;
mod refused;
pub(crate) mod rights;
mod schools;
mod sessions;

use axum::http::header::{LOCATION, SET_COOKIE};
use mis_sync_domain::Role;

use crate::support::{Answer, App, Ask};

/// An operator who is signed in.
pub(crate) struct SignedIn {
    pub(crate) cookie: String,
    pub(crate) form_token: String,
}

impl SignedIn {
    pub(crate) async fn with(app: &App, key: &str) -> Self {
        let answer = app.send(Ask::new("POST", "/dashboard/login").form(&[("key", key)])).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let set = answer.headers[SET_COOKIE].to_str().unwrap();
        let cookie = set.split(';').next().unwrap().to_owned();
        let page = app.send(Ask::new("GET", "/dashboard").cookie(&cookie)).await;
        let form_token = between(&page.text, "name=\"form_token\" value=\"", "\"");
        Self { cookie, form_token }
    }

    pub(crate) async fn of_role(app: &App, role: Role) -> Self {
        let key = app.key(role, None).await;
        Self::with(app, &key).await
    }

    pub(crate) async fn get(&self, app: &App, path: &str) -> Answer {
        app.send(Ask::new("GET", path).cookie(&self.cookie)).await
    }

    pub(crate) async fn post(&self, app: &App, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = ("form_token", self.form_token.as_str());
        let fields = [fields, &[token]].concat();
        app.send(Ask::new("POST", path).cookie(&self.cookie).form(&fields)).await
    }
}

/// The text after one thing and before another.
pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0.to_owned()
}

/// Where an answer sends the browser.
pub(crate) fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers[LOCATION].to_str().unwrap().to_owned()
}
