// Normalisation over the batch, channel by channel (the columns): statistics, result and gradients.
//
// Rows are cut into blocks that stay in the cache, the same ones for any number of threads. The sums of a block are
// taken side by side over a few rows at a time, so that few channels fill a vector, too: over `width` columns, those
// of the channels again and again. The sums of all blocks are added up in float64, in order.

struct Blocks {
    idx rows, columns, height, copies;

    Blocks(idx rows, idx columns, idx height)
        : rows(rows), columns(columns), height(height), copies((63 + columns) / columns) {}
    Blocks(idx rows, idx columns) : Blocks(rows, columns, std::max<idx>(64, 16384 / columns)) {}
    idx width() const { return copies * columns; }
    idx count() const { return (rows + height - 1) / height; }
    idx start(idx block) const { return block * height * columns; }
    idx height_of(idx block) const { return std::min(height, rows - block * height); }

    // Calls each(element of the block, column among `width`).
    template <class Each>
    ALWAYS_INLINE void each_element(idx block, Each each) const {
        const idx n = height_of(block) * columns, step = width();
        idx i = 0;
        for (; i + step <= n; i += step) {
            #pragma GCC ivdep
            for (idx j = 0; j < step; ++j) each(i + j, j);
        }
        #pragma GCC ivdep
        for (idx j = 0; j < n - i; ++j) each(i + j, j);
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

// The mean of each channel in a block, and the sum of squares around it. Both as wide as `width`.
template <class T>
void block_statistics(const Blocks& blocks, idx block, const T* x, double* mean, double* squares) {
    std::fill(mean, mean + blocks.width(), 0.0);
    std::fill(squares, squares + blocks.width(), 0.0);
    blocks.each_element(block, [=](idx i, idx j) { mean[j] += x[i]; });
    blocks.fold(mean);
    for (idx j = 0; j < blocks.columns; ++j) mean[j] /= double(blocks.height_of(block));
    blocks.spread(mean);
    blocks.each_element(block, [=](idx i, idx j) {
        const double apart = x[i] - mean[j];
        squares[j] += apart * apart;
    });
    blocks.fold(squares);
}

// The mean and the biased variance of each channel (Chan, Golub & LeVeque 1983 on how to put those of blocks together).
template <class T>
void batch_statistics(idx rows, idx columns, const T* x, double* mean, double* variance, int threads) {
    const Blocks blocks(rows, columns);
    const idx step = blocks.width();
    Buffer<double> means(blocks.count() * step), squares(blocks.count() * step);
    share(threads, blocks.count(), PASS * rows * columns, [&](Turn& turn) {
        for (idx b; turn.take(b);)
            block_statistics(blocks, b, x + blocks.start(b), means.data + b * step, squares.data + b * step);
    });
    std::fill(mean, mean + columns, 0.0);
    std::fill(variance, variance + columns, 0.0);
    for (idx b = 0; b < blocks.count(); ++b) {
        const double here = double(blocks.height_of(b)), before = double(b * blocks.height),
                     share = here / (here + before);
        for (idx j = 0; j < columns; ++j) {
            const double apart = means.data[b * step + j] - mean[j];
            mean[j] += apart * share;
            variance[j] += squares.data[b * step + j] + apart * apart * before * share;
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

// y = (x - mean) factor + shift.
template <class T>
void rescale(idx rows, idx columns, const T* x, const T* mean, const T* factor, const T* shift, T* y, int threads) {
    const Blocks blocks(rows, columns);
    const Channels<T> means(blocks, [=](idx j) { return mean[j]; });
    const Channels<T> factors(blocks, [=](idx j) { return factor[j]; });
    const Channels<T> shifts(blocks, [=](idx j) { return shift[j]; });
    const T *m = means.values.data, *f = factors.values.data, *s = shifts.values.data;
    share(threads, blocks.count(), PASS * rows * columns, [&](Turn& turn) {
        for (idx b; turn.take(b);) {
            const T* from = x + blocks.start(b);
            T* to = y + blocks.start(b);
            blocks.each_element(b, [=](idx i, idx j) { to[i] = (from[i] - m[j]) * f[j] + s[j]; });
        }
    });
}

// The sums of g (x - mean) and of g, for each channel.
template <class T>
void sums_along(const Blocks& blocks, const T* g, const T* x, const T* mean, double* apart, double* plain,
                int threads) {
    const idx step = blocks.width();
    Buffer<T> partial(2 * blocks.count() * step);
    std::fill(partial.data, partial.data + 2 * blocks.count() * step, T(0));
    share(threads, blocks.count(), PASS * blocks.rows * blocks.columns, [&](Turn& turn) {
        for (idx b; turn.take(b);) {
            const T *slope = g + blocks.start(b), *from = x + blocks.start(b);
            T *to_apart = partial.data + 2 * b * step, *to_plain = to_apart + step;
            blocks.each_element(b, [=](idx i, idx j) {
                to_apart[j] += slope[i] * (from[i] - mean[j]);
                to_plain[j] += slope[i];
            });
            blocks.fold(to_apart);
            blocks.fold(to_plain);
        }
    });
    std::fill(apart, apart + blocks.columns, 0.0);
    std::fill(plain, plain + blocks.columns, 0.0);
    for (idx b = 0; b < blocks.count(); ++b)
        for (idx j = 0; j < blocks.columns; ++j) {
            apart[j] += partial.data[2 * b * step + j];
            plain[j] += partial.data[(2 * b + 1) * step + j];
        }
}

// The gradients of y = gain z + shift, z = (x - mean) scale, where mean and scale are those of x. Moving all elements
// alike, or apart in proportion, changes nothing: the parts of the gradient along these two directions drop out of dx.
template <class T>
void batch_norm_back(idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale, const T* gain, T* dx,
                     T* to_gain, T* to_shift, int threads) {
    const Blocks blocks(rows, columns);
    Buffer<double> apart(columns), plain(columns);
    const Channels<T> means(blocks, [=](idx j) { return mean[j]; });
    const T* m = means.values.data;
    sums_along(blocks, g, x, m, apart.data, plain.data, threads);
    for (idx j = 0; j < columns; ++j) {
        to_gain[j] = T(apart.data[j] * scale[j]);
        to_shift[j] = T(plain.data[j]);
    }
    if (!dx) return;
    const double n = double(rows);
    const Channels<T> alike(blocks, [&](idx j) { return T(plain.data[j] / n); });
    const Channels<T> along(blocks, [&](idx j) { return T(apart.data[j] * scale[j] * scale[j] / n); });
    const Channels<T> factors(blocks, [=](idx j) { return scale[j] * gain[j]; });
    const T *a = alike.values.data, *z = along.values.data, *f = factors.values.data;
    share(threads, blocks.count(), PASS * rows * columns, [&](Turn& turn) {
        for (idx b; turn.take(b);) {
            const T *slope = g + blocks.start(b), *from = x + blocks.start(b);
            T* to = dx + blocks.start(b);
            blocks.each_element(b, [=](idx i, idx j) { to[i] = (slope[i] - a[j] - (from[i] - m[j]) * z[j]) * f[j]; });
        }
    });
}
