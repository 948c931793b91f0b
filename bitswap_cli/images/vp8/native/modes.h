/* Modes of macroblocks and of their blocks (RFC 6386, sections 10 and 11). */
#ifndef BITSWAP_VP8_MODES_H
#define BITSWAP_VP8_MODES_H

#include "coefficients.h"

/* Decisions on modes, behind OF_MODES. */
enum { SEGMENT_ID, SKIP = 3, WHOLE, KIND, OTHER, SUBMODES = 8, COLOURS = 17, NO_LEVEL = 10 };

/* A macroblock at hand. */
typedef struct {
    int64_t row, column;
    const beside *above, *left, *corner; /* those around it: to the left of that above */
    int mode, chroma, segment, skipped;
    uint8_t submodes[16];
    int sum; /* of its coefficients so far */
    int energy[2]; /* levels of those above and to the left */
    int part; /* of its coefficients */
} macroblock;

/* One more decision on modes. */
TARGET INLINE int code_mode(work *w, int number, int probability, const uint32_t *keys, int count,
                            int place) {
    known k = {.count = count, .near = NEAR_MODES + number, .place = AT_MODES + place};
    for (int i = 0; i < count; i++) k.keys[i] = keys[i];
    return decided(w, 0, OF_MODES + number, &k, probability);
}

TARGET INLINE void code_segment(work *w, macroblock *m) {
    const uint32_t near = m->left->segment + 4u * m->above->segment;
    const uint32_t keys[3] = {near, near + 16u * m->corner->segment + 64u * m->above[1].segment,
                              m->above->mode + 16 * near};
    const int high = code_mode(w, SEGMENT_ID, w->tree[0], keys, 3, 0);
    const int low = code_mode(w, SEGMENT_ID + 1 + high, w->tree[1 + high], keys, 3, 1 + high);
    m->segment = 2 * high + low;
}

TARGET INLINE void code_skip(work *w, macroblock *m) {
    const uint32_t near = m->left->skipped + 2u * m->above->skipped;
    const uint32_t keys[4] = {near + 4u * m->above[1].skipped + 8u * m->corner->skipped,
                              (uint32_t)(m->energy[0] + 32 * m->energy[1]),
                              (uint32_t)m->segment + 4 * near,
                              m->left->mode + 16u * m->above->mode};
    m->skipped = code_mode(w, SKIP, w->skip, keys, 4, 3);
}

/* The mode of all of a macroblock's luma, or that its blocks have one each. */
TARGET INLINE void code_kind(work *w, macroblock *m) {
    const uint32_t above = m->above->mode, left = m->left->mode, skipped = (uint32_t)m->skipped;
    const uint32_t around = left + 16 * above, energy = (uint32_t)m->energy[0];
    const uint8_t *top = m->above->submodes, *before = m->left->submodes;
    const uint32_t keys[6] = {
        2 * around + skipped,
        2 * (energy + 32 * (uint32_t)m->energy[1]) + skipped,
        2 * (2 * (uint32_t)m->segment + 8u * (left == B_PRED) + 16u * (above == B_PRED)) + skipped,
        2 * (around + 256u * m->corner->mode + 4096u * m->above[1].mode) + skipped,
        2 * (above + 16 * energy) + skipped,
        2 * (before[0] + 16u * before[3] + 256u * top[0] + 4096u * top[3]) + skipped,
    };
    static const uint8_t ALIKE[4] = {0, 2, 3, 1}; /* submodes */
    m->mode = B_PRED;
    if (!code_mode(w, WHOLE, 145, keys, 6, 10 + m->energy[0] / 2)) return;
    const int other = code_mode(w, KIND, 156, keys, 6, 4);
    m->mode = 2 * other + code_mode(w, OTHER + !other, other ? 128 : 163, keys, 6, 5 + other);
    for (int i = 0; i < 16; i++) m->submodes[i] = ALIKE[m->mode];
}

/* The mode of a block, `at` which its pixels begin. */
TARGET INLINE void code_submode(work *w, macroblock *m, int y, int x, const uint8_t *at,
                                const place_of *p) {
    uint8_t *own = m->submodes + 4 * y + x;
    const uint8_t *top = m->above->submodes, *before = m->left->submodes;
    const int a = y ? own[-4] : top[x], l = x ? own[-1] : before[y];
    const int corner = y && x ? own[-5]
                       : y    ? before[y - 1]
                       : x    ? top[x - 1]
                              : m->corner->submodes[3];
    const int right = x < 3 ? (y ? own[-3] : top[x + 1]) : y ? 10 : m->above[1].submodes[0];
    const int farther = x > 1 ? own[-2] : 11, higher = y > 1 ? own[-8] : 11;
    const int64_t stride = w->planes[0].stride;
    const int is_top = m->row || y, is_left = m->column || x, both = a + 16 * l;
    int active = NO_LEVEL + 16 * NO_LEVEL, up = 12, back = 12;
    if (w->task != CHECKING && is_top) {
        active += most(level(activity(at, stride, 4, 1, 0) / 2), 9) - NO_LEVEL;
        up = signed_level(at[3 - stride] - at[-stride]);
    }
    if (w->task != CHECKING && is_left) {
        active += 16 * (most(level(activity(at, stride, 4, 0, 1) / 2), 9) - NO_LEVEL);
        back = signed_level(at[3 * stride - 1] - at[-1]);
    }
    const int sums = most(level(p->above->sum), 15) + 16 * most(level(p->left->sum), 15);
    const uint32_t keys[11] = {(uint32_t)(active + 256 * a),
                               (uint32_t)(active + 256 * l),
                               (uint32_t)(up + 32 * back + 1024 * both),
                               (uint32_t)(active + 256 * both),
                               (uint32_t)both,
                               (uint32_t)(both + 256 * corner),
                               (uint32_t)(both + 256 * right),
                               (uint32_t)(both + 256 * corner + 4096 * right + 65536 * farther),
                               (uint32_t)(4 * y + x + 16 * a),
                               (uint32_t)(sums + 256 * (4 * y + x)),
                               (uint32_t)(both + 256 * higher)};
    /* Of each decision the next one, or 16 and more: a mode. */
    static const uint8_t TREE[9][2] = {{16, 1},  {17, 2}, {18, 3}, {4, 6},  {19, 5},
                                       {20, 21}, {22, 7}, {23, 8}, {24, 25}};
    const uint8_t *q = w->n->submodes + 9 * (10 * a + l);
    int at_node = 0;
    while (at_node < 16)
        at_node =
            TREE[at_node][code_mode(w, SUBMODES + at_node, q[at_node], keys, 11, 30 + 10 * a + l)];
    *own = (uint8_t)(at_node - 16);
}

TARGET INLINE void code_chroma_mode(work *w, macroblock *m) {
    const uint32_t mode = (uint32_t)m->mode, a = m->above->chroma, l = m->left->chroma;
    const uint8_t *s = m->submodes;
    const uint32_t keys[4] = {mode + 8 * l + 32 * a, mode + 8u * s[0] + 128u * s[5],
                              mode + 8u * s[15] + 128 * l, l + 4 * a + 16u * m->corner->chroma};
    m->chroma = DC_PRED;
    if (!code_mode(w, COLOURS, 142, keys, 4, 7)) return;
    m->chroma = V_PRED;
    if (!code_mode(w, COLOURS + 1, 114, keys, 4, 8)) return;
    m->chroma = H_PRED + code_mode(w, COLOURS + 2, 183, keys, 4, 9);
}

#endif
