/* Luma and chroma <-> colours, see images/formats/lattice/maps.py. */
#include "maps.h"

INLINE int is_gray(const uint8_t *p) { return p[0] == p[1] && p[2] == p[1]; }

/* How many pixels (count, 3) are gray. */
EXPORT int64_t bitswap_history_grays(const uint8_t *pixels, int64_t count) {
    int64_t found = 0;
    for (int64_t n = 0; n < count; n++) found += is_gray(pixels + 3 * n);
    return found;
}

/* Those of each `step`th pixel (.., 3) that are neither gray nor at an end of a channel's range, in
   their order; returns how many. `out` has room for one more. */
EXPORT int64_t bitswap_history_telling(const uint8_t *pixels, int64_t count, int64_t step,
                                       uint8_t *out) {
    int64_t found = 0;
    for (int64_t n = 0; n < count; n += step) {
        const uint8_t *p = pixels + 3 * n;
        for (int k = 0; k < 3; k++) out[3 * found + k] = p[k];
        found += inside(p) && !is_gray(p); /* no branch: by chance, it would be wrong often */
    }
    return found;
}

/* The different colours (count, 3) in ascending order, red before green before blue, in place;
   returns how many. `room` is 2 * count values. */
EXPORT int64_t bitswap_history_distinct(uint8_t *colours, int64_t count, uint32_t *room) {
    uint32_t *from = room, *to = room + count;
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *p = colours + 3 * n;
        from[n] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    }
    for (int shift = 0; shift < 24; shift += 8) { /* equal ones stay in the order of before */
        int64_t place[257] = {0};
        for (int64_t n = 0; n < count; n++) place[(from[n] >> shift & 255) + 1]++;
        for (int k = 0; k < 256; k++) place[k + 1] += place[k];
        for (int64_t n = 0; n < count; n++) to[place[from[n] >> shift & 255]++] = from[n];
        uint32_t *last = from;
        from = to, to = last;
    }
    int64_t found = 0;
    for (int64_t n = 0; n < count; n++) {
        if (n && from[n] == from[n - 1]) continue;
        for (int k = 0; k < 3; k++) colours[3 * found + k] = (uint8_t)(from[n] >> (16 - 8 * k));
        found++;
    }
    return found;
}

/* Find luma and chroma of pixels (count, 3); `back` says how they are estimated, in 1 / 2^20: three
   rows of three factors and what is added. `known`: 1 where they give the pixel, 0 where a channel
   is at an end of its range, 2 where none near the estimate do; then they are the estimate. Returns
   how many are known, or fewer if more than `spare` are not: then it ends with the one too many. */
EXPORT int64_t bitswap_history_triples(const int32_t *tables, int64_t shift, const int64_t *back,
                                       const uint8_t *pixels, int64_t count, int64_t spare,
                                       uint8_t *y, uint8_t *blue, uint8_t *red, uint8_t *known) {
    static const int32_t near[3] = {0, -1, 1};
    const int32_t *y_of = tables, *blue_of = tables + 256, *red_of = tables + 512;
    const int32_t *green_of_blue = tables + 768, *green_of_red = tables + 1024;
    int64_t on = 0;
    for (int64_t n = 0; n < count && n - on <= spare; n++) {
        const uint8_t *p = pixels + 3 * n;
        int32_t told[3];
        for (int k = 0; k < 3; k++) {
            const int64_t *row = back + 4 * k;
            told[k] =
                byte_of((int32_t)((row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3]) >> 20));
        }
        y[n] = (uint8_t)told[0], blue[n] = (uint8_t)told[1], red[n] = (uint8_t)told[2];
        known[n] = 0;
        if (!inside(p)) continue;
        known[n] = 2;
        for (int k = 0; k < 9 && known[n] == 2; k++) {
            const int32_t luma = told[0] + near[k / 3], cr = told[2] + near[k % 3];
            if (luma != byte_of(luma) || cr != byte_of(cr)) continue;
            if ((y_of[luma] + red_of[cr]) >> shift != p[0]) continue;
            for (int l = 0; l < 3; l++) {
                const int32_t cb = told[1] + near[l];
                if (cb != byte_of(cb) || (y_of[luma] + blue_of[cb]) >> shift != p[2]) continue;
                const int32_t green = y_of[luma] + green_of_blue[cb] + green_of_red[cr];
                if (green >> shift != p[1]) continue;
                y[n] = (uint8_t)luma, blue[n] = (uint8_t)cb, red[n] = (uint8_t)cr;
                known[n] = 1, on++;
                break;
            }
        }
    }
    return on;
}

/* How many pixels are known by each of so many maps: `told` has where the tables of each lie, their
   shift, and where `back` does. `room` is four planes. See `bitswap_history_triples`. */
EXPORT void bitswap_history_known(const int64_t *told, int64_t maps, const uint8_t *pixels,
                                  int64_t count, int64_t spare, uint8_t *room, int64_t *on) {
    for (int64_t k = 0; k < maps; k++, told += 3) {
        on[k] = bitswap_history_triples((const int32_t *)(intptr_t)told[0], told[1],
                                        (const int64_t *)(intptr_t)told[2], pixels, count, spare,
                                        room, room + count, room + 2 * count, room + 3 * count);
    }
}

/* Make the colours of `count` pixels (.., 3). */
EXPORT void bitswap_history_mapped(const int32_t *tables, int64_t shift, const uint8_t *y,
                                   const uint8_t *blue, const uint8_t *red, int64_t count,
                                   uint8_t *out) {
    const map m = of_tables(tables, shift);
    for (int64_t n = 0; n < count; n++) {
        const int32_t luma = m.y[y[n]];
        const int32_t green = m.green_of_blue[blue[n]] + m.green_of_red[red[n]];
        out[3 * n] = (uint8_t)byte_of((luma + m.red[red[n]]) >> shift);
        out[3 * n + 1] = (uint8_t)byte_of((luma + green) >> shift);
        out[3 * n + 2] = (uint8_t)byte_of((luma + m.blue[blue[n]]) >> shift);
    }
}

INLINE int within(const map *m, const uint8_t *p, int32_t y, int32_t cb, int32_t cr) {
    const int32_t green = m->y[y] + m->green_of_blue[cb] + m->green_of_red[cr];
    return byte_of((m->y[y] + m->red[cr]) >> m->shift) == p[0] &&
           byte_of(green >> m->shift) == p[1] &&
           byte_of((m->y[y] + m->blue[cb]) >> m->shift) == p[2];
}

/* For pixels that are not known: between which values lie those of luma, and of each chroma, that
   would give them with the two others as they are; anything, where there is none. See
   `bitswap_history_ranges`. */
EXPORT void bitswap_history_seen(const int32_t *tables, int64_t shift, const uint8_t *pixels,
                                 int64_t count, const uint8_t *known, const uint8_t *y,
                                 const uint8_t *blue, const uint8_t *red, uint8_t *low,
                                 uint8_t *high) {
    const map m = of_tables(tables, shift);
    for (int64_t n = 0; n < count; n++) {
        if (known[n] == 1) continue;
        const uint8_t *p = pixels + 3 * n;
        for (int k = 0; k < 3; k++) {
            int first = 256, last = -1;
            for (int v = 0; v < 256; v++) {
                if (!within(&m, p, k ? y[n] : v, k == 1 ? v : blue[n], k == 2 ? v : red[n]))
                    continue;
                if (v < first) first = v;
                last = v;
            }
            low[k * count + n] = (uint8_t)(last < 0 ? 0 : first);
            high[k * count + n] = (uint8_t)(last < 0 ? 255 : last);
        }
    }
}
