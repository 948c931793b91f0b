/* zlib's match finders: hash chains of three bytes, greedy (levels 1 to 3) or lazy (4 to 9).
 *
 * zlib slides a window and stores 16 bit positions; positions here are absolute, which comes to
 * the same: what slides out is beyond every distance that is looked at.
 *
 * Where chains are long, their positions are also in chains of four and of six bytes, which are
 * shorter. A search there finds what it would find in the long chain, if it looks at nothing that
 * would be farther than that is followed, which ordinals in the long chains tell. It may follow
 * the chain of bytes inside of the match, if these are rarer than those at its beginning. And where
 * data repeats itself, chains of which no position is missing are passed by stretches.
 *
 * A lazy finder inserts all positions, whatever the tokens are; so it does that for many at once,
 * which a processor does much faster.
 */
#include "stretch.h"

enum { LONG_CHAIN = 64, LONGER_CHAIN = 256, LONG_INPUT = 1 << 13 }; /* where these pay */
enum { FEW = 4, MORE = 6, FEW_BITS = 16 };
enum { OFFSETS = 8, FIRST = 2, AGAIN = 12 }; /* steps before rarer bytes are looked for */
enum { RUN = 16 };    /* positions to insert of which it is seen whether they are alike */
enum { AHEAD = 256 }; /* positions that lazy inserts at once: what they replace is too far away */
enum { FIRSTS = 16 };  /* positions of which is found at once what their searches begin with */

typedef struct {
    run *r;
    chains c;
    chains few, more; /* null, or chains of four bytes, and of six */
    int shortest;     /* matches of fewer bytes do not count */
    uint32_t *ordinal; /* by position: its place in its chain */
    int64_t inserted; /* the first position that is not in the chains (lazy) */
    uint32_t first[FIRSTS]; /* what searches begin with, of positions before `known` */
    int64_t known;
    int64_t farthest; /* distance */
    uint32_t mask;
    int shift, unused; /* bits of hashes of four or six bytes that find no head */
} finder;

INLINE uint32_t slot(const finder *f, int64_t p) {
    const uint8_t *at = f->r->data + p;
    return ((((uint32_t)at[0] << f->shift) ^ at[1]) << f->shift ^ at[2]) & f->mask;
}

INLINE uint64_t bytes_at(const uint8_t *at, int count) { /* in whatever order */
    uint64_t value = 0;
    memcpy(&value, at, (size_t)count);
    return value;
}

INLINE uint64_t wide(const uint8_t *at, int count) { /* FEW or MORE bytes, without odd copies */
    uint64_t bytes = bytes_at(at, FEW);
    return count == FEW ? bytes : bytes | bytes_at(at + FEW, MORE - FEW) << 8 * FEW;
}

INLINE uint32_t *head_of(const finder *f, const chains *c, int64_t p, int count) {
    return c->head + (wide(f->r->data + p, count) * 0x9E3779B97F4A7C15u >> f->unused);
}

/* Places in a row that a ring has for q and what follows up to `end`. */
INLINE int in_a_row(uint32_t mask, int64_t q, int64_t end) {
    int64_t room = (int64_t)mask + 1 - (q & mask);
    return (int)(end - q < room ? end - q : room);
}

/* Let q and what follows up to `end`, of one run, come behind the position before each. */
INLINE void link_run(uint32_t *prev, uint32_t mask, int64_t q, int64_t end) {
    for (int count; q < end; q += count) {
        uint32_t *at = prev + (q & mask), first = (uint32_t)q - 1;
        count = in_a_row(mask, q, end);
        for (int i = 0; i < count; i++) at[i] = first + (uint32_t)i;
    }
}

/* Keep what q and what follows up to `end` replace. */
INLINE void keep_replaced(const finder *f, int64_t q, int64_t end) {
    for (int count; q < end; q += count) {
        count = in_a_row(f->c.mask, q, end);
        if (count > in_a_row(RECENT - 1, q, end)) count = in_a_row(RECENT - 1, q, end);
        memcpy(f->c.replaced + (q & (RECENT - 1)), f->c.prev + (q & f->c.mask),
               (size_t)count * sizeof *f->c.prev);
    }
}

INLINE void link_same(const finder *f, const chains *c, int64_t q, int64_t end, int count) {
    link_run(c->prev, f->c.mask, q, end);
    *head_of(f, c, q, count) = (uint32_t)end - 1;
}

INLINE void insert(const finder *f, int64_t p) {
    uint32_t at = slot(f, p);
    f->c.prev[p & f->c.mask] = f->c.head[at];
    f->c.head[at] = (uint32_t)p;
}

INLINE void insert_longer(const finder *f, const chains *c, int64_t p, int count) {
    uint32_t *head = head_of(f, c, p, count);
    c->prev[p & f->c.mask] = *head;
    *head = (uint32_t)p;
}

/* Insert p into chains of three bytes, of four, and of six. */
INLINE void insert_each(const finder *f, int64_t p) {
    insert(f, p);
    if (!f->ordinal) return;
    uint32_t mask = f->c.mask, before = f->c.prev[p & mask];
    f->ordinal[p & mask] = f->ordinal[before & mask] + 1;
    if (f->few.head) insert_longer(f, &f->few, p, FEW);
    if (f->more.head) insert_longer(f, &f->more, p, MORE);
}

/* Insert q and what follows up to `end`; all have the same bytes as the one before. */
INLINE void insert_same(const finder *f, int64_t q, int64_t end) {
    link_run(f->c.prev, f->c.mask, q, end);
    f->c.head[slot(f, q)] = (uint32_t)end - 1;
    if (!f->ordinal) return;
    uint32_t mask = f->c.mask, own = f->ordinal[(q - 1) & mask] + 1;
    for (int64_t i = q; i < end; i++) f->ordinal[i & mask] = own++;
    if (f->few.head) link_same(f, &f->few, q, end, FEW);
    if (f->more.head) link_same(f, &f->more, q, end, MORE);
}

/* Insert the next positions, all before p + 2 and some more. */
static void insert_ahead(finder *f, int64_t p) {
    const finder own = *f; /* which nothing that is written can change */
    int64_t last = own.r->size - MIN_MATCH, at = own.inserted, end = p + AHEAD;
    if (end > last + 1) end = last + 1;
    keep_replaced(&own, at, end);
    while (at < end) {
        const uint8_t *here = own.r->data + at;
        insert_each(&own, at++);
        if (end - at < RUN || bytes_at(here, 8) != bytes_at(here + 1, 8)) continue;
        int same = common(here, here + 1, (int)(end - at) + MORE - 1);
        insert_same(&own, at, at + same - MORE + 1);
        at += same - MORE + 1;
    }
    f->inserted = f->c.end = at;
}

/* What the search of p begins with in the only chain, of six bytes, 0 for nothing: the last of the
 * same hash, or the one before where its bytes are others. It is found for some more at once. */
INLINE uint32_t first_of(finder *f, int64_t p) {
    const uint8_t *data = f->r->data;
    const uint32_t *prev = f->more.prev;
    uint32_t mask = f->c.mask, farthest = (uint32_t)f->farthest;
    if (p >= f->known) {
        f->known = p + FIRSTS < f->inserted ? p + FIRSTS : f->inserted;
        for (int64_t q = p; q < f->known; q++) {
            uint32_t here = (uint32_t)q, least = here > farthest ? here - farthest : 1;
            uint32_t at = prev[here & mask];
            uint32_t other = (wide(data + at, MORE) != wide(data + q, MORE)) & (at >= least);
            at ^=
                (at ^ prev[at & mask]) & (0 - other); /* no branches, which nobody could foresee */
            f->first[q & (FIRSTS - 1)] = at & (0 - (uint32_t)(at >= least));
        }
    }
    return f->first[p & (FIRSTS - 1)];
}

/* Of the six bytes that lie so far into a match at p of more than `best` bytes, where all
 * positions behind `at` have been looked at, those that came last the longest ago. Returns where
 * such a match would begin, and sets how far into it they lie; or returns `at` if none of them came
 * last before that. */
INLINE int64_t rarest(const finder *f, int64_t p, int64_t at, int best, int *offset) {
    int top = best + 1 - MORE;
    if (f->inserted - p <= top) top = (int)(f->inserted - p) - 1;
    for (int i = top, last = top > OFFSETS ? top - OFFSETS : 0; i >= last; i--) {
        int64_t start = (int64_t)f->more.prev[(p + i) & f->c.mask] - i;
        if (start >= at) continue;
        at = start;
        *offset = i;
    }
    return at;
}

/* The stretch at `at` of a chain of `width` bytes of a match at p, as far as its search goes. */
INLINE stretch stretch_of_few(const finder *f, int64_t p, int64_t at, int64_t period, int width,
                              int64_t steps, int best, int nice) {
    const uint8_t *match = f->r->data + at, *scan = f->r->data + p;
    int64_t limit = p > f->farthest ? p - f->farthest : 0, room = (at - limit - 1) / period;
    const uint32_t *ordinal = f->ordinal;
    uint32_t mask = f->c.mask;
    if (room < 1) return (stretch){0, 0, 0}; /* a period may begin before the data */
    int most = reach(f->r, p), end = lasting(match, period, most);
    if (end < width) return (stretch){0, 0, 0};
    if (bytes_at(match, FEW) == bytes_at(scan, FEW)) {
        int64_t left = steps - (ordinal[p & mask] - ordinal[at & mask]);
        int64_t each = ordinal[at & mask] - ordinal[(at - period) & mask];
        if (left < each * room) room = left / each;
        if (room < 1) return (stretch){0, 0, 0};
    }
    return stretch_of(match, scan, period, end, room, most, best, nice);
}

/* The longest match at p, of more than `best` bytes, three or more, that the chain's search finds
 * in up to `steps` steps; 0 if none is. */
static uint32_t longest_of_few(const finder *f, int64_t p, int best, int64_t steps, int nice) {
    const uint8_t *data = f->r->data, *scan = data + p;
    uint32_t mask = f->c.mask, own = f->ordinal[p & mask];
    int64_t limit = p > f->farthest ? p - f->farthest : 0, found = 0, step = 0, later;
    int64_t nearest = f->c.prev[p & mask]; /* may be at the limit */
    int most = reach(f->r, p), more = f->more.head && best >= MORE - 1, offset = 0,
        patience = FIRST;
    if (best >= most) return 0;
    const uint32_t *prev = more ? f->more.prev : f->few.prev;
    int64_t start = f->few.head ? prev[p & mask] : f->first[p & (FIRSTS - 1)];
    uint64_t first = bytes_at(scan, FEW), last = bytes_at(scan + best - 3, 4);
    for (int64_t at = start; at > limit || (at && at == nearest); at = later) {
        const uint8_t *match = data + at;
        stretch s = {0, 0, 0};
        later = (int64_t)prev[(at + offset) & mask] - offset;
        int64_t period = at - later;
        if (more && !--patience) {
            int64_t rare = rarest(f, p, at, best, &offset);
            patience = AGAIN;
            if (rare < at) {
                later = rare; /* and none is between */
                continue;
            }
        }
        if (period == step && period <= LONGEST_PERIOD)
            s = stretch_of_few(f, p, at, period, offset + (more ? MORE : FEW), steps, best, nice);
        step = period;
        if (s.more) {
            later = (int64_t)prev[(at - s.more * period + offset) & mask] - offset;
            match -= s.place * period;
        } else {
            if (bytes_at(match, FEW) != first) continue;
            if (own - f->ordinal[at & mask] > steps) break;
            if (bytes_at(match + best - 3, 4) != last) continue;
            s.length = common(scan, match, most);
        }
        if (s.length <= best) continue;
        found = scan - match;
        best = s.length;
        if (best >= nice || at == limit) break;
        last = bytes_at(scan + best - 3, 4);
        if (!more && f->more.head && best >= MORE - 1) {
            more = 1; /* what is nearer is no longer, and is passed once more */
            prev = f->more.prev;
            later = prev[p & mask];
        }
    }
    return found ? match_of(best, found) : 0;
}

/* The longest match at p, which has been inserted, that is longer than `best`, in up to `chain`
 * steps; 0 if none is. All positions before have been inserted. */
static uint32_t searched(const finder *f, int64_t p, int best, int64_t chain) {
    const run *r = f->r;
    int most = reach(r, p), nice = r->how->nice < most ? (int)r->how->nice : most;
    int64_t limit = p > f->farthest ? p - f->farthest : 0;
    int64_t at = f->c.prev[p & f->c.mask], found = 0;
    if (!at || p - at > f->farthest || best >= most) return 0;
    if (f->ordinal && nice > MIN_MATCH) {
        int least = best < MIN_MATCH ? MIN_MATCH : best;
        uint32_t match = longest_of_few(f, p, least, chain > 1 ? chain : 1, nice);
        if (match || best >= MIN_MATCH) return match;
        nice = MIN_MATCH; /* the first match is as long as any */
    }
    const uint8_t *scan = r->data + p;
    uint16_t tail, first;
    memcpy(&first, scan, 2);
    memcpy(&tail, scan + best - 1, 2);
    int64_t step = 0;
    do {
        const uint8_t *match = r->data + at;
        uint16_t there, here;
        int length;
        int64_t period = at - f->c.prev[at & f->c.mask], room = 0, before = step;
        step = period;
        if (period == before && period <= LONGEST_PERIOD) {
            room = (at - limit - 1) / period;
            if (chain - 1 < room) room = chain - 1;
        }
        int end = room > 0 ? lasting(match, period, most) : 0;
        if (end >= MIN_MATCH) {
            stretch s = stretch_of(match, scan, period, end, room, most, best, nice);
            at -= s.more * period;
            chain -= s.more;
            length = s.length;
            match -= s.place * period;
        } else {
            memcpy(&there, match + best - 1, 2);
            memcpy(&here, match, 2);
            if (there != tail || here != first) continue;
            length = common(scan, match, most);
        }
        if (length > best) {
            found = scan - match;
            best = length;
            if (length >= nice) break;
            memcpy(&tail, scan + best - 1, 2);
        }
    } while ((at = f->c.prev[at & f->c.mask]) > limit && --chain > 0);
    return found ? match_of(best, found) : 0;
}

/* The same where chains are too short for anything but to follow them, and may lack positions. */
INLINE uint32_t searched_soon(const finder *f, int64_t p, int best, int64_t chain) {
    const run *r = f->r;
    const uint32_t *prev = f->c.prev, mask = f->c.mask;
    int most = reach(r, p), nice = r->how->nice < most ? (int)r->how->nice : most;
    int64_t limit = p > f->farthest ? p - f->farthest : 0, at = prev[p & mask], found = 0;
    if (!at || p - at > f->farthest || best >= most) return 0;
    const uint8_t *scan = r->data + p;
    uint64_t first = bytes_at(scan, 2), tail = bytes_at(scan + best - 1, 2);
    do {
        const uint8_t *match = r->data + at;
        if (bytes_at(match + best - 1, 2) != tail || bytes_at(match, 2) != first) continue;
        int length = common(scan, match, most);
        if (length <= best) continue;
        found = p - at;
        best = length;
        if (length >= nice) break;
        tail = bytes_at(scan + best - 1, 2);
    } while ((at = prev[at & mask]) > limit && --chain > 0);
    return found ? match_of(best, found) : 0;
}

/* The longest match at p that is longer than `best`, if that counts; 0 if none is. `hint` is the
 * length that it is known to have if the stream was predicted right, or 0: what is shorter is
 * passed over then, and would not have ended the search. */
INLINE uint32_t longest(const finder *f, int64_t p, int best, int hint) {
    const parameters *how = f->r->how;
    int64_t chain = best >= how->good ? how->chain >> 2 : how->chain;
    if (best < f->shortest - 1) best = f->shortest - 1;
    if (how->chain < LONG_CHAIN) return searched_soon(f, p, best, chain);
    int least = hint < how->nice ? hint - 1 : (int)how->nice - 1;
    uint32_t match = least > best ? searched(f, p, least, chain) : 0;
    return match ? match : searched(f, p, best, chain);
}

/* The length of a token, `ahead` of the next one, of a stream that is described; 0 of literals. */
INLINE int hinted(const run *r, int64_t ahead) {
    if (r->restoring || r->stored || r->count + ahead >= r->capacity) return 0;
    return length_of(r->tokens[r->count + ahead]);
}

static void greedy(finder *f) {
    run *r = f->r;
    for (int64_t p = 0; !r->done && !r->error;) {
        uint32_t candidate = 0;
        if (r->size - p >= MIN_MATCH) {
            insert(f, p);
            candidate = longest(f, p, MIN_MATCH - 1, hinted(r, 0));
        }
        uint32_t truth = settle(r, p, candidate, candidate != 0, &f->c);
        int64_t end = p + span(truth);
        if (truth && length_of(truth) <= r->how->lazy && r->size - end >= MIN_MATCH)
            while (++p < end) insert(f, p);
        p = end;
    }
}

/* A match that counts: short ones that are far away, or that noise makes, do not. */
INLINE uint32_t worth(finder *f, int64_t p, int best, int hint) {
    if (f->r->size - p < MIN_MATCH) return 0;
    if (f->ordinal && !f->few.head && !first_of(f, p)) return 0;
    uint32_t match = longest(f, p, best, hint);
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
        if (f->inserted <= p + 1) insert_ahead(f, p);
        uint32_t candidate = known ? carried : worth(f, p, MIN_MATCH - 1, hinted(r, 0)), later = 0;
        f->c.until = p + 1;
        if (candidate && length_of(candidate) < r->how->lazy) {
            f->c.until = p + 2;
            later = worth(f, p + 1, length_of(candidate), hinted(r, 0) ? 0 : hinted(r, 1));
        }
        uint32_t truth = settle(r, p, candidate, candidate && !later, &f->c);
        known = !truth && later;
        carried = later;
        p += span(truth);
    }
}

/* Have chains of four and of six bytes, as it pays; whether there is memory. */
static int have_longer(finder *f) {
    const run *r = f->r;
    if (r->how->chain < LONG_CHAIN || r->size < LONG_INPUT) return 1;
    size_t few = f->shortest < MORE, more = !few || r->how->chain >= LONGER_CHAIN;
    size_t ring = (size_t)f->c.mask + 1, heads = few + more;
    while (f->unused > 64 - FEW_BITS && r->size >> (64 - f->unused)) f->unused--;
    heads <<= 64 - f->unused;
    f->ordinal = malloc((ring + (few + more) * ring + heads) * sizeof(uint32_t));
    if (!f->ordinal) return 0;
    f->ordinal[0] = 0;
    uint32_t *space = f->ordinal + ring;
    memset(space, 0, heads * sizeof(uint32_t));
    if (few) f->few = (chains){.head = space, .prev = space + heads};
    if (more)
        f->more = (chains){.head = space + heads / 2 * few, .prev = space + heads + few * ring};
    return 1;
}

int64_t predict_zlib(run *r) {
    finder f = {.r = r, .unused = 63};
    uint32_t replaced[RECENT];
    size_t ring = ring_of(r);
    int is_lazy = r->how->predictor == LAZY;
    f.c.mask = (uint32_t)ring - 1;
    f.mask = (1u << r->how->hash_bits) - 1;
    f.shift = (int)(r->how->hash_bits + 2) / 3;
    f.farthest = (1 << r->how->window_bits) - LOOKAHEAD;
    f.c.head = calloc((size_t)f.mask + 1, sizeof(uint32_t));
    f.c.prev = calloc(ring, sizeof(uint32_t));
    if (is_lazy) f.c.replaced = replaced;
    if (is_lazy && r->how->flags & FILTERED && r->how->nice >= MORE) f.shortest = MORE;
    if (!f.c.head || !f.c.prev || (is_lazy && !have_longer(&f))) r->error = NO_MEMORY;
    else if (is_lazy) lazy(&f);
    else greedy(&f);
    free(f.c.head);
    free(f.c.prev);
    free(f.ordinal);
    return r->error;
}
