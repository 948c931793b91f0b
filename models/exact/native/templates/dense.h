/* A layer by dot products of ROWS rows at once; a set of instructions includes this with
 *   TARGET  the attribute of every function,
 *   DOT     the dot product,
 *   UNIT    bytes of an activation: 2, or 1 if the dot product is one of bytes,
 *   WIDTH   numbers of a vector.
 */
#include "templates/outputs.h"

TARGET static void dense_layer(const dense *l, const strip *m) {
    const int64_t passes = (l->panels + PANELS - 1) / PANELS;
    const int64_t most_panels = (l->panels + passes - 1) / passes;
    const int64_t bytes = (l->groups + l->words) * GROUP * OUTPUTS; /* of a panel */
    for (int64_t first = 0; first < m->count; first += ROWS) {
        const char *x[ROWS];
        for (int r = 0; r < ROWS; r++) x[r] = m->x + (first + r) * m->from;
        for (int64_t v = 0; v < l->panels; v += most_panels) {
            const int some = (int)least(l->panels - v, most_panels);
            block sums;
            DOT(x, l->weight + v * bytes, l->groups, l->words, some, sums);
            for (int s = 0; s < some; s++)
                finish(l, m, first, least(first + ROWS, m->count), v + s, sums[0][s],
                       PANELS * OUTPUTS);
        }
    }
}

#undef DOT
