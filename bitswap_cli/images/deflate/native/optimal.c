/* libdeflate's near-optimal parser, levels 10 to 12 (1.16 to 1.25): all matches at all positions,
 * found in binary trees, and the cheapest way through a segment of them, several times, by costs
 * that come from the codes of the time before.
 *
 * A segment is what is predicted to be a block. Where it ends, and the cheapest way, depend on the
 * data alone, so they are known before its tokens are told; and the way is known from every
 * position on, so whatever the tokens were, the next one has a prediction.
 */
#include "libdeflate.h"
#include "trees.h"

enum { SCALE = 16 }; /* of costs, in parts of a bit */
enum { UNUSED_LITERAL = 13, UNUSED_LENGTH = 13, UNUSED_DISTANCE = 10 }; /* bits */
enum {
    HASHES = 1 << 16,
    NAME_BITS = 15,
    CACHE = 5 * SOFT_BLOCK,
    MOST_BYTES = SOFT_BLOCK + LEAST_BLOCK
};

/* Matches of a position in ascending lengths, then how many there are, and its byte. */
typedef struct {
    uint16_t length, distance;
} pair;

typedef struct {
    uint32_t cost, token; /* to the segment's end; as everywhere, 0 for a literal */
} step;

typedef struct {
    uint32_t literal[256], length[MAX_MATCH + 1], distance[DISTANCES];
} prices;

typedef struct {
    run *r;
    int32_t (*third)[2]; /* the last two positions by the hash of three bytes */
    int32_t *roots;      /* the last position by the hash of four bytes */
    int32_t (*sons)[2];  /* by position: the lower and the higher string */
    chains names;        /* of three bytes, to name distances by; positions are int32_t */
    pair *cache;
    int64_t cached, next; /* pairs in the cache; the position behind those that they are of */
    step *steps;
    int64_t start, end; /* of the segment */
    observations now, before;
    uint32_t lengths[MAX_MATCH + 1], fresh_lengths[MAX_MATCH + 1]; /* of matches observed */
    prices price, kept;
    tally counts;
    head head;
    int only_literals;
} parser;

/* ---- matches ---- */

/* Enter p into the trees, with at least NEEDED bytes left; `found` takes matches up to `most`, of
 * ascending lengths, unless it is null. Returns where it ends. */
static pair *enter(parser *o, int64_t p, int most, int nice, pair *found) {
    const uint8_t *data = o->r->data, *scan = data + p;
    uint32_t bytes = four_bytes(scan), three = p ? hash_of(bytes & 0xFFFFFF, 16) : 0;
    int64_t cutoff = p - WINDOW, depth = o->r->how->chain;
    int32_t *last = o->third[three], *root = &o->roots[p ? hash_of(bytes, 16) : 0];
    for (int i = 0; found && i < 2 && last[i] > cutoff; i++) {
        if ((four_bytes(data + last[i]) ^ bytes) & 0xFFFFFF) continue;
        *found++ = (pair){MIN_MATCH, (uint16_t)(p - last[i])};
        break;
    }
    last[1] = last[0];
    last[0] = (int32_t)p;
    int64_t at = *root;
    int32_t *lower = &o->sons[p % WINDOW][0], *higher = &o->sons[p % WINDOW][1];
    int length = 0, best = MIN_MATCH, below = 0, above = 0;
    *root = (int32_t)p;
    for (; at > cutoff && depth; depth--) {
        int32_t *sons = o->sons[at % WINDOW];
        length += common(scan + length, data + at + length, most - length);
        if (found && length > best) {
            best = length;
            *found++ = (pair){(uint16_t)length, (uint16_t)(p - at)};
        }
        if (length >= nice && (!found || length == best)) {
            *lower = sons[0];
            *higher = sons[1];
            return found;
        }
        if (data[at + length] < scan[length]) {
            *lower = (int32_t)at;
            lower = &sons[1];
            at = *lower;
            below = length;
            if (above < length) length = above;
        } else {
            *higher = (int32_t)at;
            higher = &sons[0];
            at = *higher;
            above = length;
            if (below < length) length = below;
        }
    }
    *lower = *higher = NEVER;
    return found;
}

/* Enter the next position, its matches into the cache if `wanted`; returns its longest match. */
static int advance(parser *o, int wanted) {
    const run *r = o->r;
    int most = reach(r, o->next), nice = nice_at(r, o->next), longest = 0;
    pair *first = o->cache + o->cached, *last = first;
    if (most >= NEEDED) {
        if (wanted) last = enter(o, o->next, most, nice, first);
        else enter(o, o->next, nice, nice, NULL);
    }
    if (last > first) longest = last[-1].length;
    *last = (pair){(uint16_t)(last - first), r->data[o->next]};
    o->cached = last + 1 - o->cache;
    o->next++;
    return longest;
}

/* ---- where a segment ends ---- */

static void clear(parser *o) {
    memset(&o->now, 0, sizeof o->now);
    memset(o->lengths, 0, sizeof o->lengths);
    memset(o->fresh_lengths, 0, sizeof o->fresh_lengths);
}

static void merge_all(parser *o) {
    merge(&o->now);
    for (int i = 0; i <= MAX_MATCH; i++) o->lengths[i] += o->fresh_lengths[i];
    memset(o->fresh_lengths, 0, sizeof o->fresh_lengths);
}

/* Look for matches until the segment's end is known, and set it; whether data changed there. */
static int gather(parser *o) {
    const run *r = o->r;
    int64_t limit = soft_end(o->start, r->size, SOFT_BLOCK), looked = 0, observed = o->next;
    int least = o->only_literals ? MAX_MATCH + 1
                                 : least_match(r->data + o->start, limit - o->start, r->how->chain);
    for (;;) {
        int64_t p = o->next;
        int longest = advance(o, 1);
        if (p >= observed && longest >= least) {
            observe(&o->now, kind_of_match(longest));
            o->fresh_lengths[longest]++;
            observed = p + longest;
        } else if (p >= observed) {
            observe(&o->now, kind_of_literal(r->data[p]));
        }
        if (longest >= MIN_MATCH && longest >= nice_at(r, p))
            while (--longest) advance(o, 0);
        if (o->next >= limit || o->cached >= CACHE) break;
        if (!time_to_look(&o->now, o->start, o->next, r->size)) continue;
        if (differs(&o->now, o->next - o->start)) {
            o->end = looked;
            return 1;
        }
        merge_all(o);
        looked = o->next;
    }
    o->end = o->next;
    return 0;
}

/* ---- prices ---- */

/* floor(16 log2(dividend / divisor)), of a quotient from 1 to 2^10. */
static uint32_t sixteenths(uint64_t dividend, uint64_t divisor) {
    uint64_t value = (dividend << 40) / divisor;
    uint32_t logarithm = 0;
    for (; value >> 41; value >>= 1) logarithm++;
    value >>= 9; /* 1 to 2, in parts of 2^31 */
    for (int i = 0; i < 4; i++) {
        value = value * value >> 31;
        int above = value >> 32 != 0;
        logarithm = 2 * logarithm + (uint32_t)above;
        value >>= above;
    }
    return logarithm;
}

static uint32_t length_price(uint32_t price, int length) {
    return price + SCALE * length_extra[length_symbol(length)];
}

/* Prices of a segment of which only is known how many values literals have, and about how many
 * matches there are. */
static void default_prices(const parser *o, prices *found) {
    const uint8_t *data = o->r->data;
    uint32_t counts[256] = {0}, length;
    memset(found, 0, sizeof *found);
    int64_t size = o->end - o->start, literals = size, matches = 0;
    int values = 0;
    for (int64_t p = o->start; p < o->end; p++) counts[data[p]]++;
    for (int i = 0; i < 256; i++) values += counts[i] > size >> 11;
    if (!values) values = 1;
    for (int i = least_by_values(values, o->r->how->chain); i <= MAX_MATCH; i++) {
        matches += o->lengths[i];
        literals -= (int64_t)i * o->lengths[i];
    }
    if (literals < 0) literals = 0;
    uint64_t parts = (uint64_t)values * 4; /* of which literals have one, two or three */
    if (matches > literals) {
        found->literal[0] = sixteenths(parts, 1);
        length = 84; /* 16 log2(29 / (3/4)), 29 / (1/2), 29 / (1/4) */
    } else if (4 * matches > literals) {
        found->literal[0] = sixteenths(parts, 2);
        length = 93;
    } else {
        found->literal[0] = sixteenths(parts, 3);
        length = 109;
    }
    for (int i = 1; i < 256; i++) found->literal[i] = found->literal[0];
    for (int i = MIN_MATCH; i <= MAX_MATCH; i++) found->length[i] = length_price(length, i);
    for (int i = 0; i < DISTANCES; i++) /* 16 log2(30) */
        found->distance[i] = 78u + SCALE * distance_extra[i];
}

static void blend(uint32_t *price, const uint32_t *fresh, int count, uint32_t part) {
    for (int i = 0; i < count; i++) price[i] = (part * fresh[i] + (8 - part) * price[i]) / 8;
}

/* Prices at the beginning of a segment: those of the one before, the more of the default ones the
 * more its observations differ. */
static void first_prices(parser *o) {
    prices fresh;
    default_prices(o, &fresh);
    int64_t difference = 0, most = o->before.seen_all * o->now.seen_all * 200 / 512;
    for (int i = 0; i < KINDS; i++) {
        int64_t one = o->before.seen[i] * o->now.seen_all;
        int64_t other = o->now.seen[i] * o->before.seen_all;
        difference += one > other ? one - other : other - one;
    }
    if (!o->start || difference > 3 * most) {
        o->price = fresh;
        return;
    }
    uint32_t part = 4 * difference > 9 * most   ? 6
                    : 2 * difference > 3 * most ? 5
                    : 2 * difference > most     ? 4
                                                : 2;
    blend(o->price.literal, fresh.literal, 256, part);
    blend(o->price.length, fresh.length, MAX_MATCH + 1, part);
    blend(o->price.distance, fresh.distance, DISTANCES, part);
}

static uint32_t price_of(int bits, int otherwise) {
    return SCALE * (uint32_t)(bits ? bits : otherwise);
}

/* Prices by code lengths of all literals and distances. */
static void prices_by(prices *price, const uint8_t *literals, const uint8_t *distances) {
    for (int i = 0; i < 256; i++) price->literal[i] = price_of(literals[i], UNUSED_LITERAL);
    for (int i = MIN_MATCH; i <= MAX_MATCH; i++)
        price->length[i] =
            length_price(price_of(literals[257 + length_symbol(i)], UNUSED_LENGTH), i);
    for (int i = 0; i < DISTANCES; i++)
        price->distance[i] = price_of(distances[i], UNUSED_DISTANCE) + SCALE * distance_extra[i];
}

static void prices_by_head(parser *o) {
    uint8_t literals[LITERALS] = {0}, distances[DISTANCES] = {0};
    memcpy(literals, o->head.lengths, (size_t)o->head.literals);
    memcpy(distances, o->head.lengths + o->head.literals, (size_t)o->head.distances);
    prices_by(&o->price, literals, distances);
}

static void prices_by_fixed(parser *o) {
    uint8_t literals[LITERALS], distances[DISTANCES];
    for (int i = 0; i < LITERALS; i++) literals[i] = (uint8_t)fixed_length(i);
    memset(distances, 5, sizeof distances);
    prices_by(&o->price, literals, distances);
}

/* ---- the cheapest way ---- */

/* Where in the cache the pairs of what lies behind a position begin, or all end. */
static int64_t behind(const parser *o, int64_t p) {
    int64_t at = o->cached;
    for (int64_t q = o->next; q > p; q--) at -= 1 + o->cache[at - 1].length;
    return at;
}

/* Plan the head of the segment's tokens. */
static void plan_tokens(parser *o) {
    const uint8_t *data = o->r->data + o->start;
    memset(&o->counts, 0, sizeof o->counts);
    o->counts.literals[END] = 1;
    for (int64_t i = 0, size = o->end - o->start; i < size;) {
        uint32_t token = o->only_literals ? 0 : o->steps[i].token;
        if (token) {
            o->counts.literals[257 + length_symbol(length_of(token))]++;
            o->counts.distances[distance_symbol((int)distance_of(token))]++;
        } else {
            o->counts.literals[data[i]]++;
        }
        i += span(token);
    }
    plan_head(&o->head, &o->counts, SORTED);
}

/* Find the cheapest way by the prices, and plan its head. */
static void find_way(parser *o) {
    const pair *at = o->cache + behind(o, o->end);
    const prices *price = &o->price;
    step *steps = o->steps;
    steps[o->end - o->start].cost = 0;
    for (int64_t i = o->end - o->start; i-- > 0;) {
        const pair *last = --at;
        uint32_t best = price->literal[last->distance] + steps[i + 1].cost, token = 0;
        at -= last->length;
        int length = MIN_MATCH;
        for (const pair *match = at; match != last; match++) {
            uint32_t far = price->distance[distance_symbol(match->distance)];
            for (; length <= match->length; length++) {
                uint32_t cost = far + price->length[length] + steps[i + length].cost;
                if (cost < best) {
                    best = cost;
                    token = match_of(length, match->distance);
                }
            }
        }
        steps[i] = (step){best, token};
    }
    plan_tokens(o);
}

/* Settle on the tokens of the segment. */
static void parse(parser *o) {
    int64_t size = o->end - o->start, passes = o->r->how->good;
    uint64_t gain = (uint64_t)o->r->how->lazy, best = UINT64_MAX / 2, fixed = best, cost, literals;
    o->only_literals = 1;
    plan_tokens(o);
    literals = dynamic_bits(&o->head, &o->counts);
    o->only_literals = 0;
    for (int i = 1; i < MAX_MATCH; i++)
        o->steps[size + i].cost = 1u << 31; /* no match ends there */
    if (size <= o->r->how->feed) {
        o->kept = o->price;
        prices_by_fixed(o);
        find_way(o);
        fixed = o->steps[0].cost / SCALE + 7;
        o->price = o->kept;
    }
    first_prices(o);
    do {
        find_way(o);
        cost = dynamic_bits(&o->head, &o->counts);
        if (cost + gain > best) break;
        best = cost;
        o->kept = o->price;
        prices_by_head(o);
    } while (--passes);
    if (literals < best && literals < fixed) {
        o->only_literals = 1;
        plan_tokens(o);
        prices_by_head(o);
    } else if (fixed < best) {
        prices_by_fixed(o);
        find_way(o);
    } else if (cost >= best + gain) {
        o->price = o->kept;
        find_way(o);
        prices_by_head(o);
    }
}

/* ---- segments ---- */

static void next_segment(parser *o) {
    int64_t first = behind(o, o->end);
    memmove(o->cache, o->cache + first, (size_t)(o->cached - first) * sizeof *o->cache);
    o->cached -= first;
    o->start = o->end;
    int changed = gather(o);
    if (!changed) merge_all(o);
    parse(o);
    o->before = o->now;
    if (!changed) clear(o);
    memset(o->now.seen, 0, sizeof o->now.seen); /* what is fresh belongs to the next one */
    o->now.seen_all = 0;
    memset(o->lengths, 0, sizeof o->lengths);
}

/* Chain p to the last position of the same three bytes, if it has bytes enough left. */
static void name(parser *o, int64_t p) {
    const run *r = o->r;
    if (r->size - p < NEEDED) return;
    uint32_t hash = p ? hash_of(four_bytes(r->data + p) & 0xFFFFFF, NAME_BITS) : 0;
    o->names.prev[p & o->names.mask] = o->names.head[hash];
    o->names.head[hash] = (uint32_t)p;
}

int64_t predict_optimal(run *r) {
    enum { TREES = 2 * HASHES + HASHES + 2 * WINDOW, NAMES = 1 << NAME_BITS };
    enum { POSITIONS = TREES + NAMES + WINDOW };
    parser *o = calloc(1, sizeof *o);
    int32_t *positions = malloc(POSITIONS * sizeof *positions);
    pair *cache = malloc((CACHE + 3 * MAX_MATCH) * sizeof *cache);
    step *steps = malloc((MOST_BYTES + 2 * MAX_MATCH) * sizeof *steps);
    if (o && positions && cache && steps) {
        for (int i = 0; i < POSITIONS; i++) positions[i] = NEVER;
        *o = (parser){.r = r,
                      .third = (int32_t (*)[2])positions,
                      .roots = positions + 2 * HASHES,
                      .sons = (int32_t (*)[2])(positions + 3 * HASHES),
                      .names = {.head = (uint32_t *)positions + TREES,
                                .prev = (uint32_t *)positions + TREES + NAMES,
                                .mask = WINDOW - 1},
                      .cache = cache,
                      .steps = steps};
        for (int64_t p = 0, named = 0; !r->done && !r->error;) {
            while (p >= o->end && p < r->size) next_segment(o);
            r->split.limit = o->end;
            uint32_t token = o->only_literals || p >= r->size ? 0 : o->steps[p - o->start].token;
            for (; named <= p; named++) name(o, named);
            p += span(settle(r, p, token, token != 0, &o->names));
        }
    } else {
        r->error = NO_MEMORY;
    }
    free(o);
    free(positions);
    free(cache);
    free(steps);
    return r->error;
}
