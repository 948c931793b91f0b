/* A colour that no source knows: channel by channel, bit by bit, the highest first. */
#ifndef BITSWAP_DRAWN_VALUES_H
#define BITSWAP_DRAWN_VALUES_H

#if defined(VECTORS) && VALUE_CONTEXTS == 6
#include "values/together.h"
#else
#include "values/singly.h"
#endif

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
