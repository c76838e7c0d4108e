//! CRC32C of records.

/// Goes on with a CRC32C (Castagnoli) over `bytes`. Start with 0.
#[inline]
pub(super) fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc, bytes)
}
