// The perceptron's pass over the samples: the weights of the plain loop to the last bit, without its long sums where
// they are not needed. A sum in any order, with a bound on its rounding, tells most samples that are surely right; only
// for the others does the sum from left to right decide.

ALWAYS_INLINE Vector<double> in_double(const double* from) {
    return load(from);
}

ALWAYS_INLINE Vector<double> in_double(const float* from) {
    typedef float Half __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));
    return __builtin_convertvector(*reinterpret_cast<const Half*>(from), Vector<double>);
}

ALWAYS_INLINE Vector<double> magnitude(Vector<double> v) {
    typedef long long Bits __attribute__((vector_size(VECTOR_BYTES)));
    return reinterpret_cast<Vector<double>>(reinterpret_cast<Bits>(v) & std::numeric_limits<long long>::max());
}

ALWAYS_INLINE double total(Vector<double> v) {
    double sum = 0;
    for (idx lane = 0; lane < LANES<double>; ++lane) sum += v[lane];
    return sum;
}

// All that both kinds of rows offer: a lower bound on y (x w), rounding included; x w from left to right; w += c x.
template <class T>
struct DenseRow {
    idx n;
    const T* x;

    ALWAYS_INLINE double at_least(double y, double doubt, const double* w) const {
        Vector<double> sum = {}, size = {};
        idx j = 0;
        for (; j + LANES<double> <= n; j += LANES<double>) {
            const Vector<double> product = in_double(x + j) * load(w + j);
            sum += product;
            size += magnitude(product);
        }
        double rest = 0, rest_size = 0;
        for (; j < n; ++j) {
            const double product = double(x[j]) * w[j];
            rest += product;
            rest_size += std::fabs(product);
        }
        return total(y * sum - doubt * size) + (y * rest - doubt * rest_size);
    }

    double dot(const double* w) const {
        double sum = 0;
        for (idx j = 0; j < n; ++j) sum += rounded(w[j] * double(x[j]));
        return sum;
    }

    void add_to(double* w, double c) const {
        idx j = 0;
        for (; j + LANES<double> <= n; j += LANES<double>)
            store(w + j, load(w + j) + rounded(in_double(x + j) * c), LANES<double>);
        for (; j < n; ++j) w[j] += rounded(double(x[j]) * c);
    }

    ALWAYS_INLINE void prefetch() const {
        for (idx j = 0; j < n; j += 64 / idx(sizeof(T))) __builtin_prefetch(x + j);
    }
};

template <class T>
struct SparseRow {
    idx n;
    const T* x;
    const std::int32_t* column;

    ALWAYS_INLINE double at_least(double y, double doubt, const double* w) const {
        constexpr idx CHAINS = 4;
        double sum[CHAINS] = {}, size[CHAINS] = {};
        const auto take = [&](idx j, idx chain) {
            const double product = double(x[j]) * w[column[j]];
            sum[chain] += product;
            size[chain] += std::fabs(product);
        };
        idx j = 0;
        for (; j + CHAINS <= n; j += CHAINS)
            for (idx chain = 0; chain < CHAINS; ++chain) take(j + chain, chain);
        for (; j < n; ++j) take(j, 0);
        return y * ((sum[0] + sum[1]) + (sum[2] + sum[3])) - doubt * ((size[0] + size[1]) + (size[2] + size[3]));
    }

    double dot(const double* w) const {
        double sum = 0;
        for (idx j = 0; j < n; ++j) sum += rounded(w[column[j]] * double(x[j]));
        return sum;
    }

    void add_to(double* w, double c) const {
        for (idx j = 0; j < n; ++j) w[column[j]] += rounded(double(x[j]) * c);
    }

    ALWAYS_INLINE void prefetch() const {
        for (idx j = 0; j < n; j += 64 / idx(sizeof(T))) __builtin_prefetch(x + j);
        for (idx j = 0; j < n; j += 64 / idx(sizeof(*column))) __builtin_prefetch(column + j);
    }
};

template <class Row>
double visit_all(const Visits& visits, idx features, double* w, double* intercept, double loss, Row row) {
    // Two sums of n products in different orders lie within n eps of the sum of magnitudes of each other, to first
    // order; twice that, and eight products more, make up for what else is rounded, and `tiny` for underflow.
    const double doubt = 2 * std::numeric_limits<double>::epsilon() * double(features + 8);
    constexpr double tiny = std::numeric_limits<double>::min();
    constexpr idx AHEAD = 4;  // rows in random places come from far away
    for (idx k = 0; k < visits.n; ++k) {
        if (k + AHEAD < visits.n) row(visits.order[k + AHEAD]).prefetch();
        const idx i = visits.order[k];
        const auto x = row(i);
        const double y = visits.label[i], b = intercept ? *intercept : 0.0;
        if (x.at_least(y, doubt, w) + (y * b - doubt * std::fabs(b)) > tiny) continue;
        const double margin = y * (x.dot(w) + b), c = y * visits.step[i];
        if (!(margin <= 0)) continue;
        loss -= margin;
        x.add_to(w, c);
        if (intercept) *intercept += c;
    }
    return loss;
}

// Learns from each mistake; returns the loss with those of the mistakes added, one after the other.
template <class T>
double perceptron(const Samples<T>& rows, const Visits& visits, double* w, double* intercept, double loss) {
    if (!rows.starts)
        return visit_all(visits, rows.features, w, intercept, loss,
                         [&](idx i) { return DenseRow<T>{rows.features, rows.values + i * rows.features}; });
    return visit_all(visits, rows.features, w, intercept, loss, [&](idx i) {
        const idx start = rows.starts[i];
        return SparseRow<T>{rows.starts[i + 1] - start, rows.values + start, rows.columns + start};
    });
}
