/* Coefficients -> pixels, as decoders make them; see history.h. */

#include "history.h"

/* Blocks (rows, columns, 64) -> a plane of (8 rows, 8 columns) samples. */
EXPORT void bitswap_history_plane(const int16_t *blocks, int64_t rows, int64_t columns,
                                  const int32_t *steps, int64_t method, uint8_t *plane) {
    const quantizer q = quantizer_of(steps, method);
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            inverse(blocks + 64 * (y * columns + x), &q, plane + 64 * y * columns + 8 * x,
                    8 * columns);
}

/* Likewise, of (8 vertical rows, 16 columns) samples. */
EXPORT void bitswap_history_wide(const int16_t *blocks, int64_t rows, int64_t columns,
                                 const int32_t *steps, int64_t vertical, uint8_t *plane) {
    const quantizer q = quantizer_of(steps, SLOW);
    const int64_t stride = 16 * columns;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            inverse_wide(blocks + 64 * (y * columns + x), &q, vertical,
                         plane + 8 * vertical * y * stride + 16 * x, stride);
}

/* Two pixels, between whose middles a sample lies that has others before and after it; each is that
   sample, or (`tall`) comes of it and the one above or below. */
INLINE void pair(const uint8_t *near, const uint8_t *far, int64_t before, int64_t x, int64_t after,
                 int tall, uint8_t *to) {
    const int16_t own = tall ? 3 : 1, even = tall ? 8 : 1, odd = tall ? 7 : 2, shift = tall ? 4 : 2;
    const int16_t here = (int16_t)(own * near[x] + (tall ? far[x] : 0));
    const int16_t last = (int16_t)(own * near[before] + (tall ? far[before] : 0));
    const int16_t next = (int16_t)(own * near[after] + (tall ? far[after] : 0));
    to[2 * x] = (uint8_t)((int16_t)(3 * here + last + even) >> shift);
    to[2 * x + 1] = (uint8_t)((int16_t)(3 * here + next + odd) >> shift);
}

INLINE void row_of(const uint8_t *restrict near, const uint8_t *restrict far, int64_t width,
                   int tall, uint8_t *restrict to) {
    pair(near, far, 0, 0, width > 1, tall, to);
    for (int64_t x = 1; x < width - 1; x++) pair(near, far, x - 1, x, x + 1, tall, to);
    if (width > 1) pair(near, far, width - 2, width - 1, width - 1, tall, to);
}

/* A row of pixels by linear interpolation. */
INLINE void fancy_row(const uint8_t *near, const uint8_t *far, int64_t width, int64_t vertical,
                      uint8_t *to) {
    if (vertical == 2) row_of(near, far, width, 1, to);
    else row_of(near, near, width, 0, to);
}

#if X86
AVX2_TARGET static void fancy_row_by_avx2(const uint8_t *near, const uint8_t *far, int64_t width,
                                          int64_t vertical, uint8_t *to) {
    fancy_row(near, far, width, vertical, to);
}
#endif

/* Upsample the first (height, width) samples of a plane by factors of 1 or 2, by linear
   interpolation if `fancy`, else by repetition. `out` is (vertical height, horizontal width). */
EXPORT void bitswap_history_upsample(const uint8_t *plane, int64_t stride, int64_t height,
                                     int64_t width, int64_t vertical, int64_t horizontal,
                                     int64_t fancy, uint8_t *out) {
#if X86
    const int avx2 = processor_has(AVX2);
#endif
    for (int64_t y = 0; y < vertical * height; y++) {
        const int64_t row = y / vertical, beside = y % 2 ? row + 1 : row - 1;
        const int64_t other = beside < 0 ? 0 : beside < height ? beside : height - 1;
        const uint8_t *near = plane + row * stride, *far = plane + other * stride;
        uint8_t *to = out + y * horizontal * width;
        if (horizontal == 1) {
            memcpy(to, near, (size_t)width);
        } else if (!fancy) {
            for (int64_t x = 0; x < width; x++) to[2 * x] = to[2 * x + 1] = near[x];
#if X86
        } else if (avx2) {
            fancy_row_by_avx2(near, far, width, vertical, to);
#endif
        } else {
            fancy_row(near, far, width, vertical, to);
        }
    }
}

#define LOT 64 /* pixels at a time */

INLINE void colour_in(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, int64_t count,
                      uint8_t *out) {
    uint8_t red[LOT], green[LOT], blue[LOT];
    for (int64_t first = 0; first < count; first += LOT) {
        const int64_t n = count - first < LOT ? count - first : LOT;
        for (int64_t k = 0; k < n; k++) {
            const int32_t luma = y[first + k], b = cb[first + k], r = cr[first + k];
            red[k] = (uint8_t)clamped(luma + to_red(r), 0, 255);
            green[k] = (uint8_t)clamped(luma + to_green(b, r), 0, 255);
            blue[k] = (uint8_t)clamped(luma + to_blue(b), 0, 255);
        }
        uint8_t *to = out + 3 * first;
        for (int64_t k = 0; k < n; k++)
            to[3 * k] = red[k], to[3 * k + 1] = green[k], to[3 * k + 2] = blue[k];
    }
}

#if X86
AVX2_TARGET static void colour_by_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
                                       int64_t count, uint8_t *out) {
    colour_in(y, cb, cr, count, out);
}
#endif

/* Luma and chroma of `count` pixels -> red, green, blue of each. */
EXPORT void bitswap_history_colour(const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
                                   int64_t count, uint8_t *out) {
#if X86
    if (processor_has(AVX2)) {
        colour_by_avx2(y, cb, cr, count, out);
        return;
    }
#endif
    colour_in(y, cb, cr, count, out);
}

EXPORT int64_t bitswap_history_abi(void) { return 17; }
