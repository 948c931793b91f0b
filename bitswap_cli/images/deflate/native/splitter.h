/* Where libdeflate ends blocks: it watches kinds of tokens, and ends one when they come otherwise.
 *
 * Kinds are eight of literals, by their two highest and their lowest bit, and matches below 9 bytes
 * or longer. They are counted twice: since the last look, and since the block began until then.
 */
#ifndef BITSWAP_SPLITTER_H
#define BITSWAP_SPLITTER_H

#include "deflate.h"

enum { KINDS = 10, SHORT_MATCHES = 8, LONG_MATCH = 9, LOOK = 512 };
enum { LEAST_BLOCK = 5000, SOFT_BLOCK = 300000, SOFT_QUICK_BLOCK = 65535 };
enum { MOST_MATCHES = 50000, MOST_QUICK_MATCHES = 8192 };

typedef struct {
    uint32_t fresh[KINDS], seen[KINDS];
    int64_t fresh_all, seen_all;
} observations;

typedef struct {
    observations kinds;
    uint32_t literals[256]; /* of the block */
    int64_t matches, limit; /* of the block: how many, and where it ends if nothing ends it */
    int due;                /* 1 if it ends here, 2 if it should have ended before */
    int held;               /* whether the next token is no place to end one behind */
} splitter;

INLINE void observe(observations *o, int kind) {
    o->fresh[kind]++;
    o->fresh_all++;
}
INLINE int kind_of_literal(uint8_t byte) { return (byte >> 5 & 6) | (byte & 1); }
INLINE int kind_of_match(int length) { return SHORT_MATCHES + (length >= LONG_MATCH); }

/* What was counted since the last look belongs to the block. */
void merge(observations *o);

/* Whether it is time to look: at p, in a block that begins at `start`. */
INLINE int time_to_look(const observations *o, int64_t start, int64_t p, int64_t size) {
    return o->fresh_all >= LOOK && p - start >= LEAST_BLOCK && size - p >= LEAST_BLOCK;
}

/* Whether what was counted since the last look is so different that a block of so many bytes ends;
 * if not, it is merged. */
int differs(observations *o, int64_t length);

/* Where a block that begins at `start` ends if nothing ends it before. */
INLINE int64_t soft_end(int64_t start, int64_t size, int64_t most) {
    return size - start < most + LEAST_BLOCK ? size : start + most;
}

/* The shortest match worth taking where so many values of literals occur. */
int least_by_values(int values, int64_t depth);

/* The same at the beginning of a block of at most so many bytes. */
int least_match(const uint8_t *data, int64_t size, int64_t depth);

#endif
