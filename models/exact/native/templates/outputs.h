/* From sums to outputs; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   UNIT    bytes of an activation,
 *   WIDTH   numbers of a vector.
 */
#include "pixels/pixels.h"
#include "templates/vectors.h"

enum { LINEAR, ACTIVE, FILMED };

/* Sums of a panel of a row -> its outputs. */
TARGET INLINE void outputs_of_row(const int32_t *sums, const V(vector) * scale,
                                  const V(vector) * bias, int shift, const int16_t *film,
                                  int64_t apart, char *y, const int kind) {
    const V(vector) low = V(fill)(-LIMIT), high = V(fill)(LIMIT);
    for (int i = 0; i < OUTPUTS / WIDTH; i++) {
        V(vector) a = V(times)(V(load)(sums + i * WIDTH), scale[i]);
        a = V(shift)(V(plus)(a, bias[i]), shift);
        if (kind != ACTIVE) a = V(least)(V(most)(a, low), high);
        if (kind == FILMED) {
            V(vector) more = V(times)(a, V(widen)(film + i * WIDTH));
            a = V(plus)(a, V(shift)(more, 6));
            a = V(plus)(a, V(widen)(film + apart + i * WIDTH));
        }
        if (kind == LINEAR) V(words)(y + 2 * i * WIDTH, a);
        else V(active)(y + UNIT * i * WIDTH, a, UNIT);
    }
}

/* Sums of panel v of rows first..end - 1, `between` numbers from row to row -> their outputs. */
TARGET INLINE void outputs_of(const dense *l, const strip *m, int64_t first, int64_t end, int64_t v,
                              const int32_t *sums, const int64_t between, const int kind) {
    enum { VECTORS = OUTPUTS / WIDTH };
    const int64_t o = v * OUTPUTS, to = m->to, apart = m->shift;
    const int shift = (int)l->shift;
    const int16_t *const *film = m->film;
    char *y = m->y + first * to + o * (kind == LINEAR ? 2 : UNIT);
    V(vector) scale[VECTORS], bias[VECTORS];
    for (int i = 0; i < VECTORS; i++) {
        scale[i] = V(load)(l->scale + o + i * WIDTH);
        bias[i] = V(load)(l->bias + o + i * WIDTH);
    }
#define ROW(r)                                               \
    outputs_of_row(sums + (r) * between, scale, bias, shift, \
                   kind == FILMED ? film[first + (r)] + o : 0, apart, y + (r) * to, kind)
    if (end - first == ROWS) {
        UNROLL (int r = 0; r < ROWS; r++) ROW(r);
    } else {
        for (int64_t r = 0; r < end - first; r++) ROW(r);
    }
#undef ROW
}

TARGET INLINE void finish(const dense *l, const strip *m, int64_t first, int64_t end, int64_t v,
                          const int32_t *sums, const int64_t between) {
    if (m->linear) outputs_of(l, m, first, end, v, sums, between, LINEAR);
    else if (!m->film) outputs_of(l, m, first, end, v, sums, between, ACTIVE);
    else outputs_of(l, m, first, end, v, sums, between, FILMED);
}
