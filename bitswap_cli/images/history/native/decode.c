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

/* Upsample the first (height, width) samples of a plane by factors of 1 or 2, by linear
   interpolation if `fancy`, else by repetition. `out` is (vertical height, horizontal width). */
EXPORT void bitswap_history_upsample(const uint8_t *plane, int64_t stride, int64_t height,
                                     int64_t width, int64_t vertical, int64_t horizontal,
                                     int64_t fancy, uint8_t *out) {
    for (int64_t y = 0; y < vertical * height; y++) {
        const int64_t row = y / vertical, beside = y % 2 ? row + 1 : row - 1;
        const int64_t other = beside < 0 ? 0 : beside < height ? beside : height - 1;
        const uint8_t *near = plane + row * stride, *far = plane + other * stride;
        uint8_t *to = out + y * horizontal * width;
        if (horizontal == 1) {
            memcpy(to, near, (size_t)width);
            continue;
        }
        for (int64_t x = 0; x < width; x++) {
            const int64_t left = x ? x - 1 : 0, right = x + 1 < width ? x + 1 : x;
            if (!fancy) {
                to[2 * x] = to[2 * x + 1] = near[x];
            } else if (vertical == 1) {
                to[2 * x] = (uint8_t)((3 * near[x] + near[left] + 1) >> 2);
                to[2 * x + 1] = (uint8_t)((3 * near[x] + near[right] + 2) >> 2);
            } else {
                const int32_t here = 3 * near[x] + far[x];
                to[2 * x] = (uint8_t)((3 * here + 3 * near[left] + far[left] + 8) >> 4);
                to[2 * x + 1] = (uint8_t)((3 * here + 3 * near[right] + far[right] + 7) >> 4);
            }
        }
    }
}

/* Luma and chroma of `count` pixels -> red, green, blue of each. */
EXPORT void bitswap_history_colour(const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
                                   int64_t count, uint8_t *out) {
    for (int64_t k = 0; k < count; k++) {
        out[3 * k] = (uint8_t)clamped(y[k] + to_red(cr[k]), 0, 255);
        out[3 * k + 1] = (uint8_t)clamped(y[k] + to_green(cb[k], cr[k]), 0, 255);
        out[3 * k + 2] = (uint8_t)clamped(y[k] + to_blue(cb[k]), 0, 255);
    }
}

EXPORT int64_t bitswap_history_abi(void) { return 17; }
