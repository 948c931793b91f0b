/* Ways to make colours of luma and chroma, see images/formats/lattice/maps.py. */
#ifndef BITSWAP_MAPS_H
#define BITSWAP_MAPS_H

#include "history.h"

enum { BELOW = 1024, BUCKETS = 2048 };

/* What luma and chroma add to the channels, in 1 / 2^shift; luma's values ascend, and end with one
   that is more than any. */
typedef struct {
    const int32_t *blue, *red, *green_of_blue, *green_of_red;
    int64_t shift;
    int steep; /* whether no two values of luma add to the same number */
    int32_t y[257];
    int16_t first[BUCKETS]; /* luma that adds a whole number or more, BELOW behind it; or 256 */
} map;

INLINE map of_tables(const int32_t *tables, int64_t shift) {
    map m = {tables + 256, tables + 512, tables + 768, tables + 1024, shift, 1, {0}, {0}};
    memcpy(m.y, tables, 256 * sizeof *tables);
    m.y[256] = INT32_MAX;
    for (int k = 1; k < 256; k++) m.steep &= m.y[k] - m.y[k - 1] >= (int32_t)1 << shift;
    for (int32_t bucket = 0, luma = 0; bucket < BUCKETS; bucket++) {
        while (m.y[luma] < (bucket - BELOW) * ((int64_t)1 << shift)) luma++;
        m.first[bucket] = (int16_t)luma;
    }
    return m;
}

INLINE int32_t at_most(int32_t value, int32_t most) { return value < most ? value : most; }
INLINE int32_t at_least(int32_t value, int32_t least) { return value > least ? value : least; }
INLINE int32_t byte_of(int32_t value) { return value < 0 ? 0 : at_most(value, 255); }

INLINE int inside(const uint8_t *p) {
    return p[0] && p[1] && p[2] && p[0] < 255 && p[1] < 255 && p[2] < 255;
}

/* The first luma that adds so much, or 256. */
INLINE int32_t first_luma(const map *m, int32_t least) {
    const int32_t bucket = (least >> m->shift) + BELOW;
    int32_t found = m->first[bucket < 0 ? 0 : at_most(bucket, BUCKETS - 1)];
    found += m->y[found] < least; /* mostly that is all, and it is no branch */
    while (m->y[found] < least) found++;
    return found;
}

INLINE void narrow(const map *m, int32_t value, int32_t sum, int32_t *low, int32_t *high) {
    const int32_t one = (int32_t)1 << m->shift;
    if (value) {
        const int32_t found = first_luma(m, value * one - sum);
        if (found > *low) *low = found;
    }
    if (value < 255) *high = at_most(*high, first_luma(m, (value + 1) * one - sum) - 1);
}

/* Which luma gives a pixel with this chroma: low..high, which may be none. */
INLINE void luma_of(const map *m, const uint8_t *p, int32_t a, int32_t b, int32_t *low,
                    int32_t *high) {
    const int32_t green = m->green_of_blue[a] + m->green_of_red[b];
    if (m->steep && inside(p)) { /* one at most */
        const int32_t y = at_most(first_luma(m, p[1] * ((int32_t)1 << m->shift) - green), 255);
        const int32_t sum = m->y[y];
        *low = *high = y;
        if ((sum + green) >> m->shift == p[1] && (sum + m->red[b]) >> m->shift == p[0] &&
            (sum + m->blue[a]) >> m->shift == p[2]) {
            return;
        }
    }
    *low = 0, *high = 255;
    narrow(m, p[1], green, low, high);
    if (*low <= *high) narrow(m, p[0], m->red[b], low, high);
    if (*low <= *high) narrow(m, p[2], m->blue[a], low, high);
}

#endif
