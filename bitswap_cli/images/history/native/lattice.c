/* Red, green and blue <-> luma and chroma: only one triple in four is what a decoder makes. */

#include "history.h"

/* What chroma decoders add so much to red (or blue) for, or -1; from -255 to 255. */
typedef struct {
    int16_t cr[511], cb[511];
} inverses;

static void invert(inverses *i) {
    for (int k = 0; k < 511; k++) i->cr[k] = i->cb[k] = -1;
    for (int chroma = 0; chroma < 256; chroma++) {
        i->cr[clamped(to_red(chroma), -255, 255) + 255] = (int16_t)chroma;
        i->cb[clamped(to_blue(chroma), -255, 255) + 255] = (int16_t)chroma;
    }
}

INLINE int32_t shifted(int32_t sum) { return clamped((sum + 32768) >> 16, 0, 255); }

/* The luma and chroma of `count` pixels; `known` is 1 where there is just that, 0 where red, green
   or blue is at an end of its range, so that it may be more, and 2 where no triple gives these:
   then luma and chroma are the nearest. Returns how many are on the lattice, and adds to `off` how
   many are not, among those that are not gray. */
EXPORT int64_t bitswap_history_lattice(const uint8_t *pixels, int64_t count, uint8_t *y,
                                       uint8_t *cb, uint8_t *cr, uint8_t *known, int64_t *off) {
    inverses i;
    int64_t on = 0;
    invert(&i);
    for (int64_t n = 0; n < count; n++) {
        const int32_t r = pixels[3 * n], g = pixels[3 * n + 1], b = pixels[3 * n + 2];
        const int32_t luma = shifted(19595 * r + 38470 * g + 7471 * b);
        y[n] = (uint8_t)luma;
        cb[n] = (uint8_t)shifted(-11059 * r - 21709 * g + 32768 * b + (128 << 16) - 1);
        cr[n] = (uint8_t)shifted(32768 * r - 27439 * g - 5329 * b + (128 << 16) - 1);
        known[n] = 0;
        if (!r || !g || !b || r == 255 || g == 255 || b == 255) continue;
        known[n] = 2;
        for (int k = 0; k < 3 && known[n] == 2; k++) {
            const int32_t try = luma + (k == 1 ? -1 : k == 2 ? 1 : 0);
            const int32_t red = i.cr[r - try + 255], blue = i.cb[b - try + 255];
            if (try < 0 || try > 255 || red < 0 || blue < 0) continue;
            if (g != try + to_green(blue, red)) continue;
            y[n] = (uint8_t)try, cb[n] = (uint8_t)blue, cr[n] = (uint8_t)red;
            known[n] = 1;
        }
        if (r == g && g == b) continue;
        if (known[n] == 1) on++;
        else ++*off;
    }
    return on;
}

typedef struct {
    int32_t low, high;
} range;

/* What a sum has to be so that it is seen as `value`. */
INLINE range seen(int32_t value) {
    const range r = {value ? value : -1024, value < 255 ? value : 1024};
    return r;
}

INLINE void meet(range *r, int32_t low, int32_t high) {
    if (low > r->low) r->low = low;
    if (high < r->high) r->high = high;
}

/* What luma may be, chroma being known. */
static range luma_of(range r, range g, range b, int32_t cb, int32_t cr) {
    range found = {0, 255};
    meet(&found, r.low - to_red(cr), r.high - to_red(cr));
    meet(&found, g.low - to_green(cb, cr), g.high - to_green(cb, cr));
    meet(&found, b.low - to_blue(cb), b.high - to_blue(cb));
    return found;
}

/* The least whole number whose product with a factor is so much or more, for what is more than
   -2^30; or a very small one. */
INLINE int32_t least_of(int32_t much, int32_t factor) {
    const int32_t size = much > 0 ? much + factor - 1 : -much;
    return much > 0 ? size / factor : -(size / factor);
}

/* What one chroma may be, luma and the other chroma being known: as it grows, red (or blue) does,
   and green becomes less. */
INLINE range chroma_of(range own, range g, int32_t y, int32_t other, int red) {
    const int32_t more = red ? 91881 : 116130, less = red ? 46802 : 22554;
    const int32_t green = 32768 - (red ? 22554 : 46802) * (other - 128);
    range found = {0, 255};
    /* more * (chroma - 128) + 32768 is own.low - y in 2^-16, or more, and so on */
    meet(&found, least_of((own.low - y) * 65536 - 32768, more) + 128,
         least_of((own.high - y + 1) * 65536 - 32768, more) + 127);
    meet(&found, least_of(green - (g.high - y + 1) * 65536 + 1, less) + 128,
         least_of(green - (g.low - y) * 65536 + 1, less) + 127);
    return found;
}

/* For pixels that are not known: which luma, and which chroma, would give them with the two others
   as they are; anything, where there is none. `low` and `high` are three planes each. */
EXPORT void bitswap_history_ranges(const uint8_t *pixels, int64_t count, const uint8_t *known,
                                   const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
                                   uint8_t *low, uint8_t *high) {
    for (int64_t n = 0; n < count; n++) {
        if (known[n] == 1) continue;
        const range r = seen(pixels[3 * n]), g = seen(pixels[3 * n + 1]);
        const range b = seen(pixels[3 * n + 2]);
        const range found[3] = {
            luma_of(r, g, b, cb[n], cr[n]),
            chroma_of(b, g, y[n], cr[n], 0),
            chroma_of(r, g, y[n], cb[n], 1),
        };
        for (int k = 0; k < 3; k++) {
            const int empty = found[k].low > found[k].high;
            low[k * count + n] = (uint8_t)(empty ? 0 : found[k].low);
            high[k * count + n] = (uint8_t)(empty ? 255 : found[k].high);
        }
    }
}
