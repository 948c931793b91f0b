/* What a pixel sees; window.py defines it. */
#ifndef BITSWAP_WINDOW_H
#define BITSWAP_WINDOW_H

#include "pixels/pixels.h"

INLINE int64_t taps_of(int64_t radius) { return 2 * radius * (radius + 1); }

/* The window of a pixel near a border. */
INLINE uint8_t *gather_border(const int64_t radius, const int64_t channels, const group *g,
                              const place *p, uint8_t *window) {
    const int64_t last = g->sizes[3 * p->tile + 1] - 1;
    const uint8_t *tile = g->pixels + p->tile * g->side * g->side * channels;
    if (p->y == 0 && p->x == 0) {
        memset(window, UNKNOWN, (size_t)(taps_of(radius) * channels));
        return window + taps_of(radius) * channels;
    }
    for (int64_t down = -radius; down <= 0; down++)
        for (int64_t right = -radius; right <= (down ? radius : -1); right++) {
            int64_t y = most(p->y + down, 0), x = least(most(p->x + right, 0), last);
            if (y == p->y && x >= p->x) {
                y = p->x > 0 ? p->y : p->y - 1;
                x = most(p->x - 1, 0);
            }
            const uint8_t *seen = tile + (y * g->side + x) * channels;
            for (int64_t c = 0; c < channels; c++) *window++ = seen[c];
        }
    return window;
}

INLINE uint8_t *gather_inside(const int64_t radius, const int64_t channels, const group *g,
                              const place *p, uint8_t *window) {
    const int64_t across = (2 * radius + 1) * channels;
    const uint8_t *line =
        g->pixels + ((p->tile * g->side + p->y - radius) * g->side + p->x - radius) * channels;
    for (int64_t i = 0; i < radius; i++, line += g->side * channels, window += across)
        copy(window, line, across);
    copy(window, line, radius * channels);
    return window + radius * channels;
}

/* The inputs of pixel `at`, a row of values of `unit` bytes, and what else its window tells. Where
 * tiles are gray, the window is among the values of 16 bits: its weights are sums. */
INLINE void look(const network *n, const group *g, const pool *all, int64_t at, char *row,
                 const int unit, const int gray, const int64_t radius, const int64_t channels) {
    const place *p = all->where + at;
    const int64_t room = all->room;
    const int64_t right = g->sizes[3 * p->tile + 1] - 1 - p->x;
    uint8_t apart[MAX_WINDOW], *end;
    uint8_t *window = unit == 1 && !gray ? (uint8_t *)row : apart;
    if (p->y >= radius && p->x >= radius && right >= radius) {
        end = gather_inside(radius, channels, g, p, window);
        for (int64_t i = 0; i < 3 * radius; i++) *end++ = 0;
    } else {
        end = gather_border(radius, channels, g, p, window);
        for (int64_t i = 0; i < radius; i++) *end++ = p->y <= i ? BORDER : 0;
        for (int64_t i = 0; i < radius; i++) *end++ = p->x <= i ? BORDER : 0;
        for (int64_t i = 0; i < radius; i++) *end++ = right <= i ? BORDER : 0;
    }
    const uint8_t *from = gray ? end - 3 * radius : window;
    const int64_t seen = end - from, values = padded(seen, GROUP / unit);
    const uint8_t *north = window + ((radius - 1) * (2 * radius + 1) + radius) * channels;
    const uint8_t *west = window + (taps_of(radius) - 1) * channels;
    int16_t *words = (int16_t *)(row + values * unit);
    if (unit == 1 && gray) copy(row, from, seen);
    for (int64_t i = 0; unit > 1 && i < seen; i++) ((int16_t *)row)[i] = from[i];
    for (int64_t i = seen; i < values; i++) {
        if (unit == 1) row[i] = 0;
        else ((int16_t *)row)[i] = 0;
    }
    for (int64_t i = 0; gray && i < taps_of(radius); i += 4, words += 4) /* a multiple of 4 */
        for (int k = 0; k < 4; k++) words[k] = window[i + k];
    if (channels % 2) words[channels] = 0; /* to a whole group */
    for (int64_t c = 0; c < channels; c++) {
        int32_t wn = west[c], nn = north[c], nw = north[c - channels], ne = north[c + channels];
        int16_t *anchor = all->anchors + (at * channels + c) * MAX_COMPONENTS;
        anchor[0] = (int16_t)((2 * wn + 2 * nn + 2) >> 2);
        anchor[1] = (int16_t)wn;
        anchor[2] = (int16_t)nn;
        anchor[3] = (int16_t)(wn + nn - nw);
        anchor[4] = (int16_t)((2 * wn + 2 * nn - nw + ne + 2) >> 2);
        for (int64_t k = ANCHORS; k < n->components; k++) anchor[k] = anchor[k - ANCHORS];
        all->reference[c * room + at] = (wn + nn + 1) >> 1;
        words[c] = (int16_t)((wn + nn + 1) >> 1);
    }
}

#endif
