/* The pixels that a block of interpolated chroma has a part in; see around.h. */

#include "around.h"

enum { NONE = -1024, ALL = 1024 }; /* beyond what any pixel is */

void forget_around(around *a) {
    for (int y = 0; y < AROUND; y++)
        for (int n = 0; n < 2; n++)
            for (int x = 0; x < LANES; x++) a->low[y][n][x] = NONE, a->high[y][n][x] = ALL;
}

INLINE void part(const uint8_t *from, int16_t to[2][LANES]) {
    for (int x = 0; x < AROUND / 2; x++) to[0][x] = from[2 * x], to[1][x] = from[2 * x + 1];
}

void look_around(around *a, const uint8_t *low, const uint8_t *high, int64_t height, int64_t width,
                 int64_t stride, int64_t vertical, int64_t top, int64_t left) {
    const int64_t first = 2 * left - 1, begin = first < 0 ? 1 : 0;
    const int64_t end = first + AROUND > 2 * width ? 2 * width - first : AROUND;
    a->tall = vertical == 2;
    if (begin || end < AROUND) forget_around(a);
    for (int64_t y = 0; y < (a->tall ? AROUND : 8); y++) {
        const int64_t pixel = vertical * top + y - a->tall, at = pixel * stride + first;
        if (pixel < 0 || pixel >= vertical * height) {
            for (int n = 0; n < 2; n++)
                for (int x = 0; x < LANES; x++) a->low[y][n][x] = NONE, a->high[y][n][x] = ALL;
        } else if (begin || end < AROUND) {
            for (int64_t x = begin; x < end; x++)
                a->low[y][x & 1][x >> 1] = low[at + x], a->high[y][x & 1][x >> 1] = high[at + x];
        } else {
            part(low + at, a->low[y]), part(high + at, a->high[y]);
        }
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
        const int16_t before = (int16_t)((int16_t)(3 * here + next + odd) >> shift);
        const int16_t after = (int16_t)((int16_t)(3 * next + here + even) >> shift);
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
