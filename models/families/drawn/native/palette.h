/* The colours that a picture may have, where its file tells them; and those that are left. */
#ifndef BITSWAP_DRAWN_PALETTE_H
#define BITSWAP_DRAWN_PALETTE_H

#include "window.h"

/* Alpha comes first: what colour there is under it follows from it. */
static const int ORDER[MOST_CHANNELS][MOST_CHANNELS] = {{0}, {1, 0}, {0, 1, 2}, {3, 0, 1, 2}};

/* Keys of colours, ascending; all colours may be where there are none. */
typedef struct {
    uint32_t keys[MOST_COLOURS];
    int first, end;
} colours;

/* A colour with its channels in the order in which they are coded, the first one highest. */
TARGET INLINE uint32_t key_of(uint32_t colour, int channels) {
    uint32_t key = 0;
    for (int i = 0; i < channels; i++)
        key = key << 8 | (uint32_t)channel(colour, ORDER[channels - 1][i]);
    return key;
}

TARGET INLINE int place_of(const uint32_t *keys, int count, uint32_t key) {
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) >> 1;
        if (keys[middle] < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Whether a picture may have a colour: a chunk's pictures may have other channels. */
TARGET INLINE int has_colour(const frame *f, uint32_t colour) {
    if ((uint64_t)colour >> (8 * f->channels)) return 0;
    if (!f->colours) return 1;
    uint32_t key = key_of(colour, f->channels);
    int at = place_of(f->keys, f->colours, key);
    return at < f->colours && f->keys[at] == key;
}

/* All colours of a picture but some. */
TARGET INLINE void all_but(colours *rest, const frame *f, const uint32_t *without, int count) {
    rest->first = rest->end = 0;
    for (int i = 0; i < f->colours; i++) {
        int is_left = 1;
        for (int k = 0; k < count; k++) is_left &= f->keys[i] != without[k];
        rest->keys[rest->end] = f->keys[i];
        rest->end += is_left;
    }
}

/* Where those begin whose keys have a bit, among colours that agree in all higher ones. */
TARGET INLINE int split(const colours *rest, int bit) {
    int at = rest->first;
    while (at < rest->end && !(rest->keys[at] >> bit & 1)) at++;
    return at;
}

#endif
