/* x86-64 with AVX2, as all have since it also has FMA and BMI2. */
#include "sets.h"
#include "signs.h"

#if X86
#define TARGET AVX2_TARGET

/* ---- dot products ---- */

TARGET INLINE void dot_words(const char *const *rows, const char *weight, int64_t groups,
                             int64_t words, int panels, block sums) {
    groups += words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS) {
        __m256i sum[ROWS][2];
        UNROLL (int r = 0; r < ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
        for (int64_t i = 0; i < groups; i++) {
            const __m256i *w = (const __m256i *)(weight + i * GROUP * OUTPUTS);
            __m256i left = _mm256_loadu_si256(w), right = _mm256_loadu_si256(w + 1);
            UNROLL (int r = 0; r < ROWS; r++) {
                __m256i x = _mm256_set1_epi32(group_at(rows[r], i));
                sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, left));
                sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, right));
            }
        }
        UNROLL (int r = 0; r < ROWS; r++) {
            _mm256_storeu_si256((__m256i *)sums[r][v], sum[r][0]);
            _mm256_storeu_si256((__m256i *)(sums[r][v] + 8), sum[r][1]);
        }
    }
}

#include "templates/dot_ones.h"

typedef uint32_t bits_8 __attribute__((vector_size(32)));
#define LANE uint32_t
#define WORD bits_8
#include "templates/harley_seal.h"

/* ---- layers ---- */

#define NAME words
#define DOT dot_words
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#define NAME bytes
#define DOT dot_ones
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#include "templates/narrow.h"

#define NAME signs
#define DOT dot_signs
#define FINISH sums_of_signs
#include "templates/convolve.h"

#include "sets/vector_8.h"

#define UNIT 2
#define WIDTH 8
#define DOT dot_words
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 8
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

#define VECTOR 32
#define HELD 4
#include "templates/gradient_block.h"

const set bitswap_avx2 = {words, bytes, 0, narrow, signs, &pixels_of_set, &blocks_of_set, gradient};
#endif
