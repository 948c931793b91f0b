/* Exact layers of signs: weights and inputs are +-1, and a product is an XOR of bits.
 *
 * A bit is 1 for -1. Of n products, those of different bits are -1: they add up to n - 2 popcount(w
 * XOR x). Taps outside of the image count 0, but their bits are 0 as those of +1 are, so what these
 * add, the sum of a tap's weights, is taken from the sums of pixels near the border.
 *
 * Rastegari et al., "XNOR-Net", ECCV 2016; counting without an instruction for it (Harley and Seal):
 * Mula, Kurz and Lemire, "Faster Population Counts Using AVX2 Instructions", The Computer Journal
 * 2018.
 */
#include "convolution.h"

#if X86
#define POPCNT __attribute__((target("popcnt")))
#define VPOPCNT __attribute__((target("avx512f,avx512bw,avx512vl,avx512vpopcntdq")))
#endif

enum { BITS_PLAIN, BITS_POPCNT, BITS_AVX2, BITS_VPOPCNT };

/* ---- dot products of ROWS patches with some panels of weights: how many bits differ ---- */

/* Counts of the bits of each byte of x, and sums of pairs of bytes; masks fill a LANE of a WORD. */
#define FILL(MASK) ((LANE)(MASK * 0x0001000100010001u))
#define COUNT_BYTES(x)                                                                             \
    (x -= x >> 1 & FILL(0x5555), x = (x & FILL(0x3333)) + (x >> 2 & FILL(0x3333)),                 \
     x = (x + (x >> 4)) & FILL(0x0f0f))
#define PAIRS(x) (((x) & FILL(0xff)) + ((x) >> 8 & FILL(0xff)))

/* Two more words of one digit: sum becomes their sum's low bits, carry its high ones. */
#define ADD_TWO(carry, sum, x, y)                                                                  \
    (more = (x), last = (y), part = sum ^ more, carry = (sum & more) | (part & last),              \
     sum = part ^ last)

/* Bits are added up as binary numbers of four digits before they are counted. */
#define HARLEY_SEAL(NAME, TARGET)                                                                  \
    TARGET INLINE WORD NAME##_at(const char *row, const char *weight, int64_t i) {                 \
        WORD w;                                                                                    \
        memcpy(&w, weight + i * GROUP * OUTPUTS, sizeof w);                                        \
        return w ^ (LANE)(uint32_t)group_at(row, i) * (LANE)0x100000001u;                          \
    }                                                                                              \
    TARGET INLINE void NAME##_part(const char *row, const char *weight, int64_t groups,            \
                                   int32_t *sums) {                                                \
        WORD ones = {0}, twos = {0}, fours = {0}, eights, total = {0};                             \
        WORD a, b, c, d, more, last, part;                                                         \
        int64_t i = 0;                                                                             \
        for (; i + 8 <= groups; i += 8) {                                                          \
            ADD_TWO(a, ones, NAME##_at(row, weight, i), NAME##_at(row, weight, i + 1));            \
            ADD_TWO(b, ones, NAME##_at(row, weight, i + 2), NAME##_at(row, weight, i + 3));        \
            ADD_TWO(c, twos, a, b);                                                                \
            ADD_TWO(a, ones, NAME##_at(row, weight, i + 4), NAME##_at(row, weight, i + 5));        \
            ADD_TWO(b, ones, NAME##_at(row, weight, i + 6), NAME##_at(row, weight, i + 7));        \
            ADD_TWO(d, twos, a, b);                                                                \
            ADD_TWO(eights, fours, c, d);                                                          \
            COUNT_BYTES(eights);                                                                   \
            total += PAIRS(eights);                                                                \
        }                                                                                          \
        COUNT_BYTES(ones), COUNT_BYTES(twos), COUNT_BYTES(fours);                                  \
        ones += 2 * twos + 4 * fours;                                                              \
        for (; i < groups; i++) {                                                                  \
            part = NAME##_at(row, weight, i);                                                      \
            ones += COUNT_BYTES(part);                                                             \
        }                                                                                          \
        total = 8 * total + PAIRS(ones);                                                           \
        total = (total & (LANE)0xffff0000ffffu) + (total >> 16 & (LANE)0xffff0000ffffu);           \
        memcpy(sums, &total, sizeof total);                                                        \
    }                                                                                              \
    TARGET INLINE void NAME(const char *const *rows, const char *weight, int64_t groups,           \
                            int64_t words, int panels, block sums) {                               \
        enum { PART = sizeof(WORD) / GROUP }; /* outputs */                                        \
        (void)words;                                                                               \
        for (int v = 0; v < panels; v++, weight += groups * GROUP * OUTPUTS)                       \
            for (int r = 0; r < ROWS; r++)                                                         \
                for (int o = 0; o < OUTPUTS; o += PART)                                            \
                    NAME##_part(rows[r], weight + o * GROUP, groups, sums[r][v] + o);              \
    }

#if defined(__GNUC__) && !defined(PORTABLE)
typedef uint32_t words_4 __attribute__((vector_size(16)));
typedef uint32_t words_8 __attribute__((vector_size(32)));
#define LANE uint32_t
#define WORD words_4
HARLEY_SEAL(dot_plain_bits, )
#undef WORD
#define WORD words_8
#if X86
HARLEY_SEAL(dot_avx2_bits, AVX2)
#endif
#else
#define LANE uint64_t
#define WORD uint64_t
HARLEY_SEAL(dot_plain_bits, )
#endif

#if X86
POPCNT INLINE void dot_popcnt(const char *const *rows, const char *weight, int64_t groups,
                              int64_t words, int panels, block sums) {
    (void)words;
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

#define ADD_DIFFERING(sum, x, w)                                                                   \
    _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(x, w)))
DOT_512(dot_vpopcnt, VPOPCNT, ADD_DIFFERING, ADD_DIFFERING)
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

LAYER(layer_plain, , dot_plain_bits, finish)
#if X86
LAYER(layer_popcnt, POPCNT, dot_popcnt, finish)
LAYER(layer_avx2, AVX2, dot_avx2_bits, finish)
LAYER(layer_vpopcnt, VPOPCNT, dot_vpopcnt, finish)
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
            case BITS_AVX2: layer_avx2(l, &m, l->bits, patches); break;
            case BITS_VPOPCNT: layer_vpopcnt(l, &m, l->bits, patches); break;
#endif
            default: layer_plain(l, &m, l->bits, patches);
        }
    }
    free(patches);
    free(bits);
    return failed ? -1 : 0;
}
