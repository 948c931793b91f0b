/* The pixels that a block of interpolated chroma has a part in, and how wrong it makes them. */

#ifndef BITSWAP_AROUND_H
#define BITSWAP_AROUND_H

#include "history.h"

#define SPAN 10   /* samples of a block, and their neighbours */
#define AROUND 18 /* pixels that they have a part in */
#define LANES 16  /* room for half of these */
#define PADDED 32 /* and for the samples */

typedef uint8_t samples[SPAN][PADDED];

/* What is known of these pixels: those to the right of the middle between two samples, and those to
   the left; anything, beyond the ends. */
typedef struct {
    int16_t low[AROUND][2][LANES], high[AROUND][2][LANES];
    int tall; /* whether rows are interpolated, too */
    int avx2; /* whether the processor has it */
} around;

/* Nothing is known. */
HIDDEN void forget_around(around *a);

/* Note what is known of pixels, in planes of (vertical height, 2 width), around a block that begins
   at (top, left) of the samples; nothing was, but around other blocks of the planes. */
HIDDEN void look_around(around *a, const uint8_t *low, const uint8_t *high, int64_t height,
                        int64_t width, int64_t stride, int64_t vertical, int64_t top, int64_t left);

/* How wrong the pixels are, the samples of a block and their neighbours being in `patch`: the sum
   of squares of what they are out of their limits, or some of it, if that is `most` or more. */
HIDDEN int64_t error_around(const around *a, samples patch, int64_t most);

#endif
