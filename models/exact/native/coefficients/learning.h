/* What a message teaches while it is coded: learning.py is the definition.
 *
 * An encoder lists decisions; a decoder's come from a message of one lane, as bitswap_cli/ans has
 * them. */
#ifndef BITSWAP_LEARNING_H
#define BITSWAP_LEARNING_H

#include "coefficients/blocks.h"

enum { DECISIONS = 16, MAGNITUDES = DECISIONS - 2, LARGEST = 10, NODES = 64 };
enum { BUCKETS = 16, LAST_BUCKETS = 8, FEW = 4, BANDS = 8, PLANES = 8 };
enum { OF_ONE = 0, OF_OTHER = OF_ONE + PLANES * COEFFICIENTS * DECISIONS };
enum { OF_LAST = OF_OTHER + COEFFICIENTS * DECISIONS * BUCKETS };
enum { OF_NODE = OF_LAST + COEFFICIENTS * COEFFICIENTS * FEW, OF_SIDES = OF_NODE + NODES };
enum { OF_CORNERS = OF_SIDES + LAST_BUCKETS * LAST_BUCKETS * NODES };
enum { SLOTS = OF_CORNERS + LAST_BUCKETS * LAST_BUCKETS * NODES };
enum { OF_NODES = BANDS * DECISIONS, MIXERS = OF_NODES + NODES };
enum { SLOTS_OF = 3, INPUTS = 1 + SLOTS_OF, COUNTS = 256 };

typedef struct {
    int16_t offset;
    uint16_t count;
} slot;

/* Decisions on their way to words, or back. */
typedef struct {
    uint32_t *told; /* which << 16 | probability of 1, of an encoder; NULL of a decoder */
    int64_t *costs; /* in 1/4096 bit, of each plane */
    int64_t count, mine; /* decisions, and the plane that the next ones are of */
    uint64_t head;
    const uint32_t *words;
    int64_t top, end; /* an error of the coder's: top < 0 */
} decisions;

struct learner {
    slot slots[SLOTS];
    int32_t weights[MIXERS][INPUTS];
    int32_t share[COUNTS], pace[COUNTS]; /* of a slot that has learnt so often */
    int64_t seen;
    int32_t rate;
    decisions *line;
};

#endif
