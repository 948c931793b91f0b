/* Bytes to words and back, each bit under a mixture of what followed the same bytes before.
 *
 * reference.py is the definition: both give the same words.
 */
#include "pages.h"
#include "repeats.h"
#include "state.h"

enum { ABI = 4, TOO_MANY = 3 };

EXPORT int64_t bitswap_mixing_abi(void) { return ABI; }

static void run(octets *o, coder *c) {
#if X86
    if (processor_has(AVX2)) {
        bitswap_mixing_avx2(o, c);
        return;
    }
#endif
    bitswap_mixing_plain(o, c);
}

/* Begin; 0: there is no memory. */
static int open_octets(octets *o, const tables *t, const state *a, const shape *s, uint8_t *data,
                       int64_t size) {
    *o = (octets){.t = *t, .a = *a, .data = data, .size = size, .s = *s};
    const size_t of_buckets = ((size_t)s->contexts << s->bits) * BUCKET * sizeof *o->buckets;
    char *begin = zeros(of_buckets + ((size_t)4 << s->bits) * sizeof *o->places, &o->all);
    if (!begin) return 0;
    o->buckets = (void *)begin, o->places = (void *)(begin + of_buckets);
    return 1;
}

static void close_octets(octets *o, coder *c) { free(o->all), free(c->pending), free(c->words); }

/* Code bytes: returns how many words `out`, which has room for so many, gets; or why not, below 0.
 */
EXPORT int64_t bitswap_mixing_encode(const tables *t, const state *a, const shape *s, uint8_t *data,
                                     int64_t size, uint32_t *out, int64_t room) {
    octets o;
    coder c = {.costs = t->cost};
    c.pending = malloc(SEGMENT * sizeof *c.pending);
    c.failed = NO_MEMORY;
    if (open_octets(&o, t, a, s, data, size) && c.pending) {
        c.failed = 0;
        run(&o, &c);
        flush(&c);
        if (!c.failed && c.size > room) c.failed = TOO_MANY;
        if (!c.failed && c.size) memcpy(out, c.words, (size_t)c.size * sizeof *out);
    }
    close_octets(&o, &c);
    return c.failed ? -c.failed : c.size;
}

/* Find so many bytes: returns 0, or why not, below 0. */
EXPORT int64_t bitswap_mixing_decode(const tables *t, const state *a, const shape *s, uint8_t *data,
                                     int64_t size, const uint32_t *words, int64_t count) {
    octets o;
    coder c = {.decoding = 1, .costs = t->cost, .from = words, .end = words + count};
    c.head = HEAD_MIN, c.failed = NO_MEMORY;
    if (open_octets(&o, t, a, s, data, size)) {
        c.failed = 0;
        run(&o, &c);
        if (!complete(&c)) c.failed = WRONG;
    }
    close_octets(&o, &c);
    return -c.failed;
}

/* Find repeats of at least so many bytes, see `find_repeats`. */
EXPORT int64_t bitswap_mixing_repeats(const uint8_t *data, int64_t size, int64_t least,
                                      uint32_t *places, int64_t bits, uint32_t *found,
                                      int64_t room) {
    return find_repeats(data, size, least, places, bits, found, room);
}
