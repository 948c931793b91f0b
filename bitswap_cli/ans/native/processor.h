/* What the compiler and the processor have; for the coder's kernel and for that of the models.
 *
 * A *set* of instructions has a file of its own in each kernel, whose functions are compiled for it
 * by an attribute, so that one library holds them all. `PLAIN` is what every processor of an
 * architecture has. A new set is its number, its attribute and its test here, a file, and a line in
 * the register of the kernel.
 */
#ifndef BITSWAP_PROCESSOR_H
#define BITSWAP_PROCESSOR_H

#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#define HIDDEN
#else
#define EXPORT __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden"))) /* to other files of the kernel only */
#endif

#if defined(_MSC_VER)
#define restrict __restrict
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 8") for /* UNROLL (int i = 0; i < 6; i++) .. */
#else
#define INLINE static inline
#define APART static
#define UNROLL for
#endif

/* The sets, the faster ones of a processor last; exact/kernel.py names them in this order. */
enum { PLAIN, POPCNT, AVX2, AVX512, AVXVNNI, VNNI, AMX, VPOPCNT, NEON, DOTPROD, SETS };

#if defined(__GNUC__) && !defined(PORTABLE) /* PORTABLE: C alone, for tests */
#if defined(__x86_64__)
#define X86 1
#include <immintrin.h>
#define POPCNT_TARGET __attribute__((target("popcnt")))
#define AVX2_TARGET __attribute__((target("avx2,fma,bmi,bmi2")))
#define WITH_AVX512 "avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq"
#define AVX512_TARGET __attribute__((target(WITH_AVX512)))
#define VNNI_TARGET __attribute__((target(WITH_AVX512 ",avx512vnni")))
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11
#include <cpuid.h>
#define AVXVNNI_TARGET __attribute__((target("avx2,fma,bmi,bmi2,avxvnni")))
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#define AMX_TARGET __attribute__((target(WITH_AVX512 ",avx512vnni,amx-tile,amx-int8")))
#endif
#endif
#define VPOPCNT_TARGET __attribute__((target(WITH_AVX512 ",avx512vpopcntdq")))
#elif defined(__AARCH64EL__)
#define ARM 1
#include <arm_neon.h>
#define NEON_TARGET
#if defined(__ARM_FEATURE_DOTPROD)
#define DOTPROD_TARGET
#elif !defined(__clang__) /* whose header has these intrinsics only if all files may use them */
#define DOTPROD_TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#endif
#endif
#endif

#if defined(DOTPROD_TARGET) && !defined(__ARM_FEATURE_DOTPROD) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#if defined(AVXVNNI_TARGET)
/* Sets that not all compilers know to ask for: 1 << AVXVNNI, 1 << AMX. CPUID is slow in virtual
 * machines, so the answer is kept. */
static inline int newer_sets(void) {
    enum { AVX_VNNI = 1 << 4, TILE_AND_INT8 = 3 << 24 }; /* in EAX, EDX */
    static int known = -1;
    int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (found < 0) {
        unsigned a = 0, b, c, d = 0, unused;
        __get_cpuid_count(7, 0, &unused, &b, &c, &d);
        __get_cpuid_count(7, 1, &a, &b, &c, &unused);
        found = a & AVX_VNNI ? 1 << AVXVNNI : 0;
#if defined(AMX_TARGET)
        /* Each process has to ask the system for the registers of matrices: Linux's "Using XSTATE
         * features in user space applications" has the numbers. */
        enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
        if ((d & TILE_AND_INT8) == TILE_AND_INT8 &&
            !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA))
            found |= 1 << AMX;
#endif
        __atomic_store_n(&known, found, __ATOMIC_RELAXED);
    }
    return found;
}
#endif

/* Whether the processor has a set of instructions, and the system keeps its registers. */
static inline int processor_has(int64_t set) {
#if X86
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                     __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512dq");
    if (set == POPCNT) return __builtin_cpu_supports("popcnt") != 0;
    if (set == AVX2) return avx2;
    if (set == AVX512) return avx512;
    if (set == VNNI) return avx512 && __builtin_cpu_supports("avx512vnni");
#if defined(AVXVNNI_TARGET)
    if (set == AVXVNNI) return avx2 && newer_sets() & 1 << AVXVNNI;
    if (set == AMX) return processor_has(VNNI) && newer_sets() & 1 << AMX;
#endif
    if (set == VPOPCNT) return avx512 && __builtin_cpu_supports("avx512vpopcntdq");
#elif ARM
    if (set == NEON) return 1;
#if defined(__ARM_FEATURE_DOTPROD)
    if (set == DOTPROD) return 1;
#elif defined(HWCAP_ASIMDDP)
    if (set == DOTPROD) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
#endif
    return set == PLAIN;
}

#endif
