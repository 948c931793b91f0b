/* What all layers share: how numbers are laid out and multiplied.
 *
 * A layer multiplies values in groups of 4 bytes, that is 2 of 16 bits or, where all are in 0..255
 * and the machine can, 4 of 8: one instruction multiplies a group with the weights of a part of a
 * panel of 16 outputs. Nothing here is global.
 *
 * A *dot product*, one for each set of instructions, is that of ROWS patches with some panels of
 * weights. A patch is `groups` groups of a layer's values, then `words` groups of 16-bit values.
 *
 * Right shifts of negative numbers are arithmetic, as in every compiler we know of; the tests
 * compare all of this with the definition.
 */
#ifndef BITSWAP_LAYERS_H
#define BITSWAP_LAYERS_H

#include <stdlib.h>
#include <string.h>

#include "processor.h"

enum { LIMIT = 32767 };
enum { OUTPUTS = 16 }; /* of a panel of weights */
enum { PANELS = 4 };   /* at most, of one pass over a patch */
enum { ROWS = 6 };     /* pixels of a block: ROWS * PANELS sums fit the registers of AVX-512 */
enum { GROUP = 4 };    /* bytes */

typedef int32_t block[ROWS][PANELS][OUTPUTS];

/* Bounds of mixtures, and what their pixels see; distributions.py and window.py define them. */
enum { MAX_CHANNELS = 8, MAX_COMPONENTS = 16 };
enum { LOGIT_LOW = -127, LOGIT_HIGH = 128, MAX_GAIN = 127, WEIGHTS = 256 };
enum { MEAN_LIMIT = 8191, SCALE_LEVELS = 128 };
enum { ACTIVATION_MAX = 255, ANCHORS = 5, BORDER = 64, UNKNOWN = 128 };

INLINE int32_t clip(int32_t value, int32_t low, int32_t high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

INLINE int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* memcpy, without a call for the few bytes that most copies have. */
INLINE void copy(void *to, const void *from, int64_t n) {
    char *y = to;
    const char *x = from;
#define ENDS(SIZE) memcpy(y, x, SIZE), memcpy(y + n - SIZE, x + n - SIZE, SIZE)
    if (n > 32) memcpy(y, x, (size_t)n);
    else if (n >= 16) ENDS(16);
    else if (n >= 8) ENDS(8);
    else if (n >= 4) ENDS(4);
    else if (n >= 2) ENDS(2);
    else *y = *x;
#undef ENDS
}

INLINE int32_t group_at(const char *row, int64_t i) {
    int32_t group;
    memcpy(&group, row + i * GROUP, sizeof group);
    return group;
}

#endif
