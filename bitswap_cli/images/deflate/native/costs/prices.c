/* What symbols cost, and the cheapest way through a stretch of a block. */
#include "costs.h"

enum { SCALE = 16, PASSES = 3 }; /* of prices while lengths are unknown: parts of a bit */
enum { LENGTH_PRICE = 96, DISTANCE_PRICE = 80 }; /* at first, in such parts */
enum { NO_CODE = 1 << 12 };
enum { LAST_SYMBOL = 28 }; /* of lengths */

/* ---- prices ---- */

/* What a symbol costs that occurs so often of so many, at least a bit. */
static int32_t rarity(uint32_t count, uint32_t total) {
    if (!count) return logarithm(total ? total : 1) + SCALE;
    int32_t found = logarithm(total) - logarithm(count);
    return found < SCALE ? SCALE : found;
}

/* Prices of literals and lengths, and of distances, with what follows them. */
static void set_prices(prices *p, const int32_t *literals, const int32_t *distances, int scale) {
    memcpy(p->literal, literals, sizeof p->literal);
    for (int length = MIN_MATCH; length <= MAX_MATCH; length++) {
        int symbol = length_symbol(length);
        p->length[length] = literals[257 + symbol] + scale * length_extra[symbol];
    }
    for (int i = 0; i < DISTANCES; i++) p->distance[i] = distances[i] + scale * distance_extra[i];
}

void price_by_lengths(prices *p, const uint8_t *lengths) {
    int32_t found[LITERALS + DISTANCES];
    for (int i = 0; i < LITERALS + DISTANCES; i++) found[i] = lengths[i] ? lengths[i] : NO_CODE;
    set_prices(p, found, found + LITERALS, 1);
}

static void price_by_counts(prices *p, const tally *t) {
    int32_t found[LITERALS + DISTANCES];
    uint32_t literals = 0, distances = 0;
    for (int i = 0; i < LITERALS; i++) literals += t->literals[i];
    for (int i = 0; i < DISTANCES; i++) distances += t->distances[i];
    for (int i = 0; i < LITERALS; i++) found[i] = rarity(t->literals[i], literals);
    for (int i = 0; i < DISTANCES; i++) found[LITERALS + i] = rarity(t->distances[i], distances);
    set_prices(p, found, found + LITERALS, SCALE);
}

static void price_at_first(prices *p, const uint8_t *data, int64_t size) {
    int32_t found[LITERALS + DISTANCES];
    uint32_t counts[256] = {0};
    for (int64_t i = 0; i < size; i++) counts[data[i]]++;
    for (int i = 0; i < 256; i++) found[i] = rarity(counts[i], (uint32_t)size);
    for (int i = 256; i < LITERALS; i++) found[i] = LENGTH_PRICE;
    for (int i = 0; i < DISTANCES; i++) found[LITERALS + i] = DISTANCE_PRICE;
    set_prices(p, found, found + LITERALS, SCALE);
}

/* ---- the cheapest way ---- */

int most_at(const teller *t, int64_t p) {
    return t->block_end - p < MAX_MATCH ? (int)(t->block_end - p) : MAX_MATCH;
}

/* The least price, and cost behind it, of lengths from..to of one symbol, at position i of the
 * stretch: they have one price, so that only the least cost counts. */
INLINE int32_t least_of_symbol(teller *t, int64_t i, int from, int to) {
    int k = 31 - __builtin_clz((unsigned)(to - from + 1));
    const int32_t *least = t->least[k] + i;
    int32_t one = least[from], other = least[to + 1 - (1 << k)];
    return (one < other ? one : other) + t->price.length[from];
}

/* All lengths of a symbol: the least costs behind each position's, and their price. */
typedef struct {
    const int32_t *least;
    int32_t price;
} lengths;

typedef struct {
    lengths whole[LAST_SYMBOL];
    int32_t cheapest[WIDTHS]; /* of lengths 3..2^k + 2 */
} bounds;

INLINE int32_t lesser(int32_t a, int32_t b) { return a < b ? a : b; }

/* The same of lengths from..to, the longest first; or what is not less than `best`, if that is not
 * either: shorter ones are left out where not even the least of their prices, and of the costs
 * behind them, would do. */
INLINE int32_t least_of(teller *t, const bounds *b, int64_t i, int from, int to, int32_t best) {
    int symbol = length_symbol(to), last = length_symbol(from);
    if (symbol == last) return least_of_symbol(t, i, from, to);
    best = lesser(best, least_of_symbol(t, i, length_base[symbol], to));
    if (symbol == LAST_SYMBOL && --symbol > last) /* which has an odd number of lengths */
        best = lesser(best, least_of_symbol(t, i, length_base[symbol], MAX_MATCH - 1));
    for (;;) {
        int k = symbol / 4 + 1;
        if (symbol >= 8 && symbol % 4 == 0 && t->least[k][i + MIN_MATCH] + b->cheapest[k] >= best)
            return best;
        if (--symbol <= last) break;
        best = lesser(best, b->whole[symbol].least[i] + b->whole[symbol].price);
    }
    return lesser(best, least_of_symbol(t, i, from, length_base[last + 1] - 1));
}

static void set_bounds(teller *t, bounds *b) {
    int32_t price = INT32_MAX;
    for (int length = MIN_MATCH, k = 3; k < WIDTHS; k++) {
        for (; length < MIN_MATCH + (1 << k); length++)
            price = lesser(price, t->price.length[length]);
        b->cheapest[k] = price;
    }
    for (int s = 0; s < LAST_SYMBOL; s++) {
        b->whole[s].least = t->least[length_extra[s]] + length_base[s];
        b->whole[s].price = t->price.length[length_base[s]];
    }
}

void find_costs(teller *t) {
    const finder *f = &t->f;
    const int64_t count = t->end - f->start;
    bounds all;
    set_bounds(t, &all);
    for (int k = 0; k < WIDTHS; k++)
        memset(t->least[k] + count, 0, (MAX_MATCH + 1) * sizeof *t->least[0]);
    for (int64_t i = count - 1; i >= 0; i--) {
        int32_t best = t->least[0][i + 1] + t->price.literal[f->data[f->start + i]];
        int most = most_at(t, f->start + i), from = MIN_MATCH;
        for (uint32_t k = f->first[i]; k < f->first[i + 1]; k++) {
            int to = length_of(f->found[k]) < most ? length_of(f->found[k]) : most;
            if (to < from) break;
            int32_t far = t->price.distance[distance_symbol((int)distance_of(f->found[k]))];
            best = lesser(best, least_of(t, &all, i, from, to, best - far) + far);
            from = to + 1;
        }
        t->least[0][i] = best;
        for (int k = 0; k + 1 < WIDTHS; k++) {
            int32_t other = t->least[k][i + (1 << k)];
            best = other < best ? other : best;
            t->least[k + 1][i] = best;
        }
    }
}

int find_keys(teller *t, int64_t p) {
    const finder *f = &t->f;
    const int64_t i = p - f->start;
    const int32_t *ahead = t->least[0] + i, own = *ahead;
    int most = most_at(t, p), length = MIN_MATCH, count = 1;
    uint32_t excess = (uint32_t)(ahead[1] + t->price.literal[f->data[p]] - own);
    t->keys[0] = excess << KEY_BITS | (MAX_MATCH - 1);
    for (uint32_t k = f->first[i]; k < f->first[i + 1]; k++) {
        int last = length_of(f->found[k]) < most ? length_of(f->found[k]) : most;
        int32_t far = t->price.distance[distance_symbol((int)distance_of(f->found[k]))] - own;
        for (; length <= last; length++) {
            excess = (uint32_t)(ahead[length] + t->price.length[length] + far);
            t->keys[count++] = excess << KEY_BITS | (uint32_t)(MAX_MATCH - length);
        }
    }
    return count;
}

int64_t next_key(const teller *t, int count, int64_t above) {
    int64_t least = INT64_MAX;
    for (int i = 0; i < count; i++)
        if (t->keys[i] > above && t->keys[i] < least) least = t->keys[i];
    return least == INT64_MAX ? NONE : least;
}

uint32_t token_of(const teller *t, int64_t p, int64_t key) {
    int length = MAX_MATCH - (int)(key & ((1 << KEY_BITS) - 1));
    if (length == 1) return 0;
    const uint32_t *found = t->f.found + t->f.first[p - t->f.start];
    while (length_of(*found) < length) found++;
    return match_of(length, distance_of(*found));
}

int is_cheapest(teller *t, int64_t p, uint32_t token) {
    int place = token ? length_of(token) - MIN_MATCH + 1 : 0;
    if (place >= find_keys(t, p) || t->keys[place] >> KEY_BITS) return 0;
    return token_of(t, p, t->keys[place]) == token;
}

void foresee(teller *t, tally *counts) {
    const uint8_t *data = t->f.data;
    price_at_first(&t->price, data + t->f.start, t->end - t->f.start);
    for (int pass = 0; pass < PASSES; pass++) {
        if (pass) price_by_counts(&t->price, counts);
        find_costs(t);
        memset(counts, 0, sizeof *counts);
        counts->literals[END] = 1;
        for (int64_t p = t->f.start; p < t->end;) {
            uint32_t token = token_of(t, p, next_key(t, find_keys(t, p), NONE));
            if (token) {
                counts->literals[257 + length_symbol(length_of(token))]++;
                counts->distances[distance_symbol((int)distance_of(token))]++;
            } else {
                counts->literals[data[p]]++;
            }
            p += span(token);
        }
    }
}
