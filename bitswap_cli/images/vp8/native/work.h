/* Frames in work: what is known of one, and what adapts. reference.py is the definition. */
#ifndef BITSWAP_VP8_WORK_H
#define BITSWAP_VP8_WORK_H

#include "boolean.h"
#include "decisions.h"
#include "mixing.h"

enum { CONTEXTS = 18, TABLE_BITS = 18, RATE = 60, KNOWN_LIMIT = 255 };
enum { PARTITIONS = 9, SEGMENTS = 4 }; /* the first partition and up to eight of coefficients */
enum { EACH = 16, OF_BLOCKS = 64 * EACH, NODES = OF_BLOCKS + 256 }; /* decisions, see below */
enum { NEAR = 1024, PLACES = 2048 }; /* sets of weights */
enum { PER_BYTE = 96, AT_LEAST = 1 << 14 }; /* decisions that a frame may be made of */
enum { DC_PRED, V_PRED, H_PRED, TM_PRED, B_PRED };
enum { Y_AFTER_Y2, Y2, CHROMA, Y_WITH_DC }; /* types of blocks */
enum { HEAD = 10 }; /* bytes before the first partition */

/* Numbers of RFC 6386, in the order of numbers.py. */
typedef struct {
    const uint8_t *defaults; /* [4][8][3][11], probabilities of coefficients */
    const uint8_t *updates;  /* likewise, of telling another one */
    const uint8_t *submodes; /* [10][10][9], by the modes above and to the left */
    const uint8_t *dc;       /* [128], steps by their index */
    const int16_t *ac;       /* [128] */
    const uint8_t *extra;    /* [6][12], probabilities of a coefficient's further bits, then 0 */
    const int8_t *taps;      /* [10][16], see pixels.h */
} numbers;

/* What adapts, in the order of state.py. */
typedef struct {
    uint32_t *alone;   /* [NODES] */
    uint32_t *steps;   /* [NODES][STEPS] */
    int32_t *by_node;  /* [NODES][INPUTS] */
    int32_t *by_near;  /* [NEAR][INPUTS] */
    int32_t *by_place; /* [PLACES][INPUTS] */
    int32_t *sets;     /* [NODES][MOST_SETS] */
} state;

/* Coefficients of a block, in the order of rows; where the last one stands in zigzag order, plus 1;
 * the sum of their magnitudes. */
typedef struct {
    int16_t c[16];
    int16_t last;
    int32_t sum;
} block;

typedef struct {
    int y1[2], y2[2], uv[2]; /* steps of DC and AC */
} steps_of;

/* A plane of pixels: those of a row of macroblocks, two rows above and two columns before it; and
 * blocks, of this row and of the one above. */
typedef struct {
    uint8_t *pixels;
    int64_t stride;
    block *blocks; /* [8 or 4][across], the first one and those behind the last one empty */
    int64_t across;
    int side; /* blocks that a macroblock is high and wide: 4 or 2 */
} plane;

/* What is told of a macroblock above, or to the left. */
typedef struct {
    uint8_t mode, chroma, segment, skipped;
    uint8_t filled[9]; /* whether its last blocks have any coefficients: Y, U, V, Y2 */
    uint8_t submodes[4];
    int32_t sum; /* of its coefficients */
    block y2;
} beside;

enum { CHECKING, ENCODING, DECODING };

typedef struct {
    const tables *t;
    const state *a;
    const numbers *n;
    uint32_t *counters; /* [CONTEXTS][1 << TABLE_BITS] */
    coder *c;
    int task, failed;
    int64_t still, in_all; /* decisions that there may still be, of a frame and of all */
    reader readers[PARTITIONS];
    writer writers[PARTITIONS];
    uint8_t *written; /* a checker's: the frame again */
    int partitions; /* of coefficients */

    int64_t columns, rows; /* of macroblocks */
    int update_map, skipping, segmented, whole; /* whole: indices of steps, of segments */
    int indices[SEGMENTS];
    int skip, tree[3]; /* probabilities */
    uint8_t probabilities[4][8][3][11];
    steps_of q[SEGMENTS];
    plane planes[3];
    beside *above, left, corner; /* above: [columns + 1], the last one empty */
    block empty;
    int32_t across[4], down[4]; /* see pixels.h */
} work;

/* What of frames has no need of decisions, on its way. */
typedef struct {
    uint8_t *to; /* where the frame is, or is to be */
    int64_t size;
    const uint8_t *rest, *end; /* a decoder's: what it is not told by decisions */
} carrier;

#endif
