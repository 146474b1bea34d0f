// The way back through a dense layer.

// V vectors of columns: slope = gradient where y > 0, else 0, or no slope; sums = those of the columns, or none.
template <class T, int V>
void mask_and_add(idx rows, idx columns, const T* gradient, const T* y, T* slope, T* sums) {
    Vector<T> total[V] = {};
    for (idx i = 0; i < rows; ++i)
        for (int v = 0; v < V; ++v) {
            const idx at = i * columns + v * LANES<T>;
            Vector<T> g = load(gradient + at);
            if (slope) {
                g = load(y + at) > Vector<T>{} ? g : Vector<T>{};
                store(slope + at, g, LANES<T>);
            }
            total[v] += g;
        }
    if (sums)
        for (int v = 0; v < V; ++v) store(sums + v * LANES<T>, total[v], LANES<T>);
}

// The same for a few columns, less than a vector.
template <class T>
void mask_and_add_few(idx rows, idx columns, idx few, const T* gradient, const T* y, T* slope, T* sums) {
    T totals[LANES<T>] = {};
    for (idx at = 0; at < rows * columns; at += columns)
        for (idx j = 0; j < few; ++j) {
            const T g = !slope || y[at + j] > T(0) ? gradient[at + j] : T(0);
            if (slope) slope[at + j] = g;
            totals[j] += g;
        }
    if (sums) std::copy(totals, totals + few, sums);
}

// The same for all columns of a panel.
template <class T>
void mask_and_add_panel(idx rows, idx columns, idx width, const T* gradient, const T* y, T* slope, T* sums) {
    const auto from = [](T* array, idx column) { return array ? array + column : nullptr; };
    idx k = 0;
    for (; k + 4 * LANES<T> <= width; k += 4 * LANES<T>)
        mask_and_add<T, 4>(rows, columns, gradient + k, y + k, from(slope, k), from(sums, k));
    for (; k + 2 * LANES<T> <= width; k += 2 * LANES<T>)
        mask_and_add<T, 2>(rows, columns, gradient + k, y + k, from(slope, k), from(sums, k));
    for (; k + LANES<T> <= width; k += LANES<T>)
        mask_and_add<T, 1>(rows, columns, gradient + k, y + k, from(slope, k), from(sums, k));
    mask_and_add_few(rows, columns, width - k, gradient + k, y + k, from(slope, k), from(sums, k));
}

// Gradients of y (rows, results) = x (rows, n) w (n, results) + bias, then ReLU if wanted: those of x, w and bias, or
// of some of them. The slope in front of ReLU is `gradient` where y > 0, else 0.
template <class T>
void dense_back(idx rows, idx n, idx results, const T* gradient, Matrix<T> x, Matrix<T> w, const T* y, bool relu, T* dx,
                T* dw, T* db, int threads) {
    const Product<T> to_w{n, rows, results, {x.data, x.column, x.row}, {gradient, results, 1}, nullptr, false, dw};
    const bool in_passing = dw && db && !relu && is_deep(to_w);
    Buffer<T> masked(relu ? rows * results : 0);
    if (in_passing)
        deep_matmul(to_w, db, threads);
    else if (relu || db)
        share_stretches(threads, results, 4 * LANES<T>, PASS * rows * results, [&](idx from, idx to) {
            mask_and_add_panel(rows, results, to - from, gradient + from, y + from, relu ? masked.data + from : nullptr,
                               db ? db + from : nullptr);
        });
    const T* slope = relu ? masked.data : gradient;
    if (dw && !in_passing)
        matmul<T, T>(n, rows, results, {x.data, x.column, x.row}, {slope, results, 1}, nullptr, false, dw, threads);
    if (dx) matmul<T, T>(rows, results, n, {slope, results, 1}, {w.data, w.column, w.row}, nullptr, false, dx, threads);
}
