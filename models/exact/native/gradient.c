/* Bits of pixels under the likelihood of the pixel VAE, and their gradient to its integers, in one
 * pass over blocks of pixels, behind a plain C ABI (see gradient.py).
 *
 * pixel_net.py is the definition: its float path, with gradients that pass straight through floors.
 * A block goes forward and back while it lies in the caches, so that memory sees pixels, integers
 * and gradients only. Sums depend on the order of their terms, here on the instructions of the
 * machine: nothing that is computed here decides what an archive means.
 *
 * Rows of values are padded to whole vectors with zeros, which stay zeros.
 */
#if defined(__GNUC__) /* for its vectors; without it, gradient.py has the definition */
#include "gradient.h"

#include "arena.h"
#include "sets.h"

static gradient_block *fastest(void) {
    for (int64_t which = SETS - 1; which > PLAIN; which--) {
        const set *s = bitswap_set(which);
        if (s && s->gradient) return s->gradient;
    }
    return bitswap_plain.gradient;
}

/* ---- memory: one allocation, handed out in order; first it is only measured ---- */

static float *floats(arena *a, int64_t count) { return take(a, count * (int64_t)sizeof(float)); }

static int64_t shape_dense(float_layer *d, int64_t in, int64_t out, int64_t at) {
    d->in = in, d->out = out, d->ins = padded(in, PAD), d->outs = padded(out, PAD), d->at = at;
    return at + out * in + 2 * out;
}

static void place_dense(arena *a, float_layer *d) {
    d->rows = floats(a, d->outs * d->ins), d->columns = floats(a, d->outs * d->ins);
    d->scale = floats(a, d->outs), d->bias = floats(a, d->outs);
    d->g_rows = floats(a, d->outs * d->ins), d->g_columns = floats(a, d->outs * d->ins);
    d->g_scale = floats(a, d->outs), d->g_bias = floats(a, d->outs);
}

/* Parameters of a layer: weights [out][in], scales [out], biases [out]. */
static void load(float_layer *d, const float *parameters) {
    const float *w = parameters + d->at, *scale = w + d->out * d->in, *bias = scale + d->out;
    for (int64_t o = 0; o < d->out; o++)
        for (int64_t i = 0; i < d->in; i++)
            d->rows[o * d->ins + i] = d->columns[i * d->outs + o] = w[o * d->in + i];
    memcpy(d->scale, scale, sizeof(float) * (size_t)d->out);
    memcpy(d->bias, bias, sizeof(float) * (size_t)d->out);
}

static void store(const float_layer *d, float *gradient) {
    float *w = gradient + d->at, *scale = w + d->out * d->in, *bias = scale + d->out;
    for (int64_t o = 0; o < d->out; o++)
        for (int64_t i = 0; i < d->in; i++)
            w[o * d->in + i] = d->g_rows[o * d->ins + i] + d->g_columns[i * d->outs + o];
    memcpy(scale, d->g_scale, sizeof(float) * (size_t)d->out);
    memcpy(bias, d->g_bias, sizeof(float) * (size_t)d->out);
}

static int64_t taps(const float_network *n) { return 2 * n->radius * (n->radius + 1); }

/* All layers in the order of the parameters; returns how many there are. */
static int64_t list(float_network *n, float_layer **all) {
    const int64_t c = n->channels, k = n->components;
    const int64_t in = taps(n) * c + 3 * n->radius;
    int64_t at = 0, count = 0;
    at = shape_dense(all[count++] = &n->skip, in, c * k, at);
    for (int64_t l = 0; l < n->layers; l++)
        at = shape_dense(all[count++] = n->trunk + l, l ? n->width : in, n->width, at);
    at = shape_dense(all[count++] = &n->splits, n->width, c * n->split, at);
    if (c > 1) at = shape_dense(all[count++] = &n->coded, c, c * n->split, at);
    for (int64_t e = 0; e < c; e++)
        at = shape_dense(all[count++] = n->mixes + e, n->split, n->split, at);
    for (int64_t e = 0; e < c; e++)
        at = shape_dense(all[count++] = n->heads + e, n->split, (3 + c - 1) * k, at);
    return count;
}

static void place_block(arena *a, const float_network *n, work *b) {
    const int64_t c = n->channels, k = n->components, head = n->heads[0].outs;
    b->x = floats(a, PIXELS * n->skip.ins);
    for (int64_t l = 0; l < n->layers; l++) {
        b->acc[l] = floats(a, PIXELS * n->trunk[l].outs),
        b->h[l] = floats(a, PIXELS * n->trunk[l].outs);
        if (l < 2) b->g_h[l] = floats(a, PIXELS * n->trunk[l].outs);
    }
    if (n->layers == 1) b->g_h[1] = b->g_h[0];
    b->skip_acc = floats(a, PIXELS * n->skip.outs), b->g_skip = floats(a, PIXELS * n->skip.outs);
    b->skip = floats(a, PIXELS * c * k);
    b->splits_acc = floats(a, PIXELS * n->splits.outs),
    b->g_splits = floats(a, PIXELS * n->splits.outs);
    b->first = floats(a, PIXELS * n->mixes[0].ins),
    b->g_first = floats(a, PIXELS * n->mixes[0].ins);
    b->pre = floats(a, PIXELS * n->split), b->sum = floats(a, PIXELS * n->split);
    b->mix_acc = floats(a, PIXELS * n->mixes[0].outs),
    b->second = floats(a, PIXELS * n->mixes[0].outs);
    b->g_second = floats(a, PIXELS * n->mixes[0].outs);
    b->head_acc = floats(a, PIXELS * head), b->g_head = floats(a, PIXELS * head);
    b->out = floats(a, PIXELS * n->heads[0].out), b->g_mean = floats(a, PIXELS * k);
    b->anchor = floats(a, PIXELS * c * k);
    b->residual = floats(a, PIXELS * c), b->known = floats(a, PIXELS * c),
    b->bits = floats(a, PIXELS);
}

/* ---- pixels ---- */

/* Pixel `i` of a block, from its window [tap][channel] and borders. */
static void look(const float_network *n, work *b, int64_t i, const uint8_t *window,
                 const uint8_t *border, const uint8_t *known) {
    const int64_t c = n->channels, across = 2 * n->radius + 1;
    const int64_t values = taps(n) * c;
    const uint8_t *north = window + ((n->radius - 1) * across + n->radius) * c;
    const uint8_t *west = window + values - c;
    float *x = b->x + i * n->skip.ins;
    for (int64_t e = 0; e < c; e++) {
        int w = west[e], nn = north[e], nw = north[e - c], ne = north[e + c];
        int reference = (w + nn + 1) >> 1;
        int anchors[ANCHORS] = {(2 * w + 2 * nn + 2) >> 2, w, nn, w + nn - nw,
                                (2 * w + 2 * nn - nw + ne + 2) >> 2};
        for (int64_t t = e; t < values; t += c) x[t] = (float)(window[t] - reference);
        for (int64_t j = 0; j < n->components; j++)
            b->anchor[(e * n->components + j) * PIXELS + i] = (float)anchors[j % ANCHORS];
        b->known[e * PIXELS + i] = known[e];
        b->residual[e * PIXELS + i] = (float)(known[e] - reference);
    }
    for (int64_t t = 0; t < 3 * n->radius; t++) x[values + t] = (float)(border[t] * 64);
}

/* What pixels see: window.py defines it.
 *
 * flat    pixels of all tiles, [pixel][channel]
 * places  [pixel][5]: the first pixel of its tile and the tile's side; row, column, valid columns
 * window, border, known  as `bitswap_gradient` reads them, overwritten */
EXPORT void bitswap_windows(const uint8_t *flat, const int64_t *places, int64_t count,
                            int64_t radius, int64_t channels, uint8_t *window, uint8_t *border,
                            uint8_t *known) {
    for (int64_t i = 0; i < count; i++, places += 5) {
        const int64_t side = places[1], y = places[2], x = places[3], last = places[4] - 1;
        const uint8_t *tile = flat + places[0] * channels;
        copy(known, tile + (y * side + x) * channels, channels);
        known += channels;
        for (int64_t j = 0; j < radius; j++) *border++ = y <= j;
        for (int64_t j = 0; j < radius; j++) *border++ = x <= j;
        for (int64_t j = 0; j < radius; j++) *border++ = last - x <= j;
        for (int64_t down = -radius; down <= 0; down++)
            for (int64_t right = -radius; right <= (down ? radius : -1); right++) {
                int64_t row = most(y + down, 0);
                int64_t column = least(most(x + right, 0), last);
                if (row == y && column >= x) {
                    row = x > 0 ? y : y - 1;
                    column = x > 0 ? x - 1 : 0;
                }
                if (row < 0) memset(window, UNKNOWN, (size_t)channels);
                else copy(window, tile + (row * side + column) * channels, channels);
                window += channels;
            }
    }
}

/* Bits of pixels, and their gradient.
 *
 * shape       channels, components, radius, layers, width, split
 * parameters  those of all layers, in the order of `list`; gradient: likewise, overwritten
 * film        [cell][2][layer][width] or NULL; film_gradient: likewise, overwritten
 * cells, each cells, and pixels of each
 * window      [pixel][tap][channel]; border [pixel][3 radius], 0 or 1; known [pixel][channel]
 * coded       [pixel]: so many channels count
 *
 * Returns the bits, or -1 where there is no memory or a shape has no room. */
EXPORT double bitswap_gradient(const int64_t *shape, const float *parameters, float *gradient,
                               const float *film, float *film_gradient, int64_t cells, int64_t each,
                               const uint8_t *window, const uint8_t *border, const uint8_t *known,
                               const uint8_t *coded, double soft) {
    float_network n = {.channels = shape[0],
                       .components = shape[1],
                       .radius = shape[2],
                       .layers = shape[3],
                       .width = shape[4],
                       .split = shape[5],
                       .film = film != NULL,
                       .soft = (float)soft};
    if (n.channels > MAX_CHANNELS || n.components > MAX_COMPONENTS || n.layers > MAX_LAYERS)
        return -1;
    float_layer *all[3 + MAX_LAYERS + 2 * MAX_CHANNELS];
    const int64_t layers = list(&n, all);
    work b;
    arena memory = {0};
    for (int pass = 0; pass < 2; pass++) { /* to count, and to take */
        if (pass && !reserve(&memory)) return -1;
        for (int64_t l = 0; l < layers; l++) place_dense(&memory, all[l]);
        place_block(&memory, &n, &b);
    }
    for (int64_t l = 0; l < layers; l++) load(all[l], parameters);
    gradient_block *const run = fastest();
    const int64_t films = 2 * n.layers * n.width, count = cells * each;
    const int64_t values = taps(&n) * n.channels, borders = 3 * n.radius;
    if (film) memset(film_gradient, 0, sizeof(float) * (size_t)(cells * films));
    double bits = 0;
    for (int64_t start = 0; start < count; start += PIXELS) {
        for (int64_t i = 0; i < PIXELS; i++) {
            int64_t at = start + i < count ? start + i : start;
            look(&n, &b, i, window + at * values, border + at * borders, known + at * n.channels);
            b.coded[i] = start + i < count ? coded[at] : 0;
            b.bits[i] = 0;
            if (film) {
                b.film[i] = film + at / each * films;
                b.g_film[i] = film_gradient + at / each * films;
            }
        }
        run(&n, &b);
        for (int64_t i = 0; i < PIXELS; i++) bits += b.bits[i];
    }
    for (int64_t l = 0; l < layers; l++) store(all[l], gradient);
    free(memory.whole);
    return bits;
}
#endif
