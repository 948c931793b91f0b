/* A layer over whole images, by dot products of patches with weights; a set of instructions
 * includes this with
 *   NAME    the function's name, a `convolution`,
 *   TARGET  its attribute,
 *   DOT     the dot product,
 *   FINISH  what is told a pixel's place and what panels of its outputs came to.
 * `patches` is room for ROWS of them, or NULL where pixels are their own patches: then none has
 * taps outside, and all places are told to be 0.
 */
TARGET static void NAME(const layer *l, const images *m, const char *weights, char *patches) {
    const int64_t pixels = m->batch * m->height * m->width;
    const int64_t groups = groups_of(l, m);
    const char *rows[ROWS];
    int64_t i[ROWS + 1] = {0}, j[ROWS + 1] = {0};
    block sums;
    for (int64_t first = 0; first < pixels; first += ROWS) {
        int count = (int)(pixels - first < ROWS ? pixels - first : ROWS);
        for (int r = 0; r < ROWS; r++) {
            int64_t at = r < count ? r : 0;
            rows[r] = patches ? patches + at * groups * GROUP
                              : (const char *)m->x + (first + at) * groups * GROUP;
        }
        for (int r = 0; patches && r < count; r++) {
            gather(l, m, first + r, i[r], j[r], patches + r * groups * GROUP);
            j[r + 1] = j[r] + 1 < m->width ? j[r] + 1 : 0;
            i[r + 1] = j[r + 1] ? i[r] : i[r] + 1 < m->height ? i[r] + 1 : 0;
        }
        const char *weight = weights;
        for (int64_t o = 0; o < l->outputs; o += PANELS * OUTPUTS) {
            int64_t rest = l->outputs - o;
            int some = (int)(rest < PANELS * OUTPUTS ? rest : PANELS * OUTPUTS);
            const int panels = (some + OUTPUTS - 1) / OUTPUTS;
            DOT(rows, weight, groups, 0, panels, sums);
            weight += PANELS * groups * GROUP * OUTPUTS;
            for (int r = 0; r < count; r++) {
                FINISH(l, m, i[r], j[r], o, panels, sums[r][0]);
                requantize(l, m, sums[r][0], first + r, o, some);
            }
        }
        i[0] = i[count], j[0] = j[count];
    }
}

#undef NAME
#undef DOT
#undef FINISH
