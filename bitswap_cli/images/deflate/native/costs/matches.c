/* All matches of all positions, in binary trees; see finder. */
#include "costs.h"
#include "run.h"

void begin_finder(finder *f, const uint8_t *data, int64_t size) {
    f->data = data, f->size = size;
    f->next = f->left = f->start = f->count = f->capacity = 0;
    f->found = NULL;
    memset(f->roots, -1, sizeof f->roots);
}

/* Eight bytes as a number that is the less, the less the first byte is that differs. */
INLINE uint64_t in_order(uint64_t bytes) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return bytes;
#else
    return __builtin_bswap64(bytes);
#endif
}

/* Enter p; `found` takes its matches unless it is null. Returns where it ends. */
static uint32_t *enter(finder *f, int64_t p, uint32_t *found) {
    const uint8_t *data = f->data, *scan = data + p;
    int most = f->size - p < MAX_MATCH ? (int)(f->size - p) : MAX_MATCH;
    if (most < MIN_MATCH) return found;
    uint32_t three = scan[0] | (uint32_t)scan[1] << 8 | (uint32_t)scan[2] << 16;
    int32_t *root = &f->roots[three * 2654435761U >> 16];
    int32_t *lower = &f->sons[p % RING][0], *higher = &f->sons[p % RING][1];
    int64_t at = *root, left = f->left + STEPS, limit = p > WINDOW ? p - WINDOW : 0;
    int below = 0, above = 0, best = MIN_MATCH - 1;
    *root = (int32_t)p;
    for (; at >= limit && left; left--) {
        int32_t *sons = f->sons[at & (RING - 1)];
        int length = below < above ? below : above;
        const uint8_t *match = data + at;
        uint64_t there, here;
        for (;; length += 8) {
            memcpy(&there, match + length, 8);
            memcpy(&here, scan + length, 8);
            if (there != here || length >= most - 8) break;
        }
        uint64_t a = in_order(there), b = in_order(here);
        length += there == here ? 8 : __builtin_clzll(a ^ b) >> 3;
        if (length > best) {
            best = length < most ? length : most;
            if (found) *found++ = match_of(best, p - at);
            if (best == most) {
                *lower = sons[0], *higher = sons[1];
                f->left = left - 1;
                return found;
            }
        }
        if (a < b) {
            *lower = (int32_t)at;
            lower = &sons[1];
            below = length;
            at = *lower;
        } else {
            *higher = (int32_t)at;
            higher = &sons[0];
            above = length;
            at = *higher;
        }
    }
    f->left = left;
    *lower = *higher = -1;
    return found;
}

int find_matches(finder *f, int64_t start, int64_t end) {
    for (; f->next < start; f->next++) enter(f, f->next, NULL);
    if (f->next == start) f->start = start, f->count = 0;
    for (; f->next < end; f->next++) {
        if (f->capacity - f->count <= MAX_MATCH) {
            int64_t capacity = 2 * f->capacity + 65536;
            uint32_t *found = realloc(f->found, (size_t)capacity * sizeof *found);
            if (!found) return 0;
            f->found = found, f->capacity = capacity;
        }
        f->first[f->next - start] = (uint32_t)f->count;
        f->count = enter(f, f->next, f->found + f->count) - f->found;
    }
    f->first[end - start] = (uint32_t)f->count;
    return 1;
}
