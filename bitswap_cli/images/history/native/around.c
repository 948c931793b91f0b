/* The pixels that a block of interpolated chroma has a part in; see around.h. */

#include "around.h"

enum { NONE = -1024, ALL = 1024 }; /* beyond what any pixel is */

/* Note what is known of pixels, in planes of (vertical height, 2 width), around a block that begins
   at (top, left) of the samples. */
void look_around(around *a, const uint8_t *low, const uint8_t *high, int64_t height, int64_t width,
                 int64_t stride, int64_t vertical, int64_t top, int64_t left) {
    const int64_t above = vertical == 2, first = 2 * left - 1;
    a->tall = vertical == 2, a->rows = a->tall ? AROUND : 8;
    for (int64_t y = 0; y < a->rows; y++) {
        const int64_t pixel = vertical * top + y - above;
        const int beyond = pixel < 0 || pixel >= vertical * height;
        const int64_t at = pixel * stride + first;
        for (int64_t x = 0; x < AROUND; x++) {
            const int none = beyond || first + x < 0 || first + x >= 2 * width;
            a->low[y][x & 1][x >> 1] = none ? NONE : low[at + x];
            a->high[y][x & 1][x >> 1] = none ? ALL : high[at + x];
        }
        for (int n = 0; n < 2; n++)
            for (int x = AROUND / 2; x < LANES; x++) a->low[y][n][x] = NONE, a->high[y][n][x] = ALL;
    }
}

INLINE int32_t out_of(int16_t made, int16_t low, int16_t high) {
    const int16_t under = (int16_t)(low - made), over = (int16_t)(made - high);
    const int16_t out = under > over ? under : over, counted = out > 0 ? out : 0;
    return counted * counted;
}

INLINE int32_t error_of_row(const around *a, int y, const uint8_t *near, const uint8_t *far,
                            int16_t own, int shift) {
    const int16_t even = shift == 4 ? 8 : 1, odd = shift == 4 ? 7 : 2;
    int32_t sum = 0;
    for (int x = 0; x < LANES; x++) {
        const int16_t here = (int16_t)(own * near[x] + (shift == 4 ? far[x] : 0));
        const int16_t next = (int16_t)(own * near[x + 1] + (shift == 4 ? far[x + 1] : 0));
        const int16_t before = (int16_t)((3 * here + next + odd) >> shift);
        const int16_t after = (int16_t)((3 * next + here + even) >> shift);
        sum += out_of(before, a->low[y][0][x], a->high[y][0][x]);
        sum += out_of(after, a->low[y][1][x], a->high[y][1][x]);
    }
    return sum;
}

INLINE int64_t error_in(const around *a, samples patch, int64_t most) {
    int64_t sum = 0;
    if (a->tall) {
        for (int y = 0; y < AROUND && sum < most; y++) /* from above the block on */
            sum += error_of_row(a, y, patch[(y + 1) / 2], patch[y & 1 ? (y - 1) / 2 : y / 2 + 1], 3,
                                4);
    } else {
        for (int y = 0; y < 8 && sum < most; y++)
            sum += error_of_row(a, y, patch[y + 1], patch[y + 1], 1, 2);
    }
    return sum;
}

#if X86
AVX2_TARGET static int64_t error_by_avx2(const around *a, samples patch, int64_t most) {
    return error_in(a, patch, most);
}
#endif

int64_t error_around(const around *a, samples patch, int64_t most) {
#if X86
    if (a->avx2) return error_by_avx2(a, patch, most);
#endif
    return error_in(a, patch, most);
}
