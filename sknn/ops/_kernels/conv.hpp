// Convolution, a few images at a time: pad, multiply tiles straight from the images, and store.
//
// No patches are copied: a tile reads its pixels through a list of where the taps of a window lie. Arrays are
// channels-last.

// A short line of pixels does not fill a tile: then the tile takes the same pixel of several images, of so many.
constexpr idx SHORT_LINE = 8;
constexpr idx TOGETHER = 1 << 16;  // elements of the grids of these images: they must stay in the cache

inline idx images_at_once(idx images, idx line_length, idx elements) {
    if (line_length > SHORT_LINE) return 1;
    return std::max<idx>(1, std::min({most_rows(2), images, TOGETHER / std::max<idx>(1, elements)}));
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

constexpr idx ONCE[3] = {1, 1, 1};

// How far apart results lie in the arrays that they are written to.
struct Steps {
    idx pixel, row, plane, image;

    // Every so many pixels along each axis of images of some size.
    Steps(const idx* size, const idx* stride, idx channels)
        : pixel(stride[2] * channels),
          row(stride[1] * size[2] * channels),
          plane(stride[0] * size[1] * size[2] * channels),
          image(size[0] * size[1] * size[2] * channels) {}
};

// Some of the elements of a window, or of its taps: where they lie, of those from one to another.
struct Places {
    const idx* at;
    idx from, to;

    const idx* begin() const { return at + from; }
    idx size() const { return to - from; }
};

// Writes results of all groups and panels for each pixel of some images, given their grids, from a part of the
// elements.
template <class T>
struct Correlation {
    const Padded& grid;
    const idx *output, *stride;
    Steps steps;
    Panels<T>& w;
    Places elements;
    idx channels_of_group;
    bool relu;

    void operator()(const T* images, idx count, T* z) const {
        for (idx group = 0; group < w.groups; ++group)
            for (idx p = 0; p < w.panels; ++p)
                for (idx i = 0; i < output[0]; ++i)
                    for (idx j = 0; j < output[1]; ++j) row(images, count, group, p, i, j, z);
    }

    void row(const T* images, idx count, idx group, idx p, idx i, idx j, T* z) const {
        const idx step = stride[2] * grid.channels;
        const T* from = images + grid.at(i * stride[0], j * stride[1], 0) + group * channels_of_group;
        T* to = z + i * steps.plane + j * steps.row + group * w.results + p * w.width;
        if (count == 1) return lines(output[2], from, step, group, p, to, steps.pixel);
        for (idx k = 0; k < output[2]; ++k)
            lines(count, from + k * step, grid.elements(), group, p, to + k * steps.pixel, steps.image);
    }

    void lines(idx rows, const T* from, idx step, idx group, idx p, T* to, idx to_step) const {
        Ends<T> ends;
        ends.bias = w.bias_of(group, p);
        ends.relu = relu;
        const T* weights = w.panel(group, p) + elements.from * w.width;
        line(w.V, rows, from, step, Listed{elements.begin()}, elements.size(), weights, to, to_step,
             std::min(w.width, w.results - p * w.width), ends);
    }
};

template <class T>
void pack_weights(const Geometry& g, const T* w, const T* bias, Panels<T>& panels) {
    const idx filters = g.filters / g.groups;
    for (idx group = 0; group < g.groups; ++group) {
        pack(w + group * filters, g.filters, 1, panels.elements, filters, panels.width, panels.of_group(group));
        if (bias) std::copy(bias + group * filters, bias + (group + 1) * filters, panels.bias_of(group, 0));
    }
}

// y = f(x * w + b), groups connecting all their channels with all their filters. w: (taps, channels of a group,
// filters).
template <class T>
void convolve_groups(const Geometry& g, const T* x, const T* w, const T* bias, bool relu, T* y, int threads) {
    const Padded grid = padded_input(g);
    const bool whole = is_whole(g, grid);
    const idx channels = g.channels / g.groups;
    const idx at_once = images_at_once(g.images, g.output[2], grid.elements()),
              bundles = (g.images + at_once - 1) / at_once;
    const std::vector<idx> elements = window_elements(g, grid, channels);
    Panels<T> panels(at_once > 1 ? at_once : g.output[2], g.groups, g.taps() * channels, g.filters / g.groups);
    pack_weights(g, w, bias, panels);
    const Steps steps(g.output, ONCE, g.filters);
    const Places all{elements.data(), 0, panels.elements};
    const Correlation<T> correlate{grid, g.output, g.stride, steps, panels, all, channels, relu};

    share(threads, bundles, g.multiplications(), [&](Turn& turn) {
        Grids<T> grids(grid, whole ? 0 : at_once);
        for (idx bundle; turn.take(bundle);) {
            const idx first = bundle * g.images / bundles, count = (bundle + 1) * g.images / bundles - first;
            const T* images = x + first * g.pixels() * g.channels;
            correlate(whole ? images : grids.fill(g, images, count), count, y + first * g.outputs() * g.filters);
        }
    });
}
