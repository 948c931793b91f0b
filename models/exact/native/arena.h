/* One block of memory in aligned parts: first counted (memory is NULL), then handed out. */
#ifndef BITSWAP_ARENA_H
#define BITSWAP_ARENA_H

#include "layers.h"

enum { NO_MEMORY = -1000 };     /* is returned where there is none; no error of the coder */
enum { ALIGNMENT = 64 };        /* bytes of a cache line */
enum { SLACK = 2 * ALIGNMENT }; /* to align the first part and to read past the last */

typedef struct {
    char *memory; /* zeros at first */
    int64_t used;
    void *whole;
} arena;

INLINE void *take(arena *a, int64_t bytes) {
    char *part = a->memory ? a->memory + a->used : 0;
    a->used += padded(bytes, ALIGNMENT);
    return part;
}

/* Get what was counted, to be taken again in the same order; 0 if there is none. */
static inline int reserve(arena *a) {
    a->whole = calloc((size_t)(a->used + SLACK), 1);
    if (!a->whole) return 0;
    a->memory = (char *)a->whole + (ALIGNMENT - (intptr_t)a->whole % ALIGNMENT);
    a->used = 0;
    return 1;
}

#endif
