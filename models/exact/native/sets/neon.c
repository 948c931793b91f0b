/* ARM's NEON, which all 64-bit processors have. */
#include "sets.h"
#include "signs.h"

#if ARM
#define TARGET NEON_TARGET

/* ---- dot products ---- */

#include "templates/dot_neon.h"

/* How many bits differ; a byte adds up the counts of some groups. */
TARGET INLINE void dot_signs(const char *const *rows, const char *weight, int64_t groups,
                             int64_t words, int panels, block sums) {
    enum { MOST = 255 / 8, PAIR = 2 };
    (void)words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int first = 0; first < ROWS; first += PAIR) {
            uint32x4_t total[PAIR][PARTS];
            UNROLL (int r = 0; r < PAIR; r++)
                UNROLL (int p = 0; p < PARTS; p++) total[r][p] = vdupq_n_u32(0);
            for (int64_t from = 0; from < groups; from += MOST) {
                const int64_t to = least(from + MOST, groups);
                uint8x16_t count[PAIR][PARTS];
                UNROLL (int r = 0; r < PAIR; r++)
                    UNROLL (int p = 0; p < PARTS; p++) count[r][p] = vdupq_n_u8(0);
                for (int64_t i = from; i < to; i++) {
                    const uint8_t *w = (const uint8_t *)weight + i * GROUP * OUTPUTS;
                    UNROLL (int r = 0; r < PAIR; r++) {
                        int32_t bits = group_at(rows[first + r], i);
                        uint8x16_t x = vreinterpretq_u8_s32(vdupq_n_s32(bits));
                        UNROLL (int p = 0; p < PARTS; p++) {
                            uint8x16_t differ = veorq_u8(x, vld1q_u8(w + 16 * p));
                            count[r][p] = vaddq_u8(count[r][p], vcntq_u8(differ));
                        }
                    }
                }
                UNROLL (int r = 0; r < PAIR; r++)
                    UNROLL (int p = 0; p < PARTS; p++)
                        total[r][p] = vpadalq_u16(total[r][p], vpaddlq_u8(count[r][p]));
            }
            UNROLL (int r = 0; r < PAIR; r++)
                UNROLL (int p = 0; p < PARTS; p++)
                    vst1q_s32(sums[first + r][v] + 4 * p, vreinterpretq_s32_u32(total[r][p]));
        }
}

/* ---- layers ---- */

#define NAME words
#define DOT dot_words
#define FINISH AS_THEY_ARE
#include "templates/convolve.h"

#define NAME signs
#define DOT dot_signs
#define FINISH sums_of_signs
#include "templates/convolve.h"

#include "sets/vector_4.h"

#define UNIT 2
#define WIDTH 4
#define DOT dot_words
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 4
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

/* The plain gradient has vectors of 16 bytes, too. */
const set bitswap_neon = {words, 0, 0, 0, signs, &pixels_of_set, &blocks_of_set, 0};
#endif
