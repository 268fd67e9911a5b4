//! Looks for what iP has and the full lists did not show. A list that changes while it is read can
//! lose a record between two pages, so nobody is gone for not being in it.
//!
//! It is the last step of a full fetch, and staged like a page: another worker can go on in the
//! middle, and a request that fails fails the fetch. Where nothing is missing it asks nothing.

use mis_sync_domain::{
    IssueCode,
    absence::{Account, Missing},
};
use mis_sync_store::staging::{self, Gone, List, MappedPage, Present};
use mis_sync_wonde::{
    Class, ClassInclude, Employee, EmployeeQuery, Error as WondeError, Page, Subject,
    UndecodableRecord, WondeId,
};
use serde_json::Value;

use super::fetch::{Fetch, leads_nowhere};
use crate::{
    SyncError,
    mapping::{
        map_page,
        teaching::{map_classes, map_subjects},
    },
};

/// In place of the next page's address: there is more to look for.
const THERE_IS_MORE: &str = "more";

/// What Wonde answers when it is asked for one record.
enum Answer<T> {
    /// It is there.
    Found(Result<T, UndecodableRecord>),
    /// It is there, but is only shown without what the list includes.
    Bare(T),
    /// Wonde does not know it.
    Unknown,
    /// Wonde does not say.
    Refused,
}

impl Fetch<'_> {
    /// Accounts for what is missing, list by list, and ends the fetch.
    pub(super) async fn account_for_missing(&mut self) -> Result<(), SyncError> {
        let imports = self.rules.imports;
        let lists = [
            (List::Employees, true),
            (List::Subjects, imports.subjects),
            (List::Classes, imports.classes),
        ];
        for (list, _) in lists.into_iter().filter(|(_, is_wanted)| *is_wanted) {
            self.account_for(list).await?;
        }
        self.stage(MappedPage::default(), None).await
    }

    async fn account_for(&mut self, list: List) -> Result<(), SyncError> {
        loop {
            let reading = staging::missing(self.pool, self.lease, &self.school.id, list).await?;
            let (count, listed) = (reading.missing.len(), reading.listed);
            if count > 0 {
                let is_second = reading.is_second;
                tracing::info!(?list, count, listed, is_second, "records are missing from a list");
            }
            let missing = reading.missing.clone();
            match reading.account() {
                Account::Settle { gone, ask } => return self.settle(list, gone, ask).await,
                Account::ReadAgain => self.read_again(list, &missing).await?,
            }
        }
    }

    async fn read_again(&mut self, list: List, missing: &[Missing]) -> Result<(), SyncError> {
        staging::read_again(self.pool, self.lease, list, missing).await?;
        // In a box, because it is `read` that led here.
        Box::pin(self.read(list, None, Some(List::Missing))).await
    }

    /// Stages each answer by itself, so that a rate limit cannot make us ask for ever.
    async fn settle(
        &mut self,
        list: List,
        gone: Vec<String>,
        ask: Vec<String>,
    ) -> Result<(), SyncError> {
        if !gone.is_empty() {
            let gone = gone.into_iter().map(|wonde_id| of_list(list, wonde_id)).collect();
            self.stage_more(MappedPage { gone, ..MappedPage::default() }).await?;
        }
        for wonde_id in ask {
            let answer = match WondeId::try_from(wonde_id.clone()) {
                Ok(id) => self.ask(list, &id).await?,
                // Wonde can have no record of such an id.
                Err(_) => Some(is_gone(list, wonde_id)),
            };
            match answer {
                Some(page) => self.stage_more(page).await?,
                // What iP has stays as it is, and the next full sync asks again.
                None => staging::note(self.pool, self.lease, IssueCode::AbsenceUnproven).await?,
            }
        }
        Ok(())
    }

    async fn stage_more(&mut self, mut page: MappedPage) -> Result<(), SyncError> {
        page.next_page = Some(Value::from(THERE_IS_MORE));
        self.stage(page, None).await
    }

    /// Asks for one record and maps it as if it had been on a page; `None`: Wonde does not say.
    async fn ask(&self, list: List, id: &WondeId) -> Result<Option<MappedPage>, WondeError> {
        let gone = || Some(is_gone(list, id.as_str().to_owned()));
        Ok(match list {
            List::Classes => match self.ask_for_class(id).await? {
                Answer::Found(class) => Some(map_classes(&page_of(id, class), self.class_staff)),
                Answer::Bare(class) => Some(map_classes(&page_of(id, Ok(class)), false)),
                Answer::Unknown => gone(),
                Answer::Refused => None,
            },
            List::Subjects => match self.ask_for_subject(id).await? {
                Answer::Found(subject) => Some(map_subjects(&page_of(id, subject))),
                Answer::Bare(subject) => Some(map_subjects(&page_of(id, Ok(subject)))),
                Answer::Unknown => gone(),
                Answer::Refused => None,
            },
            _ => match self.ask_for_employee(id).await? {
                Answer::Found(employee) => Some(map_page(&page_of(id, employee), self.mapping)),
                Answer::Bare(employee) => Some(is_present(&employee)),
                Answer::Unknown => gone(),
                Answer::Refused => None,
            },
        })
    }

    async fn ask_for_employee(&self, id: &WondeId) -> Result<Answer<Employee>, WondeError> {
        let ask = async |include| {
            let query = EmployeeQuery { include, ..EmployeeQuery::default() };
            self.client.employee(id, &query).await
        };
        let answer = answer(ask(self.mapping.includes()).await, || ask(Vec::new())).await?;
        Ok(answer.about(|employee| employee.id == *id))
    }

    async fn ask_for_class(&self, id: &WondeId) -> Result<Answer<Class>, WondeError> {
        let ask = async |include: &[ClassInclude]| self.client.class(id, include).await;
        let include: &[_] = if self.class_staff { &[ClassInclude::Employees] } else { &[] };
        let answer = answer(ask(include).await, || ask(&[])).await?;
        Ok(answer.about(|class| class.id == *id))
    }

    async fn ask_for_subject(&self, id: &WondeId) -> Result<Answer<Subject>, WondeError> {
        let ask = async || self.client.subject(id).await;
        Ok(answer(ask().await, ask).await?.about(|subject| subject.id == *id))
    }
}

/// What an answer means. Where the record is refused as the list shows it, it is asked for without
/// includes: that it is there can be said without them.
async fn answer<T>(
    whole: Result<T, WondeError>,
    ask_bare: impl AsyncFnOnce() -> Result<T, WondeError>,
) -> Result<Answer<T>, WondeError> {
    match whole {
        Ok(record) => Ok(Answer::Found(Ok(record))),
        Err(WondeError::Record(undecodable)) => Ok(Answer::Found(Err(undecodable))),
        Err(WondeError::NotFound) => Ok(Answer::Unknown),
        Err(error) if leads_nowhere(&error) => match ask_bare().await {
            Ok(record) => Ok(Answer::Bare(record)),
            Err(WondeError::Record(undecodable)) => Ok(Answer::Found(Err(undecodable))),
            Err(WondeError::NotFound) => Ok(Answer::Unknown),
            Err(error) if leads_nowhere(&error) => Ok(Answer::Refused),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

impl<T> Answer<T> {
    /// Some other record says nothing about the one that was asked for.
    fn about(self, is_same: impl Fn(&T) -> bool) -> Self {
        match &self {
            Self::Found(Ok(record)) | Self::Bare(record) if !is_same(record) => Self::Refused,
            _ => self,
        }
    }
}

/// A list of this record alone. One that cannot be read is known all the same: it was asked for.
fn page_of<T>(id: &WondeId, record: Result<T, UndecodableRecord>) -> Page<T> {
    let named = |undecodable: UndecodableRecord| UndecodableRecord {
        wonde_id: Some(id.as_str().to_owned()),
        ..undecodable
    };
    Page { records: vec![record.map_err(named)], next: None }
}

/// The person is there; nothing else is known of them, so they stay as they are in iP.
fn is_present(employee: &Employee) -> MappedPage {
    let wonde_id = employee.id.as_str().to_owned();
    let present = Present { wonde_id, upi: None, hierarchy: None };
    MappedPage { present: vec![(0, present)], fetched: 1, ..MappedPage::default() }
}

fn is_gone(list: List, wonde_id: String) -> MappedPage {
    MappedPage { gone: vec![of_list(list, wonde_id)], ..MappedPage::default() }
}

fn of_list(list: List, wonde_id: String) -> Gone {
    match list {
        List::Subjects => Gone::Subject(wonde_id),
        List::Classes => Gone::Class(wonde_id),
        _ => Gone::Employee(wonde_id),
    }
}
