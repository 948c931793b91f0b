/* Decisions to bytes and back: the law of bitswap_cli/ans with one lane, whose head begins at 1. */
#include "costs.h"

enum { PRECISION = 16, EVEN = 1 << 15 };
static const uint64_t HEAD_MIN = (uint64_t)1 << 31;

static void fill(uint32_t *counter, size_t count, uint32_t chance) {
    for (size_t i = 0; i < count; i++) counter[i] = chance << 16;
}

#define FILL(field, chance) fill((uint32_t *)&(field), sizeof(field) / sizeof(uint32_t), chance)

/* What is likely at first: candidates, by how far the next one is; lengths that are planned as 0 or
 * not, by whether the one before is 0, shorter, as long, or longer. */
static const uint16_t candidate[4][5] = {{28000, 62500, 64900, 65200, 65400},
                                         {18000, 62000, 63400, 63800, 65000},
                                         {10600, 53500, 59500, 59700, 63000},
                                         {2400, 33600, 41300, 53500, 60000}};
static const uint16_t planned[2][4] = {{64800, 32768, 32768, 40000}, {37000, 34000, 56500, 36000}};

static void expect(counters *all) {
    fill((uint32_t *)all, sizeof *all / sizeof(uint32_t), EVEN);
    for (int i = 0; i < 4 * GAPS; i++) {
        int gap = i % GAPS;
        all->candidates[i / GAPS][gap] = (uint32_t)candidate[i / GAPS][gap < 4 ? gap : 4] << 16;
    }
    for (int plan = 0; plan <= LONGEST; plan++)
        for (int place = 0; place < 4; place++)
            for (int kind = 0; kind < ALPHABETS; kind++)
                all->planned[kind][plan][place] =
                    (uint32_t)(kind < ALPHABETS - 1 ? planned[plan > 0][place] : 61000) << 16;
    FILL(all->sizes, 60000);
    FILL(all->unused, 2500);
    FILL(all->off, 8000);
    FILL(all->least_sent, 64500);
    FILL(all->repeated[0], 64000);
    FILL(all->repeated[1], 56000);
    FILL(all->many, 64500);
    FILL(all->longest, 64500);
    FILL(all->padded, 1500);
    FILL(all->stored, 1500);
    FILL(all->fixed, 12000);
    FILL(all->last, 48000);
    FILL(all->escaped_literal, 4000);
}

void begin_coder(coder *c, const uint8_t *from, int64_t length) {
    memset(c, 0, sizeof *c);
    expect(&c->all);
    c->decoding = from != NULL;
    c->head = 1;
    if (!from) return;
    c->from = from, c->end = from + length, c->head = 0;
    if (!length || !*from) c->failed = DAMAGED;
    for (int64_t i = 0; i < (length + 3) % 4 + 1 && i < length; i++)
        c->head = c->head << 8 | *c->from++;
}

/* Have a decoder's head hold enough. */
static void refill(coder *c) {
    if (c->head >= HEAD_MIN || c->end - c->from < 4) return;
    for (int i = 0; i < 4; i++) c->head = c->head << 8 | *c->from++;
}

int32_t logarithm(uint32_t x) {
    int bits = 31 - __builtin_clz(x);
    uint64_t y = (uint64_t)x << (31 - bits);
    int32_t found = bits;
    for (int scale = 1; scale < 16; scale *= 2) {
        y = y * y >> 31;
        found = 2 * found + (y >> 32 != 0);
        y >>= y >> 32 != 0;
    }
    return found;
}

static int code(coder *c, uint32_t one, int bit) {
    if (c->failed) return 0;
    if (!c->decoding) {
        if (c->count == c->room) {
            int64_t room = 2 * c->room + 4096;
            uint32_t *pending = realloc(c->pending, (size_t)room * sizeof *pending);
            if (!pending) {
                c->failed = NO_MEMORY;
                return 0;
            }
            c->pending = pending, c->room = room;
        }
        c->pending[c->count++] = (uint32_t)bit << 16 | one;
        c->cost += 16 * PRECISION - 1 - logarithm(bit ? one : 65536 - one);
        return bit;
    }
    refill(c);
    uint32_t low = (uint32_t)c->head & 0xFFFF;
    bit = low < one;
    uint32_t start = bit ? 0 : one, freq = bit ? one : 65536 - one;
    c->head = freq * (c->head >> PRECISION) + low - start;
    return bit;
}

static void learn(uint32_t *counter, int bit) {
    uint32_t n = *counter & 1023, p = *counter >> 10;
    p = bit ? p + ((1U << 22) - p) / (n + 2) : p - p / (n + 2);
    *counter = p << 10 | (n < COUNTS ? n + 1 : n);
}

int decide(coder *c, uint32_t *counter, int bit) {
    uint32_t chance = *counter >> 16;
    bit = code(c, chance ? chance : 1, bit);
    learn(counter, bit);
    return bit;
}

uint32_t plain_bits(coder *c, int bits, uint32_t value) {
    uint32_t found = 0;
    while (bits--) found = found << 1 | (uint32_t)code(c, EVEN, value >> bits & 1);
    return found;
}

int64_t number(coder *c, int64_t value) {
    int bits = 0, wanted = 0;
    while ((value + 1) >> (wanted + 1)) wanted++;
    while (bits < 31 && decide(c, &c->all.sizes[bits], wanted > bits)) bits++;
    uint32_t below = plain_bits(c, bits, (uint32_t)(value + 1) & ((1U << bits) - 1));
    return ((int64_t)1 << bits) + below - 1;
}

int64_t finish_coder(coder *c, uint8_t *out, int64_t room) {
    if (c->failed) return c->failed;
    uint64_t state = 1;
    uint32_t *words = c->pending; /* a word takes more than one decision, so there is room */
    int64_t top = c->count; /* words lie behind those decisions that are left */
    for (int64_t i = c->count - 1; i >= 0; i--) {
        uint32_t one = c->pending[i] & 0xFFFF, bit = c->pending[i] >> 16;
        uint64_t freq = bit ? one : 65536 - one, start = bit ? 0 : one;
        if (state >= freq << (63 - PRECISION)) {
            words[--top] = (uint32_t)state;
            state >>= 32;
        }
        state = (state / freq << PRECISION) + state % freq + start;
    }
    int64_t length = 0;
    for (int shift = 56; shift >= 0; shift -= 8) {
        if (!length && !(state >> shift & 0xFF)) continue;
        if (length < room) out[length] = (uint8_t)(state >> shift);
        length++;
    }
    for (int64_t i = top; i < c->count; i++) {
        for (int shift = 24; shift >= 0; shift -= 8, length++)
            if (length < room) out[length] = (uint8_t)(words[i] >> shift);
    }
    return length;
}

int complete(const coder *c) { return !c->failed && c->from == c->end && c->head == 1; }
