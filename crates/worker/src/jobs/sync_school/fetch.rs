//! Reads the lists that a sync needs, one after the other, and stages their pages. A full fetch ends
//! by looking for what is missing from them ([`absence`](super::absence)).

use chrono::{DateTime, Utc};
use futures::{Stream, TryStreamExt};
use mis_sync_domain::{IssueCode, Lease, Mis, Progress, School, Stage, SyncRules};
use mis_sync_store::{
    Pool, jobs,
    staging::{self, FetchState, List, MappedPage},
};
use mis_sync_wonde::{
    ClassInclude, DeletionKind, EmployeeInclude, EmployeeQuery, Error as WondeError, Page,
    PageCursor, SchoolClient,
};

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

/// Noted with the last page, so that it costs nothing of its own.
const COMPARING: Progress = Progress { stage: Stage::Comparing, done: 0, total: None };

/// A page of so many photos of the largest size, in base64, stays below the largest answer that
/// the client takes.
const PHOTOS_PER_PAGE: u32 = 10;

/// The fetch of one attempt.
pub(super) struct Fetch<'a> {
    pub(super) pool: &'a Pool,
    pub(super) lease: Lease,
    pub(super) school: &'a School,
    pub(super) client: &'a SchoolClient,
    pub(super) rules: SyncRules,
    pub(super) mapping: MappingRules,
    pub(super) class_staff: bool,
    photos_per_page: u32,
    updated_after: Option<DateTime<Utc>>,
    expected: Option<Expected>,
    /// Records of staff, classes and subjects staged.
    done: u64,
    /// Requests that a staged page has accounted for.
    requests: u64,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(
        context: &'a Context,
        lease: Lease,
        school: &'a School,
        client: &'a SchoolClient,
        mis: Option<&Mis>,
        rules: SyncRules,
        state: &FetchState,
    ) -> Self {
        Self {
            pool: context.queue.pool(),
            lease,
            school,
            client,
            rules,
            mapping: MappingRules::of_school(context.clock.today(), mis, &school.settings),
            class_staff: rules.imports.class_staff || rules.imports.subject_staff,
            photos_per_page: PHOTOS_PER_PAGE,
            updated_after: state.updated_after,
            expected: None,
            done: state.fetched,
            requests: 0,
        }
    }

    /// Goes on from `state` to the end of the last list.
    pub(super) async fn run(mut self, state: FetchState) -> Result<(), SyncError> {
        if state.complete {
            return Ok(jobs::progress(self.pool, self.lease, COMPARING).await?);
        }
        let resumes = state.next_page.is_some();
        match self.read_lists(&state).await {
            // The place where an earlier attempt stopped may not exist any more.
            Err(error) if resumes && place_is_gone(&error) => {
                staging::discard(self.pool, self.lease).await?;
                Err(SyncError::StaleResume(error.to_string()))
            }
            other => other,
        }
    }

    async fn read_lists(&mut self, state: &FetchState) -> Result<(), SyncError> {
        let from = state.next_page.clone().map(serde_json::from_value::<PageCursor>).transpose();
        // A cursor that cannot be read is none: the list begins anew.
        let mut from = from.unwrap_or_default();
        let lists: Vec<List> = List::ALL
            .into_iter()
            .skip_while(|list| *list != state.list)
            // A list that is read for the second time is the last one.
            .filter(|list| !state.reads_again || [state.list, List::Missing].contains(list))
            .filter(|list| *list == state.list || self.wants(*list))
            .collect();
        for (at, list) in lists.iter().enumerate() {
            let next = lists.get(at + 1).copied();
            self.read(*list, from.take(), next).await?;
        }
        Ok(())
    }

    fn wants(&self, list: List) -> bool {
        let (imports, is_delta) = (self.rules.imports, self.updated_after.is_some());
        match list {
            List::Employees => true,
            List::DeletedEmployees => is_delta,
            List::Subjects => imports.subjects,
            // Who teaches a subject is whoever teaches its classes, of all of them.
            List::Classes => imports.classes || imports.subject_staff && !is_delta,
            List::DeletedClasses => is_delta && imports.classes,
            List::Photos => imports.photos,
            // A delta says itself what is gone.
            List::Missing => !is_delta,
        }
    }

    /// Reads one list to its end. Where the school refuses a part of it, the rest is read
    /// without; where it refuses a list that is not needed, that one is left out. Both are
    /// noted for the school.
    pub(super) async fn read(
        &mut self,
        list: List,
        from: Option<PageCursor>,
        next: Option<List>,
    ) -> Result<(), SyncError> {
        let mut from = from;
        loop {
            let goes_on = from.is_some();
            let error = match self.read_once(list, from.take(), next).await {
                Err(SyncError::Wonde(error)) if is_refusal(&error) => error,
                other => return other,
            };
            if let WondeError::NotFound = error {
                // Of a school that Wonde does not know there is no list either.
                self.client.school().await?;
                if goes_on || list == List::Employees {
                    return Err(SyncError::ListMissing);
                }
            }
            if self.goes_on_with_less(list, &error).await? {
                continue;
            }
            if list == List::Employees {
                return Err(error.into());
            }
            tracing::warn!(%error, ?list, "this list is left out");
            if let Some(code) = withheld(list) {
                staging::note(self.pool, self.lease, code).await?;
            }
            return self.stage(MappedPage { refused: true, ..MappedPage::default() }, next).await;
        }
    }

    /// Whether there is something to do without, so that the list can be read all the same.
    async fn goes_on_with_less(
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
                staging::note(self.pool, self.lease, IssueCode::ClassStaffWithheld).await?;
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
        staging::rewind(self.pool, self.lease).await?;
        self.done = 0;
        for code in refused.iter().copied().filter_map(access::withheld) {
            staging::note(self.pool, self.lease, code).await?;
        }
        self.mapping.leave_out(&refused);
        Ok(true)
    }

    async fn read_once(
        &mut self,
        list: List,
        from: Option<PageCursor>,
        next: Option<List>,
    ) -> Result<(), SyncError> {
        let (client, after) = (self.client.clone(), self.updated_after);
        match list {
            List::Employees => {
                let include = self.mapping.includes();
                let query = EmployeeQuery { include, updated_after: after, page_size: None };
                // The first page is under way from here on.
                let pages = client.employees(&query, from);
                if after.is_none() && self.expected.is_none() {
                    self.expected = Some(Expected::learn(self.pool, self.school, &client).await?);
                }
                let rules = self.mapping;
                self.stage_all(pages, next, |page| map_page(page, rules)).await
            }
            List::DeletedEmployees | List::DeletedClasses => {
                let kind = match list {
                    List::DeletedClasses => DeletionKind::Class,
                    _ => DeletionKind::Employee,
                };
                let pages = client.deletions(kind, after, from);
                self.stage_all(pages, next, |page| map_deletions(page, kind)).await
            }
            List::Subjects => {
                let pages = client.subjects(after, from);
                self.stage_all(pages, next, map_subjects).await
            }
            List::Classes => {
                let staff = self.class_staff;
                let include: &[ClassInclude] = if staff { &[ClassInclude::Employees] } else { &[] };
                let pages = client.classes(include, after, from);
                self.stage_all(pages, next, |page| map_classes(page, staff)).await
            }
            List::Photos => {
                let query = EmployeeQuery {
                    include: vec![EmployeeInclude::Photo],
                    // Whoever asks for photos once wants them all.
                    updated_after: after.filter(|_| self.school.settings.import_photos),
                    page_size: Some(self.photos_per_page),
                };
                let pages = client.employees(&query, from);
                self.stage_all(pages, next, map_photos).await
            }
            List::Missing => self.account_for_missing().await,
        }
    }

    async fn stage_all<T>(
        &mut self,
        pages: impl Stream<Item = Result<Page<T>, WondeError>>,
        next: Option<List>,
        map: impl Fn(&Page<T>) -> MappedPage,
    ) -> Result<(), SyncError> {
        futures::pin_mut!(pages);
        while let Some(page) = pages.try_next().await? {
            let mut mapped = map(&page);
            self.done += mapped.fetched + mapped.teaching.len() as u64;
            mapped.next_page = page
                .next
                .map(|next| serde_json::to_value(next).expect("a page cursor is a string"));
            self.stage(mapped, next).await?;
        }
        Ok(())
    }

    /// Stages a page, with the list that follows if it is the last one of its list.
    pub(super) async fn stage(
        &mut self,
        mut page: MappedPage,
        next: Option<List>,
    ) -> Result<(), SyncError> {
        page.next_list = next.filter(|_| page.next_page.is_none());
        page.requests = self.client.requests_made() - self.requests;
        self.requests += page.requests;
        let is_last = page.next_page.is_none() && page.next_list.is_none();
        let progress = if is_last {
            COMPARING
        } else {
            let total = self.expected.as_mut().and_then(Expected::records);
            let total = total.map(|records| records.max(self.done));
            Progress { stage: Stage::Fetching, done: self.done, total }
        };
        Ok(staging::add_page(self.pool, self.lease, &page, progress).await?)
    }
}

/// What the school is told where the list is left out. Without the deletions a delta sees fewer
/// leavers, and the next full sync all of them.
fn withheld(list: List) -> Option<IssueCode> {
    match list {
        List::Employees | List::DeletedEmployees | List::DeletedClasses | List::Missing => None,
        List::Subjects => Some(IssueCode::SubjectsWithheld),
        List::Classes => Some(IssueCode::ClassesWithheld),
        List::Photos => Some(IssueCode::PhotosWithheld),
    }
}

/// Asking the same once more leads nowhere.
pub(super) fn leads_nowhere(error: &WondeError) -> bool {
    !error.is_transient() && !matches!(error, WondeError::Unauthorized)
}

/// Wonde answers, but does not give all that was asked for.
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
