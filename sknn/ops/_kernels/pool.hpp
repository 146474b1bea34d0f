// Pooling and its gradients, window by window and all channels at once. Taps beyond the grid do not count.

struct Range {  // of the taps of a window that lie on the grid, along one axis
    idx first, last, start;
};

inline Range taps_on_grid(const Geometry& g, int axis, idx output) {
    const idx start = output * g.stride[axis] - g.low[axis], step = g.dilation[axis];
    const idx first = start >= 0 ? 0 : (-start + step - 1) / step;
    const idx last = std::min(g.kernel[axis], g.size[axis] > start ? (g.size[axis] - 1 - start) / step + 1 : 0);
    return {first, std::max(first, last), start};
}

// Where in an image the channels of the taps of a window begin.
struct Taps {
    const idx* at;
    idx n;
};

// The taps of all windows, worked out once for all images: those of a window that lies on the grid as a whole are the
// same everywhere.
class PoolWindows {
    const Geometry& g;
    std::vector<Range> ranges[3];
    std::vector<idx> whole;

public:
    explicit PoolWindows(const Geometry& g) : g(g) {
        for (int axis = 0; axis < 3; ++axis)
            for (idx output = 0; output < g.output[axis]; ++output)
                ranges[axis].push_back(taps_on_grid(g, axis, output));
        const Range all[3] = {{0, g.kernel[0], 0}, {0, g.kernel[1], 0}, {0, g.kernel[2], 0}};
        list(all, whole);
    }

    // The last axis outermost: the order in which the first of several equally large elements takes the gradient.
    void list(const Range* r, std::vector<idx>& taps) const {
        taps.clear();
        for (idx k = r[2].first; k < r[2].last; ++k)
            for (idx j = r[1].first; j < r[1].last; ++j)
                for (idx i = r[0].first; i < r[0].last; ++i)
                    taps.push_back(place(r, i * g.dilation[0], j * g.dilation[1], k * g.dilation[2]));
    }
    idx place(const Range* r, idx i, idx j, idx k) const {
        return (((r[0].start + i) * g.size[1] + r[1].start + j) * g.size[2] + r[2].start + k) * g.channels;
    }

    // Calls visit(where the window begins, its taps from there, where its outputs' channels begin) for each window.
    template <class Visit>
    void each(std::vector<idx>& some, Visit visit) const {
        Range r[3];
        idx to = 0;
        for (idx i = 0; i < g.output[0]; ++i)
            for (idx j = 0; j < g.output[1]; ++j)
                for (idx k = 0; k < g.output[2]; ++k, to += g.channels) {
                    r[0] = ranges[0][i], r[1] = ranges[1][j], r[2] = ranges[2][k];
                    idx on_grid = 1;
                    for (int axis = 0; axis < 3; ++axis) on_grid *= r[axis].last - r[axis].first;
                    if (on_grid == 0) continue;
                    if (on_grid == idx(whole.size())) {
                        visit(place(r, 0, 0, 0), Taps{whole.data(), on_grid}, to);
                    } else {
                        list(r, some);
                        visit(0, Taps{some.data(), on_grid}, to);
                    }
                }
    }

    // Whether each element of the grid lies in exactly one window.
    bool tile_the_grid() const {
        for (int axis = 0; axis < 3; ++axis)
            if (g.stride[axis] != g.kernel[axis] || (g.kernel[axis] > 1 && g.dilation[axis] > 1) ||
                g.output[axis] * g.stride[axis] - g.low[axis] < g.size[axis])
                return false;
        return true;
    }
};

// N channels, worked on at a time.
template <class T, idx N>
struct Some {
    using Value = Part<T, N>;
    static ALWAYS_INLINE Value read(const T* from) { return load_part_of<N>(from); }
    static ALWAYS_INLINE void write(T* to, Value value) { store_part_of<N>(to, value); }
};

// Calls body(channel, how many from there on) for all channels: those that fill no vector by halves and quarters of one.
template <class T, class Body>
ALWAYS_INLINE void each_channel(idx channels, Body body) {
    constexpr idx whole = LANES<T>, half = std::max<idx>(1, whole / 2), quarter = std::max<idx>(1, whole / 4);
    idx c = 0;
    for (; c + whole <= channels; c += whole) body(c, Some<T, whole>{});
    for (; c + half <= channels; c += half) body(c, Some<T, half>{});
    for (; c + quarter <= channels; c += quarter) body(c, Some<T, quarter>{});
    for (; c < channels; ++c) body(c, Some<T, 1>{});
}

// Calls visit(image, where a window begins, its taps, where its outputs begin) for all windows of all images, which are
// shared out to threads; begin(image) before those of an image.
template <class Begin, class Visit>
void each_window(const Geometry& g, const PoolWindows& windows, int threads, Begin begin, Visit visit) {
    share(threads, g.images, POOLING * g.images * g.pixels() * g.channels, [&](Turn& turn) {
        std::vector<idx> some;
        for (idx n; turn.take(n);) {
            begin(n);
            windows.each(some, [&](idx start, Taps taps, idx to) { visit(n, start, taps, to); });
        }
    });
}

inline void nothing(idx) {}

template <class T>
void pool_max(const Geometry& g, const T* x, T* y, int threads) {
    const PoolWindows windows(g);
    each_window(g, windows, threads, nothing, [&](idx n, idx start, Taps taps, idx to) {
        const T* from = x + n * g.pixels() * g.channels + start;
        T* largest = y + n * g.outputs() * g.channels + to;
        each_channel<T>(g.channels, [&](idx c, auto here) INLINE_CALL {
            using Here = decltype(here);
            auto most = Here::read(from + taps.at[0] + c);
            for (idx k = 1; k < taps.n; ++k) {
                const auto other = Here::read(from + taps.at[k] + c);
                most = (other > most) | (other != other) ? other : most;  // NaN stays
            }
            Here::write(largest + c, most);
        });
    });
}

template <class T>
void pool_max_back(const Geometry& g, const T* gradient, const T* x, const T* y, T* dx, int threads) {
    const PoolWindows windows(g);
    const idx image = g.pixels() * g.channels, outputs = g.outputs() * g.channels;
    const bool once = windows.tile_the_grid();  // then each element is written by one window
    const auto begin = [&](idx n) {
        if (!once) std::fill(dx + n * image, dx + (n + 1) * image, T(0));
    };
    each_window(g, windows, threads, begin, [&](idx n, idx start, Taps taps, idx to) {
        const T *elements = x + n * image + start, *slope = gradient + n * outputs + to,
                *largest = y + n * outputs + to;
        T* into = dx + n * image + start;
        each_channel<T>(g.channels, [&](idx c, auto here) INLINE_CALL {
            using Here = decltype(here);
            using Value = typename Here::Value;
            const auto most = Here::read(largest + c);
            auto left = Here::read(slope + c);
            for (idx k = 0; k + 1 < taps.n; ++k) {
                const idx at = taps.at[k] + c;
                const auto hit = Here::read(elements + at) == most;
                const Value taken = hit ? left : Value{};
                left = hit ? Value{} : left;
                Here::write(into + at, once ? taken : Here::read(into + at) + taken);
            }
            const idx last = taps.at[taps.n - 1] + c;  // takes what no element has taken, as of NaN
            Here::write(into + last, once ? left : Here::read(into + last) + left);
        });
    });
}

template <class T>
void pool_average(const Geometry& g, const T* x, T* y, int threads) {
    const PoolWindows windows(g);
    each_window(g, windows, threads, nothing, [&](idx n, idx start, Taps taps, idx to) {
        const T* from = x + n * g.pixels() * g.channels + start;
        T* mean = y + n * g.outputs() * g.channels + to;
        const T share = T(1) / T(taps.n);
        each_channel<T>(g.channels, [&](idx c, auto here) INLINE_CALL {
            using Here = decltype(here);
            typename Here::Value sum = {};
            for (idx k = 0; k < taps.n; ++k) sum += Here::read(from + taps.at[k] + c);
            Here::write(mean + c, sum * share);
        });
    });
}

template <class T>
void pool_average_back(const Geometry& g, const T* gradient, T* dx, int threads) {
    const PoolWindows windows(g);
    const idx image = g.pixels() * g.channels;
    const bool once = windows.tile_the_grid();
    const auto begin = [&](idx n) {
        if (!once) std::fill(dx + n * image, dx + (n + 1) * image, T(0));
    };
    each_window(g, windows, threads, begin, [&](idx n, idx start, Taps taps, idx to) {
        const T* slope = gradient + n * g.outputs() * g.channels + to;
        T* into = dx + n * image + start;
        const T share = T(1) / T(taps.n);
        each_channel<T>(g.channels, [&](idx c, auto here) INLINE_CALL {
            using Here = decltype(here);
            const auto part = share * Here::read(slope + c);
            for (idx k = 0; k < taps.n; ++k) {
                T* element = into + taps.at[k] + c;
                Here::write(element, once ? part : Here::read(element) + part);
            }
        });
    });
}
