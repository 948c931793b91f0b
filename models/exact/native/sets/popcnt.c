/* x86-64 with POPCNT: layers of signs. */
#include "sets.h"
#include "signs.h"

#if X86
#define TARGET POPCNT_TARGET

TARGET INLINE void dot_signs(const char *const *rows, const char *weight, int64_t groups,
                             int64_t words, int panels, block sums) {
    (void)words;
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int o = 0; o < OUTPUTS; o++) {
            const char *w = weight + o * GROUP;
            int64_t sum[ROWS] = {0}, i = 0;
            for (; i + 2 <= groups; i += 2) {
                uint64_t low = (uint32_t)group_at(w, i * OUTPUTS);
                uint64_t word = low | (uint64_t)(uint32_t)group_at(w, (i + 1) * OUTPUTS) << 32;
                UNROLL (int r = 0; r < ROWS; r++) {
                    uint64_t x;
                    memcpy(&x, rows[r] + i * GROUP, sizeof x);
                    sum[r] += __builtin_popcountll(x ^ word);
                }
            }
            if (i < groups)
                for (int r = 0; r < ROWS; r++)
                    sum[r] += __builtin_popcount(
                        (uint32_t)(group_at(rows[r], i) ^ group_at(w, i * OUTPUTS)));
            for (int r = 0; r < ROWS; r++) sums[r][v][o] = (int32_t)sum[r];
        }
}

#define NAME signs
#define DOT dot_signs
#define FINISH sums_of_signs
#include "templates/convolve.h"

const set bitswap_popcnt = {.signs = signs};
#endif
