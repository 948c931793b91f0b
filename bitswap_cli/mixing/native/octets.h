/* Bytes, bit by bit; a set of instructions includes this with TARGET, the attribute of its
 * functions. reference.py is the definition. */
#include "decisions.h"
#include "mixing.h"
#include "state.h"

/* What was seen so far: the last eight bytes, the last three words, where the last two lines begin,
 * with which bytes this one does, and what stood there when the same bytes came before. */
typedef struct {
    uint32_t near, far;
    uint32_t word, previous, before;
    int64_t line, above;
    uint32_t first;
    int64_t at;
    int length, expected;
    int32_t text; /* how much of the last bytes is text, of TEXT */
    /* How long records are, 0 if nothing tells; what is likely to be, and how sure that is. */
    int32_t record, candidate, sure;
    int32_t last[256], gaps[256]; /* where each byte stood last, and how far behind another */
} history;

TARGET INLINE uint32_t *place_of(const octets *o, const history *h) {
    return o->places + (hash(h->near, hash(h->far & 0xffff, 13)) >> (30 - o->s.bits));
}

/* Look for the same bytes before, unless what was found goes on. */
TARGET INLINE void look(const octets *o, history *h, int64_t i) {
    uint32_t *place = place_of(o, h);
    const uint8_t *data = o->data;
    if (!h->length) {
        h->at = *place;
        const int64_t most = h->at < MOST_MATCH ? h->at : MOST_MATCH;
        while (h->length < most && data[h->at - 1 - h->length] == data[i - 1 - h->length])
            h->length++;
        if (h->length < LEAST_MATCH) h->length = 0;
    }
    *place = (uint32_t)i;
    h->expected = h->length ? data[h->at] | 256 : 0;
}

TARGET INLINE void contexts(const octets *o, const history *h, int64_t i, uint32_t *keys) {
    const uint32_t last = h->near & 0xff, two = h->near & 0xffff;
    const int64_t column = i - h->line;
    const uint32_t above = h->above + column < h->line ? o->data[h->above + column] : '\n';
    const uint32_t matched = (uint32_t)lesser(h->length, 15);
    keys[0] = hash(last, 0);
    keys[1] = hash(two, 1);
    keys[2] = hash(h->near & 0xffffff, 2);
    keys[3] = hash(h->near, 3);
    keys[4] = hash(h->near, hash(h->far & 0xff, 4));
    keys[5] = hash(h->near, hash(h->far & 0xffff, 5));
    keys[6] = hash(h->word, hash(last, 6));
    keys[7] = hash(h->word, hash(h->previous, 7));
    keys[8] = hash(above, hash(last, hash((uint32_t)(column < 255 ? column : 255), 8)));
    keys[9] = hash((uint32_t)h->expected, hash(last, hash(matched, 9)));
    keys[10] = hash(h->near & 0xff00ff00, 10);
    keys[11] = hash(above, hash(two, 11));
    keys[12] = hash(h->near & 0x00ffff00, 12);
    keys[13] = hash(h->near & 0xffff0000, 13);
}

/* Contexts that are others where bytes look like text, or like records. */
TARGET INLINE void apt_contexts(const octets *o, const history *h, int64_t i, uint32_t *keys) {
    const int32_t record = h->record;
    if (h->text >= LIKE_TEXT) {
        keys[10] = hash(h->word, hash(h->before, 14));
        keys[12] = hash(h->word, hash(h->first, 15));
        keys[13] = hash(h->word, hash(h->previous, hash(h->before, 16)));
    } else if (record && i > 2 * record) {
        const uint8_t *up = o->data + i - record;
        const uint32_t last = h->near & 0xff, more = (up[-1] - last) & 0xff;
        keys[6] = hash(*up, hash(up[-record], 17));
        keys[7] = hash(*up, hash(last, hash(more, 18)));
        keys[8] = hash(*up, hash((uint32_t)(i % record), 19));
        keys[11] = hash(*up, hash(up[1], 20));
    }
}

TARGET INLINE uint16_t *bucket_of(const octets *o, int k, uint32_t key) {
    return o->buckets + (((size_t)k << o->s.bits) + (key >> (32 - o->s.bits))) * BUCKET;
}

/* The bucket of another context, or the one beside it in its line of a cache: that of a check, else
 * the one whose first slot was used less, else `own`. */
TARGET INLINE uint16_t *taken(const octets *o, uint16_t *own, uint16_t check) {
    uint16_t *other = o->buckets + ((size_t)(own - o->buckets) ^ (o->s.ways == 2 ? BUCKET : 0));
    const int its = other[0] == check, less = (other[1] & 15) < (own[1] & 15);
    return its | less ? other : own;
}

/* The buckets of all contexts, emptied where they were those of others. */
TARGET INLINE void find(const octets *o, const uint32_t *keys, uint16_t **buckets) {
    for (int k = 0; k < o->s.contexts; k++) COMING(bucket_of(o, k, keys[k]));
    for (int k = 0; k < o->s.contexts; k++) {
        const uint16_t check = (uint16_t)(keys[k] | 1);
        uint16_t *b = bucket_of(o, k, keys[k]);
        if (b[0] != check) b = taken(o, b, check);
        buckets[k] = b;
        if (b[0] == check) continue;
        b[0] = check;
        for (int i = 1; i < BUCKET; i++) b[i] = FRESH;
    }
}

TARGET INLINE int class_of(int length) {
    if (length < 16) return length;
    if (length < 32) return 12 + (length >> 2);
    return length < 64 ? 16 + (length >> 3) : 23 + (length >> 6);
}

/* Code a bit of a byte of which `partial` is known, behind a leading 1. */
TARGET INLINE int code_bit(octets *o, coder *c, history *h, uint16_t **buckets, int partial,
                           int shift, int bit) {
    decision d;
    d.t = &o->t;
    begin(&d);
    d.limit = (uint32_t)o->s.limit, d.apart = 1; /* each context has buckets of its own */
    const int node = shift > 3 ? partial : 1 << (3 - shift) | (partial & ((1 << (3 - shift)) - 1));
    int known = 0;
    for (int k = 0; k < o->s.contexts; k++) {
        known += (buckets[k][node] & 15) != 0;
        see_slot(&d, buckets[k] + node, o->a.slots + k * STATES);
    }
    see(&d, o->a.partial + partial);
    const int matches = h->length && (h->expected >> (shift + 1)) == partial;
    const int guess = h->expected >> shift & 1, length = matches ? class_of(h->length) : 0;
    uint32_t *counter = o->a.matched + length;
    const int32_t p = chance(*counter), sign = matches ? 2 * guess - 1 : 0;
    d.inputs[d.n++] = (int16_t)(sign * d.t->logit[p]);
    d.inputs[d.n++] = (int16_t)(sign * ((p - 32768) >> 5));
    const uint32_t last = h->near & 0xff;
    d.sets[d.chosen++] = o->a.by_match + ((length + 1) / 2 * 16 + known) * INPUTS;
    d.sets[d.chosen++] = o->a.by_partial + partial * INPUTS;
    d.sets[d.chosen++] = o->a.by_last + last * INPUTS;
    const uint32_t step = hash(h->near & 0xffff, (uint32_t)partial) >> (32 - STEP_BITS);
    int32_t one = mix(&d, o->a.sets + matches * MOST_SETS, o->a.steps + step * STEPS);
    if (o->s.refined) {
        const uint32_t place = hash(last, (uint32_t)partial) >> (32 - BYTE_BITS);
        one = clip((one + refine(&d, o->a.by_byte + place * STEPS)) >> 1, 1, 65535);
    }
    bit = code(c, one, bit);
    learn(&d, bit, o->s.rate);
    if (matches) {
        count(d.t, counter, bit == guess, COUNTER_LIMIT);
        if (bit != guess) h->length = 0;
    }
    return bit;
}

/* Let the history know whether a byte is text, and what it tells of records: equal bytes that lie
 * equally far from each other. */
TARGET INLINE void liken(history *h, int byte, int32_t i) {
    const int is_text = (byte >= 32 && byte < 127) || byte == '\n' || byte == '\t';
    const int32_t gap = i - h->last[byte];
    h->text += ((is_text ? TEXT : 0) - h->text) >> 6;
    if (gap > 1 && gap == h->gaps[byte] && gap <= LONGEST_RECORD) {
        if (gap == h->candidate) h->sure++;
        else if (h->sure) h->sure--;
        else h->candidate = gap;
        if (h->sure > SURE) h->record = h->candidate, h->sure = SURE - 2;
    }
    h->gaps[byte] = gap, h->last[byte] = i;
}

/* Let the history know a byte. */
TARGET INLINE void remember(history *h, int byte, int64_t i) {
    h->far = h->far << 8 | h->near >> 24;
    h->near = h->near << 8 | (uint32_t)byte;
    const int lower = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
    if ((lower >= 'a' && lower <= 'z') || byte >= 128) {
        h->word = hash(h->word, (uint32_t)lower + 1);
    } else if (h->word) {
        h->before = h->previous, h->previous = h->word, h->word = 0;
    }
    if (byte == '\n') h->above = h->line, h->line = i + 1, h->first = 0;
    else if (i - h->line < 3) h->first = h->first << 8 | (uint32_t)byte;
    if (h->length) h->at++, h->length = lesser(h->length + 1, MOST_MATCH);
}

/* Code all bytes, or find them. */
TARGET INLINE void code_octets(octets *o, coder *c) {
    history h = {.text = TEXT};
    for (int64_t i = 0; i < o->size && !c->failed; i++) {
        uint32_t keys[MOST_CONTEXTS];
        uint16_t *buckets[MOST_CONTEXTS];
        look(o, &h, i);
        contexts(o, &h, i, keys);
        if (o->s.apt) apt_contexts(o, &h, i, keys);
        find(o, keys, buckets);
        const int byte = c->decoding ? 0 : o->data[i];
        int partial = 1;
        for (int shift = 7; shift >= 0; shift--) {
            if (shift == 3) {
                for (int k = 0; k < o->s.contexts; k++) keys[k] = hash(keys[k], (uint32_t)partial);
                find(o, keys, buckets);
            }
            const int bit = code_bit(o, c, &h, buckets, partial, shift, byte >> shift & 1);
            partial = partial << 1 | bit;
        }
        o->data[i] = (uint8_t)partial;
        remember(&h, partial & 0xff, i);
        if (o->s.apt) liken(&h, partial & 0xff, (int32_t)i);
    }
}
