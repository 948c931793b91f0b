/* The nouns of the pixel VAE's likelihood, in lockstep.
 *
 * lockstep.py says which pixels are coded when, pixel_vae.py what their mixtures are; this is the
 * same in exact integers. A pixel's *trunk* is what does not depend on the pixel itself; then
 * come its channels one by one. Both go through CHUNK pixels at a time, layer by layer, so that
 * activations stay in the first level cache.
 *
 * The first layers see differences to a reference, w * (x - r) = w * x - r * sum(w): their inputs
 * are the bytes of the window, and the references as further inputs of 16 bits. No sum of these
 * products leaves 32 bits.
 *
 * Rows of activations are padded to whole panels of outputs, and chunks to whole blocks of pixels:
 * what is computed there is never looked at. Nothing here is global.
 */
#ifndef BITSWAP_PIXELS_H
#define BITSWAP_PIXELS_H

#include "layers.h"

enum { MAX_RADIUS = 5 };
enum { MAX_WINDOW = MAX_CHANNELS * 2 * MAX_RADIUS * (MAX_RADIUS + 1) + 3 * MAX_RADIUS };
enum { CHUNK = 96 }; /* pixels, whole blocks of ROWS */

typedef struct {
    const char *weight; /* [panel][group][OUTPUTS][GROUP bytes] */
    const int32_t *scale, *bias;
    int64_t groups, words; /* of a row of inputs: groups of its values, of 16-bit values */
    int64_t panels, shift;
} dense;

typedef struct {
    int64_t channels, radius, layers, split, components, cell;
    int64_t film;          /* values of a film's layer: width padded to panels */
    const int32_t *powers; /* see distributions.py */
    const dense *skip, *splits, *trunk, *mixes, *heads; /* trunk: layers; mixes, heads: channels */
    const int32_t *coded; /* weights [channel][earlier channel][padded split] */
    const int32_t *coded_scale, *coded_bias; /* [channel][padded split] */
    int64_t coded_shift;
    int64_t gray; /* whether tiles are the one channel that others repeat, see look() */
} network;

typedef struct {
    uint8_t *pixels; /* [tiles][side][side][channels] */
    const int32_t *sizes; /* [tiles][3]: rows, columns, coded channels */
    const int16_t *film; /* [tiles][cells][2][layers][film], or NULL */
    int64_t tiles, side;
    int64_t coded; /* the most channels that a tile codes; the others code one */
} group;

typedef struct {
    int64_t tile, y, x;
} place;

/* Pixels with what their trunks say: arrays of `room` pixels each. */
typedef struct {
    int64_t room;
    place *where;
    int16_t *splits; /* [pixel][channel][padded split] */
    int16_t *skip; /* [pixel][padded outputs] */
    int16_t *anchors; /* [pixel][channel][MAX_COMPONENTS] */
    int32_t *reference, *known; /* [channel][pixel] */
    int64_t *at; /* [channel][pixel]: the place of a pixel's parameters */
} pool;

/* Room for a chunk between layers. */
typedef struct {
    char *first, *second;
    int16_t *out;
} scratch;

typedef struct {
    int32_t *weight, *mean, *scale; /* [symbol][component] */
} mixtures;

/* Rows that a layer goes through. */
typedef struct {
    const char *x;
    char *y;
    int64_t from, to; /* bytes between rows of x, of y */
    int64_t count;
    int linear; /* whether y is int16, else activations */
    const int16_t *const *film; /* of each row, or NULL */
    int64_t shift; /* from a film's gain to its shift */
} strip;

/* What is compiled for a set of instructions. */
typedef struct {
    int64_t unit; /* bytes of an activation */
    void (*layer)(const dense *l, const strip *m);
    void (*windows)(const network *n, const group *g, const pool *all, int64_t first, int count,
                    char *to);
    void (*earlier)(const network *n, const pool *all, int64_t first, int count, int channel,
                    char *y);
    void (*mix)(const network *n, const pool *all, int64_t first, int count, int channel,
                const int16_t *out, const mixtures *to);
} pixel_layers;

#endif
