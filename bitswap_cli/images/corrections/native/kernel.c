/* Corrections of pixels to words and back: which blocks have wrong pixels, which these are, and by
 * what they differ, each bit under a mixture of what is known.
 *
 * reference.py is the definition: both give the same words.
 */
#include "work.h"

enum { ABI = 1, TOO_MANY = 3 };

EXPORT int64_t bitswap_corrections_abi(void) { return ABI; }

/* A number of eight bits and a sign: whether it is 0, whether it is below, how many bits it has,
 * and these from the second highest one down. */
static int code_number(work *w, coder *c, int node, const known *k, int value) {
    if (!decide(w, c, NUMBERS, node, k, value != 0)) return 0;
    const int minus = decide(w, c, NUMBERS, node + 1, k, value < 0);
    const int size = minus ? -value : value, wanted = bits_of(size);
    int bits = 1, found = 1;
    while (bits < 8 && decide(w, c, NUMBERS, node + 1 + bits, k, wanted > bits)) bits++;
    for (int shift = bits - 2; shift >= 0; shift--) {
        const int own = node + 9 + (found < 8 ? found : 8 + shift);
        found = 2 * found + decide(w, c, NUMBERS, own, k, size >> shift & 1);
    }
    return minus ? -found : found;
}

/* What a wrong pixel is. */
static void code_channels(work *w, coder *c, int64_t y, int64_t x) {
    const int64_t first = at(w, y, x);
    const int linked = w->g.channels == 3 && w->g.linked, foreign = is_foreign(w, y, x);
    uint32_t before = (uint32_t)foreign;
    int base = 0;
    for (int n = 0; n < (int)w->g.channels; n++) {
        const int64_t channel = linked && n < 2 ? 1 - n : n; /* green before red and blue */
        const int less = linked && n;
        const int guess = foreign ? by_neighbours(w, y, x, channel) : w->made[first + channel];
        const known k = of_channel(w, y, x, channel, foreign, base, less, before);
        const int value = (int8_t)(uint8_t)(w->pixels[first + channel] - guess - base);
        const int found = code_number(w, c, 2 + OF_CHANNEL * n, &k, value);
        w->pixels[first + channel] = (uint8_t)(guess + base + found);
        if (linked && !n) base = found;
        before = hash(before, cut_to(found, MANY));
    }
}

/* Rows or columns of the n-th block that lie in a picture. */
INLINE int64_t begin_of(int64_t n, int64_t offset) { return n ? SIDE * n - (offset & 7) : 0; }

INLINE int64_t end_at(int64_t n, int64_t offset, int64_t size) {
    const int64_t end = SIDE * (n + 1) - (offset & 7);
    return end < size ? end : size;
}

/* Whether a part of a row is not as it was made. */
INLINE int is_other(const work *w, const uint8_t *truth, int64_t from, int64_t count) {
    const size_t size = (size_t)(count * w->g.channels);
    return memcmp(truth + from, w->made + from, size) != 0;
}

static int is_wrong_block(const work *w, const uint8_t *truth, int64_t i, int64_t j) {
    const int64_t left = begin_of(j, w->g.left), right = end_at(j, w->g.left, w->g.width);
    const int64_t bottom = end_at(i, w->g.top, w->g.height);
    int any = 0;
    for (int64_t y = begin_of(i, w->g.top); y < bottom; y++)
        any |= is_other(w, truth, at(w, y, left), right - left);
    return any;
}

/* Code the pixels of a row of blocks. */
static void code_rows(work *w, coder *c, const uint8_t *truth, int64_t i) {
    const int64_t bottom = end_at(i, w->g.top, w->g.height), channels = w->g.channels;
    for (int64_t y = begin_of(i, w->g.top); y < bottom; y++)
        for (int64_t x = 0; x < w->g.width; x++) {
            uint8_t *block = w->wrong + i * w->columns + ((x + (w->g.left & 7)) >> 3);
            if (!*block) continue;
            const known k = of_pixel(w, y, x);
            const int64_t own = at(w, y, x);
            const int bit = !c->decoding && is_other(w, truth, own, 1);
            if (!decide(w, c, PIXELS, 1, &k, bit)) continue;
            ++*block;
            if (!c->decoding) memcpy(w->pixels + own, truth + own, (size_t)channels);
            code_channels(w, c, y, x);
        }
}

/* Code all; `truth`, an encoder's, is what pixels are. */
static void code_all(work *w, coder *c, const uint8_t *truth) {
    for (int64_t y = 0; y < w->g.height; y++)
        for (int64_t x = 0; x < w->g.width; x++) {
            const int64_t i = (y + (w->g.top & 7)) >> 3, j = (x + (w->g.left & 7)) >> 3;
            uint32_t any = 0;
            for (int64_t k = 0; k < w->g.channels; k++) any |= end_of(w->made[at(w, y, x) + k]);
            w->cut[i * w->columns + j] = (uint8_t)(w->cut[i * w->columns + j] + (any != 0));
        }
    for (int64_t i = 0; i < w->rows && !c->failed; i++) {
        for (int64_t j = 0; j < w->columns; j++) {
            const int bit = !c->decoding && is_wrong_block(w, truth, i, j);
            const known k = of_block(w, i, j);
            w->wrong[i * w->columns + j] = (uint8_t)decide(w, c, BLOCKS, 0, &k, bit);
        }
        code_rows(w, c, truth, i);
    }
}

/* Begin; 0: there is no memory. */
static int open_work(work *w, const tables *t, const state *a, const geometry *g,
                     const uint8_t *made, uint8_t *pixels) {
    *w = (work){.t = *t, .a = *a, .g = *g, .made = made, .pixels = pixels};
    w->rows = (g->height + (g->top & 7) + SIDE - 1) / SIDE;
    w->columns = (g->width + (g->left & 7) + SIDE - 1) / SIDE;
    const size_t blocks = (size_t)(w->rows * w->columns), slots = (size_t)CONTEXTS << TABLE_BITS;
    w->wrong = calloc(2 * blocks, 1);
    w->slots = malloc(slots * sizeof *w->slots);
    if (!w->wrong || !w->slots) return 0;
    w->cut = w->wrong + blocks;
    for (size_t i = 0; i < slots; i++) w->slots[i] = FRESH;
    return 1;
}

static void close_work(work *w, coder *c) {
    free(w->wrong), free(w->slots), free(c->pending), free(c->words);
}

/* Code what pixels are: returns how many words `out`, which has room for so many, gets; or why not,
 * below 0. `pixels` begin as they were made, and end as they are. */
EXPORT int64_t bitswap_corrections_encode(const tables *t, const state *a, const geometry *g,
                                          const uint8_t *made, uint8_t *pixels,
                                          const uint8_t *truth, uint32_t *out, int64_t room) {
    work w;
    coder c = {.costs = t->cost};
    c.pending = malloc(SEGMENT * sizeof *c.pending);
    c.failed = NO_MEMORY;
    if (open_work(&w, t, a, g, made, pixels) && c.pending) {
        c.failed = 0;
        code_all(&w, &c, truth);
        flush(&c);
        if (!c.failed && c.size > room) c.failed = TOO_MANY;
        if (!c.failed && c.size) memcpy(out, c.words, (size_t)c.size * sizeof *out);
    }
    close_work(&w, &c);
    return c.failed ? -c.failed : c.size;
}

/* Find what pixels are: returns 0, or why not, below 0. */
EXPORT int64_t bitswap_corrections_decode(const tables *t, const state *a, const geometry *g,
                                          const uint8_t *made, uint8_t *pixels,
                                          const uint32_t *words, int64_t count) {
    work w;
    coder c = {.decoding = 1, .costs = t->cost, .from = words, .end = words + count};
    c.head = HEAD_MIN, c.failed = NO_MEMORY;
    if (open_work(&w, t, a, g, made, pixels)) {
        c.failed = 0;
        code_all(&w, &c, NULL);
        if (!complete(&c)) c.failed = WRONG;
    }
    close_work(&w, &c);
    return -c.failed;
}
