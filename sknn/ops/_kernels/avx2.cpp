// x86-64 processors from about 2013 on.
#include "table.hpp"  // before the switch, lest what it includes, compiled for a newer processor, be taken for all

#ifdef SEVERAL_SETS

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,bmi2")
#endif

#define SET AVX2
#define SET_NAME "avx2"
#define VECTOR_BYTES 32
#define REGISTERS 16
#include "isa.hpp"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
