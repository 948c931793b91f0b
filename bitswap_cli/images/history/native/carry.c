/* What coefficients lack, added up until it comes to a step; see carry.h. */

#include "carry.h"

#define LARGE 2047 /* no coefficient becomes larger */

/* Add up; returns whether anything comes to half a step. Doubles hold all of these numbers as they
   are, of which fractions are lost as of quotients of whole ones. */
INLINE int add_up_in(const quantizer *q, const rates *r, const int32_t *restrict told,
                     int32_t *restrict carried) {
    const double rate = r->rate, leak = r->leak;
    int any = 0;
    for (int n = 0; n < 64; n++) {
        const int32_t much = (int32_t)(told[n] * r->weights[n]);
        carried[n] += (int32_t)(much * rate - carried[n] * leak);
        const int32_t size = carried[n] < 0 ? -carried[n] : carried[n];
        any |= 2 * size > q->fine[n];
    }
    return any;
}

#if X86
AVX2_TARGET static int add_up_by_avx2(const quantizer *q, const rates *r, const int32_t *told,
                                      int32_t *carried) {
    return add_up_in(q, r, told, carried);
}
#endif

static int add_up(const quantizer *q, const rates *r, const int32_t *told, int32_t *carried) {
#if X86
    if (q->avx2) return add_up_by_avx2(q, r, told, carried);
#endif
    return add_up_in(q, r, told, carried);
}

INLINE int is_none(const int32_t *numbers) {
    int32_t any = 0;
    for (int n = 0; n < 64; n++) any |= numbers[n];
    return !any;
}

int carry(const transform *t, const quantizer *q, const rates *r, const int32_t *lack,
          int32_t *carried, int16_t *block) {
    int32_t told[64] = {0};
    if (!is_none(lack)) forward(t, lack, told);
    else if (is_none(carried)) return 0;
    if (!add_up(q, r, told, carried)) return 0;
    for (int n = 0; n < 64; n++) {
        const int32_t size = abs(carried[n]), step = q->fine[n];
        if (2 * size <= step) continue;
        const int32_t steps = (size + step / 2) / step * (carried[n] < 0 ? -1 : 1);
        carried[n] -= steps * step;
        block[n] = (int16_t)clamped(block[n] + steps, -LARGE, LARGE);
    }
    return 1;
}
