/* What the files of this kernel share. ../reference does the same in Python, and the tests compare
 * the two. Nothing here is global but constants.
 */
#ifndef BITSWAP_PACKINGS_H
#define BITSWAP_PACKINGS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

enum { ABI = 5 };
enum { DAMAGED = -1, NO_MEMORY = -3 };

EXPORT int64_t bitswap_packings_abi(void);

#endif
