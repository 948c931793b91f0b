/* Layers and pixel networks with every set of instructions that this machine has: layers TABLES
 *
 * Prints "kernel set hash" of the integers that random weights give; that the pixels of a network
 * come back when its mixtures' symbols are pushed and popped is checked here.
 */
#include "sets.h"

#include "check.h"

typedef int64_t pop_logistic(uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                             int64_t bottom, int32_t *symbols, int64_t n, const int32_t *weight,
                             const int32_t *mean, const int32_t *scale, int64_t components,
                             int64_t low, int64_t size);
pop_logistic bitswap_pop_logistic;
int64_t bitswap_push_logistic(uint64_t *head, int64_t lanes, uint32_t *words, int64_t top,
                              const int32_t *symbols, int64_t n, const int32_t *weight,
                              const int32_t *mean, const int32_t *scale, int64_t components,
                              int64_t low, int64_t size);
void bitswap_setup(const int32_t *sigmoid, const int32_t *rates, const int32_t *limits);
int64_t bitswap_layers_run(int64_t which, const layer *l, const int16_t *x,
                           const int16_t *reference, const int16_t *add, int16_t *y, int64_t batch,
                           int64_t height, int64_t width, int64_t low, int64_t high);
int64_t bitswap_binary_run(int64_t which, const layer *l, const int16_t *x, const int16_t *add,
                           int16_t *y, int64_t batch, int64_t height, int64_t width, int64_t low,
                           int64_t high);
int64_t bitswap_pixels_mixtures(int64_t which, const network *n, const uint8_t *tiles,
                                const int32_t *sizes, const int16_t *film, int64_t count,
                                int64_t side, int32_t *symbols, int32_t *owner, int32_t *batches,
                                int32_t *weight, int32_t *mean, int32_t *scale);
int64_t bitswap_pixels_pop(int64_t which, const network *n, uint8_t *tiles, const int32_t *sizes,
                           const int16_t *film, int64_t count, int64_t side, pop_logistic *pop,
                           uint64_t *head, int64_t lanes, const uint32_t *words, int64_t top,
                           int64_t end);

/* Weights [output][value], of which the low `bytes` bytes count, in panels: groups from `first` on
 * of the `all` that a panel has. */
static void pack(const int32_t *from, int64_t outputs, int64_t values, int64_t bytes, char *to,
                 int64_t first, int64_t all) {
    for (int64_t o = 0; o < outputs; o++)
        for (int64_t v = 0; v < values; v++) {
            const int64_t byte = v * bytes, row = first + byte / GROUP;
            char *at = to + ((o / OUTPUTS * all + row) * OUTPUTS + o % OUTPUTS) * GROUP;
            const int16_t word = (int16_t)from[o * values + v];
            if (bytes == 1) at[byte % GROUP] = (char)word;
            else memcpy(at + byte % GROUP, &word, sizeof word);
        }
}

static int64_t groups(int64_t bytes) { return padded(bytes, GROUP) / GROUP; }

/* Scales and biases of outputs whose sums reach at most `reach`. */
static void finish(int32_t *scale, int32_t *bias, int64_t outputs, int64_t reach, int32_t span) {
    const int32_t bound = (int32_t)((1 << 29) / most(reach, 1));
    for (int64_t o = 0; o < outputs; o++) scale[o] = draw(-bound, bound);
    for (int64_t o = 0; o < outputs; o++) bias[o] = draw(-span, span);
}

/* ---- layers ---- */

typedef struct {
    int64_t inputs, outputs, size, relative, largest, batch, height, width;
} shape;

enum { NUMBERS, BYTES, SIGNS };

/* Outputs of a layer whose inputs are any numbers, bytes, or signs. */
static uint64_t layer_hash(int64_t which, const shape *s, int kind) {
    const int64_t taps = s->size * s->size, values = taps * s->inputs, all = values + s->relative;
    const int64_t pixels = s->batch * s->height * s->width, outputs = padded(s->outputs, OUTPUTS);
    const int64_t each = (s->inputs + 7) / 8; /* bytes of a tap's signs */
    int32_t *weight = room(s->outputs * all * 4), *bits = room(s->outputs * taps * each * 4);
    int16_t *totals = room(taps * outputs * 2);
    int64_t reach = 0;
    for (int64_t o = 0; o < s->outputs; o++) {
        int32_t *w = weight + o * all;
        int64_t sum = 0;
        for (int64_t v = 0; v < values; v++) {
            w[v] = kind == SIGNS ? 2 * draw(0, 1) - 1 : draw(-s->largest, s->largest);
            if (s->relative) w[values + v % s->relative] -= w[v];
            sum += abs(w[v]);
            if (kind != SIGNS) continue;
            const int64_t tap = v / s->inputs, bit = v % s->inputs;
            if (w[v] < 0) bits[(o * taps + tap) * each + bit / 8] |= 1 << bit % 8;
            totals[tap * outputs + o] = (int16_t)(totals[tap * outputs + o] + w[v]);
        }
        reach = most(reach, sum);
    }
    layer l = {
        .inputs = s->inputs,
        .outputs = s->outputs,
        .size = s->size,
        .shift = 16,
        .relative = s->relative,
        .ones = s->largest == 1,
    };
    int32_t *scale = room(outputs * 4), *bias = room(outputs * 4);
    finish(scale, bias, s->outputs, kind == SIGNS ? reach : reach * 510, 1 << 29);
    l.scale = scale, l.bias = bias;
    char *words = room(outputs * groups(all * 2) * GROUP), *bytes = room(outputs * all + 64 * 16);
    char *signs = room(outputs * groups(taps * each) * GROUP);
    if (kind == SIGNS) {
        pack(bits, s->outputs, taps * each, 1, signs, 0, groups(taps * each));
        l.bits = signs, l.totals = totals;
    } else {
        pack(weight, s->outputs, all, 2, words, 0, groups(all * 2));
        pack(weight, s->outputs, all, 1, bytes, 0, groups(all));
        l.weight = words, l.bytes = s->relative ? 0 : bytes;
    }
    int16_t *x = room(pixels * s->inputs * 2), *add = room(pixels * s->outputs * 2);
    int16_t *reference = room(pixels * s->relative * 2), *y = room(pixels * s->outputs * 2);
    const int32_t lowest = kind == SIGNS ? -32768 : kind == BYTES || s->relative ? 0 : -255;
    for (int64_t i = 0; i < pixels * s->inputs; i++)
        x[i] = (int16_t)draw(lowest, kind == SIGNS ? 32767 : 255);
    for (int64_t i = 0; i < pixels * s->relative; i++) reference[i] = (int16_t)draw(0, 255);
    for (int64_t i = 0; i < pixels * s->outputs; i++) add[i] = (int16_t)draw(-32767, 32767);
    uint64_t hash = EMPTY;
    for (int way = 0; way < 2; way++) {
        const int64_t low = way ? 0 : -32767, high = way ? 255 : 32767;
        const int64_t error =
            kind == SIGNS
                ? bitswap_binary_run(which, &l, x, way ? add : 0, y, s->batch, s->height, s->width,
                                     low, high)
                : bitswap_layers_run(which, &l, x, s->relative ? reference : 0, way ? add : 0, y,
                                     s->batch, s->height, s->width, low, high);
        need(!error, "no memory");
        hash = hashed(hash, y, (size_t)(pixels * s->outputs) * sizeof *y);
    }
    void *const held[] = {weight, bits,  totals, scale, bias,      words,
                          bytes,  signs, x,      add,   reference, y};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
    return hash;
}

static const shape shapes[] = {
    {3, 5, 3, 0, 127, 2, 5, 4},  {16, 16, 1, 0, 127, 1, 3, 7},  {20, 65, 3, 0, 127, 1, 4, 4},
    {9, 40, 3, 3, 127, 2, 4, 3}, {64, 96, 5, 0, 1, 1, 5, 6},    {33, 17, 3, 0, 1, 1, 6, 2},
    {4, 80, 1, 4, 100, 3, 2, 2}, {130, 48, 3, 0, 100, 1, 3, 3}, {32, 33, 1, 0, 1, 1, 9, 9},
    {300, 16, 5, 0, 1, 1, 6, 6}, {1, 1, 1, 0, 127, 1, 1, 1},    {12, 18, 5, 2, 60, 1, 4, 6},
};

/* ---- pixel networks ---- */

static dense dense_of(int64_t outputs, int64_t inputs, int64_t unit, int64_t taps, int64_t channels,
                      int64_t parts, int gray) {
    const int64_t each = padded(outputs / parts, OUTPUTS), all = each * parts;
    const int64_t apart = gray ? taps : 0, values = inputs - apart, words = apart + channels;
    int32_t *weight = room(all * values * 4), *word = room(all * words * 4);
    dense d = {.panels = all / OUTPUTS, .shift = 16, .groups = groups(values * unit)};
    if (taps) d.words = groups(words * 2);
    int64_t reach = 0;
    for (int64_t o = 0; o < outputs; o++) {
        const int64_t row = o / (outputs / parts) * each + o % (outputs / parts);
        int64_t sum = 0;
        for (int64_t i = 0; i < inputs; i++) {
            int32_t *w = i < apart ? word + row * words + i : weight + row * values + i - apart;
            *w = i < apart ? draw(-381, 381) : draw(-127, 127);
            sum += abs(*w);
            if (i < taps * channels) word[row * words + apart + i % channels] -= *w;
        }
        reach = most(reach, sum);
    }
    const int64_t panel = d.groups + d.words;
    char *packed = room(all * panel * GROUP);
    pack(weight, all, values, unit, packed, 0, panel);
    if (taps) pack(word, all, words, 2, packed, d.groups, panel);
    int32_t *scale = room(all * 4), *bias = room(all * 4);
    finish(scale, bias, all, 510 * reach, 1 << 24); /* few activations are 0 or 255 */
    d.weight = packed, d.scale = scale, d.bias = bias;
    free(weight);
    free(word);
    return d;
}

static dense *listed(int64_t count) { return room(count * (int64_t)sizeof(dense)); }

static network network_of(int64_t channels, int64_t radius, int64_t layers, int64_t width,
                          int64_t split, int64_t components, int64_t unit, const int32_t *powers,
                          int gray) {
    const int64_t taps = 2 * radius * (radius + 1), inputs = taps * channels + 3 * radius;
    const int64_t each = padded(split, OUTPUTS), heads = (3 + channels - 1) * components;
    dense *skip = listed(1), *splits = listed(1), *trunk = listed(layers);
    dense *mixes = listed(channels), *last = listed(channels);
    *skip = dense_of(channels * components, inputs, unit, taps, channels, 1, gray);
    for (int64_t i = 0; i < layers; i++)
        trunk[i] = i ? dense_of(width, width, unit, 0, channels, 1, 0)
                     : dense_of(width, inputs, unit, taps, channels, 1, gray);
    *splits = dense_of(channels * split, width, unit, 0, channels, channels, 0);
    for (int64_t i = 0; i < channels; i++) {
        mixes[i] = dense_of(split, split, unit, 0, channels, 1, 0);
        last[i] = dense_of(heads, split, unit, 0, channels, 1, 0);
    }
    int32_t *coded = room(channels * channels * each * 4);
    int32_t *scale = room(channels * each * 4), *bias = room(channels * each * 4);
    for (int64_t i = 0; i < channels * channels * each; i++) coded[i] = draw(-127, 127);
    finish(scale, bias, channels * each, 127 * 255 * channels, 1 << 24);
    return (network){channels, radius, layers, split, components, 8,    padded(width, OUTPUTS),
                     powers,   skip,   splits, trunk, mixes,      last, coded,
                     scale,    bias,   16,     gray};
}

static uint64_t network_hash(int64_t which, const network *n, int64_t tiles, int64_t side,
                             int filmed) {
    const int64_t pixels = tiles * side * side, values = pixels * n->channels;
    const int64_t terms = values * n->components, cells = tiles * (side / 8) * (side / 8);
    uint8_t *x = room(values), *y = room(values);
    int32_t *sizes = room(tiles * 12), *symbols = room(values * 4), *owner = room(values * 4);
    int32_t *batches = room(values * 4), *weight = room(terms * 4), *mean = room(terms * 4);
    int32_t *scale = room(terms * 4);
    int16_t *film = room(cells * 2 * n->layers * n->film * 2);
    uint32_t *words = room((values + 64) * 4);
    for (int64_t i = 0; i < cells * 2 * n->layers * n->film; i++)
        film[i] = (int16_t)draw(-300, 300);
    for (int64_t t = 0; t < tiles; t++) {
        const int gray = t % 3 == 1;
        int32_t *size = sizes + 3 * t;
        size[0] = t ? draw(1, side) : (int32_t)side, size[1] = t ? draw(1, side) : (int32_t)side;
        size[2] = gray ? 1 : (int32_t)n->channels;
        for (int64_t i = 0; i < side; i++)
            for (int64_t j = 0; j < side; j++)
                for (int64_t c = 0; c < n->channels; c++) {
                    uint8_t *p = x + ((t * side + i) * side + j) * n->channels + c;
                    const int32_t drawn = t % 2 ? draw(0, 255) : draw(100, 116);
                    if (i < size[0] && j < size[1]) *p = gray && c ? p[-1] : (uint8_t)drawn;
                }
    }
    const int64_t count =
        bitswap_pixels_mixtures(which, n, x, sizes, filmed ? film : 0, tiles, side, symbols, owner,
                                batches, weight, mean, scale);
    int64_t end = 0;
    for (int64_t i = 0; i < count; i++) end += batches[i];
    const void *const told[] = {symbols, owner, weight, mean, scale};
    uint64_t hash = hashed(EMPTY, batches, (size_t)count * 4);
    for (int i = 0; i < 5; i++)
        hash = hashed(hash, told[i], (size_t)(end * (i < 2 ? 1 : n->components)) * 4);
    uint64_t head[32], first[32];
    for (int i = 0; i < 32; i++) head[i] = first[i] = ((uint64_t)1 << 31) + (uint64_t)i;
    int64_t top = values + 2;
    for (int64_t i = count - 1; i >= 0; i--) {
        const int64_t at = end -= batches[i], k = n->components;
        top = bitswap_push_logistic(head, 32, words, top, symbols + at, batches[i], weight + at * k,
                                    mean + at * k, scale + at * k, k, 0, 256);
        need(top > 0, "a push fails");
    }
    hash = hashed(hashed(hash, head, sizeof head), words + top, (size_t)(values + 2 - top) * 4);
    top = bitswap_pixels_pop(which, n, y, sizes, filmed ? film : 0, tiles, side,
                             bitswap_pop_logistic, head, 32, words, top, values + 2);
    need(top == values + 2 && !memcmp(head, first, sizeof head), "a pop leaves another message");
    need(!memcmp(x, y, (size_t)values), "a pop gives other pixels");
    void *const held[] = {x, y, sizes, symbols, owner, batches, weight, mean, scale, film, words};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
    return hash;
}

static uint64_t pixels_hash(int64_t which, int64_t unit, const int32_t *powers, int gray) {
    static const int64_t wanted[][6] = {/* channels, radius, layers, width, split, components */
                                        {3, 3, 2, 48, 16, 5}, {1, 2, 1, 10, 6, 5},
                                        {3, 3, 3, 40, 20, 5}, {4, 3, 2, 70, 33, 16},
                                        {2, 5, 2, 16, 16, 1}, {8, 2, 2, 20, 10, 9}};
    uint64_t hash = EMPTY;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const int64_t *w = wanted[i], channels = gray ? 1 : w[0];
        const network n = network_of(channels, w[1], w[2], w[3], w[4], w[5], unit, powers, gray);
        for (int filmed = 0; filmed < 2; filmed++) {
            const uint64_t one = network_hash(which, &n, 5, 16, filmed);
            hash = hashed(hash, &one, sizeof one);
        }
    }
    return hash;
}

/* ---- all ---- */

static void print(const char *what, int which, uint64_t hash) {
    printf("%s %s %016llx\n", what, names[which], (unsigned long long)hash);
}

int main(int count, char **arguments) {
    enum { ENTRIES = 1025, POWERS = 256 };
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : 0;
    need(file != 0, "usage: layers TABLES");
    const int32_t *sigmoid = table(file, ENTRIES), *rates = table(file, SCALE_LEVELS);
    bitswap_setup(sigmoid, rates, table(file, SCALE_LEVELS));
    const int32_t *powers = table(file, POWERS);
    static const char *const kinds[] = {"numbers", "bytes", "signs"};
    for (int which = 0; which < SETS; which++) {
        const set *s = bitswap_set(which);
        for (int kind = 0; s && kind < 3; kind++) {
            uint64_t hash = EMPTY;
            if (!(kind == SIGNS ? s->signs : s->words)) continue;
            state = 3;
            for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
                if (kind == SIGNS && shapes[i].relative) continue;
                const uint64_t one = layer_hash(which, shapes + i, kind);
                hash = hashed(hash, &one, sizeof one);
            }
            print(kinds[kind], which, hash);
        }
        if (!s || !s->pixels) continue;
        state = 4;
        print("pixels", which, pixels_hash(which, s->pixels->unit, powers, 0));
        state = 5;
        print("gray", which, pixels_hash(which, s->pixels->unit, powers, 1));
    }
    return 0;
}
