/* What an encoder of the pixel VAE's groups pushes, behind a plain C ABI (see pixels.py). */
#include "pixels/chunk.h"
#include "pixels/steps.h"
#include "sets.h"

/* Pixels that wait until they fill a chunk, and how many of their channels are coded. */
typedef struct {
    pool all;
    int64_t count;
    int channels;
} queue;

static void flush(const machine *m, queue *q, const mixtures *to) {
    if (!q->count) return;
    run_trunk(m, &q->all, 0, q->count, q->channels);
    for (int c = 0; c < q->channels; c++) run_channel(m, &q->all, 0, q->count, c, to);
    q->count = 0;
}

/* What an encoder tells of its symbols besides their mixtures. */
typedef struct {
    int32_t *symbols, *owner, *batches;
    int64_t count; /* of batches */
} coded;

/* Queue the pixels of a tile in a step; `at` are the places of the next symbols of each channel. */
static void queue_tile(const machine *m, int64_t tile, int64_t step, queue *q, const mixtures *to,
                       coded *told, int64_t *at) {
    const int64_t slope = m->n->radius + 1, side = m->g->side, channels = m->n->channels;
    int64_t from, end;
    rows_of_step(m->n, m->g->sizes + 3 * tile, step, &from, &end);
    for (int64_t y = from; y < end; y++) {
        const int64_t x = step - slope * y, i = q->count++;
        const uint8_t *pixel = m->g->pixels + ((tile * side + y) * side + x) * channels;
        q->all.where[i] = (place){tile, y, x};
        for (int c = 0; c < q->channels; c++) {
            q->all.at[c * q->all.room + i] = at[c];
            q->all.known[c * q->all.room + i] = told->symbols[at[c]] = pixel[c];
            told->owner[at[c]++] = (int32_t)tile;
        }
        if (q->count == CHUNK) flush(m, q, to);
    }
}

static void queue_step(const machine *m, int64_t step, queue *whole, queue *gray,
                       const mixtures *to, coded *told, int64_t *next) {
    int64_t sizes[MAX_CHANNELS] = {0}, at[MAX_CHANNELS];
    for (int64_t b = 0; b < m->g->tiles; b++) {
        const int32_t *size = m->g->sizes + 3 * b;
        int64_t from, end;
        rows_of_step(m->n, size, step, &from, &end);
        for (int c = 0; c < m->n->channels && c < size[2]; c++) sizes[c] += end - from;
    }
    for (int c = 0; c < m->n->channels; c++) {
        at[c] = *next;
        *next += sizes[c];
        if (sizes[c]) told->batches[told->count++] = (int32_t)sizes[c];
    }
    for (int64_t b = 0; b < m->g->tiles; b++) {
        queue *q = m->g->sizes[3 * b + 2] < m->g->coded ? gray : whole;
        queue_tile(m, b, step, q, to, told, at);
    }
}

/* Everything that an encoder of a group pushes, in coding order: the number of batches, or
 * NO_MEMORY. Room for the batches: as many as symbols. */
EXPORT int64_t bitswap_pixels_mixtures(int64_t which, const network *n, const uint8_t *tiles,
                                       const int32_t *sizes, const int16_t *film, int64_t count,
                                       int64_t side, int32_t *symbols, int32_t *weight,
                                       int32_t *mean, int32_t *scale, int32_t *owner,
                                       int32_t *batches) {
    uint8_t *read = (uint8_t *)tiles; /* and not written */
    const group g = {read, sizes, film, count, side, most_coded(sizes, count)};
    const int64_t steps = steps_of(n, &g);
    machine m = {bitswap_set(which)->pixels, n, &g, {0}};
    const mixtures to = {weight, mean, scale};
    coded told = {symbols, owner, batches, 0};
    queue whole = {{0}, 0, (int)g.coded}, gray = {{0}, 0, 1};
    arena a = {0};
    int64_t next = 0;
    for (int pass = 0; pass < 2; pass++) { /* to count, and to take */
        if (pass && !reserve(&a)) return NO_MEMORY;
        take_pixels(&a, n, CHUNK, &whole.all);
        take_pixels(&a, n, CHUNK, &gray.all);
        take_scratch(&a, n, &m.s);
    }
    for (int64_t step = 0; step < steps; step++)
        queue_step(&m, step, &whole, &gray, &to, &told, &next);
    flush(&m, &whole, &to);
    flush(&m, &gray, &to);
    free(a.whole);
    return told.count;
}
