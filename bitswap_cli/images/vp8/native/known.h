/* Decisions under what is known of them. reference.py and decisions.py are the definition. */
#ifndef BITSWAP_VP8_KNOWN_H
#define BITSWAP_VP8_KNOWN_H

#include "work.h"

/* What is known of a decision. */
typedef struct {
    uint32_t keys[CONTEXTS];
    int count; /* of keys */
    int near, place;
} known;

/* Code a decision under what is known, and under what VP8 knows, the probability of 0. */
TARGET APART int decide(work *w, int node, const known *k, int probability, int bit) {
    decision d;
    d.t = w->t;
    begin(&d);
    d.limit = KNOWN_LIMIT;
    uint32_t *own[CONTEXTS];
    for (int i = 0; i < k->count; i++) {
        const uint32_t at = hash(k->keys[i], (uint32_t)(32 * node + i)) >> (32 - TABLE_BITS);
        own[i] = w->counters + ((size_t)i << TABLE_BITS) + at;
        COMING(own[i]);
    }
    d.inputs[d.n++] = d.t->logit[65536 - ((probability ? probability : 1) << 8)];
    see(&d, w->a->alone + node);
    for (int i = 0; i < k->count; i++) {
        if (!*own[i]) *own[i] = (uint32_t)1 << 31; /* which knows nothing */
        see(&d, own[i]);
    }
    while (d.n < CONTEXTS + 2) d.inputs[d.n++] = 0;
    d.sets[d.chosen++] = w->a->by_node + node * INPUTS;
    d.sets[d.chosen++] = w->a->by_near + k->near * INPUTS;
    d.sets[d.chosen++] = w->a->by_place + k->place * INPUTS;
    const int32_t one = mix(&d, w->a->sets + node * MOST_SETS, w->a->steps + node * STEPS);
    bit = code(w->c, one, bit);
    learn(&d, bit, RATE);
    if (w->c->failed) w->failed = w->c->failed;
    return bit;
}

/* A decision of a partition: read, coded, written. */
TARGET INLINE int decided(work *w, int part, int node, const known *k, int probability) {
    int bit = 0;
    if (--w->still < 0) w->failed = WRONG;
    if (w->failed) return 0;
    if (w->task != DECODING) bit = read_bit(w->readers + part, (uint32_t)probability);
    if (w->task != CHECKING) bit = decide(w, node, k, probability, bit);
    if (w->task != ENCODING) write_bit(w->writers + part, (uint32_t)probability, bit);
    return bit;
}

TARGET INLINE int most(int x, int limit) { return x < limit ? x : limit; }
TARGET INLINE int size_of(int x) { return x < 0 ? -x : x; }
TARGET INLINE uint32_t sign_of(int x) { return x > 0 ? 2 : x < 0; }

/* A magnitude in steps: 0 to 3, then two for each power of two. */
TARGET INLINE int level(int x) {
    if (x < 4) return x;
    const int bits = bits_of(x);
    return 2 * bits - 2 + (x >> (bits - 2) & 1);
}

/* Likewise, with its sign, from 1 to 23. */
TARGET INLINE int signed_level(int x) {
    const int size = most(level(size_of(x)), 11);
    return 12 + (x < 0 ? -size : size);
}

#endif
