/* Counters and slots, and how they learn: one by one, and many at once.
 *
 * A file that defines VECTORS has AVX2. Those at once lie apart: none is told twice.
 */
#ifndef BITSWAP_MIXING_COUNTS_H
#define BITSWAP_MIXING_COUNTS_H

#include "processor.h"
#include "tables.h"

enum { COUNTER_LIMIT = 127 };
enum { FRESH = 2048 << 4 }; /* a slot that knows nothing */

/* ---- counters: a probability of 22 bits over a count of 10 ---- */
TARGET INLINE int32_t chance(uint32_t counter) { return (int32_t)(counter >> 16); }

TARGET INLINE void count(const tables *t, uint32_t *counter, int bit, uint32_t limit) {
    uint32_t n = *counter & 1023;
    int32_t p = (int32_t)(*counter >> 10), target = bit ? (1 << 22) - 1 : 0;
    p += (int32_t)(((int64_t)(target - p) * t->rate[n]) >> 16);
    *counter = (uint32_t)p << 10 | (n < limit ? n + 1 : n);
}

/* ---- slots: a probability of 12 bits over a count of 4 ---- */
TARGET INLINE void count_slot(const tables *t, uint16_t *slot, int bit) {
    int32_t n = *slot & 15, p = *slot >> 4;
    p += (((bit ? 4095 : 0) - p) * t->slot_rate[n]) >> 16;
    *slot = (uint16_t)(p << 4 | (n < 15 ? n + 1 : n));
}

TARGET INLINE int state_of(const tables *t, uint16_t slot) {
    return (slot & 15) * LEVELS + t->level[slot >> 4];
}

#if defined(VECTORS)

/* Eight counters after outcomes: all bits 1, or all 0. Their rates, 655360 / (10 n + 16) rounded
 * down, are those of a division of floats: what that errs by is less than what lacks to the next
 * integer. */
TARGET INLINE __m256i counted(__m256i c, __m256i bits, uint32_t limit) {
    const __m256i n = _mm256_and_si256(c, _mm256_set1_epi32(1023));
    const __m256i tenfold = _mm256_mullo_epi16(n, _mm256_set1_epi32(10));
    const __m256 by = _mm256_cvtepi32_ps(_mm256_add_epi32(tenfold, _mm256_set1_epi32(16)));
    const __m256i rate = _mm256_cvttps_epi32(_mm256_div_ps(_mm256_set1_ps(655360), by));
    const __m256i p = _mm256_srli_epi32(c, 10);
    const __m256i left = _mm256_sub_epi32(_mm256_srli_epi32(bits, 10), p);
    const __m256i even = _mm256_srli_epi64(_mm256_mul_epi32(left, rate), 16);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(left, 32), _mm256_srli_epi64(rate, 32));
    odd = _mm256_slli_epi64(odd, 16);
    const __m256i moved = _mm256_add_epi32(p, _mm256_blend_epi32(even, odd, 0xaa));
    const __m256i more = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)limit), n);
    return _mm256_or_si256(_mm256_slli_epi32(moved, 10), _mm256_sub_epi32(n, more));
}

TARGET INLINE __m128i four_of(uint32_t *const *from) {
    __m128i x = _mm_cvtsi32_si128((int)*from[0]);
    x = _mm_insert_epi32(x, (int)*from[1], 1);
    x = _mm_insert_epi32(x, (int)*from[2], 2);
    return _mm_insert_epi32(x, (int)*from[3], 3);
}

TARGET INLINE void put_four(uint32_t *const *to, __m128i x) {
    *to[0] = (uint32_t)_mm_cvtsi128_si32(x), *to[1] = (uint32_t)_mm_extract_epi32(x, 1);
    *to[2] = (uint32_t)_mm_extract_epi32(x, 2), *to[3] = (uint32_t)_mm_extract_epi32(x, 3);
}

TARGET INLINE void count_eight(uint32_t *const *counters, __m256i bits, uint32_t limit) {
    const __m256i all = _mm256_set_m128i(four_of(counters + 4), four_of(counters));
    const __m256i now = counted(all, bits, limit);
    put_four(counters, _mm256_castsi256_si128(now));
    put_four(counters + 4, _mm256_extracti128_si256(now, 1));
}

/* Halves of slots' rates, by their counts, as tables.py has them; they are even. */
#define HALF_RATES(of)                                                                          \
    of(16384), of(12000), of(9000), of(7250), of(6000), of(5250), of(4650), of(4200), of(3800), \
        of(3500), of(3200), of(3000), of(2800), of(2600), of(2450), of(2300)
#define LOW_BYTE(x) (char)((x) & 255)
#define HIGH_BYTE(x) (char)((x) >> 8)

/* Eight slots after an outcome. */
TARGET INLINE __m128i slots_counted(__m128i s, int bit) {
    const __m128i n = _mm_and_si128(s, _mm_set1_epi16(15)), p = _mm_srli_epi16(s, 4);
    const __m128i low = _mm_shuffle_epi8(_mm_setr_epi8(HALF_RATES(LOW_BYTE)),
                                         _mm_or_si128(n, _mm_set1_epi16(-32768)));
    const __m128i high = _mm_shuffle_epi8(_mm_setr_epi8(HALF_RATES(HIGH_BYTE)),
                                          _mm_or_si128(_mm_slli_epi16(n, 8), _mm_set1_epi16(128)));
    const __m128i left = _mm_sub_epi16(_mm_set1_epi16(bit ? 4095 : 0), p);
    const __m128i by = _mm_mulhi_epi16(_mm_slli_epi16(left, 1), _mm_or_si128(low, high));
    const __m128i more = _mm_cmpgt_epi16(_mm_set1_epi16(15), n);
    const __m128i moved = _mm_slli_epi16(_mm_add_epi16(p, by), 4);
    return _mm_or_si128(moved, _mm_sub_epi16(n, more));
}

/* Up to eight slots, which lie apart. */
TARGET INLINE void count_slots(uint16_t *const *slots, int count, int bit) {
    __m128i x = _mm_cvtsi32_si128(*slots[0]);
    if (count > 1) x = _mm_insert_epi16(x, (int16_t)*slots[1], 1);
    if (count > 2) x = _mm_insert_epi16(x, (int16_t)*slots[2], 2);
    if (count > 3) x = _mm_insert_epi16(x, (int16_t)*slots[3], 3);
    if (count > 4) x = _mm_insert_epi16(x, (int16_t)*slots[4], 4);
    if (count > 5) x = _mm_insert_epi16(x, (int16_t)*slots[5], 5);
    if (count > 6) x = _mm_insert_epi16(x, (int16_t)*slots[6], 6);
    if (count > 7) x = _mm_insert_epi16(x, (int16_t)*slots[7], 7);
    x = slots_counted(x, bit);
    *slots[0] = (uint16_t)_mm_extract_epi16(x, 0);
    if (count > 1) *slots[1] = (uint16_t)_mm_extract_epi16(x, 1);
    if (count > 2) *slots[2] = (uint16_t)_mm_extract_epi16(x, 2);
    if (count > 3) *slots[3] = (uint16_t)_mm_extract_epi16(x, 3);
    if (count > 4) *slots[4] = (uint16_t)_mm_extract_epi16(x, 4);
    if (count > 5) *slots[5] = (uint16_t)_mm_extract_epi16(x, 5);
    if (count > 6) *slots[6] = (uint16_t)_mm_extract_epi16(x, 6);
    if (count > 7) *slots[7] = (uint16_t)_mm_extract_epi16(x, 7);
}

#endif

#endif
