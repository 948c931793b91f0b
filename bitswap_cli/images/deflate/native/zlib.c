/* zlib's match finders: hash chains of three bytes, greedy (levels 1 to 3) or lazy (4 to 9).
 *
 * zlib slides a window and stores 16 bit positions; positions here are absolute, which comes to
 * the same: what slides out is beyond every distance that is looked at.
 */
#include "run.h"

typedef struct {
    run *r;
    chains c;
    int64_t inserted; /* the first position that is not in the chains (lazy) */
    int64_t farthest; /* distance */
    uint32_t mask;
    int shift;
} finder;

INLINE uint32_t slot(const finder *f, int64_t p) {
    const uint8_t *at = f->r->data + p;
    return ((((uint32_t)at[0] << f->shift) ^ at[1]) << f->shift ^ at[2]) & f->mask;
}

INLINE void insert(finder *f, int64_t p) {
    uint32_t at = slot(f, p);
    f->c.prev[p & f->c.mask] = f->c.head[at];
    f->c.head[at] = (uint32_t)p;
}

/* The longest match at p, which has been inserted, that is longer than `best`; 0 if none is. */
INLINE uint32_t longest(const finder *f, int64_t p, int best) {
    const run *r = f->r;
    const parameters *how = r->how;
    int64_t chain = best >= how->good ? how->chain >> 2 : how->chain;
    int most = reach(r, p), nice = how->nice < most ? (int)how->nice : most;
    int64_t limit = p > f->farthest ? p - f->farthest : 0;
    int64_t at = f->c.prev[p & f->c.mask], found = 0;
    if (!at || p - at > f->farthest || best >= most) return 0;
    const uint8_t *scan = r->data + p;
    uint16_t end, first;
    memcpy(&first, scan, 2);
    memcpy(&end, scan + best - 1, 2);
    do {
        const uint8_t *match = r->data + at;
        uint16_t there, here;
        memcpy(&there, match + best - 1, 2);
        memcpy(&here, match, 2);
        if (there != end || here != first) continue;
        int length = common(scan, match, most);
        if (length > best) {
            found = p - at;
            best = length;
            if (length >= nice) break;
            memcpy(&end, scan + best - 1, 2);
        }
    } while ((at = f->c.prev[at & f->c.mask]) > limit && --chain > 0);
    return found ? match_of(best, found) : 0;
}

static void greedy(finder *f) {
    run *r = f->r;
    for (int64_t p = 0; !r->done && !r->error;) {
        uint32_t candidate = 0;
        if (r->size - p >= MIN_MATCH) {
            insert(f, p);
            candidate = longest(f, p, MIN_MATCH - 1);
        }
        uint32_t truth = settle(r, p, candidate, candidate != 0, &f->c);
        int64_t end = p + span(truth);
        if (truth && length_of(truth) <= r->how->lazy && r->size - end >= MIN_MATCH)
            while (++p < end) insert(f, p);
        p = end;
    }
}

INLINE void insert_to(finder *f, int64_t end) {
    int64_t last = f->r->size - MIN_MATCH;
    if (end > last + 1) end = last + 1;
    for (; f->inserted < end; f->inserted++) insert(f, f->inserted);
}

/* A match that counts: short ones that are far away, or that noise makes, do not. */
INLINE uint32_t worth(const finder *f, int64_t p, int best) {
    if (f->r->size - p < MIN_MATCH) return 0;
    uint32_t match = longest(f, p, best);
    int64_t flags = f->r->how->flags;
    if (match && length_of(match) <= 5 &&
        ((flags & FILTERED) ||
         (length_of(match) == MIN_MATCH && distance_of(match) > 4096 && !(flags & ANY_DISTANCE))))
        return 0;
    return match;
}

static void lazy(finder *f) {
    run *r = f->r;
    uint32_t carried = 0;
    int known = 0; /* whether `carried` was looked for at p already */
    for (int64_t p = 0; !r->done && !r->error;) {
        insert_to(f, p + 1);
        uint32_t candidate = known ? carried : worth(f, p, MIN_MATCH - 1), later = 0;
        if (candidate && length_of(candidate) < r->how->lazy) {
            insert_to(f, p + 2);
            later = worth(f, p + 1, length_of(candidate));
        }
        uint32_t truth = settle(r, p, candidate, candidate && !later, &f->c);
        known = !truth && later;
        carried = later;
        p += span(truth);
        if (truth) insert_to(f, p);
    }
}

int64_t predict_zlib(run *r) {
    finder f = {.r = r};
    f.c.mask = (1u << r->how->window_bits) - 1;
    f.mask = (1u << r->how->hash_bits) - 1;
    f.shift = (int)(r->how->hash_bits + 2) / 3;
    f.farthest = (int64_t)f.c.mask + 1 - LOOKAHEAD;
    f.c.head = calloc((size_t)f.mask + 1, sizeof(uint32_t));
    f.c.prev = calloc((size_t)f.c.mask + 1, sizeof(uint32_t));
    if (!f.c.head || !f.c.prev) r->error = NO_MEMORY;
    else if (r->how->predictor == FAST) greedy(&f);
    else lazy(&f);
    free(f.c.head);
    free(f.c.prev);
    return r->error;
}
