/* Eight rows of eight numbers -> eight columns. */

#ifndef BITSWAP_TRANSPOSE_H
#define BITSWAP_TRANSPOSE_H

#include "processor.h"

INLINE void transpose(const int32_t *restrict in, int32_t *restrict out) {
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) out[8 * x + y] = in[8 * y + x];
}

#if X86
AVX2_TARGET INLINE void transpose_by_avx2(const int32_t *in, int32_t *out) {
    __m256i pairs[8], fours[8];
    for (int y = 0; y < 8; y += 2) {
        const __m256i a = _mm256_loadu_si256((const void *)(in + 8 * y));
        const __m256i b = _mm256_loadu_si256((const void *)(in + 8 * y + 8));
        pairs[y] = _mm256_unpacklo_epi32(a, b), pairs[y + 1] = _mm256_unpackhi_epi32(a, b);
    }
    for (int y = 0; y < 8; y += 4)
        for (int n = 0; n < 2; n++) {
            const __m256i a = pairs[y + n], b = pairs[y + n + 2];
            fours[y + 2 * n] = _mm256_unpacklo_epi64(a, b);
            fours[y + 2 * n + 1] = _mm256_unpackhi_epi64(a, b);
        }
    for (int x = 0; x < 4; x++) {
        const __m256i low = _mm256_permute2x128_si256(fours[x], fours[x + 4], 0x20);
        const __m256i high = _mm256_permute2x128_si256(fours[x], fours[x + 4], 0x31);
        _mm256_storeu_si256((void *)(out + 8 * x), low);
        _mm256_storeu_si256((void *)(out + 8 * (x + 4)), high);
    }
}
#endif

#endif
