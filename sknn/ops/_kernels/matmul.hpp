// Products of matrices, with bias and ReLU in the store.
//
// The sum is cut into stretches, so that a stretch of the left matrix stays in the second level of the cache while the
// panels of the right one pass through the first. Threads share the panels: the result does not depend on their number.

constexpr idx STRETCH = 256;

// z (rows, results) (+)= a (rows, n) b (n, results) + bias, then ReLU if wanted; z lies row by row.
template <class T>
void matmul(idx rows, idx n, idx results, Matrix<T> a, Matrix<T> b, const T* bias, bool relu, T* z, int threads) {
    const int V = tile_width<T>(rows, results);
    const idx width = V * LANES<T>, panels = (results + width - 1) / width;
    const idx height = most_rows(V);
    const bool gather = a.column != 1;  // elements of a row are far apart: copy stretches, `height` rows at a time
    const idx longest = std::min(n, STRETCH);
    Buffer<T> gathered(gather ? (rows + height) * longest : 0);
    threads = int(std::max<idx>(1, std::min<idx>(threads, panels)));

    PARALLEL(threads) {
        const int me = thread_number(), all = team_size();
        Buffer<T> panel(longest * width);
        Buffer<T> wide_bias(width);
        for (idx from = 0; from < n || from == 0; from += STRETCH) {
            const idx length = std::min(STRETCH, n - from);
            const bool first = from == 0, last = from + length >= n;
            if (gather) {
                const idx blocks = (rows + height - 1) / height;
                for (idx block = me * blocks / all; block < (me + 1) * blocks / all; ++block) {
                    const idx top = block * height, some = std::min(height, rows - top);
                    T* to = gathered.data + block * height * longest;
                    for (idx k = 0; k < length; ++k)
                        for (idx m = 0; m < height; ++m)
                            to[k * height + m] = m < some ? a.data[(top + m) * a.row + (from + k) * a.column] : T(0);
                }
                WAIT_FOR_ALL
            }
            for (idx p = me * panels / all; p < (me + 1) * panels / all; ++p) {
                const idx valid = std::min(width, results - p * width);
                pack(b.data + from * b.row + p * width * b.column, b.row, b.column, length, valid, width, panel.data);
                Ends<T> ends;
                ends.add = !first;
                ends.relu = relu && last;
                if (bias && first) {
                    std::fill(wide_bias.data, wide_bias.data + width, T(0));
                    std::copy(bias + p * width, bias + p * width + valid, wide_bias.data);
                    ends.bias = wide_bias.data;
                }
                T* to = z + p * width;
                if (!gather) {
                    line(V, rows, a.data + from, a.row, Regular{1}, length, panel.data, to, results, valid, ends);
                    continue;
                }
                for (idx top = 0; top < rows; top += height)
                    line(V, std::min(height, rows - top), gathered.data + top * longest, 1, Regular{height}, length,
                         panel.data, to + top * results, results, valid, ends);
            }
            if (gather) {
                WAIT_FOR_ALL
            }
        }
    }
}
