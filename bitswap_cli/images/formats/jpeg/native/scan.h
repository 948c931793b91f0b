/* Scans of a JPEG file <-> quantized coefficients, bit for bit (ITU-T T.81, annexes F and G).

   One scan is read into the coefficients of its components (read.c), or written from them
   (write.c): sequential (baseline, extended) and progressive scans with Huffman codes, interleaved
   or not. What a reader cannot tell from the coefficients it notes down. reading.py and writing.py
   are the definition, in Python.

   Nothing here trusts its input: every symbol, position and run is checked before it is used. */

#ifndef BITSWAP_JPEG_SCAN_H
#define BITSWAP_JPEG_SCAN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "processor.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define MOST_BLOCKS 10 /* of one MCU */
#define NO_MEMORY (-1)

typedef struct {
    int32_t horizontal, vertical; /* blocks of an interleaved MCU */
    int32_t rows, columns;        /* blocks of the array, whole MCUs */
    int32_t real_rows, real_columns;
    int32_t dc, ac;               /* numbers of its tables */
    int16_t *coefficients;        /* (rows, columns, 64), in zigzag order */
} component;

typedef struct {
    int32_t components, progressive, first, last, high, low, restart;
    int32_t width, height;        /* MCUs of an interleaved scan */
    int32_t fresh;                /* no scan before it has its components: all of them are 0 */
    component component[4];
} scan;

typedef struct {
    uint8_t counts[16], symbols[256];
} table;

/* What a scan holds besides coefficients. */
typedef struct {
    int64_t units;    /* MCUs that were read, or are to be written */
    int64_t restarts; /* restart markers among them */
    int64_t end;      /* byte of the scan's data that holds the first bit not read */
    int64_t partial;  /* bits of that byte that were read */
    int64_t runs;     /* end-of-block runs */
    int64_t odd;      /* blocks that end with codes for 16 zeros */
    uint8_t *padding; /* the byte before each restart marker, the bits read set; or 0: all ones */
    uint16_t *run;    /* length of each end-of-block run, or 0: as long as can be */
    uint32_t *block;  /* 8 * number of a block + such codes, of odd ones in their order */
} notes;

INLINE int64_t units_of(const scan *s) {
    if (s->components == 1)
        return (int64_t)s->component[0].real_rows * s->component[0].real_columns;
    return (int64_t)s->width * s->height;
}

/* A walk through the MCUs of a scan: where it is, the blocks there, and the component of each. */
typedef struct {
    int64_t row, column, rows, columns;
    int blocks, owner[MOST_BLOCKS], step[MOST_BLOCKS];
    int16_t *block[MOST_BLOCKS];
} place;

INLINE void begin_row(const scan *s, place *p) {
    int alone = s->components == 1;
    p->column = p->blocks = 0;
    for (int k = 0; k < s->components; k++) {
        const component *c = s->component + k;
        int vertical = alone ? 1 : c->vertical, horizontal = alone ? 1 : c->horizontal;
        for (int y = 0; y < vertical; y++)
            for (int x = 0; x < horizontal; x++, p->blocks++) {
                int64_t number = (p->row * vertical + y) * c->columns + x;
                p->block[p->blocks] = c->coefficients + number * 64;
                p->owner[p->blocks] = k;
                p->step[p->blocks] = horizontal * 64;
            }
    }
}

INLINE place beginning(const scan *s) {
    place p = {0, 0, s->height, s->width, 0, {0}, {0}, {0}};
    if (s->components == 1)
        p.rows = s->component->real_rows, p.columns = s->component->real_columns;
    begin_row(s, &p);
    return p;
}

INLINE void step(const scan *s, place *p) {
    if (++p->column < p->columns) {
        for (int k = 0; k < p->blocks; k++) p->block[k] += p->step[k];
    } else if (++p->row < p->rows) {
        begin_row(s, p);
    }
}

/* Bit k: coefficient k of first..last is not 0 without its `low` lowest bits; 0 <= low <= 14. */
INLINE uint64_t others(const int16_t *block, int first, int last, int low) {
    int16_t bound = (int16_t)((1 << low) - 1);
    uint64_t mask = 0;
#ifdef __SSE2__
    __m128i above = _mm_set1_epi16(bound), below = _mm_set1_epi16((int16_t)-bound);
    for (int k = first & ~15; k <= last; k += 16) {
        __m128i one = _mm_loadu_si128((const __m128i *)(block + k));
        __m128i two = _mm_loadu_si128((const __m128i *)(block + k + 8));
        one = _mm_or_si128(_mm_cmpgt_epi16(one, above), _mm_cmplt_epi16(one, below));
        two = _mm_or_si128(_mm_cmpgt_epi16(two, above), _mm_cmplt_epi16(two, below));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_packs_epi16(one, two)) << k;
    }
#else
    for (int k = first; k <= last; k++)
        mask |= (uint64_t)(block[k] > bound || block[k] < -bound) << k;
#endif
    return mask & (~0ull >> (63 - last)) & (~0ull << first);
}

#endif
