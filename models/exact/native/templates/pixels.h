/* What the pixel VAE's layers are told; a set of instructions includes this, behind dense.h, with
 *   TARGET  the attribute of every function,
 *   UNIT    bytes of an activation: 2, or 1 if the dot product is one of bytes,
 *   WIDTH   numbers of a vector.
 */
#include "pixels/window.h"
#include "templates/vectors.h"

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

/* Compilers make more of shapes that they know. */
TARGET static void windows(const network *n, const group *g, const pool *all, int64_t first,
                           int count, char *to) {
    const int64_t row = (n->skip->groups + n->skip->words) * GROUP;
    const int64_t radius = n->radius, channels = n->channels;
    const int gray = n->gray != 0, wide = !gray && radius == 4;
    for (int i = 0; i < count; i++, first++, to += row) {
        if (gray && radius == 2) look(n, g, all, first, to, UNIT, 1, 2, 1);
        else if (gray && radius == 3) look(n, g, all, first, to, UNIT, 1, 3, 1);
        else if (wide && channels == 1) look(n, g, all, first, to, UNIT, 0, 4, 1);
        else if (wide && channels == 3) look(n, g, all, first, to, UNIT, 0, 4, 3);
        else look(n, g, all, first, to, UNIT, gray, radius, channels);
    }
}

#undef WIDTH
