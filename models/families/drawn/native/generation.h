/* The numbers by which models differ; a file that includes this defines VALUE_CONTEXTS, how many
 * contexts a value has: 11, or the six that say most. config.py says what they are.
 */
#ifndef BITSWAP_DRAWN_GENERATION_H
#define BITSWAP_DRAWN_GENERATION_H

#include "mixing.h"

#if VALUE_CONTEXTS == 11
static const int CHOSEN[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
enum { VALUE_INPUTS = INPUTS, VALUE_RATE = 32, VALUE_HASTE = 0 };
enum { COLOUR_RATE = 40, EACH_SOURCE = 100, SCALE_SIXTEENTHS = 12, SCALE_SLOWNESS = 5 };
#define SEE_CONTEXT see_slot
#else
static const int CHOSEN[] = {0, 1, 2, 4, 6, 10};
enum { VALUE_INPUTS = INPUTS / 2, VALUE_RATE = 110, VALUE_HASTE = 1 };
enum { COLOUR_RATE = 70, EACH_SOURCE = 70, SCALE_SIXTEENTHS = 10, SCALE_SLOWNESS = 4 };
#define SEE_CONTEXT see_logit
/* How often a slot was seen, in four classes. */
static const uint8_t CLASS[COUNTS] = {0, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3};
#endif

/* How well contexts know what follows, by their slots, below 16: the first one, or two others. */
TARGET INLINE int known_by(uint16_t *const *halves, int node) {
#if VALUE_CONTEXTS == 11
    return halves[0][node] & 15;
#else
    return CLASS[halves[1][node] & 15] * 4 + CLASS[halves[2][node] & 15];
#endif
}

#endif
