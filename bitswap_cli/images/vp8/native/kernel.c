/* VP8 key frames to words and back, each decision of their boolean coder under a mixture of what is
 * known.
 *
 * reference.py is the definition: both give the same words.
 */
#define TARGET
#include "pages.h"
#include "work.h"

enum { ABI = 2, TOO_MANY = 3 };

extern HIDDEN void bitswap_vp8_plain(work *w, carrier *c);
extern HIDDEN void bitswap_vp8_avx2(work *w, carrier *c);

EXPORT int64_t bitswap_vp8_abi(void) { return ABI; }

static void run(work *w, carrier *c) {
#if X86
    if (processor_has(AVX2)) {
        bitswap_vp8_avx2(w, c);
        return;
    }
#endif
    bitswap_vp8_plain(w, c);
}

/* How many bytes of a frame are carried, if it comes back from its decisions; 0 if not, or why that
 * is not known, below 0. */
EXPORT int64_t bitswap_vp8_check(const numbers *n, const uint8_t *frame, int64_t size) {
    work *w = calloc(1, sizeof *w);
    uint8_t *written = malloc((size_t)size);
    int64_t found = -NO_MEMORY;
    if (w && written) {
        carrier c = {.to = (uint8_t *)frame, .size = size};
        w->n = n, w->task = CHECKING, w->written = written, w->in_all = INT64_MAX;
        run(w, &c);
        const int same = !w->failed && !memcmp(written, frame, (size_t)size);
        found = same ? HEAD + 3 * (w->partitions - 1) : 0;
        if (w->failed == NO_MEMORY) found = -NO_MEMORY;
    }
    free(w), free(written);
    return found;
}

/* Code frames that lie one after the other, of at most so many decisions in all: returns how many
 * words `out`, which has room for so many, gets; or why not, below 0. */
EXPORT int64_t bitswap_vp8_encode(const tables *t, const state *a, const numbers *n, uint8_t *data,
                                  const int64_t *sizes, int64_t frames, uint32_t *out, int64_t room,
                                  int64_t most) {
    work *w = calloc(1, sizeof *w);
    coder c = {.costs = t->cost};
    void *all = NULL;
    c.pending = malloc(SEGMENT * sizeof *c.pending);
    c.failed = NO_MEMORY;
    if (w) w->counters = (void *)zeros(sizeof *w->counters * CONTEXTS << TABLE_BITS, &all);
    if (w && w->counters && c.pending) {
        c.failed = 0;
        w->t = t, w->a = a, w->n = n, w->c = &c, w->task = ENCODING, w->in_all = most;
        carrier own = {.to = data};
        for (int64_t i = 0; i < frames && !w->failed; i++) {
            own.size = sizes[i];
            run(w, &own);
            own.to += sizes[i];
        }
        flush(&c);
        if (!c.failed) c.failed = w->failed;
        if (!c.failed && c.size > room) c.failed = TOO_MANY;
        if (!c.failed && c.size) memcpy(out, c.words, (size_t)c.size * sizeof *out);
    }
    free(w), free(all), free(c.pending), free(c.words);
    return c.failed ? -c.failed : c.size;
}

/* What is at hand of a file, or of many: bytes before each frame, then the frame. */
static int64_t carried(work *w, uint8_t *data, int64_t size, const uint8_t *rest, int64_t left,
                       const int64_t *gaps, int64_t frames) {
    carrier c = {.rest = rest, .end = rest + left};
    int64_t at = 0;
    for (int64_t i = 0; i <= frames; i++) {
        const int64_t gap = i < frames ? gaps[i] : size - at;
        if (gap < 0 || gap > size - at || gap > c.end - c.rest || (i < frames && gap < 4))
            return WRONG;
        memcpy(data + at, c.rest, (size_t)gap);
        c.rest += gap, at += gap;
        if (i == frames) break;
        const uint8_t *b = data + at - 4;
        c.size = b[0] | b[1] << 8 | b[2] << 16 | (int64_t)b[3] << 24;
        if (c.size > size - at) return WRONG;
        c.to = data + at;
        run(w, &c);
        if (w->failed) return w->failed;
        at += c.size;
    }
    return c.rest != c.end;
}

/* Find bytes of which frames are told by words, by at most so many decisions in all, and the rest:
 * returns 0, or why not, below 0. */
EXPORT int64_t bitswap_vp8_decode(const tables *t, const state *a, const numbers *n, uint8_t *data,
                                  int64_t size, const uint8_t *rest, int64_t left,
                                  const int64_t *gaps, int64_t frames, const uint32_t *words,
                                  int64_t count, int64_t most) {
    work *w = calloc(1, sizeof *w);
    coder c = {.decoding = 1, .costs = t->cost, .from = words, .end = words + count};
    void *all = NULL;
    int64_t failed = NO_MEMORY;
    c.head = HEAD_MIN;
    if (w) w->counters = (void *)zeros(sizeof *w->counters * CONTEXTS << TABLE_BITS, &all);
    if (w && w->counters) {
        w->t = t, w->a = a, w->n = n, w->c = &c, w->task = DECODING, w->in_all = most;
        failed = carried(w, data, size, rest, left, gaps, frames);
        if (!failed && !complete(&c)) failed = WRONG;
    }
    free(w), free(all);
    return -failed;
}
