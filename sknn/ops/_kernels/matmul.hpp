// Products of matrices, with bias and ReLU in the store.
//
// A large product is cut into stretches of the sum, so that a stretch of the left matrix stays in the second level of
// the cache while panels of the right one pass through the first. A small one takes both matrices as they lie. A single
// row uses each element of the right matrix once, and takes them as fast as memory gives them. Where layers are narrow,
// threads have rows to share instead of columns. Every element is added up in the same order whatever the plan, so
// neither threads nor other rows change a bit of it.

constexpr idx STRETCH = 256, SHORT_STRETCH = 128;
constexpr idx SMALL = 1 << 15;  // elements of a matrix that stay in the cache wherever they lie
constexpr idx SECOND_LEVEL = 1 << 17;  // and those that stay in its second level
constexpr idx MANY = 512;              // rows, or elements of a sum, that are worth a plan of their own
constexpr idx TILES_AT_ONCE = 3;       // below each other
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

// Some rows, at most `height`, of a transposed left matrix, copied such that elements of a tile lie side by side.
template <class T>
void gather_rows(Matrix<T> a, idx length, idx some, idx height, T* to) {
    constexpr idx L = LANES<T>;
    idx k = 0;
    if (a.row == 1 && some <= L) {  // what a vector copies beyond the tile, the next one writes over
        const idx last = (length - 1) * a.column + some - L;  // from where on a vector would read too far
        for (; k * a.column <= last && k * height + L <= length * height; ++k)
            store(to + k * height, load(a.data + k * a.column), L);
    }
    for (; k < length; ++k)
        for (idx m = 0; m < some; ++m) to[k * height + m] = a.data[m * a.row + k * a.column];
}

// The same for blocks of so many rows.
template <class T, class S>
void gather(const Product<T, S>& p, idx from, idx length, idx height, idx first_block, idx last_block, T* gathered) {
    for (idx block = first_block; block < last_block; ++block) {
        const idx top = block * height;
        const Matrix<T> rows{p.a.data + top * p.a.row + from * p.a.column, p.a.row, p.a.column};
        gather_rows(rows, length, std::min(height, p.rows - top), height, gathered + top * length);
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

// Asks for what a stretch of the sum needs that begins at `from`: a part of it for each panel, so that all of it is there
// after the last one. Both matrices lie such that elements of the sum are rows.
template <class T>
void fetch_part(const Product<T>& p, idx from, idx column, idx width) {
    const idx panels = (p.results + width - 1) / width, panel = column / width;
    const idx first = from + panel * SHORT_STRETCH / panels;
    const idx some = std::min(p.n, from + (panel + 1) * SHORT_STRETCH / panels) - first;
    fetch(some, p.rows, p.a.data + first * p.a.column, p.a.column);
    if (p.b.column == 1) fetch(some, p.results, p.b.data + first * p.b.row, p.b.row);
}

// sums += those of the columns of a panel.
template <class T>
void add_up(const T* panel, idx length, idx width, idx valid, T* sums) {
    for (idx j = 0; j < valid; j += LANES<T>) {
        const idx some = std::min(LANES<T>, valid - j);
        Vector<T> total = load_part(sums + j, some);
        for (idx k = 0; k < length; ++k) total += load(panel + k * width + j);
        store(sums + j, total, some);
    }
}

// z += the products of a stretch of the sum, and, if they are wanted, sums += those of the columns of b.
template <class T>
void deep_stretch(const Product<T>& p, idx from, int V, T* panel, T* gathered, T* sums) {
    const idx width = V * LANES<T>, height = most_rows(V), length = std::min(SHORT_STRETCH, p.n - from);
    gather(p, from, length, height, 0, (p.rows + height - 1) / height, gathered);
    Ends<T> ends;
    ends.add = from > 0;
    for (idx column = 0; column < p.results; column += width) {
        const idx valid = std::min(width, p.results - column);
        fetch_part(p, from + SHORT_STRETCH, column, width);
        pack(p.b.data + from * p.b.row + column * p.b.column, p.b.row, p.b.column, length, valid, width, panel);
        if (sums) add_up(panel, length, width, valid, sums + column);
        for (idx top = 0; top < p.rows; top += height) {
            T* z = p.z + top * p.results + column;
            fetch(std::min(height, p.rows - top - height), valid, z + height * p.results, p.results);
            line(V, std::min(height, p.rows - top), gathered + top * length, 1, Regular{height}, length, panel, z,
                 p.results, valid, ends);
        }
    }
}

// Long sums for few results, as weights of narrow layers have them in their gradients: each thread takes some rows of
// the result through the whole sum, a short stretch at a time, of which a panel stays in the first level of the cache.
// The sums of the columns of b come along, if they are wanted.
template <class T>
void deep_matmul(const Product<T>& p, T* sums, int threads) {
    if (sums) std::fill(sums, sums + p.results, T(0));
    const int V = tile_width<T>(p.rows, p.results);
    const idx width = V * LANES<T>, height = most_rows(V), tiles = (p.rows + height - 1) / height;
    const idx blocks = std::min<idx>(threads, tiles);
    share(threads, blocks, double(p.rows) * p.n * p.results, [&](Turn& turn) {
        Buffer<T> panel(SHORT_STRETCH * width), gathered(SHORT_STRETCH * (p.rows / blocks + height));
        for (idx block; turn.take(block);) {
            Product<T> mine = p;  // of the thread's rows
            const idx top = block * p.rows / blocks;
            mine.rows = (block + 1) * p.rows / blocks - top;
            mine.a.data += top * p.a.row;
            mine.z += top * p.results;
            for (idx from = 0; from < p.n; from += SHORT_STRETCH)
                deep_stretch(mine, from, V, panel.data, gathered.data, block == 0 ? sums : nullptr);
        }
    });
}

template <class T>
bool is_deep(const Product<T>& p) {
    return p.a.row == 1 && p.n >= MANY && p.rows * p.results <= SECOND_LEVEL && !p.bias && !p.relu;
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
        if (is_deep(product)) return deep_matmul<T>(product, nullptr, threads);
    }
    if (rows == 1 && b.column == 1)
        row_matmul(product, threads);
    else if (a.column == 1 && rows >= MANY && n * results <= SECOND_LEVEL)
        tall_matmul(product, threads);
    else
        large_matmul(product, threads);
}
