/* What every processor has; of x86-64 that is SSE2. */
#include "sets.h"
#include "signs.h"

#define TARGET

/* ---- dot products ---- */

#if X86
/* Compilers do not find SSE2's multiplication of pairs. */
INLINE void dot_words(const char *const *rows, const char *weight, int64_t groups, int64_t words,
                      int panels, block sums) {
    enum { PARTS = OUTPUTS / 4, TOGETHER = ROWS / 2 };
    groups += words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int first = 0; first < ROWS; first += TOGETHER) {
            __m128i sum[TOGETHER][PARTS];
            UNROLL (int r = 0; r < TOGETHER; r++)
                UNROLL (int p = 0; p < PARTS; p++) sum[r][p] = _mm_setzero_si128();
            for (int64_t i = 0; i < groups; i++) {
                const __m128i *w = (const __m128i *)(weight + i * GROUP * OUTPUTS);
                UNROLL (int r = 0; r < TOGETHER; r++) {
                    __m128i x = _mm_set1_epi32(group_at(rows[first + r], i));
                    UNROLL (int p = 0; p < PARTS; p++) {
                        __m128i products = _mm_madd_epi16(x, _mm_loadu_si128(w + p));
                        sum[r][p] = _mm_add_epi32(sum[r][p], products);
                    }
                }
            }
            for (int r = 0; r < TOGETHER; r++) memcpy(sums[first + r][v], sum[r], sizeof sum[r]);
        }
}
#else
INLINE void dot_words(const char *const *rows, const char *weight, int64_t groups, int64_t words,
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

#if defined(__GNUC__) && !defined(PORTABLE)
typedef uint32_t bits_4 __attribute__((vector_size(16)));
#define LANE uint32_t
#define WORD bits_4
#else
#define LANE uint64_t
#define WORD uint64_t
#endif
#include "templates/harley_seal.h"

/* ---- layers ---- */

#define NAME words
#define DOT dot_words
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#define NAME signs
#define DOT dot_signs
#define FINISH sums_of_signs
#include "templates/convolve.h"

#include "sets/vector_1.h"

#define UNIT 2
#define WIDTH 1
#define DOT dot_words
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 1
#include "templates/mixtures.h"

#include "templates/blocks.h"

#if defined(__GNUC__)
#define VECTOR 16
#define HELD 4
#include "templates/gradient_block.h"
#endif

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

const set bitswap_plain = {
    .words = words,
    .signs = signs,
    .pixels = &pixels_of_set,
    .blocks = &blocks_of_set,
#if defined(__GNUC__)
    .gradient = gradient,
#endif
};
