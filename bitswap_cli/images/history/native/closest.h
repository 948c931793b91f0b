/* Samples of which some are known within limits only -> coefficients; see closest.c. */

#ifndef BITSWAP_CLOSEST_H
#define BITSWAP_CLOSEST_H

#include "transform.h"

typedef struct {
    double waves[64][64]; /* what a step of each coefficient adds to a sample */
    double weights[64];   /* of samples */
    double basis[64][64]; /* coefficients of each vector */
    double along[64][64]; /* how much of the vectors before, made orthogonal, is in a vector */
    double squares[64];   /* of the lengths of vectors that are made orthogonal */
} lattice;

/* Find a block whose samples lie within limits. Returns 0 where none is found; then `block` is any.
   `left` is what work is left, and bounds it; `own` is 0 at first, and of one quantizer. */
HIDDEN int closest(lattice *own, const transform *t, const quantizer *q, limits l, int16_t *block,
                   int64_t *left);

#endif
