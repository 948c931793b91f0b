/* The register of sets of instructions: what each computes in a way of its own. */
#ifndef BITSWAP_SETS_H
#define BITSWAP_SETS_H

#include "coefficients/blocks.h"
#include "convolution.h"
#include "gradient.h"
#include "pixels/pixels.h"

/* NULL for what is not compiled for a set. */
typedef struct {
    convolution *words; /* of inputs of 16 bits */
    convolution *bytes; /* of inputs in 0..255, as bytes */
    int any_weights;    /* 1 if `bytes` takes all weights, 0 if only those in -1..1 */
    int (*narrow)(const int16_t *x, uint8_t *bytes, int64_t n); /* for `bytes` */
    convolution *signs; /* of layers of signs */
    const pixel_layers *pixels;
    const block_layers *blocks;
    gradient_block *gradient;
} set;

/* The set of a number of processor.h; NULL if it is none, or none that this machine has. */
HIDDEN const set *bitswap_set(int64_t which);

extern HIDDEN const set bitswap_plain, bitswap_popcnt, bitswap_avx2, bitswap_avx512,
    bitswap_avxvnni, bitswap_vnni, bitswap_amx, bitswap_vpopcnt, bitswap_neon, bitswap_dotprod;

#endif
