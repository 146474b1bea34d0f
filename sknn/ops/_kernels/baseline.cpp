// What every processor of the family has: 16 bytes on x86-64 and arm64.
#include "table.hpp"

#define SET BASELINE
#define SET_NAME "baseline"
#define VECTOR_BYTES 16
#if defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#include "isa.hpp"
