#include "sets.h"

static const set *const sets[SETS] = {
    [PLAIN] = &bitswap_plain,
#if X86
    [POPCNT] = &bitswap_popcnt,
    [AVX2] = &bitswap_avx2,
    [AVX512] = &bitswap_avx512,
    [VNNI] = &bitswap_vnni,
    [VPOPCNT] = &bitswap_vpopcnt,
#elif ARM
    [NEON] = &bitswap_neon,
#if defined(DOTPROD_TARGET)
    [DOTPROD] = &bitswap_dotprod,
#endif
#endif
};

HIDDEN const set *bitswap_set(int64_t which) {
    return which >= 0 && which < SETS && processor_has(which) ? sets[which] : 0;
}
