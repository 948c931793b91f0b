/* A bit of a value under six contexts, with AVX2: what is done for each input is done for all of
 * them at once. */
#ifndef BITSWAP_DRAWN_BIT_H
#define BITSWAP_DRAWN_BIT_H

#include "outlook.h"

/* ---- predictions: six of eight numbers of a vector ---- */
typedef __m256i masses; /* of a logistic about each anchor below an edge */

TARGET INLINE masses all_below(int32_t mass) { return _mm256_set1_epi32(mass); }

/* Six places as four integers of 64 bits that have two each; the last ones are idle. */
typedef struct {
    uint64_t at[4];
} places;

TARGET INLINE places apart(__m128i low, __m128i high) {
    return (places){{(uint64_t)_mm_cvtsi128_si64(low), (uint64_t)_mm_extract_epi64(low, 1),
                     (uint64_t)_mm_cvtsi128_si64(high), (uint64_t)_mm_extract_epi64(high, 1)}};
}

TARGET INLINE uint32_t place_at(const places *p, int i) {
    return i & 1 ? (uint32_t)(p->at[i / 2] >> 32) : (uint32_t)p->at[i / 2];
}

/* What a table has at eight places, each times a step. */
#define FIRST_OF(table, p, step) \
    _mm_cvtsi32_si128((uint16_t)(table)[(size_t)(step) * place_at(p, 0)])
#define NEXT_OF(x, i, table, p, step) \
    x = _mm_insert_epi16(x, (table)[(size_t)(step) * place_at(p, i)], i)

TARGET INLINE masses masses_at(const tables *t, const outlook *o, int edge) {
    const __m256i reach = _mm256_set1_epi32(REACH), least = _mm256_set1_epi32(-REACH);
    const __m256i anchors = _mm256_loadu_si256((const __m256i *)o->anchors);
    const __m256i inverse = _mm256_loadu_si256((const __m256i *)o->inverse);
    __m256i away = _mm256_sub_epi32(_mm256_set1_epi32(edge), anchors);
    away = _mm256_sub_epi32(_mm256_add_epi32(away, away), _mm256_set1_epi32(1));
    __m256i z = _mm256_srai_epi32(_mm256_mullo_epi32(away, inverse), 9);
    z = _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(z, least), reach), reach);
    const places p = apart(_mm256_castsi256_si128(z), _mm256_extracti128_si256(z, 1));
    __m128i low = _mm_cvtsi32_si128(t->sigmoid[place_at(&p, 0)]);
    low = _mm_insert_epi32(low, t->sigmoid[place_at(&p, 1)], 1);
    low = _mm_insert_epi32(low, t->sigmoid[place_at(&p, 2)], 2);
    low = _mm_insert_epi32(low, t->sigmoid[place_at(&p, 3)], 3);
    const __m128i high = _mm_cvtsi32_si128(t->sigmoid[place_at(&p, 4)]);
    return _mm256_set_m128i(_mm_insert_epi32(high, t->sigmoid[place_at(&p, 5)], 1), low);
}

/* 2^15 a / b, rounded down: quotients of doubles are not as far off as the next integer. */
TARGET INLINE __m128i shares(__m128i a, __m128i b) {
    const __m256d share = _mm256_div_pd(_mm256_cvtepi32_pd(a), _mm256_cvtepi32_pd(b));
    return _mm256_cvttpd_epi32(_mm256_mul_pd(share, _mm256_set1_pd(32768)));
}

/* The logits of the shares of 1 between two edges, cut in the middle; the last two are 0. */
TARGET INLINE __m128i logits_of(const tables *t, masses low, masses middle, masses high) {
    const __m256i all = _mm256_add_epi32(_mm256_sub_epi32(high, low), _mm256_set1_epi32(2));
    const __m256i upper = _mm256_add_epi32(_mm256_sub_epi32(high, middle), _mm256_set1_epi32(1));
    const places p =
        apart(shares(_mm256_castsi256_si128(upper), _mm256_castsi256_si128(all)),
              shares(_mm256_extracti128_si256(upper, 1), _mm256_extracti128_si256(all, 1)));
    __m128i x = FIRST_OF(t->logit, &p, 2);
    NEXT_OF(x, 1, t->logit, &p, 2), NEXT_OF(x, 2, t->logit, &p, 2);
    NEXT_OF(x, 3, t->logit, &p, 2), NEXT_OF(x, 4, t->logit, &p, 2);
    NEXT_OF(x, 5, t->logit, &p, 2);
    return x;
}

/* ---- a bit ---- */

/* What is asked: where all is that takes part. */
typedef struct {
    uint16_t *const *halves; /* buckets, in each of which the slot is that of the node */
    uint32_t *counters;      /* of states of slots */
    uint32_t *agree;         /* of agreements */
    uint32_t of_slots[6], of_agree[2];
    int32_t *sets[MOST_SETS], *of_sets;
    uint32_t *steps;
    __m128i anchors; /* inputs of anchors, of what the palette has left, and what is always 1 */
    __m128i slots;   /* what they hold */
    int node, apart;
    /* what comes of it */
    __m256i told, inputs; /* what counters hold */
    __m128i outputs;
    int32_t mixed, one; /* the probability of 1, and as it is refined */
    uint32_t *step;     /* of the refinement */
} asked;

/* Inputs: six anchors, six slots, two agreements, what the palette has left, 1; in the order in
 * which eight and eight weights are packed: 0-3, 8-11, 4-7, 12-15. */
TARGET INLINE void see_all(asked *d, const tables *t) {
    const uint32_t *own = d->counters, *at = d->of_slots;
    __m128i low = _mm_cvtsi32_si128((int)own[at[0]]);
    low = _mm_insert_epi32(low, (int)own[at[1]], 1);
    low = _mm_insert_epi32(low, (int)own[at[2]], 2);
    low = _mm_insert_epi32(low, (int)own[at[3]], 3);
    __m128i high = _mm_cvtsi32_si128((int)own[at[4]]);
    high = _mm_insert_epi32(high, (int)own[at[5]], 1);
    high = _mm_insert_epi32(high, (int)d->agree[d->of_agree[0]], 2);
    high = _mm_insert_epi32(high, (int)d->agree[d->of_agree[1]], 3);
    d->told = _mm256_set_m128i(high, low);
    const places p = apart(_mm_srli_epi32(low, 16), _mm_srli_epi32(high, 16));
    __m128i x = FIRST_OF(t->logit, &p, 1);
    NEXT_OF(x, 1, t->logit, &p, 1), NEXT_OF(x, 2, t->logit, &p, 1);
    NEXT_OF(x, 3, t->logit, &p, 1), NEXT_OF(x, 4, t->logit, &p, 1);
    NEXT_OF(x, 5, t->logit, &p, 1);
    const __m128i counts = _mm_and_si128(d->slots, _mm_set1_epi16(15));
    x = _mm_andnot_si128(_mm_cmpeq_epi16(counts, _mm_setzero_si128()), x);
    NEXT_OF(x, 6, t->logit, &p, 1), NEXT_OF(x, 7, t->logit, &p, 1);
    const __m128i first = _mm_alignr_epi8(x, _mm_slli_si128(d->anchors, 4), 4);
    const __m128i rest = _mm_alignr_epi8(_mm_srli_si128(d->anchors, 12), x, 4);
    d->inputs = _mm256_set_m128i(_mm_unpackhi_epi64(first, rest), _mm_unpacklo_epi64(first, rest));
}

TARGET INLINE void weigh_all(asked *d) {
    __m256i sums[MOST_SETS];
    UNROLL (int k = 0; k < MOST_SETS; k++) {
        const __m256i *w = (const __m256i *)d->sets[k];
        const __m256i low = _mm256_srai_epi32(_mm256_loadu_si256(w), 4);
        const __m256i high = _mm256_srai_epi32(_mm256_loadu_si256(w + 1), 4);
        const __m256i packed = _mm256_packs_epi32(low, high); /* which they fit */
        sums[k] = _mm256_madd_epi16(packed, d->inputs);
    }
    const __m256i last = _mm256_hadd_epi32(sums[2], sums[2]);
    const __m256i both = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), last);
    __m128i all = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    all = _mm_min_epi32(_mm_srai_epi32(all, 12), _mm_set1_epi32(LIMIT));
    d->outputs = _mm_max_epi32(all, _mm_set1_epi32(-LIMIT));
}

/* What sets say, weighed and refined, see `mix`. */
TARGET INLINE void settle(asked *d, const tables *t) {
    const int64_t two = _mm_cvtsi128_si64(d->outputs);
    int64_t total = (int64_t)d->of_sets[0] * (int32_t)two + d->of_sets[1] * (two >> 32);
    total += (int64_t)d->of_sets[2] * _mm_extract_epi32(d->outputs, 2);
    const int32_t logit = clip((int32_t)(total >> 16), -LIMIT, LIMIT) + LIMIT;
    d->mixed = t->squashed[logit];
    const int at = lesser(logit / STEP, STEPS - 2), over = lesser(logit - at * STEP, STEP);
    const int32_t here = chance(d->steps[at]), there = chance(d->steps[at + 1]);
    const int32_t refined = (here * STEP + (there - here) * over) / STEP;
    d->step = d->steps + at + (over > STEP / 2);
    d->one = clip((3 * d->mixed + refined) >> 2, 1, 65535);
}

/* Let weights of sets, and of inputs, learn the outcome, see `learn`. */
TARGET INLINE void move_all(const asked *d, const tables *t, int is) {
    const int32_t target = is << 16, error = (target - d->mixed) >> 5;
    const int32_t *squashed = t->squashed + LIMIT;
    const int64_t two = _mm_cvtsi128_si64(d->outputs);
    __m128i own = _mm_cvtsi32_si128(squashed[(int32_t)two]);
    own = _mm_insert_epi32(own, squashed[two >> 32], 1);
    own = _mm_insert_epi32(own, squashed[_mm_extract_epi32(d->outputs, 2)], 2);
    own = _mm_mullo_epi32(_mm_sub_epi32(_mm_set1_epi32(target), own), _mm_set1_epi32(VALUE_RATE));
    own = _mm_srai_epi32(own, 8);
    __m128i of = _mm_loadl_epi64((const __m128i *)d->of_sets);
    of = _mm_insert_epi32(of, d->of_sets[2], 2);
    __m128i by = _mm_mullo_epi32(d->outputs, _mm_set1_epi32(error));
    by = _mm_srai_epi32(_mm_add_epi32(by, _mm_set1_epi32(1 << 13)), 14);
    of = _mm_min_epi32(_mm_add_epi32(of, by), _mm_set1_epi32(WEIGHT_LIMIT));
    of = _mm_max_epi32(of, _mm_set1_epi32(-WEIGHT_LIMIT));
    _mm_storel_epi64((__m128i *)d->of_sets, of);
    d->of_sets[2] = _mm_extract_epi32(of, 2);
    const weighed x = {{d->inputs}};
    move(&x, d->sets[0], (int16_t)_mm_extract_epi16(own, 0), VALUE_INPUTS, VALUE_HASTE);
    move(&x, d->sets[1], (int16_t)_mm_extract_epi16(own, 2), VALUE_INPUTS, VALUE_HASTE);
    move(&x, d->sets[2], (int16_t)_mm_extract_epi16(own, 4), VALUE_INPUTS, VALUE_HASTE);
}

/* Let all that took part learn the outcome. */
TARGET INLINE void learn_all(const asked *d, const tables *t, int is) {
    move_all(d, t, is);
    count(t, d->step, is, COUNTER_LIMIT);
    const __m256i now = counted(d->told, _mm256_set1_epi32(-is), COUNTER_LIMIT);
    const __m128i low = _mm256_castsi256_si128(now), high = _mm256_extracti128_si256(now, 1);
    uint32_t *const own = d->counters;
    own[d->of_slots[0]] = (uint32_t)_mm_cvtsi128_si32(low);
    own[d->of_slots[1]] = (uint32_t)_mm_extract_epi32(low, 1);
    own[d->of_slots[2]] = (uint32_t)_mm_extract_epi32(low, 2);
    own[d->of_slots[3]] = (uint32_t)_mm_extract_epi32(low, 3);
    own[d->of_slots[4]] = (uint32_t)_mm_cvtsi128_si32(high);
    own[d->of_slots[5]] = (uint32_t)_mm_extract_epi32(high, 1);
    d->agree[d->of_agree[0]] = (uint32_t)_mm_extract_epi32(high, 2);
    d->agree[d->of_agree[1]] = (uint32_t)_mm_extract_epi32(high, 3);
    if (!d->apart) {
        for (int k = 0; k < VALUE_CONTEXTS; k++) count_slot(t, d->halves[k] + d->node, is);
        return;
    }
    const __m128i slots = slots_counted(d->slots, is);
    d->halves[0][d->node] = (uint16_t)_mm_extract_epi16(slots, 0);
    d->halves[1][d->node] = (uint16_t)_mm_extract_epi16(slots, 1);
    d->halves[2][d->node] = (uint16_t)_mm_extract_epi16(slots, 2);
    d->halves[3][d->node] = (uint16_t)_mm_extract_epi16(slots, 3);
    d->halves[4][d->node] = (uint16_t)_mm_extract_epi16(slots, 4);
    d->halves[5][d->node] = (uint16_t)_mm_extract_epi16(slots, 5);
}

#endif
