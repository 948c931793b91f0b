/* Exact-integer layers over int16 activations, behind a plain C ABI (see kernel.py).
 *
 * Activations are B x H x W x C, channels last. A layer is a dot product of each pixel's patch
 * (size x size x C values and, in a relative layer, its C reference values) with the weights of
 * each output, in groups of 4 bytes, that is 2 values or, where all are in 0..255 and the machine
 * can, 4: one instruction multiplies a group with the weights of 8 or 16 outputs.
 * IntegerConv.load has proved that no sum leaves 24 bits and no product 32.
 *
 * Nothing here is global. Right shifts of negative numbers are arithmetic, as in every compiler we
 * know of; the tests compare all of this with the definition.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#if defined(_MSC_VER)
#define restrict __restrict
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")
#else
#define INLINE static inline
#define UNROLL
#endif

#if defined(__x86_64__) && defined(__GNUC__)
#define X86 1
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#endif

enum { ABI = 1, LIMIT = 32767 };
enum { PLAIN, WITH_AVX2, WITH_AVX512, WITH_VNNI, VARIANTS };
enum { OUTPUTS = 16 }; /* of a panel of weights */
enum { PANELS = 4 };   /* at most, of one pass over a patch */
enum { ROWS = 6 };     /* pixels of a block: ROWS * PANELS sums fit the registers of AVX-512 */
enum { GROUP = 4 };    /* bytes */

typedef struct {
    const void *weight; /* int16 [panel][group][OUTPUTS][2] */
    const void *bytes;  /* int8 [panel][group][OUTPUTS][4], or NULL */
    const int32_t *scale, *bias; /* padded to whole panels */
    int64_t inputs, outputs, size, shift;
    int64_t relative; /* channels of the reference, or 0: then pixels outside are 0 */
} layer;

typedef struct {
    const void *x, *reference;
    int64_t unit; /* bytes of a value of x */
    const int16_t *add;
    int16_t *y;
    int64_t batch, height, width;
    int64_t low, high; /* of the outputs */
} images;

EXPORT int64_t bitswap_layers_abi(void) { return ABI; }

/* Groups of a patch. */
INLINE int64_t groups_of(const layer *l, const images *m) {
    return ((l->size * l->size * l->inputs + l->relative) * m->unit + GROUP - 1) / GROUP;
}

INLINE int32_t clip(int32_t value, int32_t low, int32_t high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* ---- patches, in bytes ---- */

INLINE int64_t nearest(int64_t at, int64_t size) {
    return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/* memcpy, without a call for the few bytes that most copies have. */
INLINE void copy(char *to, const char *from, int64_t n) {
#define ENDS(SIZE) memcpy(to, from, SIZE), memcpy(to + n - SIZE, from + n - SIZE, SIZE)
    if (n > 32) memcpy(to, from, (size_t)n);
    else if (n >= 16) ENDS(16);
    else if (n >= 8) ENDS(8);
    else if (n >= 4) ENDS(4);
    else if (n >= 2) ENDS(2);
    else *to = *from;
#undef ENDS
}

/* Copy the patch around row i, column j of one image; the pixel is `pixel` of all images. */
INLINE void gather(const layer *l, const images *m, int64_t pixel, int64_t i, int64_t j,
                   char *patch) {
    const int64_t edge = l->size / 2, height = m->height, width = m->width;
    const int64_t values = l->inputs * m->unit; /* of a pixel */
    const char *image = (const char *)m->x + (pixel - i * width - j) * values;
    for (int64_t row = i - edge; row <= i + edge; row++) {
        const char *line = image + nearest(row, height) * width * values;
        int inside = l->relative || (row >= 0 && row < height);
        if (inside && j >= edge && j + edge < width) {
            copy(patch, line + (j - edge) * values, l->size * values);
            patch += l->size * values;
            continue;
        }
        for (int64_t column = j - edge; column <= j + edge; column++, patch += values) {
            if (inside && (l->relative || (column >= 0 && column < width)))
                copy(patch, line + nearest(column, width) * values, values);
            else
                memset(patch, 0, (size_t)values);
        }
    }
    if (l->relative) {
        const int64_t references = l->relative * m->unit;
        copy(patch, (const char *)m->reference + pixel * references, references);
    }
}

/* ---- dot products of ROWS patches with some panels of weights ---- */

typedef int32_t block[ROWS][PANELS][OUTPUTS];

INLINE void dot_plain(const char *const *rows, const char *weight, int64_t groups, int panels,
                      block sums) {
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int r = 0; r < ROWS; r++) {
            int32_t sum[OUTPUTS] = {0};
            for (int64_t i = 0; i < groups; i++) {
                const int16_t *w = (const int16_t *)(weight + i * GROUP * OUTPUTS);
                int16_t x[2];
                memcpy(x, rows[r] + i * GROUP, sizeof x);
                for (int o = 0; o < OUTPUTS; o++) sum[o] += w[2 * o] * x[0] + w[2 * o + 1] * x[1];
            }
            memcpy(sums[r][v], sum, sizeof sum);
        }
}

#if X86
INLINE int32_t group_at(const char *row, int64_t i) {
    int32_t group;
    memcpy(&group, row + i * GROUP, sizeof group);
    return group;
}

AVX2 INLINE void dot_avx2(const char *const *rows, const char *weight, int64_t groups,
                          int panels, block sums) {
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS) {
        __m256i sum[ROWS][2];
        UNROLL for (int r = 0; r < ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
        for (int64_t i = 0; i < groups; i++) {
            const __m256i *w = (const __m256i *)(weight + i * GROUP * OUTPUTS);
            __m256i left = _mm256_loadu_si256(w), right = _mm256_loadu_si256(w + 1);
            UNROLL for (int r = 0; r < ROWS; r++) {
                __m256i x = _mm256_set1_epi32(group_at(rows[r], i));
                sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, left));
                sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, right));
            }
        }
        UNROLL for (int r = 0; r < ROWS; r++) {
            _mm256_storeu_si256((__m256i *)sums[r][v], sum[r][0]);
            _mm256_storeu_si256((__m256i *)(sums[r][v] + 8), sum[r][1]);
        }
    }
}

/* The same for every kind of AVX-512, which differ in how they multiply and add. */
#define DOT_512(NAME, TARGET, ADD_PRODUCTS)                                                        \
    TARGET INLINE void NAME##_panels(const char *const *rows, const char *weight, int64_t groups,  \
                                     const int panels, block sums) {                               \
        __m512i sum[ROWS][PANELS];                                                                 \
        UNROLL for (int r = 0; r < ROWS; r++)                                                      \
            UNROLL for (int v = 0; v < panels; v++) sum[r][v] = _mm512_setzero_si512();            \
        for (int64_t i = 0; i < groups; i++) {                                                     \
            __m512i w[PANELS];                                                                     \
            UNROLL for (int v = 0; v < panels; v++)                                                \
                w[v] = _mm512_loadu_si512(weight + (v * groups + i) * GROUP * OUTPUTS);            \
            UNROLL for (int r = 0; r < ROWS; r++) {                                                \
                __m512i x = _mm512_set1_epi32(group_at(rows[r], i));                               \
                UNROLL for (int v = 0; v < panels; v++)                                            \
                    sum[r][v] = ADD_PRODUCTS(sum[r][v], x, w[v]);                                  \
            }                                                                                      \
        }                                                                                          \
        UNROLL for (int r = 0; r < ROWS; r++)                                                      \
            UNROLL for (int v = 0; v < panels; v++) _mm512_storeu_si512(sums[r][v], sum[r][v]);    \
    }                                                                                              \
    TARGET INLINE void NAME(const char *const *rows, const char *weight, int64_t groups,           \
                            int panels, block sums) {                                              \
        switch (panels) {                                                                          \
            case 1: NAME##_panels(rows, weight, groups, 1, sums); break;                           \
            case 2: NAME##_panels(rows, weight, groups, 2, sums); break;                           \
            case 3: NAME##_panels(rows, weight, groups, 3, sums); break;                           \
            default: NAME##_panels(rows, weight, groups, PANELS, sums);                            \
        }                                                                                          \
    }

#define MULTIPLY_THEN_ADD(sum, x, w) _mm512_add_epi32(sum, _mm512_madd_epi16(x, w))
DOT_512(dot_avx512, AVX512, MULTIPLY_THEN_ADD)
DOT_512(dot_vnni, VNNI, _mm512_dpwssd_epi32)
DOT_512(dot_bytes, VNNI, _mm512_dpbusd_epi32)
#endif

/* ---- layers ---- */

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
        if (m->add) copy((char *)more, (const char *)add, count * (int64_t)sizeof *add);
        requantize_panel(m, sums, scale, bias, shift, more, all);
        copy((char *)y, (const char *)all, count * (int64_t)sizeof *y);
    }
}

/* `patches` is room for ROWS of them, or NULL where pixels are their own patches. */
#define LAYER(NAME, TARGET, DOT)                                                                   \
    TARGET static void NAME(const layer *l, const images *m, const char *weights, char *patches) { \
        const int64_t pixels = m->batch * m->height * m->width;                                    \
        const int64_t groups = groups_of(l, m);                                                    \
        const char *rows[ROWS];                                                                    \
        block sums;                                                                                \
        int64_t i = 0, j = 0;                                                                      \
        for (int64_t first = 0; first < pixels; first += ROWS) {                                   \
            int count = (int)(pixels - first < ROWS ? pixels - first : ROWS);                      \
            for (int r = 0; r < ROWS; r++) {                                                       \
                int64_t at = r < count ? r : 0;                                                    \
                rows[r] = patches ? patches + at * groups * GROUP                                  \
                                  : (const char *)m->x + (first + at) * groups * GROUP;            \
            }                                                                                      \
            for (int r = 0; patches && r < count; r++) {                                           \
                gather(l, m, first + r, i, j, patches + r * groups * GROUP);                       \
                j = j + 1 < m->width ? j + 1 : 0;                                                  \
                i = j ? i : i + 1 < m->height ? i + 1 : 0;                                         \
            }                                                                                      \
            const char *weight = weights;                                                          \
            for (int64_t o = 0; o < l->outputs; o += PANELS * OUTPUTS) {                           \
                int64_t rest = l->outputs - o;                                                     \
                int some = (int)(rest < PANELS * OUTPUTS ? rest : PANELS * OUTPUTS);               \
                DOT(rows, weight, groups, (some + OUTPUTS - 1) / OUTPUTS, sums);                   \
                weight += PANELS * groups * GROUP * OUTPUTS;                                       \
                for (int r = 0; r < count; r++)                                                    \
                    requantize(l, m, sums[r][0], first + r, o, some);                              \
            }                                                                                      \
        }                                                                                          \
    }

LAYER(layer_plain, , dot_plain)
#if X86
LAYER(layer_avx2, AVX2, dot_avx2)
LAYER(layer_avx512, AVX512, dot_avx512)
LAYER(layer_vnni, VNNI, dot_vnni)
LAYER(layer_bytes, VNNI, dot_bytes)

/* Copy n values as bytes; 0 if one is not in 0..255. */
VNNI static int narrow(const int16_t *x, uint8_t *bytes, int64_t n) {
    int16_t seen = 0;
    for (int64_t i = 0; i < n; i++) {
        seen |= x[i];
        bytes[i] = (uint8_t)x[i];
    }
    return (seen & ~255) == 0;
}
#endif

/* 1 if this machine has the instructions of a variant. */
EXPORT int64_t bitswap_layers_supports(int64_t variant) {
#if X86
    __builtin_cpu_init();
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    if (variant == WITH_AVX2) return __builtin_cpu_supports("avx2") != 0;
    if (variant == WITH_AVX512) return wide;
    if (variant == WITH_VNNI) return wide && __builtin_cpu_supports("avx512vnni");
#endif
    return variant == PLAIN;
}

/* One layer over whole images; 0, or -1 where there is no memory. */
EXPORT int64_t bitswap_layers_run(int64_t variant, const layer *l, const int16_t *x,
                                  const int16_t *reference, const int16_t *add, int16_t *y,
                                  int64_t batch, int64_t height, int64_t width, int64_t low,
                                  int64_t high) {
    images m = {x, reference, sizeof *x, add, y, batch, height, width, low, high};
    char *bytes = 0, *patches = 0;
#if X86
    int64_t values = batch * height * width * l->inputs;
    if (variant == WITH_VNNI && l->bytes) {
        bytes = malloc((size_t)values + 1);
        if (!bytes) return -1;
        if (narrow(x, (uint8_t *)bytes, values)) m.x = bytes, m.unit = 1;
    }
#endif
    if (l->size > 1 || l->relative || l->inputs * m.unit % GROUP) {
        patches = calloc((size_t)(ROWS * groups_of(l, &m)), GROUP);
        if (!patches) {
            free(bytes);
            return -1;
        }
    }
    switch (variant) {
#if X86
        case WITH_AVX2: layer_avx2(l, &m, l->weight, patches); break;
        case WITH_AVX512: layer_avx512(l, &m, l->weight, patches); break;
        case WITH_VNNI:
            if (m.unit == 1) layer_bytes(l, &m, l->bytes, patches);
            else layer_vnni(l, &m, l->weight, patches);
            break;
#endif
        default: layer_plain(l, &m, l->weight, patches);
    }
    free(patches);
    free(bytes);
    return 0;
}

/* ---- mixtures ---- */

enum { MAX_COMPONENTS = 16, LOGIT_LOW = -127, LOGIT_HIGH = 128, MAX_GAIN = 127 };
enum { MEAN_LIMIT = 8191, SCALE_LEVELS = 128, WEIGHTS = 256 };

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
