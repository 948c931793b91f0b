/* What the files of the coder's kernel share: its numbers and tables, rows of lanes, logistics.
 *
 * A message is head[lanes], each in [2^31, 2^63), over words[top..end), its top first; it grows
 * towards words[0]. Symbol i lies on lane i mod lanes. Within a row, the lanes that overflow give
 * their words in lane order: a push goes through the lanes downwards, a pop upwards.
 *
 * The caller guarantees: 1 <= lanes <= 32; n + 1 words of room above top for a push; 33 readable
 * words below end for a pop. Every function returns the new top, or, having changed nothing that
 * counts, one of the errors below.
 *
 * Right shifts of negative numbers are arithmetic, as in every compiler we know of; the tests
 * compare all of this with the reference.
 */
#ifndef BITSWAP_CODER_H
#define BITSWAP_CODER_H

#include <string.h>

#include "processor.h"

enum { PRECISION = 20, TOTAL = 1 << PRECISION };
enum { SMALL_ALPHABET = 1024, FINE = 24 }; /* the precision of larger alphabets */
enum { MAX_LANES = 32, MAX_COMPONENTS = 16 };
enum { MEAN_LIMIT = 32767, SCALE_LEVELS = 128, WEIGHT_BITS = 8 };
enum { UNDERFLOW = -1, BAD_SYMBOL = -2, BAD_WEIGHTS = -3 };

/* The sigmoid's 1025 entries, and as many copies of the ends on both sides as a difference cut to
 * +-saturation can overshoot: its product is below 2^22 + 2^18, its u below 16384 + 32 * 21. */
enum { ENTRIES = 1025, PADDING = 24 };

typedef struct {
    int32_t sigmoid[PADDING + ENTRIES + PADDING];
    int32_t inverse[SCALE_LEVELS];
    int32_t saturation[SCALE_LEVELS];
} tables;

extern HIDDEN tables bitswap_tables; /* set once, by bitswap_setup */

/* ---- lanes ---- */

INLINE int64_t push_row(uint64_t *head, int row, uint32_t *words, int64_t top,
                        const uint32_t *start, const uint32_t *freq, const int precision) {
    for (int lane = row - 1; lane >= 0; lane--) {
        uint64_t state = head[lane], width = freq[lane];
        int over = state >= width << (63 - precision);
        words[top - 1] = (uint32_t)state; /* counts only if top moves */
        top -= over;
        state = over ? state >> 32 : state;
        uint64_t quotient = state / width;
        head[lane] = (quotient << precision) + (state - quotient * width) + start[lane];
    }
    return top;
}

INLINE int64_t pop_row(uint64_t *head, int row, const uint32_t *words, int64_t top,
                       const int32_t *cf, const int32_t *start, const int32_t *end,
                       const int precision) {
    for (int lane = 0; lane < row; lane++) {
        uint64_t freq = (uint32_t)(end[lane] - start[lane]);
        uint64_t state = freq * (head[lane] >> precision) + (uint32_t)(cf[lane] - start[lane]);
        int under = state < (uint64_t)1 << 31;
        uint64_t filled = state << 32 | words[top];
        head[lane] = under ? filled : state;
        top += under;
    }
    return top;
}

/* Symbols in whole rows and a last one that may be partial; precision is PRECISION or FINE. */
HIDDEN int64_t bitswap_push_rows(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                                 const uint32_t *start, const uint32_t *freq, int64_t n,
                                 int precision);

/* ---- logistics and mixtures of them ---- */

typedef struct {
    const int32_t *weight; /* NULL: one logistic each */
    const int32_t *mean, *scale;
    int32_t components, low, size;
} logistic;

/* What is compiled for a set of instructions. */
typedef struct {
    int64_t (*push)(const logistic *d, uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                    const int32_t *symbols, int64_t n);
    int64_t (*pop)(const logistic *d, uint64_t *head, int64_t lanes, const uint32_t *words,
                   int64_t top, int64_t bottom, int32_t *symbols, int64_t n);
    int64_t (*intervals)(const logistic *d, const int32_t *symbols, int64_t n, uint32_t *start,
                         uint32_t *freq);
} logistics;

extern HIDDEN const logistics bitswap_logistics_plain, bitswap_logistics_avx2;

#endif
