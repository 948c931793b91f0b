/* LZW as GIF and TIFF have it: codes of 3 to 12 bits, and what a greedy encoder would not do.
 *
 * Entries of the table are strings that occurred: where in the data, and how long. Its children,
 * (code, next byte) -> code, are in a hash table, of equal strings the first.
 */
#include "packings.h"

enum { CODES = 4096, WIDEST = 12, SLOTS = 1 << 14 };

typedef struct {
    int tiff, clear, least; /* high bits first, and codes grow one entry early; first free code */
    int width, next; /* bits of the next code; the next free entry */
    int64_t place[CODES]; /* of a string in the data */
    uint16_t length[CODES]; /* of it; 0 for one that equals an earlier string */
    uint32_t key[SLOTS]; /* 1 + (code << 8 | byte), 0 where free */
    uint16_t child[SLOTS];
} table;

static void reset(table *t) {
    t->width = t->least + 1;
    t->next = t->clear + 2;
    memset(t->key, 0, sizeof t->key);
}

static table *start(int tiff, int least) {
    table *t = malloc(sizeof *t);
    if (t) {
        t->tiff = tiff;
        t->least = least;
        t->clear = 1 << least;
        reset(t);
    }
    return t;
}

static uint32_t slot_of(const table *t, int code, int byte) {
    uint32_t key = 1 + ((uint32_t)code << 8 | (uint32_t)byte);
    uint32_t slot = key * 2654435761u >> 18;
    while (t->key[slot] && t->key[slot] != key) {
        slot = (slot + 1) % SLOTS;
    }
    return slot;
}

/* The code of a string and a byte behind it, or -1. */
static int child_of(const table *t, int code, int byte) {
    uint32_t slot = slot_of(t, code, byte);
    return t->key[slot] ? t->child[slot] : -1;
}

/* Add the string of a code and the byte behind it, as every decoder does. */
static void add(table *t, int code, int byte) {
    uint32_t slot = slot_of(t, code, byte);
    if (!t->key[slot]) {
        t->key[slot] = 1 + ((uint32_t)code << 8 | (uint32_t)byte);
        t->child[slot] = (uint16_t)t->next;
    }
    t->next++;
    if (t->next + t->tiff == 1 << t->width && t->width < WIDEST) {
        t->width++;
    }
}

static int get_at(const uint8_t *source, int64_t length, int64_t bit, const table *t, int width) {
    uint32_t value = 0;
    for (int k = 0; k < 3; k++) {
        int64_t at = (bit >> 3) + k;
        uint32_t byte = at < length ? source[at] : 0;
        value |= t->tiff ? byte << (16 - 8 * k) : byte << 8 * k;
    }
    int before = (int)(bit & 7);
    value >>= t->tiff ? 24 - before - width : before;
    return (int)(value & ((1u << width) - 1));
}

/* Codes whose strings could have been longer: how many others came before each, and its length. */
typedef struct {
    int32_t *odds;
    int64_t room, odd, usual;
} notes;

static void note(notes *n, int is_odd, int length) {
    if (!is_odd) {
        n->usual++;
        return;
    }
    if (n->odd < n->room) {
        n->odds[2 * n->odd] = (int32_t)n->usual;
        n->odds[2 * n->odd + 1] = length;
    }
    n->odd++;
    n->usual = 0;
}

/* Of source, decode size bytes into data. A code that comes when `since` others came since the last
 * clear code, or the start, is a clear code: clears gets these. A code whose string could have been
 * longer is odd: odds gets how many came since the odd one before, and its length. found: bits
 * read, clears, odds, the longest string, bits of the next code. More than room of either, or what
 * no decoder takes, or no encoder here would give, is damage.
 */
EXPORT int64_t bitswap_lzw_read(const uint8_t *source, int64_t length, int64_t tiff, int64_t least,
                                uint8_t *data, int64_t size, int32_t *clears, int32_t *odds,
                                int64_t room, int64_t *found) {
    table *t = start((int)tiff, (int)least);
    if (!t) {
        return NO_MEMORY;
    }
    notes n = {odds, room, 0, 0};
    int64_t bit = 0, done = 0, cleared = 0, since = 0, longest = 1;
    int64_t result = DAMAGED, before = 0; /* where the string of the previous code lies */
    int previous = -1, previous_length = 0;
    while (done < size) {
        if (bit + t->width > 8 * length) {
            goto end;
        }
        int code = get_at(source, length, bit, t, t->width);
        bit += t->width;
        if (code == t->clear) {
            int peeked = get_at(source, length, bit, t, t->least + 1);
            if (cleared == room || (previous >= 0 && peeked >= t->clear)) {
                goto end;
            }
            if (previous >= 0) {
                note(&n, child_of(t, previous, peeked) >= 0, previous_length);
            }
            clears[cleared++] = (int32_t)since;
            since = 0;
            previous = -1;
            reset(t);
            continue;
        }
        int64_t span = 1, from = done;
        if (code == t->clear + 1 || code > t->next || (previous < 0 && code > t->clear)) {
            goto end;
        }
        if (code > t->clear) {
            span = code < t->next ? t->length[code] : previous_length + 1;
            from = code < t->next ? t->place[code] : before;
        }
        if (!span || span > size - done) {
            goto end;
        }
        int first = code < t->clear ? code : data[from];
        if (previous >= 0) {
            int is_odd = child_of(t, previous, first) >= 0;
            note(&n, is_odd, previous_length);
            if (is_odd && code == t->next) {
                goto end;
            }
            if (t->next < CODES) {
                t->place[t->next] = before;
                t->length[t->next] = is_odd ? 0 : (uint16_t)(previous_length + 1);
                add(t, previous, first);
            }
        }
        data[done] = (uint8_t)first;
        for (int64_t k = 1; k < span; k++) {
            data[done + k] = data[from + k];
        }
        before = done;
        done += span;
        previous = code;
        previous_length = (int)span;
        longest = span > longest ? span : longest;
        since++;
    }
    if (longest == 1 || n.odd <= room) {
        found[0] = bit;
        found[1] = cleared;
        found[2] = longest == 1 ? 0 : n.odd;
        found[3] = longest;
        found[4] = t->width;
        result = 0;
    }
end:
    free(t);
    return result;
}

typedef struct {
    uint8_t *out;
    int64_t room, bit;
} writer;

static int put(writer *w, const table *t, int code, int width) {
    if (w->bit + width > 8 * w->room) {
        return 0;
    }
    int64_t at = w->bit >> 3;
    int before = (int)(w->bit & 7);
    uint32_t value = (uint32_t)code << (t->tiff ? 24 - before - width : before);
    for (int k = 0; k < 3 && at + k < w->room; k++) {
        w->out[at + k] |= (uint8_t)(t->tiff ? value >> (16 - 8 * k) : value >> 8 * k);
    }
    w->bit += width;
    return 1;
}

/* Invert bitswap_lzw_read, with strings of at most `longest`: out has room zeros. found: bits
 * written, bits of the next code.
 */
EXPORT int64_t bitswap_lzw_write(const uint8_t *data, int64_t size, int64_t tiff, int64_t least,
                                 const int32_t *clears, int64_t cleared, const int32_t *odds,
                                 int64_t odd, int64_t longest, uint8_t *out, int64_t room,
                                 int64_t *found) {
    table *t = start((int)tiff, (int)least);
    if (!t) {
        return NO_MEMORY;
    }
    writer w = {out, room, 0};
    int64_t at = 0, since = 0, usual = 0, result = DAMAGED;
    int previous = -1;
    while (at < size) {
        for (; cleared && *clears == since; clears++, cleared--) {
            if (!put(&w, t, t->clear, t->width)) {
                goto end;
            }
            since = 0;
            previous = -1;
            reset(t);
        }
        int code = data[at], width = t->width;
        if (code >= t->clear) {
            goto end;
        }
        if (previous >= 0 && t->next < CODES) {
            add(t, previous, code);
        }
        int is_odd = odd && odds[0] == usual;
        int64_t span = 1, most = is_odd ? odds[1] : longest;
        most = most < size - at ? most : size - at;
        for (int next; span < most && (next = child_of(t, code, data[at + span])) >= 0; span++) {
            code = next;
        }
        if ((is_odd && span != odds[1]) || !put(&w, t, code, width)) {
            goto end;
        }
        odds += is_odd ? 2 : 0;
        odd -= is_odd;
        usual = is_odd ? 0 : usual + 1;
        previous = code;
        at += span;
        since++;
    }
    if (!cleared && !odd) {
        found[0] = w.bit;
        found[1] = t->width;
        result = 0;
    }
end:
    free(t);
    return result;
}
