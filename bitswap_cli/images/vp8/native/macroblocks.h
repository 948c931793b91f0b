/* Macroblocks: their modes, then blocks, each behind what its prediction has need of. */
#ifndef BITSWAP_VP8_MACROBLOCKS_H
#define BITSWAP_VP8_MACROBLOCKS_H

#include "modes.h"

TARGET INLINE block *block_at(const plane *p, int64_t row, int64_t column) {
    return p->blocks + (row & (2 * p->side - 1)) * p->across + column + 1;
}

/* Where the pixels of a block of a macroblock begin. */
TARGET INLINE uint8_t *pixels_at(const plane *p, int64_t column, int y, int x) {
    return p->pixels + (2 + 4 * y) * p->stride + 2 + 4 * (p->side * column + x);
}

/* The blocks around one of a plane. */
TARGET INLINE void surround(const work *w, const plane *p, const macroblock *m, int y, int x,
                            place_of *at) {
    const int64_t row = p->side * m->row + y, column = p->side * m->column + x;
    at->above = block_at(p, row - 1, column), at->left = block_at(p, row, column - 1);
    at->corner = block_at(p, row - 1, column - 1);
    at->right = y && x == p->side - 1 ? &w->empty : block_at(p, row - 1, column + 1);
    at->farther[0] = row > 1 ? block_at(p, row - 2, column) : &w->empty;
    at->farther[1] = column > 1 ? block_at(p, row, column - 2) : &w->empty;
}

TARGET INLINE void scale(const block *b, const int *steps, int *found) {
    for (int i = 0; i < 16; i++) found[i] = clip(b->c[i] * steps[i > 0], -8191, 8191);
}

/* The coefficients of Y2; `dc` gets those of the blocks. */
TARGET INLINE void code_y2(work *w, macroblock *m, uint8_t *filled[2], int *dc) {
    beside *above = w->above + m->column, *left = &w->left;
    const uint8_t *pixels = pixels_at(w->planes, m->column, 0, 0);
    const int64_t stride = w->planes[0].stride;
    const int top = m->row > 0, before = m->column > 0;
    place_of p = {.part = m->part, .type = Y2, .mode = m->mode, .steps = w->q[m->segment].y2};
    p.filled = filled[0][8] + filled[1][8];
    p.around = most(m->energy[0] / 2, 15) + 16 * most(m->energy[1] / 8, 3);
    p.above = &above->y2, p.left = &left->y2, p.corner = &w->corner.y2, p.right = &above[1].y2;
    p.farther[0] = p.farther[1] = p.like[0] = p.like[1] = &w->empty;
    block b = {.sum = 0};
    if (w->task != CHECKING) {
        p.active = most(level(activity(pixels, stride, 16, top, before) / 4), 15);
        look_around(w, pixels, stride, top, before, 0);
    }
    filled[0][8] = filled[1][8] = (uint8_t)code_block(w, &p, &b);
    scale(&b, p.steps, dc);
    spread(dc);
    m->sum += 2 * b.sum;
    above->y2 = left->y2 = b;
}

/* What is told of one block of coefficients, and its pixels. */
TARGET APART void code_one(work *w, const plane *flat, const place_of *given, uint8_t *pixels,
                           int top, int left, uint8_t *filled[2], const int *dc, block *b) {
    place_of p = *given;
    int scaled[16];
    if (w->task != CHECKING) {
        p.active = most(level(activity(pixels, flat->stride, 4, top, left)), 15);
        look_around(w, pixels, flat->stride, top, left, 1);
        if (dc) take_out(w, 0, *dc, 1);
    }
    p.first = dc != NULL, p.filled = *filled[0] + *filled[1];
    *filled[0] = *filled[1] = (uint8_t)code_block(w, &p, b);
    scale(b, p.steps, scaled);
    if (dc) scaled[0] = clip(*dc, -8191, 8191);
    if (w->task != CHECKING) add(scaled, pixels, flat->stride);
}

TARGET INLINE void code_luma(work *w, macroblock *m, int y, int x, uint8_t *filled[2],
                             const int *dc) {
    const plane *flat = w->planes;
    uint8_t *pixels = pixels_at(flat, m->column, y, x);
    const int *steps = w->q[m->segment].y1;
    block *own = block_at(flat, 4 * m->row + y, 4 * m->column + x);
    place_of p = {.part = m->part, .type = dc ? Y_AFTER_Y2 : Y_WITH_DC, .index = 4 * y + x};
    surround(w, flat, m, y, x, &p);
    if (m->mode == B_PRED) {
        code_submode(w, m, y, x, pixels, &p);
        const uint8_t *right = pixels - flat->stride + 4;
        if (x == 3) right = pixels_at(flat, m->column, 0, 4) - flat->stride;
        uint8_t four[4];
        memcpy(four, right, 4);
        predict_four(w->n, m->submodes[p.index], pixels, flat->stride, four);
    }
    *own = (block){.sum = 0};
    if (m->skipped) return;
    p.mode = dc ? 10 + m->mode : m->submodes[p.index];
    p.steps = steps, p.like[0] = p.like[1] = &w->empty;
    p.around = most(m->energy[0], 15) + 16 * most(m->energy[1] / 2, 3);
    if (dc)
        p.around =
            most(level(4 * size_of(*dc) / steps[0]), 15) + 16 * most(level(w->left.y2.sum), 11);
    uint8_t *both[2] = {filled[0] + x, filled[1] + y};
    code_one(w, flat, &p, pixels, m->row || y, m->column || x, both, dc, own);
    m->sum += own->sum;
    if (dc) {
        const int size = (size_of(*dc) + steps[0] / 2) / steps[0];
        own->c[0] = (int16_t)clip(*dc < 0 ? -size : size, -32767, 32767);
        own->sum += size;
    }
}

TARGET INLINE void code_chroma(work *w, macroblock *m, uint8_t *filled[2]) {
    const int energy = most(level(m->sum), 31);
    for (int i = 0; i < 8; i++) {
        const int v = i >> 2, y = i >> 1 & 1, x = i & 1;
        const plane *flat = w->planes + 1 + v;
        block *own = block_at(flat, 2 * m->row + y, 2 * m->column + x);
        *own = (block){.sum = 0};
        if (m->skipped) continue;
        place_of p = {.part = m->part, .type = CHROMA, .mode = m->chroma, .index = i};
        surround(w, flat, m, y, x, &p);
        p.steps = w->q[m->segment].uv, p.around = energy + 32 * v;
        p.like[0] = v ? block_at(w->planes + 1, 2 * m->row + y, 2 * m->column + x) : &w->empty;
        p.like[1] = block_at(w->planes, 4 * m->row + 2 * y, 4 * m->column + 2 * x);
        uint8_t *both[2] = {filled[0] + 4 + 2 * v + x, filled[1] + 4 + 2 * v + y};
        uint8_t *pixels = pixels_at(flat, m->column, y, x);
        code_one(w, flat, &p, pixels, m->row || y, m->column || x, both, NULL, own);
    }
}

TARGET INLINE void code_macroblock(work *w, int64_t row, int64_t column) {
    beside *above = w->above + column, *left = &w->left, old = *above;
    macroblock m = {.row = row, .column = column, .above = above, .left = left};
    m.corner = &w->corner;
    m.energy[0] = most(level(above->sum), 31), m.energy[1] = most(level(left->sum), 31);
    m.part = 1 + (int)(row & (w->partitions - 1));
    if (w->update_map) code_segment(w, &m);
    if (w->skipping) code_skip(w, &m);
    code_kind(w, &m);
    const int whole = m.mode != B_PRED, top = row > 0, before = column > 0;
    uint8_t *filled[2] = {above->filled, left->filled};
    int dc[16];
    if (m.skipped)
        for (int i = 0; i < 2; i++) memset(filled[i], 0, whole ? 9 : 8);
    if (whole)
        predict(m.mode, pixels_at(w->planes, column, 0, 0), w->planes[0].stride, 16, top, before);
    if (whole && m.skipped) above->y2 = left->y2 = w->empty;
    if (whole && !m.skipped) code_y2(w, &m, filled, dc);
    for (int i = 0; i < 16 && !w->failed; i++)
        code_luma(w, &m, i >> 2, i & 3, filled, whole ? dc + i : NULL);
    code_chroma_mode(w, &m);
    for (int v = 1; v < 3; v++)
        predict(m.chroma, pixels_at(w->planes + v, column, 0, 0), w->planes[v].stride, 8, top,
                before);
    code_chroma(w, &m, filled);
    above->mode = left->mode = (uint8_t)m.mode, above->chroma = left->chroma = (uint8_t)m.chroma;
    above->segment = left->segment = (uint8_t)m.segment;
    above->skipped = left->skipped = (uint8_t)m.skipped;
    above->sum = left->sum = m.sum;
    for (int i = 0; i < 4; i++) {
        above->submodes[i] = m.submodes[12 + i];
        left->submodes[i] = m.submodes[4 * i + 3];
    }
    w->corner = old;
}

#endif
