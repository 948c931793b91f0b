/* Exact-integer layers over int16 activations, behind a plain C ABI (see kernel.py).
 *
 * Activations are B x H x W x C, channels last. A layer is a dot product of each pixel's patch
 * (size x size x C values and, in a relative layer, its C reference values) with the weights of
 * each output, in groups of 4 bytes, that is 2 values or, where all are in 0..255 and the machine
 * can, 4: one instruction multiplies a group with the weights of 8 or 16 outputs.
 * IntegerConv.load has proved that no sum leaves 24 bits and no product 32.
 */
#include "convolution.h"
#include "sets.h"

enum { ABI = 8 };

EXPORT int64_t bitswap_layers_abi(void) { return ABI; }

/* Whether there is a variant for a set of instructions that this machine has. */
EXPORT int64_t bitswap_layers_supports(int64_t which) {
    const set *s = bitswap_set(which);
    return s && s->words;
}

/* One layer over whole images; 0, or -1 where there is no memory. */
EXPORT int64_t bitswap_layers_run(int64_t which, const layer *l, const int16_t *x,
                                  const int16_t *reference, const int16_t *add, int16_t *y,
                                  int64_t batch, int64_t height, int64_t width, int64_t low,
                                  int64_t high) {
    const set *s = bitswap_set(which);
    const int64_t value = sizeof *x, values = batch * height * width * l->inputs;
    images m = {
        .x = x,
        .reference = reference,
        .pixel = l->inputs * value,
        .other = l->relative * value,
        .add = add,
        .y = y,
        .batch = batch,
        .height = height,
        .width = width,
        .low = low,
        .high = high,
    };
    char *bytes = 0, *patches = 0;
    if (l->bytes && s->bytes && (s->any_weights || l->ones)) {
        bytes = malloc((size_t)values + 1);
        if (!bytes) return -1;
        if (s->narrow(x, (uint8_t *)bytes, values)) m.x = bytes, m.pixel = l->inputs;
    }
    if (l->size > 1 || l->relative || m.pixel % GROUP) {
        patches = calloc((size_t)(ROWS * groups_of(l, &m)), GROUP);
        if (!patches) {
            free(bytes);
            return -1;
        }
    }
    if (m.x == bytes) s->bytes(l, &m, l->bytes, patches);
    else s->words(l, &m, l->weight, patches);
    free(patches);
    free(bytes);
    return 0;
}

/* Add up the values of an image over squares of 2^bits pixels a side, and shift them down. */
static void add_up(const int16_t *x, int64_t height, int64_t width, int64_t channels, int64_t bits,
                   int64_t down, int16_t *y) {
    const int64_t columns = width >> bits;
    for (int64_t i = 0; i < height >> bits; i++, y += columns * channels) {
        memset(y, 0, (size_t)(columns * channels) * sizeof *y);
        for (int64_t row = i << bits; row < (i + 1) << bits; row++)
            for (int64_t j = 0; j < width; j++, x += channels) {
                int16_t *restrict to = y + (j >> bits) * channels;
                for (int64_t c = 0; c < channels; c++) to[c] = (int16_t)(to[c] + x[c]);
            }
        for (int64_t k = 0; k < columns * channels; k++) y[k] = (int16_t)(y[k] >> down);
    }
}

/* The same with outputs pooled, image by image, for which memory is near. */
EXPORT int64_t bitswap_layers_pooled(int64_t which, const layer *l, const int16_t *x,
                                     const int16_t *reference, int16_t *y, int64_t batch,
                                     int64_t height, int64_t width, int64_t low, int64_t high,
                                     int64_t bits, int64_t down) {
    const int64_t pixels = height * width, step = (pixels >> 2 * bits) * l->outputs;
    int16_t *whole = malloc((size_t)(pixels * l->outputs) * sizeof *whole + 1);
    int64_t error = whole ? 0 : -1;
    for (int64_t b = 0; b < batch && !error; b++) {
        const int16_t *other = reference ? reference + b * pixels * l->relative : 0;
        error = bitswap_layers_run(which, l, x + b * pixels * l->inputs, other, 0, whole, 1, height,
                                   width, low, high);
        if (!error) add_up(whole, height, width, l->outputs, bits, down, y + b * step);
    }
    free(whole);
    return error;
}

/* ---- mixtures ---- */

/* What a head says of one channel -> mixtures, components last; distributions.py defines it.
 * out: [pixel][3 * components + channels - 1]; ref, residual: [pixel][channels]. */
EXPORT void bitswap_layers_mixture(const int16_t *out, const int16_t *ref, const int16_t *residual,
                                   const int32_t *powers, int64_t pixels, int64_t channels,
                                   int64_t channel, int64_t components, int32_t *weight,
                                   int32_t *mean, int32_t *scale) {
    const int count = (int)components;
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        const int16_t *gain = out + 3 * count;
        int32_t base = 16 * ref[channel], shift = 0, largest = LOGIT_LOW, sum = 0;
        for (int64_t j = 0; j < channel; j++)
            shift += clip(gain[j], -MAX_GAIN, MAX_GAIN) * residual[j];
        base += shift >> 2;
        int32_t logit[MAX_COMPONENTS], share[MAX_COMPONENTS], rest = WEIGHTS;
        for (int k = 0; k < count; k++) {
            logit[k] = clip(out[k], LOGIT_LOW, LOGIT_HIGH);
            largest = logit[k] > largest ? logit[k] : largest;
            mean[k] = clip(out[count + k] + base, -MEAN_LIMIT, MEAN_LIMIT);
            scale[k] = clip(out[2 * count + k], 0, SCALE_LEVELS - 1);
        }
        for (int k = 0; k < count; k++) sum += share[k] = powers[largest - logit[k]];
        for (int k = 0; k < count; k++) rest -= weight[k] = share[k] * WEIGHTS / sum;
        int first = 0;
        while (logit[first] < largest) first++;
        weight[first] += rest;
        out += 3 * count + channels - 1;
        ref += channels, residual += channels;
        weight += count, mean += count, scale += count;
    }
}

#ifdef _WIN32
/* setuptools exports it from every extension; this library is loaded by ctypes alone. */
EXPORT void *PyInit__kernel(void) { return 0; }
#endif
