//! Pictures of staff.

use std::fmt;

use crate::{IssueCode, job::named};

/// Larger images are refused.
pub const MAX_PHOTO_BYTES: usize = 2 * 1024 * 1024;

named!(
    /// The image formats that iP shows. The first bytes of the file decide, nothing else.
    PhotoType, "type of photo", {
        /// JPEG.
        Jpeg = "image/jpeg",
        /// PNG.
        Png = "image/png",
        /// WebP.
        Webp = "image/webp",
    }
);

impl PhotoType {
    /// The format of a file; `None` if iP cannot show it.
    pub fn sniff(file: &[u8]) -> Option<Self> {
        match file {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }
}

/// An image that can be stored. `Debug` does not print its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    pub kind: PhotoType,
    /// The bytes of the file.
    pub content: Vec<u8>,
}

impl Photo {
    /// Accepts a file of at most [`MAX_PHOTO_BYTES`] in one of the formats of [`PhotoType`].
    pub fn from_file(content: Vec<u8>) -> Result<Self, IssueCode> {
        if content.len() > MAX_PHOTO_BYTES {
            return Err(IssueCode::PhotoTooLarge);
        }
        let kind = PhotoType::sniff(&content).ok_or(IssueCode::PhotoUnreadable)?;
        Ok(Self { kind, content })
    }
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Photo").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What the MIS says about a person's photo. If it says nothing, there is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoRecord {
    /// The person has no photo.
    Without,
    /// The person has this photo.
    Image(Photo),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_told_by_the_content() {
        let files: [(&[u8], Option<PhotoType>); 7] = [
            (b"\xff\xd8\xff\xe0 rest", Some(PhotoType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n rest", Some(PhotoType::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8L", Some(PhotoType::Webp)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"GIF89a", None),
            (b"<svg onload=\"alert(1)\"/>", None),
            (b"", None),
        ];
        for (file, kind) in files {
            assert_eq!(PhotoType::sniff(file), kind);
        }
        for kind in PhotoType::ALL {
            assert_eq!(kind.as_str().parse::<PhotoType>().as_ref(), Ok(kind));
        }
    }

    #[test]
    fn a_photo_has_a_largest_size() {
        let mut file = b"\xff\xd8\xff\xe0".to_vec();
        file.resize(MAX_PHOTO_BYTES, 0);
        assert!(Photo::from_file(file.clone()).is_ok());
        file.push(0);
        assert_eq!(Photo::from_file(file), Err(IssueCode::PhotoTooLarge));
        assert_eq!(Photo::from_file(b"no image".to_vec()), Err(IssueCode::PhotoUnreadable));
    }
}
