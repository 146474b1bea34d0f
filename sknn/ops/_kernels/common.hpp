// What all kernels stand on, whatever the instruction set: indices, buffers and threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <new>
#include <type_traits>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

using idx = std::ptrdiff_t;

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define INLINE_CALL __attribute__((always_inline))  // of a lambda

// Uninitialised memory, aligned to cache lines; freed at the end of the block.
template <class T>
struct Buffer {
    T* data;
    explicit Buffer(idx n) : data(static_cast<T*>(std::aligned_alloc(64, (n * sizeof(T) + 127) / 64 * 64))) {
        if (!data) throw std::bad_alloc();
    }
    ~Buffer() { std::free(data); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
};

// Threads of OpenMP, where the compiler has it. An exception must not leave such a block.
#ifdef _OPENMP
#define PRAGMA(text) _Pragma(#text)
#define PARALLEL(threads) PRAGMA(omp parallel num_threads(int(threads)))
#define SHARED_LOOP PRAGMA(omp for schedule(static))
#define WAIT_FOR_ALL PRAGMA(omp barrier)
inline int thread_number() {
    return omp_get_thread_num();
}
inline int team_size() {
    return omp_get_num_threads();
}
inline int most_threads() {
    return omp_get_max_threads();
}
#else
#define PARALLEL(threads)
#define SHARED_LOOP
#define WAIT_FOR_ALL
inline int thread_number() {
    return 0;
}
inline int team_size() {
    return 1;
}
inline int most_threads() {
    return 1;
}
#endif
