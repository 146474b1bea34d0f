// Normalisation of each sample over its rows and the neighbouring columns of a group; an activation function may lie
// behind, as behind that over the batch.

// The sum over the columns of each group.
template <class T, class Value, class Use>
ALWAYS_INLINE void each_group(const Grouped& of, Value value, Use use) {
    for (idx k = 0; k < of.groups; ++k) {
        double sum = 0;
        for (idx j = k * of.width(); j < (k + 1) * of.width(); ++j) sum += value(j);
        use(k, sum);
    }
}

// The mean and scale = 1 / sqrt(variance + epsilon) of each group of a sample: the variance, and what the mean lacks,
// from how far the elements are from what it is to the precision of T.
template <class T>
void group_statistics(const Grouped& of, const ColumnSums<T>& sums, const T* x, double epsilon, T* mean, T* scale) {
    const double n = of.elements();
    sums.add([=](auto lanes, idx i, idx, auto& sum, auto&) INLINE_CALL {
        sum += load_part_of<decltype(lanes)::value>(x + i);
    });
    each_group<T>(of, [&](idx j) { return sums.one[j]; }, [&](idx k, double sum) { mean[k] = T(sum / n); });
    const Channels<T> centres(sums.blocks, [&](idx j) { return mean[j / of.width()]; });
    const T* centre = centres.values.data;
    sums.add([=](auto lanes, idx i, idx j, auto& sum, auto& square) INLINE_CALL {
        constexpr idx N = decltype(lanes)::value;
        const Part<T, N> apart = load_part_of<N>(x + i) - load_part_of<N>(centre + j);
        sum += apart;
        square += apart * apart;
    });
    each_group<T>(of, [&](idx j) { return sums.other[j]; }, [&](idx k, double square) { scale[k] = T(square / n); });
    each_group<T>(of, [&](idx j) { return sums.one[j]; }, [&](idx k, double apart) {
        const double off = apart / n;
        mean[k] = T(mean[k] + off);
        scale[k] = T(1 / std::sqrt(std::max(0.0, scale[k] - off * off) + epsilon));
    });
}

// What is read for each column of a sample, from the statistics of its groups.
template <class T>
Normalised<T> normalised_groups(const Grouped& of, const Blocks& blocks, const T* mean, const T* scale, const T* gain,
                                const T* shift) {
    return {blocks, [=](idx j) { return mean[j / of.width()]; }, [=](idx j) { return scale[j / of.width()] * gain[j]; },
            shift};
}

// y = f(gain z + shift), z = (x - mean) scale.
template <class F, class T>
void group_norm_by(const Grouped& of, const T* x, const T* gain, const T* shift, double epsilon, T* y, T* mean,
                   T* scale, int threads) {
    share_stretches(threads, of.samples, 1, 2 * PASS * of.samples * of.size(), [=](idx sample, idx) {
        const ColumnSums<T> sums(of.rows, of.columns);
        const T* from = x + sample * of.size();
        T *to = y + sample * of.size(), *centre = mean + sample * of.groups, *unit = scale + sample * of.groups;
        group_statistics(of, sums, from, epsilon, centre, unit);
        const Normalised<T> normalised = normalised_groups(of, sums.blocks, centre, unit, gain, shift);
        each_element<T>(sums.blocks, [=, &normalised](auto lanes, idx i, idx j) INLINE_CALL {
            constexpr idx N = decltype(lanes)::value;
            const Part<T, N> off = normalised.template off<N>(from + i, j);
            store_part_of<N>(to + i, F::template value<T, N>(normalised.template put<N>(off, j)));
        });
    });
}

// Its gradients; the slope in front of f waits in dx until the sums over the sample are known.
template <class F, class T>
void group_norm_back_by(const Grouped& of, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                        const T* shift, T* dx, T* to_gain, T* to_shift, int threads) {
    const idx columns = of.columns;
    Buffer<double> to_each(2 * of.samples * columns);
    share_stretches(threads, of.samples, 1, 2 * PASS * of.samples * of.size(), [&](idx sample, idx) {
        const ColumnSums<T> sums(of.rows, columns);
        const T *from = x + sample * of.size(), *arrives = g + sample * of.size();
        T* to = dx ? dx + sample * of.size() : nullptr;
        const T *centre = mean + sample * of.groups, *unit = scale + sample * of.groups;
        const Normalised<T> normalised = normalised_groups(of, sums.blocks, centre, unit, gain, shift);
        sums.add([=, &normalised](auto lanes, idx i, idx j, auto& apart, auto& plain) INLINE_CALL {
            constexpr idx N = decltype(lanes)::value;
            const Part<T, N> off = normalised.template off<N>(from + i, j);
            const Part<T, N> slope =
                F::template back<T, N>(load_part_of<N>(arrives + i), normalised.template put<N>(off, j));
            apart += slope * off;
            plain += slope;
            if (to) store_part_of<N>(to + i, slope);
        });
        double *mine = to_each.data + 2 * sample * columns;
        for (idx j = 0; j < columns; ++j) {
            mine[j] = sums.one[j] * unit[j / of.width()];
            mine[columns + j] = sums.other[j];
        }
        if (!to) return;
        Buffer<T> space(2 * of.groups);
        T *alike = space.data, *along = alike + of.groups;
        each_group<T>(of, [&](idx j) { return gain[j] * mine[columns + j]; }, [&](idx k, double plain) {
            alike[k] = T(unit[k] * plain / of.elements());
        });
        each_group<T>(of, [&](idx j) { return gain[j] * mine[j]; }, [&](idx k, double apart) {
            along[k] = T(double(unit[k]) * unit[k] * apart / of.elements());
        });
        const Channels<T> evens(sums.blocks, [&](idx j) { return alike[j / of.width()]; });
        const Channels<T> tilts(sums.blocks, [&](idx j) { return along[j / of.width()]; });
        const T *even = evens.values.data, *tilt = tilts.values.data;
        each_element<T>(sums.blocks, [=, &normalised](auto lanes, idx i, idx j) INLINE_CALL {
            constexpr idx N = decltype(lanes)::value;
            const Part<T, N> off = normalised.template off<N>(from + i, j);
            const Part<T, N> inside = load_part_of<N>(to + i) * load_part_of<N>(normalised.factor + j);
            store_part_of<N>(to + i, inside - load_part_of<N>(even + j) - off * load_part_of<N>(tilt + j));
        });
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
