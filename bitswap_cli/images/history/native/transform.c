/* The DCT without a decoder's rounding, for searches; see transform.h. */

#include "transform.h"

/* 2^17 times half the cosine of k pi / 16. */
static const int32_t COSINES[8] = {65536, 64277, 60547, 54491, 46341, 36410, 25080, 12785};

/* 2^17 times sample x of the orthonormal basis function u of eight samples. */
static int64_t wave(int u, int x) {
    const int turn = (2 * x + 1) * u % 32, half = turn > 16 ? 32 - turn : turn;
    if (!u) return COSINES[4];
    return half == 8 ? 0 : half < 8 ? COSINES[half] : -COSINES[16 - half];
}

void arrange(transform *t) {
    for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++) t->wave[u][x] = t->turned[x][u] = (int32_t)wave(u, x);
    t->avx2 = processor_has(AVX2);
    for (int k = 0; k < 64; k++)
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++)
                t->basis[k][8 * y + x] =
                    (int32_t)((wave(ZIGZAG[k] / 8, y) * wave(ZIGZAG[k] % 8, x)) >> 18);
}

/* Each row becomes a column of the sums over x of in[x] factors[x][u], shifted down: the waves of
   its samples, or the samples of its waves. */
INLINE void lines_of(const int32_t factors[8][8], const int32_t *in, int32_t *out, int shift) {
    const int64_t half = (int64_t)1 << (shift - 1);
    for (int y = 0; y < 8; y++) {
        int64_t sums[8];
        for (int u = 0; u < 8; u++) sums[u] = half;
        for (int x = 0; x < 8; x++) {
            const int64_t value = in[8 * y + x];
            for (int u = 0; u < 8; u++) sums[u] += value * factors[x][u];
        }
        for (int u = 0; u < 8; u++) out[8 * u + y] = (int32_t)(sums[u] >> shift);
    }
}

INLINE void forward_in(const transform *t, const int32_t in[64], int32_t out[64]) {
    int32_t between[64], sums[64];
    lines_of(t->turned, in, between, 9);
    lines_of(t->turned, between, sums, 25);
    for (int k = 0; k < 64; k++) out[k] = sums[ZIGZAG[k]];
}

INLINE void unfold_in(const transform *t, const int32_t *told, int32_t out[64]) {
    int32_t in[64], between[64];
    for (int k = 0; k < 64; k++) in[ZIGZAG[k]] = told[k];
    lines_of(t->wave, in, between, 9);
    lines_of(t->wave, between, out, 33 - FINE);
    for (int p = 0; p < 64; p++) out[p] += 128 << FINE;
}

#if X86
AVX2_TARGET static void forward_by_avx2(const transform *t, const int32_t *in, int32_t *out) {
    forward_in(t, in, out);
}

AVX2_TARGET static void unfold_by_avx2(const transform *t, const int32_t *told, int32_t *out) {
    unfold_in(t, told, out);
}
#endif

void forward(const transform *t, const int32_t in[64], int32_t out[64]) {
#if X86
    if (t->avx2) {
        forward_by_avx2(t, in, out);
        return;
    }
#endif
    forward_in(t, in, out);
}

void unfold(const transform *t, const int32_t *told, int32_t out[64]) {
#if X86
    if (t->avx2) {
        unfold_by_avx2(t, told, out);
        return;
    }
#endif
    unfold_in(t, told, out);
}

void rounded(const int32_t *told, const quantizer *q, int16_t *block) {
    for (int k = 0; k < 64; k++) {
        const int32_t step = q->fine[k], half = step / 2;
        block[k] = (int16_t)(told[k] < 0 ? -((half - told[k]) / step) : (told[k] + half) / step);
    }
}

void backward(const transform *t, const int16_t *block, const quantizer *q, int32_t out[64]) {
    int64_t sums[64] = {0};
    for (int k = 0; k < 64; k++)
        if (block[k]) {
            const int64_t value = block[k] * (int64_t)q->fine[k];
            for (int p = 0; p < 64; p++) sums[p] += value * t->basis[k][p];
        }
    for (int p = 0; p < 64; p++)
        out[p] =
            (int32_t)((sums[p] + ((int64_t)UNIT << (15 - FINE))) >> (24 - FINE)) + (128 << FINE);
}

/* Coefficients, in units of 1 / UNIT, of `count` blocks of samples in units of 1 / UNIT. */
EXPORT void bitswap_history_forward(const int32_t *samples, int64_t count, int32_t *out) {
    transform t;
    int32_t shifted[64];
    arrange(&t);
    for (int64_t b = 0; b < count; b++) {
        for (int p = 0; p < 64; p++) shifted[p] = samples[64 * b + p] - 128 * UNIT;
        forward(&t, shifted, out + 64 * b);
    }
}

/* How well each step from 2 to `most`, at most 255, explains the coefficients of `count` blocks, at
   each place: the sum, over those of more than `least` (in 1 / UNIT), of what `table` says of a
   step and of the distance to its next multiple, in 16ths, at most `far`; `zero` less where that
   multiple is 0. */
EXPORT void bitswap_history_comb(const int32_t *told, int64_t count, int64_t least, int64_t most,
                                 int64_t far, int64_t zero, const int32_t *table, int64_t *scores) {
    int64_t inverse[256]; /* of steps, of which a division by them is made: sizes are below 2^24 */
    int64_t none[64][257] = {{0}}; /* how many have 0 as next multiple of this step, and of more */
    for (int64_t step = 2; step < 256; step++)
        inverse[step] = ((1ll << 40) + step * UNIT - 1) / (step * UNIT);
    for (int64_t b = 0; b < count; b++)
        for (int k = 0; k < 64; k++) {
            const int64_t size = told[64 * b + k] < 0 ? -told[64 * b + k] : told[64 * b + k];
            if (size <= least) continue;
            const int64_t large = 2 * size / UNIT + 1, end = large <= most ? large : most + 1;
            none[k][end]++;
            for (int64_t step = 2; step < end; step++) {
                const int64_t rest = size - (size * inverse[step] >> 40) * step * UNIT;
                const int64_t other = step * UNIT - rest;
                const int64_t distance = (rest < other ? rest : other) / (UNIT / 16);
                const int64_t at = step * (far + 1) + (distance < far ? distance : far);
                scores[256 * k + step] += table[at];
            }
        }
    for (int k = 0; k < 64; k++)
        for (int64_t step = 1, sum = none[k][0]; step <= most; step++) {
            sum += none[k][step];
            if (step > 1) scores[256 * k + step] -= zero * sum;
        }
}
