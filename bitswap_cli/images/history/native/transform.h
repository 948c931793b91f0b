/* The DCT without a decoder's rounding, for searches: fine units, all integers. */

#ifndef BITSWAP_TRANSFORM_H
#define BITSWAP_TRANSFORM_H

#include "history.h"

#define FINE 5   /* bits of a sample's fraction where searches go */

typedef struct {
    int32_t wave[8][8];    /* 2^17 times sample x of the basis function u of eight samples */
    int avx2;              /* whether the processor has it */
    int32_t basis[64][64]; /* 2^16 times the samples of what each coefficient stands for */
} transform;

/* What is known of the samples of a block. */
typedef struct {
    const uint8_t *low, *high;
    int64_t stride;
} limits;

/* How many samples of a block a decoder makes otherwise. */
HIDDEN int wrong(const int16_t *block, const quantizer *steps, limits l);

HIDDEN void arrange(transform *t);

/* Samples, in units of 1 / UNIT, less 128 -> coefficients in zigzag order, in units of 1 / UNIT. */
HIDDEN void forward(const transform *t, const int32_t in[64], int32_t out[64]);

/* The multiples of steps that are next to coefficients in units of 1 / UNIT. */
HIDDEN void rounded(const int32_t *told, const quantizer *q, int16_t *block);

/* Coefficients in units of 1 / UNIT -> samples in units of 2^-FINE. */
HIDDEN void unfold(const transform *t, const int32_t *told, int32_t out[64]);

/* Coefficients times steps -> samples in units of 2^-FINE. */
HIDDEN void backward(const transform *t, const int16_t *block, const quantizer *q, int32_t out[64]);

/* Whether steps are so coarse, on the average, that what is found beyond the edges of a crop costs
   less than it saves. */
HIDDEN int coarse(const quantizer *q, int64_t least);

/* Find the block of which whole columns, or whole rows, from an edge on, are known; samples are in
   units of 1 / UNIT, less 128, and `factors` those of search.py. Returns 0 if that is not what is
   known. */
HIDDEN int fit_lines(const transform *t, const int32_t samples[64], const uint8_t known[64],
                     const quantizer *q, const int32_t *factors, int16_t *block);

/* What a move of one coefficient by a step adds to sample p, in units of 2^-FINE. */
INLINE int16_t moved_by(const transform *t, const quantizer *q, int k, int sign, int p) {
    const int64_t sum = (int64_t)sign * q->fine[k] * t->basis[k][p];
    return (int16_t)((sum + ((int64_t)UNIT << (15 - FINE))) >> (24 - FINE));
}

#endif
