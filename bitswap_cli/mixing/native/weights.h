/* A set of weights and the inputs that it weighs: their sum, and how the weights move.
 *
 * A file that defines VECTORS has AVX2. Inputs are stored one by one just before they are weighed:
 * a vector that is loaded from there would have to wait until all of them have left the processor,
 * so it is put together from single ones.
 */
#ifndef BITSWAP_MIXING_WEIGHTS_H
#define BITSWAP_MIXING_WEIGHTS_H

#include "processor.h"
#include "tables.h"

enum { WEIGHT_LIMIT = 4 * 65536 - 16 };

TARGET INLINE int32_t clip(int32_t value, int32_t low, int32_t high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

#if defined(VECTORS)

/* Inputs in the order in which eight and eight weights are packed: 0-3, 8-11, 4-7, 12-15. */
typedef struct {
    __m256i half[2];
} weighed;

#define NEXT(x, i, from) x = _mm_insert_epi16(x, (from)[(i) & 3], i)

TARGET INLINE __m128i eight(const volatile int16_t *low, const volatile int16_t *high) {
    __m128i x = _mm_cvtsi32_si128(low[0]);
    NEXT(x, 1, low), NEXT(x, 2, low), NEXT(x, 3, low);
    NEXT(x, 4, high), NEXT(x, 5, high), NEXT(x, 6, high), NEXT(x, 7, high);
    return x;
}

TARGET INLINE void gather_inputs(weighed *x, const int16_t *inputs, int width) {
    for (int k = 0; k < width / 16; k++) {
        const int16_t *own = inputs + 16 * k;
        x->half[k] = _mm256_set_m128i(eight(own + 4, own + 12), eight(own, own + 8));
    }
}

/* The sum of 1/16 of the weights times the inputs. */
TARGET INLINE int32_t weigh(const weighed *x, const int32_t *set, int width) {
    __m256i sum = _mm256_setzero_si256();
    for (int k = 0; k < width / 16; k++) {
        const __m256i *w = (const __m256i *)(set + 16 * k);
        const __m256i low = _mm256_srai_epi32(_mm256_loadu_si256(w), 4);
        const __m256i high = _mm256_srai_epi32(_mm256_loadu_si256(w + 1), 4);
        const __m256i packed = _mm256_packs_epi32(low, high); /* which they fit */
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(packed, x->half[k]));
    }
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

/* Move a weight by input * own / 2^(14 - haste), rounded. */
TARGET INLINE void move(const weighed *x, int32_t *set, int16_t own, int width, int haste) {
    const __m256i most = _mm256_set1_epi32(WEIGHT_LIMIT), least = _mm256_set1_epi32(-WEIGHT_LIMIT);
    for (int k = 0; k < width / 16; k++) {
        __m256i *w = (__m256i *)(set + 16 * k);
        const __m256i more = _mm256_slli_epi16(x->half[k], 1 + haste);
        const __m256i by = _mm256_mulhrs_epi16(more, _mm256_set1_epi16(own));
        __m256i low = _mm256_srai_epi32(_mm256_unpacklo_epi16(by, by), 16);
        __m256i high = _mm256_srai_epi32(_mm256_unpackhi_epi16(by, by), 16);
        low = _mm256_add_epi32(low, _mm256_loadu_si256(w));
        high = _mm256_add_epi32(high, _mm256_loadu_si256(w + 1));
        _mm256_storeu_si256(w, _mm256_max_epi32(_mm256_min_epi32(low, most), least));
        _mm256_storeu_si256(w + 1, _mm256_max_epi32(_mm256_min_epi32(high, most), least));
    }
}

#else

typedef struct {
    const int16_t *all;
} weighed;

TARGET INLINE void gather_inputs(weighed *x, const int16_t *inputs, int width) {
    (void)width;
    x->all = inputs;
}

TARGET INLINE int32_t weigh(const weighed *x, const int32_t *set, int width) {
    int32_t sum = 0;
    for (int i = 0; i < width; i++) sum += (int16_t)(set[i] >> 4) * x->all[i];
    return sum;
}

/* It is rounded as one instruction of 16 bits does, which compilers know by this. */
TARGET INLINE void move(const weighed *x, int32_t *set, int16_t own, int width, int haste) {
    for (int i = 0; i < width; i++) {
        int16_t more = (int16_t)(x->all[i] * (2 << haste));
        int32_t w = set[i] + (int16_t)((((int32_t)more * own >> 14) + 1) >> 1);
        set[i] = clip(w, -WEIGHT_LIMIT, WEIGHT_LIMIT);
    }
}

#endif

#endif
