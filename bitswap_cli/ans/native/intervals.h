/* The intervals of symbols under logistics and mixtures of them; a set of instructions includes
 * this with TARGET, the attribute of every function.
 */
#include "coder.h"

enum { BLOCK = 256 };

TARGET INLINE int32_t clip(int32_t value, int32_t low, int32_t high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* 2^20 * sigmoid of a difference in 1/16 symbol. */
TARGET INLINE int32_t smooth(int32_t difference, int32_t rate, int32_t limit) {
    int32_t u = (clip(difference, -limit, limit) * rate >> 8) + 32 * (PADDING + ENTRIES / 2);
    int32_t left = bitswap_tables.sigmoid[u >> 5], right = bitswap_tables.sigmoid[(u >> 5) + 1];
    return left + ((right - left) * (u & 31) >> 5);
}

/* Cumulative frequency at index 0..size, given the smooth mass below it. */
TARGET INLINE int32_t boundary(int32_t mass, int32_t index, int32_t size, const int precision) {
    const int spare = precision == FINE ? 6 : 0; /* bits that leave room for larger sizes */
    int32_t inner = mass - ((mass >> spare) * size >> (precision - spare)) + index;
    inner = index <= 0 ? 0 : inner;
    return index >= size ? 1 << precision : inner;
}

TARGET INLINE int block_of_logistics(const logistic *d, const int precision, const int32_t *symbols,
                                     int64_t first, int n, uint32_t *start, uint32_t *freq) {
    const int32_t *mean = d->mean + first, *scale = d->scale + first;
    const int32_t low = d->low, size = d->size;
    int32_t bad = 0;
    for (int i = 0; i < n; i++) {
        int32_t index = (int32_t)((uint32_t)symbols[first + i] - (uint32_t)low);
        bad |= index < 0 || index >= size;
        index = clip(index, 0, size - 1);
        int32_t level = clip(scale[i], 0, SCALE_LEVELS - 1);
        int32_t rate = bitswap_tables.inverse[level];
        int32_t limit = bitswap_tables.saturation[level];
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

TARGET INLINE int block_of_mixtures(const logistic *d, const int precision, const int32_t *symbols,
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
            int32_t rate = bitswap_tables.inverse[level];
            int32_t limit = bitswap_tables.saturation[level];
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
