//! Sums of products of 8-bit dimensions: what a search by meaning spends its time on.
//!
//! One plain loop, compiled for each kind of processor; which one runs is decided when the program does. The sums are whole numbers, so
//! all of them give the same.

use embedding::DIMENSIONS;
use fearless_simd::Level;

/// The sum of products of a query with each row of [`DIMENSIONS`] values, in their order.
pub(crate) fn dots(level: Level, query: &[i8; DIMENSIONS], rows: &[i8], sums: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(level) = level.as_avx512() {
            return dots_avx512(level, query, rows, sums);
        }
        if let Some(level) = level.as_avx2() {
            return dots_avx2(level, query, rows, sums);
        }
    }
    let _ = level;
    plain(query, rows, sums);
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    fn dots_avx512(_level: Avx512, query: &[i8; DIMENSIONS], rows: &[i8], sums: &mut [i32]) {
        plain(query, rows, sums);
    }
);

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    fn dots_avx2(_level: Avx2, query: &[i8; DIMENSIONS], rows: &[i8], sums: &mut [i32]) {
        plain(query, rows, sums);
    }
);

/// Inlined, so that it is compiled for the processor of whoever calls it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would leave what the processor can do behind")]
fn plain(query: &[i8; DIMENSIONS], rows: &[i8], sums: &mut [i32]) {
    for (row, sum) in rows.chunks_exact(DIMENSIONS).zip(sums) {
        *sum = query.iter().zip(row).map(|(left, right)| i32::from(*left) * i32::from(*right)).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_gives_the_same_sums() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i8::try_from(i64::from(u8::try_from(state >> 56).expect("8 bits")) - 128).expect("8 bits")
        };
        let mut query = [0; DIMENSIONS];
        query.fill_with(&mut next);
        // The outermost values too: nothing may overflow on the way.
        let mut rows: Vec<i8> = (0..DIMENSIONS * 30).map(|_| next()).collect();
        rows.extend([i8::MIN; DIMENSIONS]);
        rows.extend([i8::MAX; DIMENSIONS]);
        for query in [query, [i8::MIN; DIMENSIONS], [i8::MAX; DIMENSIONS]] {
            let exact: Vec<i64> = rows
                .chunks(DIMENSIONS)
                .map(|row| row.iter().zip(&query).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum())
                .collect();
            let mut sums = vec![0; exact.len()];
            plain(&query, &rows, &mut sums);
            assert!(sums.iter().map(|sum| i64::from(*sum)).eq(exact.iter().copied()), "the plain loop");
            #[cfg(target_arch = "x86_64")]
            {
                if let Some(level) = Level::new().as_avx2() {
                    sums.fill(0);
                    dots_avx2(level, &query, &rows, &mut sums);
                    assert!(sums.iter().map(|sum| i64::from(*sum)).eq(exact.iter().copied()), "AVX2");
                }
                if let Some(level) = Level::new().as_avx512() {
                    sums.fill(0);
                    dots_avx512(level, &query, &rows, &mut sums);
                    assert!(sums.iter().map(|sum| i64::from(*sum)).eq(exact.iter().copied()), "AVX-512");
                }
            }
        }
    }
}
