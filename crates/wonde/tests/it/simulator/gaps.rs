//! A school that does not share photos, line managers or teachers, in each form that this can take.

use futures::StreamExt as _;
use mis_sync_wonde::{ClassInclude, EmployeeInclude, EmployeeQuery, Error, Include, WondeId};
use mis_sync_wonde_sim::{Mis, SimulatorOptions, Unsupported};

use super::{World, records};
use crate::fake::including;

const LINKS: [EmployeeInclude; 2] = [EmployeeInclude::Hierarchy, EmployeeInclude::Photo];

async fn integris(unsupported: Unsupported) -> World {
    let mis = Some(Mis::RmIntegris);
    World::start(SimulatorOptions { mis, unsupported, ..SimulatorOptions::default() }).await
}

#[tokio::test]
async fn nulls_in_place_of_an_include_are_not_delivered() {
    let world = integris(Unsupported::Null).await;
    for employee in world.employees(&including(&LINKS)).await {
        assert_eq!(employee.hierarchy, Include::Missing);
        assert!(employee.photo.delivered().is_none());
    }
    for class in records(world.client.classes(&[ClassInclude::Employees], None, None)).await {
        assert!(class.employees.delivered().is_none());
    }
}

#[tokio::test]
async fn empty_includes_are_delivered_and_a_photo_of_nulls_has_no_image() {
    let world = integris(Unsupported::Empty).await;
    for employee in world.employees(&including(&LINKS)).await {
        assert_eq!(employee.hierarchy, Include::Delivered(Vec::<WondeId>::new()));
        let photo = employee.photo.delivered().unwrap().as_ref().unwrap();
        assert_eq!((&photo.id, photo.bytes(1)), (&None, Ok(None)));
    }
    for class in records(world.client.classes(&[ClassInclude::Employees], None, None)).await {
        assert!(class.employees.delivered().is_some_and(Vec::is_empty));
    }
}

#[tokio::test]
async fn a_forbidden_include_is_named_and_the_list_without_it_is_read() {
    let world = integris(Unsupported::Forbidden).await;
    for (include, expected) in [
        (EmployeeInclude::Hierarchy, "employee-hierarchy.read"),
        (EmployeeInclude::Photo, "employee-photo.read"),
    ] {
        let mut pages = Box::pin(world.client.employees(&including(&[include]), None));
        match pages.next().await.unwrap() {
            Err(Error::Forbidden { scope }) => assert_eq!(scope.as_deref(), Some(expected)),
            other => panic!("{other:?}"),
        }
    }
    let mut pages = Box::pin(world.client.classes(&[ClassInclude::Employees], None, None));
    match pages.next().await.unwrap() {
        Err(Error::Forbidden { scope }) => {
            assert_eq!(scope.as_deref(), Some("class-employees.read"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.employees(&EmployeeQuery::default()).await.len(), 45);
    assert!(!records(world.client.classes(&[], None, None)).await.is_empty());
}
