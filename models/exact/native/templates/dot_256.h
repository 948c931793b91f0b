/* A dot product with vectors of 256 bits, half a panel's group each; a set of instructions includes
 * this with
 *   TARGET                the attribute of every function,
 *   DOT, DOT_SOME         names of the dot product, and of that of groups that are `used`,
 *   ADD_GROUP(sum, x, w)  sum plus the products of a group,
 *   ADD_WORD(sum, x, w)   the same for a group of 16-bit values, if that differs.
 */
#include "layers.h"

#ifndef ADD_WORD
#define ADD_WORD ADD_GROUP
#endif

#define ADD_TO_ROWS(ADD)                                                         \
    do {                                                                         \
        const __m256i *w = (const __m256i *)(weight + i * GROUP * OUTPUTS);      \
        __m256i left = _mm256_loadu_si256(w), right = _mm256_loadu_si256(w + 1); \
        UNROLL (int r = 0; r < ROWS; r++) {                                      \
            __m256i x = _mm256_set1_epi32(group_at(rows[r], i));                 \
            sum[r][0] = ADD(sum[r][0], x, left);                                 \
            sum[r][1] = ADD(sum[r][1], x, right);                                \
        }                                                                        \
    } while (0)

TARGET INLINE void DOT_SOME(const char *const *rows, const char *weight, int64_t groups,
                            int64_t words, const int32_t *used, int64_t count, int panels,
                            block sums) {
    const int64_t all = groups + words;
    for (int v = 0; v < panels; v++, weight += all * GROUP * OUTPUTS) {
        __m256i sum[ROWS][2];
        UNROLL (int r = 0; r < ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
        for (int64_t at = 0; at < count; at++) {
            const int64_t i = used ? used[at] : at;
            ADD_TO_ROWS(ADD_GROUP);
        }
        for (int64_t i = groups; i < all; i++) ADD_TO_ROWS(ADD_WORD);
        UNROLL (int r = 0; r < ROWS; r++) {
            _mm256_storeu_si256((__m256i *)sums[r][v], sum[r][0]);
            _mm256_storeu_si256((__m256i *)(sums[r][v] + 8), sum[r][1]);
        }
    }
}

TARGET INLINE void DOT(const char *const *rows, const char *weight, int64_t groups, int64_t words,
                       int panels, block sums) {
    DOT_SOME(rows, weight, groups, words, 0, groups, panels, sums);
}

#undef DOT
#undef DOT_SOME
#undef ADD_GROUP
#undef ADD_WORD
#undef ADD_TO_ROWS
