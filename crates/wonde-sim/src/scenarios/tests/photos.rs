use super::*;
use crate::photo::Image;

/// The photo of a person after a story.
fn photo(story: &Story, id: &str) -> Option<crate::school::Photo> {
    story.school.employee(id.parse().unwrap()).unwrap().photo
}

#[test]
fn three_odd_photos_are_no_image_too_large_and_empty() {
    let story = Story::tell(ScenarioName::OddPhotos);
    let files: Vec<Vec<u8>> =
        story.touched.iter().map(|id| photo(&story, id).unwrap().file()).collect();
    assert_eq!(files.len(), 3);
    assert!(files[0].is_ascii() && !files[0].is_empty());
    assert!(files[1].starts_with(b"\x89PNG\r\n\x1a\n") && files[1].len() > 3 * 1024 * 1024);
    assert!(files[2].is_empty());
    for (before, after) in story.changes() {
        assert!(before.has_photo && before.photo_hash.is_some());
        assert_eq!((after.has_photo, &after.photo_hash), (false, &None));
    }
    story.assert_others_stayed();
}

#[test]
fn odd_photos_are_taken_in_turn_and_mended_by_new_ones() {
    let story = Story::tell(counted(ScenarioName::OddPhotos, 4));
    let images: Vec<Image> =
        story.touched.iter().map(|id| photo(&story, id).unwrap().image).collect();
    assert_eq!(images, [Image::Text, Image::TooLarge, Image::Empty, Image::Text]);
    let named = Scenario { staff: story.touched.clone(), ..ScenarioName::NewPhoto.into() };
    let mended = Story::go_on(story.school, &named);
    assert!(mended.changes().iter().all(|(before, after)| !before.has_photo && after.has_photo));
}

#[test]
fn a_removed_photo_is_gone() {
    let story = Story::tell(counted(ScenarioName::PhotoRemoved, 2));
    assert_eq!(story.touched.len(), 2);
    for (before, after) in story.changes() {
        assert!(before.has_photo);
        assert_eq!((after.has_photo, &after.photo_hash), (false, &None));
    }
    story.assert_others_stayed();
    assert!(story.touched.iter().all(|id| photo(&story, id).is_none()));
}

#[test]
fn a_school_has_photos_of_every_format() {
    let school = school(200);
    let starts: HashSet<Vec<u8>> = school
        .employees
        .iter()
        .filter_map(|person| Some(person.photo?.file()[..3].to_vec()))
        .collect();
    let wanted: [&[u8]; 3] = [b"\x89PN", b"\xff\xd8\xff", b"RIF"];
    assert_eq!(starts, wanted.into_iter().map(<[u8]>::to_vec).collect());
}
