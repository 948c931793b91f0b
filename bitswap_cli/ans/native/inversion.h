/* The inversion of logistics and mixtures of them; a set of instructions includes this with TARGET,
 * the attribute of every function.
 *
 * C is inverted by a guess in floating point, which the integers then confirm or correct: what is
 * popped does not depend on the guess.
 */
#include "intervals.h"

enum { TURNS = 3 }; /* of Newton's method: it leaves one guess in some hundred to the search */

TARGET INLINE float clip_float(float value, float low, float high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

typedef union {
    float f;
    int32_t i;
} float_bits;

/* About log2(x) + 2.498 for a normal x > 0, to 1e-4. */
TARGET INLINE float guess_log2(float x) {
    float_bits bits = {x};
    float exponent = (float)(bits.i >> 23);
    bits.i = (bits.i & 0x7fffff) | 0x3f800000;
    float m = bits.f;
    return exponent + m * (4.029211f + m * (-2.078335f + m * (0.626032f + m * -0.078441f)));
}

/* About 1 / (1 + 2^-x), to 1e-4. */
TARGET INLINE float guess_sigmoid(float x) {
    x = clip_float(-x, -30, 30);
    float_bits bits = {x + 12582912.0f}; /* rounds x to its low bits */
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

TARGET INLINE int load_row(const logistic *d, int64_t first, const int row, const int components,
                           row_parameters *p) {
    int32_t sum[MAX_LANES], bad = 0;
    for (int i = 0; i < row; i++) sum[i] = 0;
    for (int k = 0; k < components; k++) {
        const int32_t *mean = d->mean + first * components + k;
        const int32_t *scale = d->scale + first * components + k;
        for (int i = 0; i < row; i++) {
            int32_t level = clip(scale[i * components], 0, SCALE_LEVELS - 1);
            p->rate[k][i] = bitswap_tables.inverse[level];
            p->limit[k][i] = bitswap_tables.saturation[level];
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
TARGET INLINE int32_t boundary_of_lane(const logistic *d, const int components, const int precision,
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
TARGET APART int32_t search(const logistic *d, int components, int precision,
                            const row_parameters *p, int lane, int32_t cf, int32_t guess,
                            int below) {
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
TARGET INLINE void guess_row(const logistic *d, const int row, const int components,
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

TARGET INLINE int invert_lanes(const logistic *d, int64_t first, const int row,
                               const int components, const int precision, const int32_t *cf,
                               int32_t *symbols, int32_t *start, int32_t *end) {
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

/* Find the symbols of a row whose intervals hold cf, and these; 0, or an error. */
TARGET INLINE int invert_row(const logistic *d, int64_t first, int row, const int components,
                             const int precision, const int32_t *cf, int32_t *symbols,
                             int32_t *start, int32_t *end) {
    if (row == MAX_LANES) /* the usual row is worth code of its own */
        return invert_lanes(d, first, MAX_LANES, components, precision, cf, symbols, start, end);
    return invert_lanes(d, first, row, components, precision, cf, symbols, start, end);
}
