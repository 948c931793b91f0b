/* Blocks of which some columns, or some rows, are known -> coefficients that give these; see
   transform.h.

   The inverse DCT of whole columns leaves, for each vertical wave, a line of coefficients of which
   some samples are known. Few coefficients of high frequencies are tried, the others follow, from
   the highest on: each is rounded to a multiple of its step. */

#include "transform.h"

#define BITS 16          /* of the fractions of what is factored */
/* A nat for so much of the squares of what samples are off, in 1 / UNIT^2: less than twice what
   rounding comes to, for samples have to come back; and where interpolation was undone. */
#define NOISE 4000
#define SLACK 12000
#define LARGE 2          /* what is tried of high frequencies */
#define COARSE 12 /* steps, on the average: of finer ones, what is found costs more than it saves */
#define RARE 3 /* nats for a coefficient that is not 0, and one for each step */

typedef struct {
    int32_t waves[8][8]; /* sample x of wave u, in 2^-BITS */
    const int32_t *factors; /* of the first waves: (known, known) orthonormal, then triangular */
    int64_t steps[8];
    int64_t shares[8][8]; /* steps times waves, */
    int64_t rows[8][8]; /* and times rows of the triangle */
    int known;
    int64_t noise;
    int64_t samples[8];
    int64_t cost;
    int32_t best[8];
} line;

static int64_t price(int64_t value) {
    return value ? RARE + (value < 0 ? -value : value > 8 ? 8 : value) : 0;
}

/* Let the first coefficients follow from the others, and keep them all if they cost less. */
static void follow(line *l, const int32_t *high) {
    int64_t rest[8], cost = 0, error = 0;
    int32_t own[8];
    const int n = l->known;
    memcpy(own, high, sizeof own);
    for (int u = n; u < 8; u++) cost += price(own[u]);
    if (cost >= l->cost) return;
    memcpy(rest, l->samples, sizeof rest);
    for (int u = n; u < 8; u++)
        if (own[u])
            for (int x = 0; x < n; x++) rest[x] -= own[u] * l->shares[u][x] >> BITS;
    for (int u = n - 1; u >= 0; u--) {
        const int32_t *factors = l->factors + n * u;
        const int64_t step = l->rows[u][u] >> BITS;
        int64_t left = 0;
        for (int x = 0; x < n; x++) left += factors[x] * rest[x];
        left >>= BITS;
        for (int w = u + 1; w < n; w++) left -= own[w] * l->rows[u][w] >> BITS;
        const int64_t size = step ? (2 * (left < 0 ? -left : left) + step) / (2 * step) : 0;
        own[u] = (int32_t)(left < 0 ? -size : size);
        if (size > 2047) return;
        left -= own[u] * step;
        error += left * left;
        cost += price(own[u]);
        if (cost + error / l->noise >= l->cost) return;
    }
    l->cost = cost + error / l->noise;
    memcpy(l->best, own, sizeof own);
}

/* Find the line of coefficients that costs least. */
static void find_line(line *l) {
    int32_t high[8] = {0};
    const int n = l->known;
    for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++) l->shares[u][x] = l->steps[u] * l->waves[u][x];
    for (int u = 0; u < n; u++)
        for (int w = 0; w < n; w++) l->rows[u][w] = l->steps[w] * l->factors[n * n + n * u + w];
    l->cost = INT64_MAX;
    memset(l->best, 0, sizeof l->best);
    follow(l, high);
    for (int u = n; u < 8; u++)
        for (int a = -LARGE; a <= LARGE; a++) {
            if (!a) continue;
            high[u] = a;
            follow(l, high);
            for (int w = u + 1; w < 8; w++)
                for (int b = -LARGE; b <= LARGE; b++) {
                    if (!b) continue;
                    high[w] = b;
                    follow(l, high);
                    high[w] = 0;
                }
            high[u] = 0;
        }
}

/* How many of eight columns are known, from the first on, or (`from_end`) from the last; 0 if these
   are not all. Bit x of `mask` says whether column x is. */
static int span(unsigned mask, int *from_end) {
    for (int n = 1; n < 8; n++) {
        const unsigned first = (1u << n) - 1;
        if (mask == first || mask == first << (8 - n)) {
            *from_end = mask != first;
            return n;
        }
    }
    return 0;
}

int coarse(const quantizer *q, int64_t least) {
    int64_t sum = 0;
    for (int k = 0; k < 64; k++) sum += q->fine[k];
    return sum >= 64 * least * UNIT;
}

static int fit(const transform *t, const int32_t samples[64], const uint8_t known[64],
               const quantizer *q, const int32_t *factors, int64_t noise, int16_t *block) {
    if (!coarse(q, COARSE)) return 0;
    unsigned columns = 255, rows = 255;
    for (int p = 0; p < 64; p++)
        if (!known[p]) columns &= ~(1u << p % 8), rows &= ~(1u << p / 8);
    int from_end = 0, upright = 1, n = span(columns, &from_end);
    if (!n) n = span(rows, &from_end), upright = 0;
    if (!n) return 0;
    int place[64];
    for (int k = 0; k < 64; k++) place[ZIGZAG[k]] = k;
    line l;
    l.known = n, l.noise = noise;
    for (int m = 1; m < n; m++) factors += 2 * m * m;
    l.factors = factors;
    for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++) l.waves[u][x] = t->wave[u][x] >> (17 - BITS);
    for (int v = 0; v < 8; v++) {
        for (int x = 0; x < n; x++) {
            const int at = from_end ? 7 - x : x;
            int64_t sum = 0;
            for (int y = 0; y < 8; y++)
                sum += (int64_t)samples[upright ? 8 * y + at : 8 * at + y] * t->wave[v][y];
            l.samples[x] = sum >> 17;
        }
        for (int u = 0; u < 8; u++) l.steps[u] = q->fine[place[upright ? 8 * v + u : 8 * u + v]];
        find_line(&l);
        for (int u = 0; u < 8; u++)
            block[place[upright ? 8 * v + u : 8 * u + v]] =
                (int16_t)(from_end && u % 2 ? -l.best[u] : l.best[u]);
    }
    return 1;
}

int fit_lines(const transform *t, const int32_t samples[64], const uint8_t known[64],
              const quantizer *q, const int32_t *factors, int16_t *block) {
    return fit(t, samples, known, q, factors, NOISE, block);
}

/* Likewise of `count` blocks of samples that interpolation was undone of, in units of 1 / UNIT:
   what those stand for of which that is known, in these units, takes the place of `told`. */
EXPORT void bitswap_history_fit(const int32_t *samples, const uint8_t *known, int64_t count,
                                const int32_t *steps, int64_t method, const int32_t *factors,
                                int32_t *told) {
    const quantizer q = quantizer_of(steps, method);
    transform t;
    arrange(&t);
    for (int64_t b = 0; b < count; b++) {
        int16_t block[64];
        int32_t own[64];
        for (int p = 0; p < 64; p++) own[p] = samples[64 * b + p] - 128 * UNIT;
        if (!fit(&t, own, known + 64 * b, &q, factors, SLACK, block)) continue;
        for (int k = 0; k < 64; k++) told[64 * b + k] = block[k] * q.fine[k];
    }
}
