/* All matches of all positions, in binary trees; see finder. */
#include "costs.h"
#include "run.h"

void begin_finder(finder *f, const uint8_t *data, int64_t size) {
    f->data = data, f->size = size;
    f->next = f->left = f->start = f->count = f->capacity = 0;
    f->found = NULL;
    memset(f->roots, -1, sizeof f->roots);
}

/* Enter p; `found` takes its matches unless it is null. Returns where it ends. */
static uint32_t *enter(finder *f, int64_t p, uint32_t *found) {
    const uint8_t *scan = f->data + p;
    int most = f->size - p < MAX_MATCH ? (int)(f->size - p) : MAX_MATCH;
    if (most < MIN_MATCH) return found;
    uint32_t three = scan[0] | (uint32_t)scan[1] << 8 | (uint32_t)scan[2] << 16;
    int32_t *root = &f->roots[three * 2654435761U >> 16];
    int32_t *lower = &f->sons[p % RING][0], *higher = &f->sons[p % RING][1];
    int64_t at = *root;
    int below = 0, above = 0, best = MIN_MATCH - 1;
    *root = (int32_t)p;
    f->left += STEPS;
    while (at >= 0 && p - at <= WINDOW && f->left) {
        int32_t *sons = f->sons[at % RING];
        int length = below < above ? below : above;
        f->left--;
        length += common(scan + length, f->data + at + length, most - length);
        if (length > best) {
            best = length;
            if (found) *found++ = match_of(length, p - at);
            if (length == most) {
                *lower = sons[0], *higher = sons[1];
                return found;
            }
        }
        if (f->data[at + length] < scan[length]) {
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
    *lower = *higher = -1;
    return found;
}

int find_matches(finder *f, int64_t start, int64_t end) {
    for (; f->next < start; f->next++) enter(f, f->next, NULL);
    f->start = start, f->count = 0;
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
