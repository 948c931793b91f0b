/* A chunk in work: what its pictures have taught, its words, and how its pixels are coded.
 *
 * A message is words: how many follow, the high and the low word of the head, the tail from its top
 * down. An encoder keeps up to SEGMENT decisions, then pushes them, the last one first; so every
 * message but the last has SEGMENT of them.
 */
#ifndef BITSWAP_DRAWN_CHUNK_H
#define BITSWAP_DRAWN_CHUNK_H

#include <string.h>

#include "numbers.h"
#include "processor.h"

enum { SEGMENT = 1 << 18, PRECISION = 16 };
static const uint64_t HEAD_MIN = (uint64_t)1 << 31;

/* Why there is no going on. WRONG: words that no encoder made, a colour that a palette lacks. */
enum { WRONG = 1, NO_MEMORY = 2 };

typedef struct {
    int decoding;
    int failed; /* why, or 0 */
    const int32_t *costs;
    int64_t cost;      /* of all decisions so far, in 1/4096 bit */
    uint32_t *pending; /* an encoder's decisions: probability of 1, and the bit above it */
    int64_t count;     /* of them; a decoder's: how many of the message are left */
    uint32_t *words;   /* an encoder's: all messages */
    int64_t size, room;
    const uint32_t *from, *end; /* a decoder's: what is still to be read */
    const uint32_t *tail, *tail_end;
    uint64_t head;
} coder;

/* Push what is pending as a message. */
HIDDEN void bitswap_drawn_flush(coder *c);

/* Begin to pop the next message; 0: there is none, or the last one is not at its end. */
HIDDEN int bitswap_drawn_next(coder *c);

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
