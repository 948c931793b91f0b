/* What layers of signs share: from how many bits differ to sums of +-1. */
#ifndef BITSWAP_SIGNS_H
#define BITSWAP_SIGNS_H

#include "convolution.h"

/* Bits that differ of a pixel at row i, column j -> sums of outputs first.. of some panels. */
INLINE void sums_of_signs(const layer *l, const images *m, int64_t i, int64_t j, int64_t first,
                          int panels, int32_t *sums) {
    const int64_t size = l->size, edge = size / 2, height = m->height, width = m->width;
    const int64_t outputs = (l->outputs + OUTPUTS - 1) / OUTPUTS * OUTPUTS;
    const int32_t most = (int32_t)(size * size * l->inputs);
    const int count = panels * OUTPUTS;
    for (int o = 0; o < count; o++) sums[o] = most - 2 * sums[o];
    if (i >= edge && i + edge < height && j >= edge && j + edge < width) return;
    const int16_t *totals = l->totals + first;
    for (int64_t row = i - edge; row <= i + edge; row++)
        for (int64_t column = j - edge; column <= j + edge; column++, totals += outputs)
            if (row < 0 || row >= height || column < 0 || column >= width)
                for (int o = 0; o < count; o++) sums[o] -= totals[o];
}

#endif
