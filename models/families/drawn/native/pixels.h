/* The pixels of a picture, row by row; a set of instructions includes this with TARGET, the
 * attribute of every function, and VALUE_CONTEXTS, see generation.h.
 */
#include "colours.h"
#include "values.h"

enum { LONG_RUN = 1000, FORGIVEN = 8, FLAT_LIMIT = 1023 };

/* Whether a pixel of a flat area goes on with its colour. */
TARGET INLINE int goes_on(chunk *k, const window *v, const place *p, uint32_t there, int ahead,
                          int channels, int is) {
    int says = p->at ? (there == v->w ? 1 : 2) : 0;
    int run = lesser((int)p->run, 15);
    uint32_t *counter = k->a.flat + ((says * 16 + run) * 2 + ahead) * 2 + (channels > 1);
    int broken = code(&k->c, clip(chance(*counter), 1, 65535), !is);
    count(&k->t, counter, broken, FLAT_LIMIT);
    return !broken;
}

/* Hash the contexts of a pixel, and have all that is known of them come nearer. */
TARGET INLINE void recall(const chunk *k, window *v) {
    hash_contexts(v);
    COMING(standing(&k->m, v->contexts[0]));
    for (int i = 0; i < MEMORIES; i++) {
        v->keys[i] = hash(v->contexts[i], (uint32_t)i);
        COMING(entry_at(&k->m, i, v->keys[i]));
    }
}

TARGET INLINE void foresee(window *v, const chunk *k, const frame *f, const uint32_t *at) {
    look(v, at, f->stride);
    if (!v->flat) recall(k, v);
}

TARGET INLINE void expect_first(chunk *k, outlook *first, const window *v, const frame *f,
                                uint32_t colour) {
    const so_far none = {0, 0, 0, f->channels};
    expect(first, &k->c, &k->a, &k->m, v, none, f->number, colour);
}

/* Ask about candidates, the likeliest first; returns which one it is, or how many it is none of.
 * What the next answer will depend on comes nearer meanwhile: the next candidate; what is known of
 * the first channel, as soon as that is likely to be asked, or certain, which an encoder knows; and
 * of the pixel behind, if this one has the likeliest colour, as a decoder knows no more. */
TARGET INLINE int choose(chunk *k, const window *v, const sources *s, candidates *c, int most,
                         outlook *first, const frame *f, uint32_t *at, uint32_t colour) {
    const int early = k->c.decoding ? most < 2 : !names(c, colour);
    question next = {0};
    if (most) next = about(&k->m, v, s, c, 0, 0, f->channels);
    if (early) expect_first(k, first, v, f, colour);
    if (most && k->c.decoding) {
        window behind;
        *at = c->colour[0]; /* for now */
        foresee(&behind, k, f, at + 1);
    }
    for (int r = 0; r < most; r++) {
        const question q = next;
        const int is = c->colour[r] == colour;
        if (r + 1 < most && (k->c.decoding || !is))
            next = about(&k->m, v, s, c, r + 1, q.rejected | q.agreeing, f->channels);
        if (r == 1 && !early) expect_first(k, first, v, f, colour);
        if (code_candidate(&k->c, &k->t, &k->a, &k->m, s, &q, f->channels, is)) return r;
    }
    return most;
}

TARGET INLINE uint32_t code_colour(chunk *k, const window *v, const place *p, uint32_t there,
                                   const frame *f, uint32_t *at, uint32_t colour) {
    followed *told[MEMORIES];
    for (int i = 0; i < MEMORIES; i++) told[i] = entry(&k->m, i, v->keys[i]);
    sources s = ask(v, p, there, told, f->channels);
    candidates c = gather(&k->t, &k->a, &s, f, k->least, v->flat, v->w);
    outlook every[MOST_CHANNELS + 1];
    const int most = lesser(c.count, MOST_CANDIDATES);
    const int which = choose(k, v, &s, &c, most, every, f, at, colour);
    if (which < most) {
        colour = c.colour[which];
    } else {
        const uint32_t wanted = colour;
        uint32_t without[MOST_CANDIDATES + 1];
        for (int r = 0; r < most; r++) without[r] = key_of(c.colour[r], f->channels);
        without[most] = key_of(v->w, f->channels);
        colours rest;
        all_but(&rest, f, without, most + v->flat);
        if (f->colours && !rest.end) k->c.failed = WRONG;
        else
            colour = code_values(&k->c, &k->t, &k->a, &k->m, v, every, f->channels, f->number,
                                 &rest, colour);
        if (!k->c.decoding && colour != wanted) k->c.failed = WRONG;
    }
    credit(&k->t, &k->a, &s, colour);
    for (int i = 0; i < MEMORIES; i++) follow(told[i], colour);
    return colour;
}

/* Where the next colours may stand: on from W's place, below N's, or where the context stood. */
TARGET INLINE place find_place(chunk *k, const frame *f, int64_t x, const window *v,
                               uint32_t here) {
    place p = f->places[x];
    if (p.at) p.at++;
    else if (f->places[x + 1].at) {
        p = f->places[x + 1];
        p.at += p.stride;
    }
    if (p.at >= here) p.at = 0;
    if (!p.at && !v->flat) {
        const stood *s = standing(&k->m, v->contexts[0]);
        if (s->at && s->check == v->contexts[0]) p = (place){s->at, s->stride, 0};
    }
    if (!p.at) p.run = 0;
    return p;
}

TARGET INLINE void remember(place *own, place p, int right) {
    *own = (place){0, 0, 0};
    if (!p.at) return;
    if (right) *own = (place){p.at, p.stride, p.run < LONG_RUN ? p.run + 1 : p.run};
    else if (p.run >= FORGIVEN)
        *own = (place){p.at, p.stride, (uint32_t)lesser((int)p.run >> 3, 3)};
}

/* The colour at (x, y), coded; a decoder is told none. */
TARGET INLINE uint32_t code_pixel(chunk *k, const frame *f, int64_t x, uint32_t *at, window *v,
                                  uint32_t colour) {
    uint32_t here = (uint32_t)(at - k->seen);
    place p = find_place(k, f, x, v, here);
    uint32_t there = p.at ? k->seen[p.at] : 0;
    int ahead = at[3 - f->stride] == v->w;
    if (v->flat && goes_on(k, v, &p, there, ahead, f->channels, colour == v->w)) {
        colour = v->w;
    } else {
        if (v->flat) recall(k, v);
        colour = code_colour(k, v, &p, there, f, at, colour);
        stand(&k->m, v->contexts[0], here, f->stride);
    }
    remember(&f->places[x + 1], p, there == colour);
    return colour;
}

TARGET INLINE uint32_t packed(const uint8_t *pixel, int channels) {
    uint32_t colour = 0;
    for (int k = 0; k < channels; k++) colour |= (uint32_t)pixel[k] << (8 * k);
    return colour;
}

TARGET INLINE void rows(chunk *k, frame *f, uint8_t *pixels, int64_t height) {
    uint32_t *row = k->seen + k->used + MARGIN;
    row += 2 * f->stride; /* two rows stay 0 */
    for (int64_t y = 0; y < height && !k->c.failed; y++, row += f->stride) {
        for (int i = 1; i <= MARGIN; i++) row[-i] = row[-f->stride];
        window both[2]; /* of this pixel and of the next one, in turn */
        foresee(both, k, f, row);
        for (int64_t x = 0; x < f->width && !k->c.failed; x++) {
            uint8_t *pixel = pixels + (y * f->width + x) * f->channels;
            uint32_t known = k->c.decoding ? 0 : packed(pixel, f->channels);
            if (!k->c.decoding) { /* what is behind a pixel comes nearer while that is coded */
                row[x] = known;
                foresee(both + !(x & 1), k, f, row + x + 1);
            }
            uint32_t colour = row[x] = code_pixel(k, f, x, row + x, both + (x & 1), known);
            if (k->c.decoding) foresee(both + !(x & 1), k, f, row + x + 1);
            for (int c = 0; c < f->channels && k->c.decoding; c++)
                pixel[c] = (uint8_t)channel(colour, c);
        }
        for (int i = 0; i < MARGIN; i++) row[f->width + i] = row[f->width - 1];
    }
    k->used += (height + 2) * f->stride;
}
