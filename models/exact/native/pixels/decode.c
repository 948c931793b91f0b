/* Decoding of the pixel VAE's groups, behind a plain C ABI (see pixels.py). */
#include "message.h"
#include "pixels/chunk.h"
#include "pixels/steps.h"
#include "sets.h"

/* List the pixels of a step, those with more than one channel coded first, if any have more;
 * returns how many these are. */
static int64_t list_step(const network *n, const group *g, int64_t step, pool *all,
                         int64_t *count) {
    int64_t listed = 0, whole = 0;
    for (int pass = 0; pass < 2; pass++) {
        int64_t rank = 0;
        for (int64_t b = 0; b < g->tiles; b++) {
            const int32_t *size = g->sizes + 3 * b;
            int64_t from, to;
            rows_of_step(n, size, step, &from, &to);
            if ((size[2] < g->coded) == pass)
                for (int64_t y = from; y < to; y++, listed++) {
                    all->where[listed] = (place){b, y, step - (n->radius + 1) * y};
                    all->at[listed] = rank + y - from;
                }
            rank += to - from;
        }
        if (!pass) whole = listed;
    }
    *count = listed;
    return whole;
}

static void pop_step(const machine *m, message *from, pool *all, int64_t step, const mixtures *to,
                     int32_t *symbols) {
    const network *n = m->n;
    const int channels = (int)n->channels, coded = (int)m->g->coded;
    int64_t count, whole = list_step(n, m->g, step, all, &count);
    for (int64_t i = 0; i < count; i += CHUNK)
        run_trunk(m, all, i, least(count - i, CHUNK), i < whole ? coded : 1);
    for (int c = 0; c < coded; c++) {
        const int64_t some = c ? whole : count;
        int32_t *known = all->known + c * all->room;
        int64_t *at = all->at + c * all->room;
        for (int64_t i = 0; c && i < some; i++) at[i] = i;
        for (int64_t i = 0; i < some; i += CHUNK)
            run_channel(m, all, i, least(some - i, CHUNK), c, to);
        if (!some) break;
        if (!pop_symbols(from, symbols, some, to, n->components, 0, ACTIVATION_MAX + 1)) return;
        for (int64_t i = 0; i < some; i++) known[i] = symbols[at[i]];
    }
    for (int64_t i = 0; i < count; i++) {
        const place *p = all->where + i;
        const int64_t at = (p->tile * m->g->side + p->y) * m->g->side + p->x;
        for (int c = 0; c < channels; c++)
            m->g->pixels[at * channels + c] =
                (uint8_t)all->known[(i < whole && c < coded ? c * all->room : 0) + i];
    }
}

/* Decode a group of tiles, whose pixels are 0: the new top, an error of `pop`, or NO_MEMORY. */
EXPORT int64_t bitswap_pixels_pop(int64_t which, const network *n, uint8_t *tiles,
                                  const int32_t *sizes, const int16_t *film, int64_t count,
                                  int64_t side, pop_logistic *pop, uint64_t *head, int64_t lanes,
                                  const uint32_t *words, int64_t top, int64_t end) {
    const group g = {tiles, sizes, film, count, side, most_coded(sizes, count)};
    const int64_t room = most_of_step(n, &g), steps = steps_of(n, &g);
    machine m = {bitswap_set(which)->pixels, n, &g, {0}};
    message from = {pop, head, lanes, words, top, end};
    arena a = {0};
    pool all;
    mixtures to;
    int32_t *symbols = 0;
    for (int pass = 0; pass < 2; pass++) { /* to count, and to take */
        if (pass && !reserve(&a)) return NO_MEMORY;
        take_pixels(&a, n, room, &all);
        take_scratch(&a, n, &m.s);
        to.weight = take(&a, room * n->components * 4);
        to.mean = take(&a, room * n->components * 4);
        to.scale = take(&a, room * n->components * 4);
        symbols = take(&a, room * 4);
    }
    for (int64_t step = 0; step < steps && from.top >= 0; step++)
        pop_step(&m, &from, &all, step, &to, symbols);
    free(a.whole);
    return from.top;
}
