/* Coefficients -> pixels, as libjpeg's slow decoder makes them; see history.h. */

#include "history.h"

const uint8_t ZIGZAG[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

/* One pass of the inverse DCT over eight numbers; the results are to be shifted down. 16-bit
   coefficients and steps keep all sums below 2^57. */
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

void inverse(const int16_t *block, const int32_t *steps, uint8_t *out, int64_t stride) {
    int64_t in[64], between[64], a[8], b[8];
    for (int k = 0; k < 64; k++) in[ZIGZAG[k]] = (int64_t)block[k] * steps[k];
    for (int x = 0; x < 8; x++) {
        for (int y = 0; y < 8; y++) a[y] = in[8 * y + x];
        pass(a, b);
        for (int y = 0; y < 8; y++) between[8 * y + x] = (b[y] + 1024) >> 11;
    }
    for (int y = 0; y < 8; y++) {
        pass(between + 8 * y, b);
        for (int x = 0; x < 8; x++) {
            const int64_t value = ((b[x] + 131072) >> 18) + 128;
            out[y * stride + x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

/* Blocks (rows, columns, 64) -> a plane of (8 rows, 8 columns) samples. */
EXPORT void bitswap_history_plane(const int16_t *blocks, int64_t rows, int64_t columns,
                                  const int32_t *steps, uint8_t *plane) {
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            inverse(blocks + 64 * (y * columns + x), steps, plane + 64 * y * columns + 8 * x,
                    8 * columns);
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

EXPORT int64_t bitswap_history_abi(void) { return 8; }
