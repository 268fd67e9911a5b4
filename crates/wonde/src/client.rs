use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mis_sync_telemetry::metrics;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode};
use rustls::crypto::CryptoProvider;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use url::Url;

use crate::addresses::{AddressRule, GuardedResolver, is_refused};
use crate::config::ClientConfig;
use crate::envelope::{DecodedPage, decode_damaged, decode_page, decode_single};
use crate::error::Error;
use crate::limit::{LimitKey, RateLimit};
use crate::models::{Class, Counts, Employee, School, Subject, WondeId};
use crate::query::{ClassInclude, EmployeeInclude, EmployeeQuery, ListQuery, include_names};
use crate::response::{Asked, read_body, refusal};
use crate::retry::retry;

/// Makes ring the TLS provider of this process. Call it once before you build a client; a second
/// call does nothing.
pub fn install_crypto_provider() {
    // The only error is that there is a provider already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Connections, settings and the rate limit, shared by all schools. It is cheap to clone.
#[derive(Clone)]
pub struct WondeClient {
    http: Client,
    config: Arc<ClientConfig>,
    limit: Arc<dyn RateLimit>,
    addresses: Arc<dyn AddressRule>,
}

impl WondeClient {
    /// Connections go only to addresses that `addresses` allows.
    ///
    /// Fails with [`Error::Config`] if no TLS provider is installed (see
    /// [`install_crypto_provider`]) or if the base URL is not valid.
    pub fn new(
        config: ClientConfig,
        limit: Arc<dyn RateLimit>,
        addresses: Arc<dyn AddressRule>,
    ) -> Result<Self, Error> {
        if CryptoProvider::get_default().is_none() {
            return Err(Error::config("no TLS provider is installed"));
        }
        check_base(&config.base_url)?;
        let http = Client::builder()
            .connect_timeout(config.connect_timeout())
            .timeout(config.request_timeout())
            // A redirect could carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(GuardedResolver(Arc::clone(&addresses)))
            .user_agent(concat!("mis-sync/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::config(error.without_url().to_string()))?;
        Ok(Self { http, config: Arc::new(config), limit, addresses })
    }

    /// A client for one school. `base_url` overrides the configured one, for schools whose region
    /// has its own domain. Fails with [`Error::Unauthorized`] if the token is empty or cannot be a
    /// header, with [`Error::Config`] if `base_url` is unusable, and with [`Error::AddressRefused`]
    /// if its host is an address that is not allowed.
    pub fn school(
        &self,
        id: &WondeId,
        token: &SecretString,
        base_url: Option<&Url>,
    ) -> Result<SchoolClient, Error> {
        let base = self.base(base_url)?;
        let root = extend(base, &["schools", id.as_str()]);
        self.reader(root.clone(), root, token)
    }

    /// The address of Wonde, if it may be asked.
    pub(crate) fn base<'a>(&'a self, base_url: Option<&'a Url>) -> Result<&'a Url, Error> {
        let base = base_url.unwrap_or(&self.config.base_url);
        check_base(base)?;
        if is_refused(&*self.addresses, base) { Err(Error::AddressRefused) } else { Ok(base) }
    }

    /// A client for what is below `root`.
    pub(crate) fn reader(
        &self,
        root: Url,
        proof: Url,
        token: &SecretString,
    ) -> Result<SchoolClient, Error> {
        Ok(SchoolClient {
            client: self.clone(),
            root,
            proof,
            authorization: bearer(token)?,
            limit_key: LimitKey::of_token(token),
            requests: Arc::default(),
            expected: None,
            in_flight: Arc::new(Semaphore::new(self.config.parallel_requests.get().into())),
        })
    }
}

impl fmt::Debug for WondeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WondeClient").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Reads one school with one token. Clones share the count of requests and the limit on requests in
/// flight.
#[derive(Clone)]
pub struct SchoolClient {
    client: WondeClient,
    /// `{base}/schools/{id}`. Nothing outside is ever requested.
    root: Url,
    /// Wonde refuses this address only if it refuses the token.
    proof: Url,
    authorization: HeaderValue,
    limit_key: LimitKey,
    requests: Arc<AtomicU64>,
    expected: Option<u64>,
    in_flight: Arc<Semaphore>,
}

impl SchoolClient {
    /// Gives the requests a name by which a shared rate limit counts them. It is not secret.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        Self { limit_key: self.limit_key.labelled(label.to_owned()), ..self }
    }

    /// The same client, for a list with about this many records. Pages within that number are
    /// requested before earlier ones have arrived. A wrong number costs time or a few requests,
    /// never a record.
    #[must_use]
    pub fn expecting(&self, records: Option<u64>) -> Self {
        Self { expected: records, ..self.clone() }
    }

    /// The school itself: the cheapest way to check the token.
    pub async fn school(&self) -> Result<School, Error> {
        self.send(Ask::school(&self.root)).await
    }

    /// One employee; [`Error::NotFound`] if Wonde does not know the id, or no longer does. Only the
    /// includes of the query are used, because one record has neither filter nor pages.
    pub async fn employee(&self, id: &WondeId, query: &EmployeeQuery) -> Result<Employee, Error> {
        let include = query.include.iter().copied().map(EmployeeInclude::name);
        self.send(Ask::record("employee", &self.record_url("employees", id, include))).await
    }

    /// One class; see [`employee`](Self::employee).
    pub async fn class(&self, id: &WondeId, include: &[ClassInclude]) -> Result<Class, Error> {
        let include = include.iter().copied().map(ClassInclude::name);
        self.send(Ask::record("class", &self.record_url("classes", id, include))).await
    }

    /// One subject; see [`employee`](Self::employee).
    pub async fn subject(&self, id: &WondeId) -> Result<Subject, Error> {
        self.send(Ask::record("subject", &self.record_url("subjects", id, []))).await
    }

    /// The address of one record of a list.
    fn record_url(
        &self,
        list: &str,
        id: &WondeId,
        include: impl IntoIterator<Item = &'static str>,
    ) -> Url {
        let mut url = extend(&self.root, &[list, id.as_str()]);
        let include = include_names(include);
        if !include.is_empty() {
            url.query_pairs_mut().append_pair("include", &include);
        }
        url
    }

    /// How many employees Wonde counts, current or not; `None` if it does not say. It is for a
    /// progress bar, because lists come without a total.
    pub async fn employee_count(&self) -> Result<Option<u64>, Error> {
        let mut url = extend(&self.root, &["counts"]);
        url.query_pairs_mut().append_pair("include", "employees");
        let counts: Counts = self.send(Ask::record("counts", &url)).await?;
        Ok(counts.employees())
    }

    /// How many HTTP requests this client and its clones have sent, including repeated tries.
    pub fn requests_made(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn root(&self) -> &Url {
        &self.root
    }

    pub(crate) fn expected_records(&self) -> Option<u64> {
        self.expected
    }

    pub(crate) fn parallel_requests(&self) -> u64 {
        self.client.config.parallel_requests.get().into()
    }

    /// The address of the first page of a list.
    pub(crate) fn list_url(&self, list: &ListQuery) -> Url {
        let mut url = extend(&self.root, &[list.resource]);
        let page_size = list.page_size.unwrap_or(self.client.config.page_size).to_string();
        url.query_pairs_mut().extend_pairs(&list.parameters).append_pair("per_page", &page_size);
        url
    }

    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        resource: &'static str,
        url: &Url,
    ) -> Result<DecodedPage<T>, Error> {
        self.send(Ask::page(resource, url)).await
    }

    /// Reads a page that may not exist. A failure means nothing yet, so it is not tried again.
    pub(crate) async fn page_once<T: DeserializeOwned>(
        &self,
        resource: &'static str,
        url: &Url,
    ) -> Result<DecodedPage<T>, Error> {
        self.attempt(Ask::page(resource, url), 1).await
    }

    /// Sends one GET, tries again if that may help, and decodes the answer.
    ///
    /// These are tried again, with full jitter or after `Retry-After`, within the configured
    /// limits: refused or broken connections, timeouts, 408, 425, 429, every 5xx, bodies that break
    /// off or do not decompress, and a 200 whose body is not the JSON envelope. So is everything
    /// that another server says instead of Wonde ([`Error::Gateway`]): redirects (never followed),
    /// other successes than 200, 400, 403, 404, 410 and 422 whose body is HTML, empty or JSON
    /// without Wonde's `error`, and all statuses with which Wonde has no reason to answer a plain
    /// GET: 402, 405 to 407, 409, 411 to 421, 423, 424, 426, 431, 451 and undefined ones.
    ///
    /// A 401 is checked first, see [`second_look`](Self::second_look).
    ///
    /// These are not tried again: a confirmed 401; 400, 403, 404, 410 and 422 in Wonde's own words;
    /// bodies over the limit; a single record that does not decode; and a `Retry-After` that is
    /// longer than the configuration allows.
    async fn send<T>(&self, ask: Ask<'_, T>) -> Result<T, Error> {
        retry(&self.client.config, async |attempt| match self.attempt(ask, attempt).await {
            Err(Error::Unauthorized) => Err(self.second_look().await),
            outcome => outcome,
        })
        .await
    }

    /// The meaning of a 401. While Wonde's own logins have a fault, it refuses good tokens too. So
    /// the token counts as refused only if the school's own record is refused as well a moment
    /// later. Any other answer shows that the 401 is temporary.
    async fn second_look(&self) -> Error {
        wait(self.client.config.second_look()).await;
        let ask = Ask::school(&self.proof);
        match self.attempt(ask, 1).await {
            Err(error @ Error::Unauthorized) => error,
            Err(error) if error.is_transient() => error,
            _ => Error::Gateway { status: StatusCode::UNAUTHORIZED.as_u16() },
        }
    }

    /// One try, with its one line in the log.
    async fn attempt<T>(&self, ask: Ask<'_, T>, attempt: u32) -> Result<T, Error> {
        // First a place, then the grant: a grant that had to wait for a place would be used late.
        let _place = self.in_flight.acquire().await.expect("the semaphore is never closed");
        self.client.limit.acquire(&self.limit_key).await?;
        let span = tracing::debug_span!(
            "wonde.request",
            wonde.resource = ask.resource,
            attempt,
            http.status = tracing::field::Empty,
            bytes = tracing::field::Empty,
            elapsed_ms = tracing::field::Empty,
        );
        if attempt > 1 {
            metrics::WONDE_RETRIES.add([ask.resource], 1);
        }
        let (started, mut status) = (Instant::now(), None);
        let exchange = self.exchange(ask.url, ask.one_record, &mut status);
        let outcome = exchange.instrument(span.clone()).await;
        metrics::WONDE_REQUEST_DURATION.record([ask.resource, class(status)], started.elapsed());
        span.record("http.status", status.map(|status| status.as_u16()));
        span.record("bytes", outcome.as_ref().ok().map(Vec::len));
        let outcome = outcome.and_then(|body| (ask.decode)(&body));
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        span.record("elapsed_ms", elapsed_ms);
        let problem = outcome.as_ref().err().map(tracing::field::display);
        tracing::debug!(parent: &span, problem, "request to Wonde ended");
        if let Err(Error::RateLimited { retry_after }) = &outcome {
            let pause = retry_after.unwrap_or(self.client.config.initial_backoff());
            self.client.limit.pause(&self.limit_key, pause).await;
        }
        outcome
    }

    async fn exchange(
        &self,
        url: &Url,
        one_record: bool,
        status: &mut Option<StatusCode>,
    ) -> Result<Vec<u8>, Error> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = self
            .client
            .http
            .get(url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json");
        let response = request.send().await.map_err(Error::from_transport)?;
        *status = Some(response.status());
        if response.status() != StatusCode::OK {
            let include = url.query_pairs().find(|(name, _)| name == "include");
            let include = include.map(|(_, names)| names).unwrap_or_default();
            return Err(refusal(response, Asked { one_record, include: &include }).await);
        }
        read_body(response, self.client.config.max_body_bytes).await
    }
}

/// The status of an answer in the metrics, where a code of its own is told for 429 only.
fn class(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16()) {
        None => "none",
        Some(429) => "429",
        Some(..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(500..) => "5xx",
    }
}

/// A request, and how to read its answer.
struct Ask<'a, T> {
    resource: &'static str,
    url: &'a Url,
    decode: fn(&[u8]) -> Result<T, Error>,
    one_record: bool,
}

impl<T> Clone for Ask<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ask<'_, T> {}

impl<'a> Ask<'a, School> {
    fn school(url: &'a Url) -> Self {
        Self { resource: "school", url, decode: decode_damaged, one_record: true }
    }
}

impl<'a, T: DeserializeOwned> Ask<'a, T> {
    fn record(resource: &'static str, url: &'a Url) -> Self {
        Self { resource, url, decode: decode_single, one_record: true }
    }
}

impl<'a, T: DeserializeOwned> Ask<'a, DecodedPage<T>> {
    fn page(resource: &'static str, url: &'a Url) -> Self {
        Self { resource, url, decode: decode_page, one_record: false }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time that passes is what is asked for: a fault has to have a chance to pass"
)]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

impl fmt::Debug for SchoolClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchoolClient")
            .field("root", &self.root.as_str())
            .field("limit_key", &self.limit_key)
            .finish_non_exhaustive()
    }
}

fn check_base(base: &Url) -> Result<(), Error> {
    if matches!(base.scheme(), "http" | "https") && base.has_host() {
        Ok(())
    } else {
        Err(Error::config("the base URL is not an http(s) address"))
    }
}

/// `base` with more path segments. A query or fragment of the base is dropped.
pub(crate) fn extend(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut()
        .expect("http(s) addresses have paths, and check_base let only those in")
        .pop_if_empty()
        .extend(segments);
    url
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    let token = token.expose_secret().trim();
    if token.is_empty() {
        return Err(Error::Unauthorized);
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_not_a_header| Error::Unauthorized)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_no_header_is_a_bad_token() {
        for token in ["", "  ", "line\nbreak"] {
            let refused = bearer(&SecretString::from(token));
            assert!(matches!(refused, Err(Error::Unauthorized)), "{token:?}");
        }
        assert!(bearer(&SecretString::from(" good\n")).is_ok_and(|value| value.is_sensitive()));
    }

    #[test]
    fn addresses_extend_the_base_with_or_without_a_slash() {
        for base in ["https://api.example/v1.0", "https://api.example/v1.0/?x=1#y"] {
            let url = extend(&Url::parse(base).unwrap(), &["schools", "A1"]);
            assert_eq!(url.as_str(), "https://api.example/v1.0/schools/A1");
        }
    }
}
