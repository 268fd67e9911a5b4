//! Asks for the records that iP has and the full lists did not show. A list that changes while it
//! is read can lose a record between two pages, so a record is not gone merely because it is
//! missing.
//!
//! This is the last step of a full fetch, and is kept like a page: another worker can continue in
//! the middle, and a failed request fails the fetch. If nothing is missing, it makes no request.

use mis_sync_domain::{
    IssueCode,
    absence::{Account, Missing},
    plan::{Gone, List, MappedPage, Next, Present},
};
use mis_sync_store::fetches;
use mis_sync_wonde::{
    Class, ClassInclude, Employee, EmployeeQuery, Error as WondeError, Page, Subject,
    UndecodableRecord, WondeId,
};
use serde_json::Value;

use super::fetch::{Fetcher, leads_nowhere};
use crate::{
    SyncError,
    mapping::{
        map_page,
        teaching::{map_classes, map_subjects},
    },
};

/// Stands in place of the next page's address: there are more records to ask for.
const THERE_IS_MORE: &str = "more";

/// Wonde's answer to a request for one record.
enum Answer<T> {
    /// The record is there.
    Found(Result<T, UndecodableRecord>),
    /// The record is there, but only without the includes of the list.
    Bare(T),
    /// Wonde does not know it.
    Unknown,
    /// Wonde does not say.
    Refused,
}

impl Fetcher<'_> {
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
        self.keep(List::Missing, MappedPage::default(), Next::Over).await
    }

    async fn account_for(&mut self, list: List) -> Result<(), SyncError> {
        loop {
            let reading = fetches::missing(self.pool, &self.fetch, &self.school.id, list).await?;
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
        fetches::read_again(self.pool, self.lease, &mut self.fetch, list, missing).await?;
        self.read(&[list]).await
    }

    /// Keeps each answer separately, so that a rate limit cannot make us ask for ever.
    async fn settle(
        &mut self,
        list: List,
        gone: Vec<String>,
        ask: Vec<String>,
    ) -> Result<(), SyncError> {
        if !gone.is_empty() {
            self.keep_more(are_gone(list, gone)).await?;
        }
        for wonde_id in ask {
            let answer = match WondeId::try_from(wonde_id.clone()) {
                Ok(id) => self.ask(list, &id).await?,
                // Wonde cannot have a record with such an id.
                Err(_) => Some(are_gone(list, vec![wonde_id])),
            };
            match answer {
                Some(page) => self.keep_more(page).await?,
                // iP's record stays, and the next full sync asks again.
                None => self.note(IssueCode::AbsenceUnproven).await?,
            }
        }
        Ok(())
    }

    async fn keep_more(&mut self, page: MappedPage) -> Result<(), SyncError> {
        self.keep(List::Missing, page, Next::At(Value::from(THERE_IS_MORE))).await
    }

    /// Asks for one record and maps it as if it had been on a page; `None` if Wonde does not say.
    async fn ask(&self, list: List, id: &WondeId) -> Result<Option<MappedPage>, WondeError> {
        let gone = || Some(are_gone(list, vec![id.as_str().to_owned()]));
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

/// The meaning of an answer. If the record is refused with the includes of the list, it is
/// requested without them, which still shows whether it exists.
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
    /// A different record says nothing about the requested one.
    fn about(self, is_same: impl Fn(&T) -> bool) -> Self {
        match &self {
            Self::Found(Ok(record)) | Self::Bare(record) if !is_same(record) => Self::Refused,
            _ => self,
        }
    }
}

/// A list with only this record. If it cannot be read, its id is still known, because it was
/// requested.
fn page_of<T>(id: &WondeId, record: Result<T, UndecodableRecord>) -> Page<T> {
    let named = |undecodable: UndecodableRecord| UndecodableRecord {
        wonde_id: Some(id.as_str().to_owned()),
        ..undecodable
    };
    Page { records: vec![record.map_err(named)], next: None }
}

/// The person is there, but nothing else is known about them, so they stay unchanged in iP.
fn is_present(employee: &Employee) -> MappedPage {
    let wonde_id = employee.id.as_str().to_owned();
    let present = Present { wonde_id, upi: None, hierarchy: None };
    MappedPage { present: vec![present], fetched: 1, ..MappedPage::default() }
}

fn are_gone(list: List, wonde_ids: Vec<String>) -> MappedPage {
    let ids = wonde_ids.into_iter().collect();
    let gone = match list {
        List::Subjects => Gone { subjects: ids, ..Gone::default() },
        List::Classes => Gone { classes: ids, ..Gone::default() },
        _ => Gone { employees: ids, ..Gone::default() },
    };
    MappedPage { gone, ..MappedPage::default() }
}
