/* A dot product with vectors of 512 bits, a panel's group each; a set of instructions includes this
 * with
 *   TARGET                the attribute of every function,
 *   DOT, DOT_OF           names of the dot product, and of that with a fixed number of panels,
 *   DOT_SOME              the name of that of some groups only, those that are `used`,
 *   ADD_GROUP(sum, x, w)  sum plus the products of a group,
 *   ADD_WORD(sum, x, w)   the same for a group of 16-bit values, if that differs.
 */
#include "layers.h"

#ifndef ADD_WORD
#define ADD_WORD ADD_GROUP
#endif

TARGET INLINE void DOT_OF(const char *const *rows, const char *weight, int64_t groups,
                          int64_t words, const int32_t *used, int64_t count, const int panels,
                          block sums) {
    const int64_t all = groups + words;
    __m512i sum[ROWS][PANELS], w[PANELS];
    UNROLL (int r = 0; r < ROWS; r++)
        UNROLL (int v = 0; v < panels; v++) sum[r][v] = _mm512_setzero_si512();
    for (int64_t at = 0; at < count; at++) {
        const int64_t i = used ? used[at] : at;
        UNROLL (int v = 0; v < panels; v++)
            w[v] = _mm512_loadu_si512(weight + (v * all + i) * GROUP * OUTPUTS);
        UNROLL (int r = 0; r < ROWS; r++) {
            __m512i x = _mm512_set1_epi32(group_at(rows[r], i));
            UNROLL (int v = 0; v < panels; v++) sum[r][v] = ADD_GROUP(sum[r][v], x, w[v]);
        }
    }
    for (int64_t i = groups; i < all; i++) {
        UNROLL (int v = 0; v < panels; v++)
            w[v] = _mm512_loadu_si512(weight + (v * all + i) * GROUP * OUTPUTS);
        UNROLL (int r = 0; r < ROWS; r++) {
            __m512i x = _mm512_set1_epi32(group_at(rows[r], i));
            UNROLL (int v = 0; v < panels; v++) sum[r][v] = ADD_WORD(sum[r][v], x, w[v]);
        }
    }
    UNROLL (int r = 0; r < ROWS; r++)
        UNROLL (int v = 0; v < panels; v++) _mm512_storeu_si512(sums[r][v], sum[r][v]);
}

TARGET INLINE void DOT_SOME(const char *const *rows, const char *weight, int64_t groups,
                            int64_t words, const int32_t *used, int64_t count, int panels,
                            block sums) {
    switch (panels) {
        case 1: DOT_OF(rows, weight, groups, words, used, count, 1, sums); break;
        case 2: DOT_OF(rows, weight, groups, words, used, count, 2, sums); break;
        case 3: DOT_OF(rows, weight, groups, words, used, count, 3, sums); break;
        default: DOT_OF(rows, weight, groups, words, used, count, PANELS, sums);
    }
}

TARGET INLINE void DOT(const char *const *rows, const char *weight, int64_t groups, int64_t words,
                       int panels, block sums) {
    DOT_SOME(rows, weight, groups, words, 0, groups, panels, sums);
}

#undef DOT
#undef DOT_OF
#undef DOT_SOME
#undef ADD_GROUP
#undef ADD_WORD
