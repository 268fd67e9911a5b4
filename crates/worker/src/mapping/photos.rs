//! Photos.

use mis_sync_domain::{Issue, IssueCode, MAX_PHOTO_BYTES, Photo, PhotoRecord, plan::MappedPage};
use mis_sync_wonde::{Employee, Include, Page, PhotoError};

/// Maps the photos of a page of staff. If a record cannot be read, or says nothing about a photo,
/// iP's picture stays.
pub fn map_photos(page: &Page<Employee>) -> MappedPage {
    let mut mapped = MappedPage::default();
    for (place, record) in (0..).zip(&page.records) {
        let Ok(employee) = record else { continue };
        let wonde_id = employee.id.as_str().to_owned();
        match photo(employee) {
            Ok(None) => {}
            Ok(Some(photo)) => mapped.photos.push((wonde_id, photo)),
            Err(code) => mapped.issues.push((place, Issue { code, wonde_id: Some(wonde_id) })),
        }
    }
    mapped
}

/// `None` if the MIS does not say.
fn photo(employee: &Employee) -> Result<Option<PhotoRecord>, IssueCode> {
    let photo = match &employee.photo {
        Include::Missing => return Ok(None),
        Include::Delivered(None) => return Ok(Some(PhotoRecord::Without)),
        Include::Delivered(Some(photo)) => photo,
    };
    match photo.bytes(MAX_PHOTO_BYTES) {
        Ok(None) => Ok(None),
        Ok(Some(file)) => Ok(Some(PhotoRecord::Image(Photo::from_file(file)?))),
        Err(PhotoError::TooLarge { .. }) => Err(IssueCode::PhotoTooLarge),
        Err(PhotoError::NotBase64) => Err(IssueCode::PhotoUnreadable),
    }
}

#[cfg(test)]
mod tests {
    use mis_sync_domain::PhotoType;
    use serde_json::{Value, json};

    use super::*;

    fn map(photo: &Value) -> MappedPage {
        let record = json!({ "id": "A1", "photo": photo });
        let records = vec![Ok(serde_json::from_value(record).unwrap())];
        map_photos(&Page { records, next: None })
    }

    #[test]
    fn an_image_is_taken_whatever_wonde_calls_it() {
        let mapped = map(&json!({ "data": { "id": "A9", "content": "/9j/4AAQSkZJRg==" } }));
        let (wonde_id, PhotoRecord::Image(photo)) = &mapped.photos[0] else { panic!("no image") };
        assert_eq!((wonde_id.as_str(), photo.kind), ("A1", PhotoType::Jpeg));
        assert!(mapped.issues.is_empty());
    }

    #[test]
    fn no_photo_is_told_from_nothing_said() {
        let none = map(&json!({ "data": null }));
        assert_eq!(none.photos, [("A1".into(), PhotoRecord::Without)]);
        for unsaid in [Value::Null, json!({ "data": { "id": null, "content": null } })] {
            assert!(map(&unsaid).photos.is_empty());
        }
    }

    #[test]
    fn what_is_no_image_is_an_issue_of_that_person() {
        let large = "A".repeat(MAX_PHOTO_BYTES * 4 / 3 + 8);
        for (content, code) in [
            ("bm8gaW1hZ2U=", IssueCode::PhotoUnreadable),
            ("%%%", IssueCode::PhotoUnreadable),
            (large.as_str(), IssueCode::PhotoTooLarge),
        ] {
            let mapped = map(&json!({ "data": { "content": content } }));
            assert!(mapped.photos.is_empty());
            let issue = Issue { code, wonde_id: Some("A1".into()) };
            assert_eq!(mapped.issues, [(0, issue)]);
        }
    }
}
