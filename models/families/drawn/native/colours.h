/* Whole colours: is the next pixel's one of those that stand around it, or were seen here before?
 */
#ifndef BITSWAP_DRAWN_COLOURS_H
#define BITSWAP_DRAWN_COLOURS_H

#include "decisions.h"
#include "generation.h"
#include "palette.h"

/* Sources: the place, the first and second colour of each memory, W N NW NE WW NN, W + N - NW. */
enum { OF_MEMORIES = 1, AROUND = 1 + 2 * MEMORIES, NEIGHBOURS = 7 };

typedef struct {
    uint32_t colour[SOURCES];
    uint32_t agreeing[SOURCES]; /* sources, one bit each */
    int32_t score[SOURCES];
    int count;
} candidates;

enum { ALL_SOURCES = (SOURCES + 7) / 8 * 8 }; /* eight at a time; those that are none say nothing */

typedef struct {
    uint32_t colour[ALL_SOURCES];
    int confidence[ALL_SOURCES]; /* -1: it says nothing */
} sources;

TARGET INLINE sources ask(const window *v, const place *p, uint32_t there, followed *const *told,
                          int channels) {
    sources s;
    s.colour[0] = there;
    s.confidence[0] = p->at ? lesser((int)p->run, 31) : -1;
    for (int k = 0; k < MEMORIES; k++) {
        const followed *f = told[k];
        int i = OF_MEMORIES + 2 * k;
        s.colour[i] = f->colour[0], s.colour[i + 1] = f->colour[1];
        s.confidence[i] = f->run ? lesser(f->run, 31) : -1;
        s.confidence[i + 1] = f->second ? lesser(f->run, 7) * 4 + f->second : -1;
    }
    uint32_t sum = 0;
    for (int k = 0; k < channels; k++) {
        int32_t value = channel(v->w, k) + channel(v->n, k) - channel(v->nw, k);
        sum |= (uint32_t)clip(value, 0, 255) << (8 * k);
    }
    const uint32_t around[NEIGHBOURS] = {v->w, v->n, v->nw, v->ne, v->ww, v->nn, sum};
    for (int k = 0; k < NEIGHBOURS; k++) {
        s.colour[AROUND + k] = around[k];
        s.confidence[AROUND + k] = v->equal;
    }
    for (int i = SOURCES; i < ALL_SOURCES; i++) s.colour[i] = 0, s.confidence[i] = -1;
    return s;
}

/* Which sources name a colour, one bit each. */
TARGET INLINE uint32_t naming(const sources *s, uint32_t colour) {
    uint32_t found = 0;
#if defined(VECTORS)
    const __m256i wanted = _mm256_set1_epi32((int)colour);
    UNROLL (int i = 0; i < ALL_SOURCES; i += 8) {
        const __m256i own = _mm256_loadu_si256((const __m256i *)(s->colour + i));
        const __m256 same = _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, wanted));
        found |= (uint32_t)_mm256_movemask_ps(same) << i;
    }
#else
    for (int i = 0; i < SOURCES; i++) found |= (uint32_t)(s->colour[i] == colour) << i;
#endif
    return found;
}

/* Which sources say something. */
TARGET INLINE uint32_t saying(const sources *s) {
    uint32_t found = 0;
    UNROLL (int i = 0; i < SOURCES; i++) found |= (uint32_t)(s->confidence[i] >= 0) << i;
    return found;
}

/* Let sources learn whether they were right. */
TARGET INLINE void credit(const tables *t, state *a, const sources *s, uint32_t colour) {
#if defined(VECTORS)
    (void)t;
    uint32_t unused[ALL_SOURCES] = {0}, *counters[ALL_SOURCES];
    for (int i = 0; i < ALL_SOURCES; i++) {
        const int confidence = s->confidence[i];
        uint32_t *const either[2] = {a->right + i * CONFIDENCES + confidence, unused + i};
        counters[i] = either[confidence < 0];
    }
    const __m256i wanted = _mm256_set1_epi32((int)colour);
    UNROLL (int i = 0; i < ALL_SOURCES; i += 8) {
        const __m256i own = _mm256_loadu_si256((const __m256i *)(s->colour + i));
        count_eight(counters + i, _mm256_cmpeq_epi32(own, wanted), COUNTER_LIMIT);
    }
#else
    for (int i = 0; i < SOURCES; i++)
        if (s->confidence[i] >= 0)
            count(t, a->right + i * CONFIDENCES + s->confidence[i], s->colour[i] == colour,
                  COUNTER_LIMIT);
#endif
}

/* Distinct colours that the picture may have and that score `least` or more, with the best of their
 * sources and how many these are; W is none where it has been ruled out. */
TARGET INLINE candidates gather(const tables *t, const state *a, const sources *s, const frame *f,
                                int32_t least, int without, uint32_t w) {
    candidates c;
    int32_t own[SOURCES];
    for (int i = 0; i < SOURCES; i++) {
        const int confidence = s->confidence[i] < 0 ? 0 : s->confidence[i];
        own[i] = t->logit[chance(a->right[i * CONFIDENCES + confidence])];
    }
    c.count = 0;
    uint32_t rest = saying(s);
    if (without) rest &= ~naming(s, w);
    while (rest) {
        const uint32_t colour = s->colour[first_of(rest)], same = naming(s, colour) & rest;
        int32_t score = -LIMIT;
        for (uint32_t left = same; left; left &= left - 1) {
            const int32_t one = own[first_of(left)];
            score = one > score ? one : score;
        }
        c.colour[c.count] = colour, c.agreeing[c.count] = same, c.score[c.count] = score;
        c.count++, rest &= ~same;
    }
    int kept = 0;
    for (int j = 0; j < c.count; j++) {
        const int32_t score = c.score[j] + EACH_SOURCE * ones_of(c.agreeing[j]);
        if (score < least || !has_colour(f, c.colour[j])) continue;
        c.colour[kept] = c.colour[j], c.agreeing[kept] = c.agreeing[j], c.score[kept] = score;
        kept++;
    }
    c.count = kept;
    return c;
}

/* Whether a colour is one of them. */
TARGET INLINE int names(const candidates *c, uint32_t colour) {
    int found = 0;
    for (int j = 0; j < c->count; j++) found |= c->colour[j] == colour;
    return found;
}

/* Let the best of the rest be the one of this rank. */
TARGET INLINE void promote(candidates *c, int rank) {
    int best = rank;
    for (int j = rank + 1; j < c->count; j++)
        if (c->score[j] > c->score[best]) best = j;
    uint32_t colour = c->colour[best], agreeing = c->agreeing[best];
    int32_t score = c->score[best];
    c->colour[best] = c->colour[rank], c->agreeing[best] = c->agreeing[rank];
    c->score[best] = c->score[rank];
    c->colour[rank] = colour, c->agreeing[rank] = agreeing, c->score[rank] = score;
}

/* Which sources agree, as a number below 1024: the place, the first, second and fourth memory's
 * first, W, N, whether the first two memories say anything, and the rank. */
TARGET INLINE uint32_t pattern(const sources *s, uint32_t agreeing, int rank) {
    uint32_t found = (agreeing & 1) | (agreeing >> 1 & 1) << 1 | (agreeing >> 3 & 1) << 2;
    found |= (agreeing >> 7 & 1) << 3 | (agreeing >> AROUND & 3) << 4;
    found |= (uint32_t)(s->confidence[1] >= 0) << 6 | (uint32_t)(s->confidence[3] >= 0) << 7;
    return found | (uint32_t)(rank > 0) << 8 | (uint32_t)(rank > 1) << 9;
}

/* What a candidate is asked about: slots, and which sources agree, and which were wrong before. */
typedef struct {
    uint32_t contexts[COLOUR_CONTEXTS];
    uint32_t agreeing, rejected;
    int rank;
} question;

/* Ask about the best of the rest of the candidates, and have what is known of it come nearer. */
TARGET INLINE question about(const memory *m, const window *v, const sources *s, candidates *c,
                             int rank, uint32_t rejected, int channels) {
    promote(c, rank);
    const uint32_t agreeing = c->agreeing[rank];
    uint32_t shape = hash((uint32_t)(v->equal | v->flat << 7), (uint32_t)channels);
    uint32_t sure = (uint32_t)((s->confidence[1] + 1) * 64 + s->confidence[3] + 1);
    question q = {
        {
            hash(agreeing, hash(rejected, 1)),
            hash(shape, hash(agreeing >> AROUND, hash((uint32_t)rank, 2))),
            hash(c->colour[rank], hash(v->w, 3)),
            hash(agreeing, hash((uint32_t)(s->confidence[0] + 1), hash(sure, 4))),
        },
        agreeing,
        rejected,
        rank,
    };
    for (int k = 0; k < COLOUR_CONTEXTS; k++) COMING(slot_at(m, q.contexts[k]));
    return q;
}

/* Code whether the next pixel has the candidate's colour. */
TARGET INLINE int code_candidate(coder *out, const tables *t, state *a, memory *m, const sources *s,
                                 const question *q, int channels, int is) {
    const uint32_t agreeing = q->agreeing, rejected = q->rejected;
    const int rank = q->rank;
    decision d;
    d.t = t;
    begin(&d);
    uint32_t unused[SOURCES] = {0}; /* counters of those that say nothing */
    for (int i = 0; i < SOURCES; i++) {
        const int role = 1 - (int)(agreeing >> i & 1) + (int)(rejected >> i & 1);
        const int at = (i * ROLES + role) * CONFIDENCES + s->confidence[i],
                  says = s->confidence[i] >= 0;
        uint32_t *const either[2] = {unused + i, a->hit + at};
        d.counters[i] = either[says];
        d.inputs[i] = (int16_t)(t->logit[chance(*d.counters[i])] & -says);
    }
    d.n = d.counted = SOURCES;
    for (int k = 0; k < COLOUR_CONTEXTS; k++)
        see_slot(&d, slot(m, q->contexts[k]), a->colour_slots + k * STATES);
    d.sets[0] = a->colour_by_rank + ((channels - 1) * MOST_CANDIDATES + rank) * INPUTS;
    d.sets[1] = a->colour_by_sources + pattern(s, agreeing, rank) * INPUTS;
    d.chosen = 2;
    int32_t one = mix(&d, a->colour_sets + rank * MOST_SETS,
                      a->colour_steps + (q->contexts[0] >> 22) * STEPS);
    is = code(out, one, is);
    learn(&d, is, COLOUR_RATE);
    return is;
}

#endif
