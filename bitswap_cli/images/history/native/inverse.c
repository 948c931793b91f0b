/* The inverse DCTs of decoders: coefficients -> samples; see history.h and docs/format.md. */

#include "history.h"
#include "transpose.h"

const uint8_t ZIGZAG[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

/* 2^14 times what the passes of a fast inverse DCT multiply with less, row by row. */
static const int32_t AAN[64] = {
    16384, 22725, 21407, 19266, 16384, 12873, 8867,  4520,  22725, 31521, 29692, 26722, 22725,
    17855, 12299, 6270,  21407, 29692, 27969, 25172, 21407, 16819, 11585, 5906,  19266, 26722,
    25172, 22654, 19266, 15137, 10426, 5315,  16384, 22725, 21407, 19266, 16384, 12873, 8867,
    4520,  12873, 17855, 16819, 15137, 12873, 10114, 6967,  3552,  8867,  12299, 11585, 10426,
    8867,  6967,  4799,  2446,  4520,  6270,  5906,  5315,  4520,  3552,  2446,  1247,
};

quantizer quantizer_of(const int32_t *steps, int64_t method) {
    quantizer q = {method, method == FAST ? UNIT / 2 : 0, {0}, {0}, {0}, processor_has(AVX2)};
    for (int k = 0; k < 64; k++) {
        const int64_t own = AAN[ZIGZAG[k]], scaled = (steps[k] * own + 2048) >> 12;
        q.factors[k] = method == FAST ? scaled : steps[k];
        q.fine[k] = (int32_t)(method == FAST ? scaled * UNIT * 4096 / own : steps[k] * UNIT);
        if (!q.fine[k]) q.fine[k] = 1; /* a step that a fast decoder takes for 0 */
        q.inverse[k] = 1. / q.fine[k];
    }
    return q;
}

/* One pass over eight numbers; the results are to be shifted down. 16-bit coefficients and steps
   keep all sums below 2^57. */
INLINE void pass(const int64_t a[8], int64_t out[8]) {
    const int64_t even = (a[2] + a[6]) * 4433;
    const int64_t e2 = even - a[6] * 15137, e3 = even + a[2] * 6270;
    const int64_t e0 = (a[0] + a[4]) * 8192, e1 = (a[0] - a[4]) * 8192;
    const int64_t odd = (a[7] + a[3] + a[5] + a[1]) * 9633;
    const int64_t z1 = (a[7] + a[1]) * -7373, z2 = (a[5] + a[3]) * -20995;
    const int64_t z3 = (a[7] + a[3]) * -16069 + odd, z4 = (a[5] + a[1]) * -3196 + odd;
    const int64_t o0 = a[7] * 2446 + z1 + z3, o1 = a[5] * 16819 + z2 + z4;
    const int64_t o2 = a[3] * 25172 + z2 + z3, o3 = a[1] * 12299 + z1 + z4;
    out[0] = e0 + e3 + o3, out[7] = e0 + e3 - o3;
    out[1] = e1 + e2 + o2, out[6] = e1 + e2 - o2;
    out[2] = e1 - e2 + o1, out[5] = e1 - e2 - o1;
    out[3] = e0 - e3 + o0, out[4] = e0 - e3 - o0;
}

/* Likewise, to be shifted down by 5 after both passes. */
INLINE void fast_pass(const int64_t a[8], int64_t out[8]) {
    const int64_t s = a[2] + a[6], t = ((a[2] - a[6]) * 362 >> 8) - s;
    const int64_t sum = a[0] + a[4], difference = a[0] - a[4];
    const int64_t e0 = sum + s, e1 = difference + t, e2 = difference - t, e3 = sum - s;
    const int64_t z10 = a[5] - a[3], z11 = a[1] + a[7], z12 = a[1] - a[7], z13 = a[5] + a[3];
    const int64_t z5 = (z10 + z12) * 473 >> 8;
    const int64_t o0 = z11 + z13, o1 = (z10 * -669 >> 8) + z5 - o0;
    const int64_t o2 = ((z11 - z13) * 362 >> 8) - o1, o3 = z5 - (z12 * 277 >> 8) - o2;
    out[0] = e0 + o0, out[7] = e0 - o0;
    out[1] = e1 + o1, out[6] = e1 - o1;
    out[2] = e2 + o2, out[5] = e2 - o2;
    out[3] = e3 + o3, out[4] = e3 - o3;
}

/* FFmpeg's pass, likewise; it begins with rows, and a row of zeros but for the first is flat. */
INLINE void simple_pass(const int64_t a[8], int64_t out[8]) {
    const int64_t sum = 16383 * (a[0] + a[4]), difference = 16383 * (a[0] - a[4]);
    const int64_t z2 = 8867 * a[2] - 21407 * a[6], z3 = 21407 * a[2] + 8867 * a[6];
    const int64_t e[4] = {sum + z3, difference + z2, difference - z2, sum - z3};
    const int64_t o[4] = {
        22725 * a[1] + 19266 * a[3] + 12873 * a[5] + 4520 * a[7],
        19266 * a[1] - 4520 * a[3] - 22725 * a[5] - 12873 * a[7],
        12873 * a[1] - 22725 * a[3] + 4520 * a[5] + 19266 * a[7],
        4520 * a[1] - 12873 * a[3] + 19266 * a[5] - 22725 * a[7],
    };
    for (int n = 0; n < 4; n++) out[n] = e[n] + o[n], out[7 - n] = e[n] - o[n];
}

/* One pass from eight numbers to sixteen; the results are to be shifted down. */
INLINE void wide_pass(const int64_t a[8], int64_t out[16]) {
    const int64_t base = a[0] * 8192, z = a[2] - a[6];
    const int64_t e[8] = {
        base + 10703 * a[4] + 11363 * z + 20995 * a[6],
        base + 4433 * a[4] + 2260 * z + 7373 * a[2],
        base - 4433 * a[4] + 11363 * z - 4926 * a[2],
        base - 10703 * a[4] + 2260 * z - 4176 * a[6],
        base - 10703 * a[4] - 2260 * z + 4176 * a[6],
        base - 4433 * a[4] - 11363 * z + 4926 * a[2],
        base + 4433 * a[4] - 2260 * z - 7373 * a[2],
        base + 10703 * a[4] - 11363 * z - 20995 * a[6],
    };
    const int64_t a13 = 11086 * (a[1] + a[3]), a15 = 10217 * (a[1] + a[5]);
    const int64_t a17 = 8956 * (a[1] + a[7]), s17 = 7350 * (a[1] - a[7]);
    const int64_t b15 = 5461 * (a[1] + a[5]), s13 = 3363 * (a[1] - a[3]);
    const int64_t a35 = 1136 * (a[3] + a[5]), s53 = 11529 * (a[5] - a[3]);
    const int64_t p37 = -5461 * (a[3] + a[7]), q37 = -10217 * (a[3] + a[7]);
    const int64_t a57 = -11086 * (a[5] + a[7]), s75 = 3363 * (a[7] - a[5]);
    const int64_t o[8] = {
        a13 + a15 + a17 - 18730 * a[1], a13 + a35 + 589 * a[3] + p37,
        a15 + a35 - 9222 * a[5] + a57,  a17 + p37 + 8728 * a[7] + a57,
        s17 + q37 + 25733 * a[7] + s75, b15 + s53 - 6278 * a[5] + s75,
        s13 + s53 + 16154 * a[3] + q37, s17 + b15 + s13 - 15038 * a[1],
    };
    for (int n = 0; n < 8; n++) out[n] = e[n] + o[n], out[15 - n] = e[n] - o[n];
}

INLINE uint8_t sample(int64_t value) {
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

INLINE void ordered(const int16_t *block, const quantizer *q, int64_t in[64]) {
    for (int k = 0; k < 64; k++) in[ZIGZAG[k]] = (int64_t)block[k] * q->factors[k];
}

/* The first pass, over columns. */
INLINE void columns_of(const int16_t *block, const quantizer *q, int64_t between[64]) {
    int64_t in[64], a[8], b[8];
    ordered(block, q, in);
    for (int x = 0; x < 8; x++) {
        for (int y = 0; y < 8; y++) a[y] = in[8 * y + x];
        if (q->method == FAST) fast_pass(a, b);
        else pass(a, b);
        for (int y = 0; y < 8; y++)
            between[8 * y + x] = q->method == FAST ? b[y] : (b[y] + 1024) >> 11;
    }
}

static void inverse_simple(const int16_t *block, const quantizer *q, uint8_t *out, int64_t stride) {
    int64_t in[64], a[8], b[8];
    ordered(block, q, in);
    in[0] += 1024;
    for (int y = 0; y < 8; y++) {
        int64_t *row = in + 8 * y;
        int64_t any = 0;
        for (int x = 1; x < 8; x++) any |= row[x];
        simple_pass(row, b);
        for (int x = 7; x >= 0; x--) row[x] = any ? (b[x] + 1024) >> 11 : 8 * row[0];
    }
    for (int x = 0; x < 8; x++) {
        for (int y = 0; y < 8; y++) a[y] = in[8 * y + x];
        simple_pass(a, b);
        for (int y = 0; y < 8; y++) out[y * stride + x] = sample((b[y] + 32 * 16383) >> 20);
    }
}

/* The same as `pass`, of eight columns at once, in 32 bits; the results are shifted. Sums may pass
   32 bits on the way, which unsigned numbers bear; `is_small` tells that the results do not. */
INLINE void pass_narrow(const int32_t *restrict in, int32_t *restrict out, uint32_t half,
                        int shift) {
    for (int x = 0; x < 8; x++) {
        uint32_t a[8], b[8];
        for (int y = 0; y < 8; y++) a[y] = (uint32_t)in[8 * y + x];
        const uint32_t even = (a[2] + a[6]) * 4433;
        const uint32_t e2 = even - a[6] * 15137, e3 = even + a[2] * 6270;
        const uint32_t e0 = (a[0] + a[4]) * 8192 + half, e1 = (a[0] - a[4]) * 8192 + half;
        const uint32_t odd = (a[7] + a[3] + a[5] + a[1]) * 9633;
        const uint32_t z1 = (a[7] + a[1]) * 7373, z2 = (a[5] + a[3]) * 20995;
        const uint32_t z3 = odd - (a[7] + a[3]) * 16069, z4 = odd - (a[5] + a[1]) * 3196;
        const uint32_t o0 = a[7] * 2446 - z1 + z3, o1 = a[5] * 16819 - z2 + z4;
        const uint32_t o2 = a[3] * 25172 - z2 + z3, o3 = a[1] * 12299 - z1 + z4;
        b[0] = e0 + e3 + o3, b[7] = e0 + e3 - o3;
        b[1] = e1 + e2 + o2, b[6] = e1 + e2 - o2;
        b[2] = e1 - e2 + o1, b[5] = e1 - e2 - o1;
        b[3] = e0 - e3 + o0, b[4] = e0 - e3 - o0;
        for (int y = 0; y < 8; y++) out[8 * y + x] = (int32_t)b[y] >> shift;
    }
}

INLINE void both_passes(const int32_t in[64], uint8_t *out, int64_t stride) {
    int32_t between[64], turned[64];
    pass_narrow(in, between, 1024, 11);
    transpose(between, turned);
    pass_narrow(turned, between, 131072 + (128 << 18), 18);
    transpose(between, turned);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) out[y * stride + x] = sample(turned[8 * y + x]);
}

/* Whether a block's numbers, which are put in order, are so small that both passes give what is in
   32 bits: a pass makes at most 11,586 times the sum of what it takes, and what the first leaves in
   a row is at most 5.66 times that of the block. */
INLINE int is_small(const int16_t *block, const quantizer *q, int32_t in[64]) {
    int32_t values[64];
    uint32_t sum = 0, any = 0;
    for (int k = 0; k < 64; k++) {
        values[k] = block[k] * (int32_t)q->factors[k];
        const uint32_t size = (uint32_t)(values[k] < 0 ? -values[k] : values[k]);
        sum += size, any |= size;
    }
    UNROLL (int n = 0; n < 64; n += 8) {
        UNROLL (int k = 0; k < 8; k++) in[ZIGZAG[n + k]] = values[n + k];
    }
    return any < 65536 && sum < 32000; /* of 64 numbers below that the sum is right */
}

#if X86
/* Returns 0 where numbers are too large. */
AVX2_TARGET static int small_by_avx2(const int16_t *block, const quantizer *q, uint8_t *out,
                                     int64_t stride) {
    int32_t one[64], other[64];
    if (!is_small(block, q, one)) return 0;
    pass_narrow(one, other, 1024, 11);
    transpose_by_avx2(other, one);
    pass_narrow(one, other, 131072 + (128 << 18), 18);
    transpose_by_avx2(other, one);
    for (int y = 0; y < 8; y += 4) {
        const __m256i *from = (const __m256i *)(one + 8 * y);
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const __m256i upper =
            _mm256_packs_epi32(_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1));
        const __m256i lower =
            _mm256_packs_epi32(_mm256_loadu_si256(from + 2), _mm256_loadu_si256(from + 3));
        uint8_t rows[32];
        _mm256_storeu_si256((void *)rows,
                            _mm256_permutevar8x32_epi32(_mm256_packus_epi16(upper, lower), order));
        for (int n = 0; n < 4; n++) memcpy(out + (y + n) * stride, rows + 8 * n, 8);
    }
    return 1;
}
#endif

void inverse(const int16_t *block, const quantizer *q, uint8_t *out, int64_t stride) {
    int64_t between[64], b[8];
    int32_t in[64];
    if (q->method == SIMPLE) {
        inverse_simple(block, q, out, stride);
        return;
    }
#if X86
    if (q->avx2 && q->method == SLOW && small_by_avx2(block, q, out, stride)) return;
#endif
    if (q->method == SLOW && is_small(block, q, in)) {
        both_passes(in, out, stride);
        return;
    }
    columns_of(block, q, between);
    for (int y = 0; y < 8; y++) {
        if (q->method == FAST) fast_pass(between + 8 * y, b);
        else pass(between + 8 * y, b);
        for (int x = 0; x < 8; x++)
            out[y * stride + x] =
                sample((q->method == FAST ? b[x] >> 5 : (b[x] + 131072) >> 18) + 128);
    }
}

void inverse_wide(const int16_t *block, const quantizer *q, int64_t vertical, uint8_t *out,
                  int64_t stride) {
    int64_t between[128], a[8], b[16];
    if (vertical == 1) {
        columns_of(block, q, between);
    } else {
        int64_t in[64];
        ordered(block, q, in);
        for (int x = 0; x < 8; x++) {
            for (int y = 0; y < 8; y++) a[y] = in[8 * y + x];
            wide_pass(a, b);
            for (int y = 0; y < 16; y++) between[8 * y + x] = (b[y] + 1024) >> 11;
        }
    }
    for (int64_t y = 0; y < 8 * vertical; y++) {
        wide_pass(between + 8 * y, b);
        for (int x = 0; x < 16; x++) out[y * stride + x] = sample(((b[x] + 131072) >> 18) + 128);
    }
}
