/* The DCT without a decoder's rounding, for searches; see transform.h. */

#include "transform.h"
#include "transpose.h"

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
        for (int x = 0; x < 8; x++) t->wave[u][x] = (int32_t)wave(u, x);
    t->avx2 = processor_has(AVX2);
    for (int k = 0; k < 64; k++)
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++)
                t->basis[k][8 * y + x] =
                    (int32_t)((wave(ZIGZAG[k] / 8, y) * wave(ZIGZAG[k] % 8, x)) >> 18);
}

/* The whole number below one that is larger than -far, a power of two, or half way to the next.
   Doubles hold all numbers here as they are: products of whole ones in 2^-shift. */
INLINE int32_t below(double value, int32_t far) { return (int32_t)(value + (far + .5)) - far; }

/* The cosines in 2^-shift. */
#define COSINES_OF(shift)                                                                         \
    const double one = 1. / (1 << (shift)), c1 = 64277 * one, c2 = 60547 * one, c3 = 54491 * one; \
    const double c4 = 46341 * one, c5 = 36410 * one, c6 = 25080 * one, c7 = 12785 * one;

/* Waves of the samples of eight lines, which are columns. */
INLINE void waves_of(const int32_t *restrict in, int32_t *restrict out, int shift, int32_t far) {
    COSINES_OF(shift)
    for (int x = 0; x < 8; x++) {
        double a[8], b[8];
        for (int y = 0; y < 8; y++) a[y] = in[8 * y + x];
        const double s0 = a[0] + a[7], s1 = a[1] + a[6], s2 = a[2] + a[5], s3 = a[3] + a[4];
        const double d0 = a[0] - a[7], d1 = a[1] - a[6], d2 = a[2] - a[5], d3 = a[3] - a[4];
        const double e0 = s0 + s3, e1 = s1 + s2, e2 = s0 - s3, e3 = s1 - s2;
        b[0] = c4 * (e0 + e1), b[4] = c4 * (e0 - e1);
        b[2] = c2 * e2 + c6 * e3, b[6] = c6 * e2 - c2 * e3;
        b[1] = c1 * d0 + c3 * d1 + c5 * d2 + c7 * d3, b[3] = c3 * d0 - c7 * d1 - c1 * d2 - c5 * d3;
        b[5] = c5 * d0 - c1 * d1 + c7 * d2 + c3 * d3, b[7] = c7 * d0 - c5 * d1 + c3 * d2 - c1 * d3;
        for (int u = 0; u < 8; u++) out[8 * u + x] = below(b[u], far);
    }
}

/* Likewise samples of waves. */
INLINE void samples_of(const int32_t *restrict in, int32_t *restrict out, int shift, int32_t far) {
    COSINES_OF(shift)
    for (int x = 0; x < 8; x++) {
        double a[8], b[8];
        for (int u = 0; u < 8; u++) a[u] = in[8 * u + x];
        const double sum = c4 * (a[0] + a[4]), difference = c4 * (a[0] - a[4]);
        const double z2 = c2 * a[2] + c6 * a[6], z6 = c6 * a[2] - c2 * a[6];
        const double e[4] = {sum + z2, difference + z6, difference - z6, sum - z2};
        const double o[4] = {
            c1 * a[1] + c3 * a[3] + c5 * a[5] + c7 * a[7],
            c3 * a[1] - c7 * a[3] - c1 * a[5] - c5 * a[7],
            c5 * a[1] - c1 * a[3] + c7 * a[5] + c3 * a[7],
            c7 * a[1] - c5 * a[3] + c3 * a[5] - c1 * a[7],
        };
        for (int y = 0; y < 4; y++) b[y] = e[y] + o[y], b[7 - y] = e[y] - o[y];
        for (int y = 0; y < 8; y++) out[8 * y + x] = below(b[y], far);
    }
}

#define LARGEST (1 << 20) /* no number is larger, */
#define FAR_BETWEEN (1 << 30) /* nor that between passes, */
#define FAR (1 << 24)         /* nor what comes of them */

#define FORWARD(transpose)                \
    int32_t one[64], other[64];           \
    transpose(in, one);                   \
    waves_of(one, other, 9, FAR_BETWEEN); \
    transpose(other, one);                \
    waves_of(one, other, 25, FAR);        \
    for (int k = 0; k < 64; k++) out[k] = other[ZIGZAG[k]];

#define UNFOLD(transpose)                                                                \
    int32_t one[64], other[64];                                                          \
    for (int k = 0; k < 64; k++) other[ZIGZAG[k]] = clamped(told[k], -LARGEST, LARGEST); \
    transpose(other, one);                                                               \
    samples_of(one, other, 9, FAR_BETWEEN);                                              \
    transpose(other, one);                                                               \
    samples_of(one, out, 33 - FINE, FAR);                                                \
    for (int p = 0; p < 64; p++) out[p] += 128 << FINE;

#if X86
AVX2_TARGET static void forward_by_avx2(const int32_t *in, int32_t *out){FORWARD(transpose_by_avx2)}

AVX2_TARGET static void unfold_by_avx2(const int32_t *told, int32_t *out) {
    UNFOLD(transpose_by_avx2)
}
#endif

void forward(const transform *t, const int32_t in[64], int32_t out[64]) {
#if X86
    if (t->avx2) {
        forward_by_avx2(in, out);
        return;
    }
#else
    (void)t;
#endif
    FORWARD(transpose)
}

void unfold(const transform *t, const int32_t *told, int32_t out[64]) {
#if X86
    if (t->avx2) {
        unfold_by_avx2(told, out);
        return;
    }
#else
    (void)t;
#endif
    UNFOLD(transpose)
}

/* Quotients are far from the next whole number, as sizes are below 2^24 and steps below 2^17: what
   is lost of a reciprocal does not come to it. */
INLINE void rounded_in(const int32_t *told, const quantizer *q, int16_t *block) {
    for (int k = 0; k < 64; k++) {
        const int32_t size = told[k] < 0 ? -told[k] : told[k], half = q->fine[k] / 2;
        const int32_t steps = (int32_t)((size + half + .5) * q->inverse[k]);
        block[k] = (int16_t)(told[k] < 0 ? -steps : steps);
    }
}

#if X86
AVX2_TARGET static void rounded_by_avx2(const int32_t *told, const quantizer *q, int16_t *block) {
    rounded_in(told, q, block);
}
#endif

void rounded(const int32_t *told, const quantizer *q, int16_t *block) {
#if X86
    if (q->avx2) {
        rounded_by_avx2(told, q, block);
        return;
    }
#endif
    rounded_in(told, q, block);
}

INLINE void backward_in(const transform *t, const int16_t *block, const quantizer *q,
                        int32_t out[64]) {
    double sums[64] = {0};
    for (int k = 0; k < 64; k++)
        if (block[k]) {
            const double value = (double)block[k] * q->fine[k] / (1 << (24 - FINE));
            for (int p = 0; p < 64; p++) sums[p] += value * t->basis[k][p];
        }
    for (int p = 0; p < 64; p++) out[p] = below(sums[p], FAR_BETWEEN) + (128 << FINE);
}

#if X86
AVX2_TARGET static void backward_by_avx2(const transform *t, const int16_t *block,
                                         const quantizer *q, int32_t *out) {
    backward_in(t, block, q, out);
}
#endif

void backward(const transform *t, const int16_t *block, const quantizer *q, int32_t out[64]) {
#if X86
    if (t->avx2) {
        backward_by_avx2(t, block, q, out);
        return;
    }
#endif
    backward_in(t, block, q, out);
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
