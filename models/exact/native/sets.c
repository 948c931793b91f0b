#include "sets.h"

HIDDEN const set *bitswap_set(int64_t which) {
    if (!processor_has(which)) return 0;
    switch (which) {
        case PLAIN: return &bitswap_plain;
#if X86
        case POPCNT: return &bitswap_popcnt;
        case AVX2: return &bitswap_avx2;
        case AVX512: return &bitswap_avx512;
#if defined(AVXVNNI_TARGET)
        case AVXVNNI: return &bitswap_avxvnni;
#endif
        case VNNI: return &bitswap_vnni;
#if defined(AMX_TARGET)
        case AMX: return &bitswap_amx;
#endif
        case VPOPCNT: return &bitswap_vpopcnt;
#elif ARM
        case NEON: return &bitswap_neon;
#if defined(DOTPROD_TARGET)
        case DOTPROD: return &bitswap_dotprod;
#endif
#endif
        default: return 0;
    }
}
