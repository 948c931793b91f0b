/* A chunk in work: what its pictures have taught, its words, and how its pixels are coded. */
#ifndef BITSWAP_DRAWN_CHUNK_H
#define BITSWAP_DRAWN_CHUNK_H

#include <string.h>

#include "messages.h"
#include "numbers.h"
#include "processor.h"

/* The last two colours that followed a context, and how often they did so without a break. */
typedef struct {
    uint32_t check, colour[2];
    uint16_t run, second;
} followed;

/* Where in the chunk a context stood, and how far it is to the next row there. */
typedef struct {
    uint32_t at, stride, check;
} stood;

/* The place whose colours this picture repeats: `at` 0 is none. */
typedef struct {
    uint32_t at, stride, run;
} place;

enum { BUCKET = 16 }; /* a check and the 15 nodes of half a value */

enum { CHANGED = 32 }; /* bytes that are kept of a change */

/* What stood somewhere in the tables of a memory. */
typedef struct {
    uint32_t at; /* bytes from the buckets on */
    uint8_t was[CHANGED];
} change;

typedef struct {
    int bits;  /* of the tables below */
    size_t beside; /* how far an entry's other place lies: 0 or 1 */
    void *all;   /* where they are */
    followed *followed; /* [MEMORIES][1 << bits] */
    stood *stood; /* [1 << bits] */
    uint16_t *buckets; /* [1 << (bits + 2)][BUCKET] */
    uint16_t *slots; /* [1 << (bits + 2)][2] */
    change *changes; /* since `hold`, the last one last */
    int64_t changed, most; /* how many there are, and how many are kept: 0 where nothing is held */
} memory;

enum { MARGIN = 3 }; /* columns beside a picture; two rows are above it */

typedef struct chunk chunk;
typedef struct frame frame;
typedef void code_rows(chunk *k, frame *f, uint8_t *pixels, int64_t height);

struct chunk {
    tables t;
    state a;
    memory m;
    coder c;
    uint32_t *seen; /* all pixels of the chunk so far, with margins */
    int64_t used, room;
    uint32_t pictures;
    int32_t least; /* the least score of a candidate that is asked about */
    code_rows *rows;
    struct { /* where it was at `hold` */
        int64_t used, count, size, cost;
        uint32_t pictures;
    } held;
};

/* A picture of one to four channels. */
struct frame {
    int64_t width, stride;
    int channels;
    uint32_t number;
    const uint32_t *keys; /* of the colours that it may have, ascending, see palette.h */
    int colours; /* how many these are; 0: all */
    place *places; /* [1 + width]: none, this row's up to W's, from N's on the row above's */
};

/* With eleven contexts of a value, and with six. */
extern HIDDEN code_rows bitswap_drawn_eleven_plain, bitswap_drawn_eleven_avx2;
extern HIDDEN code_rows bitswap_drawn_six_plain, bitswap_drawn_six_avx2;

#endif
