/* libdeflate's match finders and parsers of levels 1 to 9 (1.9 to 1.25), and what all its levels
 * have in common.
 *
 * It keeps positions in 16 bits and slides a window; here they are absolute, and what slides out
 * is beyond every distance that is looked at. Its hash of position 0 is 0, whatever is there.
 */
#include "libdeflate.h"

INLINE int bits_of(int64_t value) { return 31 - __builtin_clz((unsigned)value); }

/* Open a block: nothing is counted yet. */
void open_split(run *r, int64_t p) {
    int64_t most = r->how->predictor == LD_HASHED ? SOFT_QUICK_BLOCK : SOFT_BLOCK;
    memset(&r->split, 0, sizeof r->split);
    r->split.limit = soft_end(p, r->size, most);
}

/* Count a token, and tell whether the block ends behind it. */
void watch(run *r, int64_t p, uint32_t truth) {
    splitter *s = &r->split;
    int64_t end = p + span(truth);
    int held = s->held, quick = r->how->predictor == LD_HASHED;
    s->held = 0;
    if (s->due) {
        s->due = 2;
        return;
    }
    if (r->how->predictor == LD_OPTIMAL) {
        s->due = end < s->limit ? 0 : end == s->limit ? 1 : 2;
        return;
    }
    s->matches += truth != 0;
    if (!truth) s->literals[r->data[p]]++;
    if (!quick) {
        observe(&s->kinds, truth ? kind_of_match(length_of(truth)) : kind_of_literal(r->data[p]));
        if (held) return;
    }
    s->due = end >= s->limit || s->matches >= (quick ? MOST_QUICK_MATCHES : MOST_MATCHES) ||
             (!quick && time_to_look(&s->kinds, r->start, end, r->size) &&
              differs(&s->kinds, end - r->start));
}

/* ---- level 1: two positions a hash ---- */

static void hashed(run *r, int32_t (*table)[2]) {
    int64_t inserted = 0;
    for (int64_t p = 0; !r->done && !r->error;) {
        uint32_t candidate = 0;
        if (r->size - p >= NEEDED) {
            int32_t *slot = table[p ? hash_of(four_bytes(r->data + p), 15) : 0];
            int64_t cutoff = p - WINDOW;
            int best = 0, most = reach(r, p);
            for (int i = 0; i < 2 && slot[i] > cutoff; i++) {
                int length = common(r->data + p, r->data + slot[i], most);
                if (length < 4 || length <= best) continue;
                candidate = match_of(best = length, p - slot[i]);
                if (best >= nice_at(r, p)) break;
            }
            slot[1] = slot[0];
            slot[0] = (int32_t)p;
            inserted = p + 1;
        }
        p += span(settle(r, p, candidate, candidate != 0, NULL));
        for (; inserted < p && r->size - inserted >= NEEDED; inserted++) {
            int32_t *slot = table[hash_of(four_bytes(r->data + inserted), 15)];
            slot[1] = slot[0];
            slot[0] = (int32_t)inserted;
        }
    }
}

/* ---- levels 2 to 9: chains of four bytes, and the last position of three ---- */

typedef struct {
    run *r;
    chains c;        /* positions are int32_t, NEVER for none */
    int32_t *third;  /* the last position by the hash of three bytes */
    int32_t *before; /* by position: the one of the same hash of three bytes before it */
    int64_t inserted;
    int64_t block, recount; /* the block that `least` is of, and when it is to be found anew */
    int least;
} finder;

INLINE void insert(finder *f, int64_t p) {
    uint32_t bytes = four_bytes(f->r->data + p);
    uint32_t three = p ? hash_of(bytes & 0xFFFFFF, 15) : 0, four = p ? hash_of(bytes, 16) : 0;
    f->before[p & f->c.mask] = f->third[three];
    f->third[three] = (int32_t)p;
    f->c.prev[p & f->c.mask] = f->c.head[four];
    f->c.head[four] = (uint32_t)p;
}

INLINE void insert_to(finder *f, int64_t end) {
    if (end > f->r->size - NEEDED + 1) end = f->r->size - NEEDED + 1;
    for (; f->inserted < end; f->inserted++) insert(f, f->inserted);
}

/* The longest match at p that is longer than `best`, looking at up to `depth` positions. */
static uint32_t longest(finder *f, int64_t p, int best, int64_t depth) {
    const run *r = f->r;
    if (r->size - p < NEEDED) return 0;
    insert_to(f, p + 1);
    const uint8_t *scan = r->data + p;
    int64_t cutoff = p - WINDOW, third = f->before[p & f->c.mask], found = 0;
    int64_t at = (int32_t)f->c.prev[p & f->c.mask];
    int most = reach(r, p), nice = nice_at(r, p);
    uint32_t first = four_bytes(scan);
    if (best <= MIN_MATCH) {
        if (third <= cutoff) return 0;
        if (best < MIN_MATCH) {
            if (!((four_bytes(r->data + third) ^ first) & 0xFFFFFF)) found = p - third;
            best = MIN_MATCH;
        }
    } else if (best >= nice) {
        return 0;
    }
    uint32_t last = four_bytes(scan + best - 3);
    int found_length = found ? MIN_MATCH : 0;
    for (; at > cutoff && depth; depth--, at = (int32_t)f->c.prev[at & f->c.mask]) {
        const uint8_t *match = r->data + at;
        if (four_bytes(match + best - 3) != last || four_bytes(match) != first) continue;
        int length = common(scan, match, most);
        if (length <= best) continue;
        best = found_length = length;
        found = p - at;
        if (best >= nice) break;
        last = four_bytes(scan + best - 3);
    }
    return found ? match_of(found_length, found) : 0;
}

/* A match that is long enough to be taken, given how far it is. */
INLINE uint32_t worth(const finder *f, uint32_t match, int64_t farthest) {
    int length = length_of(match);
    if (length < f->least || (length == MIN_MATCH && distance_of(match) > farthest)) return 0;
    return match;
}

static void greedy(finder *f) {
    run *r = f->r;
    for (int64_t p = 0; !r->done && !r->error;) {
        if (f->block != r->start) {
            f->block = r->start;
            f->least = least_match(r->data + p, r->split.limit - p, r->how->chain);
        }
        uint32_t match = worth(f, longest(f, p, f->least - 1, r->how->chain), 4096);
        p += span(settle(r, p, match, match != 0, &f->c));
        insert_to(f, p);
    }
}

/* Find the shortest match worth taking anew, by the literals of the block so far. */
static void recount(finder *f, int64_t p) {
    const run *r = f->r;
    uint32_t all = 0;
    int values = 0;
    for (int i = 0; i < 256; i++) all += r->split.literals[i];
    for (int i = 0; i < 256; i++) values += r->split.literals[i] > all >> 10;
    f->least = least_by_values(values, r->how->chain);
    int64_t left = r->size - f->recount, length = p - r->start;
    f->recount += left < length ? left : length;
}

/* Whether a later match is worth that many literals: `more` is 2 or 6. */
INLINE int better(uint32_t later, uint32_t match, int more) {
    return later && 4 * (length_of(later) - length_of(match)) + bits_of(distance_of(match)) -
                            bits_of(distance_of(later)) >
                        more;
}

static void lazy(finder *f, int further) {
    run *r = f->r;
    int64_t depth = r->how->chain, known = -1; /* where `later` was found */
    uint32_t later = 0;
    for (int64_t p = 0; !r->done && !r->error;) {
        if (f->block != r->start) {
            f->block = r->start;
            f->least = least_match(r->data + p, r->split.limit - p, depth);
            f->recount = p + (r->size - p < 10000 ? r->size - p : 10000);
        }
        uint32_t match = later;
        if (known != p) {
            if (p >= f->recount) recount(f, p);
            match = worth(f, longest(f, p, f->least - 1, depth), 8192);
        }
        known = -1;
        if (match && length_of(match) < nice_at(r, p)) {
            later = longest(f, p + 1, length_of(match) - 1, depth >> 1);
            if (better(later, match, 2)) {
                known = p + 1;
            } else if (further) {
                later = longest(f, p + 2, length_of(match) - 1, depth >> 2);
                if (better(later, match, 6)) known = p + 2;
            }
        }
        r->split.held = known >= 0;
        uint32_t truth = settle(r, p, match, match && known < 0, &f->c);
        p += span(truth);
        if (!truth && known == p + 1 && !r->done && !r->error) {
            r->split.held = 1;
            p += span(settle(r, p, 0, 0, &f->c));
        }
        insert_to(f, p);
    }
}

int64_t predict_libdeflate(run *r) {
    if (r->size > INT32_MAX) return r->error = TOO_LARGE;
    if (r->how->predictor == LD_OPTIMAL) return predict_optimal(r);
    enum { HEADS = 1 << 16, THIRDS = 1 << 15 };
    int32_t *positions = malloc((HEADS + THIRDS + 2 * WINDOW) * sizeof *positions);
    if (!positions) return r->error = NO_MEMORY;
    for (int i = 0; i < HEADS + THIRDS + 2 * WINDOW; i++) positions[i] = NEVER;
    finder f = {.r = r,
                .c = {.head = (uint32_t *)positions,
                      .prev = (uint32_t *)positions + HEADS,
                      .mask = WINDOW - 1},
                .before = positions + HEADS + WINDOW,
                .third = positions + HEADS + 2 * WINDOW,
                .block = -1};
    if (r->how->predictor == LD_HASHED) hashed(r, (int32_t (*)[2])positions);
    else if (r->how->predictor == LD_GREEDY) greedy(&f);
    else lazy(&f, r->how->predictor == LD_LAZIER);
    free(positions);
    return r->error;
}
