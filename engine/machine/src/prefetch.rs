//! Asks the processor to bring memory closer before it is needed.
#![allow(unsafe_code)] // one instruction without a safe name

/// Starts loading the cache line that holds `place`. A hint: it never faults and changes nothing. Elsewhere than on x86-64 it
/// does nothing.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch of any address is defined; this one comes from a reference.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Starts loading the first `LINES` cache lines of a row that begins with one.
#[inline(always)]
pub fn prefetch_lines<const LINES: usize, T>(row: &T) {
    const LINE: usize = 64;
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = std::ptr::from_ref(row).cast::<i8>();
        for line in 0..LINES.min(size_of::<T>().div_ceil(LINE)) {
            // SAFETY: as above; the address lies within the row.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(line * LINE)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}
