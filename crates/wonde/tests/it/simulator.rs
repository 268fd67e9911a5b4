//! The client against the simulator, which was written without a look at it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt as _;
use mis_sync_wonde::{
    ClientConfig, EmployeeInclude, Error, SchoolClient, Unlimited, WondeClient, WondeId,
};
use mis_sync_wonde_sim::{PaginationStyle, RunningSimulator, SimulatorOptions};

async fn start(pagination: PaginationStyle) -> (RunningSimulator, SchoolClient) {
    mis_sync_wonde::install_crypto_provider();
    let options = SimulatorOptions { schools: 1, staff: 45, pagination, ..Default::default() };
    let simulator = RunningSimulator::start(options).await.unwrap();
    let config = ClientConfig {
        base_url: simulator.base_url().parse().unwrap(),
        page_size: 20,
        ..ClientConfig::default()
    };
    let school = simulator.simulator().schools().remove(0);
    let id = WondeId::try_from(school.id.as_str()).unwrap();
    let client = WondeClient::new(config, Arc::new(Unlimited)).unwrap();
    let client = client.school(&id, &school.token.as_str().into(), None).unwrap();
    (simulator, client)
}

#[tokio::test]
async fn every_employee_is_read_once_with_all_that_was_asked_for() {
    let (simulator, client) = start(PaginationStyle::Always).await;
    let includes = [
        EmployeeInclude::ContactDetails,
        EmployeeInclude::EmploymentDetails,
        EmployeeInclude::Roles,
    ];
    let pages: Vec<_> = client.employees(&includes, None).try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [20, 20, 5]);

    let read: Vec<_> =
        pages.into_iter().flat_map(|page| page.records).map(Result::unwrap).collect();
    let ids: BTreeSet<&str> = read.iter().map(|employee| employee.id.as_str()).collect();
    let truth = simulator.simulator().truth(&simulator.simulator().schools()[0].id).unwrap();
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
    let (_simulator, client) = start(PaginationStyle::OmitWhenSmall).await;
    let pages: Vec<_> = client.employees(&[], None).try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).sum::<usize>(), 45);
}

#[tokio::test]
async fn the_school_a_count_and_one_person_can_be_asked_for() {
    let (simulator, client) = start(PaginationStyle::Always).await;
    let school = simulator.simulator().schools().remove(0);
    assert_eq!(client.school().await.unwrap().mis, Some(school.mis.to_string()));
    assert_eq!(client.employee_count().await.unwrap(), Some(45));
    let truth = simulator.simulator().truth(&school.id).unwrap();
    let id = WondeId::try_from(truth.staff[0].wonde_id.as_str()).unwrap();
    assert_eq!(client.employee(&id, &[]).await.unwrap().id, id);
    let nobody = WondeId::try_from("A1").unwrap();
    assert!(matches!(client.employee(&nobody, &[]).await, Err(Error::NotFound)));
}
