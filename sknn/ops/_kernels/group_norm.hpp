// Normalisation of each sample over its rows and the neighbouring columns of a group; an activation function may lie
// behind, as behind that over the batch.

// Calls use(group, sum of value(column) over its columns).
template <class Value, class Use>
ALWAYS_INLINE void each_group(const Grouped& of, Value value, Use use) {
    for (idx k = 0, j = 0; k < of.groups; ++k) {
        double sum = 0;
        for (const idx end = j + of.width(); j < end; ++j) sum += value(j);
        use(k, sum);
    }
}

// What a thread needs for one sample after the other.
template <class T>
class GroupWork {
    const Grouped& of;
    const Buffer<T> space;
    const T *const gain, *const shift;

public:
    const ColumnSums<T> sums;
    T *const means, *const factors, *const shifts, *const evens, *const tilts;  // repeated to the width of the blocks

    GroupWork(const Grouped& of, const T* gain, const T* shift)
        : of(of),
          space(5 * Blocks(of.rows, of.columns).width()),
          gain(gain),
          shift(shift),
          sums(of.rows, of.columns),
          means(space.data),
          factors(means + sums.blocks.width()),
          shifts(factors + sums.blocks.width()),
          evens(shifts + sums.blocks.width()),
          tilts(evens + sums.blocks.width()) {
        lay(shifts, [=](idx, idx j) { return shift[j]; });
    }

    // value(group, column) of each column.
    template <class Value>
    ALWAYS_INLINE void lay(T* to, Value value) const {
        for (idx k = 0, j = 0; k < of.groups; ++k)
            for (const idx end = j + of.width(); j < end; ++j) to[j] = value(k, j);
        sums.blocks.spread(to);
    }

    // The mean and scale = 1 / sqrt(variance + epsilon) of each group: the variance, and what the mean lacks, from how
    // far the elements are from what it is to the precision of T.
    void find_statistics(const T* x, double epsilon, T* mean, T* scale) const {
        const double n = of.elements();
        sums.add([=](auto lanes, idx i, idx, auto& sum, auto&) INLINE_CALL {
            sum += load_part_of<decltype(lanes)::value>(x + i);
        });
        each_group(of, [&](idx j) { return sums.one[j]; }, [=](idx k, double sum) { mean[k] = T(sum / n); });
        lay(means, [=](idx k, idx) { return mean[k]; });
        sums.add([=, centre = means](auto lanes, idx i, idx j, auto& sum, auto& square) INLINE_CALL {
            constexpr idx N = decltype(lanes)::value;
            const Part<T, N> apart = load_part_of<N>(x + i) - load_part_of<N>(centre + j);
            sum += apart;
            square += apart * apart;
        });
        each_group(of, [&](idx j) { return sums.other[j]; }, [=](idx k, double square) { scale[k] = T(square / n); });
        each_group(of, [&](idx j) { return sums.one[j]; }, [=](idx k, double apart) {
            const double off = apart / n;
            mean[k] = T(mean[k] + off);
            scale[k] = T(1 / std::sqrt(std::max(0.0, scale[k] - off * off) + epsilon));
        });
    }

    // What is read for each column, from these statistics.
    AtColumns<T> normalised(const T* mean, const T* scale) const {
        lay(means, [=](idx k, idx) { return mean[k]; });
        lay(factors, [=](idx k, idx j) { return scale[k] * gain[j]; });
        return {means, factors, shifts};
    }

    // From the sums over a sample of g (x - mean) and of g, those for gain and shift, (2, columns), and the parts of the
    // gradient along which nothing moves.
    void project(const T* scale, double* to_each) const {
        double *to_gain = to_each, *to_shift = to_each + of.columns;
        for (idx k = 0, j = 0; k < of.groups; ++k)
            for (const idx end = j + of.width(); j < end; ++j) {
                to_gain[j] = sums.one[j] * scale[k];
                to_shift[j] = sums.other[j];
            }
        each_group(of, [=](idx j) { return gain[j] * to_shift[j]; }, [=](idx k, double plain) {
            std::fill(evens + k * of.width(), evens + (k + 1) * of.width(), T(scale[k] * plain / of.elements()));
        });
        each_group(of, [=](idx j) { return gain[j] * to_gain[j]; }, [=](idx k, double apart) {
            const double along = double(scale[k]) * scale[k] * apart / of.elements();
            std::fill(tilts + k * of.width(), tilts + (k + 1) * of.width(), T(along));
        });
        sums.blocks.spread(evens);
        sums.blocks.spread(tilts);
    }
};

// y = f(gain z + shift), z = (x - mean) scale.
template <class F, class T>
void group_norm_by(const Grouped& of, const T* x, const T* gain, const T* shift, double epsilon, T* y, T* mean,
                   T* scale, int threads) {
    share(threads, of.samples, 2 * PASS * of.samples * of.size(), [&](Turn& turn) {
        const GroupWork<T> work(of, gain, shift);
        for (idx sample; turn.take(sample);) {
            const T* from = x + sample * of.size();
            T *to = y + sample * of.size(), *centre = mean + sample * of.groups, *unit = scale + sample * of.groups;
            work.find_statistics(from, epsilon, centre, unit);
            const AtColumns<T> normalised = work.normalised(centre, unit);
            each_element<T>(work.sums.blocks, [=](auto lanes, idx i, idx j) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = normalised.template off<N>(from + i, j);
                store_part_of<N>(to + i, F::template value<T, N>(normalised.template put<N>(off, j)));
            });
        }
    });
}

// Its gradients; the slope in front of f waits in dx until the sums over the sample are known.
template <class F, class T>
void group_norm_back_by(const Grouped& of, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                        const T* shift, T* dx, T* to_gain, T* to_shift, int threads) {
    const idx columns = of.columns;
    Buffer<double> to_each(2 * of.samples * columns);
    share(threads, of.samples, 2 * PASS * of.samples * of.size(), [&](Turn& turn) {
        const GroupWork<T> work(of, gain, shift);
        for (idx sample; turn.take(sample);) {
            const T *from = x + sample * of.size(), *arrives = g + sample * of.size();
            T* to = dx ? dx + sample * of.size() : nullptr;
            const AtColumns<T> normalised = work.normalised(mean + sample * of.groups, scale + sample * of.groups);
            work.sums.add([=](auto lanes, idx i, idx j, auto& apart, auto& plain) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = normalised.template off<N>(from + i, j);
                const Part<T, N> slope =
                    F::template back<T, N>(load_part_of<N>(arrives + i), normalised.template put<N>(off, j));
                apart += slope * off;
                plain += slope;
                if (to) store_part_of<N>(to + i, slope);
            });
            work.project(scale + sample * of.groups, to_each.data + 2 * sample * columns);
            if (!to) continue;
            each_element<T>(work.sums.blocks, [=, even = work.evens, tilt = work.tilts](auto lanes, idx i, idx j)
                                                  INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = normalised.template off<N>(from + i, j);
                const Part<T, N> inside = load_part_of<N>(to + i) * load_part_of<N>(normalised.factor + j);
                store_part_of<N>(to + i, inside - load_part_of<N>(even + j) - off * load_part_of<N>(tilt + j));
            });
        }
    });
    for (idx j = 0; j < 2 * columns; ++j) {
        double sum = 0;
        for (idx sample = 0; sample < of.samples; ++sample) sum += to_each.data[2 * sample * columns + j];
        (j < columns ? to_gain[j] : to_shift[j - columns]) = T(sum);
    }
}

template <class T>
void group_norm(const Grouped& of, const T* x, const T* gain, const T* shift, double epsilon, Behind behind, T* y,
                T* mean, T* scale, int threads) {
    const auto by = behind == Behind::relu   ? group_norm_by<ReluBehind, T>
                    : behind == Behind::silu ? group_norm_by<SiluBehind, T>
                                             : group_norm_by<Nothing, T>;
    by(of, x, gain, shift, epsilon, y, mean, scale, threads);
}

template <class T>
void group_norm_back(const Grouped& of, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                     const T* shift, Behind behind, T* dx, T* to_gain, T* to_shift, int threads) {
    const auto by = behind == Behind::relu   ? group_norm_back_by<ReluBehind, T>
                    : behind == Behind::silu ? group_norm_back_by<SiluBehind, T>
                                             : group_norm_back_by<Nothing, T>;
    by(of, g, x, mean, scale, gain, shift, dx, to_gain, to_shift, threads);
}
