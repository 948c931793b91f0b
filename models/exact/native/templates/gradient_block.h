/* The gradient of a block of pixels; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   VECTOR  bytes of a vector,
 *   HELD    rows of a product that are held in registers.
 */
#include <math.h>

#include "gradient.h"

typedef float vector __attribute__((vector_size(VECTOR), aligned(4), may_alias));

enum { LANES = VECTOR / 4 };

/* Columns from j on, of `wide` vectors, of the product below. */
TARGET INLINE void columns(const int wide, int64_t j, int64_t m, int64_t k, const float *a,
                           int64_t am, int64_t ak, const float *b, int64_t ldb, float *c,
                           int64_t ldc, int more) {
    for (int64_t i = 0; i < m; i += HELD) {
        vector sum[HELD][2];
        const float *left = a + i * am;
        for (int r = 0; r < HELD; r++)
            for (int v = 0; v < wide; v++)
                sum[r][v] = *(vector *)(c + (i + r) * ldc + j + v * LANES) * (float)more;
        for (int64_t p = 0; p < k; p++) {
            vector right[2];
            for (int v = 0; v < wide; v++)
                right[v] = *(const vector *)(b + p * ldb + j + v * LANES);
            for (int r = 0; r < HELD; r++)
                for (int v = 0; v < wide; v++) sum[r][v] += left[r * am + p * ak] * right[v];
        }
        for (int r = 0; r < HELD; r++)
            for (int v = 0; v < wide; v++)
                *(vector *)(c + (i + r) * ldc + j + v * LANES) = sum[r][v];
    }
}

/* C[m][n] (+)= sum over k of A[m am + k ak] B[k][n]; m in whole HELD, n in whole vectors. */
TARGET static void product(int64_t m, int64_t n, int64_t k, const float *a, int64_t am, int64_t ak,
                           const float *b, int64_t ldb, float *c, int64_t ldc, int more) {
    int64_t j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) columns(2, j, m, k, a, am, ak, b, ldb, c, ldc, more);
    for (; j < n; j += LANES) columns(1, j, m, k, a, am, ak, b, ldb, c, ldc, more);
}

/* Sums of a layer: x [PIXELS][in] -> acc [PIXELS][out]. */
TARGET static void multiply(const float_layer *d, const float *x, float *acc) {
    product(PIXELS, d->outs, d->in, x, d->ins, 1, d->columns, d->outs, acc, d->outs, 0);
}

/* floor(acc scale + bias) */
TARGET static inline float value(const float_layer *d, float acc, int64_t o) {
    return floorf(acc * d->scale[o] + d->bias[o]);
}

/* Take the gradient g [PIXELS][out] of a layer's values: adds to that of its integers, and gives
 * that of its inputs unless `gx` is NULL. g is overwritten. */
TARGET static void back(const float_layer *d, const float *x, const float *acc, float *g,
                        float *gx) {
    for (int64_t p = 0; p < PIXELS; p++) {
        const float *sum = acc + p * d->outs, *by = d->scale;
        float *restrict slope = g + p * d->outs, *restrict bias = d->g_bias;
        float *restrict scale = d->g_scale;
        for (int64_t o = 0; o < d->outs; o++) {
            bias[o] += slope[o];
            scale[o] += slope[o] * sum[o];
            slope[o] *= by[o];
        }
    }
    product(d->outs, d->ins, PIXELS, g, 1, d->outs, x, d->ins, d->g_rows, d->ins, 1);
    if (gx) product(PIXELS, d->ins, d->out, g, d->outs, 1, d->rows, d->ins, gx, d->ins, 0);
}

TARGET static inline float power(float x) { /* 2^x */
    x = x < -120 ? -120 : x > 120 ? 120 : x;
    float whole = floorf(x + 0.5f), r = x - whole;
    float y = 1 + r * (0.6931471806f +
                       r * (0.2402265070f +
                            r * (0.0555041087f +
                                 r * (0.0096181291f + r * (0.0013333558f + r * 0.0001540353f)))));
    int32_t bits;
    memcpy(&bits, &y, 4);
    bits += (int32_t)whole * (1 << 23);
    memcpy(&y, &bits, 4);
    return y;
}

TARGET static inline float sigmoid(float x) { return 1 / (1 + power(x * -1.4426950409f)); }

TARGET static inline float within(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

/* Bits of channel c of a block, and their gradient to what the head said, [value][pixel], and to
 * the means, [component][pixel]. */
TARGET static void mixture(const float_network *n, const work *b, int64_t c, float *out,
                           float *g_mean) {
    const int64_t k = n->components;
    float mean[MAX_COMPONENTS][PIXELS], share[MAX_COMPONENTS][PIXELS], mass[MAX_COMPONENTS][PIXELS];
    float d_mean[MAX_COMPONENTS][PIXELS], d_scale[MAX_COMPONENTS][PIXELS];
    float largest[PIXELS], total[PIXELS], p[PIXELS], factor[PIXELS];
    const float *known = b->known + c * PIXELS;
    for (int64_t i = 0; i < PIXELS; i++) largest[i] = -127, total[i] = 0, p[i] = 0;
    for (int64_t j = 0; j < k; j++) {
        float *logit = out + j * PIXELS, *said = out + (k + j) * PIXELS;
        const float *skip = b->skip + (c * k + j) * PIXELS;
        const float *anchor = b->anchor + (c * k + j) * PIXELS;
        for (int64_t i = 0; i < PIXELS; i++) {
            float l = within(logit[i], -127, 128);
            largest[i] = l > largest[i] ? l : largest[i];
            mean[j][i] = said[i] + 16 * anchor[i] + skip[i];
        }
        float follow[PIXELS] = {0};
        for (int64_t e = 0; e < c; e++) {
            const float *gain = out + (3 * k + e * k + j) * PIXELS;
            const float *before = b->known + e * PIXELS, *at = b->anchor + (e * k + j) * PIXELS;
            for (int64_t i = 0; i < PIXELS; i++)
                follow[i] += within(gain[i], -127, 127) * (before[i] - at[i]);
        }
        for (int64_t i = 0; i < PIXELS; i++) mean[j][i] += floorf(follow[i] * 0.25f);
    }
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = 0; i < PIXELS; i++) {
            share[j][i] =
                power((within(out[j * PIXELS + i], -127, 128) - largest[i]) * (1.0f / 16));
            total[i] += share[j][i];
        }
    for (int64_t j = 0; j < k; j++) {
        const float *scale = out + (2 * k + j) * PIXELS;
        for (int64_t i = 0; i < PIXELS; i++) {
            float inverse = power((40 - within(scale[i], 0, 127)) * (1.0f / 12));
            float far = known[i] - within(mean[j][i], -8191, 8191) * (1.0f / 16);
            float up = (far + 0.5f) * inverse, down = (far - 0.5f) * inverse;
            float upper = sigmoid(up), lower = sigmoid(down);
            float du = upper * (1 - upper), dl = lower * (1 - lower);
            int last = known[i] > 254.5f, first = known[i] < 0.5f;
            upper = last ? 1 : upper, du = last ? 0 : du;
            lower = first ? 0 : lower, dl = first ? 0 : dl;
            share[j][i] /= total[i];
            mass[j][i] = upper - lower;
            p[i] += share[j][i] * mass[j][i];
            d_mean[j][i] = (dl - du) * inverse * (1.0f / 16);
            d_scale[j][i] = (dl * down - du * up) * 0.0577622650f; /* ln 2 / 12 */
        }
    }
    const float keep = 1 - 1.0f / 4096;
    for (int64_t i = 0; i < PIXELS; i++) {
        float q = p[i] * keep + 1.0f / (1 << 20) + n->soft;
        float counted = (float)(c < b->coded[i]);
        b->bits[i] -= counted * log2f(q);
        factor[i] = -counted * 1.4426950409f * keep / q;
    }
    for (int64_t j = 0; j < k; j++) {
        float *logit = out + j * PIXELS, *said = out + (k + j) * PIXELS;
        float *scale = out + (2 * k + j) * PIXELS, *to_mean = g_mean + j * PIXELS;
        for (int64_t i = 0; i < PIXELS; i++) {
            float weighted = factor[i] * share[j][i];
            float inside = (float)(logit[i] >= -127 && logit[i] <= 128);
            logit[i] = inside * weighted * (mass[j][i] - p[i]) * 0.0433216988f; /* ln 2 / 16 */
            inside = (float)(mean[j][i] >= -8191 && mean[j][i] <= 8191);
            to_mean[i] = said[i] = inside * weighted * d_mean[j][i];
            inside = (float)(scale[i] >= 0 && scale[i] <= 127);
            scale[i] = inside * weighted * d_scale[j][i];
        }
        for (int64_t e = 0; e + 1 < n->channels; e++) {
            float *gain = out + (3 * k + e * k + j) * PIXELS;
            const float *before = b->known + e * PIXELS, *at = b->anchor + (e * k + j) * PIXELS;
            for (int64_t i = 0; i < PIXELS; i++) {
                float inside = (float)(e < c && gain[i] >= -127 && gain[i] <= 127);
                gain[i] = inside * to_mean[i] * (before[i] - at[i]) * 0.25f;
            }
        }
    }
}

/* Back through an activation and a film: `slope` is overwritten with that of the layer's values. */
TARGET static void film_back(const float_layer *d, const float *acc, const float *gain,
                             const float *shift, float *restrict slope, float *restrict g_gain,
                             float *restrict g_shift) {
    const float *scale = d->scale, *bias = d->bias;
    for (int64_t o = 0; o < d->out; o++) {
        float y = floorf(acc[o] * scale[o] + bias[o]);
        float z = y + floorf(y * gain[o] * (1.0f / 64)) + shift[o];
        float inside = z < 0 || z > 255 ? 0 : slope[o];
        g_shift[o] += inside;
        g_gain[o] += inside * y * (1.0f / 64);
        slope[o] = inside * (1 + gain[o] * (1.0f / 64));
    }
}

/* A block of pixels: its bits, and their gradient to all integers and films. */
TARGET static void gradient(const float_network *n, const work *b) {
    const int64_t k = n->components, s = n->splits.outs;
    /* forward: the trunk */
    multiply(&n->skip, b->x, b->skip_acc);
    for (int64_t o = 0; o < n->skip.out; o++)
        for (int64_t i = 0; i < PIXELS; i++)
            b->skip[o * PIXELS + i] = value(&n->skip, b->skip_acc[i * n->skip.outs + o], o);
    const float *h = b->x;
    for (int64_t l = 0; l < n->layers; l++) {
        const float_layer *d = n->trunk + l;
        multiply(d, h, b->acc[l]);
        for (int64_t i = 0; i < PIXELS; i++) {
            const float *acc = b->acc[l] + i * d->outs;
            float *restrict to = b->h[l] + i * d->outs;
            const float *gain = n->film ? b->film[i] + l * n->width : NULL;
            const float *shift = n->film ? gain + n->layers * n->width : NULL;
            if (n->film)
                for (int64_t o = 0; o < d->out; o++) {
                    float y = value(d, acc[o], o);
                    y += floorf(y * gain[o] * (1.0f / 64)) + shift[o];
                    to[o] = within(y, 0, 255);
                }
            else
                for (int64_t o = 0; o < d->out; o++) to[o] = within(value(d, acc[o], o), 0, 255);
        }
        h = b->h[l];
    }
    multiply(&n->splits, h, b->splits_acc);
    memset(b->g_splits, 0, sizeof(float) * (size_t)(PIXELS * s));
    memset(b->g_skip, 0, sizeof(float) * (size_t)(PIXELS * n->skip.outs));
    /* channel by channel, forward and back */
    for (int64_t c = 0; c < n->channels; c++) {
        const float_layer *mix = n->mixes + c, *head = n->heads + c;
        const int64_t first = c * n->split;
        for (int64_t i = 0; i < PIXELS; i++) {
            const float *acc = b->splits_acc + i * s + first;
            float *restrict to = b->first + i * mix->ins, *restrict pre = b->pre + i * n->split;
            float *restrict sum = b->sum + i * n->split; /* of the earlier channels' errors */
            for (int64_t o = 0; o < n->split; o++) sum[o] = 0;
            for (int64_t e = 0; e < c; e++) {
                const float error = b->residual[e * PIXELS + i];
                const float *column = n->coded.columns + e * n->coded.outs + first;
                for (int64_t o = 0; o < n->split; o++) sum[o] += error * column[o];
            }
            for (int64_t o = 0; o < n->split; o++) pre[o] = value(&n->splits, acc[o], first + o);
            if (n->channels > 1)
                for (int64_t o = 0; o < n->split; o++)
                    pre[o] += value(&n->coded, sum[o], first + o);
            for (int64_t o = 0; o < n->split; o++) to[o] = within(pre[o], 0, 255);
        }
        multiply(mix, b->first, b->mix_acc);
        for (int64_t i = 0; i < PIXELS; i++)
            for (int64_t o = 0; o < mix->out; o++)
                b->second[i * mix->outs + o] =
                    within(value(mix, b->mix_acc[i * mix->outs + o], o), 0, 255);
        multiply(head, b->second, b->head_acc);
        for (int64_t o = 0; o < head->out; o++)
            for (int64_t i = 0; i < PIXELS; i++)
                b->out[o * PIXELS + i] = value(head, b->head_acc[i * head->outs + o], o);
        mixture(n, b, c, b->out, b->g_mean);
        for (int64_t j = 0; j < k; j++)
            for (int64_t i = 0; i < PIXELS; i++)
                b->g_skip[i * n->skip.outs + c * k + j] = b->g_mean[j * PIXELS + i];
        memset(b->g_head, 0, sizeof(float) * (size_t)(PIXELS * head->outs));
        for (int64_t o = 0; o < head->out; o++)
            for (int64_t i = 0; i < PIXELS; i++)
                b->g_head[i * head->outs + o] = b->out[o * PIXELS + i];
        back(head, b->second, b->head_acc, b->g_head, b->g_second);
        for (int64_t i = 0; i < PIXELS; i++)
            for (int64_t o = 0; o < mix->out; o++) {
                float y = value(mix, b->mix_acc[i * mix->outs + o], o);
                b->g_second[i * mix->outs + o] *= (float)(y >= 0 && y <= 255);
            }
        back(mix, b->first, b->mix_acc, b->g_second, b->g_first);
        for (int64_t i = 0; i < PIXELS; i++) {
            const float *pre = b->pre + i * n->split, *sum = b->sum + i * n->split;
            const float *slope = b->g_first + i * mix->ins;
            float *restrict g = b->g_splits + i * s + first;
            for (int64_t o = 0; o < n->split; o++)
                g[o] = slope[o] * (float)(pre[o] >= 0 && pre[o] <= 255);
            if (n->channels == 1) continue;
            const float_layer *d = &n->coded;
            float *restrict bias = d->g_bias + first, *restrict scale = d->g_scale + first;
            for (int64_t o = 0; o < n->split; o++) bias[o] += g[o], scale[o] += g[o] * sum[o];
            for (int64_t e = 0; e < c; e++) {
                float *restrict column = d->g_columns + e * d->outs + first;
                const float *by = d->scale + first, error = b->residual[e * PIXELS + i];
                for (int64_t o = 0; o < n->split; o++) column[o] += g[o] * by[o] * error;
            }
        }
    }
    /* back through the trunk */
    back(&n->skip, b->x, b->skip_acc, b->g_skip, NULL);
    back(&n->splits, b->h[n->layers - 1], b->splits_acc, b->g_splits, b->g_h[0]);
    float *g = b->g_h[0], *next = b->g_h[1];
    for (int64_t l = n->layers - 1; l >= 0; l--) {
        const float_layer *d = n->trunk + l;
        for (int64_t i = 0; i < PIXELS; i++) {
            const float *acc = b->acc[l] + i * d->outs;
            const int64_t gain = l * n->width, shift = gain + n->layers * n->width;
            if (n->film)
                film_back(d, acc, b->film[i] + gain, b->film[i] + shift, g + i * d->outs,
                          b->g_film[i] + gain, b->g_film[i] + shift);
            else
                for (int64_t o = 0; o < d->out; o++) {
                    float y = value(d, acc[o], o);
                    g[i * d->outs + o] *= (float)(y >= 0 && y <= 255);
                }
        }
        back(d, l ? b->h[l - 1] : b->x, b->acc[l], g, l ? next : NULL);
        float *other = g;
        g = next, next = other;
    }
}

#undef VECTOR
#undef HELD
