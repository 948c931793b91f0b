/* From sums to outputs; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   UNIT    bytes of an activation,
 *   WIDTH   numbers of a vector.
 */
#include "pixels/pixels.h"
#include "templates/vectors.h"

enum { LINEAR, ACTIVE, FILMED };

/* Sums of panel v of rows first..end - 1, `between` numbers from row to row -> their outputs. */
TARGET INLINE void outputs_of(const dense *l, const strip *m, int64_t first, int64_t end, int64_t v,
                              const int32_t *sums, const int64_t between, const int kind) {
    enum { VECTORS = OUTPUTS / WIDTH };
    const int64_t o = v * OUTPUTS;
    const int unit = kind == LINEAR ? 2 : UNIT, shift = (int)l->shift;
    const V(vector) low = V(fill)(-LIMIT), high = V(fill)(LIMIT);
    V(vector) scale[VECTORS], bias[VECTORS];
    for (int i = 0; i < VECTORS; i++) {
        scale[i] = V(load)(l->scale + o + i * WIDTH);
        bias[i] = V(load)(l->bias + o + i * WIDTH);
    }
    char *y = m->y + first * m->to + o * unit;
    for (int64_t row = first; row < end; row++, sums += between, y += m->to) {
        const int16_t *film = kind == FILMED ? m->film[row] + o : 0;
        for (int i = 0; i < VECTORS; i++) {
            V(vector) a = V(times)(V(load)(sums + i * WIDTH), scale[i]);
            a = V(shift)(V(plus)(a, bias[i]), shift);
            if (kind != ACTIVE) a = V(least)(V(most)(a, low), high);
            if (kind == FILMED) {
                V(vector) more = V(times)(a, V(widen)(film + i * WIDTH));
                a = V(plus)(a, V(shift)(more, 6));
                a = V(plus)(a, V(widen)(film + m->shift + i * WIDTH));
            }
            if (kind == LINEAR) V(words)(y + unit * i * WIDTH, a);
            else V(active)(y + unit * i * WIDTH, a, unit);
        }
    }
}

TARGET INLINE void finish(const dense *l, const strip *m, int64_t first, int64_t end, int64_t v,
                          const int32_t *sums, const int64_t between) {
    if (m->linear) outputs_of(l, m, first, end, v, sums, between, LINEAR);
    else if (!m->film) outputs_of(l, m, first, end, v, sums, between, ACTIVE);
    else outputs_of(l, m, first, end, v, sums, between, FILMED);
}
