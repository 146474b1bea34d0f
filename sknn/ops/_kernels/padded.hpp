// Images with zeros around them, and where in them the windows of a convolution lie.

inline idx round_up(idx n, idx to) {
    return (n + to - 1) / to * to;
}

// A grid of pixels around an image, zero outside of it.
struct Padded {
    idx size[3], low[3], channels;

    idx elements() const { return size[0] * size[1] * size[2] * channels; }
    idx at(idx i, idx j, idx k) const { return ((i * size[1] + j) * size[2] + k) * channels; }
    idx origin() const { return at(low[0], low[1], low[2]); }
};

inline Padded padded_input(const Geometry& g) {
    return {{g.reach(0), g.reach(1), g.reach(2)}, {g.low[0], g.low[1], g.low[2]}, g.channels};
}

// Whether the grid is the image itself, so that nothing need be copied.
inline bool is_whole(const Geometry& g, const Padded& grid) {
    return std::equal(g.size, g.size + 3, grid.size) && !g.low[0] && !g.low[1] && !g.low[2] &&
           grid.channels == g.channels;
}

// Copies a row of pixels to a grid of more channels, each channel as often as asked for.
template <class T>
void spread_row(const T* row, idx pixels, idx channels, idx copies, idx step, T* to) {
    for (idx k = 0; k < pixels; ++k, row += channels, to += step)
        if (copies == 1)
            copy_row(row, channels, to);
        else
            for (idx c = 0; c < channels; ++c)
                for (idx copy = 0; copy < copies; ++copy) to[c * copies + copy] = row[c];
}

// Copies an image into its grid, which is zero everywhere else and stays so.
template <class T>
void pad(const T* image, const Geometry& g, const Padded& grid, idx copies, T* to) {
    idx first[3], last[3];
    for (int axis = 0; axis < 3; ++axis) {
        first[axis] = std::max<idx>(0, -grid.low[axis]);
        last[axis] = std::max(first[axis], std::min(g.size[axis], grid.size[axis] - grid.low[axis]));
    }
    const idx pixels = last[2] - first[2];
    for (idx i = first[0]; i < last[0]; ++i)
        for (idx j = first[1]; j < last[1]; ++j) {
            const T* row = image + ((i * g.size[1] + j) * g.size[2] + first[2]) * g.channels;
            T* into = to + grid.at(i + grid.low[0], j + grid.low[1], first[2] + grid.low[2]);
            if (grid.channels == g.channels)
                std::copy(row, row + pixels * g.channels, into);
            else
                spread_row(row, pixels, g.channels, copies, grid.channels, into);
        }
}

// Room for the grids of some images, one behind the other.
template <class T>
struct Grids {
    Padded grid;
    Buffer<T> data;

    Grids(const Padded& grid, idx images, idx beyond = 0) : grid(grid), data(images * grid.elements() + beyond) {
        std::fill(data.data, data.data + images * grid.elements() + beyond, T(0));
    }
    T* of(idx image) { return data.data + image * grid.elements(); }

    const T* fill(const Geometry& g, const T* images, idx count, idx copies = 1) {
        for (idx n = 0; n < count; ++n) pad(images + n * g.pixels() * g.channels, g, grid, copies, of(n));
        return data.data;
    }
};

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
