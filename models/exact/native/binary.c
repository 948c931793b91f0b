/* Exact layers of signs: weights and inputs are +-1, and a product is an XOR of bits.
 *
 * A bit is 1 for -1. Of n products, those of different bits are -1: they add up to n - 2 popcount(w
 * XOR x). Taps outside of the image count 0, but their bits are 0 as those of +1 are, so what these
 * add, the sum of a tap's weights, is taken from the sums of pixels near the border.
 *
 * Rastegari et al., "XNOR-Net", ECCV 2016.
 */
#include "convolution.h"
#include "sets.h"

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

/* Whether there is a variant for a set of instructions that this machine has. */
EXPORT int64_t bitswap_binary_supports(int64_t which) {
    const set *s = bitswap_set(which);
    return s && s->signs;
}

/* One layer of signs over whole images; 0, or -1 where there is no memory. */
EXPORT int64_t bitswap_binary_run(int64_t which, const layer *l, const int16_t *x,
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
        bitswap_set(which)->signs(l, &m, l->bits, patches);
    }
    free(patches);
    free(bits);
    return failed ? -1 : 0;
}
