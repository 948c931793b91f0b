/* zlib-ng's match finders: quick (level 1), fast (2), medium (3 to 6) and lazy (7 to 9).
 *
 * Its chains are of four bytes (at level 9 of three), positions enter them more than once, and what
 * medium finds depends on how much input it has seen; so the window and how it is fed are followed
 * here: `feed` bytes a call (a row of a PNG), or all at once if that is 0.
 */
#include "run.h"

enum { WANTED = 4, HASH = 1 << 16, LONG_HASH = 1 << 15, LOG = 1024 };
enum { PATIENCE = 1 << 10 }; /* positions after which it is seen whether a search may go on */

typedef struct {
    uint32_t position, slot, head, previous;
} change;

typedef struct {
    run *r;
    chains c;
    chains few; /* of three bytes' chains, those positions that have four bytes in common */
    uint32_t *place; /* likewise: by position, its place in its chain */
    int64_t window, farthest;
    int64_t base, seen, given; /* the window's first byte, its end, the end of what was fed */
    int finishing, three; /* whether chains are of three bytes */
    change *log; /* of medium: what one step entered, to take it back */
    int64_t logged;
} finder;

INLINE uint32_t three_bytes(const uint8_t *at) {
    return (((uint32_t)at[0] << 10) ^ ((uint32_t)at[1] << 5) ^ at[2]) & (LONG_HASH - 1);
}

INLINE uint32_t slot_of_four(const uint8_t *at) {
    uint32_t value =
        (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    return value * 2654435761u >> 16;
}

INLINE uint32_t slot(const finder *f, int64_t p) {
    const uint8_t *at = f->r->data + p;
    if (f->three) return three_bytes(at);
    return slot_of_four(at);
}

/* Enter a position unless it heads its chain already; returns what headed it before. */
INLINE uint32_t enter(finder *f, int64_t p) {
    uint32_t at = slot(f, p), before = f->c.head[at];
    if (before == (uint32_t)p) return before;
    uint32_t *previous = &f->c.prev[p & f->c.mask];
    if (f->log) f->log[f->logged++] = (change){(uint32_t)p, at, before, *previous};
    *previous = before;
    f->c.head[at] = (uint32_t)p;
    if (f->three) {
        uint32_t *four = &f->few.head[slot_of_four(f->r->data + p)];
        f->few.prev[p & f->c.mask] = *four;
        *four = (uint32_t)p;
        f->place[p & f->c.mask] = f->place[before & f->c.mask] + 1;
    }
    return before;
}

static void enter_all(finder *f, int64_t p, int64_t end) {
    for (; p < end; p++) enter(f, p);
}

static void fill(finder *f, int64_t p) {
    do {
        int64_t room = f->base + 2 * f->window - f->seen;
        if (p - f->base >= f->window + f->farthest) {
            f->base += f->window;
            room += f->window;
        }
        if (f->given == f->seen) break;
        f->seen += f->given - f->seen < room ? f->given - f->seen : room;
        if (f->seen - p >= MIN_MATCH && !f->three && p > f->base) enter(f, p - 1);
    } while (f->seen - p < LOOKAHEAD && f->given != f->seen);
}

/* Have enough ahead for a step at p, unless the data ends; returns 1 if it filled the window. */
INLINE int look_ahead(finder *f, int64_t p) {
    if (LIKELY(f->seen - p >= LOOKAHEAD)) return 0;
    fill(f, p);
    while (f->seen - p < LOOKAHEAD && !f->finishing) {
        int64_t left = f->r->size - f->given;
        if (left) f->given += left < f->r->how->feed ? left : f->r->how->feed;
        else f->finishing = 1;
        fill(f, p);
    }
    return 1;
}

INLINE int equal(const uint8_t *a, const uint8_t *b, size_t size) { /* size is a constant */
    return !memcmp(a, b, size);
}

/* Whether a candidate that matches is looked at closely: both ends of what must match agree. */
INLINE int alike(const uint8_t *scan, const uint8_t *match, int best) {
    if (best < 4) return equal(scan, match, 2) && equal(scan + best - 1, match + best - 1, 2);
    if (best < 8) return equal(scan + best - 3, match + best - 3, 4) && equal(scan, match, 4);
    return equal(scan + best - 7, match + best - 7, 8) && equal(scan, match, 8);
}

/* The longest match at p, longer than `best`, from position `at` on; 0 if there is none. */
INLINE uint32_t longest(const finder *f, int64_t p, int64_t at, int best, int early) {
    const run *r = f->r;
    const parameters *how = r->how;
    int64_t ahead = f->seen - p, chain = best >= how->good ? how->chain >> 2 : how->chain;
    int64_t limit = p > f->farthest ? p - f->farthest : 0, found = 0;
    const uint8_t *scan = r->data + p;
    while (at < p) {
        const uint8_t *match = r->data + at;
        if (alike(scan, match, best)) {
            int length = common(scan, match, MAX_MATCH);
            if (length > best) {
                found = p - at;
                if (length >= ahead) return match_of((int)ahead, found);
                best = length;
                if (best >= how->nice) break;
            } else if (early) {
                break;
            }
        }
        if (!--chain || (at = f->c.prev[at & f->c.mask]) <= limit) break;
    }
    return found ? match_of(best, found) : 0;
}

/* A search that changes chains: it is at position `at` of one, of bytes that lie `offset` behind p,
 * of which it may look at `left` more. */
typedef struct {
    int64_t at, offset, left;
} search;

/* How far it has come on its chain when it is at q. */
INLINE int64_t passed(const finder *f, const search *s, int64_t q) {
    return f->place[s->at & f->c.mask] - f->place[q & f->c.mask];
}

/* The next longer match than `length` with p, above a limit: it is looked for along a chain of four
 * bytes that lie `inside` it, from q on. Returns 0 if there is none, else sets its length. */
INLINE int64_t next_longer(const finder *f, const search *s, int64_t p, int64_t q, int64_t inside,
                           int64_t limit, int *length) {
    const uint8_t *scan = f->r->data + p;
    for (int i = 1; q - inside > limit; q = f->few.prev[q & f->c.mask], i++) {
        int64_t begin = q - inside;
        const uint8_t *match = f->r->data + begin;
        if (begin < p && alike(scan, match, *length)) {
            int found = common(scan, match, MAX_MATCH);
            if (found > *length) {
                *length = found;
                return passed(f, s, begin + s->offset) < s->left ? begin : 0;
            }
        }
        if (i % PATIENCE == 0 && equal(scan + inside, match + inside, WANTED) &&
            passed(f, s, begin + s->offset) >= s->left)
            break;
    }
    return 0;
}

/* Change to the chain of a later byte behind a match, where that goes back farther; 0 if one of
 * these chains has nothing above `base`. */
INLINE int change_chain(const finder *f, search *s, const uint8_t *scan, int64_t match, int length,
                        int64_t base) {
    s->at = match;
    s->offset = 0;
    for (int i = 0; i <= length - MIN_MATCH; i++) {
        int64_t before = f->c.prev[(match + i) & f->c.mask];
        if (before >= s->at) continue;
        if (before <= base + i) return 0;
        s->at = before;
        s->offset = i;
    }
    int64_t head = f->c.head[three_bytes(scan + length - 4)];
    if (head < s->at) {
        s->at = head;
        s->offset = length - 4;
    }
    return s->at > base + s->offset;
}

/* The first match of three bytes at p, up to `steps` positions of the chain from `at` on. */
INLINE uint32_t first_of_three(const finder *f, int64_t p, int64_t at, int64_t limit,
                               int64_t steps) {
    const uint8_t *data = f->r->data;
    while (!equal(data + at, data + p, MIN_MATCH))
        if (!--steps || (at = f->c.prev[at & f->c.mask]) <= limit) return 0;
    return match_of(MIN_MATCH, p - at);
}

/* Level 9's search, which changes to the chain of a later byte where that goes back farther. What
 * it would only pass there is passed along a chain of four bytes instead, and counted by places. */
static uint32_t longest_slow(const finder *f, int64_t p, int64_t at, int best) {
    const run *r = f->r;
    const parameters *how = r->how;
    const uint8_t *scan = r->data + p;
    const int64_t ahead = f->seen - p, base = p > f->farthest ? p - f->farthest : 0;
    int64_t limit = base, found = 0, inside = 0, from = f->few.prev[p & f->c.mask];
    search s = {at, 0, best >= how->good ? how->chain >> 2 : how->chain};
    if (best >= MIN_MATCH) {
        for (int i = 3; i <= best; i++) {
            int64_t head = f->c.head[three_bytes(scan + i - 2)];
            if (head < s.at) {
                s.offset = i - 2;
                s.at = head;
            }
        }
        if (s.at <= base + s.offset) return 0;
        inside = s.offset < best - 3 ? s.offset : best - 3;
        from = f->few.head[slot_of_four(scan + inside)];
    } else if (at == base) {
        limit--; /* the first one may be there */
    }
    for (;;) {
        int length = best < MIN_MATCH ? MIN_MATCH : best;
        int64_t match = next_longer(f, &s, p, from, inside, limit, &length);
        if (!match) break;
        s.left -= passed(f, &s, match + s.offset);
        s.at = match + s.offset;
        limit = base;
        found = p - match;
        if (length >= ahead) return match_of((int)ahead, found);
        best = length;
        if (best >= how->nice) break;
        if (match + length < p && !change_chain(f, &s, scan, match, length, base)) break;
        inside = s.offset < best - 4 ? s.offset : best - 4;
        from = f->few.prev[(match + inside) & f->c.mask];
    }
    if (found) return match_of(best, found);
    return best < MIN_MATCH ? first_of_three(f, p, at, base, s.left) : 0;
}

INLINE int near_enough(const finder *f, int64_t p, int64_t at) {
    return at && at < p && p - at <= f->farthest;
}

static void quick(finder *f) {
    run *r = f->r;
    for (int64_t p = 0; !r->done && !r->error;) {
        look_ahead(f, p);
        uint32_t candidate = 0;
        if (f->seen - p >= WANTED) {
            int64_t at = enter(f, p);
            if (at < p && p - at <= f->farthest) {
                int length = common(r->data + p, r->data + at, reach(r, p));
                if (length >= WANTED) candidate = match_of(length, p - at);
            }
        }
        p += span(settle(r, p, candidate, candidate != 0, &f->c));
    }
}

static void fast(finder *f) {
    run *r = f->r;
    for (int64_t p = 0; !r->done && !r->error;) {
        look_ahead(f, p);
        uint32_t candidate = 0;
        if (f->seen - p >= WANTED) {
            int64_t at = enter(f, p);
            if (near_enough(f, p, at)) candidate = longest(f, p, at, MIN_MATCH - 1, 1);
            if (length_of(candidate) < WANTED) candidate = 0;
        }
        uint32_t truth = settle(r, p, candidate, candidate != 0, &f->c);
        int64_t end = p + span(truth);
        if (truth) {
            if (length_of(truth) <= r->how->lazy && f->seen - end >= WANTED)
                enter_all(f, p + 1, end);
            else enter(f, end - 1);
        }
        p = end;
    }
}

/* A match as medium holds it: `origin` is the first position that it may enter behind its start. */
typedef struct {
    int64_t start, origin, from;
    int length; /* 1 for a literal, 0 for none */
} held;

static held hold(finder *f, int64_t p, int64_t at) {
    held h = {p, p, 0, 1};
    if (!near_enough(f, p, at)) return h;
    uint32_t match = longest(f, p, at, MIN_MATCH - 1, f->r->how->flags & NG_EARLY);
    if (length_of(match) >= WANTED) {
        h.length = length_of(match);
        h.from = p - distance_of(match);
    }
    return h;
}

static void enter_match(finder *f, int64_t p, held h) {
    if (f->seen - p <= h.length + WANTED || h.length < WANTED) return;
    int64_t end = h.start + h.length;
    if (f->r->how->flags & NG_2_2 || h.length <= 16 * f->r->how->lazy)
        enter_all(f, h.start + 1 > h.origin ? h.start + 1 : h.origin, end);
    else enter(f, end - 1);
}

/* Move `next` to the left over all of `current` but a byte, if it matches there. */
static void fizzle(const finder *f, held *current, held *later) {
    const uint8_t *data = f->r->data;
    if (current->length <= 1 || current->length - 1 > later->from - f->base ||
        data[later->from - current->length + 1] != data[later->start - current->length + 1])
        return;
    held c = *current, n = *later;
    int64_t limit = n.start - f->base > f->farthest ? n.start - f->farthest : f->base;
    while (data[n.from - 1] == data[n.start - 1] && c.length >= 1 && n.start > limit &&
           n.length < 256 && n.from - f->base > 1) {
        n.start--;
        n.from--;
        n.length++;
        c.length--;
    }
    if (n.start == later->start || c.length > 1 || n.length == 2) return;
    n.origin++;
    *current = c;
    *later = n;
}

static void take_back(finder *f, int64_t logged) {
    while (f->logged > logged) {
        change undone = f->log[--f->logged];
        f->c.head[undone.slot] = undone.head;
        f->c.prev[undone.position & f->c.mask] = undone.previous;
    }
}

static void medium(finder *f) {
    run *r = f->r;
    held later = {0, 0, 0, 0};
    int looks = !(r->how->flags & NG_EARLY);
    for (int64_t p = 0; !r->done && !r->error;) {
        held current;
        f->logged = 0;
        if (look_ahead(f, p)) later.length = 0;
        if (looks && later.length) {
            current = later;
        } else {
            int64_t at = f->seen - p >= WANTED ? enter(f, p) : 0;
            current = hold(f, p, at);
        }
        later.length = 0;
        int64_t logged = f->logged, entered = current.origin;
        uint32_t candidate =
            current.length >= WANTED ? match_of(current.length, current.start - current.from) : 0;
        enter_match(f, p, current);
        int64_t end = p + current.length;
        if (looks && f->seen - p > LOOKAHEAD && end - f->base < 2 * f->window - LOOKAHEAD) {
            later = hold(f, end, enter(f, end));
            if (later.length >= WANTED) fizzle(f, &current, &later);
        }
        if (!current.length) continue;
        uint32_t predicted = current.length >= WANTED ? candidate : 0;
        uint32_t truth = settle(r, p, candidate, predicted != 0, &f->c);
        if (truth != predicted) {
            take_back(f, logged);
            later.length = 0;
            enter_match(f, p, (held){p, entered, 0, span(truth)});
        }
        p += span(truth);
    }
}

static void lazy(finder *f) {
    run *r = f->r;
    uint32_t carried = 0;
    int known = 0;
    int64_t entered = 0;
    for (int64_t p = 0; !r->done && !r->error;) {
        uint32_t found[2] = {known ? carried : 0, 0};
        for (int ahead = known; ahead < 2; ahead++) {
            int64_t at = p + ahead, head = 0;
            int best = ahead && found[0] ? length_of(found[0]) : MIN_MATCH - 1;
            if (ahead && (!found[0] || at >= r->size)) break;
            look_ahead(f, at);
            if (entered <= at) {
                if (f->seen - at >= WANTED) head = enter(f, at);
                entered = at + 1;
            } else {
                head = f->seen - at >= WANTED ? f->c.prev[at & f->c.mask] : 0;
            }
            if (best >= r->how->lazy || !near_enough(f, at, head)) continue;
            uint32_t match =
                f->three ? longest_slow(f, at, head, best) : longest(f, at, head, best, 0);
            if (length_of(match) <= 5 && r->how->flags & FILTERED) match = 0;
            if (length_of(match) > best) found[ahead] = match;
        }
        uint32_t truth = settle(r, p, found[0], found[0] && !found[1], &f->c);
        known = !truth && found[1];
        carried = found[1];
        int64_t end = p + span(truth), most = r->size - MIN_MATCH + 1;
        if (truth) {
            enter_all(f, entered, end < most ? end : most);
            if (entered < end) entered = end;
        }
        p = end;
    }
}

/* Have chains of four bytes, and places; whether there is memory. */
static int have_few(finder *f, size_t ring) {
    f->few.head = calloc(HASH, sizeof(uint32_t));
    f->few.prev = malloc(ring * sizeof(uint32_t));
    f->place = malloc(ring * sizeof(uint32_t));
    if (!f->few.head || !f->few.prev || !f->place) return 0;
    f->place[0] = 0;
    return 1;
}

int64_t predict_ng(run *r) {
    finder f = {.r = r, .window = (int64_t)1 << r->how->window_bits};
    size_t ring = ring_of(r);
    f.farthest = f.window - LOOKAHEAD;
    f.c.mask = (uint32_t)ring - 1;
    f.three = r->how->predictor == NG_LAZY && r->how->chain > 1024;
    f.finishing = r->how->feed == 0;
    f.given = f.finishing ? r->size : 0;
    f.c.head = calloc(HASH, sizeof(uint32_t));
    f.c.prev = calloc(ring, sizeof(uint32_t));
    if (r->how->predictor == NG_MEDIUM) f.log = malloc(LOG * sizeof *f.log);
    int memory = f.c.head && f.c.prev && (r->how->predictor != NG_MEDIUM || f.log);
    if (!memory || (f.three && !have_few(&f, ring))) r->error = NO_MEMORY;
    else if (r->how->predictor == NG_QUICK) quick(&f);
    else if (r->how->predictor == NG_FAST) fast(&f);
    else if (r->how->predictor == NG_MEDIUM) medium(&f);
    else lazy(&f);
    free(f.c.head);
    free(f.c.prev);
    free(f.few.head);
    free(f.few.prev);
    free(f.place);
    free(f.log);
    return r->error;
}
