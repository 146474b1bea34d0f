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

// Calls visit(where in an image its channels begin) for each tap of a window, the last axis outermost: the order in
// which the first of several equally large elements takes the gradient.
template <class Visit>
ALWAYS_INLINE void each_tap(const Geometry& g, const Range* r, Visit visit) {
    for (idx k = r[2].first; k < r[2].last; ++k)
        for (idx j = r[1].first; j < r[1].last; ++j)
            for (idx i = r[0].first; i < r[0].last; ++i)
                visit((((r[0].start + i * g.dilation[0]) * g.size[1] + r[1].start + j * g.dilation[1]) * g.size[2] +
                       r[2].start + k * g.dilation[2]) *
                      g.channels);
}

// Calls visit(image, where its outputs' channels begin, ranges of taps) for each window; images are shared out to
// threads.
template <class Visit>
void each_window(const Geometry& g, int threads, Visit visit) {
    PARALLEL(std::max<idx>(1, std::min<idx>(threads, g.images))) {
        Range r[3];
        SHARED_LOOP
        for (idx n = 0; n < g.images; ++n)
            for (idx i = 0; i < g.output[0]; ++i) {
                r[0] = taps_on_grid(g, 0, i);
                for (idx j = 0; j < g.output[1]; ++j) {
                    r[1] = taps_on_grid(g, 1, j);
                    for (idx k = 0; k < g.output[2]; ++k) {
                        r[2] = taps_on_grid(g, 2, k);
                        visit(n, ((i * g.output[1] + j) * g.output[2] + k) * g.channels, r);
                    }
                }
            }
    }
}

inline idx taps_of(const Range* r) {
    return (r[0].last - r[0].first) * (r[1].last - r[1].first) * (r[2].last - r[2].first);
}

template <class T>
void pool_max(const Geometry& g, const T* x, T* y, int threads) {
    each_window(g, threads, [&](idx n, idx at, const Range* r) {
        const T* image = x + n * g.pixels() * g.channels;
        T* to = y + n * g.outputs() * g.channels + at;
        std::fill(to, to + g.channels, -std::numeric_limits<T>::infinity());
        each_tap(g, r, [&](idx place) {
            const T* from = image + place;
            for (idx c = 0; c < g.channels; ++c) to[c] = to[c] >= from[c] ? to[c] : from[c];  // NaN stays
        });
    });
}

template <class T>
void pool_max_back(const Geometry& g, const T* gradient, const T* x, const T* y, T* dx, int threads) {
    std::fill(dx, dx + g.images * g.pixels() * g.channels, T(0));
    each_window(g, threads, [&](idx n, idx at, const Range* r) {
        const idx image = n * g.pixels() * g.channels, outputs = n * g.outputs() * g.channels + at;
        const T *from = gradient + outputs, *largest = y + outputs;
        idx left_of = taps_of(r);
        thread_local std::vector<T> left;
        left.assign(from, from + g.channels);
        T* rest = left.data();
        each_tap(g, r, [&](idx place) {
            const T* element = x + image + place;
            T* to = dx + image + place;
            const bool is_last = --left_of == 0;  // it takes what no element has taken, as of NaN
            for (idx c = 0; c < g.channels; ++c) {
                const bool takes = is_last || element[c] == largest[c];
                to[c] += takes ? rest[c] : T(0);
                rest[c] = takes ? T(0) : rest[c];
            }
        });
    });
}

template <class T>
void pool_average(const Geometry& g, const T* x, T* y, int threads) {
    each_window(g, threads, [&](idx n, idx at, const Range* r) {
        const T* image = x + n * g.pixels() * g.channels;
        T* to = y + n * g.outputs() * g.channels + at;
        std::fill(to, to + g.channels, T(0));
        each_tap(g, r, [&](idx place) {
            for (idx c = 0; c < g.channels; ++c) to[c] += image[place + c];
        });
        const T share = T(1) / T(taps_of(r));
        for (idx c = 0; c < g.channels; ++c) to[c] *= share;
    });
}

template <class T>
void pool_average_back(const Geometry& g, const T* gradient, T* dx, int threads) {
    std::fill(dx, dx + g.images * g.pixels() * g.channels, T(0));
    each_window(g, threads, [&](idx n, idx at, const Range* r) {
        const T* from = gradient + n * g.outputs() * g.channels + at;
        T* image = dx + n * g.pixels() * g.channels;
        const T share = T(1) / T(taps_of(r));
        each_tap(g, r, [&](idx place) {
            for (idx c = 0; c < g.channels; ++c) image[place + c] += share * from[c];
        });
    });
}
