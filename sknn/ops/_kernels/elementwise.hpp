// One pass over long arrays: slopes of ReLU with the sums of their columns, and the steps of the optimizers.

// dz = gradient where y > 0, else 0; and the sum of each column of dz, or none. All (rows, columns).
template <class T>
void relu_back(idx rows, idx columns, const T* gradient, const T* y, T* dz, T* sums) {
    if (sums) std::fill(sums, sums + columns, T(0));
    for (idx i = 0; i < rows; ++i, gradient += columns, y += columns, dz += columns) {
        for (idx j = 0; j < columns; ++j) dz[j] = y[j] > T(0) ? gradient[j] : T(0);
        if (sums)
            for (idx j = 0; j < columns; ++j) sums[j] += dz[j];
    }
}

// A step of Adam over a stretch of the vector, of which the first `decaying` parameters are drawn to zero. The slots
// hold unnormalised sums: `step` and `epsilon` make up for that.
template <class T>
void adam(idx n, idx decaying, T* theta, const T* grad, T* m, T* v, T beta_1, T beta_2, T epsilon, T step, T l2,
          T shrink, int threads) {
    const auto stretch = [=](idx from, idx to, T l2_here, T keep) {
        for (idx i = from; i < to; ++i) {
            const T g = grad[i] + l2_here * theta[i];
            m[i] = beta_1 * m[i] + g;
            v[i] = beta_2 * v[i] + g * g;
            theta[i] = keep * theta[i] - step * m[i] / (std::sqrt(v[i]) + epsilon);
        }
    };
    PARALLEL(threads) {
        const idx me = thread_number(), all = team_size();
        const idx from = me * n / all, to = (me + 1) * n / all, middle = std::max(from, std::min(to, decaying));
        stretch(from, middle, l2, shrink);
        stretch(middle, to, T(0), T(1));
    }
}
