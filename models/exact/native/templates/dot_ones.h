/* A dot product with AVX2 for weights in -1..1; a set of instructions includes this with TARGET,
 * the attribute of the function. */
#include "layers.h"

/* Keep the sums of a row in registers: GCC would begin all rows first, and run out of them. */
#define KEEP(sum) __asm__ volatile("" : "+x"(sum[0]), "+x"(sum[1]))

/* Of values in 0..255, 16 bits add up the products of some groups. */
TARGET INLINE void dot_ones(const char *const *rows, const char *weight, int64_t groups,
                            int64_t words, int panels, block sums) {
    enum { MOST = LIMIT / (2 * 255) };
    (void)words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int64_t from = 0; from < groups; from += MOST) {
            const int64_t to = from + MOST < groups ? from + MOST : groups;
            __m256i sum[ROWS][2];
            UNROLL (int r = 0; r < ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
            for (int64_t i = from; i < to; i++) {
                const __m256i *w = (const __m256i *)(weight + i * GROUP * OUTPUTS);
                __m256i left = _mm256_loadu_si256(w), right = _mm256_loadu_si256(w + 1);
                UNROLL (int r = 0; r < ROWS; r++) {
                    __m256i x = _mm256_set1_epi32(group_at(rows[r], i));
                    sum[r][0] = _mm256_add_epi16(sum[r][0], _mm256_maddubs_epi16(x, left));
                    sum[r][1] = _mm256_add_epi16(sum[r][1], _mm256_maddubs_epi16(x, right));
                    KEEP(sum[r]);
                }
            }
            UNROLL (int r = 0; r < ROWS; r++)
                UNROLL (int half = 0; half < 2; half++) {
                    __m256i *all = (__m256i *)(sums[r][v] + 8 * half);
                    __m256i more = _mm256_madd_epi16(sum[r][half], _mm256_set1_epi16(1));
                    if (from) more = _mm256_add_epi32(more, _mm256_loadu_si256(all));
                    _mm256_storeu_si256(all, more);
                }
        }
}
