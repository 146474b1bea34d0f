// Convolution and its gradients, image by image: pad, multiply tiles straight from the image, and store.
//
// No patches are copied: a tile reads its pixels through a list of where the taps of a window lie. The backward pass
// takes an image through all it has to do while it is in the cache. Arrays are channels-last.

// A grid of pixels around an image, zero outside of it.
struct Padded {
    idx size[3], low[3], channels;

    idx elements() const { return size[0] * size[1] * size[2] * channels; }
    idx at(idx i, idx j, idx k) const { return ((i * size[1] + j) * size[2] + k) * channels; }
};

inline Padded padded_input(const Geometry& g) {
    return {{g.reach(0), g.reach(1), g.reach(2)}, {g.low[0], g.low[1], g.low[2]}, g.channels};
}

// The grid on which the backward pass correlates: the outputs, spread by the stride, with room for the turned kernels.
inline Padded padded_slope(const Geometry& g) {
    Padded p;
    for (int axis = 0; axis < 3; ++axis) {
        const idx span = g.dilation[axis] * (g.kernel[axis] - 1);
        p.size[axis] = std::max(g.size[axis] + span, (g.output[axis] - 1) * g.stride[axis] + 1 + span - g.low[axis]);
        p.low[axis] = span - g.low[axis];
    }
    p.channels = g.filters;
    return p;
}

template <class T>
void pad(const T* image, const idx* size, const Padded& grid, T* to) {
    std::fill(to, to + grid.elements(), T(0));
    const idx first = std::max<idx>(0, -grid.low[2]), last = std::min(size[2], grid.size[2] - grid.low[2]);
    if (last <= first) return;
    for (idx i = std::max<idx>(0, -grid.low[0]); i < std::min(size[0], grid.size[0] - grid.low[0]); ++i)
        for (idx j = std::max<idx>(0, -grid.low[1]); j < std::min(size[1], grid.size[1] - grid.low[1]); ++j) {
            const T* row = image + ((i * size[1] + j) * size[2] + first) * grid.channels;
            std::copy(row, row + (last - first) * grid.channels,
                      to + grid.at(i + grid.low[0], j + grid.low[1], first + grid.low[2]));
        }
}

// Where the elements of a window lie, tap by tap and channel by channel of a group.
inline std::vector<idx> window_elements(const Geometry& g, const Padded& grid, idx channels) {
    std::vector<idx> at;
    at.reserve(g.taps() * channels);
    for (idx i = 0; i < g.kernel[0]; ++i)
        for (idx j = 0; j < g.kernel[1]; ++j)
            for (idx k = 0; k < g.kernel[2]; ++k)
                for (idx c = 0; c < channels; ++c)
                    at.push_back(grid.at(i * g.dilation[0], j * g.dilation[1], k * g.dilation[2]) + c);
    return at;
}

// Weights of each group in panels as wide as a tile, (groups, panels, elements of a window, width); and the bias.
template <class T>
struct Panels {
    int V;
    idx width, panels, elements, groups, results;
    Buffer<T> data, bias;

    Panels(idx line_length, idx groups, idx elements, idx results)
        : V(tile_width<T>(line_length, results)),
          width(V * LANES<T>),
          panels((results + width - 1) / width),
          elements(elements),
          groups(groups),
          results(results),
          data(groups * panels * elements * width),
          bias(groups * panels * width) {
        std::fill(bias.data, bias.data + groups * panels * width, T(0));
    }
    T* of_group(idx group) { return data.data + group * panels * elements * width; }
    T* panel(idx group, idx p) { return of_group(group) + p * elements * width; }
    T* bias_of(idx group, idx p) { return bias.data + (group * panels + p) * width; }
};

// One image: all rows of outputs, for all groups and panels.
template <class T>
void correlate(const T* image, const Padded& grid, const idx* output, const idx* stride, Panels<T>& w,
               const std::vector<idx>& elements, idx channels_of_group, bool relu, T* z, idx z_step) {
    for (idx group = 0; group < w.groups; ++group)
        for (idx p = 0; p < w.panels; ++p) {
            Ends<T> ends;
            ends.bias = w.bias_of(group, p);
            ends.relu = relu;
            const idx valid = std::min(w.width, w.results - p * w.width);
            for (idx i = 0; i < output[0]; ++i)
                for (idx j = 0; j < output[1]; ++j)
                    line(w.V, output[2], image + grid.at(i * stride[0], j * stride[1], 0) + group * channels_of_group,
                         stride[2] * grid.channels, Listed{elements.data()}, w.elements, w.panel(group, p),
                         z + (i * output[1] + j) * output[2] * z_step + group * w.results + p * w.width, z_step, valid,
                         ends);
        }
}

// y = f(x * w + b). w: (taps, channels of a group, filters).
template <class T>
void convolve(const Geometry& g, const T* x, const T* w, const T* bias, bool relu, T* y, int threads) {
    const Padded grid = padded_input(g);
    const bool whole = std::equal(g.size, g.size + 3, grid.size) && !g.low[0] && !g.low[1] && !g.low[2];
    const idx channels = g.channels / g.groups, filters = g.filters / g.groups;
    const std::vector<idx> elements = window_elements(g, grid, channels);
    Panels<T> panels(g.output[2], g.groups, g.taps() * channels, filters);
    for (idx group = 0; group < g.groups; ++group) {
        pack(w + group * filters, g.filters, 1, panels.elements, filters, panels.width, panels.of_group(group));
        if (bias) std::copy(bias + group * filters, bias + (group + 1) * filters, panels.bias_of(group, 0));
    }

    PARALLEL(std::max<idx>(1, std::min<idx>(threads, g.images))) {
        Buffer<T> space(whole ? 0 : grid.elements());
        SHARED_LOOP
        for (idx n = 0; n < g.images; ++n) {
            const T* image = x + n * g.pixels() * g.channels;
            if (!whole) pad(image, g.size, grid, space.data);
            correlate(whole ? image : space.data, grid, g.output, g.stride, panels, elements, channels, relu,
                      y + n * g.outputs() * g.filters, g.filters);
        }
    }
}

// sums[m][.] += sum over pixels of x[pixel + at[m]] slope[pixel][.], the sums in registers over all pixels of an image.
template <class T, int M, int V, class Elements>
ALWAYS_INLINE void gradient_tile(const Geometry& g, const T* x, const Padded& x_grid, Elements at, const T* slope,
                                 const Padded& slope_grid, T* sums, idx sums_step) {
    constexpr idx L = LANES<T>;
    Vector<T> sum[M][V];
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = load(sums + m * sums_step + v * L);
    const idx x_step = g.stride[2] * x_grid.channels, slope_step = g.stride[2] * slope_grid.channels;
    for (idx i = 0; i < g.output[0]; ++i)
        for (idx j = 0; j < g.output[1]; ++j) {
            const T* a = x + x_grid.at(i * g.stride[0], j * g.stride[1], 0);
            const T* b = slope + slope_grid.at(i * g.stride[0], j * g.stride[1], 0);
            for (idx k = 0; k < g.output[2]; ++k, a += x_step, b += slope_step) {
                Vector<T> bk[V];
                for (int v = 0; v < V; ++v) bk[v] = load(b + v * L);
                for (int m = 0; m < M; ++m)
                    for (int v = 0; v < V; ++v) sum[m][v] += a[at[m]] * bk[v];
            }
        }
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) *reinterpret_cast<Vector<T>*>(sums + m * sums_step + v * L) = sum[m][v];
}

template <class T, int V, class Elements>
void gradient_tile_of(idx rows, const Geometry& g, const T* x, const Padded& x_grid, Elements at, const T* slope,
                      const Padded& slope_grid, T* sums, idx sums_step) {
    switch (rows) {
#define TILE(M)                                                                                                        \
    case M:                                                                                                            \
        if constexpr (M <= most_rows(V)) gradient_tile<T, M, V>(g, x, x_grid, at, slope, slope_grid, sums, sums_step); \
        break;
        TILE(1)
        TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#undef TILE
    }
}

// The gradient of the weights of a group from one image, added to sums (elements of a window, sums_step).
template <class T, int V>
void add_gradient(const Geometry& g, const T* x, const Padded& x_grid, const std::vector<idx>& elements, idx channels,
                  const T* slope, const Padded& slope_grid, idx filters, T* sums, idx sums_step) {
    // Neighbouring channels lie at regular steps, which is faster, but few of them do not fill a tile.
    const bool few = channels < 6;
    const idx run = few ? idx(elements.size()) : channels;
    const idx tiles = (run + most_rows(V) - 1) / most_rows(V);
    for (idx f = 0; f < filters; f += V * LANES<T>)
        for (idx start = 0; start < idx(elements.size()); start += run)
            for (idx t = 0; t < tiles; ++t) {
                const idx from = start + t * run / tiles, to = start + (t + 1) * run / tiles;
                T* into = sums + from * sums_step + f;
                if (few)
                    gradient_tile_of<T, V>(to - from, g, x, x_grid, Listed{elements.data() + from}, slope + f,
                                           slope_grid, into, sums_step);
                else
                    gradient_tile_of<T, V>(to - from, g, x + elements[from], x_grid, Regular{1}, slope + f, slope_grid,
                                           into, sums_step);
            }
}

// The slope in front of the activation, spread over its grid. What lies around the pixels is zero and stays so.
template <class T>
void spread_slope(const Geometry& g, const T* gradient, const T* y, bool relu, const Padded& grid, T* slope) {
    const idx F = g.filters;
    for (idx i = 0; i < g.output[0]; ++i)
        for (idx j = 0; j < g.output[1]; ++j)
            for (idx k = 0; k < g.output[2]; ++k, gradient += F, y += F) {
                T* to = slope + grid.at(i * g.stride[0] + grid.low[0], j * g.stride[1] + grid.low[1],
                                        k * g.stride[2] + grid.low[2]);
                if (relu)
                    for (idx f = 0; f < F; ++f) to[f] = y[f] > T(0) ? gradient[f] : T(0);
                else
                    std::copy(gradient, gradient + F, to);
            }
}

template <class T>
void add_pixels(const Geometry& g, const T* slope, const Padded& grid, T* sums) {
    for (idx i = 0; i < g.output[0]; ++i)
        for (idx j = 0; j < g.output[1]; ++j)
            for (idx k = 0; k < g.output[2]; ++k) {
                const T* from = slope + grid.at(i * g.stride[0], j * g.stride[1], k * g.stride[2]);
                for (idx f = 0; f < g.filters; ++f) sums[f] += from[f];
            }
}

// The kernels of the backward pass, turned around, from filters to channels.
template <class T>
void turn(const Geometry& g, const T* w, Panels<T>& panels) {
    const idx taps = g.taps(), channels = g.channels / g.groups, filters = g.filters / g.groups;
    for (idx group = 0; group < g.groups; ++group)
        for (idx tap = 0; tap < taps; ++tap)
            for (idx p = 0; p < panels.panels; ++p) {
                const idx first = p * panels.width, valid = std::min(panels.width, channels - first);
                const T* from = w + ((taps - 1 - tap) * channels + first) * g.filters + group * filters;
                pack(from, 1, g.filters, filters, valid, panels.width,
                     panels.panel(group, p) + tap * filters * panels.width);
            }
}

// In how many shares to sum the gradients of the weights: by the work, never by the number of threads, so that the
// result does not depend on that.
inline idx strands(const Geometry& g) {
    const double work = double(g.images) * g.outputs() * g.taps() * (g.channels / g.groups) * g.filters;
    idx n = 1;
    while (n < 16 && 2 * n <= g.images && work / (2 * n) > 2e7) n *= 2;
    return n;
}

// The gradients of x, w and b (each may be none) from that of y = f(x * w + b).
template <class T>
void convolve_back(const Geometry& g, const T* gradient, const T* x, const T* w, const T* y, bool relu, T* dx, T* dw,
                   T* db, int threads) {
    const Padded x_grid = padded_input(g), slope_grid = padded_slope(g);
    const idx channels = g.channels / g.groups, filters = g.filters / g.groups, window = g.taps() * channels;
    const std::vector<idx> x_elements = window_elements(g, x_grid, channels);
    const std::vector<idx> slope_elements = window_elements(g, slope_grid, filters);
    const int V = filters > LANES<T> ? 2 : 1;
    const idx width = V * LANES<T>, sums_step = (filters + width - 1) / width * width;
    const idx sums_size = g.groups * window * sums_step + g.filters;
    const idx once[3] = {1, 1, 1};
    Panels<T> turned(g.size[2], g.groups, g.taps() * filters, channels);
    if (dx) turn(g, w, turned);
    const idx n_strands = strands(g);
    Buffer<T> sums(n_strands * sums_size);
    std::fill(sums.data, sums.data + n_strands * sums_size, T(0));

    PARALLEL(std::min<idx>(threads, n_strands)) {
        Buffer<T> padded(dw ? x_grid.elements() : 0);
        Buffer<T> space(slope_grid.elements() + width);  // the last pixel is read beyond its filters
        std::fill(space.data, space.data + slope_grid.elements() + width, T(0));
        const T* pixels = space.data + slope_grid.at(slope_grid.low[0], slope_grid.low[1], slope_grid.low[2]);
        SHARED_LOOP
        for (idx strand = 0; strand < n_strands; ++strand) {
            T* mine = sums.data + strand * sums_size;
            for (idx n = strand * g.images / n_strands; n < (strand + 1) * g.images / n_strands; ++n) {
                spread_slope(g, gradient + n * g.outputs() * g.filters, y + n * g.outputs() * g.filters, relu,
                             slope_grid, space.data);
                if (db) add_pixels(g, pixels, slope_grid, mine + g.groups * window * sums_step);
                if (dw) {
                    pad(x + n * g.pixels() * g.channels, g.size, x_grid, padded.data);
                    for (idx group = 0; group < g.groups; ++group) {
                        T* into = mine + group * window * sums_step;
                        const T* a = padded.data + group * channels;
                        const T* b = pixels + group * filters;
                        if (V == 2)
                            add_gradient<T, 2>(g, a, x_grid, x_elements, channels, b, slope_grid, filters, into,
                                               sums_step);
                        else
                            add_gradient<T, 1>(g, a, x_grid, x_elements, channels, b, slope_grid, filters, into,
                                               sums_step);
                    }
                }
                if (dx)
                    correlate(space.data, slope_grid, g.size, once, turned, slope_elements, filters, false,
                              dx + n * g.pixels() * g.channels, g.channels);
            }
        }
    }
    for (idx group = 0; dw && group < g.groups; ++group)
        for (idx k = 0; k < window; ++k)
            for (idx f = 0; f < filters; ++f) {
                T sum = 0;
                for (idx t = 0; t < n_strands; ++t)
                    sum += sums.data[t * sums_size + (group * window + k) * sums_step + f];
                dw[k * g.filters + group * filters + f] = sum;
            }
    for (idx f = 0; db && f < g.filters; ++f) {
        T sum = 0;
        for (idx t = 0; t < n_strands; ++t) sum += sums.data[t * sums_size + g.groups * window * sums_step + f];
        db[f] = sum;
    }
}
