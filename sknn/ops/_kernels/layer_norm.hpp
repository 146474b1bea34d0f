// Normalisation of each sample over all its elements: `rows` positions with `columns` channels each.
//
// A sample of one position is one line, others are cut into lines. Samples have shares of their own in the gradients of
// gain and shift, the same ones for any number of threads.

constexpr idx SHARE = 16384;  // elements, at least
constexpr idx MOST_SHARES = 32;

// How long the lines of a sample are: where channels are few, as long as it takes to fill vectors with them again and
// again.
constexpr idx line_length(idx rows, idx columns) {
    return rows == 1 ? columns : (63 + columns) / columns * columns;
}

// Numbers of each channel, repeated to the length of a line.
template <class T>
struct AlongLine {
    Buffer<T> values;

    AlongLine(idx length, idx columns, const T* channels) : values(length) {
        for (idx at = 0; at < length; at += columns) std::copy(channels, channels + columns, values.data + at);
    }
};

// The sums of g (x - mean) scale and of g along the lines of a share, for gain and shift: of a few lines, and of all.
template <class T>
class GainAndShift {
    Buffer<T> few;
    double* all;
    const idx length;

public:
    GainAndShift(idx length, double* all) : few(2 * length), all(all), length(length) {
        std::fill(all, all + 2 * length, 0.0);
    }
    T* gain() const { return few.data; }
    T* shift() const { return few.data + length; }

    // Calls body(from, to) for a few lines at a time of those that make up so many elements.
    template <class Body>
    void each_few(idx size, Body body) {
        for (idx from = 0; from < size; from += LINES_ADDED_UP * length) {
            std::fill(few.data, few.data + 2 * length, T(0));
            body(from, std::min(size, from + LINES_ADDED_UP * length));
            for (idx j = 0; j < 2 * length; ++j) all[j] += few.data[j];
        }
    }
};

// What all samples of a call have in common. N lanes work on each line.
template <class T, idx N>
struct LayerNorm {
    const idx size, length;
    const T* gain;

    template <class Body>
    void each(idx from, idx to, Body body) const {
        each_lines<T, N>(from, to, length, body);
    }

    // From sums around a mean that is nearly right: the mean, and scale = 1 / sqrt(variance + epsilon).
    void settle(T& mean, T& scale, double apart, double squares, double epsilon) const {
        const double beside = apart / double(size);
        mean = T(mean + beside);
        scale = T(1 / std::sqrt(std::max(0.0, squares / double(size) - beside * beside) + epsilon));
    }

    // Some samples of one line each.
    void normalise_lines(idx samples, const T* x, const T* shift, double epsilon, T* y, T* mean, T* scale) const {
        each(0, samples * size, [=](auto lines, idx at) {
            constexpr int R = decltype(lines)::count;
            T *centre = mean + at / size, *unit = scale + at / size;
            double sums[R] = {}, apart[R] = {}, squares[R] = {};
            lines.add(x + at, sums);
            for (int r = 0; r < R; ++r) centre[r] = T(sums[r] / double(size));
            lines.add_apart(x + at, centre, apart, squares);
            for (int r = 0; r < R; ++r) settle(centre[r], unit[r], apart[r], squares[r], epsilon);
            lines.write(x + at, centre, unit, gain, shift, y + at);
        });
    }

    // A sample of many lines.
    void normalise(const T* x, const T* shift, double epsilon, T* y, T& mean, T& scale) const {
        double sum = 0, apart = 0, squares = 0;
        each(0, size, [&](auto lines, idx at) {
            double sums[decltype(lines)::count] = {};
            lines.add(x + at, sums);
            for (double one : sums) sum += one;
        });
        mean = T(sum / double(size));
        each(0, size, [&](auto lines, idx at) {
            constexpr int R = decltype(lines)::count;
            double sums[R] = {}, more[R] = {};
            lines.add_apart(x + at, Alike<T, R>(mean).values, sums, more);
            for (int r = 0; r < R; ++r) {
                apart += sums[r];
                squares += more[r];
            }
        });
        settle(mean, scale, apart, squares, epsilon);
        each(0, size, [&](auto lines, idx at) {
            constexpr int R = decltype(lines)::count;
            lines.write(x + at, Alike<T, R>(mean).values, Alike<T, R>(scale).values, gain, shift, y + at);
        });
    }

    // The parts of the gradient along which nothing moves: all elements alike, or apart in proportion.
    void project(double plain, double apart, T scale, T& alike, T& along) const {
        alike = T(plain / double(size));
        along = T(apart * scale * scale / double(size));
    }

    // The gradients of some samples of one line each.
    void lines_back(idx samples, const T* g, const T* x, const T* mean, const T* scale, T* dx,
                    GainAndShift<T>& sums) const {
        sums.each_few(samples * size, [&](idx from, idx to) {
            each(from, to, [=, &sums](auto lines, idx at) {
                constexpr int R = decltype(lines)::count;
                const T *centre = mean + at / size, *unit = scale + at / size;
                double plain[R] = {}, apart[R] = {};
                lines.add_gradients(g + at, x + at, centre, unit, gain, plain, apart, sums.gain(), sums.shift());
                if (!dx) return;
                T alike[R], along[R];
                for (int r = 0; r < R; ++r) project(plain[r], apart[r], unit[r], alike[r], along[r]);
                lines.write_gradients(g + at, x + at, centre, unit, gain, alike, along, dx + at);
            });
        });
    }

    // Those of a sample of many lines.
    void sample_back(const T* g, const T* x, T mean, T scale, T* dx, GainAndShift<T>& sums) const {
        double plain = 0, apart = 0;
        sums.each_few(size, [&](idx from, idx to) {
            each(from, to, [&](auto lines, idx at) {
                constexpr int R = decltype(lines)::count;
                double some[R] = {}, more[R] = {};
                lines.add_gradients(g + at, x + at, Alike<T, R>(mean).values, Alike<T, R>(scale).values, gain, some,
                                    more, sums.gain(), sums.shift());
                for (int r = 0; r < R; ++r) {
                    plain += some[r];
                    apart += more[r];
                }
            });
        });
        if (!dx) return;
        T alike, along;
        project(plain, apart, scale, alike, along);
        each(0, size, [&](auto lines, idx at) {
            constexpr int R = decltype(lines)::count;
            lines.write_gradients(g + at, x + at, Alike<T, R>(mean).values, Alike<T, R>(scale).values, gain,
                                  Alike<T, R>(alike).values, Alike<T, R>(along).values, dx + at);
        });
    }
};

// How many samples a share has: full of lines that are taken together.
inline idx samples_of_share(idx samples, idx size) {
    const idx least = std::max((SHARE + size - 1) / size, (samples + MOST_SHARES - 1) / MOST_SHARES);
    return (least + LINES - 1) / LINES * LINES;
}

// y = gain z + shift with z = (x - mean) scale, and mean and scale = 1 / sqrt(variance + epsilon) of each sample.
template <class T>
void layer_norm(idx samples, idx rows, idx columns, const T* x, const T* gain, const T* shift, double epsilon, T* y,
                T* mean, T* scale, int threads) {
    const idx size = rows * columns, length = line_length(rows, columns);
    const AlongLine<T> gains(length, columns, gain), shifts(length, columns, shift);
    const T* plus = shifts.values.data;
    with_lanes<T>(length, [&](auto lanes) {
        const LayerNorm<T, decltype(lanes)::value> norm{size, length, gains.values.data};
        const idx some = rows == 1 ? samples_of_share(samples, size) : 1;
        share_stretches(threads, samples, some, 2 * PASS * samples * size, [&](idx from, idx to) {
            const idx at = from * size;
            if (rows == 1)
                norm.normalise_lines(to - from, x + at, plus, epsilon, y + at, mean + from, scale + from);
            else
                norm.normalise(x + at, plus, epsilon, y + at, mean[from], scale[from]);
        });
    });
}

template <class T>
void layer_norm_back(idx samples, idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale,
                     const T* gain, T* dx, T* to_gain, T* to_shift, int threads) {
    const idx size = rows * columns, length = line_length(rows, columns);
    const AlongLine<T> gains(length, columns, gain);
    const idx some = samples_of_share(samples, size), shares = (samples + some - 1) / some;
    Buffer<double> sums(shares * 2 * length);
    with_lanes<T>(length, [&](auto lanes) {
        const LayerNorm<T, decltype(lanes)::value> norm{size, length, gains.values.data};
        share_stretches(threads, samples, some, 2 * PASS * samples * size, [&](idx from, idx to) {
            GainAndShift<T> share(length, sums.data + from / some * 2 * length);
            const auto slopes_at = [&](idx n) { return dx ? dx + n * size : nullptr; };
            if (rows == 1)
                norm.lines_back(to - from, g + from * size, x + from * size, mean + from, scale + from,
                                slopes_at(from), share);
            else
                for (idx n = from; n < to; ++n)
                    norm.sample_back(g + n * size, x + n * size, mean[n], scale[n], slopes_at(n), share);
        });
    });
    for (idx share = 1; share < shares; ++share)
        for (idx j = 0; j < 2 * length; ++j) sums.data[j] += sums.data[share * 2 * length + j];
    const auto write = [&](const double* along_line, T* result) {
        for (idx j = 0; j < columns; ++j) {
            double sum = 0;
            for (idx at = j; at < length; at += columns) sum += along_line[at];
            result[j] = T(sum);
        }
    };
    write(sums.data, to_gain);
    write(sums.data + length, to_shift);
}
