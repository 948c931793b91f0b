/* The numbers of the model of drawn pictures, and the tables and state that Python hands over.
 *
 * reference/ is the definition of all that is computed here. Right shifts of negative numbers are
 * arithmetic; hashes wrap.
 */
#ifndef BITSWAP_DRAWN_NUMBERS_H
#define BITSWAP_DRAWN_NUMBERS_H

#include <stdint.h>

enum { LIMIT = 2815, SPAN = 2 * LIMIT + 1 };       /* logits, in 1/256 */
enum { REACH = 4096 };                             /* of the sigmoid of anchors, in 1/256 */
enum { COUNTS = 16, LEVELS = 24, STATES = COUNTS * LEVELS }; /* what a slot says */
enum { STEPS = 33, STEP = 2 * LIMIT / (STEPS - 1) }; /* of a refinement */
enum { SOURCES = 20, ROLES = 3, CONFIDENCES = 32 };
enum { COLOUR_CONTEXTS = 4, VALUE_CONTEXTS = 11, ANCHORS = 6, AGREEMENTS = 2 };
enum { INPUTS = 32, MOST_SETS = 3, MOST_CANDIDATES = 8, MOST_CHANNELS = 4 };
enum { MOST_COLOURS = 256 }; /* of a picture whose file tells them */
enum { AGREED = 81 * 16 * 8, ACTIVITIES = 64, MEMORIES = 6 };

/* Tables of logits.py, in the order of its `Tables`. */
typedef struct {
    const int16_t *logit;     /* of probabilities of 16 bits */
    const int32_t *squashed;  /* logits back to them, from -LIMIT on */
    const int32_t *sigmoid;   /* 2^16 sigmoid(i / 256), from -REACH on */
    const uint8_t *level;     /* of probabilities of 12 bits, what a slot tells of its own */
    const int32_t *rate;      /* 2^16 / (n + 1.6) for counts below 1024 */
    const int32_t *slot_rate; /* likewise for a slot's count, below 16 */
    const int32_t *cost;      /* bits in 1/4096, of probabilities of 12 bits */
} tables;

/* What adapts while pictures are coded, in the order of state.py. A counter is a probability
 * of 22 bits over a count of 10. */
typedef struct {
    uint32_t *flat;                  /* [3 * 16][2][2] */
    uint32_t *hit;                   /* [SOURCES][ROLES][CONFIDENCES] */
    uint32_t *right;                 /* [SOURCES][CONFIDENCES] */
    uint32_t *colour_slots;          /* [COLOUR_CONTEXTS][STATES] */
    uint32_t *value_slots;           /* [VALUE_CONTEXTS][MOST_CHANNELS][STATES] */
    uint32_t *agree;                 /* [AGREEMENTS][MOST_CHANNELS][AGREED] */
    uint32_t *scale;                 /* [ANCHORS][MOST_CHANNELS][ACTIVITIES] */
    uint32_t *colour_steps;          /* [1024][STEPS] */
    uint32_t *value_steps;           /* [MOST_CHANNELS][256][STEPS] */
    int32_t *colour_by_rank;         /* [MOST_CHANNELS][MOST_CANDIDATES][INPUTS] */
    int32_t *colour_by_sources;      /* [1024][INPUTS] */
    int32_t *value_by_bit;           /* [MOST_CHANNELS][MOST_CHANNELS][8][INPUTS] */
    int32_t *value_by_prefix;        /* [MOST_CHANNELS][256][INPUTS] */
    int32_t *value_by_activity;      /* [MOST_CHANNELS][3][COUNTS][INPUTS] */
    int32_t *colour_sets;            /* [MOST_CANDIDATES][MOST_SETS] */
    int32_t *value_sets;             /* [MOST_CHANNELS][8][MOST_SETS] */
} state;

#endif
