/* Memory for tables that are looked up all over. */
#ifndef BITSWAP_MIXING_PAGES_H
#define BITSWAP_MIXING_PAGES_H

#include <stdint.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { LINE = 64, PAGE = 1 << 21 }; /* bytes of a line of a cache, and of a large page */

/* Zeros, from a line of a cache on, in large pages where the system has them: looking up all over a
 * table is faster so. `all` is what to free; NULL: there is no memory. */
static inline char *zeros(size_t size, void **all) {
    const size_t unit = size < PAGE ? LINE : PAGE;
    *all = calloc(size + unit, 1);
    if (!*all) return NULL;
    char *begin = (char *)*all + (unit - 1 - ((uintptr_t)*all + unit - 1) % unit);
#if defined(MADV_HUGEPAGE)
    if (size >= PAGE) madvise(begin, size / PAGE * PAGE, MADV_HUGEPAGE);
#endif
    return begin;
}

#endif
