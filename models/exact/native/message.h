/* A message of the coder, popped by the coder's own kernel: `Native` of bitswap_cli/ans/kernel.py.
 */
#ifndef BITSWAP_MESSAGE_H
#define BITSWAP_MESSAGE_H

#include "pixels/pixels.h"

typedef int64_t pop_logistic(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                             int64_t bottom, int32_t *symbols, int64_t n, const int32_t *weight,
                             const int32_t *mean, const int32_t *scale, int64_t components,
                             int64_t low, int64_t size);

typedef struct {
    pop_logistic *pop;
    uint64_t *head;
    int64_t lanes;
    const uint32_t *words;
    int64_t top, end; /* an error of the coder's: top < 0 */
} message;

/* Pop symbols low..low+size-1 under mixtures; 0 at an error. */
static inline int pop_symbols(message *from, int32_t *symbols, int64_t count, const mixtures *of,
                              int64_t components, int64_t low, int64_t size) {
    from->top = from->pop(from->head, from->lanes, from->words, from->top, from->end, symbols,
                          count, of->weight, of->mean, of->scale, components, low, size);
    return from->top >= 0;
}

/* What symbols under mixtures would be pushed with, by the coder's own kernel. */
typedef int64_t intervals_logistic(const int32_t *symbols, int64_t n, uint32_t *start,
                                   uint32_t *freq, const int32_t *weight, const int32_t *mean,
                                   const int32_t *scale, int64_t components, int64_t low,
                                   int64_t size);

#endif
