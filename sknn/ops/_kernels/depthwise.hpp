// Depthwise convolution: each channel has filters of its own, so that vectors run over channels. Where a channel has
// several filters, it is copied for each of them when images are padded: the rest knows of one filter alone.

template <class T>
bool is_depthwise(const Geometry& g) {
    return g.groups > 1 && g.groups == g.channels && g.filters / g.channels < LANES<T>;
}

// The same grid with channels for all filters, rounded up to whole vectors.
template <class T>
Padded with_channels_of(Padded grid, idx filters) {
    grid.channels = round_up(filters, LANES<T>);
    return grid;
}

// Stores the first n elements of a vector, less than it has.
template <class T>
ALWAYS_INLINE void store_few(Vector<T> v, idx n, T* to) {
    alignas(VECTOR_BYTES) T all[LANES<T>];
    *reinterpret_cast<Vector<T>*>(all) = v;
    copy_row(all, n, to);
}

// z[m][.] = f(bias + sum over taps of a[m row_step + at[tap]][.] w[tap][.]), one vector of channels.
template <class T, int M>
ALWAYS_INLINE void depthwise_tile(const T* a, idx row_step, const idx* at, idx taps, const T* w, idx w_step,
                                  const T* bias, bool relu, T* z, idx z_step, idx width) {
    Vector<T> sum[M];
    for (int m = 0; m < M; ++m) sum[m] = load(bias);
    for (idx tap = 0; tap < taps; ++tap) {
        const Vector<T> factor = load(w + tap * w_step);
        for (int m = 0; m < M; ++m) sum[m] += load(a + at[tap] + m * row_step) * factor;
    }
    for (int m = 0; m < M; ++m) {
        const Vector<T> r = relu ? (sum[m] < Vector<T>{} ? Vector<T>{} : sum[m]) : sum[m];
        if (width >= LANES<T>)
            store(z + m * z_step, r, LANES<T>);
        else
            store_few(r, width, z + m * z_step);
    }
}

// Weights (taps, filters) and biases, filled up to whole vectors; the taps in their order, or in one of the phases.
template <class T>
struct Filters {
    idx filters, step;
    Buffer<T> weights, bias;

    Filters(const Geometry& g, const T* w, const T* b, const Phases* phases = nullptr)
        : filters(g.filters), step(round_up(filters, LANES<T>)), weights(g.taps() * step), bias(step) {
        std::fill(weights.data, weights.data + g.taps() * step, T(0));
        std::fill(bias.data, bias.data + step, T(0));
        for (idx k = 0; w && k < (phases ? idx(phases->taps.size()) : g.taps()); ++k) {
            const T* from = w + (phases ? phases->taps[k] : k) * filters;
            std::copy(from, from + filters, weights.data + k * step);
        }
        if (b) std::copy(b, b + filters, bias.data);
    }
};

// Writes results of all channels for each pixel of an image, given its grid, from a part of the taps.
template <class T>
struct DepthwiseCorrelation {
    const Padded& grid;
    const idx *output, *stride;
    Steps steps;
    const Filters<T>& w;
    Places taps;
    bool relu;

    void operator()(const T* image, T* z) const {
        for (idx i = 0; i < output[0]; ++i)
            for (idx j = 0; j < output[1]; ++j) {
                const T* from = image + grid.at(i * stride[0], j * stride[1], 0);
                T* to = z + i * steps.plane + j * steps.row;
                for (idx f = 0; f < w.filters; f += LANES<T>) row(from + f, f, to + f);
            }
    }

    void row(const T* from, idx f, T* to) const {
        const idx step = stride[2] * grid.channels;
        idx k = 0;
        for (; k + 8 <= output[2]; k += 8) pixels<8>(from + k * step, step, f, to + k * steps.pixel);
        for (; k + 4 <= output[2]; k += 4) pixels<4>(from + k * step, step, f, to + k * steps.pixel);
        for (; k < output[2]; ++k) pixels<1>(from + k * step, step, f, to + k * steps.pixel);
    }

    template <int M>
    void pixels(const T* from, idx step, idx f, T* to) const {
        depthwise_tile<T, M>(from, step, taps.begin(), taps.size(), w.weights.data + taps.from * w.step + f, w.step,
                             w.bias.data + f, relu, to, steps.pixel, w.filters - f);
    }
};

// As convolve.
template <class T>
void depthwise(const Geometry& g, const T* x, const T* w, const T* bias, bool relu, T* y, int threads) {
    const Padded grid = with_channels_of<T>(padded_input(g), g.filters);
    const bool whole = is_whole(g, grid);
    const std::vector<idx> taps = window_elements(g, grid, 1);
    const Filters<T> filters(g, w, bias);
    const Steps steps(g.output, ONCE, g.filters);
    const Places all{taps.data(), 0, g.taps()};
    const DepthwiseCorrelation<T> correlate{grid, g.output, g.stride, steps, filters, all, relu};

    share(threads, g.images, g.multiplications(), [&](Turn& turn) {
        Grids<T> space(grid, whole ? 0 : 1);
        for (idx n; turn.take(n);) {
            const T* image = x + n * g.pixels() * g.channels;
            correlate(whole ? image : space.fill(g, image, 1, g.filters / g.channels), y + n * g.outputs() * g.filters);
        }
    });
}

// sums[m][.] += sum over outputs of x[window + at[m]][.] slope[.], one vector of channels.
template <class T, int M>
void depthwise_gradient(const Source<T>& from, const idx* at, T* sums, idx sums_step) {
    Vector<T> sum[M];
    for (int m = 0; m < M; ++m) sum[m] = load(sums + m * sums_step);
    from.each_output([&](const T* a, const T* b) INLINE_CALL {
        const Vector<T> slope = load(b);
        for (int m = 0; m < M; ++m) sum[m] += load(a + at[m]) * slope;
    });
    for (int m = 0; m < M; ++m) *reinterpret_cast<Vector<T>*>(sums + m * sums_step) = sum[m];
}

// The backward pass of a depthwise convolution, image by image.
template <class T>
struct DepthwisePlan {
    const Geometry& g;
    Padded x_grid, slope_grid;
    idx at_once = 1, copies;
    Sums sums;
    Phases phases;
    std::vector<idx> x_taps;
    const T* bias;
    Filters<T> turned;

    DepthwisePlan(const Geometry& g, const Asked<T>& asked)
        : g(g),
          x_grid(with_channels_of<T>(padded_input(g), g.filters)),
          slope_grid(with_channels_of<T>(padded_slope(g), g.filters)),
          copies(g.filters / g.channels),
          sums{1, g.taps(), g.filters, x_grid.channels},
          phases(g, slope_grid),
          x_taps(window_elements(g, x_grid, 1)),
          bias(asked.bias),
          turned(g, asked.w, copies == 1 ? bias : nullptr, &phases) {}

    void add_to_weights(AtHand<T>& image, T* mine) {
        const Source<T> all = image.source(g);
        for (idx f = 0; f < g.filters; f += LANES<T>) {
            const Source<T> from = all.moved(f, f);
            idx tap = 0;
            for (; tap + 9 <= g.taps(); tap += 9) some_taps<9>(from, tap, mine + f);
            for (; tap + 3 <= g.taps(); tap += 3) some_taps<3>(from, tap, mine + f);
            for (; tap < g.taps(); ++tap) some_taps<1>(from, tap, mine + f);
        }
    }

    template <int M>
    void some_taps(const Source<T>& from, idx tap, T* mine) {
        depthwise_gradient<T, M>(from, x_taps.data() + tap, mine + tap * sums.step, sums.step);
    }

    void write_input(AtHand<T>& image, T* dx) {
        if (copies == 1) return write_copies(image, dx);
        Buffer<T> apart(g.pixels() * g.filters);
        write_copies(image, apart.data);
        for (idx at = 0; at < g.pixels() * g.channels; ++at) {
            dx[at] = bias ? bias[at % g.channels] : T(0);
            for (idx copy = 0; copy < copies; ++copy) dx[at] += apart.data[at * copies + copy];
        }
    }

    void write_copies(AtHand<T>& image, T* dx) {
        const Steps steps(g.size, g.stride, g.filters);
        phases.each([&](const idx* pixels, idx first, idx from, idx to) {
            const Places some{phases.places.data(), from, to};
            const DepthwiseCorrelation<T> correlate{slope_grid, pixels, ONCE, steps, turned, some, false};
            correlate(image.slope, dx + first * g.filters);
        });
    }
};
