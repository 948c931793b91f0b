/* The nouns of gradient.c and of its template. */
#ifndef BITSWAP_GRADIENT_H
#define BITSWAP_GRADIENT_H

#include "layers.h"

enum { MAX_LAYERS = 8 };
enum { PIXELS = 64 }; /* of a block */
enum { PAD = 16 };

/* A layer of `in` inputs and `out` outputs, `ins` and `outs` when padded. */
typedef struct {
    int64_t in, out, ins, outs, at; /* at: the first of its parameters among all */
    float *rows, *columns;          /* weights, [out][in] and [in][out] */
    float *scale, *bias;
    float *g_rows, *g_columns, *g_scale, *g_bias;
} float_layer;

typedef struct {
    int64_t channels, components, radius, layers, width, split, film;
    float soft;
    float_layer skip, splits, coded, trunk[MAX_LAYERS], mixes[MAX_CHANNELS], heads[MAX_CHANNELS];
} float_network;

/* Pixels on their way: arrays [pixel][value], but [value][pixel] for what a mixture is made of. */
typedef struct {
    float *x, *acc[MAX_LAYERS], *h[MAX_LAYERS], *g_h[2];
    float *skip_acc, *skip, *g_skip, *splits_acc, *g_splits;
    float *first, *pre, *sum, *mix_acc, *second, *head_acc, *out;
    float *g_mean, *g_head, *g_second, *g_first;
    float *anchor, *residual, *known, *bits;
    const float *film[PIXELS];
    float *g_film[PIXELS];
    int64_t coded[PIXELS];
} work;

/* A block of pixels: its bits, and their gradient to all integers and films. */
typedef void gradient_block(const float_network *n, const work *b);

#endif
