// Sums along lines of elements, and what is made of them: several lines at a time, so that they share what is read for
// each column, and what is added up for it. Stretches are added up in the precision of the elements, what comes of them
// in float64.

constexpr int LINES = 2;             // at a time
constexpr idx ADDED_UP = 1024;       // elements of a line, before their sum goes on in float64
constexpr idx LINES_ADDED_UP = 64;   // before the sums of columns go on in float64

template <class T, idx N>
struct PartOf {
    typedef T type __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <class T, idx N>
using Part = typename PartOf<T, N>::type;  // of a vector, since short lines fill none

template <idx N, class T>
ALWAYS_INLINE Part<T, N> load_part_of(const T* from) {
    return *reinterpret_cast<const Part<T, N>*>(from);
}

template <idx N, class T>
ALWAYS_INLINE void store_part_of(T* to, Part<T, N> v) {
    *reinterpret_cast<Part<T, N>*>(to) = v;
}

// Copies a short row, of which a vector need not be filled.
template <class T>
ALWAYS_INLINE void copy_row(const T* from, idx n, T* to) {
    idx j = 0;
    const auto copy = [&](auto lanes) INLINE_CALL {
        constexpr idx N = decltype(lanes)::value;
        for (; j + N <= n; j += N) store_part_of<N>(to + j, load_part_of<N>(from + j));
    };
    copy(std::integral_constant<idx, LANES<T>>{});
    copy(std::integral_constant<idx, std::max<idx>(1, LANES<T> / 4)>{});
    copy(std::integral_constant<idx, 1>{});
}

// Adds a short row to another.
template <class T>
ALWAYS_INLINE void add_row(const T* from, idx n, T* to) {
    idx j = 0;
    for (; j + LANES<T> <= n; j += LANES<T>) store(to + j, load(to + j) + load(from + j), LANES<T>);
    for (; j < n; ++j) to[j] += from[j];
}

// The sum of all lanes.
template <class T, idx N>
ALWAYS_INLINE T total(Part<T, N> v) {
    if constexpr (N == 1) {
        return v[0];
    } else {
        Part<T, N / 2> halves[2];
        std::memcpy(halves, &v, sizeof v);
        return total<T, N / 2>(halves[0] + halves[1]);
    }
}

// A number for each of R lines, in all lanes.
template <class T, idx N, int R>
struct Numbers {
    Part<T, N> of[R];
    ALWAYS_INLINE explicit Numbers(const T* numbers) {
        for (int r = 0; r < R; ++r) of[r] = Part<T, N>{} + numbers[r];
    }
};

// Calls body(lanes, from, to) for stretches of a line, N lanes at a time; one at a time where these do not fit.
template <idx N, class Body>
ALWAYS_INLINE void each_stretch(idx length, Body body) {
    const idx whole = length / N * N;
    for (idx from = 0; from < whole; from += ADDED_UP)
        body(std::integral_constant<idx, N>{}, from, std::min(whole, from + ADDED_UP));
    if (whole < length) body(std::integral_constant<idx, 1>{}, whole, length);
}

// R lines side by side, and what is done to them. Of numbers there is one for each.
template <class T, idx N, int R>
struct Lines {
    static constexpr int count = R;
    idx step, length;

    template <idx n>
    ALWAYS_INLINE Part<T, n> at(const T* x, int r, idx j) const {
        return load_part_of<n>(x + r * step + j);
    }

    // Adds the elements of each up.
    void add(const T* x, double* sums) const {
        each_stretch<N>(length, [=](auto lanes, idx from, idx to) INLINE_CALL {
            constexpr idx n = decltype(lanes)::value;
            Part<T, n> sum[R] = {};
            for (idx j = from; j < to; j += n)
                for (int r = 0; r < R; ++r) sum[r] += at<n>(x, r, j);
            for (int r = 0; r < R; ++r) sums[r] += total<T, n>(sum[r]);
        });
    }

    // Adds up how far the elements are from a centre, and the squares of that.
    void add_apart(const T* x, const T* centre, double* sums, double* squares) const {
        each_stretch<N>(length, [=](auto lanes, idx from, idx to) INLINE_CALL {
            constexpr idx n = decltype(lanes)::value;
            const Numbers<T, n, R> middle(centre);
            Part<T, n> sum[R] = {}, square[R] = {};
            for (idx j = from; j < to; j += n)
                for (int r = 0; r < R; ++r) {
                    const Part<T, n> apart = at<n>(x, r, j) - middle.of[r];
                    sum[r] += apart;
                    square[r] += apart * apart;
                }
            for (int r = 0; r < R; ++r) {
                sums[r] += total<T, n>(sum[r]);
                squares[r] += total<T, n>(square[r]);
            }
        });
    }

    // y = (x - mean) scale gain + shift.
    void write(const T* x, const T* mean, const T* scale, const T* gain, const T* shift, T* y) const {
        each_stretch<N>(length, [=](auto lanes, idx from, idx to) INLINE_CALL {
            constexpr idx n = decltype(lanes)::value;
            const Numbers<T, n, R> middle(mean), unit(scale);
            for (idx j = from; j < to; j += n) {
                const Part<T, n> by = load_part_of<n>(gain + j), plus = load_part_of<n>(shift + j);
                for (int r = 0; r < R; ++r)
                    store_part_of<n>(y + r * step + j, (at<n>(x, r, j) - middle.of[r]) * unit.of[r] * by + plus);
            }
        });
    }

    // Adds up g gain and g gain (x - mean) of each line; and of all lines g and g (x - mean) scale, for each column.
    void add_gradients(const T* g, const T* x, const T* mean, const T* scale, const T* gain, double* plain,
                       double* apart, T* to_gain, T* to_shift) const {
        each_stretch<N>(length, [=](auto lanes, idx from, idx to) INLINE_CALL {
            constexpr idx n = decltype(lanes)::value;
            const Numbers<T, n, R> middle(mean), unit(scale);
            Part<T, n> sum[R] = {}, product[R] = {};
            for (idx j = from; j < to; j += n) {
                const Part<T, n> by = load_part_of<n>(gain + j);
                Part<T, n> gains = load_part_of<n>(to_gain + j), shifts = load_part_of<n>(to_shift + j);
                for (int r = 0; r < R; ++r) {
                    const Part<T, n> slope = at<n>(g, r, j), off = at<n>(x, r, j) - middle.of[r];
                    const Part<T, n> inside = slope * by;
                    sum[r] += inside;
                    product[r] += inside * off;
                    gains += slope * (off * unit.of[r]);
                    shifts += slope;
                }
                store_part_of<n>(to_gain + j, gains);
                store_part_of<n>(to_shift + j, shifts);
            }
            for (int r = 0; r < R; ++r) {
                plain[r] += total<T, n>(sum[r]);
                apart[r] += total<T, n>(product[r]);
            }
        });
    }

    // dx = (g gain - alike - (x - mean) along) scale.
    void write_gradients(const T* g, const T* x, const T* mean, const T* scale, const T* gain, const T* alike,
                         const T* along, T* dx) const {
        each_stretch<N>(length, [=](auto lanes, idx from, idx to) INLINE_CALL {
            constexpr idx n = decltype(lanes)::value;
            const Numbers<T, n, R> middle(mean), unit(scale), even(alike), tilt(along);
            for (idx j = from; j < to; j += n) {
                const Part<T, n> by = load_part_of<n>(gain + j);
                for (int r = 0; r < R; ++r) {
                    const Part<T, n> off = at<n>(x, r, j) - middle.of[r], inside = at<n>(g, r, j) * by - even.of[r];
                    store_part_of<n>(dx + r * step + j, (inside - off * tilt.of[r]) * unit.of[r]);
                }
            }
        });
    }
};

// One number for all of R lines.
template <class T, int R>
struct Alike {
    T values[R];
    explicit Alike(T number) { std::fill(values, values + R, number); }
};

// Calls body(lines, where they begin) for the lines that make up [from, to), of which the last may be shorter.
template <class T, idx N, class Body>
ALWAYS_INLINE void each_lines(idx from, idx to, idx length, Body body) {
    idx at = from;
    for (; at + LINES * length <= to; at += LINES * length) body(Lines<T, N, LINES>{length, length}, at);
    for (; at < to; at += length) body(Lines<T, N, 1>{length, std::min(length, to - at)}, at);
}

// Calls body(lanes) with as many as suit lines of such a length: what fills no vector is done one at a time.
template <class T, class Body>
void with_lanes(idx length, Body body) {
    constexpr idx whole = LANES<T>, half = std::max<idx>(1, whole / 2), quarter = std::max<idx>(1, whole / 4);
    const auto cost = [=](idx lanes) { return length / lanes + length % lanes; };
    if (cost(whole) <= std::min(cost(half), cost(quarter)))
        body(std::integral_constant<idx, whole>{});
    else if (cost(half) <= cost(quarter))
        body(std::integral_constant<idx, half>{});
    else
        body(std::integral_constant<idx, quarter>{});
}
