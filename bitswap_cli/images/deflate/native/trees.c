/* Huffman trees, the kind of a block and its head as zlib chooses them; and the writer of streams.
 *
 * zlib's trees depend on how ties are broken: a heap of nodes by frequency, then by depth, filled
 * in the order of the symbols; codes that are too long are shortened as in gen_bitlen.
 */
#include "trees.h"

enum { HEAP = 2 * LITERALS + 1 };
enum { OTHER_LENGTHS = 1, OTHER_OPERATIONS = 2, OTHER_CODES = 4 };

typedef struct {
    uint32_t freq[HEAP];
    int parent[HEAP], heap[HEAP + 1], count;
    uint8_t depth[HEAP], length[HEAP];
} tree;

INLINE int smaller(const tree *t, int a, int b) {
    return t->freq[a] < t->freq[b] || (t->freq[a] == t->freq[b] && t->depth[a] <= t->depth[b]);
}

static void sink(tree *t, int at) {
    int node = t->heap[at];
    for (int child = 2 * at; child <= t->count; child *= 2) {
        if (child < t->count && smaller(t, t->heap[child + 1], t->heap[child])) child++;
        if (smaller(t, node, t->heap[child])) break;
        t->heap[at] = t->heap[child];
        at = child;
    }
    t->heap[at] = node;
}

/* Code lengths of symbols 0..symbols-1 by their counts, at most `longest`; all but the used ones
 * are 0, but at least two codes exist. Returns one more than the last symbol with a code. */
static int build_lengths(const uint32_t *counts, int symbols, int longest, uint8_t *lengths) {
    tree t;
    int sorted[HEAP], placed = 0, top = -1, node = symbols;
    t.count = 0;
    memset(lengths, 0, (size_t)symbols);
    for (int i = 0; i < symbols; i++) {
        t.freq[i] = counts[i];
        t.depth[i] = 0;
        if (counts[i]) t.heap[++t.count] = top = i;
    }
    while (t.count < 2) {
        int forced = top < 2 ? ++top : 0;
        t.heap[++t.count] = forced;
        t.freq[forced] = 1;
    }
    for (int i = t.count / 2; i >= 1; i--) sink(&t, i);
    do {
        int least = t.heap[1];
        t.heap[1] = t.heap[t.count--];
        sink(&t, 1);
        int other = t.heap[1];
        sorted[placed++] = least;
        sorted[placed++] = other;
        t.freq[node] = t.freq[least] + t.freq[other];
        t.depth[node] =
            (uint8_t)((t.depth[least] > t.depth[other] ? t.depth[least] : t.depth[other]) + 1);
        t.parent[least] = t.parent[other] = node;
        t.heap[1] = node++;
        sink(&t, 1);
    } while (t.count >= 2);

    int per_length[LONGEST + 2] = {0}, overflow = 0;
    t.length[node - 1] = 0;
    for (int i = placed - 1; i >= 0; i--) { /* from the root down */
        int at = sorted[i], length = t.length[t.parent[at]] + 1;
        if (length > longest) {
            length = longest;
            overflow++;
        }
        t.length[at] = (uint8_t)length;
        if (at < symbols) {
            per_length[length]++;
            lengths[at] = (uint8_t)length;
        }
    }
    if (overflow) {
        for (; overflow > 0; overflow -= 2) {
            int length = longest - 1;
            while (!per_length[length]) length--;
            per_length[length]--;
            per_length[length + 1] += 2;
            per_length[longest]--;
        }
        int i = 0; /* leaves from the rarest on take the longest codes */
        for (int length = longest; length; length--) {
            for (int left = per_length[length]; left;) {
                int at = sorted[i++];
                if (at >= symbols) continue;
                lengths[at] = (uint8_t)length;
                left--;
            }
        }
    }
    return top + 1;
}

void operate(head *h, int symbol, int repeat) {
    h->symbols[h->operations] = (uint8_t)symbol;
    h->repeats[h->operations++] = (uint8_t)repeat;
}

/* Operations for the lengths of one alphabet, as zlib forms runs. */
static void form_runs(head *h, const uint8_t *lengths, int count) {
    int before = -1;
    for (int at = 0; at < count;) {
        int length = lengths[at], run = 1;
        int most = !length            ? 138
                   : length == before ? 6
                                      : 7,
            least = !length || length == before ? 3 : 4;
        while (run < most && at + run < count && lengths[at + run] == length) run++;
        at += run;
        if (run < least) {
            while (run--) operate(h, length, 0);
        } else if (length) {
            if (length != before) {
                operate(h, length, 0);
                run--;
            }
            operate(h, COPY, run - 3);
        } else {
            operate(h, run <= 10 ? ZEROS : MANY_ZEROS, run - (run <= 10 ? 3 : 11));
        }
        before = length;
    }
}

static void plan_runs(head *h, int64_t flags) {
    h->operations = 0;
    if (flags & SORTED) {
        form_runs_across(h);
        return;
    }
    form_runs(h, h->lengths, h->literals);
    form_runs(h, h->lengths + h->literals, h->distances);
}

static int lengths_of(const uint32_t *counts, int symbols, int longest, uint8_t *lengths,
                      int64_t flags) {
    if (flags & SORTED) return sorted_lengths(counts, symbols, longest, lengths);
    return build_lengths(counts, symbols, longest, lengths);
}

static void plan_codes(head *h, int64_t flags) {
    uint32_t counts[CODES] = {0};
    for (int i = 0; i < h->operations; i++) counts[h->symbols[i]]++;
    lengths_of(counts, CODES, LONGEST_CODE, h->codes, flags);
    for (h->sent = CODES; h->sent > 4 && !h->codes[code_order[h->sent - 1]];) h->sent--;
}

const uint8_t *count_tokens(tally *t, const uint8_t *data, const uint32_t *tokens, int64_t count) {
    memset(t, 0, sizeof *t);
    t->literals[END] = 1;
    for (int64_t i = 0; i < count; i++) {
        if (tokens[i]) {
            t->literals[257 + length_symbol(length_of(tokens[i]))]++;
            t->distances[distance_symbol((int)distance_of(tokens[i]))]++;
            data += length_of(tokens[i]);
        } else {
            t->literals[*data++]++;
        }
    }
    return data;
}

int fixed_length(int symbol) { return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8; }

void plan_head(head *h, const tally *t, int64_t flags) {
    uint8_t literals[LITERALS], distances[DISTANCES];
    int longest = flags & SORTED ? LONGEST_SORTED : LONGEST;
    h->literals = lengths_of(t->literals, LITERALS, longest, literals, flags);
    h->distances = lengths_of(t->distances, DISTANCES, LONGEST, distances, flags);
    memcpy(h->lengths, literals, (size_t)h->literals);
    memcpy(h->lengths + h->literals, distances, (size_t)h->distances);
    plan_runs(h, flags);
    plan_codes(h, flags);
}

static uint64_t extra_bits(const tally *t) {
    uint64_t extra = 0;
    for (int i = 0; i < 29; i++) extra += (uint64_t)t->literals[257 + i] * length_extra[i];
    for (int i = 0; i < DISTANCES; i++) extra += (uint64_t)t->distances[i] * distance_extra[i];
    return extra;
}

uint64_t dynamic_bits(const head *h, const tally *t) {
    uint64_t bits = 3 * (uint64_t)h->sent + 14 + extra_bits(t);
    for (int i = 0; i < h->literals; i++) bits += (uint64_t)t->literals[i] * h->lengths[i];
    for (int i = 0; i < h->distances; i++)
        bits += (uint64_t)t->distances[i] * h->lengths[h->literals + i];
    for (int i = 0; i < h->operations; i++) {
        int symbol = h->symbols[i];
        bits += h->codes[symbol];
        bits += symbol < COPY ? 0 : symbol == COPY ? 2 : symbol == ZEROS ? 3 : 7;
    }
    return bits;
}

static uint64_t fixed_bits(const tally *t) {
    uint64_t bits = extra_bits(t);
    for (int i = 0; i < LITERALS; i++) bits += (uint64_t)t->literals[i] * (uint64_t)fixed_length(i);
    for (int i = 0; i < DISTANCES; i++) bits += (uint64_t)t->distances[i] * 5;
    return bits;
}

/* Plan the head that would be sent; returns whether a fixed block would be instead. */
static int plan(head *h, const tally *t, int64_t flags) {
    plan_head(h, t, flags);
    uint64_t dynamic = dynamic_bits(h, t), fixed = fixed_bits(t);
    if (flags & SORTED) return fixed <= dynamic;
    return (flags & FIXED_ONLY) || (fixed + 10) >> 3 <= (dynamic + 10) >> 3;
}

/* ---- describing ---- */

const uint8_t *parse_head(head *h, const uint8_t *at) {
    h->literals = at[0] + 257;
    h->distances = at[1] + 1;
    h->sent = at[2] + 4;
    h->operations = 0;
    at += 3;
    memset(h->codes, 0, sizeof h->codes);
    for (int i = 0; i < h->sent; i++) h->codes[code_order[i]] = *at++;
    for (int i = 0; i < h->literals + h->distances;) {
        int symbol = *at++, repeat = symbol < COPY ? 0 : *at++;
        operate(h, symbol, repeat);
        int run = symbol < COPY ? 1 : repeat + (symbol == MANY_ZEROS ? 11 : 3);
        int length = symbol < COPY ? symbol : symbol == COPY ? h->lengths[i - 1] : 0;
        while (run--) h->lengths[i++] = (uint8_t)length;
    }
    return at;
}

static int64_t folded(int difference) { /* 0, -1, 1, -2, .. */
    return difference < 0 ? -2 * (int64_t)difference - 1 : 2 * (int64_t)difference;
}

static int predicted_length(const head *plan, int at, int literals) {
    if (at < literals) return at < plan->literals ? plan->lengths[at] : 0;
    at -= literals;
    return at < plan->distances ? plan->lengths[plan->literals + at] : 0;
}

static void describe_head(column *columns, head *planned, const head *sent, int64_t flags) {
    int wrong = 0, all = sent->literals + sent->distances;
    if (planned->literals != sent->literals || planned->distances != sent->distances ||
        memcmp(planned->lengths, sent->lengths, (size_t)all)) {
        wrong |= OTHER_LENGTHS;
        put(&columns[LENGTHS], sent->literals - 257);
        put(&columns[LENGTHS], sent->distances - 1);
        for (int i = 0; i < all; i++)
            put(&columns[LENGTHS],
                folded(sent->lengths[i] - predicted_length(planned, i, sent->literals)));
        *planned = *sent;
        plan_runs(planned, flags);
        plan_codes(planned, flags);
    }
    if (planned->operations != sent->operations ||
        memcmp(planned->symbols, sent->symbols, (size_t)sent->operations) ||
        memcmp(planned->repeats, sent->repeats, (size_t)sent->operations)) {
        wrong |= OTHER_OPERATIONS;
        for (int i = 0; i < sent->operations; i++) {
            put(&columns[OPERATIONS], sent->symbols[i]);
            if (sent->symbols[i] >= COPY) put(&columns[REPEATS], sent->repeats[i]);
        }
        *planned = *sent;
        plan_codes(planned, flags);
    }
    if (planned->sent != sent->sent || memcmp(planned->codes, sent->codes, CODES)) {
        wrong |= OTHER_CODES;
        put(&columns[CODE_LENGTHS], sent->sent - 4);
        for (int i = 0; i < sent->sent; i++)
            put(&columns[CODE_LENGTHS], sent->codes[code_order[i]]);
    }
    put(&columns[TREE], wrong);
}

/* Compare kinds and heads of blocks with the predicted choice; columns as for bitswap_describe. */
EXPORT int64_t bitswap_describe_blocks(const uint8_t *data, const uint32_t *tokens,
                                       const int32_t *blocks, int64_t rows, const uint8_t *heads,
                                       int64_t flags, int64_t pad, int32_t *values, int64_t *counts,
                                       int64_t room) {
    column columns[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) columns[i] = (column){values + i * room, 0, room, 0};
    for (int64_t row = 0; row < rows; row++, blocks += 3) {
        if (blocks[0] == STORED) {
            put(&columns[PAD], blocks[2]);
            data += blocks[1];
            continue;
        }
        tally t;
        head planned, sent;
        data = count_tokens(&t, data, tokens, blocks[1]);
        tokens += blocks[1];
        int fixed = plan(&planned, &t, flags);
        put(&columns[KIND], fixed != (blocks[0] == FIXED));
        if (blocks[0] == DYNAMIC) {
            heads = parse_head(&sent, heads);
            describe_head(columns, &planned, &sent, flags);
        }
    }
    put(&columns[PAD], pad);
    for (int i = 0; i < COLUMNS; i++) counts[i] = columns[i].count;
    return 0;
}

/* ---- writing ---- */

typedef struct {
    uint8_t *out;
    int64_t at, room;
    uint64_t bits;
    int held;
} bit_writer;

INLINE void send(bit_writer *w, uint32_t value, int count) { /* count <= 32 */
    w->bits |= (uint64_t)value << w->held;
    w->held += count;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (LIKELY(w->at + 8 <= w->room)) {
        memcpy(w->out + w->at, &w->bits, 8);
        w->at += w->held >> 3;
        w->bits >>= w->held & ~7;
        w->held &= 7;
        return;
    }
#endif
    while (w->held >= 8) {
        if (w->at < w->room) w->out[w->at] = (uint8_t)w->bits;
        w->at++;
        w->bits >>= 8;
        w->held -= 8;
    }
}

typedef struct {
    uint16_t code;
    uint8_t length;
} code;

/* Codes of lengths, as canonical as RFC 1951 wants them; 0 if there are too many. */
static int assign(code *codes, const uint8_t *lengths, int count) {
    int counts[16] = {0}, first[16], left = 1;
    for (int i = 0; i < count; i++) counts[lengths[i]]++;
    for (int length = 1, next_code = 0; length <= 15; length++) {
        left = 2 * left - counts[length];
        if (left < 0) return 0;
        first[length] = next_code;
        next_code = (next_code + counts[length]) << 1;
    }
    for (int i = 0; i < count; i++) {
        int length = lengths[i];
        unsigned turned = 0;
        if (length) {
            unsigned plain = (unsigned)first[length]++;
            for (int bit = 0; bit < length; bit++)
                turned |= (plain >> bit & 1) << (length - 1 - bit);
        }
        codes[i] = (code){(uint16_t)turned, (uint8_t)length};
    }
    return 1;
}

static int send_tokens(bit_writer *w, const uint8_t *data, const uint32_t *tokens, int64_t count,
                       const code *literals, const code *distances) {
    int used = 1;
    for (int64_t i = 0; i < count; i++) {
        if (!tokens[i]) {
            code c = literals[*data++];
            used &= c.length != 0;
            send(w, c.code, c.length);
            continue;
        }
        int length = length_of(tokens[i]), distance = (int)distance_of(tokens[i]);
        int near = length_symbol(length), far = distance_symbol(distance);
        code c = literals[257 + near], d = distances[far];
        used &= c.length != 0 && d.length != 0;
        send(w, c.code | (uint32_t)(length - length_base[near]) << c.length,
             c.length + length_extra[near]);
        send(w, d.code | (uint32_t)(distance - distance_base[far]) << d.length,
             d.length + distance_extra[far]);
        data += length;
    }
    code end = literals[END];
    send(w, end.code, end.length);
    return used && end.length;
}

static int send_head(bit_writer *w, const head *h) {
    code codes[CODES];
    if (!assign(codes, h->codes, CODES)) return 0;
    send(w,
         (uint32_t)(h->literals - 257) | (uint32_t)(h->distances - 1) << 5 |
             (uint32_t)(h->sent - 4) << 10,
         14);
    for (int i = 0; i < h->sent; i++) send(w, h->codes[code_order[i]], 3);
    for (int i = 0; i < h->operations; i++) {
        int symbol = h->symbols[i];
        if (!codes[symbol].length) return 0;
        send(w, codes[symbol].code, codes[symbol].length);
        if (symbol >= COPY) send(w, h->repeats[i], symbol == COPY ? 2 : symbol == ZEROS ? 3 : 7);
    }
    return 1;
}

/* Change a planned head as its corrections say; 0 if they make no head. */
static int correct_head(column *columns, head *h, int64_t wrong, int64_t flags) {
    if (wrong & OTHER_LENGTHS) {
        head planned = *h;
        int64_t literals = next(&columns[LENGTHS], 0) + 257;
        int64_t distances = next(&columns[LENGTHS], 0) + 1;
        if (literals < 257 || literals > LITERALS || distances < 1 || distances > DISTANCES)
            return 0;
        h->literals = (int)literals;
        h->distances = (int)distances;
        for (int i = 0; i < h->literals + h->distances; i++) {
            int64_t value = next(&columns[LENGTHS], 0);
            int64_t length = predicted_length(&planned, i, h->literals) +
                             (value & 1 ? -(value + 1) / 2 : value / 2);
            if (length < 0 || length > LONGEST) return 0;
            h->lengths[i] = (uint8_t)length;
        }
        plan_runs(h, flags);
        plan_codes(h, flags);
    }
    if (wrong & OTHER_OPERATIONS) {
        h->operations = 0;
        for (int at = 0, all = h->literals + h->distances; at < all;) {
            int64_t symbol = next(&columns[OPERATIONS], 0), repeat = 0;
            if (symbol < 0 || symbol >= CODES) return 0;
            if (symbol >= COPY) repeat = next(&columns[REPEATS], 0);
            int64_t most = symbol < COPY ? 0 : symbol == COPY ? 3 : symbol == ZEROS ? 7 : 127;
            if (repeat < 0 || repeat > most) return 0;
            int run = symbol < COPY ? 1 : (int)repeat + (symbol == MANY_ZEROS ? 11 : 3);
            if (run > all - at) return 0;
            operate(h, (int)symbol, (int)repeat);
            at += run;
        }
        plan_codes(h, flags);
    }
    if (wrong & OTHER_CODES) {
        int64_t sent = next(&columns[CODE_LENGTHS], 0) + 4;
        if (sent < 4 || sent > CODES) return 0;
        h->sent = (int)sent;
        memset(h->codes, 0, sizeof h->codes);
        for (int i = 0; i < h->sent; i++) {
            int64_t length = next(&columns[CODE_LENGTHS], 0);
            if (length < 0 || length > LONGEST_CODE) return 0;
            h->codes[code_order[i]] = (uint8_t)length;
        }
    }
    return 1;
}

/* Write the deflate stream of tokens and blocks, whose kinds and heads are told by `columns`.
 * Returns its length, which is more than `room` if that was too little, or an error. */
EXPORT int64_t bitswap_write(const uint8_t *data, const uint32_t *tokens, const int32_t *blocks,
                             int64_t rows, int64_t flags, int32_t *values, const int64_t *counts,
                             const int64_t *starts, uint8_t *out, int64_t room) {
    column columns[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        columns[i] = (column){values + starts[i], counts[i], counts[i], 0};
    bit_writer w = {out, 0, room, 0, 0};
    code fixed_literals[288], fixed_distances[32], literals[LITERALS], distances[DISTANCES];
    uint8_t lengths[288];
    for (int i = 0; i < 288; i++) lengths[i] = (uint8_t)fixed_length(i);
    assign(fixed_literals, lengths, 288);
    memset(lengths, 5, 32);
    assign(fixed_distances, lengths, 32);
    for (int64_t row = 0; row < rows && w.at <= room; row++, blocks += 3) {
        uint32_t last = row == rows - 1;
        int32_t size = blocks[1];
        if (blocks[0] == STORED) {
            send(&w, last, 3);
            int pad = -w.held & 7;
            int64_t bits = next(&columns[PAD], 0);
            if (bits < 0 || bits >> pad) return DAMAGED;
            send(&w, (uint32_t)bits, pad);
            send(&w, (uint32_t)size | (uint32_t)~size << 16, 32);
            if (w.at + size <= room) memcpy(out + w.at, data, (size_t)size);
            w.at += size;
            data += size;
            continue;
        }
        tally t;
        head h;
        const uint8_t *behind = count_tokens(&t, data, tokens, size);
        int fixed = plan(&h, &t, flags) != (next(&columns[KIND], 0) != 0), used;
        send(&w, last | (uint32_t)(fixed ? FIXED : DYNAMIC) << 1, 3);
        if (fixed) {
            used = send_tokens(&w, data, tokens, size, fixed_literals, fixed_distances);
        } else {
            if (!correct_head(columns, &h, next(&columns[TREE], 0), flags) || !send_head(&w, &h) ||
                !assign(literals, h.lengths, h.literals) ||
                !assign(distances, h.lengths + h.literals, h.distances))
                return DAMAGED;
            for (int i = h.literals; i < LITERALS; i++) literals[i] = (code){0, 0};
            for (int i = h.distances; i < DISTANCES; i++) distances[i] = (code){0, 0};
            used = send_tokens(&w, data, tokens, size, literals, distances);
        }
        if (!used) return DAMAGED;
        tokens += size;
        data = behind;
    }
    int pad = -w.held & 7;
    int64_t bits = next(&columns[PAD], 0);
    if (bits < 0 || bits >> pad) return DAMAGED;
    send(&w, (uint32_t)bits, pad);
    return w.at;
}
