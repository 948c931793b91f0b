/* What is known of one channel of a pixel before its value: predictions, contexts, and values that
 * it may repeat. */
#ifndef BITSWAP_DRAWN_OUTLOOK_H
#define BITSWAP_DRAWN_OUTLOOK_H

#include "decisions.h"
#include "../generation.h"
#include "../palette.h"

enum { LEAST_SCALE = 7000, EIGHT = 8 }; /* numbers in a vector, of which anchors are six */
static const uint64_t EACH_BYTE = UINT64_C(0x0101010101010101);

/* What is known of one channel of a pixel before its value. */
typedef struct {
    int32_t anchors[EIGHT];
    int32_t inverse[EIGHT]; /* 2^16 / the scale of each */
    uint32_t *scales[ANCHORS];
    uint64_t known; /* values that it may repeat, four for each agreement, a byte each */
    uint32_t contexts[VALUE_CONTEXTS];
    uint32_t first[VALUE_CONTEXTS]; /* with these, the hashes of a value's first half */
    uint32_t second[2][VALUE_CONTEXTS]; /* and of its second one, whether it begins odd or not */
    int32_t activity;
} outlook;

/* The values of W, N, NW, NE that all earlier channels of this pixel, but alpha, repeated. */
typedef struct {
    int w, n, nw, ne;
} repeats;

TARGET INLINE void anchor(outlook *o, const window *v, int k, int tied, int32_t before) {
    int32_t w = channel(v->w, k), n = channel(v->n, k), nw = channel(v->nw, k);
    int32_t ne = channel(v->ne, k), plain[ANCHORS], shift[4] = {0, 0, 0, 0};
    plain[0] = median(w, n, nw);
    plain[1] = w, plain[2] = n, plain[3] = (w + n + 1) >> 1;
    plain[4] = tied ? plain[0] : w + ((ne - nw) >> 1);
    plain[5] = tied ? plain[3] : n + ne - channel(v->nne, k);
    if (tied) { /* the step that the channel before made */
        int32_t pw = channel(v->w, k - 1), pn = channel(v->n, k - 1);
        shift[0] = before - median(pw, pn, channel(v->nw, k - 1));
        shift[1] = before - pw, shift[2] = before - pn, shift[3] = before - ((pw + pn + 1) >> 1);
    }
    UNROLL (int i = 0; i < ANCHORS; i++)
        o->anchors[i] = clip(plain[i] + (i < 4 ? shift[i] : 0), 0, 255);
}

TARGET INLINE outlook regard(state *a, const window *v, uint32_t pixel, int turn, int channels,
                             uint32_t prefix, uint32_t picture) {
    outlook o;
    int k = ORDER[channels - 1][turn], tied = channels >= 3 && k != 0 && k != 3;
    int32_t w = channel(v->w, k), n = channel(v->n, k), nw = channel(v->nw, k);
    int32_t ne = channel(v->ne, k), before = tied ? channel(pixel, k - 1) : 0;
    anchor(&o, v, k, tied, before);
    int32_t around = absolute(w - nw) + absolute(n - nw) + absolute(n - ne);
    around += absolute(w - channel(v->ww, k)) + absolute(n - channel(v->nn, k));
    int32_t steps = 0, surprise = 0;
    if (tied) {
        int32_t pw = channel(v->w, k - 1), pn = channel(v->n, k - 1);
        steps = absolute(before - pw) + absolute(before - pn);
        surprise = before - median(pw, pn, channel(v->nw, k - 1));
    }
    o.activity = bits_of(around);
    int busy = clip(o.activity, 0, 7) * 8 + clip(bits_of(steps), 0, 7);
    UNROLL (int i = 0; i < ANCHORS; i++) {
        o.scales[i] = a->scale + (i * MOST_CHANNELS + turn) * ACTIVITIES + busy;
        uint32_t scale = (uint32_t)(((uint64_t)*o.scales[i] * SCALE_SIXTEENTHS) >> 4);
        o.inverse[i] = (int32_t)((UINT64_C(1) << 32) / (scale < LEAST_SCALE ? LEAST_SCALE : scale));
    }
    const int32_t *p = o.anchors;
    const int32_t near[4 * AGREEMENTS] = {w, n, nw, ne, p[0], p[1], p[2], p[3]};
    o.known = 0;
    for (int i = 0; i < 4 * AGREEMENTS; i++) o.known |= (uint64_t)near[i] << (8 * i);
    uint32_t own = (uint32_t)(turn * 64 + channels * 8), u[4];
    for (int i = 0; i < 4; i++) u[i] = (uint32_t)p[i];
    const uint32_t all[MOST_CONTEXTS] = {
        hash(prefix, own + 0x1000),
        hash(hash(prefix, v->w), own + 0x2000),
        hash(hash(prefix, v->n), own + 0x3000),
        hash((uint32_t)(w << 8 | n), hash((uint32_t)before, own + 0x4000)),
        hash((uint32_t)(median(w, n, nw) << 10 | (surprise + 256)), own + 0x5000),
        hash(u[1], hash((uint32_t)tied, own + 0x6000)),
        hash(u[2], own + 0x7000),
        hash(u[1] << 8 | u[2], own + 0x8000),
        hash(u[0], hash((uint32_t)busy, own + 0x9000)),
        hash(hash(v->w, v->n), hash(prefix, own + 0xa000)),
        hash(hash(prefix, picture), own + 0xb000),
    };
    UNROLL (int i = 0; i < VALUE_CONTEXTS; i++) o.contexts[i] = all[CHOSEN[i]];
    return o;
}

/* Which of four values the bits so far agree with, and what bit each would bring: in base 3, the
 * first one highest. `brings` are 0, if it does not agree, or 1 and the bit, a byte each. */
TARGET INLINE int agreement(uint32_t brings) { return (int)(brings * 0x1b090301 >> 24); }

/* Hash the contexts of half a value, and have their buckets come nearer. */
TARGET INLINE void hash_half(uint32_t *hashes, const memory *m, const outlook *o, int prefix) {
    UNROLL (int k = 0; k < VALUE_CONTEXTS; k++) {
        hashes[k] = hash(o->contexts[k], (uint32_t)prefix);
        COMING(bucket_at(m, hashes[k]));
    }
}

#endif
