/* What coefficients lack, added up until it comes to a step; see relax.c. */

#ifndef BITSWAP_CARRY_H
#define BITSWAP_CARRY_H

#include "transform.h"

typedef struct {
    double weights[64]; /* of what coefficients lack */
    double rate;        /* a share of that is added up in turn, */
    double leak;        /* and of what was added up is lost */
} rates;

/* Add up in `carried` what samples of a block lack, in 1 / UNIT, and move coefficients where that
   comes to half a step. Returns whether any is. */
HIDDEN int carry(const transform *t, const quantizer *q, const rates *r, const int32_t *lack,
                 int32_t *carried, int16_t *block);

#endif
