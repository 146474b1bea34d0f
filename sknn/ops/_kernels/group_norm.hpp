// Normalisation of each sample over its rows and the neighbouring columns of a group, in blocks as that over the batch
// has them, and with an activation function behind as well.

// What a call says of one sample: the statistics of its groups, and sums of its columns.
template <class T>
class GroupSums {
    const Grouped& of;
    const Blocks blocks;
    const Buffer<T> space;
    const Buffer<double> whole;

public:
    double *const one, *const other;  // two sums of each column

    explicit GroupSums(const Grouped& of)
        : of(of),
          blocks(of.rows, of.columns),
          space(2 * blocks.width()),
          whole(2 * of.columns),
          one(whole.data),
          other(whole.data + of.columns) {}

    // Sums of the parts that body(block, first sums, second sums) adds up, those of each block in the precision of T.
    template <class Body>
    void add(Body body) const {
        const idx width = blocks.width();
        std::fill(one, one + 2 * of.columns, 0.0);
        for (idx b = 0; b < blocks.count(); ++b) {
            std::fill(space.data, space.data + 2 * width, T(0));
            body(blocks, b, space.data, space.data + width);
            for (int k = 0; k < 2; ++k) {
                blocks.fold(space.data + k * width);
                for (idx j = 0; j < of.columns; ++j) (k ? other : one)[j] += space.data[k * width + j];
            }
        }
    }

    // The sum over the columns of a group.
    template <class Value>
    double of_group(idx group, Value value) const {
        double sum = 0;
        for (idx j = group * of.width(); j < (group + 1) * of.width(); ++j) sum += value(j);
        return sum;
    }

    const Blocks& in_blocks() const { return blocks; }
};

// Adds first(i, j) and second(i, j) up, over vectors of all elements i of a block, of columns j.
template <class T, class Values>
ALWAYS_INLINE void add_pairs(const Blocks& blocks, idx block, T* one, T* other, Values values) {
    const idx step = blocks.width();
    blocks.each_stripe<LANES<T>, REGISTERS / 8>(block, [=](auto stripe, idx at, idx j) INLINE_CALL {
        using S = decltype(stripe);
        constexpr idx N = S::lanes;
        Part<T, N> sum[S::vectors] = {}, more[S::vectors] = {};
        for (idx line = 0; line < stripe.lines; ++line)
            for (int v = 0; v < S::vectors; ++v)
                values(std::integral_constant<idx, N>{}, at + line * step + v * N, j + v * N, sum[v], more[v]);
        for (int v = 0; v < S::vectors; ++v) {
            const idx to = j + v * N;
            store_part_of<N>(one + to, load_part_of<N>(one + to) + sum[v]);
            store_part_of<N>(other + to, load_part_of<N>(other + to) + more[v]);
        }
    });
}

// The mean and scale = 1 / sqrt(variance + epsilon) of each group of a sample: the variance, and what the mean lacks,
// from how far the elements are from what it is to the precision of T.
template <class T>
void group_statistics(const Grouped& of, GroupSums<T>& sums, const T* x, double epsilon, T* mean, T* scale) {
    const double n = of.elements();
    sums.add([=](const Blocks& blocks, idx b, T* one, T* other) {
        const T* from = x + blocks.start(b);
        add_pairs(blocks, b, one, other, [=](auto lanes, idx i, idx, auto& sum, auto&) INLINE_CALL {
            sum += load_part_of<decltype(lanes)::value>(from + i);
        });
    });
    for (idx k = 0; k < of.groups; ++k) mean[k] = T(sums.of_group(k, [&](idx j) { return sums.one[j]; }) / n);
    const Channels<T> centres(sums.in_blocks(), [&](idx j) { return mean[j / of.width()]; });
    const T* centre = centres.values.data;
    sums.add([=](const Blocks& blocks, idx b, T* one, T* other) {
        const T* from = x + blocks.start(b);
        add_pairs(blocks, b, one, other, [=](auto lanes, idx i, idx j, auto& sum, auto& square) INLINE_CALL {
            constexpr idx N = decltype(lanes)::value;
            const Part<T, N> apart = load_part_of<N>(from + i) - load_part_of<N>(centre + j);
            sum += apart;
            square += apart * apart;
        });
    });
    for (idx k = 0; k < of.groups; ++k) {
        const double off = sums.of_group(k, [&](idx j) { return sums.one[j]; }) / n;
        const double square = sums.of_group(k, [&](idx j) { return sums.other[j]; }) / n;
        mean[k] = T(mean[k] + off);
        scale[k] = T(1 / std::sqrt(std::max(0.0, square - off * off) + epsilon));
    }
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
        GroupSums<T> sums(of);
        const Blocks& blocks = sums.in_blocks();
        const T* from = x + sample * of.size();
        T *to = y + sample * of.size(), *centre = mean + sample * of.groups, *unit = scale + sample * of.groups;
        group_statistics(of, sums, from, epsilon, centre, unit);
        const Normalised<T> normalised = normalised_groups(of, blocks, centre, unit, gain, shift);
        for (idx b = 0; b < blocks.count(); ++b) {
            const idx start = blocks.start(b);
            each_part<T>(blocks, b, [=, &normalised](auto lanes, idx i, idx j) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = normalised.template off<N>(from + start + i, j);
                store_part_of<N>(to + start + i, F::template value<T, N>(normalised.template put<N>(off, j)));
            });
        }
    });
}

// Its gradients; the slope in front of f waits in dx until the sums over the sample are known.
template <class F, class T>
void group_norm_back_by(const Grouped& of, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                        const T* shift, T* dx, T* to_gain, T* to_shift, int threads) {
    const idx columns = of.columns;
    Buffer<double> each(2 * of.samples * columns);
    share_stretches(threads, of.samples, 1, 3 * PASS * of.samples * of.size(), [&](idx sample, idx) {
        GroupSums<T> sums(of);
        const Blocks& blocks = sums.in_blocks();
        const T *from = x + sample * of.size(), *arrives = g + sample * of.size();
        T* to = dx ? dx + sample * of.size() : nullptr;
        const T *centre = mean + sample * of.groups, *unit = scale + sample * of.groups;
        const Normalised<T> normalised = normalised_groups(of, blocks, centre, unit, gain, shift);
        sums.add([=, &normalised](const Blocks&, idx b, T* one, T* other) {
            const idx start = blocks.start(b);
            add_pairs(blocks, b, one, other,
                      [=, &normalised](auto lanes, idx i, idx j, auto& apart, auto& plain) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = normalised.template off<N>(from + start + i, j);
                const Part<T, N> slope = F::template back<T, N>(load_part_of<N>(arrives + start + i),
                                                                normalised.template put<N>(off, j));
                apart += slope * off;
                plain += slope;
                if (to) store_part_of<N>(to + start + i, slope);
            });
        });
        for (idx j = 0; j < columns; ++j) {
            each.data[2 * sample * columns + j] = sums.one[j] * unit[j / of.width()];
            each.data[(2 * sample + 1) * columns + j] = sums.other[j];
        }
        if (!to) return;
        Buffer<T> space(2 * of.groups);
        T *alike = space.data, *along = alike + of.groups;
        for (idx k = 0; k < of.groups; ++k) {
            const double by = unit[k] / of.elements();
            alike[k] = T(by * sums.of_group(k, [&](idx j) { return gain[j] * sums.other[j]; }));
            along[k] = T(by * unit[k] * unit[k] * sums.of_group(k, [&](idx j) { return gain[j] * sums.one[j]; }));
        }
        const Channels<T> evens(blocks, [=](idx j) { return alike[j / of.width()]; });
        const Channels<T> tilts(blocks, [=](idx j) { return along[j / of.width()]; });
        const T *even = evens.values.data, *tilt = tilts.values.data;
        for (idx b = 0; b < blocks.count(); ++b) {
            const idx start = blocks.start(b);
            each_part<T>(blocks, b, [=, &normalised](auto lanes, idx i, idx j) INLINE_CALL {
                constexpr idx N = decltype(lanes)::value;
                const Part<T, N> off = normalised.template off<N>(from + start + i, j);
                const Part<T, N> inside = load_part_of<N>(to + start + i) * load_part_of<N>(normalised.factor + j);
                store_part_of<N>(to + start + i, inside - load_part_of<N>(even + j) - off * load_part_of<N>(tilt + j));
            });
        }
    });
    for (idx j = 0; j < columns; ++j) {
        double gains = 0, shifts = 0;
        for (idx sample = 0; sample < of.samples; ++sample) {
            gains += each.data[2 * sample * columns + j];
            shifts += each.data[(2 * sample + 1) * columns + j];
        }
        to_gain[j] = T(gains);
        to_shift[j] = T(shifts);
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
