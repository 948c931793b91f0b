/* A value bit by bit, all inputs of a mixture together, see bit.h; what singly.h does.
 *
 * A mixture has to wait for tables again and again, so what the next bit asks for is sought
 * meanwhile: an encoder, who knows the bits, seeks it while this one is mixed, a decoder before
 * this one is learnt. Slots of a half are not asked for twice, so that this changes nothing.
 */
#ifndef BITSWAP_DRAWN_TOGETHER_H
#define BITSWAP_DRAWN_TOGETHER_H

#include "bit.h"

/* Whose value it is. */
typedef struct {
    const tables *t;
    state *a;
    memory *m;
    outlook *o;
    colours *rest;
    int turn, channels, flags, busy;
} whose;

/* How far a value is known: `prefix` is its bits so far behind a 1. */
typedef struct {
    int bit, prefix, apart;
    uint64_t agree; /* those that it may repeat, as far as it is known */
    masses least, between, most; /* below the least value, the least whose bit is 1, all values */
    uint64_t bits; /* of those that it may repeat */
    int at;        /* where colours begin whose bit is 1 */
    uint16_t *halves[VALUE_CONTEXTS];
} way;

/* Find the buckets of half a value; whether all are apart. */
TARGET INLINE void find_half(way *y, const whose *q) {
    const uint32_t *own = y->bit == 3 ? q->o->second[y->prefix & 1] : q->o->first;
    UNROLL (int k = 0; k < VALUE_CONTEXTS; k++) y->halves[k] = bucket(q->m, own[k]);
    y->apart = 1;
    UNROLL (int k = 1; k < VALUE_CONTEXTS; k++)
        UNROLL (int j = 0; j < k; j++) y->apart &= y->halves[k] != y->halves[j];
}

TARGET INLINE void look_at_bit(way *y, const whose *q) {
    y->between = masses_at(q->t, q->o, ((2 * y->prefix + 1) << y->bit) & 255);
    y->bits = q->o->known >> y->bit & EACH_BYTE;
    y->at = q->rest->end ? split(q->rest, 8 * (q->channels - 1 - q->turn) + y->bit) : 0;
}

/* The bit is known. */
TARGET INLINE void go_on(way *y, const whose *q, int is) {
    const __m256i mask = _mm256_set1_epi32(-is);
    y->prefix = 2 * y->prefix + is, y->bit--;
    y->agree &= y->bits ^ ((uint64_t)is - 1); /* those that have this bit, too */
    y->least = _mm256_blendv_epi8(y->least, y->between, mask);
    y->most = _mm256_blendv_epi8(y->between, y->most, mask);
    if (q->rest->end && is) q->rest->first = y->at;
    else if (q->rest->end) q->rest->end = y->at;
}

/* What the next bit asks of tables. */
TARGET INLINE void ask_tables(asked *d, const way *y, const whose *q) {
    const int bit = y->bit, prefix = y->prefix, turn = q->turn;
    const int node = bit > 3 ? prefix : (prefix & ((1 << (3 - bit)) - 1)) | 1 << (3 - bit);
    state *a = q->a;
    d->node = node, d->halves = y->halves, d->apart = y->apart;
    uint16_t slots[6];
    UNROLL (int k = 0; k < 6; k++) {
        slots[k] = y->halves[k][node];
        d->of_slots[k] = (uint32_t)(k * MOST_CHANNELS * STATES + state_of(q->t, slots[k]));
    }
    __m128i x = _mm_cvtsi32_si128(slots[0]);
    x = _mm_insert_epi16(x, (int16_t)slots[1], 1);
    x = _mm_insert_epi16(x, (int16_t)slots[2], 2);
    x = _mm_insert_epi16(x, (int16_t)slots[3], 3);
    x = _mm_insert_epi16(x, (int16_t)slots[4], 4);
    d->slots = _mm_insert_epi16(x, (int16_t)slots[5], 5);
    d->counters = a->value_slots + turn * STATES, d->agree = a->agree + turn * AGREED;
    d->steps = a->value_steps + (turn * 256 + prefix) * STEPS;
    have_come(d->steps);
    const uint64_t brings = y->agree + (y->agree & y->bits);
    UNROLL (int k = 0; k < AGREEMENTS; k++) {
        const int found = agreement((uint32_t)(brings >> (32 * k)));
        d->of_agree[k] = (uint32_t)(k * MOST_CHANNELS * AGREED + (found * 16 + q->flags) * 8 + bit);
    }
    const int by_bit = ((q->channels - 1) * MOST_CHANNELS + turn) * 8 + bit;
    const int certain = known_by(y->halves, node);
    d->sets[0] = a->value_by_bit + by_bit * VALUE_INPUTS;
    d->sets[1] = a->value_by_prefix + (turn * 256 + prefix) * VALUE_INPUTS;
    d->sets[2] = a->value_by_activity + ((turn * 3 + q->busy) * COUNTS + certain) * VALUE_INPUTS;
    d->of_sets = a->value_sets + (turn * 8 + bit) * MOST_SETS;
}

/* What it asks of predictions, and of the palette. */
TARGET INLINE void ask_anchors(asked *d, const way *y, const whose *q) {
    const __m128i x = logits_of(q->t, y->least, y->between, y->most);
    const colours *rest = q->rest;
    int16_t left = 0;
    if (rest->end) {
        const uint32_t ones = (uint32_t)(rest->end - y->at);
        left = q->t->logit[(ones << 16) / (uint32_t)(rest->end - rest->first)];
    }
    d->anchors = _mm_insert_epi16(_mm_insert_epi16(x, left, 6), 256, 7);
}

/* An encoder's value, of a picture that may have all colours. */
TARGET INLINE void encode_value(coder *out, const whose *q, way *y, int value) {
    asked both[2], *d = both, *next = both + 1;
    find_half(y, q);
    look_at_bit(y, q);
    ask_tables(d, y, q), ask_anchors(d, y, q);
    for (int bit = 7; bit >= 0; bit--) {
        const int is = value >> bit & 1;
        go_on(y, q, is);
        see_all(d, q->t);
        if (bit && bit != 4) {
            y->bits = q->o->known >> y->bit & EACH_BYTE;
            ask_tables(next, y, q);
        }
        weigh_all(d);
        if (bit) look_at_bit(y, q);
        settle(d, q->t);
        if (bit) ask_anchors(next, y, q);
        code(out, d->one, is);
        learn_all(d, q->t, is);
        if (bit == 4) { /* whose buckets may have been those of the first half */
            find_half(y, q);
            ask_tables(next, y, q);
        }
        asked *const last = d;
        d = next, next = last;
    }
}

TARGET INLINE int code_value(coder *out, const tables *t, state *a, memory *m, outlook *o, int turn,
                             int channels, repeats same, colours *rest, int value) {
    const int shift = 8 * (channels - 1 - turn); /* of its bits in keys */
    if (rest->end - rest->first == 1) return (int)(rest->keys[rest->first] >> shift & 255);
    const int flags = same.w | same.n << 1 | same.nw << 2 | same.ne << 3;
    const int busy = o->activity > 5 ? 2 : o->activity > 2 ? 1 : 0;
    const whose q = {t, a, m, o, rest, turn, channels, flags, busy};
    way y = {.bit = 7, .prefix = 1, .agree = EACH_BYTE};
    y.least = all_below(t->sigmoid[0]), y.most = all_below(t->sigmoid[2 * REACH]);
    if (!out->decoding && !rest->end) {
        encode_value(out, &q, &y, value);
        return value;
    }
    asked both[2], *d = both, *last = NULL; /* what is asked, and what was and is not learnt yet */
    int is = 0;
    find_half(&y, &q);
    while (y.bit >= 0) {
        if (y.bit == 3) {
            if (last) learn_all(last, t, is);
            last = NULL;
            find_half(&y, &q);
        }
        look_at_bit(&y, &q);
        if (y.bit == 4 && out->decoding) { /* whichever it will be */
            hash_half(o->second[0], m, o, 2 * y.prefix);
            hash_half(o->second[1], m, o, 2 * y.prefix + 1);
        }
        if (rest->end && (y.at == rest->first || y.at == rest->end)) { /* nothing to decide */
            go_on(&y, &q, y.at == rest->first);
            continue;
        }
        ask_tables(d, &y, &q), ask_anchors(d, &y, &q);
        if (last) learn_all(last, t, is);
        see_all(d, t), weigh_all(d), settle(d, t);
        is = code(out, d->one, value >> y.bit & 1);
        go_on(&y, &q, is);
        last = d, d = both + (d == both);
    }
    if (last) learn_all(last, t, is);
    return y.prefix - 256;
}

#endif
