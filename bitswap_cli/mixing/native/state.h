/* Bytes in work: what they have taught. */
#ifndef BITSWAP_MIXING_STATE_H
#define BITSWAP_MIXING_STATE_H

#include "messages.h"
#include "processor.h"
#include "tables.h"

enum { CONTEXTS = 13, BUCKET = 16 }; /* a check and the 15 nodes of half a byte */
enum { LEAST_MATCH = 5, MOST_MATCH = 400 };
enum { STEP_BITS = 12, RATE = 18 };

/* What adapts, in the order of reference.py. A counter is a probability of 22 bits over a count of
 * 10. */
typedef struct {
    uint32_t *slots;     /* [CONTEXTS][STATES] */
    uint32_t *partial;   /* [256] */
    uint32_t *matched;   /* [32] */
    uint32_t *steps;     /* [1 << STEP_BITS][STEPS] */
    int32_t *by_match;   /* [16 * 16][INPUTS] */
    int32_t *by_partial; /* [256][INPUTS] */
    int32_t *by_last;    /* [256][INPUTS] */
    int32_t *sets;       /* [2][MOST_SETS] */
} state;

typedef struct {
    tables t;
    state a;
    uint8_t *data;
    int64_t size;
    int bits;          /* of the number of buckets of a context */
    void *all;         /* where these are */
    uint16_t *buckets; /* [CONTEXTS][1 << bits][BUCKET] */
    uint32_t *places;  /* [1 << (bits + 2)], where the same bytes came last */
} octets;

extern HIDDEN void bitswap_mixing_plain(octets *o, coder *c);
extern HIDDEN void bitswap_mixing_avx2(octets *o, coder *c);

#endif
