/* What was seen before in a chunk: which colours followed a context, and where. */
#ifndef BITSWAP_DRAWN_MEMORY_H
#define BITSWAP_DRAWN_MEMORY_H

#include <stddef.h>

#include "chunk.h"
#include "mixing.h"

/* Keep what stands where a table is about to change. */
TARGET INLINE void note(memory *m, const void *at) {
    if (m->changed == m->most) return;
    change *own = m->changes + m->changed++;
    own->at = (uint32_t)((const char *)at - (const char *)m->buckets);
    memcpy(own->was, at, CHANGED);
}

TARGET INLINE followed *entry_at(const memory *m, int k, uint32_t key) {
    return m->followed + ((size_t)k << m->bits) + (key >> (32 - m->bits));
}

/* The entry of table k with a key, emptied if it was another one's: without a branch, as in much of
 * what follows, where none could be foreseen. */
TARGET INLINE followed *entry(memory *m, int k, uint32_t key) {
    const uint32_t check = key | 1;
    followed *found = entry_at(m, k, key);
    followed *other = m->followed + ((size_t)(found - m->followed) ^ m->beside);
    const int its = other->check == check, less = other->run < found->run;
    found = (found->check != check) & (its | less) ? other : found;
    note(m, found);
    uint32_t kept = found->check == check ? UINT32_MAX : 0;
    found->check = check;
    found->colour[0] &= kept, found->colour[1] &= kept;
    found->run &= (uint16_t)kept, found->second &= (uint16_t)kept;
    return found;
}

TARGET INLINE void follow(followed *f, uint32_t colour) {
    const int last = (f->run > 0) & (f->colour[0] == colour);
    const int again = (f->second > 0) & (f->colour[1] == colour);
    int second = again ? lesser(f->second + 1, 3) : f->run > 0;
    f->second = (uint16_t)(last ? f->second : second);
    f->colour[1] = last ? f->colour[1] : f->colour[0];
    f->colour[0] = colour;
    f->run = (uint16_t)(last ? lesser(f->run + 1, 255) : 1);
}

TARGET INLINE stood *standing(const memory *m, uint32_t context) {
    return m->stood + (context >> (32 - m->bits));
}

TARGET INLINE void stand(memory *m, uint32_t context, uint32_t here, int64_t stride) {
    stood *found = standing(m, context);
    note(m, found);
    *found = (stood){here, (uint32_t)stride, context};
}

/* The place for a check where its `own` has another: the one beside that, if it has the check or
 * its first slot was used less, else its own. */
TARGET INLINE uint16_t *taken(uint16_t *own, uint16_t *other, uint16_t check) {
    const int its = other[0] == check, less = (other[1] & 15) < (own[1] & 15);
    return own + ((other - own) & -(ptrdiff_t)(its | less));
}

TARGET INLINE uint16_t *bucket_at(const memory *m, uint32_t h) {
    return m->buckets + (size_t)(h >> (30 - m->bits)) * BUCKET;
}

TARGET INLINE uint16_t *bucket(memory *m, uint32_t h) {
    const uint16_t check = (uint16_t)(h | 1);
    const size_t at = h >> (30 - m->bits);
    uint16_t *b = m->buckets + at * BUCKET;
    uint16_t *other = taken(b, m->buckets + (at ^ m->beside) * BUCKET, check);
    b += (other - b) & -(ptrdiff_t)(b[0] != check);
    note(m, b);
    if (b[0] != check) {
        b[0] = check;
        for (int i = 1; i < BUCKET; i++) b[i] = FRESH;
    }
    return b;
}

TARGET INLINE uint16_t *slot_at(const memory *m, uint32_t h) {
    return m->slots + (size_t)(h >> (30 - m->bits)) * 2;
}

TARGET INLINE uint16_t *slot(memory *m, uint32_t h) {
    const uint16_t check = (uint16_t)(h | 1);
    const size_t at = h >> (30 - m->bits);
    uint16_t *s = m->slots + at * 2;
    if (s[0] != check) s = taken(s, m->slots + (at ^ m->beside) * 2, check);
    note(m, s);
    s[1] = s[0] == check ? s[1] : FRESH;
    s[0] = check;
    return s + 1;
}

#endif
