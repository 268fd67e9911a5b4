//! Reads the lists that a sync needs, side by side, and keeps their pages. A full fetch ends by
//! asking for missing records ([`absence`](super::absence)).

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use futures::{
    StreamExt, TryStreamExt,
    stream::{BoxStream, SelectAll},
};
use mis_sync_domain::{
    IssueCode, Lease, Mis, Progress, School, Stage, SyncRules,
    plan::{Fetched, List, MappedPage, Next},
};
use mis_sync_store::{
    Pool,
    fetches::{self, KeptFetch},
    jobs,
};
use mis_sync_wonde::{
    ClassInclude, DeletionKind, EmployeeInclude, EmployeeQuery, Error as WondeError, Page,
    PageCursor, SchoolClient,
};
use serde_json::Value;

use super::{access, expected::Expected};
use crate::{
    Context, SyncError,
    mapping::{
        MappingRules,
        deletions::map_deletions,
        map_page,
        photos::map_photos,
        teaching::{map_classes, map_subjects},
    },
};

/// A full fetch records this with its last step, so that it costs nothing extra.
const COMPARING: Progress = Progress { stage: Stage::Comparing, done: 0, total: None };

/// This many photos of the largest size, in base64, stay below the largest answer that the client
/// accepts.
const PHOTOS_PER_PAGE: u32 = 10;

/// The fetch of one attempt.
pub(super) struct Fetcher<'a> {
    pub(super) pool: &'a Pool,
    pub(super) lease: Lease,
    pub(super) school: &'a School,
    pub(super) client: &'a SchoolClient,
    pub(super) rules: SyncRules,
    pub(super) mapping: MappingRules,
    pub(super) class_staff: bool,
    /// What was read so far.
    pub(super) fetch: KeptFetch,
    photos_per_page: u32,
    expected: Option<Expected>,
    /// Requests that kept pages have accounted for.
    requests: u64,
}

/// A page of a list, mapped, and how the list continues.
type Read = Result<(MappedPage, Next<Value>), WondeError>;

impl<'a> Fetcher<'a> {
    pub(super) fn new(
        context: &'a Context,
        lease: Lease,
        school: &'a School,
        client: &'a SchoolClient,
        mis: Option<&Mis>,
        rules: SyncRules,
        fetch: KeptFetch,
    ) -> Self {
        Self {
            pool: context.queue.pool(),
            lease,
            school,
            client,
            rules,
            mapping: MappingRules::of_school(context.clock.today(), mis, &school.settings),
            class_staff: rules.imports.class_staff || rules.imports.subject_staff,
            fetch,
            photos_per_page: PHOTOS_PER_PAGE,
            expected: None,
            requests: 0,
        }
    }

    /// Continues from what was kept to the end of the last list.
    pub(super) async fn run(mut self) -> Result<Fetched, SyncError> {
        let resumed: HashSet<List> = List::ALL
            .iter()
            .copied()
            .filter(|list| matches!(self.fetch.next_of(*list), Some(Next::At(_))))
            .collect();
        match self.read_all().await {
            // The page at which an earlier attempt stopped may no longer exist.
            Err(error) if !resumed.is_empty() && place_is_gone(&error) => {
                fetches::discard(self.pool, self.lease).await?;
                Err(SyncError::StaleResume(error.to_string()))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(self.fetch.into_fetched().expect("every list was read to its end")),
        }
    }

    /// Photos come last, because they are heavy and nothing waits for them.
    async fn read_all(&mut self) -> Result<(), SyncError> {
        let (photos, others): (Vec<List>, Vec<List>) = List::ALL
            .iter()
            .copied()
            .filter(|list| *list != List::Missing && self.wants(*list))
            .partition(|list| *list == List::Photos);
        self.read(&others).await?;
        self.read(&photos).await?;
        if self.wants(List::Missing) && !self.fetch.is_over(List::Missing) {
            return self.account_for_missing().await;
        }
        Ok(jobs::progress(self.pool, self.lease, COMPARING).await?)
    }

    fn wants(&self, list: List) -> bool {
        let (imports, is_delta) = (self.rules.imports, !self.fetch.is_full());
        match list {
            List::Employees => true,
            List::DeletedEmployees => is_delta,
            List::Subjects => imports.subjects,
            // The teachers of a subject are those of all its classes.
            List::Classes => imports.classes || imports.subject_staff && !is_delta,
            List::DeletedClasses => is_delta && imports.classes,
            List::Photos => imports.photos,
            // A delta lists what is gone itself.
            List::Missing => !is_delta,
        }
    }

    /// Reads lists side by side, each to its end. If the school refuses a part of a list, the rest
    /// is read without it; if it refuses an optional list, that list is left out. Both are recorded
    /// for the school.
    pub(super) async fn read(&mut self, lists: &[List]) -> Result<(), SyncError> {
        if self.fetch.is_full() && self.expected.is_none() {
            let expected = Expected::learn(self.pool, self.school, self.client).await?;
            self.expected = Some(expected);
        }
        let mut open = SelectAll::new();
        for list in lists.iter().copied() {
            if !self.fetch.is_over(list) {
                open.push(self.open(list));
            }
        }
        while let Some((list, read)) = open.next().await {
            match read {
                Ok((page, next)) => self.keep(list, page, next).await?,
                Err(error) if is_refusal(&error) => {
                    if self.goes_on_without(list, error).await? {
                        open.push(self.open(list));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether a list is read again with less after a refusal. Otherwise it is left out.
    async fn goes_on_without(&mut self, list: List, error: WondeError) -> Result<bool, SyncError> {
        if let WondeError::NotFound = error {
            // If Wonde does not know the school, there is no list either.
            self.client.school().await?;
            if self.fetch.pages_of(list) > 0 || list == List::Employees {
                return Err(SyncError::ListMissing);
            }
        }
        if self.can_do_with_less(list, &error).await? {
            return Ok(true);
        }
        if list == List::Employees {
            return Err(error.into());
        }
        tracing::warn!(%error, ?list, "this list is left out");
        if let Some(code) = withheld(list) {
            self.note(code).await?;
        }
        self.keep(list, MappedPage::default(), Next::Refused).await?;
        Ok(false)
    }

    /// Whether something can be omitted so that the list can still be read.
    async fn can_do_with_less(
        &mut self,
        list: List,
        error: &WondeError,
    ) -> Result<bool, SyncError> {
        let is_refused =
            matches!(error, WondeError::Forbidden { .. } | WondeError::InvalidInclude { .. });
        let is_too_large = matches!(error, WondeError::BodyTooLarge { .. });
        match list {
            List::Employees if is_refused => self.leave_out_refused_includes(error).await,
            List::Classes if is_refused && self.class_staff => {
                if access::refuses_classes(self.client).await? {
                    return Ok(false);
                }
                self.class_staff = false;
                self.note(IssueCode::ClassStaffWithheld).await?;
                Ok(true)
            }
            // One photo may be too large for any answer; it must not take nine others with it.
            List::Photos if is_too_large && self.photos_per_page > 1 => {
                self.photos_per_page = 1;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn leave_out_refused_includes(
        &mut self,
        refusal: &WondeError,
    ) -> Result<bool, SyncError> {
        let refused = access::refused(self.client, &self.mapping.includes(), refusal).await?;
        if refused.is_empty() {
            return Ok(false);
        }
        fetches::rewind(self.pool, self.lease, &mut self.fetch, List::Employees).await?;
        for code in refused.iter().copied().filter_map(access::withheld) {
            self.note(code).await?;
        }
        self.mapping.leave_out(&refused);
        Ok(true)
    }

    /// Opens a list at the place where it continues.
    fn open(&mut self, list: List) -> BoxStream<'static, (List, Read)> {
        let expected = self.expected.as_mut().and_then(Expected::records);
        let (client, after) = (self.client, self.fetch.updated_after);
        let from = self.place_in(list);
        let pages: BoxStream<'static, Read> = match list {
            List::DeletedEmployees | List::DeletedClasses => {
                let kind = match list {
                    List::DeletedClasses => DeletionKind::Class,
                    _ => DeletionKind::Employee,
                };
                let pages = client.deletions(kind, after, from);
                pages.map_ok(move |page| mapped(&page, |page| map_deletions(page, kind))).boxed()
            }
            List::Subjects => {
                let pages = client.subjects(after, from);
                pages.map_ok(|page| mapped(&page, map_subjects)).boxed()
            }
            List::Classes => {
                let staff = self.class_staff;
                let include: &[ClassInclude] = if staff { &[ClassInclude::Employees] } else { &[] };
                let pages = client.classes(include, after, from);
                pages.map_ok(move |page| mapped(&page, |page| map_classes(page, staff))).boxed()
            }
            List::Photos => {
                let pages = client.employees(&self.photo_query(after), from);
                pages.map_ok(|page| mapped(&page, map_photos)).boxed()
            }
            List::Employees | List::Missing => {
                let rules = self.mapping;
                let include = rules.includes();
                let query = EmployeeQuery { include, updated_after: after, page_size: None };
                // How far pages may be requested before the previous one has arrived.
                let pages = client.expecting(expected).employees(&query, from);
                pages.map_ok(move |page| mapped(&page, |page| map_page(page, rules))).boxed()
            }
        };
        pages.map(move |read| (list, read)).boxed()
    }

    /// A cursor that cannot be read counts as none: the list begins again.
    fn place_in(&self, list: List) -> Option<PageCursor> {
        match self.fetch.next_of(list) {
            Some(Next::At(cursor)) => serde_json::from_value(cursor.clone()).ok(),
            _ => None,
        }
    }

    fn photo_query(&self, after: Option<DateTime<Utc>>) -> EmployeeQuery {
        EmployeeQuery {
            include: vec![EmployeeInclude::Photo],
            // A one-off request for photos means all of them.
            updated_after: after.filter(|_| self.school.settings.import_photos),
            page_size: Some(self.photos_per_page),
        }
    }

    pub(super) async fn keep(
        &mut self,
        list: List,
        mut page: MappedPage,
        next: Next<Value>,
    ) -> Result<(), SyncError> {
        page.requests = self.client.requests_made() - self.requests;
        self.requests += page.requests;
        let done = self.fetch.records() + page.fetched + page.teaching.len() as u64;
        let total = self.expected.as_mut().and_then(Expected::records);
        let total = total.map(|records| records.max(done));
        let progress = match (list, &next) {
            (List::Missing, Next::Over) => COMPARING,
            _ => Progress { stage: Stage::Fetching, done, total },
        };
        let fetch = &mut self.fetch;
        Ok(fetches::keep(self.pool, self.lease, fetch, list, page, next, progress).await?)
    }

    /// Records for the school what is withheld or not known.
    pub(super) async fn note(&mut self, code: IssueCode) -> Result<(), SyncError> {
        Ok(fetches::note(self.pool, self.lease, &mut self.fetch, code).await?)
    }
}

fn mapped<T>(page: &Page<T>, map: impl Fn(&Page<T>) -> MappedPage) -> (MappedPage, Next<Value>) {
    let next = match &page.next {
        Some(next) => Next::At(serde_json::to_value(next).expect("a page cursor is a string")),
        None => Next::Over,
    };
    (map(page), next)
}

/// The issue if the list is left out. Without the deletions a delta sees fewer leavers, and the
/// next full sync finds all of them.
fn withheld(list: List) -> Option<IssueCode> {
    match list {
        List::Employees | List::DeletedEmployees | List::DeletedClasses | List::Missing => None,
        List::Subjects => Some(IssueCode::SubjectsWithheld),
        List::Classes => Some(IssueCode::ClassesWithheld),
        List::Photos => Some(IssueCode::PhotosWithheld),
    }
}

/// Whether asking the same again is pointless.
pub(super) fn leads_nowhere(error: &WondeError) -> bool {
    !error.is_transient() && !matches!(error, WondeError::Unauthorized)
}

/// Wonde answers, but does not give everything that was requested.
fn is_refusal(error: &WondeError) -> bool {
    matches!(
        error,
        WondeError::Forbidden { .. }
            | WondeError::NotFound
            | WondeError::InvalidInclude { .. }
            | WondeError::BodyTooLarge { .. }
    )
}

fn place_is_gone(error: &SyncError) -> bool {
    match error {
        SyncError::ListMissing => true,
        SyncError::Wonde(error) => leads_nowhere(error),
        _ => false,
    }
}
