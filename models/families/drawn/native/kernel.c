/* Pictures to words and back, each under what the ones before it in a chunk have taught.
 *
 * reference/ is the definition: both give the same words and pixels.
 */
#include <stdlib.h>

#include "chunk.h"
#include "pages.h"

enum { ABI = 5 };

/* The size of a table, in whole lines of a cache. */
static size_t lines(size_t count, size_t size) { return (count * size + LINE - 1) / LINE * LINE; }

/* Zeros for all tables, in large pages where the system has them: looking up all over a table is
 * faster so. No bucket lies in two lines. */
static int open_memory(memory *m, int bits) {
    const size_t entries = (size_t)1 << bits;
    const size_t of_buckets = lines(4 * entries * BUCKET, sizeof *m->buckets);
    const size_t of_slots = lines(4 * entries * 2, sizeof *m->slots);
    const size_t of_followed = lines(MEMORIES * entries, sizeof *m->followed);
    const size_t all = of_buckets + of_slots + of_followed + lines(entries, sizeof *m->stood);
    m->bits = bits;
    char *begin = zeros(all + CHANGED, &m->all); /* changes at the end have room, too */
    if (!begin) return 0;
    m->buckets = (void *)begin;
    m->slots = (void *)(begin + of_buckets);
    m->followed = (void *)(begin + of_buckets + of_slots);
    m->stood = (void *)(begin + of_buckets + of_slots + of_followed);
    return 1;
}

/* The fastest rows of a model with so many contexts of a value. */
static code_rows *fastest(int64_t contexts) {
    const int all = contexts == MOST_CONTEXTS;
#if X86
    if (processor_has(AVX2)) return all ? bitswap_drawn_eleven_avx2 : bitswap_drawn_six_avx2;
#endif
    return all ? bitswap_drawn_eleven_plain : bitswap_drawn_six_plain;
}

EXPORT int64_t bitswap_drawn_abi(void) { return ABI; }

EXPORT void bitswap_drawn_close(chunk *k) {
    if (!k) return;
    free(k->m.all), free(k->m.changes), free(k->c.pending), free(k->c.words), free(k->seen),
        free(k);
}

/* Begin a chunk whose pictures take `room` pixels with their margins. `words` is NULL to encode,
 * else stays where it is. NULL: there is no memory. */
EXPORT chunk *bitswap_drawn_open(const tables *t, const state *a, int64_t bits, int64_t ways,
                                 int64_t contexts, int64_t least, int64_t room,
                                 const uint32_t *words, int64_t size) {
    chunk *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->t = *t, k->a = *a, k->room = room;
    k->c = (coder){.decoding = words != NULL, .from = words, .end = words + size};
    k->c.head = HEAD_MIN, k->c.costs = t->cost;
    k->rows = fastest(contexts), k->least = (int32_t)least;
    k->m.beside = (size_t)ways - 1;
    k->seen = calloc((size_t)room, sizeof *k->seen);
    if (!words) k->c.pending = malloc(SEGMENT * sizeof *k->c.pending);
    if (!open_memory(&k->m, (int)bits) || !k->seen || !(words || k->c.pending)) {
        bitswap_drawn_close(k);
        return NULL;
    }
    return k;
}

/* Hold an encoder's state, but what Python has of it, in place of what was held, until there are so
 * many changes. 0: there is no memory. */
EXPORT int64_t bitswap_drawn_hold(chunk *k, int64_t most) {
    memory *m = &k->m;
    if (!m->changes) m->changes = malloc((size_t)most * sizeof *m->changes);
    if (!m->changes) return 0;
    m->changed = 0, m->most = most;
    k->held.used = k->used, k->held.pictures = k->pictures;
    k->held.count = k->c.count, k->held.size = k->c.size, k->held.cost = k->c.cost;
    return 1;
}

/* Go back to what is held; 0: that is not known any more, and nothing changes. */
EXPORT int64_t bitswap_drawn_undo(chunk *k) {
    memory *m = &k->m;
    int known = m->changed < m->most && k->c.size == k->held.size && !k->c.failed;
    if (known) {
        while (m->changed) {
            const change *last = m->changes + --m->changed;
            memcpy((char *)m->buckets + last->at, last->was, CHANGED);
        }
        memset(k->seen + k->held.used, 0, (size_t)(k->used - k->held.used) * sizeof *k->seen);
        k->used = k->held.used, k->pictures = k->held.pictures;
        k->c.count = k->held.count, k->c.cost = k->held.cost;
    }
    m->changed = m->most = 0;
    return known;
}

/* Code a picture, or fill it; returns its bits in 1/4096 (0: a decoder does not count them), or why
 * it failed, below 0. */
EXPORT int64_t bitswap_drawn_picture(chunk *k, uint8_t *pixels, int64_t height, int64_t width,
                                     int64_t channels, const uint32_t *keys, int64_t colours) {
    frame f = {.width = width, .stride = width + 2 * MARGIN, .channels = (int)channels};
    f.keys = keys, f.colours = (int)colours;
    f.number = k->pictures++;
    int64_t before = k->c.cost;
    if (k->used + (height + 2) * f.stride > k->room) return -WRONG;
    f.places = calloc((size_t)width + 1, sizeof *f.places);
    if (!f.places) return -NO_MEMORY;
    k->rows(k, &f, pixels, height);
    free(f.places);
    return k->c.failed ? -k->c.failed : k->c.cost - before;
}

/* How many words an encoder has made, which `out` gets unless it is NULL; 0 if a decoder has read
 * all of its own. Or why it failed, below 0. */
EXPORT int64_t bitswap_drawn_words(chunk *k, uint32_t *out) {
    if (k->c.decoding) return complete(&k->c) ? 0 : -WRONG;
    flush(&k->c);
    if (k->c.failed) return -k->c.failed;
    if (out && k->c.size) memcpy(out, k->c.words, (size_t)k->c.size * sizeof *out);
    return k->c.size;
}
