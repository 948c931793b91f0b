/* The coder's inner loops, byte-identical to reference.py, behind a plain C ABI (see kernel.py).
 *
 * A message is head[lanes], each in [2^31, 2^63), over words[top..end), its top first; it grows
 * towards words[0]. Symbol i lies on lane i mod lanes. Within a row, the lanes that overflow give
 * their words in lane order: a push goes through the lanes downwards, a pop upwards.
 *
 * The caller guarantees: 1 <= lanes <= 32; n + 1 words of room above top for a push; 33 readable
 * words below end for a pop. Every function returns the new top, or, having changed nothing that
 * counts, one of the errors below. Nothing here is global but the tables, set once by
 * bitswap_setup.
 *
 * Right shifts of negative numbers are arithmetic, as in every compiler we know of; the tests
 * compare all of this with the reference.
 */
#include <stdint.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define APART static NOINLINE /* one copy: it gains nothing from vectors */
#else
#define INLINE static inline
#define NOINLINE
#define APART static
#endif

/* gcc with glibc picks AVX2 at load time where the machine has it (AVX-512 measured slower: its
 * gathers). Without flatten the clones would only call baseline code. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ >= 12
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default"), flatten))
#endif
#endif
#ifndef CLONES
#define CLONES
#endif

enum { ABI = 4, PRECISION = 20, TOTAL = 1 << PRECISION };
enum { SMALL_ALPHABET = 1024, FINE = 24 }; /* the precision of larger alphabets */
enum { MAX_LANES = 32, MAX_COMPONENTS = 16, BLOCK = 256 };
enum { TURNS = 4 }; /* of Newton's method: it leaves one guess in a hundred to the search */
enum { MEAN_LIMIT = 32767, SCALE_LEVELS = 128, WEIGHT_BITS = 8 };
enum { UNDERFLOW = -1, BAD_SYMBOL = -2, BAD_WEIGHTS = -3 };

/* The sigmoid's 1025 entries, and as many copies of the ends on both sides as a difference cut to
 * +-saturation can overshoot: its product is below 2^22 + 2^18, its u below 16384 + 32 * 21. */
enum { ENTRIES = 1025, PADDING = 24 };
static int32_t sigmoid[PADDING + ENTRIES + PADDING];
static int32_t inverse[SCALE_LEVELS];
static int32_t saturation[SCALE_LEVELS];

EXPORT int64_t bitswap_abi(void) { return ABI; }

EXPORT void bitswap_setup(const int32_t *table, const int32_t *rates, const int32_t *limits) {
    for (int i = 0; i < PADDING + ENTRIES + PADDING; i++) {
        int at = i - PADDING;
        sigmoid[i] = table[at < 0 ? 0 : at >= ENTRIES ? ENTRIES - 1 : at];
    }
    memcpy(inverse, rates, sizeof inverse);
    memcpy(saturation, limits, sizeof saturation);
}

INLINE int32_t clip(int32_t value, int32_t low, int32_t high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

INLINE float clip_float(float value, float low, float high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* 2^20 * sigmoid of a difference in 1/16 symbol. */
INLINE int32_t smooth(int32_t difference, int32_t rate, int32_t limit) {
    int32_t u = (clip(difference, -limit, limit) * rate >> 8) + 32 * (PADDING + ENTRIES / 2);
    int32_t left = sigmoid[u >> 5], right = sigmoid[(u >> 5) + 1];
    return left + ((right - left) * (u & 31) >> 5);
}

/* Cumulative frequency at index 0..size, given the smooth mass below it. */
INLINE int32_t boundary(int32_t mass, int32_t index, int32_t size, const int precision) {
    const int spare = precision == FINE ? 6 : 0; /* bits that leave room for larger sizes */
    int32_t inner = mass - ((mass >> spare) * size >> (precision - spare)) + index;
    inner = index <= 0 ? 0 : inner;
    return index >= size ? 1 << precision : inner;
}

/* ---- lanes ---- */

INLINE int64_t push_row(uint64_t *head, int row, uint32_t *words, int64_t top,
                        const uint32_t *start, const uint32_t *freq, const int precision) {
    for (int lane = row - 1; lane >= 0; lane--) {
        uint64_t state = head[lane], width = freq[lane];
        int over = state >= width << (63 - precision);
        words[top - 1] = (uint32_t)state; /* counts only if top moves */
        top -= over;
        state = over ? state >> 32 : state;
        uint64_t quotient = state / width;
        head[lane] = (quotient << precision) + (state - quotient * width) + start[lane];
    }
    return top;
}

INLINE int64_t pop_row(uint64_t *head, int row, const uint32_t *words, int64_t top,
                       const int32_t *cf, const int32_t *start, const int32_t *end,
                       const int precision) {
    for (int lane = 0; lane < row; lane++) {
        uint64_t freq = (uint32_t)(end[lane] - start[lane]);
        uint64_t state = freq * (head[lane] >> precision) + (uint32_t)(cf[lane] - start[lane]);
        int under = state < (uint64_t)1 << 31;
        uint64_t filled = state << 32 | words[top];
        head[lane] = under ? filled : state;
        top += under;
    }
    return top;
}

INLINE int64_t push_all(int64_t lanes, uint64_t *head, uint32_t *words, int64_t top,
                        const uint32_t *start, const uint32_t *freq, int64_t n,
                        const int precision) {
    int64_t at = 0;
    for (; at + lanes <= n; at += lanes)
        top = push_row(head, (int)lanes, words, top, start + at, freq + at, precision);
    return push_row(head, (int)(n - at), words, top, start + at, freq + at, precision);
}

APART int64_t push_rows(int64_t lanes, uint64_t *head, uint32_t *words, int64_t top,
                        const uint32_t *start, const uint32_t *freq, int64_t n, int precision) {
    return precision == FINE ? push_all(lanes, head, words, top, start, freq, n, FINE)
                             : push_all(lanes, head, words, top, start, freq, n, PRECISION);
}

EXPORT int64_t bitswap_push(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                            const uint32_t *start, const uint32_t *freq, int64_t n,
                            int64_t precision) {
    return push_rows(lanes, head, words, top, start, freq, n, (int)precision);
}

/* Batches of intervals, the last one first. */
EXPORT int64_t bitswap_push_batches(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                                    const uint32_t *start, const uint32_t *freq,
                                    const int32_t *batches, int64_t count, int64_t precision) {
    int64_t end = 0;
    for (int64_t i = 0; i < count; i++) end += batches[i];
    for (int64_t i = count - 1; i >= 0; i--) {
        end -= batches[i];
        top = push_rows(lanes, head, words, top, start + end, freq + end, batches[i],
                        (int)precision);
    }
    return top;
}

/* ---- distributions: the intervals of a block, and the inversion of a row ---- */

typedef struct {
    const int32_t *weight; /* NULL: one logistic each */
    const int32_t *mean, *scale;
    int32_t components, low, size;
} logistic;

INLINE int block_of_logistics(const logistic *d, const int precision, const int32_t *symbols,
                              int64_t first, int n, uint32_t *start, uint32_t *freq) {
    const int32_t *mean = d->mean + first, *scale = d->scale + first;
    const int32_t low = d->low, size = d->size;
    int32_t bad = 0;
    for (int i = 0; i < n; i++) {
        int32_t index = (int32_t)((uint32_t)symbols[first + i] - (uint32_t)low);
        bad |= index < 0 || index >= size;
        index = clip(index, 0, size - 1);
        int32_t level = clip(scale[i], 0, SCALE_LEVELS - 1);
        int32_t rate = inverse[level], limit = saturation[level];
        int32_t at = 16 * (index + low) - 8 - clip(mean[i], -MEAN_LIMIT, MEAN_LIMIT);
        int32_t below = smooth(at, rate, limit) << (precision - PRECISION);
        int32_t above = smooth(at + 16, rate, limit) << (precision - PRECISION);
        int32_t from = boundary(below, index, size, precision);
        int32_t to = boundary(above, index + 1, size, precision);
        start[i] = (uint32_t)from;
        freq[i] = (uint32_t)(to - from);
    }
    return bad ? BAD_SYMBOL : 0;
}

INLINE int block_of_mixtures(const logistic *d, const int precision, const int32_t *symbols,
                             int64_t first, int n, uint32_t *start, uint32_t *freq) {
    const int32_t low = d->low, size = d->size, components = d->components;
    const int shift = PRECISION + WEIGHT_BITS - precision;
    int32_t below[BLOCK], above[BLOCK], index[BLOCK], sum[BLOCK], bad = 0, negative = 0;
    for (int i = 0; i < n; i++) {
        int32_t at = (int32_t)((uint32_t)symbols[first + i] - (uint32_t)low);
        bad |= at < 0 || at >= size;
        index[i] = clip(at, 0, size - 1);
        below[i] = above[i] = sum[i] = 0;
    }
    for (int k = 0; k < components; k++) {
        const int32_t *weight = d->weight + first * components + k;
        const int32_t *mean = d->mean + first * components + k;
        const int32_t *scale = d->scale + first * components + k;
        for (int i = 0; i < n; i++) {
            int32_t share = weight[i * components];
            negative |= share < 0 || share > 1 << WEIGHT_BITS;
            share = clip(share, 0, 1 << WEIGHT_BITS);
            int32_t level = clip(scale[i * components], 0, SCALE_LEVELS - 1);
            int32_t rate = inverse[level], limit = saturation[level];
            int32_t centre = clip(mean[i * components], -MEAN_LIMIT, MEAN_LIMIT);
            int32_t at = 16 * (index[i] + low) - 8 - centre;
            sum[i] += share;
            below[i] += share * smooth(at, rate, limit);
            above[i] += share * smooth(at + 16, rate, limit);
        }
    }
    for (int i = 0; i < n; i++) {
        negative |= sum[i] != 1 << WEIGHT_BITS;
        int32_t from = boundary(below[i] >> shift, index[i], size, precision);
        int32_t to = boundary(above[i] >> shift, index[i] + 1, size, precision);
        start[i] = (uint32_t)from;
        freq[i] = (uint32_t)(to - from);
    }
    return negative ? BAD_WEIGHTS : bad ? BAD_SYMBOL : 0;
}

INLINE int block(const logistic *d, const int precision, const int32_t *symbols, int64_t first,
                 int n, uint32_t *start, uint32_t *freq) {
    return d->weight ? block_of_mixtures(d, precision, symbols, first, n, start, freq)
                     : block_of_logistics(d, precision, symbols, first, n, start, freq);
}

INLINE int64_t push_logistics(const logistic *d, const int precision, uint64_t *head,
                              int64_t lanes, uint32_t *words, int64_t top, const int32_t *symbols,
                              int64_t n) {
    uint32_t start[BLOCK], freq[BLOCK];
    uint64_t state[MAX_LANES];
    int64_t length = BLOCK - BLOCK % lanes; /* whole rows */
    memcpy(state, head, (size_t)lanes * sizeof *head);
    for (int64_t first = 0; first < n; first += length) {
        int count = (int)(n - first < length ? n - first : length);
        int error = block(d, precision, symbols, first, count, start, freq);
        if (error) return error;
        top = push_rows(lanes, state, words, top, start, freq, count, precision);
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

INLINE int64_t intervals(const logistic *d, const int precision, const int32_t *symbols, int64_t n,
                         uint32_t *start, uint32_t *freq) {
    int error = 0;
    for (int64_t first = 0; first < n && !error; first += BLOCK) {
        int count = (int)(n - first < BLOCK ? n - first : BLOCK);
        error = block(d, precision, symbols, first, count, start + first, freq + first);
    }
    return error;
}

/* What is done with large alphabets stands apart: the usual ones are no slower for it. */
CLONES NOINLINE static int64_t push_fine(const logistic *d, uint64_t *head, int64_t lanes,
                                         uint32_t *words, int64_t top, const int32_t *symbols,
                                         int64_t n) {
    return push_logistics(d, FINE, head, lanes, words, top, symbols, n);
}

CLONES NOINLINE static int64_t intervals_fine(const logistic *d, const int32_t *symbols, int64_t n,
                                              uint32_t *start, uint32_t *freq) {
    return intervals(d, FINE, symbols, n, start, freq);
}

CLONES EXPORT int64_t bitswap_push_logistic(uint64_t *head, int64_t lanes, uint32_t *words,
                                            int64_t top, const int32_t *symbols, int64_t n,
                                            const int32_t *weight, const int32_t *mean,
                                            const int32_t *scale, int64_t components, int64_t low,
                                            int64_t size) {
    const logistic d = {weight, mean, scale, (int32_t)components, (int32_t)low, (int32_t)size};
    return size > SMALL_ALPHABET
               ? push_fine(&d, head, lanes, words, top, symbols, n)
               : push_logistics(&d, PRECISION, head, lanes, words, top, symbols, n);
}

/* What the push above would push each symbol with; 0, or an error. */
CLONES EXPORT int64_t bitswap_intervals_logistic(const int32_t *symbols, int64_t n,
                                                 uint32_t *start, uint32_t *freq,
                                                 const int32_t *weight, const int32_t *mean,
                                                 const int32_t *scale, int64_t components,
                                                 int64_t low, int64_t size) {
    const logistic d = {weight, mean, scale, (int32_t)components, (int32_t)low, (int32_t)size};
    return size > SMALL_ALPHABET ? intervals_fine(&d, symbols, n, start, freq)
                                 : intervals(&d, PRECISION, symbols, n, start, freq);
}

/* About log2(x) + 2.498 for a normal x > 0, to 1e-4. */
INLINE float guess_log2(float x) {
    union { float f; int32_t i; } bits = {x};
    float exponent = (float)(bits.i >> 23);
    bits.i = (bits.i & 0x7fffff) | 0x3f800000;
    float m = bits.f;
    return exponent + m * (4.029211f + m * (-2.078335f + m * (0.626032f + m * -0.078441f)));
}

/* About 1 / (1 + 2^-x), to 1e-4. */
INLINE float guess_sigmoid(float x) {
    x = clip_float(-x, -30, 30);
    union { float f; int32_t i; } bits = {x + 12582912.0f}; /* rounds x to its low bits */
    float f = x - (bits.f - 12582912.0f);
    float power = 0.999925f + f * (0.693137f + f * (0.242639f + f * 0.055838f));
    uint32_t exponent = (uint32_t)bits.i << 23;
    bits.f = power;
    bits.i = (int32_t)((uint32_t)bits.i + exponent);
    return 1.0f / (1.0f + bits.f);
}

/* The parameters of a row, component by component. */
typedef struct {
    int32_t share[MAX_COMPONENTS][MAX_LANES], offset[MAX_COMPONENTS][MAX_LANES];
    int32_t rate[MAX_COMPONENTS][MAX_LANES], limit[MAX_COMPONENTS][MAX_LANES];
} row_parameters;

INLINE int load_row(const logistic *d, int64_t first, const int row, const int components,
                    row_parameters *p) {
    int32_t sum[MAX_LANES], bad = 0;
    for (int i = 0; i < row; i++) sum[i] = 0;
    for (int k = 0; k < components; k++) {
        const int32_t *mean = d->mean + first * components + k;
        const int32_t *scale = d->scale + first * components + k;
        for (int i = 0; i < row; i++) {
            int32_t level = clip(scale[i * components], 0, SCALE_LEVELS - 1);
            p->rate[k][i] = inverse[level];
            p->limit[k][i] = saturation[level];
            int32_t centre = clip(mean[i * components], -MEAN_LIMIT, MEAN_LIMIT);
            p->offset[k][i] = 16 * d->low - 8 - centre;
        }
        if (!d->weight) continue;
        const int32_t *weight = d->weight + first * components + k;
        for (int i = 0; i < row; i++) {
            int32_t share = weight[i * components];
            bad |= (share < 0) | (share > 1 << WEIGHT_BITS);
            p->share[k][i] = clip(share, 0, 1 << WEIGHT_BITS);
            sum[i] += p->share[k][i];
        }
    }
    for (int i = 0; d->weight && i < row; i++) bad |= sum[i] != 1 << WEIGHT_BITS;
    return bad ? BAD_WEIGHTS : 0;
}

/* C at an index of one lane. */
INLINE int32_t boundary_of_lane(const logistic *d, const int components, const int precision,
                                const row_parameters *p, int lane, int32_t index) {
    int32_t sum = 0;
    for (int k = 0; k < components; k++) {
        int32_t difference = 16 * index + p->offset[k][lane];
        int32_t part = smooth(difference, p->rate[k][lane], p->limit[k][lane]);
        sum += d->weight ? p->share[k][lane] * part : part << WEIGHT_BITS;
    }
    return boundary(sum >> (PRECISION + WEIGHT_BITS - precision), index, d->size, precision);
}

/* The index whose interval holds cf, in one lane whose guess is wrong: steps that double, then
 * halving, so that no crafted tail is slow. */
APART int32_t search(const logistic *d, int components, int precision, const row_parameters *p,
                     int lane, int32_t cf, int32_t guess, int below) {
    int32_t from, to, step = 1;
    if (below) {
        to = guess, from = guess - 1;
        while (from > 0 && boundary_of_lane(d, components, precision, p, lane, from) > cf) {
            to = from;
            from = from > step ? from - step : 0;
            step *= 2;
        }
    } else {
        from = guess + 1, to = guess + 2;
        while (to < d->size && boundary_of_lane(d, components, precision, p, lane, to) <= cf) {
            from = to;
            to = to + step < d->size ? to + step : d->size;
            step *= 2;
        }
    }
    while (to - from > 1) {
        int32_t middle = (from + to) / 2;
        if (boundary_of_lane(d, components, precision, p, lane, middle) <= cf) from = middle;
        else to = middle;
    }
    return from;
}

/* Guess the index of each cf: the quantile of the real-valued distribution. That of a logistic is
 * explicit; that of a mixture lies between its components', where Newton's method finds it. */
INLINE void guess_row(const logistic *d, const int row, const int components,
                      const int precision, const row_parameters *p, const int32_t *cf,
                      int32_t *index) {
    const float total = (float)(1 << precision), least = total / (1 << 21);
    const float size = (float)d->size, slope = 1.0f + size / total;
    const float log2_e = 1.442695f;
    float at[MAX_LANES], from[MAX_LANES], to[MAX_LANES], centre[MAX_LANES], odds[MAX_LANES];
    float share[MAX_COMPONENTS][MAX_LANES], middle[MAX_COMPONENTS][MAX_LANES];
    float rate[MAX_COMPONENTS][MAX_LANES];
    for (int i = 0; i < row; i++) centre[i] = 0, at[i] = 0, from[i] = size, to[i] = 0;
    for (int k = 0; k < components; k++)
        for (int i = 0; i < row; i++) {
            share[k][i] = d->weight ? (float)p->share[k][i] * (1.0f / (1 << WEIGHT_BITS)) : 1.0f;
            middle[k][i] = (float)-p->offset[k][i] * 0.0625f;
            rate[k][i] = (float)p->rate[k][i] * (log2_e * 16 / (1 << 18));
            centre[i] += share[k][i] * middle[k][i];
        }
    for (int i = 0; i < row; i++) {
        float mass = ((float)cf[i] + 0.5f) * slope - clip_float(centre[i], 0, size);
        mass = clip_float(mass, least, total - least);
        odds[i] = guess_log2(mass) - guess_log2(total - mass);
    }
    for (int k = 0; k < components; k++)
        for (int i = 0; i < row; i++) {
            float quantile = clip_float(middle[k][i] + odds[i] / rate[k][i], 0, size);
            at[i] += share[k][i] * quantile;
            from[i] = quantile < from[i] ? quantile : from[i];
            to[i] = quantile > to[i] ? quantile : to[i];
        }
    for (int turn = 0; turn < (components > 1 ? TURNS : 0); turn++) {
        float mass[MAX_LANES], density[MAX_LANES];
        for (int i = 0; i < row; i++) mass[i] = density[i] = 0;
        for (int k = 0; k < components; k++)
            for (int i = 0; i < row; i++) {
                float part = guess_sigmoid((at[i] - middle[k][i]) * rate[k][i]);
                mass[i] += share[k][i] * part;
                density[i] += share[k][i] * part * (1.0f - part) * rate[k][i];
            }
        for (int i = 0; i < row; i++) {
            float excess = mass[i] * (total - size) + at[i] - ((float)cf[i] + 0.5f);
            float slant = density[i] * ((total - size) / log2_e) + 1.0f;
            from[i] = excess > 0 ? from[i] : at[i];
            to[i] = excess > 0 ? at[i] : to[i];
            float next = at[i] - excess / slant, half = 0.5f * (from[i] + to[i]);
            next = next < from[i] ? half : next;
            at[i] = next > to[i] ? half : next;
        }
    }
    for (int i = 0; i < row; i++) index[i] = (int32_t)clip_float(at[i], 0, size - 1);
}

/* C is inverted by a guess in floating point, which the integers then confirm or correct: what is
 * popped does not depend on the guess. */
INLINE int invert_row(const logistic *d, int64_t first, const int row, const int components,
                      const int precision, const int32_t *cf, int32_t *symbols, int32_t *start,
                      int32_t *end) {
    const int shift = PRECISION + WEIGHT_BITS - precision;
    row_parameters p;
    int32_t index[MAX_LANES], wrong = 0;
    int error = load_row(d, first, row, components, &p);
    if (error) return error;
    guess_row(d, row, components, precision, &p, cf, index);
    for (int i = 0; i < row; i++) start[i] = end[i] = 0;
    for (int k = 0; k < components; k++)
        for (int i = 0; i < row; i++) {
            int32_t difference = 16 * index[i] + p.offset[k][i];
            int32_t share = d->weight ? p.share[k][i] : 1 << WEIGHT_BITS;
            start[i] += share * smooth(difference, p.rate[k][i], p.limit[k][i]);
            end[i] += share * smooth(difference + 16, p.rate[k][i], p.limit[k][i]);
        }
    for (int i = 0; i < row; i++) {
        start[i] = boundary(start[i] >> shift, index[i], d->size, precision);
        end[i] = boundary(end[i] >> shift, index[i] + 1, d->size, precision);
        wrong |= (cf[i] < start[i]) | (cf[i] >= end[i]);
    }
    for (int i = 0; wrong && i < row; i++) {
        if (cf[i] >= start[i] && cf[i] < end[i]) continue;
        index[i] = search(d, components, precision, &p, i, cf[i], index[i], cf[i] < start[i]);
        start[i] = boundary_of_lane(d, components, precision, &p, i, index[i]);
        end[i] = boundary_of_lane(d, components, precision, &p, i, index[i] + 1);
    }
    for (int i = 0; i < row; i++) symbols[i] = index[i] + d->low;
    return 0;
}

INLINE int64_t pop_logistics(const logistic *d, const int components, const int precision,
                             uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                             int64_t bottom, int32_t *symbols, int64_t n) {
    uint64_t state[MAX_LANES];
    int32_t cf[MAX_LANES], start[MAX_LANES], end[MAX_LANES];
    memcpy(state, head, (size_t)lanes * sizeof *head);
    int row = (int)(n % lanes); /* the last row may be partial */
    for (int64_t first = n - row; first >= 0; first -= lanes, row = (int)lanes) {
        int32_t *out = symbols + first;
        for (int i = 0; i < row; i++) cf[i] = (int32_t)(state[i] & ((1 << precision) - 1));
        int error = row == MAX_LANES /* the usual row is worth code of its own */
                        ? invert_row(d, first, MAX_LANES, components, precision, cf, out, start, end)
                        : invert_row(d, first, row, components, precision, cf, out, start, end);
        if (error) return error;
        top = pop_row(state, row, words, top, cf, start, end, precision);
        if (top > bottom) return UNDERFLOW;
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

CLONES NOINLINE static int64_t pop_fine(const logistic *d, uint64_t *head, int64_t lanes,
                                        const uint32_t *words, int64_t top, int64_t bottom,
                                        int32_t *symbols, int64_t n) {
    return d->weight ? pop_logistics(d, d->components, FINE, head, lanes, words, top, bottom,
                                     symbols, n)
                     : pop_logistics(d, 1, FINE, head, lanes, words, top, bottom, symbols, n);
}

CLONES EXPORT int64_t bitswap_pop_logistic(uint64_t *head, int64_t lanes, const uint32_t *words,
                                           int64_t top, int64_t bottom, int32_t *symbols,
                                           int64_t n, const int32_t *weight, const int32_t *mean,
                                           const int32_t *scale, int64_t components, int64_t low,
                                           int64_t size) {
    const int k = weight ? (int)components : 1;
    const logistic d = {weight, mean, scale, k, (int32_t)low, (int32_t)size};
    if (size > SMALL_ALPHABET) return pop_fine(&d, head, lanes, words, top, bottom, symbols, n);
    return weight ? pop_logistics(&d, k, PRECISION, head, lanes, words, top, bottom, symbols, n)
                  : pop_logistics(&d, 1, PRECISION, head, lanes, words, top, bottom, symbols, n);
}

EXPORT int64_t bitswap_pop_uniform(uint64_t *head, int64_t lanes, const uint32_t *words,
                                   int64_t top, int64_t bottom, int32_t *symbols, int64_t n,
                                   int64_t bits) {
    uint64_t state[MAX_LANES];
    int32_t cf[MAX_LANES], start[MAX_LANES], end[MAX_LANES];
    const int shift = PRECISION - (int)bits;
    memcpy(state, head, (size_t)lanes * sizeof *head);
    int row = (int)(n % lanes);
    for (int64_t first = n - row; first >= 0; first -= lanes, row = (int)lanes) {
        for (int i = 0; i < row; i++) {
            cf[i] = (int32_t)(state[i] & (TOTAL - 1));
            symbols[first + i] = cf[i] >> shift;
            start[i] = symbols[first + i] << shift;
            end[i] = start[i] + (1 << shift);
        }
        top = pop_row(state, row, words, top, cf, start, end, PRECISION);
        if (top > bottom) return UNDERFLOW;
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

/* table: rows of size + 1 cumulative frequencies from 0 to 2^20; stride 0 if all share one row. */
EXPORT int64_t bitswap_pop_table(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                                 int64_t bottom, int32_t *symbols, int64_t n,
                                 const uint32_t *table, int64_t stride, int64_t size) {
    uint64_t state[MAX_LANES];
    int32_t cf[MAX_LANES], start[MAX_LANES], end[MAX_LANES];
    memcpy(state, head, (size_t)lanes * sizeof *head);
    int row = (int)(n % lanes);
    for (int64_t first = n - row; first >= 0; first -= lanes, row = (int)lanes) {
        for (int i = 0; i < row; i++) {
            const uint32_t *ends = table + (first + i) * stride;
            cf[i] = (int32_t)(state[i] & (TOTAL - 1));
            int64_t from = 0;
            for (int64_t span = size; span > 1;) { /* ends[from] <= cf < ends[from + span] */
                int64_t half = span / 2;
                from = ends[from + half] <= (uint32_t)cf[i] ? from + half : from;
                span -= half;
            }
            symbols[first + i] = (int32_t)from;
            start[i] = (int32_t)ends[from];
            end[i] = (int32_t)ends[from + 1];
        }
        top = pop_row(state, row, words, top, cf, start, end, PRECISION);
        if (top > bottom) return UNDERFLOW;
    }
    memcpy(head, state, (size_t)lanes * sizeof *head);
    return top;
}

#ifdef _WIN32
/* setuptools exports it from every extension; this library is loaded by ctypes alone. */
EXPORT void *PyInit__kernel(void) { return 0; }
#endif
