/* The nouns of the JPEG VAE's likelihood, in lockstep: blocks of coefficients, wave by wave.
 *
 * lockstep.py and network.py are the definition; this is the same in exact integers. What is signed
 * goes into a layer plus OFFSET, as bytes where the machine multiplies those; biases are told less
 * what that adds. A block's inputs for its coefficients are one row,
 *
 *     context | local inputs | sign and magnitude of coefficient 1, of coefficient 2, ..
 *
 * so that those of coefficient k are a prefix of it. Rows are padded to whole groups, whose weights
 * are 0, and chunks to whole blocks of ROWS: what is computed there is never looked at.
 */
#ifndef BITSWAP_BLOCKS_H
#define BITSWAP_BLOCKS_H

#include "pixels/pixels.h"

enum { OFFSET = 128, COMPONENTS = 3, COEFFICIENTS = 64, PAIRS = 126 };
enum { EDGE = 24, SHOWN = 60, SIGNED = 15, NEARBY = 32, PREDICTED = 96, CELL = 8 };
enum { COEFFICIENT_MAX = 2047, PIXEL_MAX = 8191, MEAN_MAX = 32767, STEP_MAX = 32767 };
enum { VALUE_LOW = -1024, VALUE_HIGH = 1023 }; /* of what DC counts from */
enum { SYMBOL_LOW = -2048, SYMBOLS = 4096 };   /* the alphabet of coefficients */
enum { LASTS = 64 };                           /* that of indices of last coefficients */
enum { PREDICTOR_BITS = 10, RECIPROCAL_BITS = 20, PIXEL_SHIFT = 8, SCALE_OF_ONE = 40 };
enum { LOGS = 128, FINES = 2033, NEARS = 1024, GRAYS = 2048 }; /* entries of tables */

typedef struct {
    int64_t chroma, context, locals;
    int64_t inputs, row; /* values of padded rows: of the first layer, of coefficients */
    const dense *first, *second, *last, *mixes, *deep, *heads; /* last: 2; from mixes on: 64 */
    const int16_t *predictors; /* [coefficient][2][PREDICTED] */
    const int16_t *basis; /* [coefficient][2 EDGE] */
    const int32_t *powers;
    const int8_t *log, *fine, *near, *gray, *rest;
    const int32_t *sigmoid, *inverse; /* of the coder's mixtures */
    const uint16_t *mantissas, *squashed, *costs; /* see logits.py */
} block_network;

typedef struct {
    int64_t rows, columns, second;
    int16_t *x; /* [block][COEFFICIENTS] */
    const int32_t *steps, *reciprocal; /* [COEFFICIENTS] */
    const int8_t *statistics, *logs; /* [COEFFICIENTS] */
    const int8_t *luma, *other; /* [block][COEFFICIENTS], or NULL */
    const int16_t *film; /* [cell][2][context], or NULL */
    int8_t *signs; /* [block][COEFFICIENTS]: logarithms of blocks that are known */
    int16_t *edges; /* [block][2 EDGE]: their right columns, the nearest first, and lower rows */
    uint8_t *last; /* [block] */
} plane;

typedef struct {
    const plane *in;
    int64_t row, column;
} block_place;

/* The blocks of a wave, arrays of as many. */
typedef struct {
    block_place *where;
    char *rows; /* [block][row] */
    int16_t *seen; /* [block][PREDICTED]: what predictors see */
    int32_t *mean; /* [block] */
    int32_t *guess; /* [block][2] */
    int32_t *owner; /* [block]: the number of its plane */
    int32_t *last, *which, *symbols;
} wave;

typedef struct learner learner; /* see learning.h */

/* What is compiled for a set of instructions. */
typedef struct {
    int64_t unit; /* bytes of an activation */
    /* Look at the blocks of a wave; then mixtures of the indices of their last coefficients. */
    void (*begin)(const block_network *n, const wave *w, int64_t count, scratch *s,
                  const mixtures *to);
    /* Mixtures of coefficient k of those blocks that `which` names. */
    void (*mix)(const block_network *n, const wave *w, int64_t count, int k, scratch *s,
                const mixtures *to);
    /* Take the value of coefficient k of a block. */
    void (*take)(const block_network *n, const wave *w, int64_t at, int k, int32_t value);
    /* Keep of a block that is known what later ones see. */
    void (*finish)(const block_network *n, const wave *w, int64_t at);
    /* Code and learn the indices of the last coefficients of all blocks, */
    void (*lasts)(const block_network *n, learner *l, const wave *w, int64_t count,
                  const mixtures *of);
    /* and coefficient k of those that `which` names: of DC, what it is more than predicted. */
    void (*values)(const block_network *n, learner *l, const wave *w, int64_t count, int k,
                   const mixtures *of);
} block_layers;

#endif
