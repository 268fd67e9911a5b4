use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chromiumoxide::{
    Page as Target,
    cdp::{
        browser_protocol::emulation::{
            SetFocusEmulationEnabledParams, SetScriptExecutionDisabledParams,
        },
        js_protocol::runtime::{EvaluateParams, ExceptionDetails},
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, interval};

use crate::{look, watch::Watch};

/// How long to wait for a page to show something. This is far more than it takes, because machines
/// are shared; a passing test never waits this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The functions with which our scripts find elements; see [`Page`] for selectors.
const FIND: &str = include_str!("find.js");

/// One page, driven as a person would: invisible elements cannot be clicked, and every step waits
/// for what it needs, up to [`PATIENCE`].
///
/// A selector is CSS, and `:says(…)` after an element asks for a visible text, in any case:
/// `button:says(Sign in)`, `tr:says(failed) a`. Only visible elements are found, the innermost
/// first.
///
/// If something does not appear, every step panics with the steps so far, what it waited for, and a
/// picture in `target/screenshots/failures`. It also panics if the page has a problem: a script
/// error, a failed request, a violation of the content security policy, a warning on the console. A
/// test removes a problem that it expects with [`Page::expect_problem`]. [`Page::close`] checks a
/// last time.
pub struct Page {
    pub(crate) target: Target,
    root: String,
    watch: Mutex<Watch>,
    steps: Mutex<Vec<String>>,
    clicks: AtomicUsize,
    patience: Duration,
}

impl Page {
    pub(crate) async fn new(target: Target, root: String) -> Self {
        let watch = Mutex::new(Watch::of(&target).await.expect("a new page can be listened to"));
        // Several pages of one browser must not compete for the focus.
        let in_front = SetFocusEmulationEnabledParams::new(true);
        target.execute(in_front).await.expect("a new page takes the focus");
        Self {
            target,
            root,
            watch,
            steps: Mutex::default(),
            clicks: AtomicUsize::new(0),
            patience: PATIENCE,
        }
    }

    /// With a shorter wait than [`PATIENCE`], for something that should not appear.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Opens a path such as `/docs`, and waits until it is loaded.
    pub async fn goto(&self, path: &str) {
        self.open(path).await;
        self.loaded().await;
    }

    /// Opens a path that has an expected problem; [`Page::expect_problem`] should follow.
    pub async fn open(&self, path: &str) {
        self.step(format!("goto {path}"));
        if let Err(error) = self.target.goto(format!("{}{path}", self.root)).await {
            self.fail(&format!("it does not open: {error}")).await;
        }
    }

    /// Switches off the scripts of what is opened from now on. Scripts of the test still run.
    pub async fn switch_scripts_off(&self) {
        self.step("switch scripts off".to_owned());
        let off = SetScriptExecutionDisabledParams::new(true);
        if let Err(error) = self.target.execute(off).await {
            self.fail(&format!("scripts stay on: {error}")).await;
        }
    }

    /// Opens the same path again.
    pub async fn reload(&self) {
        self.goto(&self.path().await).await;
    }

    /// How often the person has clicked, or chosen an option, since the last call. Typing is free.
    pub fn take_clicks(&self) -> usize {
        self.clicks.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn count_click(&self) {
        self.clicks.fetch_add(1, Ordering::Relaxed);
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        self.evaluate("location.pathname + location.search").await
    }

    /// Waits until the page is at this path, query included.
    pub async fn wait_for_path(&self, path: &str) {
        let there = format!("location.pathname + location.search === {}", quoted(path));
        self.wait_until(&format!("the path is {path}"), &there).await;
    }

    /// Waits until an element is visible.
    pub async fn wait_for(&self, selector: &str) {
        let found = format!("find({}).length > 0", quoted(selector));
        self.wait_until(&format!("there is {selector}"), &found).await;
    }

    /// Waits until no such element is visible.
    pub async fn wait_until_gone(&self, selector: &str) {
        let gone = format!("find({}).length === 0", quoted(selector));
        self.wait_until(&format!("there is no {selector}"), &gone).await;
    }

    /// Waits until the page shows a text, in any case.
    pub async fn see(&self, text: &str) {
        let shown = format!("says(document.body, {})", quoted(text));
        self.wait_until(&format!("the page says “{text}”"), &shown).await;
    }

    /// Waits until a JavaScript expression is true. `what` is for the message.
    pub async fn wait_until(&self, what: &str, expression: &str) {
        let expression = format!("document.readyState === 'complete' && Boolean({expression})");
        let _: bool = self.until(what, &expression).await;
    }

    /// The visible text of the first such element.
    pub async fn text(&self, selector: &str) -> String {
        self.of_first(selector, "element.innerText.trim()").await
    }

    /// How many such elements are visible now.
    pub async fn count(&self, selector: &str) -> usize {
        self.evaluate(&format!("find({}).length", quoted(selector))).await
    }

    /// An attribute of the first such element.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.of_first(selector, &format!("element.getAttribute({})", quoted(name))).await
    }

    /// The value of the first such field.
    pub async fn value(&self, selector: &str) -> String {
        self.of_first(selector, "String(element.value)").await
    }

    /// The value of a JavaScript expression, or of the promise that it returns.
    pub async fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> T {
        self.checked().await;
        match self.run(expression).await {
            Ok(value) => {
                serde_json::from_value(value).expect("the script gives what the test takes")
            }
            Err(reason) => self.fail(&format!("`{expression}` fails: {reason}")).await,
        }
    }

    /// Waits until the page has a problem that contains `part`, and removes it.
    pub async fn expect_problem(&self, part: &str) {
        let deadline = Instant::now() + self.patience;
        let mut tick = interval(Duration::from_millis(10));
        while !self.watch().take(part) {
            tick.tick().await;
            if Instant::now() > deadline {
                self.fail(&format!("waited in vain for a problem with “{part}”")).await;
            }
        }
    }

    /// Checks a last time for problems and closes the page.
    pub async fn close(self) {
        // What happened before an answer was reported before it.
        self.loaded().await;
        self.loaded().await;
        // It does not matter if the page is already closed.
        let _ = self.target.close().await;
    }

    async fn of_first<T: DeserializeOwned>(&self, selector: &str, expression: &str) -> T {
        let script = format!(
            "(([element]) => element && {{ it: {expression} }})(find({}))",
            quoted(selector)
        );
        let mut found: Value = self.until(&format!("there is {selector}"), &script).await;
        serde_json::from_value(found["it"].take()).expect("the script gives what the test takes")
    }

    async fn loaded(&self) {
        self.wait_until("the page is loaded", "true").await;
    }

    /// Evaluates an expression again and again until it is neither null, undefined nor false.
    pub(crate) async fn until<T: DeserializeOwned>(&self, what: &str, expression: &str) -> T {
        let deadline = Instant::now() + self.patience;
        let mut tick = interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            self.checked().await;
            // While one document replaces another, scripts fail.
            let result = self.run(expression).await;
            if let Ok(value) = &result
                && !matches!(value, Value::Null | Value::Bool(false))
            {
                self.checked().await;
                return T::deserialize(value).expect("the script gives what the test takes");
            }
            if Instant::now() > deadline {
                let reason = result.err().map(|reason| format!(": {reason}")).unwrap_or_default();
                self.fail(&format!("waited in vain until {what}{reason}")).await;
            }
        }
    }

    /// Runs a script that may use [`FIND`].
    async fn run(&self, expression: &str) -> Result<Value, String> {
        let mut script = EvaluateParams::new(format!("{{ {FIND}\n({expression}) }}"));
        script.return_by_value = Some(true);
        script.await_promise = Some(true);
        script.user_gesture = Some(true);
        let answer = self.target.execute(script).await.map_err(|error| error.to_string())?.result;
        match answer.exception_details {
            Some(exception) => Err(in_words(&exception)),
            None => Ok(answer.result.value.unwrap_or_default()),
        }
    }

    async fn checked(&self) {
        let problems = self.watch().problems().join("\n  ");
        if !problems.is_empty() {
            self.fail(&format!("the page has problems:\n  {problems}")).await;
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().expect("no code panics while it is locked")
    }

    /// Records a step, for messages.
    pub(crate) fn step(&self, step: String) {
        self.steps.lock().expect("no code panics while it is locked").push(step);
    }

    /// Fails the test, with everything that helps to find the reason.
    pub(crate) async fn fail(&self, problem: &str) -> ! {
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let file = screenshots().join("failures").join(format!("{name}.png"));
        let picture = match self.picture(false).await {
            Ok(picture) => look::write(&file, &picture).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let picture = picture.map_or_else(|error| error, |()| file.display().to_string());
        let url = self.target.url().await.ok().flatten().unwrap_or_default();
        let steps = self.steps.lock().expect("no code panics while it is locked").join("\n  ");
        panic!("{problem}\nat {url} after\n  {steps}\npicture: {picture}");
    }
}

/// The folder for pictures: `target/screenshots`.
pub fn screenshots() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots"))
}

/// A text as a JavaScript literal.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What was thrown, and where.
pub(crate) fn in_words(exception: &ExceptionDetails) -> String {
    let thrown = exception.exception.as_ref().and_then(|thrown| thrown.description.clone());
    thrown.unwrap_or_else(|| exception.text.clone())
}
