/* A picture and the JPEG that it was, as colours judge it. */
#ifndef BITSWAP_HISTORY_SCENE_H
#define BITSWAP_HISTORY_SCENE_H

#include "history.h"

#define WIDEST 64 /* pixels of an area, at most: blocks of two MCUs and what they share */

/* What solves are told of a JPEG, see history/search.py. */
enum { HEIGHT, WIDTH, TOP, LEFT, TALL, WIDE, ROWS, COLUMNS, FANCY, ACROSS, MOST, METHOD, SWEEPS };

typedef struct {
    const uint8_t *pixels[3]; /* (height, width) each, which begin at (top, left) of the JPEG */
    const int64_t *told;
    int64_t *left; /* pixels that may still be compared, see transform.h */
    uint8_t *planes[3];
    int16_t *blocks[3];
    quantizer steps[3];
    int32_t far; /* what a channel counts for, at most */
    int moves; /* how many are tried together, at most MOVES */
} scene;

typedef struct {
    int64_t top, left, bottom, right;
} area;

static int64_t across(const scene *s, int k) { return s->told[ACROSS] * (k ? 1 : s->told[WIDE]); }

/* Two pixels of each sum but the first and the last; sums are in 2^-shift. */
INLINE void interpolate(const int16_t *restrict sums, int64_t count, int16_t even, int16_t odd,
                        int shift, int16_t *restrict out) {
    for (int64_t n = 0; n < count; n++) {
        const int16_t more = (int16_t)(3 * sums[n + 1]);
        out[2 * n] = (int16_t)((int16_t)(more + sums[n] + even) >> shift);
        out[2 * n + 1] = (int16_t)((int16_t)(more + sums[n + 2] + odd) >> shift);
    }
}

/* A row of chroma, as a decoder makes it, from a column on; `out` has room for one more. */
INLINE void upsampled(const scene *s, int k, int64_t y, int64_t left, int64_t right,
                      int16_t *restrict out) {
    const int64_t stride = 8 * across(s, k), *told = s->told, row = y / told[TALL];
    const uint8_t *near = s->planes[k] + row * stride, *far = near;
    int16_t sums[WIDEST / 2 + 2], room[WIDEST + 4], *made = left & 1 ? room : out;
    if (told[WIDE] == 1) {
        for (int64_t x = left; x < right; x++) out[x - left] = near[x];
        return;
    }
    if (!told[FANCY]) {
        for (int64_t x = left; x < right; x++) out[x - left] = near[x >> 1];
        return;
    }
    const int tall = told[TALL] == 2;
    const int64_t first = left >> 1, count = ((right + 1) >> 1) - first;
    if (tall) {
        const int64_t other = y & 1 ? row + 1 : row - 1;
        far = s->planes[k] + clamped((int32_t)other, 0, (int32_t)told[ROWS] - 1) * stride;
    }
    const int inner = first > 0 && first + count < told[COLUMNS];
    for (int64_t n = 0; n < count + 2 && inner; n++) {
        const int64_t x = first + n - 1;
        sums[n] = (int16_t)(tall ? 3 * near[x] + far[x] : near[x]);
    }
    for (int64_t n = 0; n < count + 2 && !inner; n++) {
        const int32_t x = clamped((int32_t)(first + n - 1), 0, (int32_t)told[COLUMNS] - 1);
        sums[n] = (int16_t)(tall ? 3 * near[x] + far[x] : near[x]);
    }
    if (tall) interpolate(sums, count, 8, 7, 4, made);
    else interpolate(sums, count, 1, 2, 2, made);
    for (int64_t x = 0; x < right - left && left & 1; x++) out[x] = made[x + 1];
}

#endif
