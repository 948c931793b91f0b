/* Pixels that a JPEG decoder made <-> the coefficients that it made them of.

   decode.c is the decoder, docs/format.md its definition, reference.py the same in numpy. What the
   others do only helps a writer to find coefficients: whatever they find is decoded and compared.
   All of it is integers, some of them in doubles, so that every machine finds the same; but for
   closest.c. */

#ifndef BITSWAP_HISTORY_H
#define BITSWAP_HISTORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "processor.h"

extern HIDDEN const uint8_t ZIGZAG[64]; /* the place of each coefficient of a block, row by row */

#define UNIT 256 /* of coefficients, and of samples that are transformed */

/* The inverse DCTs: libjpeg's by default and the one that is called fast; FFmpeg's. */
enum { SLOW, FAST, SIMPLE };

/* A quantization table, in zigzag order, as one of them takes it. */
typedef struct {
    int64_t method;
    int32_t bias;        /* how far above samples lies what they were rounded of, in 1 / UNIT */
    int64_t factors[64]; /* what coefficients are multiplied by before its passes */
    int32_t fine[64];    /* the steps that come of that, in 1 / UNIT */
    double inverse[64];  /* 1 divided by these */
    int avx2;            /* whether the processor has it */
} quantizer;

HIDDEN quantizer quantizer_of(const int32_t *steps, int64_t method);

/* The inverse DCT of a block: coefficients, in zigzag order -> samples, each row `stride` behind
   the one before. */
HIDDEN void inverse(const int16_t *block, const quantizer *q, uint8_t *out, int64_t stride);

/* Likewise -> 16 samples a row, and 8 or 16 rows. */
HIDDEN void inverse_wide(const int16_t *block, const quantizer *q, int64_t vertical, uint8_t *out,
                         int64_t stride);

INLINE int32_t clamped(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* What a decoder adds to luma: to red, to blue (each of its own chroma), and to green. */
INLINE int32_t to_red(int32_t cr) { return (91881 * (cr - 128) + 32768) >> 16; }
INLINE int32_t to_blue(int32_t cb) { return (116130 * (cb - 128) + 32768) >> 16; }
INLINE int32_t to_green(int32_t cb, int32_t cr) {
    return (-22554 * (cb - 128) - 46802 * (cr - 128) + 32768) >> 16;
}

#endif
