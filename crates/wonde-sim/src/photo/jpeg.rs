//! A small, valid JPEG: one grey block of 8 × 8 pixels, and a comment that distinguishes two files
//! of the same grey.

/// Start of the image and the JFIF segment: version 1.1, square pixels, no thumbnail.
const START: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
/// Eight pixels by eight, eight bits, one component that uses the tables numbered 0.
const FRAME: &[u8] = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0";
/// The code `0` stands for a mean of seven bits, and in the other table for the end of the block.
const CODES: &[u8] = b"\xff\xc4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\
                       \xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// One scan of the one component, all of it.
const SCAN: &[u8] = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0";
const END: &[u8] = b"\xff\xd9";

pub(super) fn file(seed: u64) -> Vec<u8> {
    let grey = seed.to_le_bytes()[7];
    let mut jpeg = START.to_vec();
    jpeg.extend_from_slice(b"\xff\xfe\0\x0a");
    jpeg.extend_from_slice(&seed.to_be_bytes());
    // One quantisation table: every step is eight.
    jpeg.extend_from_slice(b"\xff\xdb\0\x43\0");
    jpeg.extend_from_slice(&[8; 64]);
    jpeg.extend_from_slice(FRAME);
    jpeg.extend_from_slice(CODES);
    jpeg.extend_from_slice(SCAN);
    // `0`, the seven bits of the mean, `0`, and ones up to the end of the byte.
    jpeg.extend_from_slice(&[grey & 0x7f, 0x7f]);
    jpeg.extend_from_slice(END);
    jpeg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_is_as_long_as_it_says() {
        let jpeg = file(0xfedc_ba98_7654_3210);
        let mut kinds = Vec::new();
        let mut at = 2;
        while kinds.last() != Some(&0xda) {
            assert_eq!(jpeg[at], 0xff);
            kinds.push(jpeg[at + 1]);
            at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        }
        assert_eq!(kinds, [0xe0, 0xfe, 0xdb, 0xc0, 0xc4, 0xc4, 0xda]);
        assert_eq!(jpeg[at..], [0x7e, 0x7f, 0xff, 0xd9]);
    }
}
