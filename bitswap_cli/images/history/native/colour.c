/* Few pixels that are still wrong -> coefficients that make fewer so: some moves at once, judged by
   the colours that a decoder makes. They undo what planes, each solved for itself, have agreed on
   wrongly: luma and chroma where channels were cut, and neighbours that lean on each other. */

#include "scene.h"

#define ITERATIONS 12
#define MOST_BLOCKS 10
#define MOVES 60 /* the best of one coefficient each, that are tried together, at most */
#define MOST_WIDTH 64
#define DEPTH 6
#define FAR 10 /* no channel counts for more */
#define FEWER 4 /* so many times fewer MCUs may be wrong for more than one sweep */
#define FARTHER 80 /* where blocks begin anew */
#define LARGE 2047 /* no coefficient is moved beyond that */

typedef struct {
    int64_t row, column; /* of a block */
    int k; /* of its component */
} block;

typedef struct {
    block of;
    int at; /* of all blocks that are looked at */
    int place, sign;
    int64_t loss;
} move;

INLINE int32_t square(int32_t value, int32_t far) {
    const int32_t size = value < 0 ? -value : value, counted = size < far ? size : far;
    return counted * counted;
}

/* How wrong the pixels of an area of the JPEG are; or some of that, if it is `most` or more. */
INLINE int64_t error_in(const scene *s, area a, int64_t most) {
    const int64_t *told = s->told, stride = 8 * across(s, 0);
    const int64_t top = a.top > told[TOP] ? a.top : told[TOP];
    const int64_t left = a.left > told[LEFT] ? a.left : told[LEFT];
    const int64_t end = told[TOP] + told[HEIGHT], side = told[LEFT] + told[WIDTH];
    const int64_t right = a.right < side ? a.right : side, bottom = a.bottom < end ? a.bottom : end;
    const int64_t first = (top - told[TOP]) * told[WIDTH] + left - told[LEFT];
    const uint8_t *red = s->pixels[0] + first, *green = s->pixels[1] + first;
    const uint8_t *blue = s->pixels[2] + first;
    const int32_t far = s->far;
    int64_t sum = 0, y = top;
    if (left >= right) return 0;
    for (; y < bottom && sum < most; y++) {
        const uint8_t *luma = s->planes[0] + y * stride + left;
        int16_t cb[WIDEST], cr[WIDEST];
        int32_t row = 0;
        upsampled(s, 1, y, left, right, cb);
        upsampled(s, 2, y, left, right, cr);
        for (int64_t x = 0; x < right - left; x++) {
            row += square(clamped(luma[x] + to_red(cr[x]), 0, 255) - red[x], far);
            row += square(clamped(luma[x] + to_green(cb[x], cr[x]), 0, 255) - green[x], far);
            row += square(clamped(luma[x] + to_blue(cb[x]), 0, 255) - blue[x], far);
        }
        sum += row;
        red += told[WIDTH], green += told[WIDTH], blue += told[WIDTH];
    }
    if (y > top) *s->left -= (y - top) * (right - left);
    return sum;
}

#if X86
AVX2_TARGET static int64_t error_by_avx2(const scene *s, area a, int64_t most) {
    return error_in(s, a, most);
}
#endif

static int64_t error_of(const scene *s, area a, int64_t most) {
#if X86
    if (s->steps[0].avx2) return error_by_avx2(s, a, most);
#endif
    return error_in(s, a, most);
}

/* The pixels that a block has a part in. */
static area area_of(const scene *s, block b) {
    const int64_t *told = s->told;
    const int64_t tall = b.k ? told[TALL] : 1, wide = b.k ? told[WIDE] : 1;
    const int64_t beside = told[FANCY] && wide == 2 ? 2 : 0, above = tall == 2 ? beside : 0;
    const area a = {8 * tall * b.row - above, 8 * wide * b.column - beside,
                    8 * tall * (b.row + 1) + above, 8 * wide * (b.column + 1) + beside};
    return a;
}

static int16_t *coefficients(const scene *s, block b) {
    return s->blocks[b.k] + 64 * (b.row * across(s, b.k) + b.column);
}

/* Take a move, or take it back. */
static void take(const scene *s, const move *m, int sign) {
    const int64_t stride = 8 * across(s, m->of.k);
    int16_t *own = coefficients(s, m->of);
    own[m->place] = (int16_t)(own[m->place] + sign * m->sign);
    inverse(own, s->steps + m->of.k, s->planes[m->of.k] + 8 * m->of.row * stride + 8 * m->of.column,
            stride);
}

/* How wrong an area is with a move; see error_in. */
static int64_t with(const scene *s, const move *m, area a, int64_t most) {
    const int64_t stride = 8 * across(s, m->of.k);
    uint8_t *samples = s->planes[m->of.k] + 8 * m->of.row * stride + 8 * m->of.column;
    uint8_t before[64];
    for (int y = 0; y < 8; y++) memcpy(before + 8 * y, samples + y * stride, 8);
    take(s, m, 1);
    const int64_t error = error_of(s, a, most);
    for (int y = 0; y < 8; y++) memcpy(samples + y * stride, before + 8 * y, 8);
    coefficients(s, m->of)[m->place] = (int16_t)(coefficients(s, m->of)[m->place] - m->sign);
    return error;
}

/* Which coefficients are moved together. */
typedef struct {
    int components; /* bits */
    int places; /* the first so many of a block */
    int width; /* of the beam */
} group;

/* List the best moves of one coefficient of some blocks, of a group; returns how many. */
static int list_moves(const scene *s, const block *blocks, int count, group g, move *moves) {
    int found = 0;
    for (int b = 0; b < count; b++) {
        if (!(g.components >> blocks[b].k & 1)) continue;
        const area a = area_of(s, blocks[b]);
        const int16_t *own = coefficients(s, blocks[b]);
        const int64_t before = error_of(s, a, INT64_MAX);
        for (int n = 0; n < 2 * g.places; n++) {
            move m = {blocks[b], b, n / 2, n % 2 ? -1 : 1, 0};
            if (own[m.place] * m.sign >= LARGE) continue;
            const int64_t most = found < s->moves ? INT64_MAX : before + moves[s->moves - 1].loss;
            m.loss = with(s, &m, a, most) - before;
            int at = found < s->moves ? found++ : s->moves;
            if (at == s->moves && moves[--at].loss <= m.loss) continue;
            for (; at > 0 && moves[at - 1].loss > m.loss; at--) moves[at] = moves[at - 1];
            moves[at] = m;
        }
    }
    return found;
}

typedef struct {
    uint64_t taken; /* of the moves */
    int64_t error;
} node;

static void take_all(const scene *s, const move *moves, uint64_t taken, int sign) {
    for (int m = 0; m < MOVES; m++)
        if (taken >> m & 1) take(s, moves + m, sign);
}

/* Keep a node among the best, in the order of their errors; equal ones once. */
static void keep(node *nodes, int *count, int width, node own) {
    if (*count == width && own.error >= nodes[width - 1].error) return;
    for (int i = 0; i < *count; i++)
        if (nodes[i].taken == own.taken) return;
    int at = *count < width ? (*count)++ : width - 1;
    for (; at > 0 && nodes[at - 1].error > own.error; at--) nodes[at] = nodes[at - 1];
    nodes[at] = own;
}

/* Take the moves, found by a beam search, that make an area least wrong, if any do. */
static int better(const scene *s, const move *moves, int count, int width, area whole) {
    node beam[2][MOST_WIDTH] = {{{0, error_of(s, whole, INT64_MAX)}}}, best = beam[0][0];
    int nodes = 1;
    for (int d = 0; d < DEPTH && best.error; d++) {
        const node *from = beam[d % 2];
        node *to = beam[(d + 1) % 2];
        int found = 0;
        for (int i = 0; i < nodes; i++) {
            int64_t before[MOST_BLOCKS]; /* how wrong the pixels of each block are */
            memset(before, -1, sizeof before);
            take_all(s, moves, from[i].taken, 1);
            for (int m = 0; m < count; m++) {
                if (from[i].taken >> m & 1) continue;
                const area own = area_of(s, moves[m].of);
                int64_t *here = before + moves[m].at;
                if (*here < 0) *here = error_of(s, own, INT64_MAX);
                const int64_t rest = from[i].error - *here;
                const int64_t most = found < width ? INT64_MAX : to[width - 1].error - rest;
                const int64_t error = rest + with(s, moves + m, own, most);
                const node next = {from[i].taken | UINT64_C(1) << m, error};
                keep(to, &found, width, next);
            }
            take_all(s, moves, from[i].taken, -1);
        }
        if (found && to[0].error < best.error) best = to[0];
        else if (d && best.taken) break;
        nodes = found;
    }
    take_all(s, moves, best.taken, 1);
    return best.taken != 0;
}

static area of_mcu(const scene *s, int64_t row, int64_t column) {
    const int64_t tall = 8 * s->told[TALL], wide = 8 * s->told[WIDE];
    const area a = {tall * row, wide * column, tall * (row + 1), wide * (column + 1)};
    return a;
}

/* Move coefficients of blocks until an area is right, or nothing helps. */
static void search(const scene *s, const block *blocks, int count, area whole) {
    static const group GROUPS[] = {{2, 64, 16}, {4, 64, 16}, {1, 64, 16},
                                   {7, 1, 64},  {7, 3, 64},  {7, 64, 16}};
    move moves[MOVES];
    for (size_t g = 0; g < sizeof GROUPS / sizeof *GROUPS; g++)
        for (int n = 0; n < ITERATIONS && *s->left > 0 && error_of(s, whole, 1); n++) {
            const int found = list_moves(s, blocks, count, GROUPS[g], moves);
            if (!better(s, moves, found, GROUPS[g].width, whole)) break;
        }
}

/* Lay a block's coefficients. */
static void lay(const scene *s, block b, const int16_t *from) {
    const int64_t stride = 8 * across(s, b.k);
    int16_t *own = coefficients(s, b);
    memmove(own, from, 64 * sizeof *own);
    inverse(own, s->steps + b.k, s->planes[b.k] + 8 * b.row * stride + 8 * b.column, stride);
}

/* A block as flat as those around it are on the average. */
static void flat_of(const scene *s, block b, int16_t *flat) {
    const int64_t rows = (s->told[ROWS] + 7) / 8 * (b.k ? 1 : s->told[TALL]);
    int64_t sum = 0, count = 0;
    memset(flat, 0, 64 * sizeof *flat);
    for (int64_t y = b.row - 1; y <= b.row + 1; y++)
        for (int64_t x = b.column - 1; x <= b.column + 1; x++) {
            const block other = {y, x, b.k};
            if (y < 0 || x < 0 || y >= rows || x >= across(s, b.k) || (y == b.row && x == b.column))
                continue;
            sum += *coefficients(s, other), count++;
        }
    if (count) *flat = (int16_t)(sum / count);
}

/* Begin anew with flat blocks, as where most pixels are cut; keep what is far less wrong. */
static void again(const scene *s, const block *blocks, int count, area whole) {
    int16_t before[MOST_BLOCKS][64], flat[64];
    scene wide = *s;
    const int64_t error = error_of(s, whole, INT64_MAX);
    wide.far = FARTHER;
    for (int b = 0; b < count; b++) memcpy(before[b], coefficients(s, blocks[b]), sizeof before[b]);
    for (int b = 0; b < count; b++) {
        flat_of(s, blocks[b], flat);
        lay(s, blocks[b], flat);
    }
    search(&wide, blocks, count, whole);
    search(s, blocks, count, whole);
    if (4 * error_of(s, whole, INT64_MAX) < error) return;
    for (int b = 0; b < count; b++) lay(s, blocks[b], before[b]);
}

/* Move coefficients of an MCU, and of chroma of the next ones that are wrong, too. */
static void settle(const scene *s, const uint8_t *wrong, int64_t row, int64_t column, int flat) {
    const int64_t *told = s->told, next = row * told[ACROSS] + column;
    const int64_t rows = (told[ROWS] + 7) / 8;
    block blocks[MOST_BLOCKS];
    int count = 0;
    area whole = of_mcu(s, row, column);
    for (int64_t y = 0; y < told[TALL]; y++)
        for (int64_t x = 0; x < told[WIDE]; x++) {
            const block luma = {told[TALL] * row + y, told[WIDE] * column + x, 0};
            blocks[count++] = luma;
        }
    for (int n = 0; n < 3; n++) {
        const int64_t down = n == 1, right = n == 2;
        if (row + down >= rows || column + right >= told[ACROSS]) continue;
        if (n && !wrong[next + down * told[ACROSS] + right]) continue;
        for (int k = 1; k < 3; k++) {
            const block chroma = {row + down, column + right, k};
            const area own = area_of(s, chroma);
            blocks[count++] = chroma;
            if (own.top < whole.top) whole.top = own.top;
            if (own.left < whole.left) whole.left = own.left;
            if (own.bottom > whole.bottom) whole.bottom = own.bottom;
            if (own.right > whole.right) whole.right = own.right;
        }
    }
    if (flat) again(s, blocks, count, whole);
    else search(s, blocks, count, whole);
}

/* Move coefficients so that fewer of a picture's `pixels` are wrong, if no more than told[MOST]
   MCUs are, and as long as `left` pixels may be compared: by some moves at once, by more, and from
   flat blocks on, where MCUs are wrong still. Blocks and the planes that they make
   change. Returns how many MCUs are looked at. */
EXPORT int64_t bitswap_history_settle(const uint8_t *pixels, const int64_t *told, uint8_t *luma,
                                      uint8_t *blue, uint8_t *red, int16_t *luma_blocks,
                                      int16_t *blue_blocks, int16_t *red_blocks,
                                      const int32_t *steps, int64_t *left) {
    static const struct {
        int moves, flat;
    } HOW[] = {{28, 0}, {MOVES, 0}, {28, 1}};
    const int64_t size = told[HEIGHT] * told[WIDTH];
    uint8_t *channels = malloc((size_t)(3 * size));
    scene s = {{channels, channels + size, channels + 2 * size},
               told,
               left,
               {luma, blue, red},
               {luma_blocks, blue_blocks, red_blocks},
               {quantizer_of(steps, told[METHOD]), quantizer_of(steps + 64, told[METHOD]),
                quantizer_of(steps + 128, told[METHOD])},
               FAR,
               0};
    const int64_t count = (told[ROWS] + 7) / 8 * told[ACROSS];
    uint8_t *wrong = malloc((size_t)count);
    int64_t found = 0;
    if (!wrong || !channels) {
        free(wrong), free(channels);
        return -1;
    }
    for (int64_t p = 0; p < size; p++)
        for (int k = 0; k < 3; k++) channels[k * size + p] = pixels[3 * p + k];
    for (int n = 0; n < told[SWEEPS]; n++) {
        int64_t now = 0;
        s.moves = HOW[n].moves;
        for (int64_t m = 0; m < count; m++) {
            const area own = of_mcu(&s, m / told[ACROSS], m % told[ACROSS]);
            wrong[m] = error_of(&s, own, 1) > 0;
            now += wrong[m];
        }
        if (!n) found = now;
        const int64_t most = n ? told[MOST] / FEWER : told[MOST];
        for (int64_t m = 0; m < count && now <= most; m++)
            if (wrong[m]) settle(&s, wrong, m / told[ACROSS], m % told[ACROSS], HOW[n].flat);
    }
    free(wrong), free(channels);
    return found <= told[MOST] ? found : 0;
}
