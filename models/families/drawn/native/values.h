/* A colour that no source knows: channel by channel, bit by bit, the highest first. */
#ifndef BITSWAP_DRAWN_VALUES_H
#define BITSWAP_DRAWN_VALUES_H

#include "decisions.h"
#include "generation.h"
#include "palette.h"

enum { LEAST_SCALE = 7000 };
static const uint64_t EACH_BYTE = UINT64_C(0x0101010101010101);

/* What is known of one channel of a pixel before its value. */
typedef struct {
    int32_t anchors[ANCHORS];
    int32_t inverse[ANCHORS];  /* 2^16 / the scale of each */
    uint32_t *scales[ANCHORS];
    uint64_t known; /* values that it may repeat, four for each agreement, a byte each */
    uint32_t contexts[VALUE_CONTEXTS];
    uint32_t first[VALUE_CONTEXTS];     /* with these, the hashes of a value's first half */
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

/* The mass of a logistic about each anchor below an edge. */
typedef struct {
    int32_t below[ANCHORS];
} masses;

TARGET INLINE masses masses_at(const tables *t, const outlook *o, int edge) {
    masses m;
    UNROLL (int i = 0; i < ANCHORS; i++) {
        int32_t z = ((2 * (edge - o->anchors[i]) - 1) * o->inverse[i]) >> 9; /* fits: scales do */
        m.below[i] = t->sigmoid[clip(z, -REACH, REACH) + REACH];
    }
    return m;
}

TARGET INLINE masses all_below(int32_t mass) {
    masses m;
    UNROLL (int i = 0; i < ANCHORS; i++) m.below[i] = mass;
    return m;
}

/* The share of 1 between two edges, cut in the middle, under a logistic about each anchor. */
TARGET INLINE void see_anchors(decision *d, const masses *low, const masses *middle,
                               const masses *high) {
    UNROLL (int i = 0; i < ANCHORS; i++) {
        uint32_t all = (uint32_t)(high->below[i] - low->below[i] + 2);
        uint32_t upper = (uint32_t)(high->below[i] - middle->below[i] + 1);
        d->inputs[d->n++] = d->t->logit[(upper << 15) / all * 2];
    }
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

/* What is known of a pixel before one of its channels. */
typedef struct {
    uint32_t pixel;  /* those before it */
    uint32_t prefix; /* a hash of these */
    int turn, channels;
} so_far;

TARGET INLINE so_far followed_by(so_far p, int value) {
    const int k = ORDER[p.channels - 1][p.turn];
    return (so_far){p.pixel | (uint32_t)value << (8 * k), hash(p.prefix + 1, (uint32_t)value),
                    p.turn + 1, p.channels};
}

/* Regard a channel, and have all come nearer that is known of it: an encoder, whose pixel has a
 * colour, knows where the second half will be, too. */
TARGET APART void expect(outlook *o, const coder *out, state *a, const memory *m, const window *v,
                         so_far p, uint32_t picture, uint32_t colour) {
    if (p.turn == p.channels) return;
    *o = regard(a, v, p.pixel, p.turn, p.channels, p.prefix, picture);
    hash_half(o->first, m, o, 0);
    if (out->decoding) return;
    const int value = channel(colour, ORDER[p.channels - 1][p.turn]);
    hash_half(o->second[value >> 4 & 1], m, o, 16 | value >> 4);
}

TARGET INLINE int code_value(coder *out, const tables *t, state *a, memory *m, outlook *o, int turn,
                             int channels, repeats same, colours *rest, int value) {
    const int shift = 8 * (channels - 1 - turn); /* of its bits in keys */
    if (rest->end - rest->first == 1) return (int)(rest->keys[rest->first] >> shift & 255);
    const int flags = same.w | same.n << 1 | same.nw << 2 | same.ne << 3;
    const int busy = o->activity > 5 ? 2 : o->activity > 2 ? 1 : 0;
    uint16_t *halves[VALUE_CONTEXTS];
    int prefix = 1, low = 0, high = 256;
    uint64_t agree = EACH_BYTE; /* those that a value may repeat, as far as it is known */
    masses least = all_below(t->sigmoid[0]), most = all_below(t->sigmoid[2 * REACH]);
    for (int bit = 7; bit >= 0; bit--) {
        if (bit == 7 || bit == 3) {
            const uint32_t *own = bit == 3 ? o->second[prefix & 1] : o->first;
            UNROLL (int k = 0; k < VALUE_CONTEXTS; k++) halves[k] = bucket(m, own[k]);
        }
        if (bit == 4 && out->decoding) { /* whichever it will be */
            hash_half(o->second[0], m, o, 2 * prefix);
            hash_half(o->second[1], m, o, 2 * prefix + 1);
        }
        int node = bit > 3 ? prefix : (prefix & ((1 << (3 - bit)) - 1)) | 1 << (3 - bit);
        int middle = (low + high) >> 1, at = split(rest, shift + bit);
        const masses between = masses_at(t, o, middle);
        const uint64_t bits = o->known >> bit & EACH_BYTE, brings = agree + (agree & bits);
        if (rest->end && (at == rest->first || at == rest->end)) { /* nothing to decide */
            prefix = 2 * prefix + (at == rest->first);
            agree &= at == rest->first ? bits : ~bits;
            if (at == rest->first) low = middle, least = between;
            else high = middle, most = between;
            continue;
        }
        uint32_t *const steps = a->value_steps + (turn * 256 + prefix) * STEPS;
        have_come(steps);
        decision d;
        d.t = t;
        begin(&d);
        d.width = VALUE_INPUTS, d.haste = VALUE_HASTE;
        see_anchors(&d, &least, &between, &most);
        UNROLL (int k = 0; k < VALUE_CONTEXTS; k++)
            SEE_CONTEXT(&d, halves[k] + node, a->value_slots + (k * MOST_CHANNELS + turn) * STATES);
        UNROLL (int k = 0; k < AGREEMENTS; k++) {
            int found = agreement((uint32_t)(brings >> (32 * k)));
            found = (found * 16 + flags) * 8 + bit;
            see(&d, a->agree + (k * MOST_CHANNELS + turn) * AGREED + found);
        }
        d.inputs[d.n++] = 0;
        if (rest->end) {
            uint32_t ones = (uint32_t)(rest->end - at), all = (uint32_t)(rest->end - rest->first);
            d.inputs[d.n - 1] = t->logit[(ones << 16) / all];
        }
        int certain = known_by(halves, node);
        d.sets[0] =
            a->value_by_bit + (((channels - 1) * MOST_CHANNELS + turn) * 8 + bit) * VALUE_INPUTS;
        d.sets[1] = a->value_by_prefix + (turn * 256 + prefix) * VALUE_INPUTS;
        d.sets[2] = a->value_by_activity + ((turn * 3 + busy) * COUNTS + certain) * VALUE_INPUTS;
        d.chosen = 3;
        int32_t one = mix(&d, a->value_sets + (turn * 8 + bit) * MOST_SETS, steps);
        int is = code(out, one, value >> bit & 1);
        learn(&d, is, VALUE_RATE);
        prefix = 2 * prefix + is;
        agree &= is ? bits : ~bits;
        if (is) low = middle, least = between, rest->first = rest->end ? at : 0;
        else high = middle, most = between, rest->end = rest->end ? at : 0;
    }
    return prefix - 256;
}

/* Code a colour; `every` has what is expected of its first channel, and room for the others and one
 * more. */
TARGET INLINE uint32_t code_values(coder *out, const tables *t, state *a, memory *m,
                                   const window *v, outlook *every, int channels, uint32_t picture,
                                   colours *rest, uint32_t colour) {
    repeats same = {1, 1, 1, 1};
    so_far p = {0, 0, 0, channels};
    while (p.turn < channels) {
        const int k = ORDER[channels - 1][p.turn], wanted = channel(colour, k);
        outlook *o = every + p.turn;
        /* an encoder need not wait for the value; a decoder supposes that alpha is as likely */
        const int early = !out->decoding || (channels % 2 == 0 && !p.turn);
        const int likely = out->decoding ? o->anchors[0] : wanted;
        if (early) expect(o + 1, out, a, m, v, followed_by(p, likely), picture, colour);
        const int value = code_value(out, t, a, m, o, p.turn, channels, same, rest, wanted);
        UNROLL (int i = 0; i < ANCHORS; i++) {
            int64_t error = ((int64_t)absolute(value - o->anchors[i]) << 16) - *o->scales[i];
            *o->scales[i] = (uint32_t)((int64_t)*o->scales[i] + (error >> SCALE_SLOWNESS));
        }
        if (channels % 2 || p.turn) { /* not alpha */
            same.w &= value == channel(v->w, k), same.n &= value == channel(v->n, k);
            same.nw &= value == channel(v->nw, k), same.ne &= value == channel(v->ne, k);
        }
        p = followed_by(p, value);
        if (!early || value != likely) expect(o + 1, out, a, m, v, p, picture, 0);
    }
    return p.pixel;
}

#endif
