// The heart of every product: a tile of M rows by V vectors of results, held in registers.
//
// This file and those below it are compiled once for each instruction set (see isa.hpp), in a namespace of its own.

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
    typedef float type __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
};
template <>
struct VectorOf<double> {
    typedef double type __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr idx LANES = VECTOR_BYTES / sizeof(T);

// How many vectors of results a tile may hold: the registers, less those for the operands.
constexpr idx ACCUMULATORS = REGISTERS == 32 ? 28 : 12;

// The most rows of a tile that is V vectors wide.
constexpr idx most_rows(int V) {
    return ACCUMULATORS / V < 14 ? ACCUMULATORS / V : 14;
}

template <class T>
ALWAYS_INLINE Vector<T> load(const T* from) {
    return *reinterpret_cast<const Vector<T>*>(from);
}

template <class T>
ALWAYS_INLINE Vector<T> load_part(const T* from, idx n) {
    Vector<T> part = {};
    std::memcpy(&part, from, std::min(n, LANES<T>) * sizeof(T));
    return part;
}

template <class T>
ALWAYS_INLINE void store(T* to, Vector<T> v, idx n) {
    if (n >= LANES<T>)
        *reinterpret_cast<Vector<T>*>(to) = v;
    else if (n > 0)
        std::memcpy(to, &v, n * sizeof(T));
}

// Keeps a product from melting into the addition after it, where each is to be rounded on its own.
template <class V>
ALWAYS_INLINE V rounded(V product) {
#if defined(__x86_64__)
    __asm__("" : "+x"(product));
#elif defined(__aarch64__)
    __asm__("" : "+w"(product));
#else
    __asm__("" : "+m"(product));
#endif
    return product;
}

// Where a row's element k lies: at regular steps, or as listed.
struct Regular {
    idx step;
    idx operator[](idx k) const { return k * step; }
};
struct Listed {
    const idx* at;
    idx operator[](idx k) const { return at[k]; }
};

// What happens around the sum: what it starts from, and what is done to it in the end.
template <class T>
struct Ends {
    const T* bias = nullptr;  // as wide as the tile, or none
    bool add = false;         // to what is there
    bool relu = false;
};

// z[m][.] = f(start[m start_step + .] + sum over k of a[m row_step + elements[k]] b[k b_step + .]), f(r) being no
// less than floor.
template <class T, int M, int V, class Elements>
ALWAYS_INLINE void tile(const T* a, idx row_step, Elements elements, idx n, const T* b, idx b_step, const T* start,
                        idx start_step, T floor, T* z, idx z_step) {
    constexpr idx L = LANES<T>;
    Vector<T> sum[M][V];
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = load(start + m * start_step + v * L);
    for (idx k = 0; k < n; ++k) {
        const T* ak = a + elements[k];
        Vector<T> bk[V];
        for (int v = 0; v < V; ++v) bk[v] = load(b + k * b_step + v * L);
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) sum[m][v] += ak[m * row_step] * bk[v];
    }
    const Vector<T> least = Vector<T>{} + floor;
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v)  // NaN stays
            store(z + m * z_step + v * L, sum[m][v] < least ? least : sum[m][v], L);
}

template <class T, int V, class Elements>
inline void tile_of(idx rows, const T* a, idx row_step, Elements elements, idx n, const T* b, idx b_step,
                    const T* start, idx start_step, T floor, T* z, idx z_step) {
    switch (rows) {
#define TILE(M)                                                                                      \
    case M:                                                                                          \
        if constexpr (M <= most_rows(V))                                                             \
            tile<T, M, V>(a, row_step, elements, n, b, b_step, start, start_step, floor, z, z_step); \
        break;
        TILE(1)
        TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#undef TILE
    }
}

template <class T>
inline void copy_rows(idx rows, idx width, const T* from, idx from_step, T* to, idx to_step) {
    for (idx m = 0; m < rows; ++m) std::memcpy(to + m * to_step, from + m * from_step, width * sizeof(T));
}

// A tile, also one that is filled in part only: that is computed aside, where what lies beside its width is of no
// account.
template <class T, int V, class Elements>
inline void whole_or_part(idx rows, const T* a, idx row_step, Elements elements, idx n, const T* b, idx b_step, T* z,
                          idx z_step, idx width, Ends<T> ends) {
    constexpr idx full = V * LANES<T>;
    static const T zeros[full] = {};
    const T floor = ends.relu ? T(0) : -std::numeric_limits<T>::infinity();
    alignas(VECTOR_BYTES) T aside[most_rows(V) * full];
    const bool part = width < full;
    if (part && ends.add) copy_rows(rows, width, z, z_step, aside, full);
    T* to = part ? aside : z;
    const idx to_step = part ? full : z_step;
    const T* start = ends.add ? to : ends.bias ? ends.bias : zeros;
    tile_of<T, V>(rows, a, row_step, elements, n, b, b_step, start, ends.add ? to_step : 0, floor, to, to_step);
    if (part) copy_rows(rows, width, aside, full, z, z_step);
}

constexpr idx LONG = 256;  // elements of a row, of which the processor foresees the others

// Asks for rows of memory, so that they are in the cache by the time that they are read, or written.
template <class T>
ALWAYS_INLINE void fetch(idx rows, idx n, const T* from, idx step) {
    constexpr idx LINE = 64 / sizeof(T);
    for (idx m = 0; m < rows; ++m)
        for (idx k = 0; k < n; k += LINE) __builtin_prefetch(from + m * step + k);
}

// A line of rows, cut into tiles of nearly the same height.
template <class T, int V, class Elements>
inline void line_of(idx rows, const T* a, idx row_step, Elements elements, idx n, const T* b, idx b_step, T* z,
                    idx z_step, idx width, Ends<T> ends) {
    const idx tiles = (rows + most_rows(V) - 1) / most_rows(V);
    for (idx t = 0, first = 0; t < tiles; ++t) {
        const idx next = (t + 1) * rows / tiles;
        if (t + 1 < tiles) {
            const idx coming = (t + 2) * rows / tiles - next;
            fetch(coming, width, z + next * z_step, z_step);
            if constexpr (std::is_same_v<Elements, Regular>)
                if (elements.step == 1) fetch(coming, std::min(n, LONG), a + next * row_step, row_step);
        }
        whole_or_part<T, V>(next - first, a + first * row_step, row_step, elements, n, b, b_step, z + first * z_step,
                            z_step, width, ends);
        first = next;
    }
}

// The same for tiles V vectors wide; b has rows b_step apart, or is a panel as wide as the tile.
template <class T, class Elements>
inline void line(int V, idx rows, const T* a, idx row_step, Elements elements, idx n, const T* b, idx b_step, T* z,
                 idx z_step, idx width, Ends<T> ends) {
    if (V == 4) line_of<T, 4>(rows, a, row_step, elements, n, b, b_step, z, z_step, width, ends);
    if (V == 2) line_of<T, 2>(rows, a, row_step, elements, n, b, b_step, z, z_step, width, ends);
    if (V == 1) line_of<T, 1>(rows, a, row_step, elements, n, b, b_step, z, z_step, width, ends);
}
template <class T, class Elements>
inline void line(int V, idx rows, const T* a, idx row_step, Elements elements, idx n, const T* panel, T* z, idx z_step,
                 idx width, Ends<T> ends) {
    line(V, rows, a, row_step, elements, n, panel, V * LANES<T>, z, z_step, width, ends);
}

// How wide tiles should be, for so many rows in a line and so many results in a row.
template <class T>
inline int tile_width(idx rows, idx results) {
    const idx vectors = (results + LANES<T> - 1) / LANES<T>;
    if (vectors >= 4 && rows <= most_rows(4)) return 4;
    return vectors >= 2 ? 2 : 1;
}

// Every other element from each of two vectors: of their first halves, or of their second ones.
template <class T, idx FROM, std::size_t... I>
ALWAYS_INLINE Vector<T> by_turns(Vector<T> a, Vector<T> b, std::index_sequence<I...>) {
    return Vector<T>{(I % 2 ? b : a)[FROM + I / 2]...};
}

// to[k to_step + j] = from[j from_step + k] for as many k and j as a vector has elements; 0 where j is not among the
// valid. As long cards are shuffled in the same way: each time, the number of a card is turned by one bit.
template <class T>
inline void transpose(const T* from, idx from_step, idx valid, T* to, idx to_step) {
    constexpr idx L = LANES<T>;
    constexpr auto places = std::make_index_sequence<L>();
    Vector<T> lines[L];
    for (idx j = 0; j < L; ++j) lines[j] = j < valid ? load(from + j * from_step) : Vector<T>{};
    for (idx times = 1; times < L; times *= 2) {
        Vector<T> shuffled[L];
        for (idx i = 0; i < L / 2; ++i) {
            shuffled[2 * i] = by_turns<T, 0>(lines[i], lines[i + L / 2], places);
            shuffled[2 * i + 1] = by_turns<T, L / 2>(lines[i], lines[i + L / 2], places);
        }
        std::copy(shuffled, shuffled + L, lines);
    }
    for (idx k = 0; k < L; ++k) store(to + k * to_step, lines[k], L);
}

// Copies b (n, valid), whose element (k, j) is at b[k k_step + j j_step], into a panel (n, width), filled up with
// zeros. Its precision S is that of the panel or lower.
template <class S, class T>
inline void pack_panel(const S* b, idx k_step, idx j_step, idx n, idx valid, idx width, T* panel) {
    idx k = 0;
    if constexpr (std::is_same_v<S, T>)
        if (k_step == 1 && j_step != 1 && width % LANES<T> == 0 && 2 * valid >= LANES<T>)
            for (; k + LANES<T> <= n; k += LANES<T>)
                for (idx j = 0; j < width; j += LANES<T>)
                    transpose(b + k + j * j_step, j_step, valid - j, panel + k * width + j, width);
    for (; k < n; ++k) {
        const S* source = b + k * k_step;
        T* to = panel + k * width;
        if constexpr (std::is_same_v<S, T>)
            if (j_step == 1 && valid == width && width % LANES<T> == 0) {
                for (idx j = 0; j < width; j += LANES<T>) store(to + j, load(source + j), LANES<T>);
                continue;
            }
        if (j_step == 1)
            std::copy(source, source + valid, to);
        else
            for (idx j = 0; j < valid; ++j) to[j] = source[j * j_step];
        std::fill(to + valid, to + width, T(0));
    }
}

// The same for b (n, results) and panels as wide as a tile: (panels, n, V vectors).
template <class S, class T>
inline void pack(const S* b, idx k_step, idx j_step, idx n, idx results, idx width, T* panels) {
    for (idx from = 0; from < results; from += width, panels += n * width)
        pack_panel(b + from * j_step, k_step, j_step, n, std::min(width, results - from), width, panels);
}
