/* Long repeats among bytes, which are told instead of being coded again. */
#ifndef BITSWAP_MIXING_REPEATS_H
#define BITSWAP_MIXING_REPEATS_H

#include <stdint.h>
#include <string.h>

enum { WINDOW = 32 }; /* bytes that are looked up, those before at places divisible by it */

/* The hash of a window is a polynomial of its bytes. */
static const uint64_t BASE = 0x9E3779B97F4A7C15, SPREAD = 0xD6E8FEB86659FD93;

static uint64_t hash_of(const uint8_t *window) {
    uint64_t hash = 0;
    for (int k = 0; k < WINDOW; k++) hash = hash * BASE + window[k] + 1;
    return hash;
}

/* Find repeats, in their order, none within another; `places`, of 2^bits numbers, is 0 before.
 *
 * Of each the first byte, how many, and the first of those that it repeats, all of which stand
 * before it, are told. Returns how many there are: at most as many as there is room for.
 */
static int64_t find_repeats(const uint8_t *data, int64_t size, int64_t least, uint32_t *places,
                            int64_t bits, uint32_t *found, int64_t room) {
    uint64_t last = 1; /* BASE to the power of WINDOW */
    for (int k = 0; k < WINDOW; k++) last *= BASE;
    int64_t count = 0, end = 0, at = 0;
    uint64_t hash = size < WINDOW ? 0 : hash_of(data);
    while (at + WINDOW <= size && count < room) {
        uint32_t *place = places + (hash * SPREAD >> (64 - bits));
        const int64_t from = (int64_t)*place - 1;
        int runs = 0; /* as of zeros: the first window of a run stays, as repeats may not overlap */
        if (from >= 0 && !memcmp(data + from, data + at, WINDOW)) {
            int64_t before = 0, length = WINDOW;
            const int64_t most = at - from;
            while (at - before > end && from > before && before + length < most &&
                   data[at - before - 1] == data[from - before - 1])
                before++;
            while (at + length < size && before + length < most &&
                   data[at + length] == data[from + length])
                length++;
            if (before + length >= least) {
                found[0] = (uint32_t)(at - before), found[1] = (uint32_t)(before + length);
                found[2] = (uint32_t)(from - before), found += 3, count++;
                end = at += length;
                if (at + WINDOW <= size) hash = hash_of(data + at);
                continue;
            }
            runs = most < least;
        }
        if (at % WINDOW == 0 && !runs) *place = (uint32_t)(at + 1);
        if (at + WINDOW < size) hash = hash * BASE + data[at + WINDOW] + 1 - (data[at] + 1) * last;
        at++;
    }
    return count;
}

#endif
