/* Luma and chroma of colours on a lattice, see images/formats/lattice/maps.py. */
#include "history.h"

/* What luma and chroma add to the channels, in 1 / 2^shift; luma's values ascend. */
typedef struct {
    const int32_t *y, *blue, *red, *green_of_blue, *green_of_red;
    int64_t shift;
} map;

static map of_tables(const int32_t *tables, int64_t shift) {
    const map m = {tables, tables + 256, tables + 512, tables + 768, tables + 1024, shift};
    return m;
}

typedef struct {
    const uint8_t *pixels;
    int64_t height, width;
    uint8_t *first, *second; /* chroma, rows x columns */
    uint8_t *settled; /* 1: known, 3: chosen, else neither */
    int64_t rows, columns;
    int64_t how; /* 0: of each pixel, 1: of four, 2: of each second, interpolated between */
} picture;

INLINE int32_t at_most(int32_t value, int32_t most) { return value < most ? value : most; }
INLINE int32_t byte_of(int32_t value) { return value < 0 ? 0 : at_most(value, 255); }

INLINE int inside(const uint8_t *p) {
    return p[0] && p[1] && p[2] && p[0] < 255 && p[1] < 255 && p[2] < 255;
}

static int32_t chroma_at(const picture *p, const uint8_t *plane, int64_t row, int64_t column) {
    if (!p->how) return plane[row * p->columns + column];
    const int64_t i = row >> 1, j = column >> 1;
    const uint8_t *here = plane + i * p->columns + j;
    if (p->how == 1) return here[0];
    const int64_t down = (row & 1) && i + 1 < p->rows ? p->columns : 0;
    const int64_t right = (column & 1) && j + 1 < p->columns;
    return (here[0] + here[down] + here[right] + here[down + right] + 2) >> 2;
}

/* The first luma that adds so much, or 256. */
INLINE int32_t first_luma(const map *m, int32_t least) {
    int32_t found = 0;
    for (int32_t step = 128; step; step >>= 1) {
        if (m->y[found + step - 1] < least) found += step;
    }
    return found + (m->y[found] < least);
}

INLINE void narrow(const map *m, int32_t value, int32_t sum, int32_t *low, int32_t *high) {
    const int32_t one = (int32_t)1 << m->shift;
    if (value) {
        const int32_t found = first_luma(m, value * one - sum);
        if (found > *low) *low = found;
    }
    if (value < 255) *high = at_most(*high, first_luma(m, (value + 1) * one - sum) - 1);
}

/* Which luma gives a pixel with this chroma: low..high, which may be none. */
static void luma_of(const map *m, const uint8_t *p, int32_t a, int32_t b, int32_t *low,
                    int32_t *high) {
    *low = 0, *high = 255;
    narrow(m, p[1], m->green_of_blue[a] + m->green_of_red[b], low, high);
    if (*low <= *high) narrow(m, p[0], m->red[b], low, high);
    if (*low <= *high) narrow(m, p[2], m->blue[a], low, high);
}

/* Find luma and chroma of pixels (count, 3); `back` says how they are estimated, in 1 / 2^20: three
   rows of three factors and what is added. `known`: 1 where they give the pixel, 0 where a channel
   is at an end of its range, 2 where none near the estimate do; then they are the estimate. Returns
   how many are known, or fewer if more than `spare` are not: then it ends with the one too many. */
EXPORT int64_t bitswap_history_triples(const int32_t *tables, int64_t shift, const int64_t *back,
                                       const uint8_t *pixels, int64_t count, int64_t spare,
                                       uint8_t *y, uint8_t *blue, uint8_t *red, uint8_t *known) {
    static const int32_t near[3] = {0, -1, 1};
    const map m = of_tables(tables, shift);
    int64_t on = 0;
    for (int64_t n = 0; n < count && n - on <= spare; n++) {
        const uint8_t *p = pixels + 3 * n;
        int32_t told[3];
        for (int k = 0; k < 3; k++) {
            const int64_t *row = back + 4 * k;
            told[k] =
                byte_of((int32_t)((row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3]) >> 20));
        }
        y[n] = (uint8_t)told[0], blue[n] = (uint8_t)told[1], red[n] = (uint8_t)told[2];
        known[n] = 0;
        if (!inside(p)) continue;
        known[n] = 2;
        for (int k = 0; k < 9 && known[n] == 2; k++) {
            const int32_t luma = told[0] + near[k / 3], cr = told[2] + near[k % 3];
            if (luma != byte_of(luma) || cr != byte_of(cr)) continue;
            if ((m.y[luma] + m.red[cr]) >> shift != p[0]) continue;
            for (int l = 0; l < 3; l++) {
                const int32_t cb = told[1] + near[l];
                if (cb != byte_of(cb) || (m.y[luma] + m.blue[cb]) >> shift != p[2]) continue;
                const int32_t green = m.y[luma] + m.green_of_blue[cb] + m.green_of_red[cr];
                if (green >> shift != p[1]) continue;
                y[n] = (uint8_t)luma, blue[n] = (uint8_t)cb, red[n] = (uint8_t)cr;
                known[n] = 1, on++;
                break;
            }
        }
    }
    return on;
}

/* Whether all samples of chroma that a pixel is seen with are settled. */
static int is_settled(const picture *p, int64_t row, int64_t column) {
    if (p->how != 2) return 1;
    const uint8_t *here = p->settled + (row >> 1) * p->columns + (column >> 1);
    const int64_t down = (row & 1) && (row >> 1) + 1 < p->rows ? p->columns : 0;
    const int64_t right = (column & 1) && (column >> 1) + 1 < p->columns;
    return (here[0] & here[down] & here[right] & here[down + right]) & 1;
}

/* How many pixels that a sample of chroma is seen in no luma gives, `most` at most; its own one is
   the first, and those of samples that are not settled do not count. */
static int wrong_around(const picture *p, const map *m, int64_t i, int64_t j, int most) {
    static const int8_t places[3][10][2] = {
        {{0, 0}, {2, 2}},
        {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 2}},
        {{0, 0}, {-1, 0}, {0, -1}, {-1, -1}, {0, 1}, {1, 0}, {1, 1}, {-1, 1}, {1, -1}, {2, 2}}};
    const int64_t two = p->how ? 2 : 1;
    int wrong = 0;
    for (const int8_t (*place)[2] = places[p->how]; place[0][0] < 2 && wrong < most; place++) {
        const int64_t row = two * i + place[0][0], column = two * j + place[0][1];
        if (row < 0 || row >= p->height || column < 0 || column >= p->width) continue;
        if (!is_settled(p, row, column)) continue;
        int32_t low, high;
        luma_of(m, p->pixels + 3 * (row * p->width + column), chroma_at(p, p->first, row, column),
                chroma_at(p, p->second, row, column), &low, &high);
        wrong += low > high;
    }
    return wrong;
}

/* The mean of the samples beside one: those before it, and those after it that are known. */
static uint8_t beside(const picture *p, const uint8_t *plane, int64_t i, int64_t j) {
    const int64_t n = i * p->columns + j;
    int32_t sum = 0, count = 0;
    if (j) sum += plane[n - 1], count++;
    if (i) sum += plane[n - p->columns], count++;
    if (j + 1 < p->columns && p->settled[n + 1] == 1) sum += plane[n + 1], count++;
    if (i + 1 < p->rows && p->settled[n + p->columns] == 1) sum += plane[n + p->columns], count++;
    return count ? (uint8_t)((2 * sum + count) / (2 * count)) : plane[n];
}

enum { REACH = 8 };

/* Move a sample of chroma to where fewer pixels are wrong, near (a, b); `best` are wrong now. */
static int moved(const picture *p, const map *m, int64_t i, int64_t j, int32_t a, int32_t b,
                 int best) {
    uint8_t *first = p->first + i * p->columns + j, *second = p->second + i * p->columns + j;
    uint8_t found[2] = {*first, *second};
    for (int32_t far = 0; far <= REACH && best; far++) {
        for (int32_t da = -far; da <= far && best; da++) {
            const int32_t step = da == far || da == -far ? 1 : 2 * far;
            for (int32_t db = -far; db <= far && best; db += step) {
                if (a + da != byte_of(a + da) || b + db != byte_of(b + db)) continue;
                *first = (uint8_t)(a + da), *second = (uint8_t)(b + db);
                const int wrong = wrong_around(p, m, i, j, best);
                if (wrong >= best) continue;
                best = wrong, found[0] = *first, found[1] = *second;
            }
        }
    }
    *first = found[0], *second = found[1];
    return best;
}

/* Choose the chroma that is not settled; returns what is left of the budget. */
static int64_t settle(const picture *p, const map *m, int64_t budget) {
    for (int64_t n = 0; n < p->rows * p->columns; n++) {
        if (p->settled[n] == 1) continue;
        const int64_t i = n / p->columns, j = n % p->columns;
        const uint8_t was[2] = {p->first[n], p->second[n]};
        p->first[n] = beside(p, p->first, i, j), p->second[n] = beside(p, p->second, i, j);
        p->settled[n] = 3;
        int wrong = wrong_around(p, m, i, j, 10);
        if (!wrong || budget <= 0) continue;
        budget--;
        wrong = moved(p, m, i, j, p->first[n], p->second[n], wrong);
        if (wrong) moved(p, m, i, j, was[0], was[1], wrong);
    }
    return budget;
}

/* Choose again where that left anything wrong: now all is settled. */
static void settle_again(const picture *p, const map *m, int64_t budget) {
    for (int64_t n = 0; n < p->rows * p->columns && budget > 0; n++) {
        if (p->settled[n] == 1) continue;
        const int64_t i = n / p->columns, j = n % p->columns;
        const int wrong = wrong_around(p, m, i, j, 10);
        if (!wrong) continue;
        budget--;
        moved(p, m, i, j, p->first[n], p->second[n], wrong);
    }
}

/* Choose what is not known (1) of the chroma of pixels (height, width, 3), at most `budget` samples
   by search, and then luma, such that it is as it is beside. Returns how many pixels these do not
   give. */
EXPORT int64_t bitswap_history_lay(const int32_t *tables, int64_t shift, int64_t how,
                                   const uint8_t *pixels, int64_t height, int64_t width,
                                   uint8_t *blue, uint8_t *red, uint8_t *known, int64_t rows,
                                   int64_t columns, int64_t budget, uint8_t *y) {
    const map m = of_tables(tables, shift);
    const picture p = {pixels, height, width, blue, red, known, rows, columns, how};
    int64_t wrong = 0;
    settle_again(&p, &m, settle(&p, &m, budget));
    for (int64_t row = 0; row < height; row++) {
        for (int64_t column = 0; column < width; column++) {
            const int64_t n = row * width + column;
            int32_t low, high;
            luma_of(&m, pixels + 3 * n, chroma_at(&p, blue, row, column),
                    chroma_at(&p, red, row, column), &low, &high);
            if (low > high) {
                wrong++;
                y[n] = (uint8_t)byte_of((low + high) / 2);
                continue;
            }
            const int32_t left = column ? y[n - 1] : row ? y[n - width] : 128;
            const int32_t above = row ? y[n - width] : left;
            const int32_t mean = (left + above + 1) >> 1;
            y[n] = (uint8_t)(mean < low ? low : at_most(mean, high));
        }
    }
    return wrong;
}
