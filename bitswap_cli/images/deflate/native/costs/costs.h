/* What the files share that tell tokens by costs: decisions, matches, heads. */
#ifndef BITSWAP_COSTS_H
#define BITSWAP_COSTS_H

#include "trees.h"

/* ---- decisions: rANS of one lane, under counters ---- */

enum { COUNTS = 158 };     /* a counter goes the (n + 2)th part of its way, n up to this */
enum { ALPHABETS = 3 };        /* of code lengths: literals and lengths, distances, operations */
enum { TRIES = 12, GAPS = 16 }; /* candidates that are asked for; bits to the next one */

/* Counters are a probability of 22 bits over a count of 10. */
typedef struct {
    uint32_t last, stored, fixed, padded, escaped_literal;
    uint32_t sizes[32];
    uint32_t candidates[4][GAPS];
    uint32_t smoothed, planned[ALPHABETS][LONGEST + 1][4]; /* place of the length before */
    uint32_t unused[ALPHABETS], rare[ALPHABETS], longer[ALPHABETS], off[ALPHABETS][2][4];
    uint32_t least_sent[ALPHABETS];
    uint32_t repeated[2][2][4], copied, many, longest[3];
} counters;

typedef struct {
    int decoding, failed; /* DAMAGED or NO_MEMORY */
    uint64_t head;
    int64_t cost;         /* of an encoder's decisions, about, in sixteenths of bits */
    uint32_t *pending;    /* an encoder's decisions: bit << 16 | probability of 1 */
    int64_t count, room;
    const uint8_t *from, *end; /* a decoder's bytes */
    counters all;
} coder;

void begin_coder(coder *c, const uint8_t *from, int64_t length);

/* Code a bit; a decoder returns it. */
int decide(coder *c, uint32_t *counter, int bit);

/* Code the lowest bits of a value, all equally likely. */
uint32_t plain_bits(coder *c, int bits, uint32_t value);

/* Code a number below 2^31, by how many bits it has. */
int64_t number(coder *c, int64_t value);

/* log2 x, x > 0, in sixteenths, rounded down. */
int32_t logarithm(uint32_t x);

/* Write an encoder's bytes; how many, more than `room` if that is too little, or an error. */
int64_t finish_coder(coder *c, uint8_t *out, int64_t room);

/* Whether a decoder has read all, to the bit. */
int complete(const coder *c);

/* ---- matches ---- */

enum { STRETCH = 1 << 18, RING = 2 * WINDOW, ROOTS = 1 << 16, STEPS = 64 };

/* Binary trees of the strings of a window, by the hash of three bytes, newer ones nearer the root;
 * and the matches of the positions from `start` on: of each the longest for each distance that is
 * the least one for some length, as tokens of ascending lengths. */
typedef struct {
    const uint8_t *data;
    int64_t size, next, left; /* the next position to enter; steps that may be taken */
    int32_t roots[ROOTS], sons[RING][2];
    int64_t start;
    uint32_t *found; /* [capacity] */
    int64_t count, capacity;
    uint32_t first[STRETCH + 1];
} finder;

void begin_finder(finder *f, const uint8_t *data, int64_t size);

/* Find the matches of positions start..end - 1, at most STRETCH, those that follow what was found
 * from the same start on, too; 0 if there is no memory. */
int find_matches(finder *f, int64_t start, int64_t end);

/* ---- heads ---- */

/* Counts as some deflaters change them, so that more neighbours have codes of equal lengths. */
void smooth(uint32_t *counts, int symbols);

/* Code the head of a dynamic block in which symbols may occur about so often. */
void tell_head(coder *c, head *h, const tally *likely);

/* ---- the cheapest way ---- */

enum { NONE = -1, KEY_BITS = 9 };
enum { WIDTHS = 8 }; /* lengths that share a symbol are up to 2^5, all shorter ones up to 2^7 */

/* What symbols cost, their extra bits included. */
typedef struct {
    int32_t literal[256], length[MAX_MATCH + 1], distance[DISTANCES];
} prices;

/* What was foreseen of blocks, and asked for at tokens: enough to hear them without a search. */
typedef struct {
    uint32_t *values;
    int64_t count, room, at; /* room < 0 if it did not suffice */
} memory;

typedef struct {
    coder c;
    finder f;
    memory seen;
    int again; /* whether what was seen is taken as it is */
    int64_t room, all, done; /* bytes that an encoder may take; tokens in all, and so far */
    int64_t block_end, end; /* of the block, and of the stretch whose costs are known */
    prices price;
    /* From f.start on: what it costs to the end of the stretch, and the least of 2^k such costs. */
    int32_t least[WIDTHS][STRETCH + MAX_MATCH + 1];
    uint32_t keys[MAX_MATCH]; /* of candidates: excess, and 258 - length below */
} teller;

void price_by_lengths(prices *p, const uint8_t *lengths);

/* The longest match that the block has room for at p. */
int most_at(const teller *t, int64_t p);

/* Costs of all positions of the stretch; 0 behind it. */
void find_costs(teller *t);

/* Note the keys of all candidates at p, the literal first, then lengths from 3 on. */
int find_keys(teller *t, int64_t p);

/* The least key above one, NONE if there is none. */
int64_t next_key(const teller *t, int count, int64_t above);

/* The candidate of a key, with the nearest distance. */
uint32_t token_of(const teller *t, int64_t p, int64_t key);

/* Whether none of the candidates at p costs less than a token. */
int is_cheapest(teller *t, int64_t p, uint32_t token);

/* Count the symbols that the cheapest way through a stretch may have. */
void foresee(teller *t, tally *counts);

#endif
