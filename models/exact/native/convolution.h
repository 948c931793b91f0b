/* What the convolutions of kernel.c and binary.c share: a layer, its patches, its outputs. */
#ifndef BITSWAP_CONVOLUTION_H
#define BITSWAP_CONVOLUTION_H

#include "layers.h"

typedef struct {
    /* Weights: of a layer of numbers, or NULL */
    const void *weight; /* int16 [panel][group][OUTPUTS][2] */
    const void *bytes;  /* int8 [panel][group][OUTPUTS][4]; NULL if relative */
    /* of a layer of signs, or NULL: a bit is 1 for -1, the inputs of a tap begin with a byte */
    const void *bits; /* [panel][group][OUTPUTS][4] bytes */
    const int16_t *totals; /* sums of the weights of a tap, [tap][outputs] */
    const int32_t *scale, *bias;
    int64_t inputs, outputs, size, shift;
    int64_t relative; /* channels of the reference, or 0: then pixels outside are 0 */
    int64_t ones; /* 1 if `bytes` are all in -1..1 */
} layer; /* outputs are padded to whole panels, patches to whole groups, with zeros */

typedef struct {
    const void *x, *reference;
    int64_t pixel, other; /* bytes of a pixel of x, and of the reference */
    const int16_t *add;
    int16_t *y;
    int64_t batch, height, width;
    int64_t low, high; /* of the outputs */
} images;

/* Groups of a patch. */
INLINE int64_t groups_of(const layer *l, const images *m) {
    return (l->size * l->size * m->pixel + m->other + GROUP - 1) / GROUP;
}

/* ---- patches, in bytes ---- */

INLINE int64_t nearest(int64_t at, int64_t size) { return at < 0 ? 0 : at >= size ? size - 1 : at; }

/* Copy the patch around row i, column j of one image; the pixel is `pixel` of all images. */
INLINE void gather(const layer *l, const images *m, int64_t pixel, int64_t i, int64_t j,
                   char *patch) {
    const int64_t edge = l->size / 2, height = m->height, width = m->width;
    const int64_t bytes = m->pixel, across = l->size * bytes;
    const char *image = (const char *)m->x + (pixel - i * width - j) * bytes;
    const int near = i < edge || i + edge >= height || j < edge || j + edge >= width;
    const char *line = (const char *)m->x + (pixel - edge * width - edge) * bytes;
    for (int64_t k = 0; !near && k < l->size; k++, line += width * bytes, patch += across)
        copy(patch, line, across);
    for (int64_t row = i - edge; near && row <= i + edge; row++) {
        line = image + nearest(row, height) * width * bytes;
        int inside = l->relative || (row >= 0 && row < height);
        if (inside && j >= edge && j + edge < width) {
            copy(patch, line + (j - edge) * bytes, across);
            patch += across;
            continue;
        }
        for (int64_t column = j - edge; column <= j + edge; column++, patch += bytes) {
            if (inside && (l->relative || (column >= 0 && column < width)))
                copy(patch, line + nearest(column, width) * bytes, bytes);
            else memset(patch, 0, (size_t)bytes);
        }
    }
    if (l->relative) copy(patch, (const char *)m->reference + pixel * m->other, m->other);
}

/* ---- outputs ---- */

/* What a layer of numbers makes of its sums before they become outputs. */
#define AS_THEY_ARE(l, m, i, j, first, panels, sums)

/* Sums of one panel of one pixel -> its outputs. */
INLINE void requantize_panel(const images *m, const int32_t *sums, const int32_t *scale,
                             const int32_t *bias, int shift, const int16_t *restrict add,
                             int16_t *restrict y) {
    const int32_t low = (int32_t)m->low, high = (int32_t)m->high;
    for (int o = 0; o < OUTPUTS; o++) {
        int32_t value = clip((sums[o] * scale[o] + bias[o]) >> shift, -LIMIT, LIMIT);
        y[o] = (int16_t)clip(value + add[o], low, high);
    }
}

/* Sums of one pixel -> outputs first..first + count - 1 of it. */
INLINE void requantize(const layer *l, const images *m, const int32_t *sums, int64_t pixel,
                       int64_t first, int count) {
    static const int16_t nothing[OUTPUTS];
    const int32_t *scale = l->scale + first, *bias = l->bias + first;
    const int16_t *add = m->add ? m->add + pixel * l->outputs + first : nothing;
    const int step = m->add ? OUTPUTS : 0, shift = (int)l->shift;
    int16_t *y = m->y + pixel * l->outputs + first;
    for (; count >= OUTPUTS; count -= OUTPUTS) {
        requantize_panel(m, sums, scale, bias, shift, add, y);
        sums += OUTPUTS, scale += OUTPUTS, bias += OUTPUTS, y += OUTPUTS, add += step;
    }
    if (count) {
        int16_t more[OUTPUTS] = {0}, all[OUTPUTS];
        if (m->add) copy(more, add, count * (int64_t)sizeof *add);
        requantize_panel(m, sums, scale, bias, shift, more, all);
        copy(y, all, count * (int64_t)sizeof *y);
    }
}

typedef void convolution(const layer *l, const images *m, const char *weights, char *patches);

#endif
