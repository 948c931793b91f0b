/* What an encoder of the pixel VAE's groups pushes, behind a plain C ABI (see pixels.py). */
#include "message.h"
#include "pixels/chunk.h"
#include "pixels/steps.h"
#include "sets.h"

/* Pixels that wait until they fill a chunk, and how many of their channels are coded. */
typedef struct {
    pool all;
    int64_t *places; /* [channel][pixel]: of a symbol among all */
    int64_t count;
    int channels;
} queue;

/* What an encoder tells of its symbols: their mixtures, or their intervals. */
typedef struct {
    int32_t *symbols, *owner, *batches;
    int64_t count; /* of batches */
    const mixtures *of; /* or NULL */
    intervals_logistic *intervals;
    uint32_t *start, *freq;
    int64_t error; /* of the coder's; 0 if there was none */
    mixtures near; /* of a channel of a chunk */
} coded;

/* Put what is known of a channel of a chunk where its symbols are. */
static void give(const network *n, const queue *q, int channel, coded *told) {
    const int64_t *places = q->places + channel * q->all.room, k = n->components;
    const mixtures *near = &told->near, *of = told->of;
    if (of) {
        const size_t bytes = (size_t)k * sizeof *of->weight;
        for (int64_t i = 0; i < q->count; i++) {
            memcpy(of->weight + places[i] * k, near->weight + i * k, bytes);
            memcpy(of->mean + places[i] * k, near->mean + i * k, bytes);
            memcpy(of->scale + places[i] * k, near->scale + i * k, bytes);
        }
        return;
    }
    uint32_t start[CHUNK], freq[CHUNK];
    const int64_t error =
        told->intervals(q->all.known + channel * q->all.room, q->count, start, freq, near->weight,
                        near->mean, near->scale, k, 0, ACTIVATION_MAX + 1);
    if (error) told->error = error;
    for (int64_t i = 0; i < q->count; i++) {
        told->start[places[i]] = start[i];
        told->freq[places[i]] = freq[i];
    }
}

static void flush(const machine *m, queue *q, coded *told) {
    if (!q->count) return;
    run_trunk(m, &q->all, 0, q->count, q->channels);
    for (int c = 0; c < q->channels; c++) {
        run_channel(m, &q->all, 0, q->count, c, &told->near);
        give(m->n, q, c, told);
    }
    q->count = 0;
}

/* Queue the pixels of a tile in a step; `at` are the places of the next symbols of each channel. */
static void queue_tile(const machine *m, int64_t tile, int64_t step, queue *q, coded *told,
                       int64_t *at) {
    const int64_t slope = m->n->radius + 1, side = m->g->side, channels = m->n->channels;
    int64_t from, end;
    rows_of_step(m->n, m->g->sizes + 3 * tile, step, &from, &end);
    for (int64_t y = from; y < end; y++) {
        const int64_t x = step - slope * y, i = q->count++;
        const uint8_t *pixel = m->g->pixels + ((tile * side + y) * side + x) * channels;
        q->all.where[i] = (place){tile, y, x};
        for (int c = 0; c < q->channels; c++) {
            q->places[c * q->all.room + i] = at[c];
            q->all.at[c * q->all.room + i] = i;
            q->all.known[c * q->all.room + i] = told->symbols[at[c]] = pixel[c];
            told->owner[at[c]++] = (int32_t)tile;
        }
        if (q->count == CHUNK) flush(m, q, told);
    }
}

static void queue_step(const machine *m, int64_t step, queue *whole, queue *gray, coded *told,
                       int64_t *next) {
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
        queue_tile(m, b, step, q, told, at);
    }
}

static void take_queue(arena *a, const network *n, queue *q) {
    take_pixels(a, n, CHUNK, &q->all);
    q->places = take(a, q->all.room * n->channels * (int64_t)sizeof *q->places);
}

static void take_near(arena *a, const network *n, mixtures *near) {
    const int64_t bytes = CHUNK * n->components * (int64_t)sizeof *near->weight;
    near->weight = take(a, bytes), near->mean = take(a, bytes), near->scale = take(a, bytes);
}

/* Go through a group in coding order; returns the number of batches, or an error. */
static int64_t encode(int64_t which, const network *n, const group *g, coded *told) {
    const int64_t steps = steps_of(n, g);
    machine m = {bitswap_set(which)->pixels, n, g, {0}};
    queue whole = {{0}, 0, 0, (int)g->coded}, gray = {{0}, 0, 0, 1};
    arena a = {0};
    int64_t next = 0;
    for (int pass = 0; pass < 2; pass++) { /* to count, and to take */
        if (pass && !reserve(&a)) return NO_MEMORY;
        take_queue(&a, n, &whole);
        take_queue(&a, n, &gray);
        take_scratch(&a, n, &m.s);
        take_near(&a, n, &told->near);
    }
    for (int64_t step = 0; step < steps; step++) queue_step(&m, step, &whole, &gray, told, &next);
    flush(&m, &whole, told);
    flush(&m, &gray, told);
    free(a.whole);
    return told->error ? told->error : told->count;
}

/* Everything that an encoder of a group pushes, in coding order: the number of batches, or
 * NO_MEMORY. Room for the batches: as many as symbols. */
EXPORT int64_t bitswap_pixels_mixtures(int64_t which, const network *n, const uint8_t *tiles,
                                       const int32_t *sizes, const int16_t *film, int64_t count,
                                       int64_t side, int32_t *symbols, int32_t *owner,
                                       int32_t *batches, int32_t *weight, int32_t *mean,
                                       int32_t *scale) {
    uint8_t *read = (uint8_t *)tiles; /* and not written */
    const group g = {read, sizes, film, count, side, most_coded(sizes, count)};
    const mixtures of = {weight, mean, scale};
    coded told = {.symbols = symbols, .owner = owner, .batches = batches, .of = &of};
    return encode(which, n, &g, &told);
}

/* The same by intervals, of which `by` is what gives them. */
EXPORT int64_t bitswap_pixels_intervals(int64_t which, const network *n, const uint8_t *tiles,
                                        const int32_t *sizes, const int16_t *film, int64_t count,
                                        int64_t side, int32_t *symbols, int32_t *owner,
                                        int32_t *batches, intervals_logistic *by, uint32_t *start,
                                        uint32_t *freq) {
    uint8_t *read = (uint8_t *)tiles; /* and not written */
    const group g = {read, sizes, film, count, side, most_coded(sizes, count)};
    coded told = {
        .symbols = symbols,
        .owner = owner,
        .batches = batches,
        .intervals = by,
        .start = start,
        .freq = freq,
    };
    return encode(which, n, &g, &told);
}
