/* ARM's dot products of four signed bytes, of many processors since ARMv8.2. */
#include "sets.h"

#if defined(DOTPROD_TARGET)
#define TARGET DOTPROD_TARGET

/* ---- dot products ---- */

#include "templates/dot_neon.h"

/* Values in 0..255 are no signed bytes, but less 128 they are: w x = w (x - 128) + 128 w. */
TARGET INLINE void dot_bytes(const char *const *rows, const char *weight, int64_t groups,
                             int64_t words, int panels, block sums) {
    const int64_t all = groups + words;
    for (int v = 0; v < panels; v++, weight += all * GROUP * OUTPUTS) {
        int32x4_t added[PARTS];
        UNROLL (int p = 0; p < PARTS; p++) added[p] = vdupq_n_s32(0);
        for (int64_t i = 0; i < groups; i++) {
            const int8_t *w = (const int8_t *)weight + i * GROUP * OUTPUTS;
            UNROLL (int p = 0; p < PARTS; p++)
                added[p] = vdotq_s32(added[p], vld1q_s8(w + 16 * p), vdupq_n_s8(64));
        }
        UNROLL (int p = 0; p < PARTS; p++) added[p] = vshlq_n_s32(added[p], 1);
        for (int first = 0; first < ROWS; first += TOGETHER) {
            int32x4_t sum[TOGETHER][PARTS];
            UNROLL (int r = 0; r < TOGETHER; r++)
                UNROLL (int p = 0; p < PARTS; p++) sum[r][p] = added[p];
            for (int64_t i = 0; i < groups; i++) {
                const int8_t *w = (const int8_t *)weight + i * GROUP * OUTPUTS;
                UNROLL (int r = 0; r < TOGETHER; r++) {
                    uint32_t less = (uint32_t)group_at(rows[first + r], i) ^ 0x80808080u;
                    int8x16_t x = vreinterpretq_s8_u32(vdupq_n_u32(less));
                    UNROLL (int p = 0; p < PARTS; p++)
                        sum[r][p] = vdotq_s32(sum[r][p], vld1q_s8(w + 16 * p), x);
                }
            }
            for (int64_t i = groups; i < all; i++)
                add_words(sum, rows + first, weight + i * GROUP * OUTPUTS, i);
            store_sums(sum, first, v, sums);
        }
    }
}

/* ---- layers ---- */

#include "templates/convolutions.h"

#include "sets/vector_4.h"

#define UNIT 1
#define WIDTH 4
#define DOT dot_bytes
#include "templates/dense.h"
#include "templates/pixels.h"

#define WIDTH 4
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

const set bitswap_dotprod = {words, bytes, 1, narrow, 0, &pixels_of_set, &blocks_of_set, 0};
#endif
