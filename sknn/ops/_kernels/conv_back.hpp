// The gradients of a convolution. A few images at a time go through all there is to do while they are in the cache:
// the slope in front of the activation, what it adds to the gradients of weights and biases, and the gradient of x,
// which is the correlation of that slope with the kernels turned around, phase by phase of the stride.

// What is asked for: gradients of x, w and b (each may be none) from that of y = f(x * w + b). To that of x a bias may
// be added, which makes it a transposed convolution.
template <class T>
struct Asked {
    const T *gradient, *x, *w, *y;
    bool relu;
    const T* bias;
    T *dx, *dw, *db;
};

// The grid on which the backward pass correlates: the outputs, with room for the turned kernels.
inline Padded padded_slope(const Geometry& g) {
    Padded p;
    for (int axis = 0; axis < 3; ++axis) {
        const idx span = g.dilation[axis] * (g.kernel[axis] - 1);
        p.low[axis] = (span - g.low[axis]) / g.stride[axis];
        p.size[axis] = p.low[axis] + std::max(g.output[axis], (g.size[axis] - 1 + g.low[axis]) / g.stride[axis] + 1);
    }
    p.channels = g.filters;
    return p;
}

// How many elements it had if the outputs were as far apart as the strides. Images go through the backward pass
// together as if they were: the sums of biases are rounded image by image.
inline idx elements_far_apart(const Geometry& g) {
    idx n = g.filters;
    for (int axis = 0; axis < 3; ++axis) {
        const idx span = g.dilation[axis] * (g.kernel[axis] - 1);
        n *= std::max(g.size[axis] + span, (g.output[axis] - 1) * g.stride[axis] + 1 + span - g.low[axis]);
    }
    return n;
}

// The pixels of x, by their positions modulo the stride: each of these phases meets taps of its own, and its gradient
// is a correlation, by stride 1, of the slopes with these. Where the first pixel of a phase meets an output with a tap,
// the m-th one after it meets the m-th output after that; the last taps meet the first outputs.
struct Phases {
    const Geometry& g;
    idx number[3];            // of phases along each axis
    std::vector<idx> taps;    // of all phases, one after the other
    std::vector<idx> places;  // where on the grid of the slopes lies the output that a tap meets first
    std::vector<idx> begins;  // of each phase among the taps, and the end of the last

    Phases(const Geometry& g, const Padded& grid) : g(g) {
        for (int axis = 0; axis < 3; ++axis) number[axis] = std::min(g.stride[axis], g.size[axis]);
        taps.reserve(g.taps());
        places.reserve(g.taps());
        begins.reserve(number[0] * number[1] * number[2] + 1);
        for (idx i = 0; i < number[0]; ++i)
            for (idx j = 0; j < number[1]; ++j)
                for (idx k = 0; k < number[2]; ++k) {
                    const idx first[3] = {i, j, k};
                    begins.push_back(idx(taps.size()));
                    add(first, grid);
                }
        begins.push_back(idx(taps.size()));
    }

    void add(const idx* first, const Padded& grid) {
        idx tap[3], place[3];
        const auto meets = [&](int axis) {
            const idx far = first[axis] + g.low[axis] - tap[axis] * g.dilation[axis];
            place[axis] = far / g.stride[axis] + grid.low[axis];
            return far % g.stride[axis] == 0;
        };
        for (tap[0] = g.kernel[0] - 1; tap[0] >= 0; --tap[0])
            for (tap[1] = g.kernel[1] - 1; meets(0) && tap[1] >= 0; --tap[1])
                for (tap[2] = g.kernel[2] - 1; meets(1) && tap[2] >= 0; --tap[2])
                    if (meets(2)) {
                        taps.push_back((tap[0] * g.kernel[1] + tap[1]) * g.kernel[2] + tap[2]);
                        places.push_back(grid.at(place[0], place[1], place[2]));
                    }
    }

    // Calls visit(how many pixels along each axis, the first one, its taps from one to another).
    template <class Visit>
    void each(Visit visit) const {
        const idx* begin = begins.data();
        for (idx i = 0; i < number[0]; ++i)
            for (idx j = 0; j < number[1]; ++j)
                for (idx k = 0; k < number[2]; ++k, ++begin) {
                    const idx count[3] = {pixels(0, i), pixels(1, j), pixels(2, k)};
                    visit(count, (i * g.size[1] + j) * g.size[2] + k, begin[0], begin[1]);
                }
    }
    idx pixels(int axis, idx first) const { return (g.size[axis] - first + g.stride[axis] - 1) / g.stride[axis]; }
};

// In how many shares to sum the gradients of the weights: by the work, never by the number of threads, so that the
// result does not depend on that. Each share has so many outputs that it is little to add the sums of all up.
inline idx strands(const Geometry& g) {
    const auto worth_while = [&](idx n) {
        return n <= g.images && g.multiplications() / n > 2e6 && g.images * g.outputs() / n >= 256;
    };
    idx n = 1;
    while (n < 16 && worth_while(2 * n)) n *= 2;
    return n;
}

// The gradients of weights (groups, elements of a window, filters of a group, rounded up) and biases, as a strand sums
// them.
struct Sums {
    idx groups, window, filters, step;

    idx weights() const { return groups * window * step; }
    idx size() const { return weights() + round_up(groups * filters, VECTOR_BYTES); }
};

// Adds up what the strands have found.
template <class T>
void total(const Sums& shape, const T* sums, idx n_strands, T* dw, T* db, int threads) {
    const idx strand = shape.size(), all_filters = shape.groups * shape.filters;
    const auto add_up = [=](const T* from, idx n, T* to) {
        std::copy(from, from + n, to);
        for (idx s = 1; s < n_strands; ++s) {
            #pragma GCC ivdep
            for (idx f = 0; f < n; ++f) to[f] += from[s * strand + f];
        }
    };
    if (db) add_up(sums + shape.weights(), all_filters, db);
    if (!dw) return;
    const idx rows = shape.groups * shape.window, some = std::max<idx>(1, PIECE / shape.filters);
    share_stretches(threads, rows, some, PASS * n_strands * rows * shape.filters, [=](idx from, idx to) {
        for (idx row = from; row < to; ++row) {
            const idx group = row / shape.window, k = row % shape.window;
            add_up(sums + row * shape.step, shape.filters, dw + k * all_filters + group * shape.filters);
        }
    });
}

// The slope in front of the activation, of the outputs from `at` on, laid on its grid. What lies around them is zero
// and stays so.
template <class T>
void lay_slope(const Geometry& g, const T* gradient, const T* y, bool relu, const Padded& grid, idx at, T* slope) {
    const bool dense = grid.channels == g.filters;  // then a row is in one piece
    const idx pieces = dense ? 1 : g.output[2], length = g.outputs() ? g.output[2] / pieces * g.filters : 0;
    slope += grid.origin();
    for (idx i = 0; i < g.output[0]; ++i)
        for (idx j = 0; j < g.output[1]; ++j)
            for (idx k = 0; k < pieces; ++k, at += length) {
                T* to = slope + grid.at(i, j, k);
                if (relu)
                    for (idx f = 0; f < length; ++f) to[f] = y[at + f] > T(0) ? gradient[at + f] : T(0);
                else if (dense)
                    std::copy(gradient + at, gradient + at + length, to);
                else
                    copy_row(gradient + at, length, to);
            }
}

// Pixels and slopes of some images, from which a gradient of weights is summed.
template <class T>
struct Source {
    const Geometry& g;
    idx images;
    const T* x;
    const Padded& x_grid;
    const T* slope;
    const Padded& slope_grid;

    // Calls visit(where a window begins in x, its slope) for each output.
    template <class Visit>
    ALWAYS_INLINE void each_output(Visit visit) const {
        const idx x_step = g.stride[2] * x_grid.channels, slope_step = slope_grid.channels;
        for (idx n = 0; n < images; ++n)
            for (idx i = 0; i < g.output[0]; ++i)
                for (idx j = 0; j < g.output[1]; ++j) {
                    const T* a = x + n * x_grid.elements() + x_grid.at(i * g.stride[0], j * g.stride[1], 0);
                    const T* b = slope + n * slope_grid.elements() + slope_grid.at(i, j, 0);
                    for (idx k = 0; k < g.output[2]; ++k, a += x_step, b += slope_step) visit(a, b);
                }
    }
    Source moved(idx x_by, idx slope_by) const { return {g, images, x + x_by, x_grid, slope + slope_by, slope_grid}; }
};

// sums += the slopes of all outputs; whole vectors are read and written.
template <class T>
void add_slopes(const Source<T>& from, T* sums) {
    for (idx f = 0; f < from.g.filters; f += LANES<T>) {
        Vector<T> sum = {};
        from.moved(0, f).each_output([&](const T*, const T* slope) INLINE_CALL { sum += load(slope); });
        *reinterpret_cast<Vector<T>*>(sums + f) = load(sums + f) + sum;
    }
}

// Whether the slopes are read where they lie: they need no grid, and fill the vectors that are read of them.
template <class T>
bool lie_ready(const Geometry& g, const Asked<T>& asked, const Padded& grid) {
    return !asked.relu && std::equal(g.output, g.output + 3, grid.size) && !grid.origin() &&
           grid.channels == g.filters && g.filters / g.groups % (2 * LANES<T>) == 0;
}

// The grids of the images at hand: their pixels, and their slopes.
template <class T>
struct AtHand {
    Grids<T> pixels, slopes;
    bool ready;
    idx first = 0, count = 0;
    const T *x = nullptr, *slope = nullptr;  // the grids, or the arrays themselves where these need none

    // The last pixel is read beyond its filters.
    AtHand(const Padded& x_grid, const Padded& slope_grid, idx images, bool ready)
        : pixels(x_grid, images), slopes(slope_grid, ready ? 0 : images, 4 * LANES<T>), ready(ready) {}

    void take(const Geometry& g, const Asked<T>& asked, idx from, idx n, idx copies) {
        first = from, count = n;
        slope = ready ? asked.gradient + first * g.outputs() * g.filters : slopes.of(0);
        for (idx image = 0; !ready && image < count; ++image) {
            const idx at = (first + image) * g.outputs() * g.filters;
            lay_slope(g, asked.gradient, asked.y, asked.relu, slopes.grid, at, slopes.of(image));
        }
        if (!asked.dw) return;
        const T* images = asked.x + first * g.pixels() * g.channels;
        x = is_whole(g, pixels.grid) ? images : pixels.fill(g, images, count, copies);
    }
    Source<T> source(const Geometry& g) {
        return {g, count, x, pixels.grid, slope + slopes.grid.origin(), slopes.grid};
    }
};

// Goes through all images, strand by strand, by a plan that says what to do with those at hand.
template <class T, class Plan>
void by_strands(const Geometry& g, const Asked<T>& asked, Plan& plan, int threads) {
    const Sums& shape = plan.sums;
    const idx n_strands = strands(g);
    Buffer<T> sums(n_strands * shape.size());
    std::fill(sums.data, sums.data + n_strands * shape.size(), T(0));

    share(threads, n_strands, 2 * g.multiplications(), [&](Turn& turn) {
        AtHand<T> at_hand(plan.x_grid, plan.slope_grid, plan.at_once, lie_ready(g, asked, plan.slope_grid));
        for (idx strand; turn.take(strand);) {
            T* mine = sums.data + strand * shape.size();
            const idx begin = strand * g.images / n_strands, all = (strand + 1) * g.images / n_strands - begin;
            const idx bundles = (all + plan.at_once - 1) / plan.at_once;
            for (idx bundle = 0; bundle < bundles; ++bundle) {
                const idx first = bundle * all / bundles, count = (bundle + 1) * all / bundles - first;
                at_hand.take(g, asked, begin + first, count, plan.copies);
                if (asked.db) add_slopes(at_hand.source(g), mine + shape.weights());
                if (asked.dw) plan.add_to_weights(at_hand, mine);
                if (asked.dx) plan.write_input(at_hand, asked.dx + at_hand.first * g.pixels() * g.channels);
            }
        }
    });
    total(shape, sums.data, n_strands, asked.dw, asked.db, threads);
}

// sums[m][.] += sum over outputs of x[window + at[m]] slope[.], the sums in registers over all of them.
template <class T, int M, int V, class Elements>
ALWAYS_INLINE void gradient_tile(const Source<T>& from, Elements at, T* sums, idx sums_step) {
    constexpr idx L = LANES<T>;
    Vector<T> sum[M][V];
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = load(sums + m * sums_step + v * L);
    from.each_output([&](const T* a, const T* b) INLINE_CALL {
        Vector<T> bk[V];
        for (int v = 0; v < V; ++v) bk[v] = load(b + v * L);
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) sum[m][v] += a[at[m]] * bk[v];
    });
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) *reinterpret_cast<Vector<T>*>(sums + m * sums_step + v * L) = sum[m][v];
}

template <class T, int V, class Elements>
void gradient_tile_of(idx rows, const Source<T>& from, Elements at, T* sums, idx sums_step) {
    switch (rows) {
#define TILE(M)                                                                             \
    case M:                                                                                 \
        if constexpr (M <= most_rows(V)) gradient_tile<T, M, V>(from, at, sums, sums_step); \
        break;
        TILE(1)
        TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#undef TILE
    }
}

// The gradient of the weights of a group, added to sums (elements of a window, sums_step).
template <class T, int V>
void add_gradient(const Source<T>& from, const std::vector<idx>& elements, idx channels, idx filters, T* sums,
                  idx sums_step) {
    // Neighbouring channels lie at regular steps, which is faster, but few of them do not fill a tile.
    const bool few = channels < 6;
    const idx run = few ? idx(elements.size()) : channels;
    const idx tiles = (run + most_rows(V) - 1) / most_rows(V);
    for (idx f = 0; f < filters; f += V * LANES<T>)
        for (idx start = 0; start < idx(elements.size()); start += run)
            for (idx t = 0; t < tiles; ++t) {
                const idx first = start + t * run / tiles, last = start + (t + 1) * run / tiles;
                T* into = sums + first * sums_step + f;
                if (few)
                    gradient_tile_of<T, V>(last - first, from.moved(0, f), Listed{elements.data() + first}, into,
                                           sums_step);
                else
                    gradient_tile_of<T, V>(last - first, from.moved(elements[first], f), Regular{1}, into, sums_step);
            }
}

// The kernels of the backward pass, turned around, from filters to channels; phase by phase.
template <class T>
void turn(const Geometry& g, const T* w, const Phases& phases, Panels<T>& panels) {
    const idx channels = g.channels / g.groups, filters = g.filters / g.groups;
    for (idx group = 0; group < g.groups; ++group)
        for (idx k = 0; k < idx(phases.taps.size()); ++k)
            for (idx p = 0; p < panels.panels; ++p) {
                const idx first = p * panels.width, valid = std::min(panels.width, channels - first);
                const T* from = w + (phases.taps[k] * channels + first) * g.filters + group * filters;
                pack(from, 1, g.filters, filters, valid, panels.width,
                     panels.panel(group, p) + k * filters * panels.width);
            }
}

// Where the channels of a group lie at some places.
inline std::vector<idx> elements_at(const std::vector<idx>& places, idx channels) {
    std::vector<idx> at;
    at.reserve(places.size() * channels);
    for (const idx place : places)
        for (idx c = 0; c < channels; ++c) at.push_back(place + c);
    return at;
}

// The plan for groups that connect their channels with their filters.
template <class T>
struct GroupsPlan {
    const Geometry& g;
    Padded x_grid, slope_grid;
    idx at_once, copies = 1, channels, filters;
    int V;
    Sums sums;
    Phases phases;
    std::vector<idx> x_elements, slope_elements;
    Panels<T> turned;

    GroupsPlan(const Geometry& g, const Asked<T>& asked)
        : g(g),
          x_grid(padded_input(g)),
          slope_grid(padded_slope(g)),
          at_once(images_at_once(g.images, g.size[2], std::max(x_grid.elements(), elements_far_apart(g)))),
          channels(g.channels / g.groups),
          filters(g.filters / g.groups),
          V(filters > LANES<T> ? 2 : 1),
          sums{g.groups, g.taps() * channels, filters, round_up(filters, V * LANES<T>)},
          phases(g, slope_grid),
          x_elements(window_elements(g, x_grid, channels)),
          slope_elements(elements_at(phases.places, filters)),
          turned(at_once > 1 ? at_once : phases.pixels(2, 0), g.groups, g.taps() * filters, channels) {
        if (asked.dx) turn(g, asked.w, phases, turned);
        for (idx group = 0; asked.bias && group < g.groups; ++group)
            std::copy(asked.bias + group * channels, asked.bias + (group + 1) * channels, turned.bias_of(group, 0));
    }

    void add_to_weights(AtHand<T>& images, T* mine) {
        const Source<T> all = images.source(g);
        for (idx group = 0; group < g.groups; ++group) {
            const Source<T> from = all.moved(group * channels, group * filters);
            T* into = mine + group * sums.window * sums.step;
            if (V == 2)
                add_gradient<T, 2>(from, x_elements, channels, filters, into, sums.step);
            else
                add_gradient<T, 1>(from, x_elements, channels, filters, into, sums.step);
        }
    }

    void write_input(AtHand<T>& images, T* dx) {
        const Steps steps(g.size, g.stride, g.channels);
        phases.each([&](const idx* pixels, idx first, idx from, idx to) {
            const Places some{slope_elements.data(), from * filters, to * filters};
            const Correlation<T> correlate{slope_grid, pixels, ONCE, steps, turned, some, filters, false};
            correlate(images.slope, images.count, dx + first * g.channels);
        });
    }
};
