//! A small, valid PNG: a 5 × 5 pattern in one colour.

/// Pixels of one side. One bit a pixel: a row is five bytes.
const SIDE: u32 = 40;
const ROW_BYTES: usize = 5;
/// Pixels of one block of the 5 × 5 pattern.
const BLOCK: usize = 8;

pub(super) fn file(seed: u64) -> Vec<u8> {
    let colour = seed.to_le_bytes();
    let mut png = Vec::with_capacity(400);
    png.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&SIDE.to_be_bytes());
    header.extend_from_slice(&SIDE.to_be_bytes());
    // One bit a pixel, palette, default compression, filter and no interlace.
    header.extend_from_slice(&[1, 3, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"PLTE", &[245, 245, 245, colour[5], colour[6], colour[7]]);
    chunk(&mut png, *b"IDAT", &stored_zlib(&pixels(seed)));
    chunk(&mut png, *b"IEND", &[]);
    png
}

/// Rows of a 5 × 5 pattern that is its own mirror image, each row led by its filter byte.
fn pixels(seed: u64) -> Vec<u8> {
    let mut rows = Vec::with_capacity((ROW_BYTES + 1) * ROW_BYTES * BLOCK);
    for line in 0..5 {
        let bit = |column: u32| if seed >> (line * 3 + column) & 1 == 1 { 0xff } else { 0 };
        for _ in 0..BLOCK {
            rows.extend_from_slice(&[0, bit(0), bit(1), bit(2), bit(1), bit(0)]);
        }
    }
    rows
}

/// A zlib stream of one uncompressed block.
fn stored_zlib(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("240 bytes of pixels fit in one block");
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(data);
    let (mut low, mut high) = (1_u32, 0_u32);
    for &byte in data {
        low = (low + u32::from(byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    stream.extend_from_slice(&((high << 16) | low).to_be_bytes());
    stream
}

/// One chunk with its length and checksum.
fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a chunk of a few hundred bytes");
    png.extend_from_slice(&length.to_be_bytes());
    png.extend_from_slice(&kind);
    png.extend_from_slice(data);
    let sum = kind.iter().chain(data).fold(u32::MAX, |sum, &byte| {
        CRC_TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8)
    });
    png.extend_from_slice(&(!sum).to_be_bytes());
}

/// The CRC-32 of each single byte.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte: u32 = 0;
    while byte < 256 {
        let mut sum = byte;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
            bit += 1;
        }
        table[byte as usize] = sum;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        // The check value of CRC-32 is that of "123456789"; here it stands after its length.
        let mut png = Vec::new();
        chunk(&mut png, *b"1234", b"56789");
        assert_eq!(png[png.len() - 4..], 0xcbf4_3926_u32.to_be_bytes());
        // Adler-32 of "Wikipedia" is the usual example.
        let stream = stored_zlib(b"Wikipedia");
        assert_eq!(stream[stream.len() - 4..], 0x11e6_0398_u32.to_be_bytes());
    }
}
