// Activation functions and their slopes, where NumPy takes several passes or one number at a time.

template <class T>
ALWAYS_INLINE Vector<T> size_of(Vector<T> z) {
    return z < T(0) ? -z : z;
}

struct Logistic {
    template <class T>
    static ALWAYS_INLINE Vector<T> value(Vector<T> z) {
        const Vector<T> e = exp<T>(-size_of<T>(z));
        return (z < T(0) ? e : all<T>(1)) / (e + T(1));
    }
    template <class T>
    static ALWAYS_INLINE Vector<T> slope(Vector<T> y) {
        return y * (T(1) - y);
    }
};

struct Tanh {  // NumPy's function is fast, its slope is not
    template <class T>
    static ALWAYS_INLINE Vector<T> slope(Vector<T> y) {
        return T(1) - y * y;
    }
};

struct Relu {  // its slope as well
    template <class T>
    static ALWAYS_INLINE Vector<T> slope(Vector<T> y) {
        return y > T(0) ? all<T>(1) : Vector<T>{};
    }
};

struct LeakyRelu {
    template <class T>
    static ALWAYS_INLINE Vector<T> slope(Vector<T> y) {
        return y > T(0) ? all<T>(1) : all<T>(0.01);
    }
};

struct Elu {
    static constexpr double alpha = 1, scale = 1;
};
struct Selu {
    static constexpr double alpha = 1.6732632423543772, scale = 1.0507009873554805;
};
template <class Numbers>
struct EluWith {
    template <class T>
    static ALWAYS_INLINE Vector<T> value(Vector<T> z) {
        const Vector<T> below = expm1<T>(z > T(0) ? Vector<T>{} : z);
        return z > T(0) ? z * T(Numbers::scale) : below * T(Numbers::alpha * Numbers::scale);
    }
    template <class T>
    static ALWAYS_INLINE Vector<T> slope(Vector<T> y) {
        return y > T(0) ? all<T>(Numbers::scale) : y + T(Numbers::alpha * Numbers::scale);
    }
};

struct Softplus {
    template <class T>
    static ALWAYS_INLINE Vector<T> value(Vector<T> z) {
        return (z > T(0) ? z : Vector<T>{}) + log1p<T>(exp<T>(-size_of<T>(z)));
    }
    template <class T>
    static ALWAYS_INLINE Vector<T> slope(Vector<T> y) {
        return -expm1<T>(-y);
    }
};

// The following know their slopes best while they compute their values.

struct Silu {
    template <class T>
    static ALWAYS_INLINE Vector<T> value(Vector<T> z, Vector<T>& slope) {
        const Vector<T> e = exp<T>(-size_of<T>(z)), share = T(1) / (e + T(1)), rest = e * share;
        const Vector<T> gate = z < T(0) ? rest : share, closed = z < T(0) ? share : rest;
        const Vector<T> y = z * gate;
        slope = gate + y * closed;
        return y;
    }
};

struct Gelu {
    template <class T>
    static ALWAYS_INLINE Vector<T> value(Vector<T> z, Vector<T>& slope) {
        const Vector<T> gaussian = exp<T>(z * z * T(-0.5)), tail = normal_tail<T>(size_of<T>(z), gaussian);
        const Vector<T> below = z < T(0) ? tail : T(1) - tail;
        slope = below + z * gaussian * T(0.39894228040143268);
        return z * below;
    }
};

struct Mish {  // with e = exp(z), tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2)
    template <class T>
    static ALWAYS_INLINE Vector<T> value(Vector<T> z, Vector<T>& slope) {
        constexpr T most = Floating<T>::saturated;
        const Vector<T> near = z > most ? all<T>(most) : z, e = exp<T>(near), n = e * (e + T(2));
        const Vector<T> share = T(1) / (n + T(2)), gate = n * share;
        slope = gate + near * T(4) * e * (e + T(1)) * share * share;
        return z * gate;
    }
};

// Calls part(where it begins, how long it is) for pieces of one vector; they are shared out to threads.
template <class T, class Part>
ALWAYS_INLINE void each_vector(idx n, int threads, Part part) {
    constexpr idx L = LANES<T>;
    share_stretches(threads, n, PIECE, ACTIVATION * n, [=](idx from, idx to) {
        const idx whole = (to - from) / L * L + from;
        for (idx i = from; i < whole; i += L) part(i, L);
        if (whole < to) part(whole, to - whole);
    });
}

template <class T>
ALWAYS_INLINE Vector<T> load_up_to(const T* from, idx n) {
    return n == LANES<T> ? load(from) : load_part(from, n);
}

template <class Function, class T>
void activate_by(idx n, T* z, int threads) {
    each_vector<T>(n, threads, [=](idx i, idx size) __attribute__((always_inline)) {
        store(z + i, Function::template value<T>(load_up_to(z + i, size)), size);
    });
}

template <class Function, class T>
void activate_with_slope_by(idx n, T* z, T* slope, int threads) {
    each_vector<T>(n, threads, [=](idx i, idx size) __attribute__((always_inline)) {
        Vector<T> slopes;
        const Vector<T> y = Function::template value<T>(load_up_to(z + i, size), slopes);
        store(z + i, y, size);
        store(slope + i, slopes, size);
    });
}

template <class Function, class T>
void activate_back_by(idx n, const T* g, const T* y, T* dz, int threads) {
    each_vector<T>(n, threads, [=](idx i, idx size) __attribute__((always_inline)) {
        store(dz + i, load_up_to(g + i, size) * Function::template slope<T>(load_up_to(y + i, size)), size);
    });
}

// Overwrites z with f(z), and writes f'(z) to `slope` for the functions that keep it; false if there is no kernel.
template <class T>
bool activate(ActivationKind kind, idx n, T* z, T* slope, int threads) {
    switch (kind) {
        case ActivationKind::logistic:
            activate_by<Logistic>(n, z, threads);
            return true;
        case ActivationKind::elu:
            activate_by<EluWith<Elu>>(n, z, threads);
            return true;
        case ActivationKind::selu:
            activate_by<EluWith<Selu>>(n, z, threads);
            return true;
        case ActivationKind::softplus:
            activate_by<Softplus>(n, z, threads);
            return true;
        case ActivationKind::silu:
            activate_with_slope_by<Silu>(n, z, slope, threads);
            return true;
        case ActivationKind::gelu:
            activate_with_slope_by<Gelu>(n, z, slope, threads);
            return true;
        case ActivationKind::mish:
            activate_with_slope_by<Mish>(n, z, slope, threads);
            return true;
        default:
            return false;
    }
}

// dz = g f'(z), from y = f(z); false if there is no kernel.
template <class T>
bool activate_back(ActivationKind kind, idx n, const T* g, const T* y, T* dz, int threads) {
    switch (kind) {
        case ActivationKind::logistic:
            activate_back_by<Logistic>(n, g, y, dz, threads);
            return true;
        case ActivationKind::tanh:
            activate_back_by<Tanh>(n, g, y, dz, threads);
            return true;
        case ActivationKind::relu:
            activate_back_by<Relu>(n, g, y, dz, threads);
            return true;
        case ActivationKind::leaky_relu:
            activate_back_by<LeakyRelu>(n, g, y, dz, threads);
            return true;
        case ActivationKind::elu:
            activate_back_by<EluWith<Elu>>(n, g, y, dz, threads);
            return true;
        case ActivationKind::selu:
            activate_back_by<EluWith<Selu>>(n, g, y, dz, threads);
            return true;
        case ActivationKind::softplus:
            activate_back_by<Softplus>(n, g, y, dz, threads);
            return true;
        default:
            return false;
    }
}
