/* What luma, chroma and colours say together of a map that is nearly theirs, see
   images/formats/lattice/blind.py. */
#include "maps.h"

enum { TOLD = 4, ALL = 7 };

/* Of those pixels (count, 3) of which no channel is off by more than 1 under a map: the sums of
   products of luma, blue's chroma, red's and 1, a row each, and of these and of what red, green and
   blue are more than they should be, a column each. Returns whether any of these is off at all. */
EXPORT int64_t bitswap_history_moments(const int32_t *tables, int64_t shift, const uint8_t *pixels,
                                       int64_t count, const uint8_t *y, const uint8_t *blue,
                                       const uint8_t *red, int64_t *sums) {
    const int32_t *y_of = tables, *blue_of = tables + 256, *red_of = tables + 512;
    const int32_t *green_of_blue = tables + 768, *green_of_red = tables + 1024;
    int any = 0;
    memset(sums, 0, TOLD * ALL * sizeof *sums);
    for (int64_t n = 0; n < count; n++) {
        const int32_t luma = y_of[y[n]], cb = blue[n], cr = red[n];
        const int32_t green = green_of_blue[cb] + green_of_red[cr];
        const int32_t r = pixels[3 * n] - ((luma + red_of[cr]) >> shift);
        const int32_t g = pixels[3 * n + 1] - ((luma + green) >> shift);
        const int32_t b = pixels[3 * n + 2] - ((luma + blue_of[cb]) >> shift);
        if (r < -1 || r > 1 || g < -1 || g > 1 || b < -1 || b > 1) continue;
        const int32_t all[ALL] = {y[n], cb, cr, 1, r, g, b};
        for (int i = 0; i < TOLD; i++) {
            for (int j = 0; j < TOLD; j++) sums[ALL * i + j] += all[i] * all[j];
            if (!(r | g | b)) continue;
            for (int j = TOLD; j < ALL; j++) sums[ALL * i + j] += all[i] * all[j];
        }
        any |= r | g | b;
    }
    return any != 0;
}
