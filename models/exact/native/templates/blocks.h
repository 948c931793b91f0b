/* Blocks of coefficients; a set of instructions includes this behind pixels.h, with TARGET, the
 * attribute of every function. */
#include "coefficients/blocks.h"

#if UNIT == 1
typedef uint8_t input;
#else
typedef int16_t input;
#endif

/* ---- surroundings ---- */

TARGET INLINE int32_t signed_of(const int8_t *table, int32_t most, int32_t v) {
    const int32_t size = v < 0 ? -v : v, found = table[size < most ? size : most - 1];
    return v < 0 ? -found : found;
}

TARGET INLINE int32_t size_of(int32_t v) { return v < 0 ? -v : v; }

/* All that the first layer sees of a block. */
TARGET static void look_at_block(const block_network *n, const wave *w, int64_t at, input *to) {
    static const int8_t nothing[COEFFICIENTS] = {0};
    static const int16_t dark[2 * EDGE] = {0};
    const block_place *p = w->where + at;
    const plane *in = p->in;
    const int64_t here = p->row * in->columns + p->column, above = here - in->columns;
    const int there[4] = {p->column > 0, p->row > 0, p->row > 0 && p->column > 0,
                          p->row > 0 && p->column + 1 < in->columns};
    const int64_t places[4] = {here - 1, above, above - 1, above + 1};
    const int8_t *logs[4];
    const int16_t *edge[4];
    for (int i = 0; i < 4; i++) {
        logs[i] = there[i] ? in->signs + places[i] * COEFFICIENTS : nothing;
        edge[i] = there[i] ? in->edges + places[i] * 2 * EDGE : dark;
    }
    const int16_t *left = edge[0], *top = edge[1] + EDGE;
    int32_t total = 0, mean = 0;
    for (int i = 0; i < 8; i++) total += left[i] + top[i];
    const int shift = 2 + there[0] + there[1];
    if (shift > 2) mean = (total + (1 << (shift - 1))) >> shift;
    w->mean[at] = mean;
    int32_t pixels[SHOWN];
    for (int i = 0; i < EDGE; i++) {
        pixels[i] = there[0] ? left[i] - mean : 0;
        pixels[EDGE + i] = there[1] ? top[i] - mean : 0;
    }
    const int16_t *corner = edge[2];
    const int16_t corners[4] = {corner[14], corner[6], corner[15], corner[7]};
    for (int i = 0; i < 4; i++) pixels[2 * EDGE + i] = there[2] ? corners[i] - mean : 0;
    const int16_t *right = edge[3] + EDGE;
    for (int i = 0; i < 4; i++) {
        pixels[2 * EDGE + 4 + i] = there[3] ? right[8 + i] - mean : 0;
        pixels[2 * EDGE + 8 + i] = there[3] ? right[i] - mean : 0;
    }
    int16_t *seen = w->seen + at * PREDICTED;
    memset(seen, 0, PREDICTED * sizeof *seen);
    for (int i = 0; i < NEARBY / 2; i++) {
        seen[i] = (int16_t)clip(pixels[i], -PIXEL_MAX, PIXEL_MAX);
        seen[NEARBY / 2 + i] = (int16_t)clip(pixels[EDGE + i], -PIXEL_MAX, PIXEL_MAX);
    }
    for (int i = 0; i < SHOWN; i++) *to++ = (input)(OFFSET + signed_of(n->gray, GRAYS, pixels[i]));
    for (int j = 0; j < 2; j++)
        for (int k = 1; k < COEFFICIENTS; k++) *to++ = (input)(OFFSET + size_of(logs[j][k]));
    for (int k = 1; k < COEFFICIENTS; k++)
        *to++ = (input)(OFFSET + ((size_of(logs[2][k]) + size_of(logs[3][k]) + 1) >> 1));
    for (int j = 0; j < 2; j++)
        for (int k = 1; k <= SIGNED; k++) *to++ = (input)(OFFSET + logs[j][k]);
    for (int i = 0; i < 4; i++) *to++ = (input)(OFFSET + (there[i] ? 2 * in->last[places[i]] : 0));
    for (int i = 0; i < 4; i++) *to++ = (input)(OFFSET + 64 * there[i]);
    if (n->chroma) {
        const int8_t *others[2] = {in->luma + here * COEFFICIENTS, in->other + here * COEFFICIENTS};
        for (int j = 0; j < 2; j++) {
            for (int k = 1; k < COEFFICIENTS; k++) *to++ = (input)(OFFSET + size_of(others[j][k]));
            for (int k = 1; k <= SIGNED; k++) *to++ = (input)(OFFSET + others[j][k]);
        }
        *to++ = (input)(OFFSET + 64 * in->second);
    }
    for (int k = 0; k < COEFFICIENTS; k++) *to++ = (input)(OFFSET + 4 * in->statistics[k]);
    for (int k = 0; k < COEFFICIENTS; k++) *to++ = (input)(OFFSET + in->logs[k]);
}

/* ---- mixtures ---- */

/* What a head says -> a mixture, [component] each. */
TARGET INLINE void block_mixture(const block_network *n, const int16_t *out, const int32_t *anchor,
                                 int32_t base, int32_t *weight, int32_t *mean, int32_t *scale) {
    int32_t logit[COMPONENTS], share[COMPONENTS], sum = 0, rest = WEIGHTS;
    int first = 0;
    for (int j = 0; j < COMPONENTS; j++) {
        logit[j] = clip(out[j], LOGIT_LOW, LOGIT_HIGH);
        if (logit[j] > logit[first]) first = j;
    }
    for (int j = 0; j < COMPONENTS; j++) sum += share[j] = n->powers[logit[first] - logit[j]];
    for (int j = 0; j < COMPONENTS; j++) rest -= weight[j] = share[j] * WEIGHTS / sum;
    weight[first] += rest;
    for (int j = 0; j < COMPONENTS; j++) {
        mean[j] = clip(out[COMPONENTS + j] + anchor[j], -MEAN_MAX, MEAN_MAX);
        scale[j] = clip(out[2 * COMPONENTS + j] + base, 0, SCALE_LEVELS - 1);
    }
}

TARGET INLINE int32_t predicted(const int16_t *x, const int16_t *weight, int64_t start,
                                int32_t reciprocal) {
    int32_t sum = 0;
    for (int i = 0; i < PREDICTED; i++) sum += x[i] * weight[i];
    int64_t scaled = (((int64_t)sum + start) >> (PREDICTOR_BITS - 1)) * reciprocal;
    scaled >>= RECIPROCAL_BITS;
    return (int32_t)(scaled < -STEP_MAX ? -STEP_MAX : scaled > STEP_MAX ? STEP_MAX : scaled);
}

/* Predict coefficient k of a block, and write its local inputs. */
TARGET INLINE void guess(const block_network *n, const wave *w, int64_t at, int k, input *to) {
    static const int8_t nothing[COEFFICIENTS] = {0};
    const block_place *p = w->where + at;
    const plane *in = p->in;
    const int64_t here = p->row * in->columns + p->column, above = here - in->columns;
    const int16_t *weight = n->predictors + (int64_t)k * 2 * PREDICTED;
    int32_t *told = w->guess + 2 * at;
    int32_t sizes = 0, near[4], log[4];
    const int there[4] = {p->column > 0, p->row > 0, p->row > 0 && p->column > 0,
                          p->row > 0 && p->column + 1 < in->columns};
    const int64_t places[4] = {here - 1, above, above - 1, above + 1};
    for (int i = 0; i < 2; i++)
        told[i] =
            predicted(w->seen + at * PREDICTED, weight + i * PREDICTED,
                      k ? 0 : (int64_t)w->mean[at] * (1 << PREDICTOR_BITS), in->reciprocal[k]);
    for (int i = 0; i < 4; i++) {
        const int64_t of = places[i] * COEFFICIENTS + k;
        log[i] = there[i] ? in->signs[of] : 0;
        near[i] = there[i] && k ? size_of(in->x[of]) : 0;
        sizes += (i < 2 ? 5 : 3) * (near[i] < 255 ? near[i] : 255);
    }
    *to++ = (input)(OFFSET + log[0]);
    *to++ = (input)(OFFSET + size_of(log[0]));
    *to++ = (input)(OFFSET + log[1]);
    *to++ = (input)(OFFSET + size_of(log[1]));
    *to++ = (input)(OFFSET + size_of(log[2]));
    *to++ = (input)(OFFSET + size_of(log[3]));
    *to++ = (input)(OFFSET + signed_of(n->near, NEARS, sizes >> 1));
    for (int i = 0; i < 2; i++) {
        const int32_t fine = signed_of(n->fine, FINES, told[i]);
        *to++ = (input)(OFFSET + fine);
        *to++ = (input)(OFFSET + size_of(fine));
    }
    const int32_t last = w->last[at], rest = last - k;
    *to++ = (input)(OFFSET + n->rest[rest > 0 ? rest : 0]);
    *to++ = (input)(OFFSET + 2 * last);
    *to++ = (input)(OFFSET + (k && !rest ? 64 : 0));
    *to++ = (input)(OFFSET + 4 * in->statistics[k]);
    *to++ = (input)(OFFSET + in->logs[k]);
    if (n->chroma) {
        const int8_t *others[2] = {in->luma ? in->luma + here * COEFFICIENTS : nothing,
                                   in->other ? in->other + here * COEFFICIENTS : nothing};
        for (int j = 0; j < 2; j++) {
            *to++ = (input)(OFFSET + others[j][k]);
            *to++ = (input)(OFFSET + size_of(others[j][k]));
        }
    }
}

/* ---- the steps of a wave ---- */

TARGET static void begin_blocks(const block_network *n, const wave *w, int64_t count, scratch *s,
                                const mixtures *to) {
    static const int32_t none[COMPONENTS] = {0};
    const int64_t hidden = n->first->panels * OUTPUTS * UNIT, row = n->row * UNIT;
    const int16_t *film[CHUNK];
    for (int64_t first = 0; first < count; first += CHUNK) {
        const int64_t some = least(count - first, CHUNK);
        const block_place *where = w->where + first;
        char *rows = w->rows + first * row;
        for (int64_t i = 0; i < some; i++) {
            const plane *in = where[i].in;
            const int64_t cell =
                where[i].row / CELL * ((in->columns + CELL - 1) / CELL) + where[i].column / CELL;
            film[i] = in->film ? in->film + cell * 2 * n->context : 0;
            look_at_block(n, w, first + i, (input *)s->first + i * n->inputs);
        }
        strip seen = {s->first, s->second, n->inputs * UNIT, hidden, some, 0, 0, 0};
        dense_layer(n->first, &seen);
        strip context = {s->second, rows, hidden, row, some, 0, film[0] ? film : 0, n->context};
        dense_layer(n->second, &context);
        strip last = {rows, s->second, row, hidden, some, 0, 0, 0};
        dense_layer(n->last, &last);
        strip said = {s->second, (char *)s->out, hidden, 2 * OUTPUTS, some, 1, 0, 0};
        dense_layer(n->last + 1, &said);
        for (int64_t i = 0; i < some; i++) {
            const int64_t at = (first + i) * COMPONENTS;
            input *pairs = (input *)(rows + i * row) + n->context + n->locals;
            for (int j = 0; j < PAIRS; j++) pairs[j] = OFFSET; /* coefficients after the last */
            block_mixture(n, s->out + i * OUTPUTS, none, 0, to->weight + at, to->mean + at,
                          to->scale + at);
        }
    }
}

TARGET static void mix_blocks(const block_network *n, const wave *w, int64_t count, int k,
                              scratch *s, const mixtures *to) {
    const int64_t width = n->deep->panels * OUTPUTS * UNIT, row = n->mixes[k].groups * GROUP;
    for (int64_t first = 0; first < count; first += CHUNK) {
        const int64_t some = least(count - first, CHUNK);
        const int32_t *which = w->which + first;
        for (int64_t i = 0; i < some; i++) {
            char *x = w->rows + which[i] * n->row * UNIT;
            guess(n, w, which[i], k, (input *)x + n->context);
            memcpy(s->first + i * row, x, (size_t)row);
        }
        strip mixed = {s->first, s->second, row, width, some, 0, 0, 0};
        dense_layer(n->mixes + k, &mixed);
        strip deep = {s->second, s->first, width, width, some, 0, 0, 0};
        dense_layer(n->deep + k, &deep);
        strip said = {s->first, (char *)s->out, width, 2 * OUTPUTS, some, 1, 0, 0};
        dense_layer(n->heads + k, &said);
        for (int64_t i = 0; i < some; i++) {
            const plane *in = w->where[which[i]].in;
            const int32_t *told = w->guess + 2 * which[i];
            int32_t anchor[COMPONENTS] = {told[0], told[1], k ? 0 : told[0]};
            int32_t from = 0;
            if (!k) from = 16 * clip((told[0] + 8) >> 4, VALUE_LOW, VALUE_HIGH);
            else if (w->last[which[i]] == k) from = 8;
            for (int j = 0; j < COMPONENTS; j++) anchor[j] -= from;
            const int64_t at = (first + i) * COMPONENTS;
            block_mixture(n, s->out + i * OUTPUTS, anchor, 4 * in->statistics[k] + SCALE_OF_ONE,
                          to->weight + at, to->mean + at, to->scale + at);
        }
    }
}

TARGET static void take_value(const block_network *n, const wave *w, int64_t at, int k,
                              int32_t known) {
    const block_place *p = w->where + at;
    const plane *in = p->in;
    const int64_t here = p->row * in->columns + p->column;
    in->x[here * COEFFICIENTS + k] = (int16_t)known;
    if (!k) return;
    const int32_t log = signed_of(n->log, LOGS, known);
    input *pair = (input *)w->rows + at * n->row + n->context + n->locals + 2 * (k - 1);
    pair[0] = (input)(OFFSET + log);
    pair[1] = (input)(OFFSET + size_of(log));
    const int64_t gray = (int64_t)known * in->steps[k];
    const int64_t clipped = gray < -COEFFICIENT_MAX  ? -COEFFICIENT_MAX
                            : gray > COEFFICIENT_MAX ? COEFFICIENT_MAX
                                                     : gray;
    w->seen[at * PREDICTED + NEARBY + k - 1] = (int16_t)(8 * clipped);
}

TARGET static void finish_block(const block_network *n, const wave *w, int64_t at) {
    const block_place *p = w->where + at;
    const plane *in = p->in;
    const int64_t here = p->row * in->columns + p->column;
    const int16_t *x = in->x + here * COEFFICIENTS;
    int8_t *signs = in->signs + here * COEFFICIENTS;
    int16_t *edge = in->edges + here * 2 * EDGE;
    int32_t sums[2 * EDGE];
    in->last[here] = (uint8_t)w->last[at];
    memset(signs, 0, COEFFICIENTS);
    for (int i = 0; i < 2 * EDGE; i++) sums[i] = 1 << (PIXEL_SHIFT - 1);
    for (int k = 0; k <= w->last[at]; k++) {
        if (!x[k]) continue;
        const int64_t gray = (int64_t)x[k] * in->steps[k];
        const int32_t clipped = (int32_t)(gray < -COEFFICIENT_MAX  ? -COEFFICIENT_MAX
                                          : gray > COEFFICIENT_MAX ? COEFFICIENT_MAX
                                                                   : gray);
        const int16_t *basis = n->basis + (int64_t)k * 2 * EDGE;
        for (int i = 0; i < 2 * EDGE; i++) sums[i] += clipped * basis[i];
        if (k) signs[k] = (int8_t)signed_of(n->log, LOGS, x[k]);
    }
    for (int i = 0; i < 2 * EDGE; i++)
        edge[i] = (int16_t)clip(sums[i] >> PIXEL_SHIFT, -PIXEL_MAX, PIXEL_MAX);
}

#include "templates/learning.h"

static const block_layers blocks_of_set = {UNIT,         begin_blocks, mix_blocks,  take_value,
                                           finish_block, learn_lasts,  learn_values};
