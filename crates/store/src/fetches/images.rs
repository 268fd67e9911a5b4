use mis_sync_domain::{Photo, PhotoRecord, plan::MappedPage};
use ring::digest::{SHA256, digest};
use sqlx::PgPool;

use crate::Error;

/// Images of a page, column by column.
#[derive(Default)]
pub(super) struct Images {
    pub(super) hashes: Vec<String>,
    pub(super) types: Vec<&'static str>,
    pub(super) contents: Vec<Vec<u8>>,
}

impl Images {
    /// Takes the images out of a page and leaves their hashes. An image that is already stored is
    /// not sent to the database again.
    pub(super) async fn take_from(pool: &PgPool, page: &mut MappedPage) -> Result<Self, Error> {
        let mut images = Vec::new();
        for (wonde_id, photo) in std::mem::take(&mut page.photos) {
            let hash = match photo {
                PhotoRecord::Without => None,
                PhotoRecord::Image(photo) => {
                    let hash = hex::encode(digest(&SHA256, &photo.content));
                    images.push((hash.clone(), photo));
                    Some(hash)
                }
            };
            page.photo_hashes.push((wonde_id, hash));
        }
        if images.is_empty() {
            return Ok(Self::default());
        }
        let hashes: Vec<&str> = images.iter().map(|(hash, _)| hash.as_str()).collect();
        let stored = sqlx::query_scalar!(
            "SELECT hash FROM staff_photo WHERE hash = ANY($1)",
            &hashes as &[&str],
        )
        .fetch_all(pool)
        .await?;
        let mut columns = Self::default();
        for (hash, Photo { kind, content }) in images {
            if !stored.contains(&hash) {
                columns.hashes.push(hash);
                columns.types.push(kind.as_str());
                columns.contents.push(content);
            }
        }
        Ok(columns)
    }
}
