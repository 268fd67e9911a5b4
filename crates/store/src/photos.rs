//! Pictures of staff in iP.

use mis_sync_domain::{PhotoType, SchoolId, StaffId};
use sqlx::PgPool;

use crate::Error;

/// Whether a person has a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldPhoto {
    NoSuchPerson,
    /// The person has no picture.
    Without,
    /// The person has this picture. Its content is read separately, by [`content`].
    Image {
        /// SHA-256 (hex) of the content.
        hash: String,
        /// The format.
        kind: PhotoType,
    },
}

/// The picture of a person, without its content.
pub async fn of_person(
    pool: &PgPool,
    school_id: &SchoolId,
    staff_id: StaffId,
) -> Result<HeldPhoto, Error> {
    let row = sqlx::query!(
        r#"
        SELECT p.hash AS "hash?", p.content_type AS "content_type?"
        FROM staff s LEFT JOIN staff_photo p ON p.hash = s.photo_hash
        WHERE s.school_id = $1 AND s.id = $2
        "#,
        school_id.as_str(),
        staff_id.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(HeldPhoto::NoSuchPerson) };
    let (Some(hash), Some(content_type)) = (row.hash, row.content_type) else {
        return Ok(HeldPhoto::Without);
    };
    match content_type.parse() {
        Ok(kind) => Ok(HeldPhoto::Image { hash, kind }),
        Err(_) => {
            Err(Error::Inconsistent { table: "staff_photo", column: "content_type", id: hash })
        }
    }
}

/// The file of an image; `None` if it is no longer stored.
pub async fn content(pool: &PgPool, hash: &str) -> Result<Option<Vec<u8>>, Error> {
    let content = sqlx::query_scalar!("SELECT content FROM staff_photo WHERE hash = $1", hash)
        .fetch_optional(pool)
        .await?;
    Ok(content)
}
