/* What the exact layers of kernel.c and pixels.c share: how numbers are multiplied.
 *
 * A layer multiplies values in groups of 4 bytes, that is 2 of 16 bits or, where all are in 0..255
 * and the machine can, 4 of 8: one instruction multiplies a group with the weights of 8 or 16
 * outputs, a panel or half of one.
 */
#ifndef BITSWAP_LAYERS_H
#define BITSWAP_LAYERS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#if defined(_MSC_VER)
#define restrict __restrict
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")
#else
#define INLINE static inline
#define UNROLL
#endif

#if defined(__x86_64__) && defined(__GNUC__) && !defined(PORTABLE) /* PORTABLE: for tests */
#define X86 1
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#endif

enum { LIMIT = 32767 };
enum { PLAIN, WITH_AVX2, WITH_AVX512, WITH_VNNI, VARIANTS };
enum { OUTPUTS = 16 }; /* of a panel of weights */
enum { PANELS = 4 };   /* at most, of one pass over a patch */
enum { ROWS = 6 };     /* pixels of a block: ROWS * PANELS sums fit the registers of AVX-512 */
enum { GROUP = 4 };    /* bytes */

INLINE int32_t clip(int32_t value, int32_t low, int32_t high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* memcpy, without a call for the few bytes that most copies have. */
INLINE void copy(char *to, const char *from, int64_t n) {
#define ENDS(SIZE) memcpy(to, from, SIZE), memcpy(to + n - SIZE, from + n - SIZE, SIZE)
    if (n > 32) memcpy(to, from, (size_t)n);
    else if (n >= 16) ENDS(16);
    else if (n >= 8) ENDS(8);
    else if (n >= 4) ENDS(4);
    else if (n >= 2) ENDS(2);
    else *to = *from;
#undef ENDS
}

/* ---- dot products of ROWS patches with some panels of weights ----
 *
 * A patch is `groups` groups of a layer's values, then `words` groups of 16-bit values. */

typedef int32_t block[ROWS][PANELS][OUTPUTS];

INLINE int32_t group_at(const char *row, int64_t i) {
    int32_t group;
    memcpy(&group, row + i * GROUP, sizeof group);
    return group;
}

#if X86
/* What every x86-64 has, SSE2: compilers do not find its multiplication of pairs. */
INLINE void dot_plain(const char *const *rows, const char *weight, int64_t groups, int64_t words,
                      int panels, block sums) {
    enum { PARTS = OUTPUTS / 4, TOGETHER = ROWS / 2 };
    groups += words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int first = 0; first < ROWS; first += TOGETHER) {
            __m128i sum[TOGETHER][PARTS];
            UNROLL for (int r = 0; r < TOGETHER; r++)
                UNROLL for (int p = 0; p < PARTS; p++) sum[r][p] = _mm_setzero_si128();
            for (int64_t i = 0; i < groups; i++) {
                const __m128i *w = (const __m128i *)(weight + i * GROUP * OUTPUTS);
                UNROLL for (int r = 0; r < TOGETHER; r++) {
                    __m128i x = _mm_set1_epi32(group_at(rows[first + r], i));
                    UNROLL for (int p = 0; p < PARTS; p++) {
                        __m128i products = _mm_madd_epi16(x, _mm_loadu_si128(w + p));
                        sum[r][p] = _mm_add_epi32(sum[r][p], products);
                    }
                }
            }
            for (int r = 0; r < TOGETHER; r++)
                memcpy(sums[first + r][v], sum[r], sizeof sum[r]);
        }
}
#else
INLINE void dot_plain(const char *const *rows, const char *weight, int64_t groups, int64_t words,
                      int panels, block sums) {
    groups += words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int r = 0; r < ROWS; r++) {
            int32_t sum[OUTPUTS] = {0};
            for (int64_t i = 0; i < groups; i++) {
                const int16_t *w = (const int16_t *)(weight + i * GROUP * OUTPUTS);
                int16_t x[2];
                memcpy(x, rows[r] + i * GROUP, sizeof x);
                for (int o = 0; o < OUTPUTS; o++) sum[o] += w[2 * o] * x[0] + w[2 * o + 1] * x[1];
            }
            memcpy(sums[r][v], sum, sizeof sum);
        }
}
#endif

#if X86
AVX2 INLINE void dot_avx2(const char *const *rows, const char *weight, int64_t groups,
                          int64_t words, int panels, block sums) {
    groups += words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS) {
        __m256i sum[ROWS][2];
        UNROLL for (int r = 0; r < ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
        for (int64_t i = 0; i < groups; i++) {
            const __m256i *w = (const __m256i *)(weight + i * GROUP * OUTPUTS);
            __m256i left = _mm256_loadu_si256(w), right = _mm256_loadu_si256(w + 1);
            UNROLL for (int r = 0; r < ROWS; r++) {
                __m256i x = _mm256_set1_epi32(group_at(rows[r], i));
                sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, left));
                sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, right));
            }
        }
        UNROLL for (int r = 0; r < ROWS; r++) {
            _mm256_storeu_si256((__m256i *)sums[r][v], sum[r][0]);
            _mm256_storeu_si256((__m256i *)(sums[r][v] + 8), sum[r][1]);
        }
    }
}

/* Keep the sums of a row in registers: GCC would begin all rows first, and run out of them. */
#define KEEP(sum) __asm__ volatile("" : "+x"(sum[0]), "+x"(sum[1]))

/* The same for values in 0..255 and weights in -1..1: 16 bits add up the products of some groups. */
AVX2 INLINE void dot_avx2_ones(const char *const *rows, const char *weight, int64_t groups,
                               int64_t words, int panels, block sums) {
    enum { MOST = LIMIT / (2 * 255) };
    (void)words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int64_t from = 0; from < groups; from += MOST) {
            const int64_t to = from + MOST < groups ? from + MOST : groups;
            __m256i sum[ROWS][2];
            UNROLL for (int r = 0; r < ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
            for (int64_t i = from; i < to; i++) {
                const __m256i *w = (const __m256i *)(weight + i * GROUP * OUTPUTS);
                __m256i left = _mm256_loadu_si256(w), right = _mm256_loadu_si256(w + 1);
                UNROLL for (int r = 0; r < ROWS; r++) {
                    __m256i x = _mm256_set1_epi32(group_at(rows[r], i));
                    sum[r][0] = _mm256_add_epi16(sum[r][0], _mm256_maddubs_epi16(x, left));
                    sum[r][1] = _mm256_add_epi16(sum[r][1], _mm256_maddubs_epi16(x, right));
                    KEEP(sum[r]);
                }
            }
            UNROLL for (int r = 0; r < ROWS; r++)
                UNROLL for (int half = 0; half < 2; half++) {
                    __m256i *all = (__m256i *)(sums[r][v] + 8 * half);
                    __m256i more = _mm256_madd_epi16(sum[r][half], _mm256_set1_epi16(1));
                    if (from) more = _mm256_add_epi32(more, _mm256_loadu_si256(all));
                    _mm256_storeu_si256(all, more);
                }
        }
}

/* The same for every kind of AVX-512, which differ in how they multiply and add. */
#define ADD_GROUPS(FROM, TO, ADD_PRODUCTS)                                                         \
    for (int64_t i = FROM; i < TO; i++) {                                                          \
        __m512i w[PANELS];                                                                         \
        UNROLL for (int v = 0; v < panels; v++)                                                    \
            w[v] = _mm512_loadu_si512(weight + (v * all + i) * GROUP * OUTPUTS);                   \
        UNROLL for (int r = 0; r < ROWS; r++) {                                                    \
            __m512i x = _mm512_set1_epi32(group_at(rows[r], i));                                   \
            UNROLL for (int v = 0; v < panels; v++)                                                \
                sum[r][v] = ADD_PRODUCTS(sum[r][v], x, w[v]);                                      \
        }                                                                                          \
    }
#define DOT_512(NAME, TARGET, ADD_PRODUCTS, ADD_WORDS)                                             \
    TARGET INLINE void NAME##_panels(const char *const *rows, const char *weight, int64_t groups,  \
                                     int64_t words, const int panels, block sums) {                \
        const int64_t all = groups + words;                                                        \
        __m512i sum[ROWS][PANELS];                                                                 \
        UNROLL for (int r = 0; r < ROWS; r++)                                                      \
            UNROLL for (int v = 0; v < panels; v++) sum[r][v] = _mm512_setzero_si512();            \
        ADD_GROUPS(0, groups, ADD_PRODUCTS)                                                        \
        ADD_GROUPS(groups, all, ADD_WORDS)                                                         \
        UNROLL for (int r = 0; r < ROWS; r++)                                                      \
            UNROLL for (int v = 0; v < panels; v++) _mm512_storeu_si512(sums[r][v], sum[r][v]);    \
    }                                                                                              \
    TARGET INLINE void NAME(const char *const *rows, const char *weight, int64_t groups,           \
                            int64_t words, int panels, block sums) {                               \
        switch (panels) {                                                                          \
            case 1: NAME##_panels(rows, weight, groups, words, 1, sums); break;                    \
            case 2: NAME##_panels(rows, weight, groups, words, 2, sums); break;                    \
            case 3: NAME##_panels(rows, weight, groups, words, 3, sums); break;                    \
            default: NAME##_panels(rows, weight, groups, words, PANELS, sums);                     \
        }                                                                                          \
    }

#define MULTIPLY_THEN_ADD(sum, x, w) _mm512_add_epi32(sum, _mm512_madd_epi16(x, w))
DOT_512(dot_avx512, AVX512, MULTIPLY_THEN_ADD, MULTIPLY_THEN_ADD)
DOT_512(dot_vnni, VNNI, _mm512_dpwssd_epi32, _mm512_dpwssd_epi32)
DOT_512(dot_bytes, VNNI, _mm512_dpbusd_epi32, _mm512_dpwssd_epi32)
#endif

#endif
