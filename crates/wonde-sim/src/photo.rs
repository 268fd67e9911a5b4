//! Staff photos: small, valid images drawn from a number, different for every person and change;
//! and odd ones that cannot be imported.

mod jpeg;
mod png;
mod webp;

use ring::digest;

use crate::school::Photo;

/// Far larger than any staff photo.
const TOO_LARGE_BYTES: usize = 3 * 1024 * 1024 + 1;

/// The content of a photo's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    /// An image: mostly PNG, sometimes JPEG or WebP.
    Drawn,
    /// Text instead of an image.
    Text,
    /// A PNG that is too large.
    TooLarge,
    /// Nothing.
    Empty,
}

impl Image {
    /// Files that cannot be imported.
    pub(crate) const ODD: [Self; 3] = [Self::Text, Self::TooLarge, Self::Empty];
}

impl Photo {
    /// The file.
    pub(crate) fn file(&self) -> Vec<u8> {
        match self.image {
            Image::Drawn => drawn(self.seed),
            Image::Text => format!("No photo on record ({:016x}).\n", self.seed).into_bytes(),
            Image::TooLarge => {
                let mut file = png::file(self.seed);
                file.resize(TOO_LARGE_BYTES, 0);
                file
            }
            Image::Empty => Vec::new(),
        }
    }

    /// The lower-case hexadecimal SHA-256 of the file.
    pub(crate) fn hash(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, &self.file()))
    }
}

/// One image in eight is a JPEG, one a WebP.
fn drawn(seed: u64) -> Vec<u8> {
    match seed >> 15 & 7 {
        0 => jpeg::file(seed),
        1 => webp::file(seed),
        _ => png::file(seed),
    }
}
