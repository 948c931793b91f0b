/* The loops of the coder: pushes, pops and intervals of any number of symbols. A set of
 * instructions includes this with
 *   TARGET        the attribute of every function,
 *   MIXTURES_OF   what gives intervals of mixtures, see `block_of_mixtures`,
 *   ROW_OF        what inverts a row, see `invert_row`.
 */
#include "coder.h"

TARGET INLINE int block_of(const logistic *d, const int precision, const int32_t *symbols,
                           int64_t first, int n, uint32_t *start, uint32_t *freq) {
    return d->weight ? MIXTURES_OF(d, precision, symbols, first, n, start, freq)
                     : block_of_logistics(d, precision, symbols, first, n, start, freq);
}

TARGET INLINE int64_t push_with(const logistic *d, const int precision, uint64_t *head,
                                int64_t lanes, uint32_t *words, int64_t top, const int32_t *symbols,
                                int64_t n) {
    uint32_t start[BLOCK], freq[BLOCK];
    uint64_t state[MAX_LANES];
    int64_t block = BLOCK - BLOCK % lanes; /* whole rows */
    memcpy(state, head, (size_t)lanes * sizeof *head);
    for (int64_t first = 0; first < n; first += block) {
        int count = (int)(n - first < block ? n - first : block);
        int error = block_of(d, precision, symbols, first, count, start, freq);
        if (error) return error;
        top = bitswap_push_rows(state, lanes, words, top, start, freq, count, precision);
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

TARGET INLINE int64_t intervals_with(const logistic *d, const int precision, const int32_t *symbols,
                                     int64_t n, uint32_t *start, uint32_t *freq) {
    int error = 0;
    for (int64_t first = 0; first < n && !error; first += BLOCK) {
        int count = (int)(n - first < BLOCK ? n - first : BLOCK);
        error = block_of(d, precision, symbols, first, count, start + first, freq + first);
    }
    return error;
}

/* What is done with large alphabets stands apart: the usual ones are no slower for it. */
TARGET APART int64_t push_fine(const logistic *d, uint64_t *head, int64_t lanes, uint32_t *words,
                               int64_t top, const int32_t *symbols, int64_t n) {
    return push_with(d, FINE, head, lanes, words, top, symbols, n);
}

TARGET APART int64_t intervals_fine(const logistic *d, const int32_t *symbols, int64_t n,
                                    uint32_t *start, uint32_t *freq) {
    return intervals_with(d, FINE, symbols, n, start, freq);
}

TARGET static int64_t push(const logistic *d, uint64_t *head, int64_t lanes, uint32_t *words,
                           int64_t top, const int32_t *symbols, int64_t n) {
    return d->size > SMALL_ALPHABET ? push_fine(d, head, lanes, words, top, symbols, n)
                                    : push_with(d, PRECISION, head, lanes, words, top, symbols, n);
}

/* What the push above would push each symbol with; 0, or an error. */
TARGET static int64_t intervals(const logistic *d, const int32_t *symbols, int64_t n,
                                uint32_t *start, uint32_t *freq) {
    return d->size > SMALL_ALPHABET ? intervals_fine(d, symbols, n, start, freq)
                                    : intervals_with(d, PRECISION, symbols, n, start, freq);
}

TARGET INLINE int64_t pop_with(const logistic *d, const int components, const int precision,
                               uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                               int64_t bottom, int32_t *symbols, int64_t n) {
    uint64_t state[MAX_LANES];
    int32_t cf[MAX_LANES] = {0}, start[MAX_LANES], end[MAX_LANES];
    memcpy(state, head, (size_t)lanes * sizeof *head);
    int row = (int)(n % lanes); /* the last row may be partial */
    for (int64_t first = n - row; first >= 0; first -= lanes, row = (int)lanes) {
        int32_t *out = symbols + first;
        for (int i = 0; i < row; i++) cf[i] = (int32_t)(state[i] & ((1u << precision) - 1));
        int error = ROW_OF(d, first, row, components, precision, cf, out, start, end);
        if (error) return error;
        top = pop_row(state, row, words, top, cf, start, end, precision);
        if (top > bottom) return UNDERFLOW;
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

TARGET INLINE int64_t pop_of(const logistic *d, const int precision, uint64_t *head, int64_t lanes,
                             const uint32_t *words, int64_t top, int64_t bottom, int32_t *symbols,
                             int64_t n) {
    return d->weight
               ? pop_with(d, d->components, precision, head, lanes, words, top, bottom, symbols, n)
               : pop_with(d, 1, precision, head, lanes, words, top, bottom, symbols, n);
}

TARGET APART int64_t pop_fine(const logistic *d, uint64_t *head, int64_t lanes,
                              const uint32_t *words, int64_t top, int64_t bottom, int32_t *symbols,
                              int64_t n) {
    return pop_of(d, FINE, head, lanes, words, top, bottom, symbols, n);
}

TARGET static int64_t pop(const logistic *d, uint64_t *head, int64_t lanes, const uint32_t *words,
                          int64_t top, int64_t bottom, int32_t *symbols, int64_t n) {
    return d->size > SMALL_ALPHABET
               ? pop_fine(d, head, lanes, words, top, bottom, symbols, n)
               : pop_of(d, PRECISION, head, lanes, words, top, bottom, symbols, n);
}
