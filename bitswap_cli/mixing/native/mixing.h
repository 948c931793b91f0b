/* What a decision's probability is made of: counters, slots, sets of weights, a refinement. */
#ifndef BITSWAP_MIXING_MIXING_H
#define BITSWAP_MIXING_MIXING_H

#include "counts.h"
#include "weights.h"

enum { MOST_SLOTS = 16, MOST_STEPS = 2 }; /* of a decision */

/* Have what will be read soon come nearer. */
#if defined(__GNUC__)
#define COMING(address) __builtin_prefetch(address, 1)
#else
#define COMING(address) ((void)(address))
#endif

TARGET INLINE uint32_t hash(uint32_t a, uint32_t b) {
    uint64_t h = a * UINT64_C(0x9E3779B97F4A7C15) ^ b * UINT64_C(0xC2B2AE3D27D4EB4F);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(h >> 32);
}

TARGET INLINE int lesser(int a, int b) { return a < b ? a : b; }

/* How many bits a number has. */
TARGET INLINE int bits_of(int32_t x) {
#if defined(__GNUC__)
    return x ? 32 - __builtin_clz((unsigned)x) : 0;
#else
    int n = 0;
    for (; x > 0; x >>= 1) n++;
    return n;
#endif
}

/* The lowest of them that is 1, of a number that is not 0. */
TARGET INLINE int first_of(uint32_t x) {
#if defined(__GNUC__)
    return __builtin_ctz(x);
#else
    int n = 0;
    for (; !(x & 1); x >>= 1) n++;
    return n;
#endif
}

/* How many of them are 1. */
TARGET INLINE int ones_of(uint32_t x) {
#if defined(__GNUC__)
    return __builtin_popcount(x);
#else
    int n = 0;
    for (; x; x &= x - 1) n++;
    return n;
#endif
}

TARGET INLINE int32_t squash(const tables *t, int32_t logit) {
    return t->squashed[clip(logit, -LIMIT, LIMIT) + LIMIT];
}

/* ---- a decision ---- */
typedef struct {
    const tables *t;
    int16_t inputs[INPUTS]; /* logits and the like, within LIMIT */
    int n;
    int width; /* inputs that there may be: INPUTS, or half as many */
    int haste; /* weights move 2^haste times as far */
    weighed x; /* they, once all are there */
    uint32_t *counters[INPUTS]; /* that are told the outcome */
    int counted;
    uint16_t *slots[MOST_SLOTS];
    int slotted;
    int32_t *sets[MOST_SETS], outputs[MOST_SETS], *of_sets;
    int chosen; /* sets */
    uint32_t *steps[MOST_STEPS]; /* of refinements */
    int stepped;
    uint32_t limit; /* of the counts of `counters` */
    int apart;      /* whether its slots are, for certain */
    int32_t logit, mixed;
} decision;

TARGET INLINE void begin(decision *d) {
    d->n = d->counted = d->slotted = d->chosen = d->stepped = 0;
    d->limit = COUNTER_LIMIT, d->apart = 0;
    d->width = INPUTS, d->haste = 0;
}

TARGET INLINE void see(decision *d, uint32_t *counter) {
    d->counters[d->counted++] = counter;
    d->inputs[d->n++] = d->t->logit[chance(*counter)];
}

/* A slot by what slots in its state were worth so far; it says nothing before its first time. */
TARGET INLINE void see_logit(decision *d, uint16_t *slot, uint32_t *states) {
    uint32_t *counter = states + state_of(d->t, *slot);
    int32_t known = -((*slot & 15) != 0);
    d->slots[d->slotted++] = slot;
    d->counters[d->counted++] = counter;
    d->inputs[d->n++] = (int16_t)(d->t->logit[chance(*counter)] & known);
}

/* Likewise, by the probability as such, too. */
TARGET INLINE void see_slot(decision *d, uint16_t *slot, uint32_t *states) {
    see_logit(d, slot, states);
    int32_t p = chance(*d->counters[d->counted - 1]), known = -((*slot & 15) != 0);
    d->inputs[d->n++] = (int16_t)((p - 32768) >> 5 & known);
}

/* A refinement: the probability that `steps`, (STEPS,), tell for the logit. */
TARGET INLINE int32_t refine(decision *d, uint32_t *steps) {
    int32_t at = lesser((d->logit + LIMIT) / STEP, STEPS - 2);
    int32_t over = lesser(d->logit + LIMIT - at * STEP, STEP);
    d->steps[d->stepped++] = steps + at + (over > STEP / 2);
    int64_t refined = (int64_t)chance(steps[at]) * (STEP - over);
    refined += (int64_t)chance(steps[at + 1]) * over;
    return (int32_t)(refined / STEP);
}

/* Have a refinement's steps, (STEPS,), come nearer, whichever it will be. */
TARGET INLINE void have_come(const uint32_t *steps) {
    for (int i = 0; i < STEPS; i += 16) COMING(steps + i);
}

/* The probability of 1, of 16 bits. `steps` are those of this context, (STEPS,) */
TARGET INLINE int32_t mix(decision *d, int32_t *of_sets, uint32_t *steps) {
    d->inputs[d->n++] = 256;
    while (d->n < d->width) d->inputs[d->n++] = 0;
    d->of_sets = of_sets;
    gather_inputs(&d->x, d->inputs, d->width);
    int64_t total = 0;
    for (int k = 0; k < d->chosen; k++) {
        d->outputs[k] = clip(weigh(&d->x, d->sets[k], d->width) >> 12, -LIMIT, LIMIT);
        total += (int64_t)of_sets[k] * d->outputs[k];
    }
    d->logit = clip((int32_t)(total >> 16), -LIMIT, LIMIT);
    d->mixed = squash(d->t, d->logit);
    return clip((3 * d->mixed + refine(d, steps)) >> 2, 1, 65535);
}

/* Let all that took part learn the outcome. */
TARGET INLINE void learn(decision *d, int bit, int32_t rate) {
    int32_t target = bit << 16, error = (target - d->mixed) >> 5;
    for (int k = 0; k < d->chosen; k++) {
        d->of_sets[k] = clip(d->of_sets[k] + ((d->outputs[k] * error + (1 << 13)) >> 14),
                             -WEIGHT_LIMIT, WEIGHT_LIMIT);
        int16_t own = (int16_t)((target - squash(d->t, d->outputs[k])) * rate >> 8);
        move(&d->x, d->sets[k], own, d->width, d->haste);
    }
    for (int i = 0; i < d->stepped; i++) count(d->t, d->steps[i], bit, COUNTER_LIMIT);
    int i = 0;
#if defined(VECTORS)
    for (; i + 8 <= d->counted; i += 8)
        count_eight(d->counters + i, _mm256_set1_epi32(-bit), d->limit);
#endif
    for (; i < d->counted; i++) count(d->t, d->counters[i], bit, d->limit);
#if defined(VECTORS)
    if (d->apart) {
        for (i = 0; i < d->slotted; i += 8)
            count_slots(d->slots + i, lesser(d->slotted - i, 8), bit);
        return;
    }
#endif
    for (i = 0; i < d->slotted; i++) count_slot(d->t, d->slots[i], bit);
}

#endif
