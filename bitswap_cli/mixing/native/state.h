/* Bytes in work: what they have taught. */
#ifndef BITSWAP_MIXING_STATE_H
#define BITSWAP_MIXING_STATE_H

#include "messages.h"
#include "processor.h"
#include "tables.h"

enum { MOST_CONTEXTS = 14, BUCKET = 16 }; /* a check and the 15 nodes of half a byte */
enum { LEAST_MATCH = 5, MOST_MATCH = 400 };
enum { TEXT = 4095, LIKE_TEXT = 2800, LONGEST_RECORD = 4095, SURE = 6 };
enum { STEP_BITS = 12, BYTE_BITS = 14 };

/* How bytes are coded, in the order of `Shape` of state.py. */
typedef struct {
    int32_t bits;     /* of the number of buckets of a context */
    int32_t contexts; /* how many there are */
    int32_t ways;     /* buckets among which a context's own one lies */
    int32_t rate;     /* of weights */
    int32_t limit;    /* of the counts of what states of slots are worth */
    int32_t refined;  /* whether by the last byte, too */
    int32_t apt;      /* whether contexts are those of text, or of records */
} shape;

/* What adapts, in the order of state.py. A counter is a probability of 22 bits over a count of
 * 10. */
typedef struct {
    uint32_t *slots;     /* [contexts][STATES] */
    uint32_t *partial;   /* [256] */
    uint32_t *matched;   /* [32] */
    uint32_t *steps;     /* [1 << STEP_BITS][STEPS] */
    uint32_t *by_byte;   /* [1 << BYTE_BITS][STEPS], or nothing */
    int32_t *by_match;   /* [16 * 16][INPUTS] */
    int32_t *by_partial; /* [256][INPUTS] */
    int32_t *by_last;    /* [256][INPUTS] */
    int32_t *sets;       /* [2][MOST_SETS] */
} state;

typedef struct {
    tables t;
    state a;
    shape s;
    uint8_t *data;
    int64_t size;
    void *all;         /* where these are */
    uint16_t *buckets; /* [contexts][1 << bits][BUCKET] */
    uint32_t *places;  /* [1 << (bits + 2)], where the same bytes came last */
} octets;

extern HIDDEN void bitswap_mixing_plain(octets *o, coder *c);
extern HIDDEN void bitswap_mixing_avx2(octets *o, coder *c);

#endif
