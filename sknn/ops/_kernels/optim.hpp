// Steps of the optimizers, each in one pass over a stretch of the vector, of which the first `decaying` parameters are
// drawn to zero by `l2`.

// Calls move(i, gradient of the penalty included) for each parameter; the stretch is shared out to threads.
template <class T, class Move>
ALWAYS_INLINE void each_parameter(idx n, idx decaying, const T* theta, const T* grad, T l2, int threads, Move move) {
    PARALLEL(threads) {
        const idx me = thread_number(), all = team_size();
        const idx from = me * n / all, to = (me + 1) * n / all, middle = std::max(from, std::min(to, decaying));
        #pragma GCC ivdep
        for (idx i = from; i < middle; ++i) move(i, grad[i] + l2 * theta[i]);
        #pragma GCC ivdep
        for (idx i = middle; i < to; ++i) move(i, grad[i]);
    }
}

// With momentum where there is a velocity.
template <class T>
void sgd(idx n, idx decaying, T* theta, const T* grad, T* velocity, T momentum, bool nesterov, T rate, T l2,
         int threads) {
    if (!velocity)
        each_parameter(n, decaying, theta, grad, l2, threads, [=](idx i, T g) { theta[i] -= rate * g; });
    else if (nesterov)
        each_parameter(n, decaying, theta, grad, l2, threads, [=](idx i, T g) {
            const T moved = momentum * velocity[i] - rate * g;
            velocity[i] = moved;
            theta[i] = theta[i] - rate * g + momentum * moved;
        });
    else
        each_parameter(n, decaying, theta, grad, l2, threads, [=](idx i, T g) {
            const T moved = momentum * velocity[i] - rate * g;
            velocity[i] = moved;
            theta[i] += moved;
        });
}

// The slot holds an unnormalised sum: `step` and `epsilon` make up for that.
template <class T>
void rmsprop(idx n, idx decaying, T* theta, const T* grad, T* v, T decay, T epsilon, T step, T l2, int threads) {
    each_parameter(n, decaying, theta, grad, l2, threads, [=](idx i, T g) {
        const T sum = decay * v[i] + g * g;
        v[i] = sum;
        theta[i] -= step * g / (std::sqrt(sum) + epsilon);
    });
}

// The slots hold unnormalised sums: `step` and `epsilon` make up for that. What decays shrinks besides.
template <class T>
void adam(idx n, idx decaying, T* theta, const T* grad, T* m, T* v, T beta_1, T beta_2, T epsilon, T step, T l2,
          T shrink, int threads) {
    each_parameter(n, decaying, theta, grad, l2, threads, [=](idx i, T g) {
        const T mean = beta_1 * m[i] + g, square = beta_2 * v[i] + g * g;
        m[i] = mean;
        v[i] = square;
        theta[i] = (i < decaying ? shrink : T(1)) * theta[i] - step * mean / (std::sqrt(square) + epsilon);
    });
}
