/* Chunks of pixels: their trunks, their channels, and the room that they take. */
#ifndef BITSWAP_CHUNK_H
#define BITSWAP_CHUNK_H

#include "arena.h"
#include "pixels/pixels.h"

typedef struct {
    const pixel_layers *v;
    const network *n;
    const group *g;
    scratch s;
} machine;

/* The layer with only its first outputs. */
static inline dense first_outputs(const dense *l, int64_t outputs) {
    dense some = *l;
    some.panels = padded(outputs, OUTPUTS) / OUTPUTS;
    return some;
}

/* Compute the trunks of `count` pixels from `first` on, as far as so many `channels` need them. */
static inline void run_trunk(const machine *m, const pool *all, int64_t first, int64_t count,
                             int channels) {
    const network *n = m->n;
    const dense told = first_outputs(n->splits, channels * padded(n->split, OUTPUTS));
    const dense near = first_outputs(n->skip, channels * n->components);
    const int64_t row = (n->skip->groups + n->skip->words) * GROUP;
    const int64_t cells = m->g->side / n->cell, width = n->film * m->v->unit;
    const int64_t splits = n->splits->panels * OUTPUTS, skips = n->skip->panels * OUTPUTS;
    char *x = m->s.first, *y = m->s.second;
    const int16_t *film[CHUNK];
    m->v->windows(n, m->g, all, first, (int)count, x);
    for (int64_t i = 0; m->g->film && i < count; i++) {
        const place *p = all->where + first + i;
        int64_t cell = p->tile * cells * cells + p->y / n->cell * cells + p->x / n->cell;
        film[i] = m->g->film + cell * 2 * n->layers * n->film;
    }
    strip skip = {x, (char *)(all->skip + first * skips), row, 2 * skips, count, 1, 0, 0};
    m->v->layer(&near, &skip);
    for (int64_t i = 0; i < n->layers; i++) {
        strip hidden = {
            .x = x,
            .y = y,
            .from = i ? width : row,
            .to = width,
            .count = count,
            .film = m->g->film ? film : 0,
            .shift = n->layers * n->film,
        };
        m->v->layer(n->trunk + i, &hidden);
        for (int64_t r = 0; m->g->film && r < count; r++) film[r] += n->film;
        char *swap = x;
        x = y, y = swap;
    }
    strip last = {x, (char *)(all->splits + first * splits), width, 2 * splits, count, 1, 0, 0};
    m->v->layer(&told, &last);
}

/* Compute the mixtures of a channel of `count` pixels from `first` on. */
static inline void run_channel(const machine *m, const pool *all, int64_t first, int64_t count,
                               int channel, const mixtures *to) {
    const network *n = m->n;
    const dense *mix = n->mixes + channel, *head = n->heads + channel;
    const int64_t split = mix->panels * OUTPUTS * m->v->unit, out = 2 * head->panels * OUTPUTS;
    m->v->earlier(n, all, first, (int)count, channel, m->s.first);
    strip mixed = {m->s.first, m->s.second, split, split, count, 0, 0, 0};
    m->v->layer(mix, &mixed);
    strip last = {m->s.second, (char *)m->s.out, split, out, count, 1, 0, 0};
    m->v->layer(head, &last);
    m->v->mix(n, all, first, (int)count, channel, m->s.out, to);
}

static inline void take_pixels(arena *a, const network *n, int64_t count, pool *p) {
    const int64_t room = p->room = padded(count, CHUNK), c = n->channels;
    p->where = take(a, room * (int64_t)sizeof *p->where);
    p->splits = take(a, room * n->splits->panels * OUTPUTS * 2);
    p->skip = take(a, room * n->skip->panels * OUTPUTS * 2);
    p->anchors = take(a, room * c * MAX_COMPONENTS * 2);
    p->reference = take(a, room * c * 4);
    p->known = take(a, room * c * 4);
    p->at = take(a, room * c * (int64_t)sizeof *p->at);
}

static inline void take_scratch(arena *a, const network *n, scratch *s) {
    const int64_t row = (n->skip->groups + n->skip->words) * GROUP;
    const int64_t widest = most(row, 2 * most(n->film, n->mixes->panels * OUTPUTS));
    s->first = take(a, CHUNK * widest);
    s->second = take(a, CHUNK * widest);
    s->out = take(a, CHUNK * n->heads->panels * OUTPUTS * 2);
}

#endif
