//! The client against the simulator, which was written without looking at it.

mod changes;
mod gaps;
mod teaching;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{Stream, TryStreamExt as _};
use mis_sync_wonde::{
    AnyAddress, ClientConfig, Employee, EmployeeInclude, EmployeeQuery, Error, Page, SchoolClient,
    Unlimited, WondeClient, WondeId,
};
use mis_sync_wonde_sim::{
    HierarchyDirection, PaginationStyle, RunningSimulator, SimulatorOptions, Truth,
};
use ring::digest;

use crate::fake::including;

/// A simulator of one school and a client that reads it.
struct World {
    simulator: RunningSimulator,
    client: SchoolClient,
}

impl World {
    async fn start(options: SimulatorOptions) -> Self {
        mis_sync_wonde::install_crypto_provider();
        let options = SimulatorOptions { schools: 1, staff: 45, ..options };
        let simulator = RunningSimulator::start(options).await.unwrap();
        let config = ClientConfig {
            base_url: simulator.base_url().parse().unwrap(),
            page_size: 20,
            ..ClientConfig::default()
        };
        let school = simulator.simulator().schools().remove(0);
        let id = WondeId::try_from(school.id.as_str()).unwrap();
        let client = WondeClient::new(config, Arc::new(Unlimited), Arc::new(AnyAddress)).unwrap();
        let client = client.school(&id, &school.token.as_str().into(), None).unwrap();
        Self { simulator, client }
    }

    fn truth(&self) -> Truth {
        let simulator = self.simulator.simulator();
        simulator.truth(&simulator.schools()[0].id).unwrap()
    }

    async fn employees(&self, query: &EmployeeQuery) -> Vec<Employee> {
        records(self.client.expecting(Some(45)).employees(query, None)).await
    }
}

/// All records of a list, each of them readable.
async fn records<T>(pages: impl Stream<Item = Result<Page<T>, Error>>) -> Vec<T> {
    let pages: Vec<Page<T>> = pages.try_collect().await.unwrap();
    pages.into_iter().flat_map(|page| page.records).map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_employee_is_read_once_with_all_that_was_asked_for() {
    let world = World::start(SimulatorOptions::default()).await;
    let query = including(&[
        EmployeeInclude::ContactDetails,
        EmployeeInclude::EmploymentDetails,
        EmployeeInclude::Roles,
    ]);
    let pages: Vec<_> = world.client.employees(&query, None).try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [20, 20, 5]);

    let read: Vec<_> =
        pages.into_iter().flat_map(|page| page.records).map(Result::unwrap).collect();
    let ids: BTreeSet<&str> = read.iter().map(|employee| employee.id.as_str()).collect();
    let truth = world.truth();
    let wanted: BTreeSet<&str> = truth
        .staff
        .iter()
        .map(|person| person.wonde_id.as_str())
        .chain(truth.not_imported.iter().map(|person| person.wonde_id.as_str()))
        .collect();
    assert_eq!(ids, wanted);
    for employee in &read {
        assert!(employee.contact_details.delivered().is_some(), "{employee:?}");
        assert!(employee.employment_details.delivered().is_some(), "{employee:?}");
        assert!(employee.roles.delivered().is_some(), "{employee:?}");
    }
}

#[tokio::test]
async fn a_short_list_without_pagination_is_whole() {
    let pagination = PaginationStyle::OmitWhenSmall;
    let world = World::start(SimulatorOptions { pagination, ..Default::default() }).await;
    assert_eq!(world.employees(&EmployeeQuery::default()).await.len(), 45);
}

#[tokio::test]
async fn the_school_a_count_and_one_person_can_be_asked_for() {
    let World { simulator, client } = &World::start(SimulatorOptions::default()).await;
    let school = simulator.simulator().schools().remove(0);
    assert_eq!(client.school().await.unwrap().mis, Some(school.mis.to_string()));
    assert_eq!(client.employee_count().await.unwrap(), Some(45));
    let truth = simulator.simulator().truth(&school.id).unwrap();
    let person = truth.staff.iter().find(|person| person.line_manager_wonde_id.is_some()).unwrap();
    let id = WondeId::try_from(person.wonde_id.as_str()).unwrap();
    let query = including(&[EmployeeInclude::Hierarchy, EmployeeInclude::Photo]);
    let employee = client.employee(&id, &query).await.unwrap();
    assert_eq!(employee.id, id);
    assert!(employee.roles.delivered().is_none(), "not asked for");
    let manager = employee.hierarchy.delivered().unwrap().first().map(WondeId::as_str);
    assert_eq!(manager, person.line_manager_wonde_id.as_deref());
    assert_eq!(photo_hash(&employee), person.photo_hash);
    let nobody = WondeId::try_from("A1").unwrap();
    assert!(matches!(client.employee(&nobody, &query).await, Err(Error::NotFound)));
}

/// The SHA-256 of the image.
fn photo_hash(employee: &Employee) -> Option<String> {
    let photo = employee.photo.delivered().unwrap().as_ref()?;
    let image = photo.bytes(10_000).unwrap().unwrap();
    Some(hex::encode(digest::digest(&digest::SHA256, &image)))
}

#[tokio::test]
async fn photos_are_those_of_the_truth() {
    let world = World::start(SimulatorOptions::default()).await;
    let include = vec![EmployeeInclude::Photo];
    let query = EmployeeQuery { include, page_size: Some(7), ..Default::default() };
    let read: BTreeMap<String, Option<String>> = world
        .employees(&query)
        .await
        .iter()
        .map(|employee| (employee.id.to_string(), photo_hash(employee)))
        .collect();
    assert_eq!(world.client.requests_made(), 7, "45 people in pages of 7");

    let staff = world.truth().staff;
    for person in &staff {
        assert_eq!(read[&person.wonde_id], person.photo_hash, "{}", person.wonde_id);
    }
    let with = staff.iter().filter(|person| person.has_photo).count();
    assert!(with > 0 && with < staff.len(), "both are there: {with} of {}", staff.len());
}

/// Pairs of an employee and another one that `hierarchy` lists for them.
async fn hierarchy(direction: HierarchyDirection) -> (Truth, BTreeSet<(String, String)>) {
    let world = World::start(SimulatorOptions { hierarchy: direction, ..Default::default() }).await;
    let mut pairs = BTreeSet::new();
    for employee in world.employees(&including(&[EmployeeInclude::Hierarchy])).await {
        for other in employee.hierarchy.delivered().unwrap() {
            pairs.insert((employee.id.to_string(), other.to_string()));
        }
    }
    (world.truth(), pairs)
}

#[tokio::test]
async fn hierarchy_is_read_in_either_direction() {
    let (truth, upward) = hierarchy(HierarchyDirection::Manager).await;
    let (_, downward) = hierarchy(HierarchyDirection::Reports).await;
    let reversed: BTreeSet<_> = downward.into_iter().map(|(above, below)| (below, above)).collect();
    assert_eq!(upward, reversed);

    let managed: Vec<_> = truth
        .staff
        .into_iter()
        .filter_map(|person| Some((person.wonde_id, person.line_manager_wonde_id?)))
        .collect();
    assert!(managed.len() > 10, "{}", managed.len());
    for pair in managed {
        assert!(upward.contains(&pair), "{pair:?}");
    }
}
