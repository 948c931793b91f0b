/* A value bit by bit, one input of a mixture after the other. */
#ifndef BITSWAP_DRAWN_SINGLY_H
#define BITSWAP_DRAWN_SINGLY_H

#include "outlook.h"

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
            agree &= bits ^ ((uint64_t)(at == rest->first) - 1);
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
        agree &= bits ^ ((uint64_t)is - 1); /* those that have this bit, too */
        if (is) low = middle, least = between, rest->first = rest->end ? at : 0;
        else high = middle, most = between, rest->end = rest->end ? at : 0;
    }
    return prefix - 256;
}

#endif
