/* The pixels around the next one, each a colour: its channels in the bytes of an integer. */
#ifndef BITSWAP_DRAWN_WINDOW_H
#define BITSWAP_DRAWN_WINDOW_H

#include "memory.h"

typedef struct {
    uint32_t w, n, nw, ne, ww, nn, nne, nww, nee, nnw, nnww, nnee;
    uint32_t contexts[MEMORIES]; /* hashes of 12, 7, 4, 2, 2 and 2 of them */
    uint32_t keys[MEMORIES];     /* of what each memory has of these */
    int flat;                    /* all twelve are equal */
    int equal;                   /* which of the nearest are */
} window;

TARGET INLINE int channel(uint32_t colour, int k) { return (int)(colour >> (8 * k) & 255); }

TARGET INLINE int32_t absolute(int32_t x) { return x < 0 ? -x : x; }

TARGET INLINE int32_t median(int32_t w, int32_t n, int32_t nw) {
    int32_t low = w < n ? w : n, high = w < n ? n : w;
    return clip(w + n - nw, low, high);
}

/* Look around; nothing else of a window is looked at in flat areas, and it is not set there. */
TARGET INLINE void look(window *v, const uint32_t *at, int64_t stride) {
    const uint32_t *up = at - stride, *over = up - stride;
    v->w = at[-1], v->n = up[0], v->nw = up[-1], v->ne = up[1];
    v->ww = at[-2], v->nn = over[0], v->nne = over[1], v->nww = up[-2], v->nee = up[2];
    v->nnw = over[-1], v->nnww = over[-2], v->nnee = over[2];
    v->flat = v->w == v->n && v->w == v->nw && v->w == v->ne && v->w == v->ww && v->w == v->nn &&
              v->w == v->nne && v->w == v->nww && v->w == v->nee && v->w == v->nnw &&
              v->w == v->nnww && v->w == v->nnee;
}

/* What `look` leaves: most pixels of flat areas do not need it. */
TARGET INLINE void hash_contexts(window *v) {
    uint32_t four = hash(hash(v->w, v->n), hash(v->nw, v->ne));
    uint32_t beyond = hash(v->ww, v->nn);
    uint32_t rest = hash(hash(v->nee, v->nnw), hash(v->nnww, v->nnee));
    v->contexts[0] = hash(four, hash(beyond, hash(hash(v->nne, v->nww), rest)));
    v->contexts[1] = hash(four, hash(beyond, v->nne));
    v->contexts[2] = four;
    v->contexts[3] = hash(v->w, v->n);
    v->contexts[4] = hash(v->w, v->nw);
    v->contexts[5] = hash(v->n, v->ne);
    v->equal = (v->w == v->n) | (v->w == v->nw) << 1 | (v->n == v->nw) << 2 | (v->n == v->ne) << 3 |
               (v->w == v->ww) << 4;
}

#endif
