/* The likelihood of the pixel VAE, in lockstep, behind a plain C ABI (see pixels.py).
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
#include "layers.h"

enum { MAX_CHANNELS = 8, MAX_COMPONENTS = 16, MAX_RADIUS = 5 };
enum { MAX_WINDOW = MAX_CHANNELS * 2 * MAX_RADIUS * (MAX_RADIUS + 1) + 3 * MAX_RADIUS };
enum { ANCHORS = 5, ACTIVATION_MAX = 255, UNIT = 64, UNKNOWN = 128 };
enum { LOGIT_LOW = -127, LOGIT_HIGH = 128, MAX_GAIN = 127 };
enum { MEAN_LIMIT = 8191, SCALE_LEVELS = 128, WEIGHTS = 256 };
enum { CHUNK = 48 }; /* pixels, whole blocks of ROWS */

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
} network;

typedef struct {
    uint8_t *pixels;      /* [tiles][side][side][channels] */
    const int32_t *sizes; /* [tiles][3]: rows, columns, coded channels */
    const int16_t *film;  /* [tiles][cells][2][layers][film], or NULL */
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
    int16_t *skip;   /* [pixel][padded outputs] */
    int16_t *anchors; /* [pixel][channel][MAX_COMPONENTS] */
    int32_t *reference, *known; /* [channel][pixel] */
    int64_t *at; /* [channel][pixel]: the place of a pixel's parameters */
} pixels;

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
    int linear;                 /* whether y is int16, else activations */
    const int16_t *const *film; /* of each row, or NULL */
    int64_t shift;              /* from a film's gain to its shift */
} rows;

/* What the instructions of a machine decide. */
typedef struct {
    int64_t unit; /* bytes of an activation */
    void (*layer)(const dense *, const rows *);
    void (*windows)(const network *, const group *, const pixels *, int64_t, int, char *);
    void (*earlier)(const network *, const pixels *, int64_t, int, int, char *);
    void (*mix)(const network *, const pixels *, int64_t, int, int, const int16_t *,
                const mixtures *);
} variant;

INLINE int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- windows ---- */

INLINE int64_t taps_of(const network *n) { return 2 * n->radius * (n->radius + 1); }

/* The window of a pixel near a border; window.py defines it. */
INLINE uint8_t *gather_border(const network *n, const group *g, const place *p, uint8_t *window) {
    const int64_t radius = n->radius, channels = n->channels;
    const int64_t last = g->sizes[3 * p->tile + 1] - 1;
    const uint8_t *tile = g->pixels + p->tile * g->side * g->side * channels;
    if (p->y == 0 && p->x == 0) {
        memset(window, UNKNOWN, (size_t)(taps_of(n) * channels));
        return window + taps_of(n) * channels;
    }
    for (int64_t down = -radius; down <= 0; down++)
        for (int64_t right = -radius; right <= (down ? radius : -1); right++) {
            int64_t y = most(p->y + down, 0), x = least(most(p->x + right, 0), last);
            if (y == p->y && x >= p->x) {
                y = p->x > 0 ? p->y : p->y - 1;
                x = most(p->x - 1, 0);
            }
            const uint8_t *seen = tile + (y * g->side + x) * channels;
            for (int64_t c = 0; c < channels; c++) *window++ = seen[c];
        }
    return window;
}

INLINE uint8_t *gather_inside(const network *n, const group *g, const place *p, uint8_t *window) {
    const int64_t radius = n->radius, channels = n->channels;
    const int64_t across = (2 * radius + 1) * channels;
    const uint8_t *line = g->pixels + ((p->tile * g->side + p->y - radius) * g->side +
                                       p->x - radius) * channels;
    for (int64_t i = 0; i < radius; i++, line += g->side * channels, window += across)
        copy((char *)window, (const char *)line, across);
    copy((char *)window, (const char *)line, radius * channels);
    return window + radius * channels;
}

/* The inputs of pixel `at`, a row of values of `unit` bytes, and what else its window tells. */
INLINE void look(const network *n, const group *g, const pixels *all, int64_t at, char *row,
                 const int unit) {
    const place *p = all->where + at;
    const int64_t radius = n->radius, channels = n->channels, room = all->room;
    const int64_t right = g->sizes[3 * p->tile + 1] - 1 - p->x;
    uint8_t window[MAX_WINDOW + GROUP] = {0}, *end;
    if (p->y >= radius && p->x >= radius && right >= radius) {
        end = gather_inside(n, g, p, window);
        for (int64_t i = 0; i < 3 * radius; i++) *end++ = 0;
    } else {
        end = gather_border(n, g, p, window);
        for (int64_t i = 0; i < radius; i++) *end++ = p->y <= i ? UNIT : 0;
        for (int64_t i = 0; i < radius; i++) *end++ = p->x <= i ? UNIT : 0;
        for (int64_t i = 0; i < radius; i++) *end++ = right <= i ? UNIT : 0;
    }
    const int64_t values = padded(end - window, GROUP / unit);
    const uint8_t *north = window + ((radius - 1) * (2 * radius + 1) + radius) * channels;
    const uint8_t *west = window + (taps_of(n) - 1) * channels;
    int16_t *words = (int16_t *)(row + values * unit);
    if (unit == 1) memcpy(row, window, (size_t)values);
    else for (int64_t i = 0; i < values; i++) ((int16_t *)row)[i] = window[i];
    if (channels % 2) words[channels] = 0; /* to a whole group */
    for (int64_t c = 0; c < channels; c++) {
        int32_t wn = west[c], nn = north[c], nw = north[c - channels], ne = north[c + channels];
        int16_t *anchor = all->anchors + (at * channels + c) * MAX_COMPONENTS;
        anchor[0] = (int16_t)((2 * wn + 2 * nn + 2) >> 2);
        anchor[1] = (int16_t)wn;
        anchor[2] = (int16_t)nn;
        anchor[3] = (int16_t)(wn + nn - nw);
        anchor[4] = (int16_t)((2 * wn + 2 * nn - nw + ne + 2) >> 2);
        for (int64_t k = ANCHORS; k < n->components; k++) anchor[k] = anchor[k - ANCHORS];
        all->reference[c * room + at] = (wn + nn + 1) >> 1;
        words[c] = (int16_t)((wn + nn + 1) >> 1);
    }
}

/* ---- vectors: of 1, 8 or 16 numbers of 32 bits ---- */

enum { WIDTH_1 = 1, WIDTH_256 = 8, WIDTH_512 = 16 };

#define CLIP(V, A, LOW, HIGH) least_##V(most_##V(A, fill_##V(LOW)), fill_##V(HIGH))

typedef int32_t vector_1;
INLINE vector_1 fill_1(int32_t x) { return x; }
INLINE vector_1 load_1(const int32_t *p) { return *p; }
INLINE vector_1 widen_1(const int16_t *p) { return *p; }
INLINE vector_1 plus_1(vector_1 a, vector_1 b) { return a + b; }
INLINE vector_1 times_1(vector_1 a, vector_1 b) { return a * b; }
INLINE vector_1 shift_1(vector_1 a, int by) { return a >> by; }
INLINE vector_1 least_1(vector_1 a, vector_1 b) { return a < b ? a : b; }
INLINE vector_1 most_1(vector_1 a, vector_1 b) { return a > b ? a : b; }
INLINE void store_1(int32_t *p, vector_1 a) { *p = a; }
INLINE vector_1 pick_1(const int32_t *from, vector_1 at) { return from[at]; }
INLINE vector_1 where_1(vector_1 a, vector_1 b, vector_1 x) { return a == b ? x : 0; }
INLINE int first_1(vector_1 a, vector_1 b) { return a == b ? 0 : -1; }
INLINE vector_1 largest_1(vector_1 a) { return a; }
INLINE vector_1 total_1(vector_1 a) { return a; }
INLINE vector_1 quotient_1(vector_1 a, vector_1 b) { return a / b; }
INLINE void words_1(char *to, vector_1 a) { *(int16_t *)to = (int16_t)a; }
INLINE void active_1(char *to, vector_1 a, const int unit) {
    a = clip(a, 0, ACTIVATION_MAX);
    if (unit == 1) *(uint8_t *)to = (uint8_t)a;
    else words_1(to, a);
}

#if X86
typedef __m256i vector_256;
AVX2 INLINE vector_256 fill_256(int32_t x) { return _mm256_set1_epi32(x); }
AVX2 INLINE vector_256 load_256(const int32_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}
AVX2 INLINE vector_256 widen_256(const int16_t *p) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p));
}
AVX2 INLINE vector_256 plus_256(vector_256 a, vector_256 b) { return _mm256_add_epi32(a, b); }
AVX2 INLINE vector_256 times_256(vector_256 a, vector_256 b) { return _mm256_mullo_epi32(a, b); }
AVX2 INLINE vector_256 shift_256(vector_256 a, int by) {
    return _mm256_sra_epi32(a, _mm_cvtsi32_si128(by));
}
AVX2 INLINE vector_256 least_256(vector_256 a, vector_256 b) { return _mm256_min_epi32(a, b); }
AVX2 INLINE vector_256 most_256(vector_256 a, vector_256 b) { return _mm256_max_epi32(a, b); }
AVX2 INLINE void store_256(int32_t *p, vector_256 a) { _mm256_storeu_si256((__m256i *)p, a); }
AVX2 INLINE vector_256 pick_256(const int32_t *from, vector_256 at) {
    return _mm256_i32gather_epi32(from, at, 4);
}
/* x where a is b, else 0. */
AVX2 INLINE vector_256 where_256(vector_256 a, vector_256 b, vector_256 x) {
    return _mm256_and_si256(_mm256_cmpeq_epi32(a, b), x);
}
/* The first place where a is b, or -1. */
AVX2 INLINE int first_256(vector_256 a, vector_256 b) {
    int equal = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)));
    return equal ? __builtin_ctz((unsigned)equal) : -1;
}
/* In every place: the largest of all, their sum. */
AVX2 INLINE vector_256 largest_256(vector_256 a) {
    a = most_256(a, _mm256_permute2x128_si256(a, a, 1));
    a = most_256(a, _mm256_shuffle_epi32(a, 0x4e));
    return most_256(a, _mm256_shuffle_epi32(a, 0xb1));
}
AVX2 INLINE vector_256 total_256(vector_256 a) {
    a = plus_256(a, _mm256_permute2x128_si256(a, a, 1));
    a = plus_256(a, _mm256_shuffle_epi32(a, 0x4e));
    return plus_256(a, _mm256_shuffle_epi32(a, 0xb1));
}
/* a / b for 0 <= a <= 2^24, 0 < b < 2^24: exact in float, but rounded up to an integer, perhaps. */
AVX2 INLINE vector_256 quotient_256(vector_256 a, vector_256 b) {
    __m256 ratio = _mm256_div_ps(_mm256_cvtepi32_ps(a), _mm256_cvtepi32_ps(b));
    vector_256 whole = _mm256_cvttps_epi32(ratio);
    return plus_256(whole, _mm256_cmpgt_epi32(times_256(whole, b), a));
}
AVX2 INLINE void words_256(char *to, vector_256 a) {
    __m128i both = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    _mm_storeu_si128((__m128i *)to, both);
}
AVX2 INLINE void active_256(char *to, vector_256 a, const int unit) {
    (void)unit; /* 2 */
    words_256(to, CLIP(256, a, 0, ACTIVATION_MAX));
}

typedef __m512i vector_512;
AVX512 INLINE vector_512 fill_512(int32_t x) { return _mm512_set1_epi32(x); }
AVX512 INLINE vector_512 load_512(const int32_t *p) { return _mm512_loadu_si512(p); }
AVX512 INLINE vector_512 widen_512(const int16_t *p) {
    return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p));
}
AVX512 INLINE vector_512 plus_512(vector_512 a, vector_512 b) { return _mm512_add_epi32(a, b); }
AVX512 INLINE vector_512 times_512(vector_512 a, vector_512 b) { return _mm512_mullo_epi32(a, b); }
AVX512 INLINE vector_512 shift_512(vector_512 a, int by) {
    return _mm512_sra_epi32(a, _mm_cvtsi32_si128(by));
}
AVX512 INLINE vector_512 least_512(vector_512 a, vector_512 b) { return _mm512_min_epi32(a, b); }
AVX512 INLINE vector_512 most_512(vector_512 a, vector_512 b) { return _mm512_max_epi32(a, b); }
AVX512 INLINE void words_512(char *to, vector_512 a) {
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(a));
}
AVX512 INLINE void active_512(char *to, vector_512 a, const int unit) {
    if (unit == 2) words_512(to, CLIP(512, a, 0, ACTIVATION_MAX));
    else _mm_storeu_si128((__m128i *)to, _mm512_cvtusepi32_epi8(_mm512_max_epi32(a, fill_512(0))));
}
#endif

/* ---- layers ---- */

enum { LINEAR, ACTIVE, FILMED };

/* Sums of one panel of one pixel -> its outputs. */
#define FINISH(V, TARGET)                                                                          \
    TARGET INLINE void finish_##V(const int32_t *sums, const int32_t *scale, const int32_t *bias,  \
                                  int shift, const int16_t *gain, int64_t add, char *y,            \
                                  const int kind, const int unit) {                                \
        for (int o = 0; o < OUTPUTS; o += WIDTH_##V) {                                             \
            vector_##V a = times_##V(load_##V(sums + o), load_##V(scale + o));                     \
            a = shift_##V(plus_##V(a, load_##V(bias + o)), shift);                                 \
            if (kind != ACTIVE) a = CLIP(V, a, -LIMIT, LIMIT);                                    \
            if (kind == FILMED) {                                                                  \
                vector_##V more = shift_##V(times_##V(a, widen_##V(gain + o)), 6);                 \
                a = plus_##V(plus_##V(a, more), widen_##V(gain + add + o));                        \
            }                                                                                      \
            if (kind == LINEAR) words_##V(y + 2 * o, a);                                           \
            else active_##V(y + unit * o, a, unit);                                                \
        }                                                                                          \
    }

/* Blocks of ROWS rows; those after the last are padding, with no film of their own. */
#define LAYER(NAME, TARGET, DOT, V, UNIT_)                                                         \
    TARGET static void layer_##NAME(const dense *l, const rows *m) {                               \
        const int64_t passes = (l->panels + PANELS - 1) / PANELS;                                  \
        const int64_t most_panels = (l->panels + passes - 1) / passes;                             \
        const int64_t bytes = (l->groups + l->words) * GROUP * OUTPUTS; /* of a panel */           \
        const int shift = (int)l->shift, width = m->linear ? 2 : UNIT_;                            \
        for (int64_t first = 0; first < m->count; first += ROWS) {                                 \
            const char *x[ROWS];                                                                   \
            for (int r = 0; r < ROWS; r++) x[r] = m->x + (first + r) * m->from;                    \
            for (int64_t v = 0; v < l->panels; v += most_panels) {                                 \
                const int some = (int)least(l->panels - v, most_panels);                           \
                block sums;                                                                        \
                DOT(x, l->weight + v * bytes, l->groups, l->words, some, sums);                    \
                for (int r = 0; r < ROWS; r++) {                                                   \
                    const int16_t *film = 0;                                                       \
                    if (m->film) film = m->film[first + r < m->count ? first + r : 0];             \
                    char *y = m->y + (first + r) * m->to + v * OUTPUTS * width;                    \
                    for (int s = 0; s < some; s++, y += OUTPUTS * width) {                         \
                        const int64_t o = (v + s) * OUTPUTS;                                       \
                        const int32_t *sum = sums[r][s], *scale = l->scale + o;                    \
                        const int32_t *bias = l->bias + o;                                         \
                        if (m->linear)                                                             \
                            finish_##V(sum, scale, bias, shift, 0, 0, y, LINEAR, UNIT_);           \
                        else if (!film)                                                            \
                            finish_##V(sum, scale, bias, shift, 0, 0, y, ACTIVE, UNIT_);           \
                        else                                                                       \
                            finish_##V(sum, scale, bias, shift, film + o, m->shift, y, FILMED,     \
                                       UNIT_);                                                     \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

/* ---- channels ---- */

typedef int32_t residuals[MAX_CHANNELS][CHUNK];

/* What pixels say of a channel once those before it are known: rows of activations. */
#define EARLIER(NAME, TARGET, V, UNIT_)                                                            \
    TARGET INLINE void see_##NAME(const network *n, const int16_t *own, int count,                 \
                                  const int channel, const int32_t (*residual)[CHUNK], char *y) {  \
        const int64_t split = padded(n->split, OUTPUTS), all = n->channels * split;                \
        const int32_t *weight = n->coded + channel * all;                                          \
        const int32_t *scale = n->coded_scale + channel * split;                                   \
        const int32_t *bias = n->coded_bias + channel * split;                                     \
        const int shift = (int)n->coded_shift;                                                     \
        for (int64_t o = 0; o < split; o += WIDTH_##V)                                             \
            for (int i = 0; i < count; i++) {                                                      \
                vector_##V sum = fill_##V(0);                                                      \
                for (int j = 0; j < channel; j++)                                                  \
                    sum = plus_##V(sum, times_##V(load_##V(weight + j * split + o),                \
                                                  fill_##V(residual[j][i])));                      \
                sum = plus_##V(times_##V(sum, load_##V(scale + o)), load_##V(bias + o));           \
                sum = CLIP(V, shift_##V(sum, shift), -LIMIT, LIMIT);                               \
                sum = plus_##V(sum, widen_##V(own + i * all + o));                                 \
                active_##V(y + (i * split + o) * UNIT_, sum, UNIT_);                               \
            }                                                                                      \
    }                                                                                              \
    TARGET static void earlier_##NAME(const network *n, const pixels *all, int64_t first,          \
                                      int count, int channel, char *y) {                           \
        const int64_t split = padded(n->split, OUTPUTS);                                           \
        const int16_t *own = all->splits + (first * n->channels + channel) * split;                \
        residuals residual;                                                                        \
        for (int j = 0; j < channel; j++)                                                          \
            for (int i = 0; i < CHUNK; i++) {                                                      \
                const int64_t at = j * all->room + first + i;                                      \
                residual[j][i] = all->known[at] - all->reference[at];                              \
            }                                                                                      \
        const int32_t (*seen)[CHUNK] = (const int32_t (*)[CHUNK])residual;                         \
        switch (channel) {                                                                         \
            case 0: see_##NAME(n, own, count, 0, seen, y); break;                                  \
            case 1: see_##NAME(n, own, count, 1, seen, y); break;                                  \
            case 2: see_##NAME(n, own, count, 2, seen, y); break;                                  \
            default: see_##NAME(n, own, count, channel, seen, y);                                  \
        }                                                                                          \
    }

/* memcpy, without a call for the few numbers that a mixture has. */
INLINE void copy_numbers(int32_t *to, const int32_t *from, int64_t n) {
    if (n > 8) memcpy(to, from, (size_t)n * sizeof *to);
    else if (n >= 4) memcpy(to, from, 16), memcpy(to + n - 4, from + n - 4, 16);
    else for (int64_t i = 0; i < n; i++) to[i] = from[i];
}

/* What a head says of a channel of one pixel -> its mixture, `parts` vectors of components. Places
 * after the last component, whose logits `highest` keeps lowest, have a weight of 0. */
#define MIX(NAME, TARGET, V)                                                                       \
    TARGET INLINE void mix_one_##NAME(const network *n, const pixels *all, int64_t at,             \
                                      const int channel, const int parts, const int16_t *out,      \
                                      const int32_t *highest, const mixtures *to) {                \
        enum { MOST = MAX_COMPONENTS / WIDTH_##V };                                                \
        static const int32_t places[] = {0, 1, 2, 3, 4, 5, 6, 7};                                  \
        const int64_t components = n->components, room = all->room;                                \
        const int16_t *anchors = all->anchors + at * n->channels * MAX_COMPONENTS;                 \
        const int16_t *anchor = anchors + channel * MAX_COMPONENTS;                                \
        const int16_t *skip = all->skip + at * n->skip->panels * OUTPUTS + channel * components;   \
        const vector_##V low = fill_##V(LOGIT_LOW);                                                \
        vector_##V logit[MOST], share[MOST], largest = low, sum = fill_##V(0), whole = sum;        \
        int32_t weight[MAX_COMPONENTS], mean[MAX_COMPONENTS], scale[MAX_COMPONENTS];               \
        for (int v = 0; v < parts; v++) {                                                          \
            logit[v] = most_##V(widen_##V(out + v * WIDTH_##V), low);                              \
            logit[v] = least_##V(logit[v], load_##V(highest + v * WIDTH_##V));                     \
            largest = most_##V(largest, logit[v]);                                                 \
        }                                                                                          \
        largest = largest_##V(largest);                                                            \
        for (int v = 0; v < parts; v++) {                                                          \
            vector_##V below = plus_##V(largest, times_##V(logit[v], fill_##V(-1)));               \
            vector_##V none = where_##V(load_##V(highest + v * WIDTH_##V), low, fill_##V(1));      \
            share[v] = pick_##V(n->powers, below);                                                 \
            share[v] = where_##V(none, fill_##V(0), share[v]);                                     \
            sum = plus_##V(sum, share[v]);                                                         \
        }                                                                                          \
        sum = total_##V(sum);                                                                      \
        for (int v = 0; v < parts; v++) {                                                          \
            share[v] = quotient_##V(times_##V(share[v], fill_##V(WEIGHTS)), sum);                  \
            whole = plus_##V(whole, share[v]);                                                     \
        }                                                                                          \
        vector_##V rest = plus_##V(fill_##V(WEIGHTS), times_##V(total_##V(whole), fill_##V(-1)));  \
        for (int v = 0; v < parts; v++) {                                                          \
            int first = first_##V(logit[v], largest);                                              \
            if (first >= 0) {                                                                      \
                vector_##V mine = where_##V(load_##V(places), fill_##V(first), rest);              \
                share[v] = plus_##V(share[v], mine);                                               \
                rest = fill_##V(0);                                                                \
            }                                                                                      \
            store_##V(weight + v * WIDTH_##V, share[v]);                                           \
        }                                                                                          \
        for (int v = 0; v < parts; v++) {                                                          \
            const int64_t k = v * WIDTH_##V;                                                       \
            vector_##V shift = fill_##V(0), base, value;                                           \
            for (int j = 0; j < channel; j++) {                                                    \
                vector_##V gain = CLIP(V, widen_##V(out + (3 + j) * components + k), -MAX_GAIN,    \
                                       MAX_GAIN);                                                  \
                vector_##V mine = widen_##V(anchors + j * MAX_COMPONENTS + k);                     \
                vector_##V known = fill_##V(all->known[j * room + at]);                            \
                mine = plus_##V(known, times_##V(mine, fill_##V(-1)));                             \
                shift = plus_##V(shift, times_##V(gain, mine));                                    \
            }                                                                                      \
            base = times_##V(widen_##V(anchor + k), fill_##V(16));                                 \
            base = plus_##V(plus_##V(base, widen_##V(skip + k)), shift_##V(shift, 2));             \
            value = plus_##V(widen_##V(out + components + k), base);                               \
            store_##V(mean + k, CLIP(V, value, -MEAN_LIMIT, MEAN_LIMIT));                          \
            value = widen_##V(out + 2 * components + k);                                           \
            store_##V(scale + k, CLIP(V, value, 0, SCALE_LEVELS - 1));                             \
        }                                                                                          \
        const int64_t symbol = all->at[channel * room + at] * components;                          \
        copy_numbers(to->weight + symbol, weight, components);                                     \
        copy_numbers(to->mean + symbol, mean, components);                                         \
        copy_numbers(to->scale + symbol, scale, components);                                       \
    }                                                                                              \
    TARGET static void mix_##NAME(const network *n, const pixels *all, int64_t first, int count,   \
                                  int channel, const int16_t *out, const mixtures *to) {           \
        const int64_t stride = n->heads->panels * OUTPUTS, k = n->components;                      \
        const int parts = (int)((k + WIDTH_##V - 1) / WIDTH_##V);                                  \
        int32_t highest[MAX_COMPONENTS];                                                           \
        for (int i = 0; i < MAX_COMPONENTS; i++) highest[i] = i < k ? LOGIT_HIGH : LOGIT_LOW;      \
        for (int64_t i = 0; i < count; i++, out += stride)                                         \
            if (parts == 1) mix_one_##NAME(n, all, first + i, channel, 1, out, highest, to);       \
            else mix_one_##NAME(n, all, first + i, channel, parts, out, highest, to);              \
    }

#define VARIANT(NAME, TARGET, DOT, V, M, UNIT_)                                                    \
    LAYER(NAME, TARGET, DOT, V, UNIT_)                                                             \
    MIX(NAME, TARGET, M)                                                                           \
    EARLIER(NAME, TARGET, V, UNIT_)                                                                \
    TARGET static void windows_##NAME(const network *n, const group *g, const pixels *all,         \
                                      int64_t first, int count, char *to) {                        \
        const int64_t row = (n->skip->groups + n->skip->words) * GROUP;                            \
        for (int i = 0; i < count; i++) look(n, g, all, first + i, to + i * row, UNIT_);           \
    }                                                                                              \
    static const variant variant_##NAME = {UNIT_, layer_##NAME, windows_##NAME, earlier_##NAME,    \
                                           mix_##NAME};

FINISH(1, )
VARIANT(plain, , dot_plain, 1, 1, 2)
#if X86
FINISH(256, AVX2)
FINISH(512, AVX512)
VARIANT(avx2, AVX2, dot_avx2, 256, 256, 2)
VARIANT(avx512, AVX512, dot_avx512, 512, 256, 2)
VARIANT(vnni, VNNI, dot_bytes, 512, 256, 1)
#endif

static const variant *choose(int64_t which) {
    switch (which) {
#if X86
        case WITH_AVX2: return &variant_avx2;
        case WITH_AVX512: return &variant_avx512;
        case WITH_VNNI: return &variant_vnni;
#endif
        default: return &variant_plain;
    }
}

/* ---- chunks of pixels ---- */

typedef struct {
    const variant *v;
    const network *n;
    const group *g;
    scratch s;
} machine;

/* Compute the trunks of `count` pixels from `first` on. */
static void run_trunk(const machine *m, const pixels *all, int64_t first, int64_t count) {
    const network *n = m->n;
    const int64_t row = (n->skip->groups + n->skip->words) * GROUP;
    const int64_t cells = m->g->side / n->cell, width = n->film * m->v->unit;
    const int64_t splits = n->splits->panels * OUTPUTS, skips = n->skip->panels * OUTPUTS;
    char *x = m->s.first, *y = m->s.second;
    const int16_t *film[CHUNK];
    m->v->windows(n, m->g, all, first, (int)count, x);
    for (int64_t i = 0; m->g->film && i < count; i++) {
        const place *p = all->where + first + i;
        int64_t cell = p->tile * cells * cells + p->y / n->cell * cells + p->x / n->cell;
        film[i] = m->g->film + cell * 2 * n->layers * n->film;
    }
    rows skip = {x, (char *)(all->skip + first * skips), row, 2 * skips, count, 1, 0, 0};
    m->v->layer(n->skip, &skip);
    for (int64_t i = 0; i < n->layers; i++) {
        rows hidden = {x, y, i ? width : row, width, count, 0, m->g->film ? film : 0,
                       n->layers * n->film};
        m->v->layer(n->trunk + i, &hidden);
        for (int64_t r = 0; m->g->film && r < count; r++) film[r] += n->film;
        char *swap = x;
        x = y, y = swap;
    }
    rows last = {x, (char *)(all->splits + first * splits), width, 2 * splits, count, 1, 0, 0};
    m->v->layer(n->splits, &last);
}

/* Compute the mixtures of a channel of `count` pixels from `first` on. */
static void run_channel(const machine *m, const pixels *all, int64_t first, int64_t count,
                        int channel, const mixtures *to) {
    const network *n = m->n;
    const dense *mix = n->mixes + channel, *head = n->heads + channel;
    const int64_t split = mix->panels * OUTPUTS * m->v->unit, out = 2 * head->panels * OUTPUTS;
    m->v->earlier(n, all, first, (int)count, channel, m->s.first);
    rows mixed = {m->s.first, m->s.second, split, split, count, 0, 0, 0};
    m->v->layer(mix, &mixed);
    rows last = {m->s.second, (char *)m->s.out, split, out, count, 1, 0, 0};
    m->v->layer(head, &last);
    m->v->mix(n, all, first, (int)count, channel, m->s.out, to);
}

/* ---- memory ---- */

/* One block of memory in aligned parts: first counted (memory is NULL), then handed out. */
typedef struct {
    char *memory;
    int64_t used;
} arena;

enum { ALIGNMENT = 64, NO_MEMORY = -1000 };
enum { SLACK = 2 * ALIGNMENT }; /* to align the first part and to read past the last */

INLINE void *take(arena *a, int64_t bytes) {
    char *part = a->memory ? a->memory + a->used : 0;
    a->used += padded(bytes, ALIGNMENT);
    return part;
}

static void take_pixels(arena *a, const network *n, int64_t count, pixels *p) {
    const int64_t room = p->room = padded(count, CHUNK), c = n->channels;
    p->where = take(a, room * (int64_t)sizeof *p->where);
    p->splits = take(a, room * n->splits->panels * OUTPUTS * 2);
    p->skip = take(a, room * n->skip->panels * OUTPUTS * 2);
    p->anchors = take(a, room * c * MAX_COMPONENTS * 2);
    p->reference = take(a, room * c * 4);
    p->known = take(a, room * c * 4);
    p->at = take(a, room * c * (int64_t)sizeof *p->at);
}

static void take_scratch(arena *a, const network *n, scratch *s) {
    const int64_t row = (n->skip->groups + n->skip->words) * GROUP;
    const int64_t widest = most(row, 2 * most(n->film, n->mixes->panels * OUTPUTS));
    s->first = take(a, CHUNK * widest);
    s->second = take(a, CHUNK * widest);
    s->out = take(a, CHUNK * n->heads->panels * OUTPUTS * 2);
}

/* ---- steps ---- */

static int64_t most_coded(const int32_t *sizes, int64_t tiles) {
    int64_t coded = 1;
    for (int64_t b = 0; b < tiles; b++) coded = most(coded, sizes[3 * b + 2]);
    return coded;
}

/* Steps of a group. */
static int64_t steps_of(const network *n, const group *g) {
    int64_t steps = 0;
    for (int64_t b = 0; b < g->tiles; b++) {
        const int32_t *size = g->sizes + 3 * b;
        steps = most(steps, size[1] + (n->radius + 1) * (size[0] - 1));
    }
    return steps;
}

/* The most pixels that a step may have. */
static int64_t most_of_step(const network *n, const group *g) {
    int64_t count = 0;
    for (int64_t b = 0; b < g->tiles; b++) {
        const int32_t *size = g->sizes + 3 * b;
        count += least(size[0], size[1] / (n->radius + 1) + 1);
    }
    return count;
}

/* First row of a tile that has a pixel in a step, and the row after the last. */
INLINE void rows_of_step(const network *n, const int32_t *size, int64_t step, int64_t *from,
                         int64_t *to) {
    const int64_t slope = n->radius + 1, columns = size[1];
    *from = step < columns ? 0 : (step - columns) / slope + 1;
    *to = most(least(step / slope + 1, size[0]), *from);
}

/* ---- decoding ---- */

typedef int64_t pop_logistic(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                             int64_t bottom, int32_t *symbols, int64_t n, const int32_t *weight,
                             const int32_t *mean, const int32_t *scale, int64_t components,
                             int64_t low, int64_t size);

typedef struct {
    pop_logistic *pop;
    uint64_t *head;
    int64_t lanes;
    const uint32_t *words;
    int64_t top, end;
} message;

/* List the pixels of a step, those with more than one channel coded first, if any have more;
 * returns how many these are. */
static int64_t list_step(const network *n, const group *g, int64_t step, pixels *all,
                         int64_t *count) {
    int64_t listed = 0, whole = 0;
    for (int pass = 0; pass < 2; pass++) {
        int64_t rank = 0;
        for (int64_t b = 0; b < g->tiles; b++) {
            const int32_t *size = g->sizes + 3 * b;
            int64_t from, to;
            rows_of_step(n, size, step, &from, &to);
            if ((size[2] < g->coded) == pass)
                for (int64_t y = from; y < to; y++, listed++) {
                    all->where[listed] = (place){b, y, step - (n->radius + 1) * y};
                    all->at[listed] = rank + y - from;
                }
            rank += to - from;
        }
        if (!pass) whole = listed;
    }
    *count = listed;
    return whole;
}

static int64_t pop_step(const machine *m, message *from, pixels *all, int64_t step,
                        const mixtures *to, int32_t *symbols) {
    const network *n = m->n;
    const int channels = (int)n->channels, coded = (int)m->g->coded;
    int64_t count, whole = list_step(n, m->g, step, all, &count);
    for (int64_t i = 0; i < count; i += CHUNK) run_trunk(m, all, i, least(count - i, CHUNK));
    for (int c = 0; c < coded; c++) {
        const int64_t some = c ? whole : count;
        int32_t *known = all->known + c * all->room;
        int64_t *at = all->at + c * all->room;
        for (int64_t i = 0; c && i < some; i++) at[i] = i;
        for (int64_t i = 0; i < some; i += CHUNK)
            run_channel(m, all, i, least(some - i, CHUNK), c, to);
        if (!some) break;
        from->top = from->pop(from->head, from->lanes, from->words, from->top, from->end, symbols,
                              some, to->weight, to->mean, to->scale, n->components, 0,
                              ACTIVATION_MAX + 1);
        if (from->top < 0) return from->top;
        for (int64_t i = 0; i < some; i++) known[i] = symbols[at[i]];
    }
    for (int64_t i = 0; i < count; i++) {
        const place *p = all->where + i;
        const int64_t at = (p->tile * m->g->side + p->y) * m->g->side + p->x;
        for (int c = 0; c < channels; c++)
            m->g->pixels[at * channels + c] =
                (uint8_t)all->known[(i < whole && c < coded ? c * all->room : 0) + i];
    }
    return from->top;
}

/* Decode a group of tiles, whose pixels are 0: the new top, an error of `pop`, or NO_MEMORY. */
EXPORT int64_t bitswap_pixels_pop(int64_t which, const network *n, uint8_t *tiles,
                                  const int32_t *sizes, const int16_t *film, int64_t count,
                                  int64_t side, pop_logistic *pop, uint64_t *head, int64_t lanes,
                                  const uint32_t *words, int64_t top, int64_t end) {
    const group g = {tiles, sizes, film, count, side, most_coded(sizes, count)};
    const int64_t room = most_of_step(n, &g), steps = steps_of(n, &g);
    machine m = {choose(which), n, &g, {0}};
    message from = {pop, head, lanes, words, top, end};
    arena a = {0, 0};
    pixels all;
    mixtures to;
    int32_t *symbols = 0;
    for (int pass = 0; pass < 2; pass++) {
        char *memory = pass ? calloc((size_t)(a.used + SLACK), 1) : 0;
        if (pass && !memory) return NO_MEMORY;
        a.memory = memory ? memory + (ALIGNMENT - (intptr_t)memory % ALIGNMENT) : 0;
        a.used = 0;
        take_pixels(&a, n, room, &all);
        take_scratch(&a, n, &m.s);
        to.weight = take(&a, room * n->components * 4);
        to.mean = take(&a, room * n->components * 4);
        to.scale = take(&a, room * n->components * 4);
        symbols = take(&a, room * 4);
        if (!pass) continue;
        for (int64_t step = 0; step < steps && from.top >= 0; step++)
            pop_step(&m, &from, &all, step, &to, symbols);
        free(memory);
    }
    return from.top;
}

/* ---- encoding ---- */

/* Pixels that wait until they fill a chunk, and how many of their channels are coded. */
typedef struct {
    pixels all;
    int64_t count;
    int channels;
} queue;

static void flush(const machine *m, queue *q, const mixtures *to) {
    if (!q->count) return;
    run_trunk(m, &q->all, 0, q->count);
    for (int c = 0; c < q->channels; c++) run_channel(m, &q->all, 0, q->count, c, to);
    q->count = 0;
}

/* What an encoder tells of its symbols besides their mixtures. */
typedef struct {
    int32_t *symbols, *owner, *batches;
    int64_t count; /* of batches */
} coded;

/* Queue the pixels of a tile in a step; `at` are the places of the next symbols of each channel. */
static void queue_tile(const machine *m, int64_t tile, int64_t step, queue *q, const mixtures *to,
                       coded *told, int64_t *at) {
    const int64_t slope = m->n->radius + 1, side = m->g->side, channels = m->n->channels;
    int64_t from, end;
    rows_of_step(m->n, m->g->sizes + 3 * tile, step, &from, &end);
    for (int64_t y = from; y < end; y++) {
        const int64_t x = step - slope * y, i = q->count++;
        const uint8_t *pixel = m->g->pixels + ((tile * side + y) * side + x) * channels;
        q->all.where[i] = (place){tile, y, x};
        for (int c = 0; c < q->channels; c++) {
            q->all.at[c * q->all.room + i] = at[c];
            q->all.known[c * q->all.room + i] = told->symbols[at[c]] = pixel[c];
            told->owner[at[c]++] = (int32_t)tile;
        }
        if (q->count == CHUNK) flush(m, q, to);
    }
}

static void queue_step(const machine *m, int64_t step, queue *whole, queue *gray,
                       const mixtures *to, coded *told, int64_t *next) {
    int64_t sizes[MAX_CHANNELS] = {0}, at[MAX_CHANNELS];
    for (int64_t b = 0; b < m->g->tiles; b++) {
        const int32_t *size = m->g->sizes + 3 * b;
        int64_t from, end;
        rows_of_step(m->n, size, step, &from, &end);
        for (int c = 0; c < m->n->channels && c < size[2]; c++) sizes[c] += end - from;
    }
    for (int c = 0; c < m->n->channels; c++) {
        at[c] = *next;
        *next += sizes[c];
        if (sizes[c]) told->batches[told->count++] = (int32_t)sizes[c];
    }
    for (int64_t b = 0; b < m->g->tiles; b++) {
        queue *q = m->g->sizes[3 * b + 2] < m->g->coded ? gray : whole;
        queue_tile(m, b, step, q, to, told, at);
    }
}

/* Everything that an encoder of a group pushes, in coding order: the number of batches, or
 * NO_MEMORY. Room for the batches: as many as symbols. */
EXPORT int64_t bitswap_pixels_mixtures(int64_t which, const network *n, const uint8_t *tiles,
                                       const int32_t *sizes, const int16_t *film, int64_t count,
                                       int64_t side, int32_t *symbols, int32_t *weight,
                                       int32_t *mean, int32_t *scale, int32_t *owner,
                                       int32_t *batches) {
    const group g = {(uint8_t *)tiles, sizes, film, count, side, /* only read */
                     most_coded(sizes, count)};
    const int64_t steps = steps_of(n, &g);
    machine m = {choose(which), n, &g, {0}};
    const mixtures to = {weight, mean, scale};
    coded told = {symbols, owner, batches, 0};
    queue whole = {{0}, 0, (int)g.coded}, gray = {{0}, 0, 1};
    arena a = {0, 0};
    int64_t next = 0;
    for (int pass = 0; pass < 2; pass++) {
        char *memory = pass ? calloc((size_t)(a.used + SLACK), 1) : 0;
        if (pass && !memory) return NO_MEMORY;
        a.memory = memory ? memory + (ALIGNMENT - (intptr_t)memory % ALIGNMENT) : 0;
        a.used = 0;
        take_pixels(&a, n, CHUNK, &whole.all);
        take_pixels(&a, n, CHUNK, &gray.all);
        take_scratch(&a, n, &m.s);
        if (!pass) continue;
        for (int64_t step = 0; step < steps; step++)
            queue_step(&m, step, &whole, &gray, &to, &told, &next);
        flush(&m, &whole, &to);
        flush(&m, &gray, &to);
        free(memory);
    }
    return told.count;
}
