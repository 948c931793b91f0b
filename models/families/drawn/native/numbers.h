/* The numbers of the model of drawn pictures, and the state that Python hands over.
 *
 * reference/ is the definition of all that is computed here. Right shifts of negative numbers are
 * arithmetic; hashes wrap.
 */
#ifndef BITSWAP_DRAWN_NUMBERS_H
#define BITSWAP_DRAWN_NUMBERS_H

#include "tables.h"

enum { SOURCES = 20, ROLES = 3, CONFIDENCES = 32 };
enum { COLOUR_CONTEXTS = 4, MOST_CONTEXTS = 11, ANCHORS = 6, AGREEMENTS = 2 };
enum { MOST_CANDIDATES = 8, MOST_CHANNELS = 4 };
enum { MOST_COLOURS = 256 }; /* of a picture whose file tells them */
enum { AGREED = 81 * 16 * 8, ACTIVITIES = 64, MEMORIES = 6 };

/* What adapts while pictures are coded, in the order of state.py. A counter is a probability
 * of 22 bits over a count of 10. How many contexts and inputs a value has generation.h says. */
typedef struct {
    uint32_t *flat;                  /* [3 * 16][2][2] */
    uint32_t *hit;                   /* [SOURCES][ROLES][CONFIDENCES] */
    uint32_t *right;                 /* [SOURCES][CONFIDENCES] */
    uint32_t *colour_slots;          /* [COLOUR_CONTEXTS][STATES] */
    uint32_t *value_slots;           /* [contexts][MOST_CHANNELS][STATES] */
    uint32_t *agree;                 /* [AGREEMENTS][MOST_CHANNELS][AGREED] */
    uint32_t *scale;                 /* [ANCHORS][MOST_CHANNELS][ACTIVITIES] */
    uint32_t *colour_steps;          /* [1024][STEPS] */
    uint32_t *value_steps;           /* [MOST_CHANNELS][256][STEPS] */
    int32_t *colour_by_rank;         /* [MOST_CHANNELS][MOST_CANDIDATES][INPUTS] */
    int32_t *colour_by_sources;      /* [1024][INPUTS] */
    int32_t *value_by_bit;           /* [MOST_CHANNELS][MOST_CHANNELS][8][inputs] */
    int32_t *value_by_prefix;        /* [MOST_CHANNELS][256][inputs] */
    int32_t *value_by_activity;      /* [MOST_CHANNELS][3][COUNTS][inputs] */
    int32_t *colour_sets;            /* [MOST_CANDIDATES][MOST_SETS] */
    int32_t *value_sets;             /* [MOST_CHANNELS][8][MOST_SETS] */
} state;

#endif
