/* What the test programs share: numbers that any machine draws alike, and hashes of results. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor.h"

static const char *const names[] = {"plain", "popcnt",  "avx2", "avx512", "avxvnni", "vnni",
                                    "amx",   "vpopcnt", "neon", "dotprod"}; /* processor.h */

static uint64_t state;

/* A number in low..high; splitmix64: Steele, Lea and Flood, OOPSLA 2014. */
static int32_t draw(int64_t low, int64_t high) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (int32_t)(low + (int64_t)(z % (uint64_t)(high - low + 1)));
}

/* FNV-1a, 64 bits. */
static uint64_t hashed(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *p = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static const uint64_t EMPTY = 0xcbf29ce484222325u;

static void *room(int64_t bytes) {
    void *memory = calloc((size_t)bytes + 128, 1);
    if (!memory) exit(3);
    return memory;
}

static void need(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* `count` numbers of the file of tables. */
static const int32_t *table(FILE *file, int count) {
    int32_t *numbers = room(count * (int64_t)sizeof *numbers);
    need(fread(numbers, sizeof *numbers, (size_t)count, file) == (size_t)count, "no tables");
    return numbers;
}
