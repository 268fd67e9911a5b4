use chromiumoxide::{
    Browser as Client,
    cdp::browser_protocol::target::{CreateBrowserContextParams, CreateTargetParams},
    handler::HandlerConfig,
};
use futures::StreamExt;
use mis_sync_devservices::{Chromium, Error};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{Page, page::PATIENCE};

/// A headless Chromium, private to one test, that ends with it.
pub struct Browser {
    client: Client,
    talk: JoinHandle<()>,
    _chromium: Chromium,
}

impl Browser {
    /// Starts a browser, which takes about half a second. Returns `None` and prints a clear line if
    /// the machine has no Chromium.
    ///
    /// # Panics
    ///
    /// If there is none and `CI=true`, or if it does not start.
    pub async fn start() -> Option<Self> {
        match spawn_blocking(Chromium::start).await.expect("starting does not panic") {
            Ok(chromium) => Some(Self::connect(chromium).await),
            Err(missing @ Error::Missing { .. }) => {
                let in_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
                assert!(!in_ci, "{missing}");
                say_loudly(&missing);
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn connect(chromium: Chromium) -> Self {
        let config =
            HandlerConfig { viewport: None, request_timeout: PATIENCE, ..HandlerConfig::default() };
        let (client, mut handler) = Client::connect_with_config(chromium.devtools_url(), config)
            .await
            .expect("a browser that is ready answers");
        let talk = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Self { client, talk, _chromium: chromium }
    }

    /// A new page of a new visitor, which shares no cookie or setting with another page. `root` is
    /// where its paths start, for example `http://127.0.0.1:8080`.
    pub async fn page(&self, root: &str) -> Page {
        let someone = CreateBrowserContextParams::default();
        let context = self.client.create_browser_context(someone).await.expect("a new context");
        let mut target = CreateTargetParams::new("about:blank");
        target.browser_context_id = Some(context);
        let page = self.client.new_page(target).await.expect("a new page");
        Page::new(page, root.to_owned()).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.talk.abort();
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must not look like a passed one")]
fn say_loudly(missing: &Error) {
    eprintln!("\n***** SKIPPED: tests in a browser *****\n{missing}");
}
