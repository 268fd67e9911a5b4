//! Reads one person, with exactly the includes that the school's settings need.

use futures::TryStreamExt;
use mis_sync_domain::plan::{Gone, MappedPage};
use mis_sync_store::{refresh::Person, sync::TaughtClass};
use mis_sync_wonde::{
    Employee, EmployeeInclude, EmployeeQuery, Error as WondeError, Page, SchoolClient, WondeId,
};

use crate::{
    SyncError,
    jobs::sync_school::named,
    mapping::{MappingRules, map_page},
};

/// What the MIS said about the person.
pub(super) struct Fetched {
    /// Their record, mapped as in a list of one.
    pub(super) page: MappedPage,
    /// The classes that they teach; `None` if not given.
    pub(super) classes: Option<Vec<TaughtClass>>,
}

/// The fetch of one person.
pub(super) struct PersonFetch<'a> {
    pub(super) client: &'a SchoolClient,
    pub(super) id: &'a WondeId,
    /// What iP has from the MIS.
    pub(super) held: &'a Person,
    pub(super) mapping: MappingRules,
    /// Whether the school imports who teaches a class.
    pub(super) classes: bool,
}

impl PersonFetch<'_> {
    pub(super) async fn run(mut self) -> Result<Fetched, SyncError> {
        match self.ask_for_what_is_granted().await {
            Ok(employee) if employee.id == *self.id => {
                let doubtful = self.doubtful(&employee);
                let shown = self.shown_by_others(&doubtful).await?;
                let withheld: Vec<_> =
                    doubtful.into_iter().filter(|include| !shown.contains(include)).collect();
                self.leave_out(&withheld);
                Ok(self.fetched(Ok(employee)))
            }
            Ok(_) => {
                let reason = "the record is not the requested one".to_owned();
                Err(WondeError::Decode { reason }.into())
            }
            Err(WondeError::Record(undecodable)) => Ok(self.fetched(Err(undecodable))),
            Err(WondeError::NotFound) => {
                // If Wonde does not know the school, it knows none of its people either.
                self.client.school().await?;
                let employees = [self.id.as_str().to_owned()].into();
                let gone = Gone { employees, ..Gone::default() };
                let page = MappedPage { gone, ..MappedPage::default() };
                Ok(Fetched { page, classes: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks again with fewer includes, as long as one is refused and can be omitted.
    async fn ask_for_what_is_granted(&mut self) -> Result<Employee, WondeError> {
        loop {
            let error = match self.ask().await {
                Err(error) => error,
                record => return record,
            };
            let less = self.to_do_without(&error);
            if less.is_empty() {
                return Err(error);
            }
            self.leave_out(&less);
        }
    }

    /// What to omit after a refusal: what it names, otherwise everything optional, otherwise
    /// everything.
    fn to_do_without(&self, refusal: &WondeError) -> Vec<EmployeeInclude> {
        match refusal {
            WondeError::Forbidden { .. } => self.optional(),
            WondeError::InvalidInclude { .. } => {
                let parts = [named(&self.includes(), refusal), self.optional(), self.includes()];
                parts.into_iter().find(|part| !part.is_empty()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    async fn ask(&self) -> Result<Employee, WondeError> {
        let include = self.includes();
        self.client.employee(self.id, &EmployeeQuery { include, ..EmployeeQuery::default() }).await
    }

    fn includes(&self) -> Vec<EmployeeInclude> {
        let classes = self.classes.then_some(EmployeeInclude::Classes);
        self.mapping.includes().into_iter().chain(classes).collect()
    }

    /// The optional includes.
    fn optional(&self) -> Vec<EmployeeInclude> {
        let needed = [EmployeeInclude::ContactDetails, EmployeeInclude::EmploymentDetails];
        self.includes().into_iter().filter(|include| !needed.contains(include)).collect()
    }

    /// An omitted include counts as not given, so iP's values stay.
    fn leave_out(&mut self, includes: &[EmployeeInclude]) {
        self.mapping.leave_out(includes);
        self.classes &= !includes.contains(&EmployeeInclude::Classes);
    }

    /// Includes that came back empty although the MIS had filled them before. One record alone does
    /// not show whether they were emptied, or whether the school withdrew access.
    fn doubtful(&self, employee: &Employee) -> Vec<EmployeeInclude> {
        let is_empty = |include: &EmployeeInclude| match include {
            EmployeeInclude::Roles => {
                self.held.has_job_title && employee.roles.delivered().is_some_and(Vec::is_empty)
            }
            EmployeeInclude::Hierarchy => {
                self.held.has_line_manager
                    && employee.hierarchy.delivered().is_some_and(Vec::is_empty)
            }
            EmployeeInclude::Classes => {
                self.held.has_classes && employee.classes.delivered().is_some_and(Vec::is_empty)
            }
            _ => false,
        };
        self.optional().into_iter().filter(is_empty).collect()
    }

    /// The includes of `asked` that other people's records contain.
    async fn shown_by_others(
        &self,
        asked: &[EmployeeInclude],
    ) -> Result<Vec<EmployeeInclude>, WondeError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let query = EmployeeQuery { include: asked.to_vec(), ..EmployeeQuery::default() };
        let pages = self.client.employees(&query, None);
        futures::pin_mut!(pages);
        let page = match pages.try_next().await {
            // If a list of people cannot include something, others do not show it either.
            Err(WondeError::InvalidInclude { .. }) => return Ok(Vec::new()),
            page => page?,
        };
        let people: Vec<Employee> =
            page.into_iter().flat_map(|page| page.records).filter_map(Result::ok).collect();
        let is_shown = |include: &EmployeeInclude| {
            people.iter().any(|person| match include {
                EmployeeInclude::Roles => filled(person.roles.delivered()),
                EmployeeInclude::Hierarchy => filled(person.hierarchy.delivered()),
                EmployeeInclude::Classes => filled(person.classes.delivered()),
                _ => false,
            })
        };
        Ok(asked.iter().copied().filter(is_shown).collect())
    }

    fn fetched(&self, record: Result<Employee, mis_sync_wonde::UndecodableRecord>) -> Fetched {
        let classes = record.as_ref().ok().filter(|_| self.classes).and_then(taught);
        let page = map_page(&Page { records: vec![record], next: None }, self.mapping);
        Fetched { page, classes }
    }
}

fn filled<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

fn taught(employee: &Employee) -> Option<Vec<TaughtClass>> {
    let classes = employee.classes.delivered()?.iter().map(|class| TaughtClass {
        wonde_id: class.id.as_str().to_owned(),
        is_main: class.is_main_teacher == Some(true),
    });
    Some(classes.collect())
}
