/* Tokens by what they cost more than the cheapest way: whoever chose them with care, by whatever
 * search, chose the cheapest ones or nearly so, at prices near what the block's code says.
 *
 * Both sides know the data and, of each block, where it ends and its code lengths, which are told
 * first; so both know all matches, and the least cost from each position to the block's end. At
 * each position the tokens in the order of their excess are asked for, until one is right.
 */
#include "costs.h"

enum { LEAST = 1 << 12 }; /* tokens before which nobody gives up because of what they take */
enum { GLANCE = 1 << 14 };  /* bytes of which the tokens are looked at before */

/* ---- tokens ---- */

/* Code a token that none of the candidates is. */
static uint32_t tell_other(teller *t, int64_t p, uint32_t token) {
    if (decide(&t->c, &t->c.all.escaped_literal, !token)) return 0;
    int length = MIN_MATCH + (int)plain_bits(&t->c, 8, (token >> 16) - MIN_MATCH);
    int64_t distance = 1 + plain_bits(&t->c, 15, (token & 0xFFFF) - 1);
    const uint8_t *at = t->f.data + p;
    if (length > most_at(t, p) || distance > p || memcmp(at, at - distance, (size_t)length)) {
        t->c.failed = DAMAGED;
        return 0;
    }
    return match_of(length, distance);
}

/* What is kept of a candidate that was asked for: its gap, and whether it was the last, above. */
enum { GAP_SHIFT = 28, LAST_SHIFT = 27, TOKEN = (1 << LAST_SHIFT) - 1 };

static void keep(memory *m, uint32_t value) {
    if (m->count < m->room) m->values[m->count++] = value;
    else m->room = -1;
}

static uint32_t recall(teller *t) {
    memory *m = &t->seen;
    if (m->at < m->count) return m->values[m->at++];
    t->c.failed = DAMAGED;
    return 1u << LAST_SHIFT;
}

INLINE uint32_t *counter_of(teller *t, int tried, int64_t gap) {
    return &t->c.all.candidates[tried < 3 ? tried : 3][gap];
}

static uint32_t hear_again(teller *t, int64_t p) {
    for (int tried = 0;; tried++) {
        uint32_t seen = recall(t);
        if (decide(&t->c, counter_of(t, tried, seen >> GAP_SHIFT), 0)) return seen & TOKEN;
        if (seen >> LAST_SHIFT & 1) return tell_other(t, p, 0);
    }
}

static uint32_t tell_token(teller *t, int64_t p, uint32_t token) {
    if (t->again) return hear_again(t, p);
    int count = find_keys(t, p);
    int64_t key = next_key(t, count, NONE);
    for (int tried = 0; tried < TRIES && key != NONE; tried++) {
        int64_t other = next_key(t, count, key);
        int64_t gap = other == NONE ? GAPS - 1 : (other >> KEY_BITS) - (key >> KEY_BITS);
        if (other != NONE && gap > GAPS - 2) gap = GAPS - 2;
        uint32_t found = token_of(t, p, key), last = other == NONE || tried == TRIES - 1;
        keep(&t->seen, found | (uint32_t)gap << GAP_SHIFT | last << LAST_SHIFT);
        if (decide(&t->c, counter_of(t, tried, gap), found == token)) return found;
        key = other;
    }
    return tell_other(t, p, token);
}

/* Whether an encoder had better give up: it takes so much that in the end it will hardly take two
 * thirds of its room. */
static int hopeless(const teller *t) {
    if (t->c.decoding || t->done < LEAST) return 0;
    return t->c.cost / 128 > t->room / 3 * 2 * (4 * t->done + t->all) / (4 * t->all);
}

/* Code the tokens of a block from f.start to its end, whose first stretch has been searched, at
 * known prices; returns how many, less than 0 if that fails. */
static int64_t tell_tokens(teller *t, uint32_t *tokens) {
    int64_t count = 0, p = t->f.start;
    while (!t->c.failed) {
        if (!t->again) find_costs(t);
        while (p < t->end && !t->c.failed) {
            tokens[count] = tell_token(t, p, tokens[count]);
            p += span(tokens[count++]);
            t->done++;
            if (hopeless(t)) t->c.failed = TOO_LARGE;
        }
        if (p >= t->block_end) break;
        t->end = t->block_end - p < STRETCH ? t->block_end : p + STRETCH;
        if (!find_matches(&t->f, p, t->end)) t->c.failed = NO_MEMORY;
    }
    return count;
}

/* ---- blocks ---- */

static int tell_pad(coder *c, int pad) {
    return decide(c, &c->all.padded, pad != 0) ? (int)plain_bits(c, 7, (uint32_t)pad) : 0;
}

/* Bytes that a block stands for. */
static int64_t bytes_of(const int32_t *block, const uint32_t *tokens) {
    if (block[0] == STORED) return block[1];
    int64_t bytes = 0;
    for (int64_t i = 0; i < block[1]; i++) bytes += span(tokens[i]);
    return bytes;
}

static uint8_t *keep_head(const head *h, uint8_t *at) {
    *at++ = (uint8_t)(h->literals - 257);
    *at++ = (uint8_t)(h->distances - 1);
    *at++ = (uint8_t)(h->sent - 4);
    for (int i = 0; i < h->sent; i++) *at++ = h->codes[code_order[i]];
    for (int i = 0; i < h->operations; i++) {
        *at++ = h->symbols[i];
        if (h->symbols[i] >= COPY) *at++ = h->repeats[i];
    }
    return at;
}

/* The code lengths of both alphabets in full. */
static void spread(const head *h, uint8_t *lengths) {
    memset(lengths, 0, LITERALS + DISTANCES);
    memcpy(lengths, h->lengths, (size_t)h->literals);
    memcpy(lengths + LITERALS, h->lengths + h->literals, (size_t)h->distances);
}

/* Keep counts that were foreseen, or recall them. */
static void remember(teller *t, uint32_t *counts, int symbols) {
    for (int i = 0; i < symbols; i++) {
        if (t->again) counts[i] = recall(t);
        else keep(&t->seen, counts[i]);
    }
}

/* Whether an encoder had better not begin: so many of the first tokens, in a block at p, are not
 * the cheapest, by the code lengths that it has, that a byte for each would not leave room. */
static int is_careless(teller *t, int64_t p, const uint32_t *tokens, const uint8_t *lengths) {
    int64_t count = 0, dear = 0;
    t->end = t->block_end - p < GLANCE ? t->block_end : p + GLANCE;
    if (!find_matches(&t->f, p, t->end)) {
        t->c.failed = NO_MEMORY;
        return 0;
    }
    price_by_lengths(&t->price, lengths);
    find_costs(t);
    for (; p < t->end; p += span(tokens[count++])) dear += !is_cheapest(t, p, tokens[count]);
    return dear * t->all > t->room * count;
}

static void fixed_lengths(uint8_t *lengths) {
    for (int i = 0; i < LITERALS; i++) lengths[i] = (uint8_t)fixed_length(i);
    memset(lengths + LITERALS, 5, DISTANCES);
}

/* Code one block at p, whose kind and size `block` has, or gets; returns where it ends. */
static int64_t tell_block(teller *t, int64_t p, int32_t *block, int last, uint32_t *tokens,
                          head *h) {
    coder *c = &t->c;
    int stored = decide(c, &c->all.stored, block[0] == STORED);
    int kind = stored ? STORED : decide(c, &c->all.fixed, block[0] == FIXED) ? FIXED : DYNAMIC;
    int64_t bytes = c->decoding ? 0 : bytes_of(block, tokens);
    bytes = last ? t->f.size - p : number(c, bytes);
    if (c->failed || bytes > t->f.size - p || (stored && bytes > 65535)) {
        c->failed = c->failed ? c->failed : DAMAGED;
        return p;
    }
    block[0] = kind, t->block_end = p + bytes;
    if (stored) {
        block[1] = (int32_t)bytes, block[2] = tell_pad(c, block[2]);
        return t->block_end;
    }
    uint8_t lengths[LITERALS + DISTANCES];
    fixed_lengths(lengths);
    if (!c->decoding && !t->done && bytes) {
        if (kind == DYNAMIC) spread(h, lengths);
        if (is_careless(t, p, tokens, lengths)) c->failed = TOO_LARGE;
    }
    t->end = bytes < STRETCH || t->again ? t->block_end : p + STRETCH;
    if (t->again) t->f.start = p;
    else if (!c->failed && !find_matches(&t->f, p, t->end)) c->failed = NO_MEMORY;
    if (c->failed) return p;
    if (kind == DYNAMIC) {
        tally likely;
        if (!t->again) foresee(t, &likely);
        remember(t, likely.literals, LITERALS);
        remember(t, likely.distances, DISTANCES);
        tell_head(c, h, &likely);
        if (c->failed) return p;
        spread(h, lengths);
    }
    price_by_lengths(&t->price, lengths);
    int64_t count = tell_tokens(t, tokens);
    if (!c->failed) block[1] = (int32_t)count, block[2] = 0; /* else what is told stays as it was */
    return t->block_end;
}

typedef struct {
    uint32_t *tokens;
    int32_t *blocks;
    int64_t rows;
    uint8_t *heads;
    int64_t pad;
} stream;

/* Code all blocks; what a decoder finds, `found` tells: tokens, blocks, bytes of heads, pad. */
static void tell_stream(teller *t, stream s, int64_t *found) {
    coder *c = &t->c;
    uint8_t *heads = s.heads;
    int64_t p = 0, row = 0, count = 0;
    for (int last = 0; !last && !c->failed; row++) {
        if (row == s.rows) {
            c->failed = DAMAGED;
            return;
        }
        int32_t *block = s.blocks + 3 * row;
        head h;
        if (!c->decoding && block[0] == DYNAMIC) heads += parse_head(&h, heads) - heads;
        last = decide(c, &c->all.last, row == s.rows - 1);
        p = tell_block(t, p, block, last, s.tokens + count, &h);
        if (c->failed) return;
        if (block[0] != STORED) count += block[1];
        if (c->decoding && block[0] == DYNAMIC) heads = keep_head(&h, heads);
    }
    found[0] = count, found[1] = row, found[2] = heads - s.heads;
    found[3] = tell_pad(c, (int)s.pad);
}

static teller *open_teller(const uint8_t *data, int64_t size, const uint8_t *from, int64_t length) {
    teller *t = malloc(sizeof *t);
    if (!t) return NULL;
    begin_coder(&t->c, from, length);
    begin_finder(&t->f, data, size);
    t->room = t->all = t->done = 0;
    t->seen = (memory){NULL, 0, 0, 0};
    t->again = 0;
    return t;
}

static void close_teller(teller *t) {
    free(t->c.pending);
    free(t->f.found);
    free(t);
}

/* Tell a stream, unless it seems to take more than `room`; returns how many bytes it takes, more
 * than `most` if they have no place, or an error. Nothing that is told changes. What was seen is
 * kept in `seen`, where there is place for `*count` values, and its number there; or 0, if that is
 * too little. */
EXPORT int64_t bitswap_tell(const uint8_t *data, int64_t size, uint32_t *tokens, int32_t *blocks,
                            int64_t rows, uint8_t *heads, int64_t pad, int64_t room, uint8_t *out,
                            int64_t most, uint32_t *seen, int64_t *count) {
    teller *t = open_teller(data, size, NULL, 0);
    if (!t) return NO_MEMORY;
    int64_t found[4];
    t->room = room;
    t->seen = (memory){seen, 0, *count, 0};
    for (int64_t row = 0; row < rows; row++)
        if (blocks[3 * row] != STORED) t->all += blocks[3 * row + 1];
    tell_stream(t, (stream){tokens, blocks, rows, heads, pad}, found);
    int64_t length = finish_coder(&t->c, out, most);
    *count = t->seen.room < 0 ? 0 : t->seen.count;
    close_teller(t);
    return length;
}

/* Hear what was told, of at most so many blocks; `found` gets how many tokens, blocks, bytes of
 * heads there are, and the padding bits at the end. Where `count` is not 0, as much was seen while
 * it was told, and is taken as it is. Returns 0 or an error. */
EXPORT int64_t bitswap_hear(const uint8_t *data, int64_t size, const uint8_t *told, int64_t length,
                            uint32_t *tokens, int32_t *blocks, int64_t rows, uint8_t *heads,
                            int64_t *found, uint32_t *seen, int64_t count) {
    teller *t = open_teller(data, size, told, length);
    if (!t) return NO_MEMORY;
    t->seen = (memory){seen, count, count, 0};
    t->again = count > 0;
    tell_stream(t, (stream){tokens, blocks, rows, heads, 0}, found);
    int64_t result = t->c.failed ? t->c.failed : complete(&t->c) ? 0 : DAMAGED;
    close_teller(t);
    return result;
}
