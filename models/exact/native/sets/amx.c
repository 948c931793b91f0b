/* x86-64 with AMX: products of matrices of bytes. What is no such product is as with VNNI. */
#include "sets.h"

#if defined(AMX_TARGET)
#define TARGET AMX_TARGET

/* ---- dot products ---- */

#define DOT dot_words
#define DOT_OF dot_words_of
#define DOT_SOME some_words
#define ADD_GROUP _mm512_dpwssd_epi32
#include "templates/dot_512.h"

#define DOT dot_bytes
#define DOT_OF dot_bytes_of
#define DOT_SOME some_bytes
#define ADD_GROUP _mm512_dpbusd_epi32
#define ADD_WORD _mm512_dpwssd_epi32
#include "templates/dot_512.h"

/* ---- layers ---- */

#include "templates/convolutions.h"

#include "sets/vector_8.h"
#include "sets/vector_16.h"

#define UNIT 1
#define WIDTH 16
#include "templates/outputs.h"

/* ---- matrices ---- */

enum { DEEP = 16 };  /* groups of a row of a register, and rows of it */
enum { STACKS = 4 }; /* registers of sums, the first ones: so many times DEEP rows go together */

/* The others; the compiler wants to read their numbers. What is left of a row behind its last DEEP
 * groups has registers of its own, since shapes are set for all at once, which clears them. */
#define LEFT 4
#define RIGHT 5
#define LAST_LEFT 6
#define LAST_RIGHT 7
enum { REGISTERS = LAST_RIGHT + 1 };

typedef int32_t stacks[STACKS * DEEP][OUTPUTS];

TARGET INLINE void set_shapes(int64_t last_groups) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shapes = {.palette = 1};
    for (int i = 0; i < REGISTERS; i++) shapes.bytes[i] = DEEP * GROUP, shapes.rows[i] = DEEP;
    if (last_groups) {
        shapes.bytes[LAST_LEFT] = (uint16_t)(last_groups * GROUP);
        shapes.rows[LAST_RIGHT] = (uint8_t)last_groups;
    }
    _tile_loadconfig(&shapes);
}

#define ADD_PRODUCT(STACK, FROM, BY)                                   \
    do {                                                               \
        if (STACK >= some) break;                                      \
        _tile_loadd(FROM, row + STACK * DEEP * m->from, (int)m->from); \
        _tile_dpbusd(STACK, FROM, BY);                                 \
    } while (0)
#define ADD_PRODUCTS(FROM, BY)                 \
    do {                                       \
        _tile_loadd(BY, weight, DEEP * GROUP); \
        ADD_PRODUCT(0, FROM, BY);              \
        ADD_PRODUCT(1, FROM, BY);              \
        ADD_PRODUCT(2, FROM, BY);              \
        ADD_PRODUCT(3, FROM, BY);              \
    } while (0)

/* Multiply a part of `some` stacks of rows with one panel of weights: DEEP groups, or the last. */
TARGET INLINE void multiply(const dense *l, const strip *m, int64_t part, const char *row,
                            const char *weight, const int some) {
    row += part * DEEP * GROUP, weight += part * DEEP * GROUP * OUTPUTS;
    if (part < l->groups / DEEP) ADD_PRODUCTS(LEFT, RIGHT);
    else ADD_PRODUCTS(LAST_LEFT, LAST_RIGHT);
}

TARGET INLINE void store(const int some, stacks sums) {
    _tile_stored(0, sums[0], sizeof sums[0]);
    if (some > 1) _tile_stored(1, sums[DEEP], sizeof sums[0]);
    if (some > 2) _tile_stored(2, sums[2 * DEEP], sizeof sums[0]);
    if (some > 3) _tile_stored(3, sums[3 * DEEP], sizeof sums[0]);
}

/* Add the products of a row's groups of 16-bit values. */
TARGET INLINE void add_words(const dense *l, const char *row, const char *weight, int32_t *sums) {
    __m512i sum = _mm512_loadu_si512(sums);
    for (int64_t i = l->groups; i < l->groups + l->words; i++) {
        const __m512i w = _mm512_loadu_si512(weight + i * GROUP * OUTPUTS);
        sum = _mm512_dpwssd_epi32(sum, _mm512_set1_epi32(group_at(row, i)), w);
    }
    _mm512_storeu_si512(sums, sum);
}

TARGET INLINE void dense_stacks(const dense *l, const strip *m, int64_t first, const int some) {
    const int64_t count = least(m->count - first, some * DEEP);
    const int64_t parts = (l->groups + DEEP - 1) / DEEP;
    const int64_t bytes = (l->groups + l->words) * GROUP * OUTPUTS; /* of a panel */
    const char *row = m->x + first * m->from, *weight = l->weight;
    stacks sums;
    for (int64_t v = 0; v < l->panels; v++, weight += bytes) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int64_t part = 0; part < parts; part++) multiply(l, m, part, row, weight, some);
        store(some, sums);
        for (int64_t r = 0; l->words && r < count; r++)
            add_words(l, row + r * m->from, weight, sums[r]);
        finish(l, m, first, first + count, v, sums[0], OUTPUTS);
    }
}

TARGET static void dense_layer(const dense *l, const strip *m) {
    set_shapes(l->groups % DEEP);
    for (int64_t first = 0; first < m->count; first += STACKS * DEEP) {
        const int64_t count = m->count - first;
        if (count > 3 * DEEP) dense_stacks(l, m, first, 4);
        else if (count > 2 * DEEP) dense_stacks(l, m, first, 3);
        else if (count > DEEP) dense_stacks(l, m, first, 2);
        else dense_stacks(l, m, first, 1);
    }
    _tile_release();
}

/* ---- all others ---- */

#include "templates/pixels.h"

#define WIDTH 8
#include "templates/mixtures.h"

#include "templates/blocks.h"

static const pixel_layers pixels_of_set = {UNIT, dense_layer, windows, earlier, mix};

const set bitswap_amx = {words, bytes, 1, narrow, 0, &pixels_of_set, &blocks_of_set, 0};
#endif
