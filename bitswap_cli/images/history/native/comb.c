/* What coefficients say of the steps that they are multiples of; see history/evidence.py. */

#include "history.h"

enum { STEPS = 256 };

/* Add what a table says of each step from 2 to `end` - 1 and of the distance of a coefficient to
   its next multiple. Sizes are below 2^24, so that quotients are off by 1 at most. */
INLINE void score_in(int32_t size, int32_t end, const float *inverse, int32_t far,
                     const int32_t *table, int32_t *sums) {
    int32_t at[STEPS];
    for (int32_t step = 2; step < end; step++) {
        const int32_t whole = step * UNIT;
        const int32_t near = size - (int32_t)((float)size * inverse[step]) * whole;
        const int32_t rest = near < 0 ? near + whole : near >= whole ? near - whole : near;
        const int32_t other = whole - rest, least = rest < other ? rest : other;
        const int32_t distance = (int32_t)((uint32_t)least / (UNIT / 16));
        at[step] = step * (far + 1) + (distance < far ? distance : far);
    }
    for (int32_t step = 2; step < end; step++) sums[step] += table[at[step]];
}

#if X86
AVX2_TARGET static void score_by_avx2(int32_t size, int32_t end, const float *inverse, int32_t far,
                                      const int32_t *table, int32_t *sums) {
    score_in(size, end, inverse, far, table, sums);
}
#endif

static void score(int32_t size, int32_t end, const float *inverse, int32_t far,
                  const int32_t *table, int32_t *sums, int avx2) {
#if X86
    if (avx2) {
        score_by_avx2(size, end, inverse, far, table, sums);
        return;
    }
#endif
    (void)avx2;
    score_in(size, end, inverse, far, table, sums);
}

/* How well each step from 2 to `most`, at most 255, explains the coefficients of `count` blocks, at
   each place: the sum, over those of more than `least` (in 1 / UNIT), of what `table` says of a
   step and of the distance to its next multiple, in 16ths, at most `far`; `zero` less where that
   multiple is 0. Sums are below 2^31. */
EXPORT void bitswap_history_comb(const int32_t *told, int64_t count, int64_t least, int64_t most,
                                 int64_t far, int64_t zero, const int32_t *table, int64_t *scores) {
    const int avx2 = processor_has(AVX2);
    float inverse[STEPS];
    for (int step = 2; step < STEPS; step++) inverse[step] = 1.f / (float)(step * UNIT);
    for (int k = 0; k < 64; k++) {
        int32_t sums[STEPS] = {0};
        int64_t none[STEPS + 1] = {0}; /* how many have 0 as next multiple of this step, and more */
        for (int64_t b = 0; b < count; b++) {
            const int32_t size = told[64 * b + k] < 0 ? -told[64 * b + k] : told[64 * b + k];
            if (size <= least) continue;
            const int64_t large = 2 * size / UNIT + 1, end = large <= most ? large : most + 1;
            none[end]++;
            score(size, (int32_t)end, inverse, (int32_t)far, table, sums, avx2);
        }
        for (int64_t step = 1, sum = none[0]; step <= most; step++) {
            sum += none[step];
            if (step > 1) scores[STEPS * k + step] += sums[step] - zero * sum;
        }
    }
}
