/* Heads of dynamic blocks, told by how their lengths differ from likely ones. */
#include "costs.h"

enum { OF_LITERALS, OF_DISTANCES, OF_OPERATIONS };

/* Code how far a length is from where it might be, at most `most` more; steps are asked for. */
static int distance_from(coder *c, uint32_t *steps, int most, int far) {
    int k = 0;
    while (k < most && decide(c, &steps[k < 3 ? k : 3], far > k)) k++;
    return k;
}

/* Code a length from 1 to `longest` that is not the one that was near. */
static int tell_other(coder *c, int kind, int near, int length, int longest) {
    int up = near < longest;
    if (up && near > 1) up = decide(c, &c->all.longer[kind], length > near);
    int most = (up ? longest - near : near - 1) - 1, far = (up ? length - near : near - length) - 1;
    far = distance_from(c, c->all.off[kind][up], most, far) + 1;
    return up ? near + far : near - far;
}

/* Code lengths of one alphabet, at most `longest`, of which `planned` are likely. */
static void tell_lengths(coder *c, int kind, const uint8_t *planned, uint8_t *lengths, int count,
                         int longest) {
    int top = 1;
    for (int i = 0; i < count; i++) top = planned[i] > top ? planned[i] : top;
    for (int i = 0, before = 0; i < count; before = lengths[i++]) {
        int plan = planned[i], length = lengths[i], near = plan ? plan : top;
        int place = !before ? 0 : before < plan ? 1 : before == plan ? 2 : 3;
        if (decide(c, &c->all.planned[kind][plan][place], length == plan)) lengths[i] = planned[i];
        else if (plan && decide(c, &c->all.unused[kind], !length)) lengths[i] = 0;
        else if (!plan && decide(c, &c->all.rare[kind], length == top)) lengths[i] = (uint8_t)top;
        else lengths[i] = (uint8_t)tell_other(c, kind, near, length, longest);
    }
}

/* Code how many lengths are sent, at least those that are needed. */
static int tell_sent(coder *c, int kind, int needed, int sent, int base, int bits) {
    if (decide(c, &c->all.least_sent[kind], sent == needed)) return needed;
    return base + (int)plain_bits(c, bits, (uint32_t)(sent - base));
}

/* Code the operation that begins where a run of equal lengths goes on for `run`; 0 if damaged. */
static int tell_operation(coder *c, int *symbol, int *repeat, int length, int copies, int run) {
    counters *all = &c->all;
    int zero = !length, class = run < 4 ? 0 : run < 7 ? 1 : run < 11 ? 2 : 3;
    if (run < 3 || !(zero || copies) ||
        !decide(c, &all->repeated[zero][copies][class], *symbol >= COPY)) {
        *symbol = length, *repeat = 0;
        return 1;
    }
    int copy = copies, many = run >= 11;
    if (zero && copies) copy = decide(c, &all->copied, *symbol == COPY);
    if (!copy && many) many = decide(c, &all->many, *symbol == MANY_ZEROS);
    *symbol = copy ? COPY : many ? MANY_ZEROS : ZEROS;
    int bits = copy ? 2 : many ? 7 : 3, least = *symbol == MANY_ZEROS ? 11 : 3;
    int most = (1 << bits) - 1 < run - least ? (1 << bits) - 1 : run - least;
    if (decide(c, &all->longest[*symbol - COPY], *repeat == most)) *repeat = most;
    else *repeat = (int)plain_bits(c, bits, (uint32_t)*repeat);
    return *repeat <= most;
}

/* Code the operations that send the lengths of a head; 0 if they do not. */
static int tell_operations(coder *c, head *h) {
    int all = h->literals + h->distances, count = 0;
    for (int at = 0; at < all; count++) {
        int run = 1, symbol = h->symbols[count], repeat = h->repeats[count];
        while (at + run < all && h->lengths[at + run] == h->lengths[at]) run++;
        int copies = at > 0 && h->lengths[at - 1] == h->lengths[at];
        if (!tell_operation(c, &symbol, &repeat, h->lengths[at], copies, run)) return 0;
        h->symbols[count] = (uint8_t)symbol, h->repeats[count] = (uint8_t)repeat;
        at += symbol < COPY ? 1 : repeat + (symbol == MANY_ZEROS ? 11 : 3);
    }
    h->operations = count;
    return 1;
}

/* Code the lengths of the code of operations. */
static int tell_codes(coder *c, head *h) {
    uint32_t counts[CODES] = {0};
    uint8_t planned[CODES];
    for (int i = 0; i < h->operations; i++) counts[h->symbols[i]]++;
    sorted_lengths(counts, CODES, LONGEST_CODE, planned);
    tell_lengths(c, OF_OPERATIONS, planned, h->codes, CODES, LONGEST_CODE);
    int needed = CODES;
    while (needed > 4 && !h->codes[code_order[needed - 1]]) needed--;
    h->sent = tell_sent(c, OF_OPERATIONS, needed, h->sent, 4, 4);
    return h->sent >= needed && h->sent <= CODES;
}

void smooth(uint32_t *counts, int symbols) {
    uint8_t kept[LITERALS + 1] = {0};
    while (symbols > 0 && !counts[symbols - 1]) symbols--;
    for (int i = 0, run; i < symbols; i += run) {
        for (run = 1; i + run < symbols && counts[i + run] == counts[i];) run++;
        if (run >= (counts[i] ? 7 : 5)) memset(kept + i, 1, (size_t)run);
    }
    kept[symbols] = 1;
    int64_t limit = symbols ? counts[0] : 0, sum = 0;
    for (int i = 0, run = 0; i <= symbols; i++) {
        int64_t own = i < symbols ? counts[i] : 0;
        if (kept[i] || own - limit >= 4 || limit - own >= 4) {
            uint32_t mean = run ? (uint32_t)((sum + run / 2) / run) : 0;
            if (run >= 4 || (run == 3 && !sum))
                for (int k = 1; k <= run; k++) counts[i - k] = sum && !mean ? 1 : mean;
            run = 0, sum = 0, limit = own;
            if (i < symbols - 3)
                limit = (own + counts[i + 1] + counts[i + 2] + counts[i + 3] + 2) / 4;
        }
        run++, sum += own;
    }
}

static int last_of(const uint8_t *lengths, int count, int least) {
    while (count > least && !lengths[count - 1]) count--;
    return count;
}

void tell_head(coder *c, head *h, const tally *counts) {
    uint8_t lengths[LITERALS + DISTANCES] = {0}, plans[2][LITERALS + DISTANCES];
    tally likely = *counts;
    int right[2] = {0, 0};
    for (int smoothed = 0; smoothed < 2; smoothed++) {
        sorted_lengths(likely.literals, LITERALS, LONGEST, plans[smoothed]);
        sorted_lengths(likely.distances, DISTANCES, LONGEST, plans[smoothed] + LITERALS);
        smooth(likely.literals, LITERALS);
        smooth(likely.distances, DISTANCES);
    }
    if (!c->decoding) {
        memcpy(lengths, h->lengths, (size_t)h->literals);
        memcpy(lengths + LITERALS, h->lengths + h->literals, (size_t)h->distances);
    } else {
        memset(h, 0, sizeof *h);
    }
    for (int i = 0; i < LITERALS + DISTANCES; i++) {
        right[0] += plans[0][i] == lengths[i];
        right[1] += plans[1][i] == lengths[i];
    }
    const uint8_t *planned = plans[decide(c, &c->all.smoothed, right[1] > right[0])];
    tell_lengths(c, OF_LITERALS, planned, lengths, LITERALS, LONGEST);
    tell_lengths(c, OF_DISTANCES, planned + LITERALS, lengths + LITERALS, DISTANCES, LONGEST);
    int literals = last_of(lengths, LITERALS, 257);
    int distances = last_of(lengths + LITERALS, DISTANCES, 1);
    h->literals = tell_sent(c, OF_LITERALS, literals, h->literals, 257, 5);
    h->distances = tell_sent(c, OF_DISTANCES, distances, h->distances, 1, 5);
    if (h->literals < literals || h->literals > LITERALS || h->distances < distances ||
        h->distances > DISTANCES) {
        c->failed = DAMAGED;
        return;
    }
    memcpy(h->lengths, lengths, (size_t)h->literals);
    memcpy(h->lengths + h->literals, lengths + LITERALS, (size_t)h->distances);
    if (!c->failed && !(tell_operations(c, h) && tell_codes(c, h))) c->failed = DAMAGED;
}
