// Numbers too small for their full precision count as zero while kernels work. Processors take a hundred times as long
// for them, and the gradients behind a softmax are full of such: a step of training took two to four times as long.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

class SubnormalsAsZero {
#if defined(__x86_64__)
    static constexpr unsigned RESULTS = 1 << 15, OPERANDS = 1 << 6;  // flush to zero, denormals are zeros
    const unsigned before = _mm_getcsr();

public:
    SubnormalsAsZero() { _mm_setcsr(before | RESULTS | OPERANDS); }
    ~SubnormalsAsZero() { _mm_setcsr(before); }
#elif defined(__aarch64__)
    static constexpr unsigned long FLUSH = 1 << 24;
    unsigned long before;

public:
    SubnormalsAsZero() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        asm volatile("msr fpcr, %0" ::"r"(before | FLUSH));
    }
    ~SubnormalsAsZero() { asm volatile("msr fpcr, %0" ::"r"(before)); }
#else
public:
    SubnormalsAsZero() {}
    ~SubnormalsAsZero() {}
#endif
    SubnormalsAsZero(const SubnormalsAsZero&) = delete;
    SubnormalsAsZero& operator=(const SubnormalsAsZero&) = delete;
};
