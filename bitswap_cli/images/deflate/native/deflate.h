/* What the files of this kernel share: the alphabet of deflate (RFC 1951) and a run of a predictor.
 *
 * All of it is normative and frozen: docs/format.md says what is computed, ../reference does the
 * same in Python, and the tests compare the two. Nothing here is global but constants.
 */
#ifndef BITSWAP_DEFLATE_H
#define BITSWAP_DEFLATE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define INLINE static inline
#define LIKELY(x) (x)
#endif

enum { ABI = 8, PADDING = 512 }; /* readable bytes behind the inflated ones, all zero */
enum { LITERALS = 286, DISTANCES = 30, CODES = 19, END = 256 };
enum { MIN_MATCH = 3, MAX_MATCH = 258, WINDOW = 32768, LOOKAHEAD = 262 };
enum { STORED, FIXED, DYNAMIC };
enum { DAMAGED = -1, TOO_LARGE = -2, NO_MEMORY = -3, ABANDONED = -4 };

extern const uint16_t length_base[29];
extern const uint8_t length_extra[29];
extern const uint16_t distance_base[30];
extern const uint8_t distance_extra[30];
extern const uint8_t code_order[CODES];

/* A token is 0 for a literal, whose byte is the data's, else length << 16 | distance. */
INLINE uint32_t match_of(int length, int64_t distance) {
    return (uint32_t)length << 16 | (uint32_t)distance;
}
INLINE int length_of(uint32_t token) { return (int)(token >> 16); }
INLINE int64_t distance_of(uint32_t token) { return token & 0xFFFF; }
INLINE int span(uint32_t token) { return token ? length_of(token) : 1; }

/* Where the symbol of a length 3..258 or a distance 1..32768 stands in the tables above. */
INLINE int length_symbol(int length) {
    int above = length - 3;
    if (above < 4) return above;
    if (length == 258) return 28;
    int bits = 31 - __builtin_clz((unsigned)above);
    return 4 * (bits - 1) + (above >> (bits - 2) & 3);
}

INLINE int distance_symbol(int distance) {
    int top = distance - 1;
    if (top < 4) return top;
    int bits = 31 - __builtin_clz((unsigned)top);
    return 2 * bits + (top >> (bits - 1) & 1);
}

/* Corrections: columns of integers, each read by a cursor of its own. */
enum {
    RIGHT_PLAIN,
    RIGHT_DEFERRED,
    RIGHT_TAKEN,
    WRONG_DEFERRED,
    WRONG_TAKEN,
    SAME_LENGTH,
    NEW_LENGTH,
    RANK,
    DISTANCE,
    RIGHT_SPLIT,
    SPLIT,
    STORED_GAP,
    STORED_SIZE,
    KIND,
    TREE,
    LENGTHS,
    OPERATIONS,
    REPEATS,
    CODE_LENGTHS,
    PAD,
    COLUMNS,
    RANKED = COLUMNS /* in replays: distances that ranks stand for */
};

typedef struct {
    int32_t *values;
    int64_t count, capacity, at;
} column;

INLINE int put(column *c, int64_t value) {
    if (c->count >= c->capacity) return 0;
    c->values[c->count++] = (int32_t)value;
    return 1;
}

/* The next value of a column, or what stands for all behind its end. */
INLINE int64_t next(column *c, int64_t otherwise) {
    return c->at < c->count ? c->values[c->at++] : otherwise;
}

/* Predictors and their parameters, in the order of the array that describes them. */
enum { NOTHING, RUNS, FAST, LAZY, NG_QUICK, NG_FAST, NG_MEDIUM, NG_LAZY };
enum { LD_HASHED = NG_LAZY + 1, LD_GREEDY, LD_LAZY, LD_LAZIER, LD_OPTIMAL };
typedef struct {
    int64_t predictor, good, lazy, nice, chain, hash_bits, window_bits, full, feed, flags;
} parameters;
enum { FILTERED = 1, FIXED_ONLY = 2, NG_2_2 = 4, ANY_DISTANCE = 8, NG_EARLY = 16, SORTED = 32 };

enum { RECENT = 512 }; /* places for what was replaced */

/* A chain: prev[position & mask] is the last earlier position of the same hash, 0 for none. Where
 * `replaced` is not null, positions before `end` are in it, but ranks know only those before
 * `until`: what the others replaced is kept there, by position. */
typedef struct {
    uint32_t *head, *prev;
    uint32_t mask;
    uint32_t *replaced;
    int64_t until, end;
} chains;

/* The position before one on the chain that ranks count on. */
INLINE uint32_t before_of(const chains *c, int64_t at) {
    int64_t later = c->until + ((at - c->until) & c->mask); /* the next one in its place */
    return c->replaced && later < c->end ? c->replaced[later & (RECENT - 1)]
                                         : c->prev[at & c->mask];
}

/* Of run.c and trees.c. */
EXPORT int64_t bitswap_restore(const uint8_t *data, int64_t size, const int64_t *how,
                               int32_t *values, const int64_t *counts, const int64_t *starts,
                               uint32_t *tokens, int64_t capacity, int32_t *blocks, int64_t rows,
                               int64_t *found, uint32_t *seen, int64_t seen_count);
EXPORT int64_t bitswap_write(const uint8_t *data, const uint32_t *tokens, const int32_t *blocks,
                             int64_t rows, int64_t flags, int32_t *values, const int64_t *counts,
                             const int64_t *starts, uint8_t *out, int64_t room);

#endif
