// Products of matrices, with bias and ReLU in the store.
//
// A large product is cut into stretches of the sum, so that a stretch of the left matrix stays in the second level of
// the cache while panels of the right one pass through the first. A small one takes both matrices as they lie. A single
// row uses each element of the right matrix once, and takes them as fast as memory gives them. Where layers are narrow,
// threads have rows to share instead of columns. Every element is added up in the same order whatever the plan, so
// neither threads nor other rows change a bit of it.

constexpr idx STRETCH = 256, SHORT_STRETCH = 64;
constexpr idx SMALL = 1 << 15;  // elements of a matrix that stay in the cache wherever they lie
constexpr idx MANY = 512;              // rows, or elements of a sum, that are worth a plan of their own
constexpr idx TILES_AT_ONCE = 8;       // below each other
constexpr idx GATHERED_AT_ONCE = 4;    // blocks of rows
constexpr idx COLUMNS_AT_ONCE = 1024;  // of a product with one row

// z (rows, results) = a (rows, n) b (n, results) + bias, then ReLU if wanted; z lies row by row. The precision S of b
// and bias is that of a, T, or lower.
template <class T, class S = T>
struct Product {
    idx rows, n, results;
    Matrix<T> a;
    Matrix<S> b;
    const S* bias;
    bool relu;
    T* z;

    // What happens around the stretch of the sum that is `first`, `last` or both, for some columns from `column` on.
    Ends<T> ends(idx column, idx valid, idx width, bool first, bool last, T* wide_bias) const {
        Ends<T> ends;
        ends.add = !first;
        ends.relu = relu && last;
        if (bias && first) {
            std::copy(bias + column, bias + column + valid, wide_bias);
            std::fill(wide_bias + valid, wide_bias + width, T(0));
            ends.bias = wide_bias;
        }
        return ends;
    }
};

// Columns that fill vectors are read where they lie, the others from a copy; so are those of a transposed matrix.
template <class T>
void small_matmul(const Product<T>& p) {
    constexpr idx L = LANES<T>;
    const int V = tile_width<T>(p.rows, p.results);
    Buffer<T> panel(p.n * V * L), wide_bias(V * L);
    for (idx column = 0; column < p.results; column += V * L) {
        const idx valid = std::min(V * L, p.results - column);
        const int v = valid <= L ? 1 : valid <= 2 * L && V > 2 ? 2 : V;  // no wider than what is left
        const T* b = p.b.data + column * p.b.column;
        idx step = p.b.row;
        if (p.b.column != 1 || valid < v * L) {
            pack(b, p.b.row, p.b.column, p.n, valid, v * L, panel.data);
            b = panel.data;
            step = v * L;
        }
        line(v, p.rows, p.a.data, p.a.row, Regular{p.a.column}, p.n, b, step, p.z + column, p.results, valid,
             p.ends(column, valid, v * L, true, true, wide_bias.data));
    }
}

// The rows of a transposed left matrix, copied `height` at a time so that elements of a tile lie side by side.
template <class T, class S>
void gather(const Product<T, S>& p, idx from, idx length, idx height, idx first_block, idx last_block, T* gathered) {
    for (idx block = first_block; block < last_block; ++block) {
        const idx top = block * height, some = std::min(height, p.rows - top);
        T* to = gathered + block * height * length;
        for (idx k = 0; k < length; ++k)
            for (idx m = 0; m < height; ++m)
                to[k * height + m] = m < some ? p.a.data[(top + m) * p.a.row + (from + k) * p.a.column] : T(0);
    }
}

template <class T, class S>
void large_matmul(const Product<T, S>& p, int threads) {
    const int V = tile_width<T>(p.rows, p.results);
    const idx width = V * LANES<T>, panels = (p.results + width - 1) / width;
    const idx height = most_rows(V), blocks = (p.rows + height - 1) / height;
    const bool scattered = p.a.column != 1;
    Buffer<T> gathered(scattered ? blocks * height * std::min(p.n, STRETCH) : 0);

    for (idx from = 0; from < p.n || from == 0; from += STRETCH) {
        const idx length = std::min(STRETCH, p.n - from);
        if (scattered)
            share_stretches(threads, blocks, GATHERED_AT_ONCE, PASS * p.rows * length, [&](idx first, idx last) {
                gather(p, from, length, height, first, last, gathered.data);
            });
        share(threads, panels, double(p.rows) * length * p.results, [&](Turn& turn) {
            Buffer<T> panel(length * width), wide_bias(width);
            for (idx number; turn.take(number);) {
                const idx column = number * width, valid = std::min(width, p.results - column);
                const Ends<T> ends = p.ends(column, valid, width, from == 0, from + length >= p.n, wide_bias.data);
                pack(p.b.data + from * p.b.row + column * p.b.column, p.b.row, p.b.column, length, valid, width,
                     panel.data);
                if (!scattered)
                    line(V, p.rows, p.a.data + from, p.a.row, Regular{1}, length, panel.data, p.z + column, p.results,
                         valid, ends);
                else
                    for (idx top = 0; top < p.rows; top += height)
                        line(V, std::min(height, p.rows - top), gathered.data + top * length, 1, Regular{height},
                             length, panel.data, p.z + column + top * p.results, p.results, valid, ends);
            }
        });
    }
}

// Many rows and a small right matrix: that is packed once, and some rows at a time, which stay in the first level of the
// cache, are taken through all of it.
template <class T, class S>
void tall_matmul(const Product<T, S>& p, int threads) {
    const int V = tile_width<T>(p.rows, p.results);
    const idx width = V * LANES<T>, panels = (p.results + width - 1) / width;
    Buffer<T> packed(panels * width * p.n), bias(panels * width);
    pack(p.b.data, p.b.row, p.b.column, p.n, p.results, width, packed.data);
    if (p.bias) pack(p.bias, 0, 1, 1, p.results, width, bias.data);
    const double cost = double(p.rows) * p.n * p.results;
    share_stretches(threads, p.rows, TILES_AT_ONCE * most_rows(V), cost, [&](idx from, idx to) {
        for (idx column = 0; column < p.results; column += width) {
            Ends<T> ends;
            ends.bias = p.bias ? bias.data + column : nullptr;
            ends.relu = p.relu;
            line(V, to - from, p.a.data + from * p.a.row, p.a.row, Regular{1}, p.n, packed.data + column * p.n,
                 p.z + from * p.results + column, p.results, std::min(width, p.results - column), ends);
        }
    });
}

// Long sums for few results, as weights of narrow layers have them in their gradients: each thread takes some rows of
// the result through the whole sum, a short stretch at a time, which stays in the first level of the cache. The left
// matrix lies transposed, so that it is read as it lies.
template <class T>
void deep_matmul(const Product<T>& p, int threads) {
    const int V = tile_width<T>(p.rows, p.results);
    const idx width = V * LANES<T>, tiles = (p.rows + most_rows(V) - 1) / most_rows(V);
    const idx blocks = std::min<idx>(threads, tiles);
    share(threads, blocks, double(p.rows) * p.n * p.results, [&](Turn& turn) {
        Buffer<T> panel(SHORT_STRETCH * width);
        for (idx block; turn.take(block);) {
            const idx top = block * p.rows / blocks, rows = (block + 1) * p.rows / blocks - top;
            for (idx from = 0; from < p.n; from += SHORT_STRETCH) {
                const idx length = std::min(SHORT_STRETCH, p.n - from);
                for (idx column = 0; column < p.results; column += width) {
                    const idx valid = std::min(width, p.results - column);
                    const T* b = p.b.data + from * p.b.row + column * p.b.column;
                    const bool fits = p.b.column == 1 && valid == width;
                    if (!fits) pack(b, p.b.row, p.b.column, length, valid, width, panel.data);
                    Ends<T> ends;
                    ends.add = from > 0;
                    line(V, rows, p.a.data + top * p.a.row + from * p.a.column, p.a.row, Regular{p.a.column}, length,
                         fits ? b : panel.data, fits ? p.b.row : width, p.z + top * p.results + column, p.results,
                         valid, ends);
                }
            }
        }
    });
}

// A product with few columns fills no vectors; its transpose does, where the left matrix lies transposed already.
template <class T>
void narrow_matmul(const Product<T>& p) {
    Buffer<T> turned(p.results * p.rows);
    small_matmul<T>({p.results,
                     p.n,
                     p.rows,
                     {p.b.data, p.b.column, p.b.row},
                     {p.a.data, p.a.column, p.a.row},
                     nullptr,
                     false,
                     turned.data});
    for (idx i = 0; i < p.rows; ++i)
        for (idx j = 0; j < p.results; ++j) p.z[i * p.results + j] = turned.data[j * p.rows + i];
}

// z[j] += a[k] b[k][j] for all k and the columns of a stripe, DEPTH rows of b at a time.
template <idx DEPTH, class T, class S>
idx add_rows(const Product<T, S>& p, idx k, idx from, idx to) {
    for (; k + DEPTH <= p.n; k += DEPTH) {
        T factors[DEPTH];
        for (idx d = 0; d < DEPTH; ++d) factors[d] = p.a.data[(k + d) * p.a.column];
        const S* b = p.b.data + k * p.b.row;
        #pragma GCC ivdep
        for (idx j = from; j < to; ++j) {
            T sum = p.z[j];
            for (idx d = 0; d < DEPTH; ++d) sum += factors[d] * T(b[d * p.b.row + j]);
            p.z[j] = sum;
        }
    }
    return k;
}

template <class T, class S>
void row_matmul(const Product<T, S>& p, int threads) {
    share_stretches(threads, p.results, COLUMNS_AT_ONCE, double(p.n) * p.results, [&](idx from, idx to) {
        for (idx j = from; j < to; ++j) p.z[j] = p.bias ? T(p.bias[j]) : T(0);
        add_rows<1>(p, add_rows<8>(p, 0, from, to), from, to);
        if (p.relu)
            for (idx j = from; j < to; ++j) p.z[j] = p.z[j] < T(0) ? T(0) : p.z[j];  // NaN stays
    });
}

template <class T, class S>
void matmul(idx rows, idx n, idx results, Matrix<T> a, Matrix<S> b, const S* bias, bool relu, T* z, int threads) {
    const Product<T, S> product{rows, n, results, a, b, bias, relu, z};
    const bool small = threads == 1 && rows * n <= SMALL && n * results <= SMALL;
    if constexpr (std::is_same_v<T, S>) {
        if (small && a.row == 1 && results <= LANES<T> / 2 && !bias && !relu) return narrow_matmul(product);
        if (small) return small_matmul(product);
        if (a.row == 1 && n >= MANY && rows * results <= SMALL && !bias && !relu) return deep_matmul(product, threads);
    }
    if (rows == 1 && b.column == 1)
        row_matmul(product, threads);
    else if (a.column == 1 && rows >= MANY && n * results <= SMALL)
        tall_matmul(product, threads);
    else
        large_matmul(product, threads);
}
