// Losses of raw outputs, with their slopes, in one pass over the samples.

template <class T>
struct Exponent;  // of a floating-point number: how its bits lie
template <>
struct Exponent<float> {
    typedef std::int32_t Integer __attribute__((vector_size(VECTOR_BYTES)));
    static constexpr int mantissa = 23, bias = 127, degree = 7;
    static constexpr float to_integer = 12582912.0f, high = 0.693359375f, low = -2.12194440e-4f, least = -87.0f;
};
template <>
struct Exponent<double> {
    typedef std::int64_t Integer __attribute__((vector_size(VECTOR_BYTES)));
    static constexpr int mantissa = 52, bias = 1023, degree = 13;
    static constexpr double to_integer = 6755399441055744.0, high = 0.693145751953125, low = 1.42860682030941723212e-6,
                            least = -708.0;
};

// exp(x) for x <= 0, and 0 where it is next to nothing: 2^k times the Taylor series of the rest, |rest| <= log(2) / 2.
template <class T>
ALWAYS_INLINE Vector<T> exp_of_negative(Vector<T> x) {
    using E = Exponent<T>;
    using Integer = typename E::Integer;
    const Vector<T> shifted = x * T(1.44269504088896340736) + E::to_integer;
    const Vector<T> k = shifted - E::to_integer;
    const Vector<T> rest = (x - k * E::high) - k * E::low;
    Vector<T> series = rest * T(0) + T(1);
    for (int i = E::degree; i > 0; --i) series = series * rest * (T(1) / T(i)) + T(1);
    Integer bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + E::bias) << E::mantissa;  // what lies above the integer is shifted out
    Vector<T> power;
    std::memcpy(&power, &bits, sizeof bits);
    return x < E::least ? Vector<T>{} : series * power;  // NaN stays NaN
}

template <class T>
void exp_of_negatives(T* x, idx n) {
    for (; n > 0; x += LANES<T>, n -= LANES<T>) store(x, exp_of_negative<T>(load_part(x, n)), n);
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
    exp_of_negatives(slope, n * outputs);
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
