// Normalisation of each sample over all its elements. A sample has `rows` positions with `columns` channels each.

// The sum of value(0), ..., value(n - 1) in float64: side by side, as vectors add, and alike in every instruction set.
template <class Value>
ALWAYS_INLINE double sum_of(idx n, Value value) {
    constexpr idx side = 32;
    double sums[side] = {}, total = 0;
    idx i = 0;
    for (; i + side <= n; i += side)
        for (idx j = 0; j < side; ++j) sums[j] += value(i + j);
    for (; i < n; ++i) total += value(i);
    for (idx j = 0; j < side; ++j) total += sums[j];
    return total;
}

// y = gain z + shift with z = (x - mean) scale, and mean and scale = 1 / sqrt(variance + epsilon) of each sample.
template <class T>
void layer_norm(idx samples, idx rows, idx columns, const T* x, const T* gain, const T* shift, double epsilon, T* y,
                T* mean, T* scale, int threads) {
    const Blocks sample(rows, columns, rows);
    const Channels<T> gains(sample, [=](idx j) { return gain[j]; });
    const Channels<T> shifts(sample, [=](idx j) { return shift[j]; });
    const T *by = gains.values.data, *plus = shifts.values.data;
    const idx size = rows * columns;
    share(threads, samples, 2 * PASS * samples * size, [&](Turn& turn) {
        for (idx n; turn.take(n);) {
            const T* from = x + n * size;
            T* to = y + n * size;
            const T centre = T(sum_of(size, [=](idx i) { return double(from[i]); }) / double(size));
            const double squares = sum_of(size, [=](idx i) {
                const double apart = from[i] - centre;
                return apart * apart;
            });
            const T unit = T(1 / std::sqrt(squares / double(size) + epsilon));
            sample.each_element(0, [=](idx i, idx j) { to[i] = (from[i] - centre) * unit * by[j] + plus[j]; });
            mean[n] = centre;
            scale[n] = unit;
        }
    });
}

// The gradients of one sample: that of x, or none, and what is added to `sums` for gain and shift, wide as `sample`.
// `work` is as wide as both together.
template <class T>
void layer_norm_sample_back(const Blocks& sample, const T* g, const T* x, T mean, T scale, const T* gain, T* dx,
                            double* sums, double* work) {
    const idx step = sample.width(), columns = sample.columns, size = sample.rows * columns;
    double *apart = work, *plain = work + step;
    std::fill(work, work + 2 * step, 0.0);
    sample.each_element(0, [=](idx i, idx j) {
        apart[j] += double(g[i]) * double(x[i] - mean);
        plain[j] += g[i];
    });
    sample.fold(apart);
    sample.fold(plain);
    for (idx j = 0; j < columns; ++j) {
        sums[j] += apart[j] * scale;
        sums[step + j] += plain[j];
    }
    if (!dx) return;
    const T alike = T(sum_of(columns, [=](idx j) { return plain[j] * gain[j]; }) / double(size));
    const T along = T(sum_of(columns, [=](idx j) { return apart[j] * gain[j]; }) * scale * scale / double(size));
    sample.each_element(0, [=](idx i, idx j) { dx[i] = (g[i] * gain[j] - alike - (x[i] - mean) * along) * scale; });
}

template <class T>
void layer_norm_back(idx samples, idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale,
                     const T* gain, T* dx, T* to_gain, T* to_shift, int threads) {
    const Blocks sample(rows, columns, rows);
    const Channels<T> gains(sample, [=](idx j) { return gain[j]; });
    const T* by = gains.values.data;
    const idx size = rows * columns, step = sample.width(), height = std::max<idx>({1, 16384 / size, 64 / rows});
    const idx blocks = (samples + height - 1) / height;
    Buffer<double> work(4 * step * blocks);
    std::fill(work.data, work.data + 4 * step * blocks, 0.0);
    share(threads, blocks, 2 * PASS * samples * size, [&](Turn& turn) {
        for (idx b; turn.take(b);)
            for (idx n = b * height; n < std::min(samples, (b + 1) * height); ++n) {
                double* sums = work.data + 4 * step * b;
                layer_norm_sample_back(sample, g + n * size, x + n * size, mean[n], scale[n], by,
                                       dx ? dx + n * size : nullptr, sums, sums + 2 * step);
            }
    });
    for (idx j = 0; j < columns; ++j) {
        double gains_sum = 0, shifts_sum = 0;
        for (idx b = 0; b < blocks; ++b) {
            gains_sum += work.data[4 * step * b + j];
            shifts_sum += work.data[4 * step * b + step + j];
        }
        to_gain[j] = T(gains_sum);
        to_shift[j] = T(shifts_sum);
    }
}
