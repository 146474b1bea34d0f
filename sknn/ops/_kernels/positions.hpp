// What belongs to each sample meets its rows, and what its rows have is summed up for it, column by column.

// Two sums for each column of a sample, over its rows in blocks.
template <class T>
class ColumnSums {
    const Buffer<T> space;
    const Buffer<double> whole;

public:
    const Blocks blocks;
    double *const one, *const other;

    ColumnSums(idx rows, idx columns)
        : space(2 * Blocks(rows, columns).width()),
          whole(2 * columns),
          blocks(rows, columns),
          one(whole.data),
          other(whole.data + columns) {}

    // Sums of what values(lanes, i, j, sum, other sum) adds for vectors of elements i, which lie in columns j: those of
    // a block in the precision of T, those of all blocks in float64.
    template <class Values>
    ALWAYS_INLINE void add(Values values) const {
        const idx width = blocks.width(), columns = blocks.columns;
        std::fill(one, one + 2 * columns, 0.0);
        for (idx b = 0; b < blocks.count(); ++b) {
            std::fill(space.data, space.data + 2 * width, T(0));
            add_block(b, values);
            for (int k = 0; k < 2; ++k) {
                blocks.fold(space.data + k * width);
                for (idx j = 0; j < columns; ++j) one[k * columns + j] += space.data[k * width + j];
            }
        }
    }

private:
    template <class Values>
    ALWAYS_INLINE void add_block(idx block, Values values) const {
        const idx step = blocks.width(), start = blocks.start(block);
        T *first = space.data, *second = space.data + step;
        blocks.each_stripe<LANES<T>, REGISTERS / 8>(block, [=](auto stripe, idx at, idx j) INLINE_CALL {
            using S = decltype(stripe);
            constexpr idx N = S::lanes;
            Part<T, N> sum[S::vectors] = {}, more[S::vectors] = {};
            for (idx line = 0; line < stripe.lines; ++line)
                for (int v = 0; v < S::vectors; ++v)
                    values(std::integral_constant<idx, N>{}, start + at + line * step + v * N, j + v * N, sum[v],
                           more[v]);
            for (int v = 0; v < S::vectors; ++v) {
                const idx to = j + v * N;
                store_part_of<N>(first + to, load_part_of<N>(first + to) + sum[v]);
                store_part_of<N>(second + to, load_part_of<N>(second + to) + more[v]);
            }
        });
    }
};

// Calls body(lanes, element, column) for vectors of all elements of a sample.
template <class T, class Body>
ALWAYS_INLINE void each_element(const Blocks& blocks, Body body) {
    for (idx b = 0; b < blocks.count(); ++b) {
        const idx start = blocks.start(b);
        each_part<T>(blocks, b, [=](auto lanes, idx i, idx j) INLINE_CALL { body(lanes, start + i, j); });
    }
}

// y = x + each, or x each, for x (samples, rows, columns) and each (samples, columns).
template <class T>
void meet(idx samples, idx rows, idx columns, const T* x, const T* each, bool multiply, T* y, int threads) {
    share(threads, samples, PASS * samples * rows * columns, [=](Turn& turn) {
        const Blocks blocks(rows, columns);
        const Buffer<T> space(blocks.width());
        T* other = space.data;
        for (idx sample; turn.take(sample);) {
            std::copy(each + sample * columns, each + (sample + 1) * columns, other);
            blocks.spread(other);
            const auto write = [=, &blocks, from = x + sample * rows * columns, to = y + sample * rows * columns](
                                   auto joined) INLINE_CALL {
                each_element<T>(blocks, [=](auto lanes, idx i, idx j) INLINE_CALL {
                    constexpr idx N = decltype(lanes)::value;
                    store_part_of<N>(to + i, joined(load_part_of<N>(from + i), load_part_of<N>(other + j)));
                });
            };
            if (multiply)
                write([](auto a, auto b) INLINE_CALL { return a * b; });
            else
                write([](auto a, auto b) INLINE_CALL { return a + b; });
        }
    });
}

// The sums over the rows of each sample: of x, or of x times others like it, if there are some.
template <class T>
void totals(idx samples, idx rows, idx columns, const T* x, const T* others, T* sums, int threads) {
    share(threads, samples, PASS * samples * rows * columns, [=](Turn& turn) {
        const ColumnSums<T> found(rows, columns);
        for (idx sample; turn.take(sample);) {
            const T* from = x + sample * rows * columns;
            if (others)
                found.add([=, other = others + sample * rows * columns](auto lanes, idx i, idx, auto& sum, auto&)
                              INLINE_CALL {
                    constexpr idx N = decltype(lanes)::value;
                    sum += load_part_of<N>(from + i) * load_part_of<N>(other + i);
                });
            else
                found.add([=](auto lanes, idx i, idx, auto& sum, auto&) INLINE_CALL {
                    sum += load_part_of<decltype(lanes)::value>(from + i);
                });
            for (idx j = 0; j < columns; ++j) sums[sample * columns + j] = T(found.one[j]);
        }
    });
}
