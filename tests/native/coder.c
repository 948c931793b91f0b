/* Push and pop with every set of instructions that this machine has: coder TABLES
 *
 * Prints "distribution set hash" of the words and heads after a push; that a pop gives the symbols
 * and the message back is checked here.
 */
#include "coder.h"

#include "check.h"

void bitswap_setup(const int32_t *sigmoid, const int32_t *rates, const int32_t *limits);
int64_t bitswap_push(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                     const uint32_t *start, const uint32_t *freq, int64_t n, int64_t precision);
int64_t bitswap_pop_uniform(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                            int64_t bottom, int32_t *symbols, int64_t n, int64_t bits);
int64_t bitswap_pop_table(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                          int64_t bottom, int32_t *symbols, int64_t n, const uint32_t *rows,
                          int64_t stride, int64_t size);

enum { COUNT = 3001, WORDS = 2 * COUNT + 64, START = 33 };

typedef struct {
    uint64_t head[MAX_LANES];
    uint32_t words[WORDS + START];
    int64_t lanes, top;
} stack;

static stack fresh(int64_t lanes) {
    stack s = {.lanes = lanes, .top = WORDS};
    for (int i = 0; i < MAX_LANES; i++)
        s.head[i] = ((uint64_t)1 << 31) + (uint64_t)draw(0, 1 << 30);
    return s;
}

static uint64_t hash_of(uint64_t hash, const stack *s) {
    hash = hashed(hash, s->head, (size_t)s->lanes * sizeof *s->head);
    return hashed(hash, s->words + s->top, (size_t)(WORDS - s->top) * sizeof *s->words);
}

static void same(const stack *a, const stack *b) {
    need(a->top == b->top, "a pop leaves words");
    need(!memcmp(a->head, b->head, sizeof a->head), "a pop leaves other heads");
}

static int32_t symbols[COUNT], popped[COUNT];
static uint32_t start[COUNT], freq[COUNT];

static uint64_t logistic_hash(const logistics *set, int components, int64_t lanes, int32_t low,
                              int32_t size) {
    static int32_t weight[COUNT * MAX_COMPONENTS], mean[COUNT * MAX_COMPONENTS];
    static int32_t scale[COUNT * MAX_COMPONENTS];
    const int each = components ? components : 1;
    for (int i = 0; i < COUNT; i++) {
        int32_t rest = 1 << WEIGHT_BITS;
        symbols[i] = draw(low, low + size - 1);
        for (int k = 0; k < each; k++) {
            const int at = i * each + k;
            const int32_t near = draw(0, 3) ? symbols[i] : draw(low, low + size - 1);
            weight[at] = k + 1 < each ? draw(0, rest) : rest;
            rest -= weight[at];
            mean[at] = 16 * near + draw(-200, 200);
            scale[at] = draw(0, SCALE_LEVELS - 1);
        }
    }
    const logistic d = {components ? weight : 0, mean, scale, each, low, size};
    const stack before = fresh(lanes);
    stack s = before;
    s.top = set->push(&d, s.head, lanes, s.words, s.top, symbols, COUNT);
    uint64_t hash = hash_of(EMPTY, &s);
    need(set->intervals(&d, symbols, COUNT, start, freq) == 0, "no intervals");
    hash = hashed(hashed(hash, start, sizeof start), freq, sizeof freq);
    s.top = set->pop(&d, s.head, lanes, s.words, s.top, WORDS, popped, COUNT);
    need(!memcmp(symbols, popped, sizeof symbols), "logistics: other symbols");
    same(&s, &before);
    return hash;
}

static uint64_t uniform_hash(int64_t lanes, int bits) {
    const int shift = PRECISION - bits;
    for (int i = 0; i < COUNT; i++) {
        symbols[i] = draw(0, (1 << bits) - 1);
        start[i] = (uint32_t)symbols[i] << shift, freq[i] = 1u << shift;
    }
    const stack before = fresh(lanes);
    stack s = before;
    s.top = bitswap_push(s.head, lanes, s.words, s.top, start, freq, COUNT, PRECISION);
    const uint64_t hash = hash_of(EMPTY, &s);
    s.top = bitswap_pop_uniform(s.head, lanes, s.words, s.top, WORDS, popped, COUNT, bits);
    need(!memcmp(symbols, popped, sizeof symbols), "uniform: other symbols");
    same(&s, &before);
    return hash;
}

static uint64_t table_hash(int64_t lanes) {
    enum { SYMBOLS = 200 };
    static uint32_t ends[SYMBOLS + 1];
    for (int i = 1; i < SYMBOLS; i++) ends[i] = ends[i - 1] + (uint32_t)draw(1, 5000);
    ends[SYMBOLS] = TOTAL;
    for (int i = 0; i < COUNT; i++) {
        symbols[i] = draw(0, SYMBOLS - 1);
        start[i] = ends[symbols[i]], freq[i] = ends[symbols[i] + 1] - start[i];
    }
    const stack before = fresh(lanes);
    stack s = before;
    s.top = bitswap_push(s.head, lanes, s.words, s.top, start, freq, COUNT, PRECISION);
    const uint64_t hash = hash_of(EMPTY, &s);
    s.top =
        bitswap_pop_table(s.head, lanes, s.words, s.top, WORDS, popped, COUNT, ends, 0, SYMBOLS);
    need(!memcmp(symbols, popped, sizeof symbols), "tables: other symbols");
    same(&s, &before);
    return hash;
}

static void print(const char *what, int which, const uint64_t *hashes, size_t bytes) {
    const uint64_t all = hashed(EMPTY, hashes, bytes);
    printf("%s %s %016llx\n", what, names[which], (unsigned long long)all);
}

int main(int count, char **arguments) {
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : 0;
    need(file != 0, "usage: coder TABLES");
    const int32_t *sigmoid = table(file, ENTRIES), *rates = table(file, SCALE_LEVELS);
    bitswap_setup(sigmoid, rates, table(file, SCALE_LEVELS));
    const logistics *const sets[SETS] = {
        [PLAIN] = &bitswap_logistics_plain,
#if X86
        [AVX2] = &bitswap_logistics_avx2,
#endif
    };
    static const int64_t lanes[] = {1, 8, 32};
    static const int components[] = {0, 1, 3, 10, 16};
    for (int which = 0; which < SETS; which++) {
        if (!sets[which] || !processor_has(which)) continue;
        uint64_t hashes[3][5][2];
        state = 1;
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 5; k++) {
                hashes[i][k][0] = logistic_hash(sets[which], components[k], lanes[i], 0, 256);
                hashes[i][k][1] = logistic_hash(sets[which], components[k], lanes[i], -512, 1024);
            }
        print("logistics", which, hashes[0][0], sizeof hashes);
        uint64_t large[3][5];
        state = 3;
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 5; k++)
                large[i][k] = logistic_hash(sets[which], components[k], lanes[i], -2048, 4096);
        print("alphabets", which, large[0], sizeof large);
    }
    uint64_t hashes[3][2];
    state = 2;
    for (int i = 0; i < 3; i++)
        hashes[i][0] = uniform_hash(lanes[i], 8), hashes[i][1] = table_hash(lanes[i]);
    print("tables", PLAIN, hashes[0], sizeof hashes);
    return 0;
}
