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

typedef struct {
    int bits;  /* of the tables below */
    size_t size; /* bytes of these tables, one behind the other from the buckets on */
    void *all;   /* where they are */
    followed *followed; /* [MEMORIES][1 << bits] */
    stood *stood; /* [1 << bits] */
    uint16_t *buckets; /* [1 << (bits + 2)][BUCKET] */
    uint16_t *slots; /* [1 << (bits + 2)][2] */
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
    code_rows *rows;
};

/* A picture of one to four channels. */
struct frame {
    int64_t width, stride;
    int channels;
    uint32_t number;
    const uint32_t *keys; /* of the colours that it may have, ascending, see palette.h */
    int colours;          /* how many these are; 0: all */
    place *places; /* [1 + width]: none, this row's up to W's, from N's on the row above's */
};

extern HIDDEN code_rows bitswap_drawn_rows_plain, bitswap_drawn_rows_avx2;

#endif
