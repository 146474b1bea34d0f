// The steps of the optimizers, each in one pass over the flat vector.

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
