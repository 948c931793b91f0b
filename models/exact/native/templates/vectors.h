/* How templates name the functions of vectors, of which vector_1.h, vector_4.h, .. have a family
 * each: V(plus) is plus_8 where WIDTH, the numbers of a vector, is 8. */
#ifndef BITSWAP_VECTORS_H
#define BITSWAP_VECTORS_H

#define JOIN_NOW(a, b) a##_##b
#define JOIN(a, b) JOIN_NOW(a, b)
#define V(name) JOIN(name, WIDTH)
#define CLIP(a, low, high) V(least)(V(most)(a, V(fill)(low)), V(fill)(high))

#endif
