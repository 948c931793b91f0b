/* The DCT without a decoder's rounding, for searches: fine units, all integers. */

#ifndef BITSWAP_TRANSFORM_H
#define BITSWAP_TRANSFORM_H

#include "history.h"

#define UNIT 256 /* of coefficients, and of samples that are transformed */
#define FINE 5   /* bits of a sample's fraction where searches go */

typedef struct {
    int32_t wave[8][8];    /* 2^17 times sample x of the basis function u of eight samples */
    int32_t basis[64][64]; /* 2^16 times the samples of what each coefficient stands for */
} transform;

HIDDEN void arrange(transform *t);

/* Samples, in units of 1 / UNIT, less 128 -> coefficients in zigzag order, in units of 1 / UNIT. */
HIDDEN void forward(const transform *t, const int32_t in[64], int32_t out[64]);

/* The multiples of steps that are next to coefficients in units of 1 / UNIT. */
HIDDEN void rounded(const int32_t *told, const int32_t *steps, int16_t *block);

/* Coefficients in units of 1 / UNIT -> samples in units of 2^-FINE. */
HIDDEN void unfold(const transform *t, const int32_t *told, int32_t out[64]);

/* Coefficients times steps -> samples in units of 2^-FINE. */
HIDDEN void backward(const transform *t, const int16_t *block, const int32_t *steps,
                     int32_t out[64]);

#endif
