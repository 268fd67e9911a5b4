//! Photos: images of every format, odd ones and none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mis_sync_wonde_sim::{Mis, ScenarioName};
use serde_json::{Value, json};

use crate::client::{World, ids, one_school};

/// What the wire shows as a person's photo.
async fn photo(world: &World, person: &str) -> Value {
    world.read(&format!("/employees/{person}?include=photo")).await["data"]["photo"].clone()
}

fn content(photo: &Value) -> Vec<u8> {
    STANDARD.decode(photo["data"]["content"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_photo_is_an_image_with_the_hash_of_the_truth() {
    let world = World::start(one_school(Mis::Isams, 40)).await;
    let truth = world.simulator().truth(&world.school.id).unwrap();
    let listed = world.read_all("/photos").await;
    for person in truth.staff.iter().filter(|person| person.has_photo) {
        let photo = photo(&world, &person.wonde_id).await;
        let image = content(&photo);
        let is_png =
            image.starts_with(b"\x89PNG\r\n\x1a\n") && image.ends_with(b"IEND\xae\x42\x60\x82");
        let is_jpeg = image.starts_with(b"\xff\xd8\xff") && image.ends_with(b"\xff\xd9");
        let is_webp = image.starts_with(b"RIFF") && image[8..].starts_with(b"WEBPVP8L");
        assert!(is_png || is_jpeg || is_webp, "{:?}", &image[..16]);
        assert_eq!(photo["data"]["hash"].as_str(), person.photo_hash.as_deref());
        assert!(ids(&listed).contains(&photo["data"]["id"].as_str().unwrap()));
    }

    let person = truth.staff.iter().find(|person| person.has_photo).unwrap();
    let photo_of_one = photo(&world, &person.wonde_id).await;
    let alone =
        world.read(&format!("/photos/{}", photo_of_one["data"]["id"].as_str().unwrap())).await;
    assert_eq!(alone["data"], photo_of_one["data"]);
    let none = truth.staff.iter().find(|person| !person.has_photo).unwrap();
    assert_eq!(photo(&world, &none.wonde_id).await, json!({"data": null}));
}

#[tokio::test]
async fn odd_photos_are_on_the_wire_and_not_in_the_truth() {
    let world = World::start(one_school(Mis::Sims, 40)).await;
    let (simulator, id) = (world.simulator(), world.school.id.as_str());
    let touched = simulator.apply_scenario(id, ScenarioName::OddPhotos).unwrap().touched;
    let [text, large, empty] = [0, 1, 2].map(|at| touched[at].as_str());
    assert!(std::str::from_utf8(&content(&photo(&world, text).await)).is_ok());
    let large = content(&photo(&world, large).await);
    assert!(large.starts_with(b"\x89PNG") && large.len() > 3 * 1024 * 1024);
    assert_eq!(photo(&world, empty).await["data"]["content"], "");
    let truth = simulator.truth(id).unwrap();
    let odd = truth.staff.iter().filter(|person| touched.contains(&person.wonde_id));
    assert_eq!(odd.filter(|person| !person.has_photo && person.photo_hash.is_none()).count(), 3);
}

#[tokio::test]
async fn a_removed_photo_looks_like_none() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let (simulator, id) = (world.simulator(), world.school.id.as_str());
    let listed = world.read_all("/photos").await.len();
    let touched = simulator.apply_scenario(id, ScenarioName::PhotoRemoved).unwrap().touched;
    assert_eq!(touched.len(), 1);
    assert_eq!(photo(&world, &touched[0]).await, json!({"data": null}));
    assert_eq!(world.read_all("/photos").await.len(), listed - 1);
}
