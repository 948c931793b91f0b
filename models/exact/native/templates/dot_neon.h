/* A dot product with NEON; a set of instructions includes this with TARGET, the attribute of every
 * function. */
#include "layers.h"

enum { PARTS = OUTPUTS / 4, TOGETHER = ROWS / 2 }; /* rows whose sums the registers hold */

/* Add the products of group i, which has values of 16 bits; its weights are at `weight`. */
TARGET INLINE void add_words(int32x4_t sum[TOGETHER][PARTS], const char *const *rows,
                             const char *weight, int64_t i) {
    const int16_t *w = (const int16_t *)weight;
    int16x8x2_t left = vld2q_s16(w), right = vld2q_s16(w + OUTPUTS);
    UNROLL (int r = 0; r < TOGETHER; r++) {
        int16x4_t x = vreinterpret_s16_s32(vdup_n_s32(group_at(rows[r], i)));
        sum[r][0] = vmlal_lane_s16(sum[r][0], vget_low_s16(left.val[0]), x, 0);
        sum[r][1] = vmlal_high_lane_s16(sum[r][1], left.val[0], x, 0);
        sum[r][2] = vmlal_lane_s16(sum[r][2], vget_low_s16(right.val[0]), x, 0);
        sum[r][3] = vmlal_high_lane_s16(sum[r][3], right.val[0], x, 0);
        sum[r][0] = vmlal_lane_s16(sum[r][0], vget_low_s16(left.val[1]), x, 1);
        sum[r][1] = vmlal_high_lane_s16(sum[r][1], left.val[1], x, 1);
        sum[r][2] = vmlal_lane_s16(sum[r][2], vget_low_s16(right.val[1]), x, 1);
        sum[r][3] = vmlal_high_lane_s16(sum[r][3], right.val[1], x, 1);
    }
}

TARGET INLINE void store_sums(int32x4_t sum[TOGETHER][PARTS], int first, int v, block sums) {
    UNROLL (int r = 0; r < TOGETHER; r++)
        UNROLL (int p = 0; p < PARTS; p++) vst1q_s32(sums[first + r][v] + 4 * p, sum[r][p]);
}

TARGET INLINE void dot_words(const char *const *rows, const char *weight, int64_t groups,
                             int64_t words, int panels, block sums) {
    groups += words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int first = 0; first < ROWS; first += TOGETHER) {
            int32x4_t sum[TOGETHER][PARTS];
            UNROLL (int r = 0; r < TOGETHER; r++)
                UNROLL (int p = 0; p < PARTS; p++) sum[r][p] = vdupq_n_s32(0);
            for (int64_t i = 0; i < groups; i++)
                add_words(sum, rows + first, weight + i * GROUP * OUTPUTS, i);
            store_sums(sum, first, v, sums);
        }
}
