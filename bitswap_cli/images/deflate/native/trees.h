/* What Huffman trees and heads of blocks are to the files that make them. */
#ifndef BITSWAP_TREES_H
#define BITSWAP_TREES_H

#include "deflate.h"

enum { LONGEST = 15, LONGEST_SORTED = 14, LONGEST_CODE = 7 };
enum { COPY = 16, ZEROS = 17, MANY_ZEROS = 18 };

/* The head of a dynamic block: code lengths of both alphabets, the operations that send them, and
 * the lengths of the code of operations. */
typedef struct {
    uint8_t lengths[LITERALS + DISTANCES], symbols[LITERALS + DISTANCES];
    uint8_t repeats[LITERALS + DISTANCES], codes[CODES];
    int literals, distances, operations, sent;
} head;

typedef struct {
    uint32_t literals[LITERALS], distances[DISTANCES];
} tally;

/* Count the symbols of a block; returns the bytes behind it. */
const uint8_t *count_tokens(tally *t, const uint8_t *data, const uint32_t *tokens, int64_t count);

/* Add an operation to a head. */
void operate(head *h, int symbol, int repeat);

/* libdeflate's code lengths of symbols 0..symbols-1 by their counts, at most `longest`. Returns one
 * more than the last symbol with a code. */
int sorted_lengths(const uint32_t *counts, int symbols, int longest, uint8_t *lengths);

/* libdeflate's operations for the lengths of a head. */
void form_runs_across(head *h);

/* The head that would be sent for such counts. */
void plan_head(head *h, const tally *t, int64_t flags);

/* Bits of a block with this head, but for the three that tell its kind. */
uint64_t dynamic_bits(const head *h, const tally *t);

/* Read the head that inflate keeps; returns what lies behind it. */
const uint8_t *parse_head(head *h, const uint8_t *at);

int fixed_length(int symbol);

#endif
