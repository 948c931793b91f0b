/* Undoes what decoders do to chroma that has fewer samples than luma; see chroma.c. */

#include "transform.h"

#define LINES 8 /* rows that are halved side by side */

/* The least squares of interpolation by two: the normal equations, in 16ths, have 20 on the
   diagonal, 6 beside it and 26 at the ends, as decoders have them. Of each step of elimination:
   2^32 divided by the pivot, and what of a number is carried to the next; both in 2^-16. */
static void eliminate(int64_t n, int64_t *inverse, int64_t *carry) {
    for (int64_t i = 0; i < n; i++) {
        const int64_t diagonal = (i && i + 1 < n ? 20 : n == 1 ? 32 : 26) << 16;
        inverse[i] = (1ll << 48) / (diagonal - (i ? 6 * carry[i - 1] : 0));
        carry[i] = (6 * inverse[i]) >> 16;
    }
}

/* Of 2 n lines of numbers, `step` apart and of `count` numbers each, make n, in place
   of the first n. Units are the caller's. */
INLINE void halve(int32_t *data, int64_t n, int64_t step, int64_t count, const int64_t *inverse,
                  const int64_t *carry) {
    for (int64_t i = 0; i < n; i++) {
        int32_t *to = data + i * step;
        const int32_t *a = data + 2 * i * step, *b = a + step, factor = (int32_t)inverse[i];
        const int32_t *before = i ? a - step : a, *after = i + 1 < n ? b + step : b;
        for (int64_t x = 0; x < count; x++) to[x] = 4 * (3 * (a[x] + b[x]) + before[x] + after[x]);
        for (int64_t x = 0; x < count; x++) {
            const int32_t rest = to[x] - (i ? 6 * to[x - step] : 0);
            to[x] = (int32_t)(((int64_t)rest * factor) >> 32);
        }
    }
    for (int64_t i = n - 2; i >= 0; i--) {
        int32_t *to = data + i * step;
        const int32_t factor = (int32_t)carry[i];
        for (int64_t x = 0; x < count; x++)
            to[x] -= (int32_t)(((int64_t)factor * to[x + step]) >> 16);
    }
}

/* See bitswap_history_shrink; `across` has room for LINES rows of the plane, `out` for all rows
   of half their width. */
INLINE void shrink_in(const uint8_t *plane, int64_t height, int64_t width, int64_t vertical,
                      int64_t *inverse, int64_t *carry, int32_t *across, int32_t *out) {
    const int64_t rows = vertical * height, columns = 2 * width;
    /* What rounding adds on the average, to be taken away: an eighth, or a 32nd. */
    const int32_t bias = vertical == 2 ? UNIT / 32 : UNIT / 8;
    eliminate(width, inverse, carry);
    for (int64_t y = 0; y < rows; y += LINES) { /* the last ones again, if these are fewer */
        for (int64_t l = 0; l < LINES; l++) {
            const uint8_t *row = plane + (y + l < rows ? y + l : rows - 1) * columns;
            for (int64_t x = 0; x < columns; x++)
                across[LINES * x + l] = row[x] * UNIT + (x % 2 != (vertical == 2) ? -bias : bias);
        }
        halve(across, width, LINES, LINES, inverse, carry);
        for (int64_t l = 0; l < LINES && y + l < rows; l++)
            for (int64_t x = 0; x < width; x++) out[(y + l) * width + x] = across[LINES * x + l];
    }
    if (vertical == 1) return;
    eliminate(height, inverse, carry);
    halve(out, height, width, width, inverse, carry);
}

#if X86
AVX2_TARGET static void shrink_by_avx2(const uint8_t *plane, int64_t height, int64_t width,
                                       int64_t vertical, int64_t *inverse, int64_t *carry,
                                       int32_t *across, int32_t *out) {
    shrink_in(plane, height, width, vertical, inverse, carry, across, out);
}
#endif

/* A plane of (vertical height, 2 width) interpolated samples -> (height, width) samples in units of
   1 / UNIT. Returns 0, or -1 if there is no memory. */
EXPORT int64_t bitswap_history_shrink(const uint8_t *plane, int64_t height, int64_t width,
                                      int64_t vertical, int32_t *out) {
    const int64_t longest = height > width ? height : width;
    int32_t *made = malloc((size_t)((vertical * height + 2 * LINES) * width) * sizeof *made);
    int64_t *inverse = malloc((size_t)(2 * longest) * sizeof *inverse), *carry = inverse + longest;
    if (!made || !inverse) {
        free(made), free(inverse);
        return -1;
    }
    int32_t *across = made + vertical * height * width;
#if X86
    if (processor_has(AVX2))
        shrink_by_avx2(plane, height, width, vertical, inverse, carry, across, made);
    else
#endif
        shrink_in(plane, height, width, vertical, inverse, carry, across, made);
    memcpy(out, made, (size_t)(height * width) * sizeof *out);
    free(made), free(inverse);
    return 0;
}

/* 2^16 times the cosine of k pi / 32. */
static int64_t cosine(int k) {
    static const int32_t FIRST[16] = {65536, 65220, 64277, 62714, 60547, 57798, 54491, 50660,
                                      46341, 41576, 36410, 30893, 25080, 19024, 12785, 6424};
    const int turn = k % 64, half = turn > 32 ? 64 - turn : turn;
    return half == 16 ? 0 : half < 16 ? FIRST[half] : -FIRST[32 - half];
}

/* 2^16 times what sample m of eight has of sample n of sixteen, of the same first eight waves. */
static int64_t share(int m, int n) {
    int64_t sum = 1ll << 31; /* half of the first */
    for (int u = 1; u < 8; u++) sum += cosine(2 * (2 * m + 1) * u) * cosine((2 * n + 1) * u);
    return (sum + (1 << 18)) >> 19;
}

/* See bitswap_history_narrow. */
INLINE void narrow_in(const uint8_t *plane, int64_t rows, int64_t columns, int64_t vertical,
                      int32_t *out) {
    int32_t shares[16][8];
    for (int m = 0; m < 8; m++)
        for (int n = 0; n < 16; n++) shares[n][m] = (int32_t)share(m, n);
    for (int64_t b = 0; b < rows * columns; b++) {
        const int64_t row = b / columns, column = b % columns;
        const uint8_t *from = plane + 8 * vertical * row * 16 * columns + 16 * column;
        int32_t between[16][8] = {{0}};
        for (int64_t y = 0; y < 8 * vertical; y++)
            for (int n = 0; n < 16; n++)
                for (int m = 0; m < 8; m++)
                    between[y][m] += shares[n][m] * from[y * 16 * columns + n];
        for (int y = 0; y < 8; y++) {
            int32_t *to = out + (8 * row + y) * 8 * columns + 8 * column;
            int64_t sums[8] = {0};
            for (int n = 0; n < 16 && vertical == 2; n++)
                for (int x = 0; x < 8; x++) sums[x] += (int64_t)shares[n][y] * between[n][x];
            for (int x = 0; x < 8; x++)
                to[x] = vertical == 2 ? (int32_t)(sums[x] >> 24) : between[y][x] / (65536 / UNIT);
        }
    }
}

#if X86
AVX2_TARGET static void narrow_by_avx2(const uint8_t *plane, int64_t rows, int64_t columns,
                                       int64_t vertical, int32_t *out) {
    narrow_in(plane, rows, columns, vertical, out);
}
#endif

/* A plane of blocks of (8 vertical, 16) samples -> blocks of (8, 8) of the same coefficients, in
   units of 1 / UNIT. */
EXPORT void bitswap_history_narrow(const uint8_t *plane, int64_t rows, int64_t columns,
                                   int64_t vertical, int32_t *out) {
#if X86
    if (processor_has(AVX2)) {
        narrow_by_avx2(plane, rows, columns, vertical, out);
        return;
    }
#endif
    narrow_in(plane, rows, columns, vertical, out);
}
