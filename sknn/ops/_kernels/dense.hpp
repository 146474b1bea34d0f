// The way back through a dense layer.

// Gradients of y (rows, results) = x (rows, n) w (n, results) + bias, then ReLU if wanted: those of x, w and bias, or
// of some of them. The slope in front of ReLU is `gradient` where y > 0, else 0.
template <class T>
void dense_back(idx rows, idx n, idx results, const T* gradient, Matrix<T> x, Matrix<T> w, const T* y, bool relu, T* dx,
                T* dw, T* db, int threads) {
    Buffer<T> masked(relu ? rows * results : 0);
    PARALLEL(threads) {
        const idx me = thread_number(), all = team_size();
        const idx from = me * results / all, to = (me + 1) * results / all;
        if (db) std::fill(db + from, db + to, T(0));
        for (idx i = 0; i < rows; ++i) {
            const T* g = gradient + i * results;
            if (relu) {
                T* slope = masked.data + i * results;
                for (idx j = from; j < to; ++j) slope[j] = y[i * results + j] > T(0) ? g[j] : T(0);
                g = slope;
            }
            if (db)
                for (idx j = from; j < to; ++j) db[j] += g[j];
        }
    }
    const T* slope = relu ? masked.data : gradient;
    if (dw) matmul<T>(n, rows, results, {x.data, x.column, x.row}, {slope, results, 1}, nullptr, false, dw, threads);
    if (dx) matmul<T>(rows, results, n, {slope, results, 1}, {w.data, w.column, w.row}, nullptr, false, dx, threads);
}
