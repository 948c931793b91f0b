/* Which pixels of a group are coded when; lockstep.py defines it. */
#ifndef BITSWAP_STEPS_H
#define BITSWAP_STEPS_H

#include "pixels/pixels.h"

static inline int64_t most_coded(const int32_t *sizes, int64_t tiles) {
    int64_t coded = 1;
    for (int64_t b = 0; b < tiles; b++) coded = most(coded, sizes[3 * b + 2]);
    return coded;
}

/* Steps of a group. */
static inline int64_t steps_of(const network *n, const group *g) {
    int64_t steps = 0;
    for (int64_t b = 0; b < g->tiles; b++) {
        const int32_t *size = g->sizes + 3 * b;
        steps = most(steps, size[1] + (n->radius + 1) * (size[0] - 1));
    }
    return steps;
}

/* The most pixels that a step may have. */
static inline int64_t most_of_step(const network *n, const group *g) {
    int64_t count = 0;
    for (int64_t b = 0; b < g->tiles; b++) {
        const int32_t *size = g->sizes + 3 * b;
        count += least(size[0], size[1] / (n->radius + 1) + 1);
    }
    return count;
}

/* First row of a tile that has a pixel in a step, and the row after the last. */
INLINE void rows_of_step(const network *n, const int32_t *size, int64_t step, int64_t *from,
                         int64_t *to) {
    const int64_t slope = n->radius + 1, columns = size[1];
    *from = step < columns ? 0 : (step - columns) / slope + 1;
    *to = most(least(step / slope + 1, size[0]), *from);
}

#endif
