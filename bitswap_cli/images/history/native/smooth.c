/* Finds chroma of half as many rows and columns of which all was interpolated, each pixel between
   the middles of four samples; see images/formats/lattice/smooth.py.

   Least squares tell samples nearly; here they become whole numbers that give what is known, first
   each plane of chroma, then, where colours at an end of their range tell less, both with luma.
   Between each four samples lie four pixels, a cell; at the edges of the picture are parts of such.
   Where one is wrong, samples around it are sought together, by branch and bound. */
#include "maps.h"

enum { MOST = 36, ENOUGH = 2 };
enum { FAR = 16 }; /* luma that pixels ask for is no farther from what others do */
enum { WORST = 2048 }; /* a pixel counts as no more, so that sums of squares fit in 31 bits */
enum { ALONE = 4000, TOGETHER = 500 }; /* changes that are tried for a window */

/* Values that are tried: by how much both planes are changed, the least first. */
enum { ONE = 3, BOTH = 9 };
static const int8_t CHANGES[BOTH][2] = {{0, 0}, {1, 0},   {-1, 0}, {0, 1}, {0, -1},
                                        {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};

typedef struct {
    const uint8_t *pixels; /* height x width, of a plane or of colours */
    const uint8_t *known; /* which count: those of a plane, where there is no map */
    const map *map;
    int64_t height, width;
    uint8_t *first, *second; /* samples, rows x columns; the second is the first without map */
    int64_t rows, columns;
    int changes; /* how many are tried */
    int64_t nodes; /* that may be looked at for a window */
    int64_t budget; /* and for all */
} picture;

INLINE int64_t within(int64_t n, int64_t count) { return n < 0 ? 0 : n < count ? n : count - 1; }
INLINE int32_t square(int32_t value) { return value * value; }

/* How wrong a pixel is, given 16 times its chroma. */
INLINE int32_t error_at(const picture *p, int64_t row, int64_t column, int32_t a, int32_t b) {
    if (row < 0 || row >= p->height || column < 0 || column >= p->width) return 0;
    const int64_t n = row * p->width + column;
    if (p->map) {
        int32_t low, high;
        luma_of(p->map, p->pixels + 3 * n, (a + 8) >> 4, (b + 8) >> 4, &low, &high);
        return low > high ? square(at_most(low - high, FAR)) : 0;
    }
    if (p->known[n] != 1) return 0;
    const int32_t more = a - 16 * p->pixels[n];
    const int32_t off = more > 7 ? more - 7 : more < -8 ? -8 - more : 0;
    return square(at_most(off, WORST));
}

/* How wrong a cell is: the one before sample i, j, above and to its left. */
static int32_t error_of(const picture *p, int64_t i, int64_t j) {
    const int64_t above = within(i - 1, p->rows) * p->columns,
                  below = within(i, p->rows) * p->columns;
    const int64_t left = within(j - 1, p->columns), right = within(j, p->columns);
    int32_t sums[2][4];
    for (int k = 0; k <= (p->map != NULL); k++) {
        const uint8_t *plane = k ? p->second : p->first;
        const int32_t a = plane[above + left], b = plane[above + right];
        const int32_t c = plane[below + left], d = plane[below + right];
        sums[k][0] = 9 * a + 3 * (b + c) + d, sums[k][1] = 9 * b + 3 * (a + d) + c;
        sums[k][2] = 9 * c + 3 * (a + d) + b, sums[k][3] = 9 * d + 3 * (b + c) + a;
    }
    const int32_t *other = sums[p->map != NULL];
    int32_t error = 0;
    for (int k = 0; k < 4; k++)
        error += error_at(p, 2 * i - 1 + k / 2, 2 * j - 1 + k % 2, sums[0][k], other[k]);
    return error;
}

/* Samples that are sought together, rows x columns, from i, j on. */
typedef struct {
    int64_t i, j, rows, columns;
    uint8_t first[2][MOST], best[2][MOST];
    int32_t least; /* of errors */
    int64_t nodes; /* that may still be looked at */
} window;

INLINE int64_t place(const picture *p, const window *w, int64_t n) {
    return (w->i + n / w->columns) * p->columns + w->j + n % w->columns;
}

/* Try values of a window's sample and of those behind it, where all before it leave an error. */
static void seek(const picture *p, window *w, int64_t n, int32_t error) {
    if (n == w->rows * w->columns) {
        w->least = error;
        for (int64_t k = 0; k < n; k++) {
            w->best[0][k] = p->first[place(p, w, k)];
            w->best[1][k] = p->second[place(p, w, k)];
        }
        return;
    }
    const int64_t i = w->i + n / w->columns, j = w->j + n % w->columns, here = i * p->columns + j;
    const int last_row = i + 1 == w->i + w->rows, last_column = j + 1 == w->j + w->columns;
    for (int k = 0; k < p->changes && w->least && w->nodes > 0; k++) {
        const int32_t a = w->first[0][n] + CHANGES[k][0], b = w->first[1][n] + CHANGES[k][1];
        if (a != byte_of(a) || b != byte_of(b)) continue;
        if (p->map) p->second[here] = (uint8_t)b;
        p->first[here] = (uint8_t)a;
        w->nodes--;
        int32_t sum = error + error_of(p, i, j);
        if (sum < w->least && last_column) sum += error_of(p, i, j + 1);
        if (sum < w->least && last_row) sum += error_of(p, i + 1, j);
        if (sum < w->least && last_row && last_column) sum += error_of(p, i + 1, j + 1);
        if (sum < w->least) seek(p, w, n + 1, sum);
    }
}

/* Change samples around a cell to what makes less wrong, if anything does. */
static void mend(picture *p, int64_t i, int64_t j, int64_t side) {
    const int64_t top = at_least((int32_t)(i - side / 2), 0),
                  left = at_least((int32_t)(j - side / 2), 0);
    const int64_t bottom = within(i + side / 2 - 1, p->rows) + 1;
    const int64_t right = within(j + side / 2 - 1, p->columns) + 1;
    window w = {top, left, bottom - top, right - left, {{0}}, {{0}}, 0, p->nodes};
    const int64_t count = w.rows * w.columns;
    for (int64_t row = top; row <= bottom; row++)
        for (int64_t column = left; column <= right; column++) w.least += error_of(p, row, column);
    for (int64_t k = 0; k < count; k++) {
        w.best[0][k] = w.first[0][k] = p->first[place(p, &w, k)];
        w.best[1][k] = w.first[1][k] = p->second[place(p, &w, k)];
    }
    seek(p, &w, 0, 0);
    p->budget -= p->nodes - w.nodes;
    for (int64_t k = 0; k < count; k++) {
        p->second[place(p, &w, k)] = w.best[1][k];
        p->first[place(p, &w, k)] = w.best[0][k];
    }
}

/* Mend all cells that are wrong, by windows of so many samples each way. */
static void mend_all(picture *p, int64_t side) {
    for (int64_t i = 0; i <= p->rows; i++)
        for (int64_t j = 0; j <= p->columns; j++)
            if (p->budget > 0 && error_of(p, i, j)) mend(p, i, j, side);
}

/* Mend samples that are nearly right, such that they give the known pixels of a plane, by at most
   `budget` changes, and tell which are sure: some of the pixels are known that they count most for,
   and all that are known are right. */
EXPORT void bitswap_history_smooth(const uint8_t *plane, const uint8_t *known, int64_t height,
                                   int64_t width, uint8_t *samples, int64_t rows, int64_t columns,
                                   int64_t budget, uint8_t *sure) {
    picture p = {plane,   known, NULL,    height, width, samples,
                 samples, rows,  columns, ONE,    ALONE, budget};
    for (int round = 0; round < 5; round++) mend_all(&p, round / 2 * 2 + 2);
    memset(sure, 1, (size_t)(rows * columns));
    for (int64_t i = 0; i <= rows; i++) {
        for (int64_t j = 0; j <= columns; j++) {
            if (!error_of(&p, i, j)) continue;
            for (int k = 0; k < 4; k++)
                sure[within(i - k / 2, rows) * columns + within(j - k % 2, columns)] = 0;
        }
    }
    for (int64_t n = 0; n < rows * columns; n++) {
        int own = 0;
        for (int k = 0; k < 4; k++) {
            const int64_t row = 2 * (n / columns) + k / 2, column = 2 * (n % columns) + k % 2;
            own += row < height && column < width && known[row * width + column] == 1;
        }
        if (own < ENOUGH) sure[n] = 0;
    }
}

/* Mend samples of both planes such that luma and they give pixels (height, width, 3), likewise. */
EXPORT void bitswap_history_mend(const int32_t *tables, int64_t shift, const uint8_t *pixels,
                                 int64_t height, int64_t width, uint8_t *blue, uint8_t *red,
                                 int64_t rows, int64_t columns, int64_t budget) {
    const map m = of_tables(tables, shift);
    picture p = {pixels, NULL, &m, height, width, blue, red, rows, columns, BOTH, TOGETHER, budget};
    for (int round = 0; round < 2; round++) mend_all(&p, 2);
}
