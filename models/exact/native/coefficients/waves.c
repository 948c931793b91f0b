/* Waves of blocks of coefficients: what an encoder pushes, and what a decoder pops.
 * See blocks.h. */
#include "arena.h"
#include "coefficients/learning.h"
#include "message.h"
#include "sets.h"

/* What an encoder tells: lasts of all blocks, coefficients, and how many there are of them. */
typedef struct {
    int32_t *lasts;
    mixtures of_lasts;
    int32_t *symbols;
    mixtures of_symbols;
    int32_t *waves;   /* blocks of each wave */
    int32_t *batches; /* [wave][COEFFICIENTS]: symbols of each batch, in order */
    int32_t *owner, *whose; /* the plane of each block, of each symbol */
} told;

typedef struct {
    const block_layers *v;
    const block_network *n;
    const plane *planes;
    int64_t count; /* of planes */
    wave w;
    scratch s;
    mixtures m;
    message *from; /* NULL while encoding */
    told *to;
    decisions *line; /* NULL where nothing is learnt */
    learner *l;
    int64_t block, symbol, wave; /* told so far */
} machine;

static int64_t waves_of(const machine *m) {
    int64_t waves = 0;
    for (int64_t i = 0; i < m->count; i++) {
        int64_t mine = m->planes[i].columns + 2 * m->planes[i].rows - 2;
        waves = mine > waves ? mine : waves;
    }
    return waves;
}

/* The most blocks that a wave may have. */
static int64_t widest(const machine *m) {
    int64_t count = 0;
    for (int64_t i = 0; i < m->count; i++) {
        int64_t across = (m->planes[i].columns + 1) / 2, rows = m->planes[i].rows;
        count += across < rows ? across : rows;
    }
    return count;
}

static int64_t list(machine *m, int64_t t) {
    int64_t count = 0;
    for (int64_t i = 0; i < m->count; i++) {
        const plane *in = m->planes + i;
        int64_t row = t < in->columns ? 0 : (t - in->columns) / 2 + 1;
        for (; row < in->rows && 2 * row <= t; row++) {
            m->w.owner[count] = (int32_t)i;
            m->w.where[count++] = (block_place){in, row, t - 2 * row};
        }
    }
    return count;
}

static mixtures behind(mixtures m, int64_t symbols) {
    return (mixtures){m.weight + symbols * COMPONENTS, m.mean + symbols * COMPONENTS,
                      m.scale + symbols * COMPONENTS};
}

static int pop(machine *m, int32_t *symbols, int64_t count, int64_t low, int64_t size) {
    return pop_symbols(m->from, symbols, count, &m->m, COMPONENTS, low, size);
}

/* Index of the last coefficient but DC that is not 0, or 0. */
static int32_t last_of(const int16_t *x) {
    int32_t k = COEFFICIENTS - 1;
    while (k && !x[k]) k--;
    return k;
}

static const int16_t *known(const machine *m, int64_t at) {
    const block_place *p = m->w.where + at;
    return p->in->x + (p->row * p->in->columns + p->column) * COEFFICIENTS;
}

/* Coefficient k of a block: what is added to its symbol. */
static int32_t more(const machine *m, int64_t at, int k, int32_t symbol, int negative) {
    if (!k) {
        int32_t from = clip((m->w.guess[2 * at] + 8) >> 4, VALUE_LOW, VALUE_HIGH);
        return negative ? -from : from;
    }
    if (m->w.last[at] != k) return 0;
    return negative ? -(symbol > 0) : symbol >= 0;
}

/* Code coefficient k of the blocks of a wave that have one. */
static int coefficient(machine *m, int64_t blocks, int k) {
    const block_network *n = m->n;
    int64_t count = 0;
    for (int64_t i = 0; i < blocks; i++)
        if (m->w.last[i] >= k) m->w.which[count++] = (int32_t)i;
    if (m->to)
        m->to->batches[m->wave * COEFFICIENTS + (k ? k - 1 : COEFFICIENTS - 1)] = (int32_t)count;
    if (!count) return 1;
    const mixtures to = m->to ? behind(m->to->of_symbols, m->symbol) : m->m;
    m->v->mix(n, &m->w, count, k, &m->s, &to);
    if (m->from && !pop(m, m->w.symbols, count, SYMBOL_LOW, SYMBOLS)) return 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = m->w.which[i];
        int32_t value;
        if (m->from) {
            value = m->w.symbols[i] + more(m, at, k, m->w.symbols[i], 0);
        } else {
            value = known(m, at)[k];
            m->to->symbols[m->symbol + i] = value + more(m, at, k, value, 1);
            m->to->whose[m->symbol + i] = m->w.owner[at];
        }
        m->v->take(n, &m->w, at, k, value);
    }
    if (m->to) m->symbol += count;
    return 1;
}

static int code(machine *m, int64_t t) {
    const int64_t blocks = list(m, t);
    if (m->to) m->to->waves[m->wave] = (int32_t)blocks;
    const mixtures to = m->to ? behind(m->to->of_lasts, m->block) : m->m;
    m->v->begin(m->n, &m->w, blocks, &m->s, &to);
    if (m->from && !pop(m, m->w.last, blocks, 0, LASTS)) return 0;
    for (int64_t i = 0; m->to && i < blocks; i++) {
        m->to->lasts[m->block + i] = m->w.last[i] = last_of(known(m, i));
        m->to->owner[m->block + i] = m->w.owner[i];
    }
    for (int k = 1; k < COEFFICIENTS; k++)
        if (!coefficient(m, blocks, k)) return 0;
    if (!coefficient(m, blocks, 0)) return 0;
    for (int64_t i = 0; i < blocks; i++) m->v->finish(m->n, &m->w, i);
    if (m->to) m->block += blocks, m->wave++;
    return 1;
}

/* Code coefficient k of the blocks of a wave that have one, and learn. */
static void learn(machine *m, int64_t blocks, int k) {
    const block_network *n = m->n;
    const int encoding = m->line->told != NULL;
    int64_t count = 0;
    for (int64_t i = 0; i < blocks; i++)
        if (m->w.last[i] >= k) m->w.which[count++] = (int32_t)i;
    if (!count) return;
    m->v->mix(n, &m->w, count, k, &m->s, &m->m);
    for (int64_t i = 0; encoding && i < count; i++) {
        const int64_t at = m->w.which[i];
        m->w.symbols[i] = known(m, at)[k] + (k ? 0 : more(m, at, 0, 0, 1));
    }
    m->v->values(n, m->l, &m->w, count, k, &m->m);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = m->w.which[i];
        m->v->take(n, &m->w, at, k, m->w.symbols[i] + (k ? 0 : more(m, at, 0, 0, 0)));
    }
}

static int code_learning(machine *m, int64_t t) {
    const int64_t blocks = list(m, t);
    const int encoding = m->line->told != NULL;
    m->v->begin(m->n, &m->w, blocks, &m->s, &m->m);
    for (int64_t i = 0; encoding && i < blocks; i++) m->w.last[i] = last_of(known(m, i));
    m->v->lasts(m->n, m->l, &m->w, blocks, &m->m);
    for (int k = 1; k < COEFFICIENTS; k++) learn(m, blocks, k);
    learn(m, blocks, 0);
    for (int64_t i = 0; i < blocks; i++) m->v->finish(m->n, &m->w, i);
    return m->line->top >= 0;
}

/* Begin to learn: weights are 1 of what the mixture says, and some of what slots add. */
static void begin_learner(learner *l, decisions *line) {
    enum { ONE = 65536, START = ONE / 4, LEAST_PACE = 6 };
    for (int i = 0; i < MIXERS; i++) {
        l->weights[i][0] = ONE;
        for (int j = 0; j < SLOTS_OF; j++) l->weights[i][1 + j] = START;
    }
    for (int i = 0; i < COUNTS; i++) {
        const int32_t pace = 640 / (2 * i + 3);
        l->share[i] = 512 * i / (2 * i + 3);
        l->pace[i] = pace < LEAST_PACE ? LEAST_PACE : pace;
    }
    l->line = line;
}

/* Code the planes wave by wave; 0, or NO_MEMORY. */
static int64_t run(machine *m) {
    const block_network *n = m->n;
    const int64_t room = widest(m) + CHUNK, waves = waves_of(m), unit = m->v->unit;
    const int64_t hidden = (n->first->panels + n->second->panels + n->deep->panels) * OUTPUTS;
    const int64_t wide = most(most(n->inputs, n->row), hidden);
    arena a = {0};
    for (int pass = 0; pass < 2; pass++) {
        m->w.where = take(&a, room * (int64_t)sizeof *m->w.where);
        m->w.rows = take(&a, room * n->row * unit);
        m->w.seen = take(&a, room * PREDICTED * 2);
        m->w.mean = take(&a, room * 4);
        m->w.guess = take(&a, room * 8);
        m->w.owner = take(&a, room * 4);
        m->w.last = take(&a, room * 4);
        m->w.which = take(&a, room * 4);
        m->w.symbols = take(&a, room * 4);
        m->m.weight = take(&a, room * 4 * COMPONENTS);
        m->m.mean = take(&a, room * 4 * COMPONENTS);
        m->m.scale = take(&a, room * 4 * COMPONENTS);
        m->s.first = take(&a, CHUNK * wide * unit);
        m->s.second = take(&a, CHUNK * wide * unit);
        m->s.out = take(&a, CHUNK * hidden * 2);
        if (m->line) m->l = take(&a, (int64_t)sizeof *m->l);
        if (!pass && !reserve(&a)) return NO_MEMORY;
    }
    if (m->line) begin_learner(m->l, m->line);
    for (int64_t t = 0; t < waves; t++)
        if (!(m->line ? code_learning(m, t) : code(m, t))) break;
    free(a.whole);
    return 0;
}

static machine machine_of(int64_t which, const block_network *n, const plane *planes,
                          int64_t count) {
    return (machine){.v = bitswap_set(which)->blocks, .n = n, .planes = planes, .count = count};
}

/* Everything that an encoder of planes of one rank pushes, see `told`: 0, or NO_MEMORY. */
EXPORT int64_t bitswap_coefficients_mixtures(int64_t which, const block_network *n,
                                             const plane *planes, int64_t count, told *to) {
    machine m = machine_of(which, n, planes, count);
    m.to = to;
    return run(&m);
}

/* Decode planes of one rank: the new top, an error of `logistic`, or NO_MEMORY. */
EXPORT int64_t bitswap_coefficients_pop(int64_t which, const block_network *n, const plane *planes,
                                        int64_t count, pop_logistic *logistic, uint64_t *head,
                                        int64_t lanes, const uint32_t *words, int64_t top,
                                        int64_t end) {
    message from = {logistic, head, lanes, words, top, end};
    machine m = machine_of(which, n, planes, count);
    m.from = &from;
    const int64_t failed = run(&m);
    return failed ? failed : from.top;
}

/* Decisions of an encoder of planes of one rank, which learns, and what they cost of each: how
 * many, or NO_MEMORY. */
EXPORT int64_t bitswap_coefficients_decide(int64_t which, const block_network *n,
                                           const plane *planes, int64_t count, uint32_t *decided,
                                           int64_t *costs) {
    decisions line = {.told = decided, .costs = costs};
    machine m = machine_of(which, n, planes, count);
    m.line = &line;
    const int64_t failed = run(&m);
    return failed ? failed : line.count;
}

/* Decode planes of one rank, and learn: the new top, an error of the coder's, or NO_MEMORY. */
EXPORT int64_t bitswap_coefficients_learn(int64_t which, const block_network *n,
                                          const plane *planes, int64_t count,
                                          pop_logistic *logistic, uint64_t *head, int64_t lanes,
                                          const uint32_t *words, int64_t top, int64_t end) {
    decisions line = {.head = *head, .words = words, .top = top, .end = end};
    machine m = machine_of(which, n, planes, count);
    m.line = &line;
    const int64_t failed = run(&m);
    *head = line.head;
    (void)logistic, (void)lanes; /* it is of one lane */
    return failed ? failed : line.top;
}
