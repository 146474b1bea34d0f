// Steps of the optimizers, each in one pass over a stretch of the vector, of which the first `decaying` parameters are
// drawn to zero by `l2`.

// average += share (theta - average), rounded as NumPy does it.
template <class T>
void follow(Average<T> average, const T* theta, idx from, idx to) {
    const auto approach = [=](auto mean, auto goal) { return mean + rounded(average.share * (goal - mean)); };
    idx i = from;
    for (; i + LANES<T> <= to; i += LANES<T>)
        store(average.values + i, approach(load(average.values + i), load(theta + i)), LANES<T>);
    for (; i < to; ++i) average.values[i] = approach(average.values[i], theta[i]);
}

// Calls move(i, gradient of the penalty included) for each parameter. Threads share pieces of the part that decays and
// of the rest: each is full of vectors but for the end, whose elements may be rounded in another way. The average follows
// while a piece is in the cache.
template <class T, class Move>
ALWAYS_INLINE void each_parameter(idx n, idx decaying, const T* theta, const T* grad, T l2, Average<T> average,
                                  int threads, Move move) {
    const idx first = (decaying + PIECE - 1) / PIECE, rest = (n - decaying + PIECE - 1) / PIECE;
    share(threads, first + rest, UPDATE * n, [=](Turn& turn) {
        for (idx piece; turn.take(piece);) {
            const bool decays = piece < first;
            const idx from = decays ? piece * PIECE : decaying + (piece - first) * PIECE,
                      to = std::min(from + PIECE, decays ? decaying : n);
            if (decays) {
                #pragma GCC ivdep
                for (idx i = from; i < to; ++i) move(i, grad[i] + l2 * theta[i]);
            } else {
                #pragma GCC ivdep
                for (idx i = from; i < to; ++i) move(i, grad[i]);
            }
            if (average.values) follow(average, theta, from, to);
        }
    });
}

// With momentum where there is a velocity.
template <class T>
void sgd(idx n, idx decaying, T* theta, const T* grad, T* velocity, T momentum, bool nesterov, T rate, T l2,
         Average<T> average, int threads) {
    if (!velocity)
        each_parameter(n, decaying, theta, grad, l2, average, threads, [=](idx i, T g) { theta[i] -= rate * g; });
    else if (nesterov)
        each_parameter(n, decaying, theta, grad, l2, average, threads, [=](idx i, T g) {
            const T moved = momentum * velocity[i] - rate * g;
            velocity[i] = moved;
            theta[i] = theta[i] - rate * g + momentum * moved;
        });
    else
        each_parameter(n, decaying, theta, grad, l2, average, threads, [=](idx i, T g) {
            const T moved = momentum * velocity[i] - rate * g;
            velocity[i] = moved;
            theta[i] += moved;
        });
}

// The slot holds an unnormalised sum: `step` and `epsilon` make up for that.
template <class T>
void rmsprop(idx n, idx decaying, T* theta, const T* grad, T* v, T decay, T epsilon, T step, T l2,
             Average<T> average, int threads) {
    each_parameter(n, decaying, theta, grad, l2, average, threads, [=](idx i, T g) {
        const T sum = decay * v[i] + g * g;
        v[i] = sum;
        theta[i] -= step * g / (std::sqrt(sum) + epsilon);
    });
}

// The slots hold unnormalised sums: `step` and `epsilon` make up for that. What decays shrinks besides.
template <class T>
void adam(idx n, idx decaying, T* theta, const T* grad, T* m, T* v, T beta_1, T beta_2, T epsilon, T step, T l2,
          T shrink, Average<T> average, int threads) {
    each_parameter(n, decaying, theta, grad, l2, average, threads, [=](idx i, T g) {
        const T mean = beta_1 * m[i] + g, square = beta_2 * v[i] + g * g;
        m[i] = mean;
        v[i] = square;
        theta[i] = (i < decaying ? shrink : T(1)) * theta[i] - step * mean / (std::sqrt(square) + epsilon);
    });
}
