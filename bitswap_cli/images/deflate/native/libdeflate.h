/* What libdeflate's match finders have in common. */
#ifndef BITSWAP_LIBDEFLATE_H
#define BITSWAP_LIBDEFLATE_H

#include "run.h"

enum { NEEDED = 5, NEVER = -WINDOW }; /* bytes that a search needs; no position */

INLINE uint32_t four_bytes(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, 4);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

INLINE uint32_t hash_of(uint32_t bytes, int bits) { return bytes * 0x1E35A7BDu >> (32 - bits); }

/* The length that ends a search. */
INLINE int nice_at(const run *r, int64_t p) {
    int most = reach(r, p);
    return r->how->nice < most ? (int)r->how->nice : most;
}

int64_t predict_optimal(run *r);

#endif
