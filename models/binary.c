/* Exact layers of signs: weights and inputs are +-1, and a product is an XOR of bits.
 *
 * A bit is 1 for -1. Of n products, those of different bits are -1: they add up to n - 2 popcount(w
 * XOR x). Taps outside of the image count 0, but their bits are 0 as those of +1 are, so what these
 * add, the sum of a tap's weights, is taken from the sums of pixels near the border.
 *
 * Rastegari et al., "XNOR-Net", ECCV 2016; the popcount by lookup of four bits at once: Mula, Kurz
 * and Lemire, "Faster Population Counts Using AVX2 Instructions", The Computer Journal 2018. Here
 * the XOR is in the table, too: a pixel's four bits choose 16 counts, and 16 outputs' look one up.
 */
#include "convolution.h"

#if X86
#define POPCNT __attribute__((target("popcnt")))
#define VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vl,avx512vpopcntdq")))
#endif

enum { BITS_PLAIN, BITS_POPCNT, BITS_AVX2, BITS_VPOPCNT };

/* ---- dot products of ROWS patches with some panels of weights: how many bits differ ---- */

/* Counts of the bits of each byte. */
INLINE uint32_t count_bytes(uint32_t word) {
    word -= word >> 1 & 0x55555555u;
    word = (word & 0x33333333u) + (word >> 2 & 0x33333333u);
    return (word + (word >> 4)) & 0x0f0f0f0fu;
}

INLINE void dot_plain_bits(const char *const *rows, const char *weight, int64_t groups, int panels,
                           block sums) {
    enum { MOST = 31 }; /* counts of 8 that a byte can hold */
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int r = 0; r < ROWS; r++) {
            int32_t sum[OUTPUTS] = {0};
            for (int64_t from = 0; from < groups; from += MOST) {
                const int64_t to = from + MOST < groups ? from + MOST : groups;
                uint32_t counts[OUTPUTS] = {0};
                for (int64_t i = from; i < to; i++) {
                    const uint32_t x = (uint32_t)group_at(rows[r], i);
                    const uint32_t *w = (const uint32_t *)(weight + i * GROUP * OUTPUTS);
                    for (int o = 0; o < OUTPUTS; o++) counts[o] += count_bytes(x ^ w[o]);
                }
                for (int o = 0; o < OUTPUTS; o++) {
                    uint32_t pairs = (counts[o] & 0xff00ffu) + (counts[o] >> 8 & 0xff00ffu);
                    sum[o] += (int32_t)((pairs & 0xffffu) + (pairs >> 16));
                }
            }
            memcpy(sums[r][v], sum, sizeof sum);
        }
}

#if X86
POPCNT INLINE void dot_popcnt(const char *const *rows, const char *weight, int64_t groups,
                              int panels, block sums) {
    for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)
        for (int o = 0; o < OUTPUTS; o++) {
            const char *w = weight + o * GROUP;
            int64_t sum[ROWS] = {0}, i = 0;
            for (; i + 2 <= groups; i += 2) {
                uint64_t low = (uint32_t)group_at(w, i * OUTPUTS);
                uint64_t word = low | (uint64_t)(uint32_t)group_at(w, (i + 1) * OUTPUTS) << 32;
                UNROLL for (int r = 0; r < ROWS; r++) {
                    uint64_t x;
                    memcpy(&x, rows[r] + i * GROUP, sizeof x);
                    sum[r] += __builtin_popcountll(x ^ word);
                }
            }
            if (i < groups)
                for (int r = 0; r < ROWS; r++)
                    sum[r] += __builtin_popcount(
                        (uint32_t)(group_at(rows[r], i) ^ group_at(w, i * OUTPUTS)));
            for (int r = 0; r < ROWS; r++) sums[r][v][o] = (int32_t)sum[r];
        }
}

/* How many bits four of a pixel differ from four of an output: [pixel's byte][half][output's]. */
#define AT(x, w) (0x4332322132212110ull >> 4 * ((x) ^ (w)) & 15)
#define FOUR(x, w) AT(x, w), AT(x, w + 1), AT(x, w + 2), AT(x, w + 3)
#define HALF(x) {FOUR(x, 0), FOUR(x, 4), FOUR(x, 8), FOUR(x, 12)}
#define BYTE(x) {HALF((x) & 15), HALF((x) >> 4)}
#define BYTES(x) BYTE(x), BYTE(x + 1), BYTE(x + 2), BYTE(x + 3)
#define SIXTEEN(x) BYTES(x), BYTES(x + 4), BYTES(x + 8), BYTES(x + 12)
#define SIXTY_FOUR(x) SIXTEEN(x), SIXTEEN(x + 16), SIXTEEN(x + 32), SIXTEEN(x + 48)
static const uint8_t differing[256][2][16] __attribute__((aligned(32))) = {
    SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};

enum { LOOKUPS = 63 }; /* of at most 4 that a byte can add up */

/* Half of a vector counts by the low four bits of bytes, half by the high ones. */
AVX2 INLINE void dot_avx2_panels(const char *const *rows, const char *weight, int64_t groups,
                                 int at, const int panels, block sums) {
    const __m256i halves = _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4), four = _mm256_set1_epi8(15);
    const int64_t bytes = groups * GROUP;
    weight += at * bytes * OUTPUTS;
    for (int64_t from = 0; from < bytes; from += LOOKUPS) {
        const int64_t to = from + LOOKUPS < bytes ? from + LOOKUPS : bytes;
        __m256i count[ROWS][2];
        UNROLL for (int r = 0; r < ROWS; r++)
            UNROLL for (int v = 0; v < panels; v++) count[r][v] = _mm256_setzero_si256();
        for (int64_t i = from; i < to; i++) {
            __m256i w[2];
            UNROLL for (int v = 0; v < panels; v++) {
                const __m128i *cell = (const __m128i *)(weight + (v * bytes + i) * OUTPUTS);
                w[v] = _mm256_broadcastsi128_si256(_mm_loadu_si128(cell));
                w[v] = _mm256_and_si256(_mm256_srlv_epi32(w[v], halves), four);
            }
            UNROLL for (int r = 0; r < ROWS; r++) {
                const __m256i *x = (const __m256i *)differing[(uint8_t)rows[r][i]];
                __m256i table = _mm256_load_si256(x);
                UNROLL for (int v = 0; v < panels; v++)
                    count[r][v] = _mm256_add_epi8(count[r][v], _mm256_shuffle_epi8(table, w[v]));
            }
        }
        for (int r = 0; r < ROWS; r++)
            for (int v = 0; v < panels; v++) {
                __m256i low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(count[r][v]));
                __m256i high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(count[r][v], 1));
                uint16_t both[OUTPUTS];
                _mm256_storeu_si256((__m256i *)both, _mm256_add_epi16(low, high));
                for (int o = 0; o < OUTPUTS; o++)
                    sums[r][at + v][o] = both[o] + (from ? sums[r][at + v][o] : 0);
            }
    }
}

AVX2 INLINE void dot_avx2_bits(const char *const *rows, const char *weight, int64_t groups,
                               int panels, block sums) {
    int at = 0;
    for (; at + 2 <= panels; at += 2) dot_avx2_panels(rows, weight, groups, at, 2, sums);
    if (at < panels) dot_avx2_panels(rows, weight, groups, at, 1, sums);
}

#define ADD_DIFFERING(sum, x, w)                                                                   \
    _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(x, w)))
DOT_512(dot_vpopcnt, VPOPCNT, ADD_DIFFERING, ADD_DIFFERING)
#define DOT_VPOPCNT(rows, weight, groups, panels, sums)                                            \
    dot_vpopcnt(rows, weight, groups, 0, panels, sums)
#endif

/* ---- layers ---- */

/* Bits that differ of a pixel at row i, column j -> sums of outputs first.. of some panels. */
INLINE void finish(const layer *l, const images *m, int64_t i, int64_t j, int64_t first, int panels,
                   int32_t *sums) {
    const int64_t size = l->size, edge = size / 2, height = m->height, width = m->width;
    const int64_t outputs = (l->outputs + OUTPUTS - 1) / OUTPUTS * OUTPUTS;
    const int32_t most = (int32_t)(size * size * l->inputs);
    const int count = panels * OUTPUTS;
    for (int o = 0; o < count; o++) sums[o] = most - 2 * sums[o];
    if (i >= edge && i + edge < height && j >= edge && j + edge < width) return;
    const int16_t *totals = l->totals + first;
    for (int64_t row = i - edge; row <= i + edge; row++)
        for (int64_t column = j - edge; column <= j + edge; column++, totals += outputs)
            if (row < 0 || row >= height || column < 0 || column >= width)
                for (int o = 0; o < count; o++) sums[o] -= totals[o];
}

/* `patches` is room for ROWS of them, or NULL where pixels are their own patches. */
#define LAYER(NAME, TARGET, DOT)                                                                   \
    TARGET static void NAME(const layer *l, const images *m, const char *weights, char *patches) { \
        const int64_t pixels = m->batch * m->height * m->width;                                    \
        const int64_t groups = groups_of(l, m);                                                    \
        const char *rows[ROWS];                                                                    \
        int64_t i[ROWS + 1] = {0}, j[ROWS + 1] = {0};                                              \
        block sums;                                                                                \
        for (int64_t first = 0; first < pixels; first += ROWS) {                                   \
            int count = (int)(pixels - first < ROWS ? pixels - first : ROWS);                      \
            for (int r = 0; r < ROWS; r++) {                                                       \
                int64_t at = r < count ? r : 0;                                                    \
                rows[r] = patches ? patches + at * groups * GROUP                                  \
                                  : (const char *)m->x + (first + at) * groups * GROUP;            \
            }                                                                                      \
            for (int r = 0; r < count; r++) {                                                      \
                if (patches)                                                                       \
                    gather(l, m, first + r, i[r], j[r], patches + r * groups * GROUP);             \
                j[r + 1] = j[r] + 1 < m->width ? j[r] + 1 : 0;                                     \
                i[r + 1] = j[r + 1] ? i[r] : i[r] + 1 < m->height ? i[r] + 1 : 0;                  \
            }                                                                                      \
            const char *weight = weights;                                                          \
            for (int64_t o = 0; o < l->outputs; o += PANELS * OUTPUTS) {                           \
                int64_t rest = l->outputs - o;                                                     \
                int some = (int)(rest < PANELS * OUTPUTS ? rest : PANELS * OUTPUTS);               \
                const int panels = (some + OUTPUTS - 1) / OUTPUTS;                                 \
                DOT(rows, weight, groups, panels, sums);                                           \
                weight += PANELS * groups * GROUP * OUTPUTS;                                       \
                for (int r = 0; r < count; r++) {                                                  \
                    finish(l, m, i[r], j[r], o, panels, sums[r][0]);                               \
                    requantize(l, m, sums[r][0], first + r, o, some);                              \
                }                                                                                  \
            }                                                                                      \
            i[0] = i[count], j[0] = j[count];                                                      \
        }                                                                                          \
    }

LAYER(layer_plain, , dot_plain_bits)
#if X86
LAYER(layer_popcnt, POPCNT, dot_popcnt)
LAYER(layer_avx2, AVX2, dot_avx2_bits)
LAYER(layer_vpopcnt, VPOPCNT, DOT_VPOPCNT)
#endif

/* The signs of some values, at most 16, as bits. */
INLINE uint32_t signs(const int16_t *x, int64_t count) {
#if X86
    if (count == 16) {
        const __m128i *values = (const __m128i *)x;
        __m128i low = _mm_loadu_si128(values), high = _mm_loadu_si128(values + 1);
        return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
    }
#endif
    uint32_t word = 0;
    for (int64_t k = 0; k < count; k++) word |= (uint32_t)(uint16_t)x[k] >> 15 << k;
    return word;
}

/* Pack the signs of pixels; each has whole bytes of its own. */
static void pack(const int16_t *x, char *bits, int64_t pixels, int64_t inputs) {
    for (; pixels > 0; pixels--)
        for (int64_t rest = inputs; rest > 0;) {
            const int64_t count = rest < 16 ? rest : 16;
            const uint32_t word = signs(x, count);
            *bits++ = (char)word;
            if (count > 8) *bits++ = (char)(word >> 8);
            x += count, rest -= count;
        }
}

/* 1 if this machine has the instructions of a variant. */
EXPORT int64_t bitswap_binary_supports(int64_t variant) {
#if X86
    __builtin_cpu_init();
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    if (variant == BITS_POPCNT) return __builtin_cpu_supports("popcnt") != 0;
    if (variant == BITS_AVX2) return __builtin_cpu_supports("avx2") != 0;
    if (variant == BITS_VPOPCNT) return wide && __builtin_cpu_supports("avx512vpopcntdq");
#endif
    return variant == BITS_PLAIN;
}

/* One layer of signs over whole images; 0, or -1 where there is no memory. */
EXPORT int64_t bitswap_binary_run(int64_t variant, const layer *l, const int16_t *x,
                                  const int16_t *add, int16_t *y, int64_t batch, int64_t height,
                                  int64_t width, int64_t low, int64_t high) {
    const int64_t pixels = batch * height * width, bytes = (l->inputs + 7) / 8;
    images m = {0, 0, bytes, 0, add, y, batch, height, width, low, high};
    const int direct = l->size == 1 && bytes % GROUP == 0;
    char *bits = malloc((size_t)(pixels * bytes) + 1);
    char *patches = direct ? 0 : calloc((size_t)(ROWS * groups_of(l, &m)), GROUP);
    const int failed = !bits || (!direct && !patches);
    if (!failed) {
        pack(x, bits, pixels, l->inputs);
        m.x = bits;
        switch (variant) {
#if X86
            case BITS_POPCNT: layer_popcnt(l, &m, l->bits, patches); break;
            case BITS_AVX2: layer_avx2(l, &m, l->columns, patches); break;
            case BITS_VPOPCNT: layer_vpopcnt(l, &m, l->bits, patches); break;
#endif
            default: layer_plain(l, &m, l->bits, patches);
        }
    }
    free(patches);
    free(bits);
    return failed ? -1 : 0;
}
