/* A layer by dot products of ROWS rows at once; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   DOT     the dot product,
 *   DOT_SOME  the same of groups that are used, if there is such a one,
 *   UNIT    bytes of an activation: 2, or 1 if the dot product is one of bytes,
 *   WIDTH   numbers of a vector.
 */
#include "templates/outputs.h"

#if defined(DOT_SOME)
enum { MOST_GROUPS = 512 };
enum { WORTH = 128 }; /* groups of all panels: what fewer would save is less than finding them */

/* Which groups are not 0 in all rows, and how many these are: units that a rectifier has left at 0
 * need no products. There is room for a vector behind the last. */
TARGET INLINE int64_t used_groups(const char *const *rows, int64_t groups, int32_t *used) {
    int64_t count = 0;
#if WIDTH == 16
    __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int64_t i = 0; i < groups; i += WIDTH) {
        const __mmask16 here = (__mmask16)((1u << least(groups - i, WIDTH)) - 1);
        __m512i any = _mm512_maskz_loadu_epi32(here, rows[0] + i * GROUP);
        UNROLL (int r = 1; r < ROWS; r++)
            any = _mm512_or_si512(any, _mm512_maskz_loadu_epi32(here, rows[r] + i * GROUP));
        const __mmask16 some = _mm512_test_epi32_mask(any, any);
        _mm512_storeu_si512(used + count, _mm512_maskz_compress_epi32(some, places));
        count += __builtin_popcount(some);
        places = _mm512_add_epi32(places, _mm512_set1_epi32(WIDTH));
    }
#else
    int32_t any[MOST_GROUPS];
    for (int64_t i = 0; i < groups; i++) {
        any[i] = group_at(rows[0], i);
        UNROLL (int r = 1; r < ROWS; r++) any[i] |= group_at(rows[r], i);
    }
    for (int64_t i = 0; i < groups; i++) {
        used[count] = (int32_t)i;
        count += any[i] != 0;
    }
#endif
    return count;
}
#endif

TARGET static void dense_layer(const dense *l, const strip *m) {
    const int64_t passes = (l->panels + PANELS - 1) / PANELS;
    const int64_t most_panels = (l->panels + passes - 1) / passes;
    const int64_t bytes = (l->groups + l->words) * GROUP * OUTPUTS; /* of a panel */
    for (int64_t first = 0; first < m->count; first += ROWS) {
        const char *x[ROWS];
        for (int r = 0; r < ROWS; r++) x[r] = m->x + (first + r) * m->from;
#if defined(DOT_SOME)
        int32_t used[MOST_GROUPS + WIDTH];
        const int hidden = !l->words && l->groups <= MOST_GROUPS && l->groups * l->panels >= WORTH;
        const int64_t count = hidden ? used_groups(x, l->groups, used) : l->groups;
#endif
        for (int64_t v = 0; v < l->panels; v += most_panels) {
            const int some = (int)least(l->panels - v, most_panels);
            block sums;
#if defined(DOT_SOME)
            if (count < l->groups)
                DOT_SOME(x, l->weight + v * bytes, l->groups, 0, used, count, some, sums);
            else
#endif
                DOT(x, l->weight + v * bytes, l->groups, l->words, some, sums);
            for (int s = 0; s < some; s++)
                finish(l, m, first, least(first + ROWS, m->count), v + s, sums[0][s],
                       PANELS * OUTPUTS);
        }
    }
}

#undef DOT
#undef DOT_SOME
