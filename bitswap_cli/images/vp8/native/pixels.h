/* Pixels as decoders have them before loop filters (RFC 6386, sections 12 and 14), and what those
 * next to a block tell of its coefficients. */
#ifndef BITSWAP_VP8_PIXELS_H
#define BITSWAP_VP8_PIXELS_H

#include "known.h"

TARGET INLINE uint8_t pixel(int x) { return (uint8_t)clip(x, 0, 255); }

/* Predict a square of 16 or 8 pixels. */
TARGET INLINE void predict(int mode, uint8_t *to, int64_t stride, int side, int top, int left) {
    const uint8_t *above = to - stride;
    int dc = 128;
    if (mode == DC_PRED && (top || left)) {
        int sum = 0;
        for (int i = 0; i < side && top; i++) sum += above[i];
        for (int i = 0; i < side && left; i++) sum += to[i * stride - 1];
        const int count = side * (top + left);
        dc = (sum + count / 2) / count;
    }
    const int corner = above[-1];
    for (int y = 0; y < side; y++) {
        uint8_t *row = to + y * stride;
        const int before = row[-1];
        for (int x = 0; x < side; x++) {
            if (mode == DC_PRED) row[x] = (uint8_t)dc;
            if (mode == V_PRED) row[x] = above[x];
            if (mode == H_PRED) row[x] = (uint8_t)before;
            if (mode == TM_PRED) row[x] = pixel(before + above[x] - corner);
        }
    }
}

/* Predict a square of 4 by its mode, with what lies above to the right. Around it are, from the
 * second one on: pixels to the left from the lowest one up, the corner, those above, those to the
 * right of these; the first and the last one stand twice. A tap is twice the number of a pixel:
 * its mean with the next one; or that plus 1: a mean of three, of which it is in the midst. */
TARGET INLINE void predict_four(const numbers *n, int mode, uint8_t *to, int64_t stride,
                                const uint8_t *right) {
    int around[15], sum = 4;
    for (int i = 0; i < 4; i++) {
        around[4 - i] = to[i * stride - 1];
        around[6 + i] = to[i - stride];
        around[10 + i] = right[i];
    }
    around[5] = to[-stride - 1], around[0] = around[1], around[14] = around[13];
    for (int i = 0; i < 4; i++) sum += around[1 + i] + around[6 + i];
    for (int i = 0; i < 16; i++) {
        const int tap = n->taps[16 * mode + i], *at = around + (tap >> 1);
        int found = tap & 1 ? (at[-1] + 2 * at[0] + at[1] + 2) >> 2 : (at[0] + at[1] + 1) >> 1;
        if (mode == 0) found = sum >> 3;
        if (mode == 1) found = pixel(around[4 - (i >> 2)] + around[6 + (i & 3)] - around[5]);
        to[(i >> 2) * stride + (i & 3)] = (uint8_t)found;
    }
}

TARGET INLINE int times_cosine(int x) { return x + (x * 20091 >> 16); }
TARGET INLINE int times_sine(int x) { return x * 35468 >> 16; }

/* Four values of a row or column, in place, `step` apart. */
TARGET INLINE void transform(int *x, int step) {
    const int a = x[0] + x[2 * step], b = x[0] - x[2 * step];
    const int c = times_sine(x[step]) - times_cosine(x[3 * step]);
    const int d = times_cosine(x[step]) + times_sine(x[3 * step]);
    x[0] = a + d, x[step] = b + c, x[2 * step] = b - c, x[3 * step] = a - d;
}

/* Add what coefficients, (16,), stand for; their magnitudes are below 2^13. */
TARGET INLINE void add(int *x, uint8_t *to, int64_t stride) {
    for (int i = 0; i < 4; i++) transform(x + i, 4);
    for (int i = 0; i < 4; i++) {
        x[4 * i] += 4;
        transform(x + 4 * i, 1);
        for (int k = 0; k < 4; k++)
            to[i * stride + k] = pixel(to[i * stride + k] + (x[4 * i + k] >> 3));
    }
}

/* Likewise, of a Walsh-Hadamard transform. */
TARGET INLINE void untangle(int *x, int step) {
    const int a = x[0] + x[3 * step], b = x[step] + x[2 * step];
    const int c = x[step] - x[2 * step], d = x[0] - x[3 * step];
    x[0] = a + b, x[step] = d + c, x[2 * step] = a - b, x[3 * step] = d - c;
}

/* The DC coefficients of 16 blocks, of the coefficients of Y2, in place. */
TARGET INLINE void spread(int *x) {
    for (int i = 0; i < 4; i++) untangle(x + i, 4);
    for (int i = 0; i < 4; i++) {
        x[4 * i] += 3;
        untangle(x + 4 * i, 1);
        for (int k = 0; k < 4; k++) x[4 * i + k] >>= 3;
    }
}

/* What a transform's basis is at four places, in 1/64, and at the first one. */
static const int WAVES[2][4][4] = {
    {{64, 64, 64, 64}, {84, 35, -35, -84}, {64, -64, -64, 64}, {35, -84, 84, -35}},
    {{64, 64, 64, 64}, {64, 64, -64, -64}, {64, -64, -64, 64}, {64, -64, 64, -64}},
};

/* By how much what lies above a pixel, or before it, as it goes on, differs from its prediction. */
TARGET INLINE int misses(const uint8_t *at, int64_t step) {
    const int near = at[-step], far = at[-2 * step];
    return near - at[0] + ((near - far) >> 1);
}

/* What the pixels above and before a square of 4, or of 16, tell of its coefficients: of each
 * column of these the sum over rows, `across`, and of each row that over columns, `down`; each
 * coefficient times what its wave is at the edge. */
TARGET INLINE void look_around(work *w, const uint8_t *at, int64_t stride, int top, int left,
                               int of_four) {
    int above[4] = {0, 0, 0, 0}, before[4] = {0, 0, 0, 0};
    const int each = of_four ? 1 : 4;
    for (int i = 0; i < 4 * each; i++) {
        if (top) above[i / each] += misses(at + i, stride);
        if (left) before[i / each] += misses(at + i * stride, 1);
    }
    for (int k = 0; k < 4; k++) {
        w->across[k] = w->down[k] = 0;
        for (int i = 0; i < 4; i++) {
            const int wave = WAVES[!of_four][k][i] * (of_four ? 2 : 4);
            w->across[k] += above[i] * wave, w->down[k] += before[i] * wave;
        }
    }
}

/* Take a coefficient that is known out of that. */
TARGET INLINE void take_out(work *w, int place, int value, int of_four) {
    const int row = place >> 2, column = place & 3;
    w->across[column] -= value * WAVES[!of_four][row][0];
    w->down[row] -= value * WAVES[!of_four][column][0];
}

/* How much the pixels above and before a square differ from one to the next. */
TARGET INLINE int activity(const uint8_t *at, int64_t stride, int side, int top, int left) {
    int sum = 0;
    for (int i = 0; i < side - 1; i++) {
        if (top) sum += size_of(at[i - stride] - at[i + 1 - stride]);
        if (left) sum += size_of(at[i * stride - 1] - at[(i + 1) * stride - 1]);
    }
    return sum;
}

#endif
