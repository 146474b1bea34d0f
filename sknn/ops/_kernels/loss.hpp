// Losses of raw outputs, with their slopes, in one pass over the samples.

template <class T>
void exponentiate(T* x, idx n) {
    for (; n > 0; x += LANES<T>, n -= LANES<T>) store(x, exp<T>(load_part(x, n)), n);
}

// values (n) = log sum_k exp(raw_k) - sum_k q_k raw_k and slope (n, outputs), its gradient, where q is 1 - smoothing at
// the class `target`, plus smoothing / outputs everywhere.
template <class T>
void softmax_cross_entropy(idx n, idx outputs, const T* raw, const idx* target, T smoothing, T* values, T* slope) {
    const T spread = smoothing / T(outputs);
    for (idx i = 0; i < n; ++i) {
        const T* from = raw + i * outputs;
        T* z = slope + i * outputs;
        T most = from[0];
        for (idx k = 1; k < outputs; ++k) most = std::max(most, from[k]);
        for (idx k = 0; k < outputs; ++k) z[k] = from[k] - most;
        values[i] = (T(1) - smoothing) * z[target[i]];
        if (smoothing != T(0))
            for (idx k = 0; k < outputs; ++k) values[i] += spread * z[k];
    }
    exponentiate(slope, n * outputs);
    for (idx i = 0; i < n; ++i) {
        T* z = slope + i * outputs;
        T total = 0;
        for (idx k = 0; k < outputs; ++k) total += z[k];
        values[i] = std::log(total) - values[i];
        const T share = T(1) / total;
        for (idx k = 0; k < outputs; ++k) z[k] = z[k] * share - spread;
        z[target[i]] -= T(1) - smoothing;
    }
}
