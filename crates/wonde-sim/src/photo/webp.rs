//! A small, valid lossless WebP: forty by forty pixels of one colour.

/// Pixels of one side.
const SIDE: u64 = 40;

pub(super) fn file(seed: u64) -> Vec<u8> {
    let stream = stream(seed);
    let length = u32::try_from(stream.len()).expect("a stream of a few bytes");
    // Chunks are filled up to an even length that their own length does not count.
    let filled = length.next_multiple_of(2);
    let mut webp = b"RIFF".to_vec();
    webp.extend_from_slice(&(filled + 12).to_le_bytes());
    webp.extend_from_slice(b"WEBPVP8L");
    webp.extend_from_slice(&length.to_le_bytes());
    webp.extend_from_slice(&stream);
    webp.resize(webp.len().next_multiple_of(2), 0);
    webp
}

/// The signature, the size, and five codes of one symbol each, so that the pixels themselves take no bits.
fn stream(seed: u64) -> Vec<u8> {
    let [.., red, green, blue] = seed.to_le_bytes();
    let mut bits = Bits::default();
    bits.put(0x2f, 8);
    bits.put(SIDE - 1, 14);
    bits.put(SIDE - 1, 14);
    // No transparency, version 0; no transform, no colour cache, one group of codes.
    bits.put(0, 1 + 3 + 3);
    for colour in [green, red, blue, 0xff] {
        // A simple code of one symbol, which is written with eight bits.
        bits.put(0b101, 3);
        bits.put(u64::from(colour), 8);
    }
    // Distances: a simple code of one symbol, written with one bit, 0.
    bits.put(0b0001, 4);
    bits.bytes
}

/// Bits are put into bytes from the lowest on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    /// Puts the lowest `width` bits of `value`.
    fn put(&mut self, value: u64, width: usize) {
        for place in 0..width {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> place & 1 == 1);
            *self.bytes.last_mut().expect("a byte was pushed") |= bit << (self.count % 8);
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_size_are_as_the_container_says() {
        let webp = file(0xfedc_ba98_7654_3210);
        let number = |at: usize| u32::from_le_bytes(webp[at..at + 4].try_into().unwrap());
        assert_eq!((&webp[..4], &webp[8..16]), (&b"RIFF"[..], &b"WEBPVP8L"[..]));
        assert_eq!(number(4), u32::try_from(webp.len()).unwrap() - 8);
        assert_eq!(number(16).next_multiple_of(2), u32::try_from(webp.len()).unwrap() - 20);
        assert_eq!(webp[20], 0x2f);
        let size = number(21);
        assert_eq!((size & 0x3fff, size >> 14 & 0x3fff), (39, 39));
    }
}
