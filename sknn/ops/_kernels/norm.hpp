// Normalisation over the batch, channel by channel (the columns): statistics, result and gradients. An activation
// function may lie behind: on the way back it is told its argument once more, instead of keeping anything.
//
// Rows are cut into blocks that stay in the cache, the same ones for any number of threads. The sums of a block are
// taken side by side over a few rows at a time, so that few channels fill vectors, too: over `width` columns, those of
// the channels again and again. The sums of all blocks are added up in float64, in order.

template <idx N, int V>
struct Stripe {  // V vectors of N columns, in so many lines
    static constexpr idx lanes = N;
    static constexpr int vectors = V;
    idx lines;
};

struct Blocks {
    static constexpr idx WIDE = 64, WHOLE = 16, MANY = 1024;  // columns that are enough; that vectors need; too many
    idx rows, columns, copies, height;

    Blocks(idx rows, idx columns)
        : rows(rows),
          columns(columns),
          copies(copies_of(columns)),
          height(round_up(std::max<idx>(64, 16384 / columns), copies)) {}
    static idx copies_of(idx columns) {
        if (columns > MANY) return 1;
        idx n = (WIDE + columns - 1) / columns;
        while (n * columns % WHOLE) ++n;
        return n;
    }
    idx width() const { return copies * columns; }
    idx count() const { return (rows + height - 1) / height; }
    idx start(idx block) const { return block * height * columns; }
    idx height_of(idx block) const { return std::min(height, rows - block * height); }

    // Calls body(stripe, element of the block where it begins, its column among `width`); lines are `width` apart.
    template <idx N, int V, class Body>
    ALWAYS_INLINE void each_stripe(idx block, Body body) const {
        const idx n = height_of(block) * columns, step = width(), lines = n / step;
        idx j = 0;
        for (; j + V * N <= step; j += V * N) body(Stripe<N, V>{lines}, j, j);
        for (; j + N <= step; j += N) body(Stripe<N, 1>{lines}, j, j);
        for (; j < step; ++j) body(Stripe<1, 1>{lines}, j, j);
        for (idx i = lines * step; i < n; ++i) body(Stripe<1, 1>{1}, i, i - lines * step);
    }

    // Adds the copies of each channel up, in the first of them.
    template <class T>
    void fold(T* sums) const {
        for (idx copy = 1; copy < copies; ++copy)
            for (idx j = 0; j < columns; ++j) sums[j] += sums[copy * columns + j];
    }

    // Repeats what there is of each channel in the first copy.
    template <class T>
    void spread(T* values) const {
        for (idx copy = 1; copy < copies; ++copy) std::copy(values, values + columns, values + copy * columns);
    }
};

constexpr idx AHEAD = 8;  // rows of a block of which the mean is near that of all

// A number near the mean of each channel in a block: exactly that where all are equal.
template <class T>
void block_centre(const Blocks& blocks, idx block, const T* x, double* centre) {
    const idx n = std::min(AHEAD, blocks.height_of(block)), columns = blocks.columns;
    std::fill(centre, centre + columns, 0.0);
    for (idx i = 1; i < n; ++i)
        for (idx j = 0; j < columns; ++j) centre[j] += double(x[i * columns + j]) - double(x[j]);
    for (idx j = 0; j < columns; ++j) centre[j] = double(x[j]) + centre[j] / double(n);
    blocks.spread(centre);
}

// sums and squares: of how far the elements are from a centre, over the copies of each channel, in float64.
template <class T>
void add_apart(const Blocks& blocks, idx block, const T* x, const double* centre, double* sums, double* squares) {
    std::fill(sums, sums + blocks.width(), 0.0);
    std::fill(squares, squares + blocks.width(), 0.0);
    const idx step = blocks.width();
    blocks.each_stripe<LANES<double>, REGISTERS / 4>(block, [=](auto stripe, idx at, idx j) INLINE_CALL {
        using S = decltype(stripe);
        using Wide = Part<double, S::lanes>;
        Wide middle[S::vectors], sum[S::vectors] = {}, square[S::vectors] = {};
        for (int v = 0; v < S::vectors; ++v) middle[v] = load_part_of<S::lanes>(centre + j + v * S::lanes);
        for (idx line = 0; line < stripe.lines; ++line)
            for (int v = 0; v < S::vectors; ++v) {
                const auto here = load_part_of<S::lanes>(x + at + line * step + v * S::lanes);
                const Wide apart = __builtin_convertvector(here, Wide) - middle[v];
                sum[v] += apart;
                square[v] += apart * apart;
            }
        for (int v = 0; v < S::vectors; ++v) {
            const idx to = j + v * S::lanes;
            store_part_of<S::lanes>(sums + to, load_part_of<S::lanes>(sums + to) + sum[v]);
            store_part_of<S::lanes>(squares + to, load_part_of<S::lanes>(squares + to) + square[v]);
        }
    });
    blocks.fold(sums);
    blocks.fold(squares);
}

// The mean and the biased variance of each channel (Chan, Golub & LeVeque 1983 on how to put those of blocks together).
template <class T>
void batch_statistics(idx rows, idx columns, const T* x, double* mean, double* variance, int threads) {
    const Blocks blocks(rows, columns);
    Buffer<double> means(blocks.count() * columns), squares(blocks.count() * columns);
    share(threads, blocks.count(), PASS * rows * columns, [&](Turn& turn) {
        const idx step = blocks.width();
        Buffer<double> space(3 * step);
        double *centre = space.data, *sum = centre + step, *square = sum + step;
        for (idx b; turn.take(b);) {
            block_centre(blocks, b, x + blocks.start(b), centre);
            add_apart(blocks, b, x + blocks.start(b), centre, sum, square);
            for (idx j = 0; j < columns; ++j) {
                const double off = sum[j] / double(blocks.height_of(b));
                means.data[b * columns + j] = centre[j] + off;
                squares.data[b * columns + j] = std::max(0.0, square[j] - off * sum[j]);
            }
        }
    });
    std::fill(mean, mean + columns, 0.0);
    std::fill(variance, variance + columns, 0.0);
    for (idx b = 0; b < blocks.count(); ++b) {
        const double here = double(blocks.height_of(b)), before = double(b * blocks.height),
                     share = here / (here + before);
        for (idx j = 0; j < columns; ++j) {
            const double apart = means.data[b * columns + j] - mean[j];
            mean[j] += apart * share;
            variance[j] += squares.data[b * columns + j] + apart * apart * before * share;
        }
    }
    for (idx j = 0; j < columns; ++j) variance[j] /= double(rows);
}

// Numbers of each channel, repeated to the width of the blocks.
template <class T>
struct Channels {
    Buffer<T> values;

    template <class Value>
    Channels(const Blocks& blocks, Value value) : values(blocks.width()) {
        for (idx j = 0; j < blocks.columns; ++j) values.data[j] = value(j);
        blocks.spread(values.data);
    }
};

// What lies behind a normalisation: f(z), and g f'(z).

struct Nothing {
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> value(Part<T, N> z) {
        return z;
    }
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> back(Part<T, N> g, Part<T, N>) {
        return g;
    }
};
struct ReluBehind {
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> value(Part<T, N> z) {
        return z < T(0) ? Part<T, N>{} : z;  // NaN stays
    }
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> back(Part<T, N> g, Part<T, N> z) {
        return z > T(0) ? g : Part<T, N>{};
    }
};
struct SiluBehind {
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> value(Part<T, N> z) {
        Vector<T> slope;
        return first<T, N>(Silu::value<T>(widened<T, N>(z), slope));
    }
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> back(Part<T, N> g, Part<T, N> z) {
        Vector<T> slope;
        Silu::value<T>(widened<T, N>(z), slope);
        return g * first<T, N>(slope);
    }

private:
    template <class T, idx N>
    static ALWAYS_INLINE Vector<T> widened(Part<T, N> z) {
        Vector<T> wide = {};
        std::memcpy(&wide, &z, sizeof z);
        return wide;
    }
    template <class T, idx N>
    static ALWAYS_INLINE Part<T, N> first(Vector<T> wide) {
        Part<T, N> z;
        std::memcpy(&z, &wide, sizeof z);
        return z;
    }
};

// What is read for each channel, repeated to the width of the blocks.
template <class T>
struct AtColumns {
    const T *mean, *factor, *shift;

    template <idx N>
    ALWAYS_INLINE Part<T, N> off(const T* x, idx j) const {
        return load_part_of<N>(x) - load_part_of<N>(mean + j);
    }
    template <idx N>
    ALWAYS_INLINE Part<T, N> put(Part<T, N> off, idx j) const {
        return off * load_part_of<N>(factor + j) + load_part_of<N>(shift + j);
    }
};

// The same from numbers of each channel.
template <class T>
struct Normalised : AtColumns<T> {
    Channels<T> means, factors, shifts;

    template <class Factor>
    Normalised(const Blocks& blocks, const T* mean, Factor factor, const T* shift)
        : means(blocks, [=](idx j) { return mean[j]; }),
          factors(blocks, factor),
          shifts(blocks, [=](idx j) { return shift[j]; }) {
        AtColumns<T>::operator=({means.values.data, factors.values.data, shifts.values.data});
    }
};

// Calls body(lanes, element of the block, column) for vectors of all of its elements.
template <class T, class Body>
ALWAYS_INLINE void each_part(const Blocks& blocks, idx block, Body body) {
    const idx step = blocks.width();
    blocks.each_stripe<LANES<T>, REGISTERS / 8>(block, [=](auto stripe, idx at, idx j) INLINE_CALL {
        using S = decltype(stripe);
        for (idx line = 0; line < stripe.lines; ++line)
            for (int v = 0; v < S::vectors; ++v)
                body(std::integral_constant<idx, S::lanes>{}, at + line * step + v * S::lanes, j + v * S::lanes);
    });
}

// y = f((x - mean) factor + shift).
template <class F, class T>
void rescale_by(idx rows, idx columns, const T* x, const T* mean, const T* factor, const T* shift, T* y, int threads) {
    const Blocks blocks(rows, columns);
    const Normalised<T> of(blocks, mean, [=](idx j) { return factor[j]; }, shift);
    share(threads, blocks.count(), PASS * rows * columns, [&](Turn& turn) {
        for (idx b; turn.take(b);) {
            const T* from = x + blocks.start(b);
            T* to = y + blocks.start(b);
            each_part<T>(blocks, b, [=, &of](auto lanes, idx i, idx j) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> z = of.template put<N>(of.template off<N>(from + i, j), j);
                store_part_of<N>(to + i, F::template value<T, N>(z));
            });
        }
    });
}

// Adds g (x - mean) and g of a block to the sums of the copies of each channel; g is that in front of f.
template <class F, class T>
void add_along(const Blocks& blocks, idx block, const T* g, const T* x, const Normalised<T>& of, T* apart, T* plain) {
    const idx step = blocks.width();
    blocks.each_stripe<LANES<T>, REGISTERS / 8>(block, [=, &of](auto stripe, idx at, idx j) INLINE_CALL {
        using S = decltype(stripe);
        constexpr idx N = S::lanes;
        Part<T, N> sum[S::vectors] = {}, product[S::vectors] = {};
        for (idx line = 0; line < stripe.lines; ++line)
            for (int v = 0; v < S::vectors; ++v) {
                const idx here = at + line * step + v * N, column = j + v * N;
                const Part<T, N> off = of.template off<N>(x + here, column);
                const Part<T, N> slope =
                    F::template back<T, N>(load_part_of<N>(g + here), of.template put<N>(off, column));
                product[v] += slope * off;
                sum[v] += slope;
            }
        for (int v = 0; v < S::vectors; ++v) {
            const idx to = j + v * N;
            store_part_of<N>(apart + to, load_part_of<N>(apart + to) + product[v]);
            store_part_of<N>(plain + to, load_part_of<N>(plain + to) + sum[v]);
        }
    });
}

// The same sums of all blocks, for each channel.
template <class F, class T>
void sums_along(const Blocks& blocks, const T* g, const T* x, const Normalised<T>& of, double* apart, double* plain,
                int threads) {
    const idx columns = blocks.columns, step = blocks.width();
    Buffer<T> partial(2 * blocks.count() * columns);
    share(threads, blocks.count(), PASS * blocks.rows * columns, [&](Turn& turn) {
        Buffer<T> space(2 * step);
        T *to_apart = space.data, *to_plain = to_apart + step;
        for (idx b; turn.take(b);) {
            std::fill(space.data, space.data + 2 * step, T(0));
            add_along<F>(blocks, b, g + blocks.start(b), x + blocks.start(b), of, to_apart, to_plain);
            blocks.fold(to_apart);
            blocks.fold(to_plain);
            std::copy(to_apart, to_apart + columns, partial.data + 2 * b * columns);
            std::copy(to_plain, to_plain + columns, partial.data + (2 * b + 1) * columns);
        }
    });
    std::fill(apart, apart + columns, 0.0);
    std::fill(plain, plain + columns, 0.0);
    for (idx b = 0; b < blocks.count(); ++b)
        for (idx j = 0; j < columns; ++j) {
            apart[j] += partial.data[2 * b * columns + j];
            plain[j] += partial.data[(2 * b + 1) * columns + j];
        }
}

// The gradients of y = f(gain z + shift), z = (x - mean) scale, where mean and scale are those of x. Moving all elements
// alike, or apart in proportion, changes nothing: the parts of the gradient along these two directions drop out of dx.
template <class F, class T>
void batch_norm_back_by(idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                        const T* shift, T* dx, T* to_gain, T* to_shift, int threads) {
    const Blocks blocks(rows, columns);
    Buffer<double> apart(columns), plain(columns);
    const Normalised<T> of(blocks, mean, [=](idx j) { return scale[j] * gain[j]; }, shift);
    sums_along<F>(blocks, g, x, of, apart.data, plain.data, threads);
    for (idx j = 0; j < columns; ++j) {
        to_gain[j] = T(apart.data[j] * scale[j]);
        to_shift[j] = T(plain.data[j]);
    }
    if (!dx) return;
    const double n = double(rows);
    const Channels<T> alike(blocks, [&](idx j) { return T(plain.data[j] / n); });
    const Channels<T> along(blocks, [&](idx j) { return T(apart.data[j] * scale[j] * scale[j] / n); });
    const T *even = alike.values.data, *tilt = along.values.data;
    share(threads, blocks.count(), PASS * rows * columns, [&](Turn& turn) {
        for (idx b; turn.take(b);) {
            const T *slope = g + blocks.start(b), *from = x + blocks.start(b);
            T* to = dx + blocks.start(b);
            each_part<T>(blocks, b, [=, &of](auto lanes, idx i, idx j) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = of.template off<N>(from + i, j);
                const Part<T, N> inside =
                    F::template back<T, N>(load_part_of<N>(slope + i), of.template put<N>(off, j));
                const Part<T, N> left = inside - load_part_of<N>(even + j) - off * load_part_of<N>(tilt + j);
                store_part_of<N>(to + i, left * load_part_of<N>(of.factor + j));
            });
        }
    });
}

template <class T>
void rescale(idx rows, idx columns, const T* x, const T* mean, const T* factor, const T* shift, Behind behind, T* y,
             int threads) {
    const auto by = behind == Behind::relu   ? rescale_by<ReluBehind, T>
                    : behind == Behind::silu ? rescale_by<SiluBehind, T>
                                             : rescale_by<Nothing, T>;
    by(rows, columns, x, mean, factor, shift, y, threads);
}

template <class T>
void batch_norm_back(idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                     const T* shift, Behind behind, T* dx, T* to_gain, T* to_shift, int threads) {
    const auto by = behind == Behind::relu   ? batch_norm_back_by<ReluBehind, T>
                    : behind == Behind::silu ? batch_norm_back_by<SiluBehind, T>
                                             : batch_norm_back_by<Nothing, T>;
    by(rows, columns, g, x, mean, scale, gain, shift, dx, to_gain, to_shift, threads);
}
