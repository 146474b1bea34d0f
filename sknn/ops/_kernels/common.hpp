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
#include <utility>
#include <vector>

#include "threads.hpp"

using idx = std::ptrdiff_t;

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define INLINE_CALL __attribute__((always_inline))  // of a lambda

constexpr idx PIECE = 1 << 12;  // elements of an array that a thread takes at a time

// Multiplications that take as long as what is done to an element.
constexpr double PASS = 4, ACTIVATION = 16, UPDATE = 8, POOLING = 8;

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
