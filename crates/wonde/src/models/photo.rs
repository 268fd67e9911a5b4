use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;

use super::id::{self, WondeId};
use super::shape;

/// A photo of a person. `Debug` prints only the id.
#[derive(Clone, Default, Deserialize)]
pub struct Photo {
    /// Wonde's id of the photo, not of the person.
    #[serde(default, deserialize_with = "id::optional")]
    pub id: Option<WondeId>,
    /// The image as text. It is private, so that nothing can print it: see [`Photo::bytes`].
    #[serde(default, deserialize_with = "shape::text")]
    content: Option<String>,
}

/// The photo cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// It is larger than the caller allows, and was not decoded.
    #[error("the photo has {size} bytes, more than the {max} allowed")]
    TooLarge {
        /// Size of the image in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    #[error("the photo is not valid base64")]
    NotBase64,
}

impl Photo {
    /// The image file in any format, at most `max` bytes; `None` if no content was delivered, which
    /// does not mean that there is no photo.
    ///
    /// Both alphabets of base64 are accepted, with or without padding, white space and the head of
    /// a data URL. The limit is checked before anything is decoded.
    pub fn bytes(&self, max: usize) -> Result<Option<Vec<u8>>, PhotoError> {
        let Some(content) = &self.content else { return Ok(None) };
        let blank = |letter: char| letter.is_ascii_whitespace();
        let letters = without_head(content)?.trim_end_matches(|end| blank(end) || end == '=');
        let letters = || letters.bytes().filter(|letter| !letter.is_ascii_whitespace());
        let count = letters().count();
        // Four letters are three bytes; two or three letters at the end are one or two bytes.
        let size = count / 4 * 3 + count % 4 * 3 / 4;
        if size > max {
            return Err(PhotoError::TooLarge { size, max });
        }
        let standard: Vec<u8> = letters().map(to_standard).collect();
        // The decoder's own error is dropped, because it quotes the content.
        let image = STANDARD_NO_PAD.decode(standard).map_err(|_quoting| PhotoError::NotBase64)?;
        Ok((!image.is_empty()).then_some(image))
    }
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Photo").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What follows `data:image/png;base64,`, or everything if there is no such head. Base64 cannot
/// begin like one, because it has no colon.
fn without_head(content: &str) -> Result<&str, PhotoError> {
    let content = content.trim_start();
    if !content.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return Ok(content);
    }
    let (head, image) = content.split_once(',').ok_or(PhotoError::NotBase64)?;
    if head.trim_end().to_ascii_lowercase().ends_with(";base64") {
        Ok(image)
    } else {
        Err(PhotoError::NotBase64)
    }
}

/// The URL-safe alphabet differs in two letters.
fn to_standard(letter: u8) -> u8 {
    match letter {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn photo(content: &str) -> Photo {
        serde_json::from_value(json!({"id": "A8", "hash": "5f70", "content": content})).unwrap()
    }

    #[test]
    fn every_writing_of_an_image_gives_its_bytes() {
        let image = vec![0xfb, 0xef, 0xff, 0x01];
        let writings = [
            "++//AQ==",
            "--__AQ==",
            "++__AQ",
            "++//AQ=",
            " ++/\r\n/A\tQ= = \n",
            "data:image/png;base64,++//AQ==",
            "DATA:image/jpeg;charset=x;Base64, ++//AQ",
            "\n data:;base64,--__AQ",
        ];
        for writing in writings {
            assert_eq!(photo(writing).bytes(4), Ok(Some(image.clone())), "{writing}");
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for content in [
            "<html>no photo</html>",
            "https://photos.example/8.png",
            "AQ=A",
            "AQIDB",
            "AQIDé",
            "data:image/png,AQID",
            "data:image/png;base64",
        ] {
            assert_eq!(photo(content).bytes(100), Err(PhotoError::NotBase64), "{content}");
        }
    }

    #[test]
    fn no_content_is_not_an_image() {
        for json in [
            json!({}),
            json!({"id": null, "hash": null, "content": null}),
            json!({"content": ""}),
            json!({"content": " \n"}),
            json!({"content": []}),
            json!({"content": "data:image/png;base64,"}),
        ] {
            let photo: Photo = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(photo.bytes(0), Ok(None), "{json}");
        }
    }

    #[test]
    fn the_limit_holds_to_the_byte_and_before_decoding() {
        for (content, size) in [("AQ", 1), ("AQI=", 2), ("AQID", 3), ("AQIDBA", 4)] {
            assert!(photo(content).bytes(size).is_ok_and(|image| image.is_some()), "{content}");
            let refused = photo(content).bytes(size - 1);
            assert_eq!(refused, Err(PhotoError::TooLarge { size, max: size - 1 }), "{content}");
        }
        // The size is checked before the encoding: nothing was decoded.
        let long = "?".repeat(4_000);
        let refused = photo(&long).bytes(2_999);
        assert_eq!(refused, Err(PhotoError::TooLarge { size: 3_000, max: 2_999 }));
    }

    #[test]
    fn nothing_of_the_image_is_shown() {
        let bad = photo("c2VjcmV0!");
        let error = bad.bytes(100).unwrap_err();
        let shown = format!("{bad:?} {error} {error:?}");
        assert!(shown.contains("A8"), "{shown}");
        assert!(!shown.contains("c2Vj") && !shown.contains("5f70"), "{shown}");
    }

    proptest! {
        #[test]
        fn an_image_survives_either_alphabet(image in prop::collection::vec(any::<u8>(), 1..300)) {
            for content in [STANDARD.encode(&image), URL_SAFE_NO_PAD.encode(&image)] {
                prop_assert_eq!(photo(&content).bytes(image.len()), Ok(Some(image.clone())));
                let less = image.len() - 1;
                let too_large = PhotoError::TooLarge { size: image.len(), max: less };
                prop_assert_eq!(photo(&content).bytes(less), Err(too_large));
            }
        }

        #[test]
        fn no_content_panics_or_passes_the_limit(content in ".{0,80}", max in 0_usize..40) {
            if let Ok(Some(image)) = photo(&content).bytes(max) {
                prop_assert!(image.len() <= max);
            }
        }
    }
}
