/* Frames: their headers, then rows of macroblocks; a set of instructions includes this with TARGET,
 * the attribute of its functions. */
#ifndef BITSWAP_VP8_FRAMES_H
#define BITSWAP_VP8_FRAMES_H

#include "macroblocks.h"

/* Let bytes of the frame be known to a decoder. 0: there are none. */
TARGET INLINE int carry(const work *w, carrier *c, int64_t at, int64_t count) {
    if (at + count > c->size) return 0;
    if (w->task != DECODING) return 1;
    if (count > c->end - c->rest) return 0;
    memcpy(c->to + at, c->rest, (size_t)count);
    c->rest += count;
    return 1;
}

/* A bit of a header, which one it is told by `place`. */
TARGET INLINE int flag(work *w, int place, int probability) {
    const known k = {{(uint32_t)place}, 1, NEAR_HEADERS, AT_HEADERS};
    return decided(w, 0, OF_HEADERS + (place & 63), &k, probability);
}

TARGET INLINE int number(work *w, int place, int bits) {
    int found = 1;
    for (int i = 0; i < bits; i++) found = 2 * found + flag(w, 256 * place + found, 128);
    return found - (1 << bits);
}

/* A number with a sign, if one is told. */
TARGET INLINE int optional(work *w, int place, int bits) {
    if (!flag(w, place, 128)) return 0;
    const int found = number(w, place, bits);
    return flag(w, place + 64, 128) ? -found : found;
}

/* Segments: `indices` of steps, and whether these are whole ones. */
TARGET INLINE int code_segments(work *w, int *indices, int *whole) {
    w->tree[0] = w->tree[1] = w->tree[2] = 255;
    w->update_map = 0, *whole = 0;
    if (!flag(w, 3, 128)) return 0;
    w->update_map = flag(w, 4, 128);
    if (flag(w, 5, 128)) {
        *whole = flag(w, 6, 128);
        for (int i = 0; i < SEGMENTS; i++) indices[i] = optional(w, 8 + i, 7);
        for (int i = 0; i < SEGMENTS; i++) optional(w, 12 + i, 6); /* of loop filters */
    }
    for (int i = 0; i < 3 && w->update_map; i++)
        if (flag(w, 16 + i, 128)) w->tree[i] = number(w, 16 + i, 8);
    return 1;
}

TARGET INLINE void code_filters(work *w) {
    flag(w, 20, 128);
    number(w, 21, 6);
    number(w, 22, 3);
    if (flag(w, 23, 128) && flag(w, 24, 128))
        for (int i = 0; i < 8; i++) optional(w, 25 + i, 6);
}

/* The steps of all segments. */
TARGET INLINE void code_steps(work *w) {
    const uint8_t *dc = w->n->dc;
    const int16_t *ac = w->n->ac;
    const int *own = w->indices;
    int more[5];
    const int base = number(w, 36, 7);
    for (int i = 0; i < 5; i++) more[i] = optional(w, 37 + i, 4);
    for (int i = 0; i < SEGMENTS; i++) {
        const int at = w->segmented ? own[i] + (w->whole ? 0 : base) : base;
        steps_of *q = w->q + i;
        q->y1[0] = dc[clip(at + more[0], 0, 127)], q->y1[1] = ac[clip(at, 0, 127)];
        q->y2[0] = 2 * dc[clip(at + more[1], 0, 127)];
        q->y2[1] = ac[clip(at + more[2], 0, 127)] * 155 / 100;
        if (q->y2[1] < 8) q->y2[1] = 8;
        q->uv[0] = dc[clip(at + more[3], 0, 117)], q->uv[1] = ac[clip(at + more[4], 0, 127)];
    }
}

/* The probabilities of coefficients, of which those are told that are not usual. */
TARGET INLINE void code_probabilities(work *w) {
    uint8_t *found = &w->probabilities[0][0][0][0];
    for (int i = 0; i < 4 * 8 * 3 * 11; i++) {
        const known k = {{(uint32_t)i}, 1, NEAR_HEADERS + 1, AT_HEADERS + 1};
        const int usual = found[i] = w->n->defaults[i];
        if (!decided(w, 0, OF_HEADERS + 64, &k, w->n->updates[i])) continue;
        uint32_t so_far = 1;
        for (int bit = 0; bit < 8; bit++) {
            const known own = {
                {so_far + 256 * (uint32_t)i, so_far + 256 * (uint32_t)(usual >> 4),
                 so_far + 256 * (uint32_t)(i / 33), so_far + 256 * (uint32_t)(i % 11), so_far},
                5,
                NEAR_HEADERS + 2 + bit,
                AT_HEADERS + 1};
            const int node = OF_HEADERS + 65 + (bit < 4 ? bit : 4);
            so_far = 2 * so_far + (uint32_t)decided(w, 0, node, &own, 128);
        }
        found[i] = (uint8_t)so_far;
    }
}

/* Where a partition begins. */
TARGET INLINE void begin_partition(work *w, const carrier *c, int part, int64_t at, int64_t size) {
    if (w->task != DECODING) begin_reading(w->readers + part, c->to + at, size);
    uint8_t *to = w->task == DECODING ? c->to : w->written;
    if (w->task != ENCODING) begin_writing(w->writers + part, to + at, size);
}

/* Begin the partitions of coefficients, whose sizes but that of the last one are told. 0: they do
 * not fit in. */
TARGET INLINE int begin_partitions(work *w, carrier *c, int64_t at) {
    const int64_t sizes = 3 * (w->partitions - 1);
    if (!carry(w, c, at, sizes)) return 0;
    const uint8_t *told = c->to + at;
    if (w->task == CHECKING) memcpy(w->written + at, told, (size_t)sizes);
    at += sizes;
    for (int i = 1; i <= w->partitions; i++, told += 3) {
        int64_t size = c->size - at;
        if (i < w->partitions) size = told[0] | told[1] << 8 | (int64_t)told[2] << 16;
        if (size > c->size - at) return 0;
        begin_partition(w, c, i, at, size);
        at += size;
    }
    return 1;
}

TARGET INLINE void code_header(work *w) {
    flag(w, 1, 128), flag(w, 2, 128); /* the space of colours, and how they are cut */
    w->segmented = code_segments(w, w->indices, &w->whole);
    code_filters(w);
    w->partitions = 1 << number(w, 35, 2);
    code_steps(w);
    flag(w, 46, 128); /* whether probabilities last */
    code_probabilities(w);
    w->skipping = flag(w, 47, 128), w->skip = 0;
    if (w->skipping) w->skip = number(w, 48, 8);
}

/* Let what lies around a row of macroblocks be there. */
TARGET INLINE void begin_row(work *w, int64_t row) {
    for (int i = 0; i < 3; i++) {
        const plane *p = w->planes + i;
        const int side = 4 * p->side;
        const int64_t own = p->stride, width = side * w->columns;
        if (!row) memset(p->pixels, 127, (size_t)(2 * own));
        if (row) {
            memcpy(p->pixels, p->pixels + side * own, (size_t)(2 * own));
            p->pixels[own + 1] = 129;
            memset(p->pixels + own + 2 + width, p->pixels[own + 1 + width], 4);
        }
        for (int y = 2; y < 2 + side; y++) p->pixels[y * own] = p->pixels[y * own + 1] = 129;
    }
    w->left = w->corner = (beside){.mode = 0};
}

TARGET INLINE void end_frame(work *w) {
    for (int i = 0; i < 3; i++) {
        free(w->planes[i].pixels), free(w->planes[i].blocks);
        w->planes[i] = (plane){.side = 0};
    }
    free(w->above);
    w->above = NULL;
}

/* Room for rows of a frame. 0: there is no memory. */
TARGET INLINE int begin_frame(work *w) {
    int there = 1;
    for (int i = 0; i < 3; i++) {
        plane *p = w->planes + i;
        p->side = i ? 2 : 4;
        p->stride = 4 * p->side * w->columns + 8;
        p->across = p->side * w->columns + 2;
        p->pixels = calloc((size_t)((4 * p->side + 2) * p->stride), 1);
        p->blocks = calloc((size_t)(2 * p->side * p->across), sizeof(block));
        there &= p->pixels && p->blocks;
    }
    w->above = calloc((size_t)w->columns + 1, sizeof *w->above);
    return there && w->above;
}

/* Whether a frame is one that decisions tell of, by its first bytes. */
TARGET INLINE int begin_size(work *w, const carrier *c) {
    const uint8_t *b = c->to;
    if (b[0] & 1 || b[3] != 0x9d || b[4] != 1 || b[5] != 0x2a) return 0;
    const int64_t width = (b[6] | b[7] << 8) & 0x3fff, height = (b[8] | b[9] << 8) & 0x3fff;
    w->columns = (width + 15) / 16, w->rows = (height + 15) / 16;
    return width && height;
}

TARGET INLINE void code_rows(work *w) {
    for (int64_t row = 0; row < w->rows && !w->failed; row++) {
        begin_row(w, row);
        for (int64_t column = 0; column < w->columns && !w->failed; column++)
            code_macroblock(w, row, column);
    }
}

/* Code a frame: its first bytes are carried, the rest are decisions. */
TARGET INLINE void code_frame(work *w, carrier *c) {
    const int64_t own = (int64_t)PER_BYTE * c->size + AT_LEAST;
    const int64_t most = w->still = own < w->in_all ? own : w->in_all;
    if (!carry(w, c, 0, HEAD) || !begin_size(w, c)) {
        w->failed = WRONG;
        return;
    }
    const uint8_t *b = c->to;
    const int64_t first = (b[0] | b[1] << 8 | (int64_t)b[2] << 16) >> 5;
    if (first > c->size - HEAD) {
        w->failed = WRONG;
        return;
    }
    if (w->task == CHECKING) memcpy(w->written, b, HEAD);
    begin_partition(w, c, 0, HEAD, first);
    code_header(w);
    if (!w->failed && !begin_partitions(w, c, HEAD + first)) w->failed = WRONG;
    if (!w->failed && !begin_frame(w)) w->failed = NO_MEMORY;
    if (!w->failed) code_rows(w);
    end_frame(w);
    w->in_all -= most - w->still;
    for (int i = 0; i <= w->partitions && w->task != ENCODING && !w->failed; i++)
        if (!end_writing(w->writers + i)) w->failed = WRONG;
}

#endif
