// x86-64 processors with vectors of 64 bytes.
#include "table.hpp"  // before the switch, lest what it includes, compiled for a newer processor, be taken for all

#ifdef SEVERAL_SETS

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi2"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi2,prefer-vector-width=512")
#endif

#define SET AVX512
#define SET_NAME "avx512"
#define VECTOR_BYTES 64
#define REGISTERS 32
#include "isa.hpp"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
