/* The pixel VAE's layers, but not its mixtures; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   DOT     the dot product,
 *   UNIT    bytes of an activation: 2, or 1 if the dot product is one of bytes,
 *   WIDTH   numbers of a vector.
 */
#include "pixels/window.h"
#include "templates/vectors.h"

enum { LINEAR, ACTIVE, FILMED };

/* Sums of one panel of one pixel -> its outputs. */
TARGET INLINE void V(finish)(const int32_t *sums, const int32_t *scale, const int32_t *bias,
                             int shift, const int16_t *gain, int64_t add, char *y, const int kind,
                             const int unit) {
    for (int o = 0; o < OUTPUTS; o += WIDTH) {
        V(vector) a = V(times)(V(load)(sums + o), V(load)(scale + o));
        a = V(shift)(V(plus)(a, V(load)(bias + o)), shift);
        if (kind != ACTIVE) a = CLIP(a, -LIMIT, LIMIT);
        if (kind == FILMED) {
            V(vector) more = V(shift)(V(times)(a, V(widen)(gain + o)), 6);
            a = V(plus)(V(plus)(a, more), V(widen)(gain + add + o));
        }
        if (kind == LINEAR) V(words)(y + 2 * o, a);
        else V(active)(y + unit * o, a, unit);
    }
}

/* Blocks of ROWS rows; those after the last are padding, with no film of their own. */
TARGET static void dense_layer(const dense *l, const strip *m) {
    const int64_t passes = (l->panels + PANELS - 1) / PANELS;
    const int64_t most_panels = (l->panels + passes - 1) / passes;
    const int64_t bytes = (l->groups + l->words) * GROUP * OUTPUTS; /* of a panel */
    const int shift = (int)l->shift, width = m->linear ? 2 : UNIT;
    for (int64_t first = 0; first < m->count; first += ROWS) {
        const char *x[ROWS];
        for (int r = 0; r < ROWS; r++) x[r] = m->x + (first + r) * m->from;
        for (int64_t v = 0; v < l->panels; v += most_panels) {
            const int some = (int)least(l->panels - v, most_panels);
            block sums;
            DOT(x, l->weight + v * bytes, l->groups, l->words, some, sums);
            for (int r = 0; r < ROWS; r++) {
                const int16_t *film = 0;
                if (m->film) film = m->film[first + r < m->count ? first + r : 0];
                char *y = m->y + (first + r) * m->to + v * OUTPUTS * width;
                for (int s = 0; s < some; s++, y += OUTPUTS * width) {
                    const int64_t o = (v + s) * OUTPUTS;
                    const int32_t *sum = sums[r][s], *scale = l->scale + o;
                    const int32_t *bias = l->bias + o;
                    if (m->linear) V(finish)(sum, scale, bias, shift, 0, 0, y, LINEAR, UNIT);
                    else if (!film) V(finish)(sum, scale, bias, shift, 0, 0, y, ACTIVE, UNIT);
                    else V(finish)(sum, scale, bias, shift, film + o, m->shift, y, FILMED, UNIT);
                }
            }
        }
    }
}

typedef int32_t residuals[CHUNK];

/* What pixels say of a channel once those before it are known: rows of activations. */
TARGET INLINE void see(const network *n, const int16_t *own, int count, const int channel,
                       residuals *residual, char *y) {
    const int64_t split = padded(n->split, OUTPUTS), all = n->channels * split;
    const int32_t *weight = n->coded + channel * all;
    const int32_t *scale = n->coded_scale + channel * split;
    const int32_t *bias = n->coded_bias + channel * split;
    const int shift = (int)n->coded_shift;
    for (int64_t o = 0; o < split; o += WIDTH)
        for (int i = 0; i < count; i++) {
            V(vector) sum = V(fill)(0);
            for (int j = 0; j < channel; j++)
                sum = V(plus)(sum,
                              V(times)(V(load)(weight + j * split + o), V(fill)(residual[j][i])));
            sum = V(plus)(V(times)(sum, V(load)(scale + o)), V(load)(bias + o));
            sum = CLIP(V(shift)(sum, shift), -LIMIT, LIMIT);
            sum = V(plus)(sum, V(widen)(own + i * all + o));
            V(active)(y + (i * split + o) * UNIT, sum, UNIT);
        }
}
TARGET static void earlier(const network *n, const pool *all, int64_t first, int count, int channel,
                           char *y) {
    const int64_t split = padded(n->split, OUTPUTS);
    const int16_t *own = all->splits + (first * n->channels + channel) * split;
    residuals residual[MAX_CHANNELS];
    for (int j = 0; j < channel; j++)
        for (int i = 0; i < CHUNK; i++) {
            const int64_t at = j * all->room + first + i;
            residual[j][i] = all->known[at] - all->reference[at];
        }
    switch (channel) {
        case 0: see(n, own, count, 0, residual, y); break;
        case 1: see(n, own, count, 1, residual, y); break;
        case 2: see(n, own, count, 2, residual, y); break;
        default: see(n, own, count, channel, residual, y);
    }
}

TARGET static void windows(const network *n, const group *g, const pool *all, int64_t first,
                           int count, char *to) {
    const int64_t row = (n->skip->groups + n->skip->words) * GROUP;
    for (int i = 0; i < count; i++) look(n, g, all, first + i, to + i * row, UNIT);
}

#undef DOT
#undef WIDTH
