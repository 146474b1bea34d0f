// The exponential function and its kin for vectors, accurate to a few units in the last place.
//
// NumPy and SciPy compute most of them one number at a time.

template <class T>
struct Floating;
template <>
struct Floating<float> {
    typedef unsigned bits __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
    static constexpr int mantissa = 23, exponential_terms = 7, logarithm_terms = 8;
    static constexpr unsigned bias = 127;
    static constexpr float integer = 12582912.f;  // added to a number, its last bits are the nearest integer
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr float lowest = -87.3f;   // of less, the exponential is no normal number
    static constexpr float saturated = 20.f;  // tanh(x) = 1 from here on
};
template <>
struct Floating<double> {
    typedef unsigned long long bits __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
    static constexpr int mantissa = 52, exponential_terms = 13, logarithm_terms = 17;
    static constexpr unsigned long long bias = 1023;
    static constexpr double integer = 6755399441055744.;
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double lowest = -708.3;
    static constexpr double saturated = 40.;
};

template <class T>
ALWAYS_INLINE Vector<T> all(double value) {
    return Vector<T>{} + T(value);
}

template <class T, int N>
struct Coefficients {
    T of[N];
};

template <class T, int N>
ALWAYS_INLINE Vector<T> polynomial(Vector<T> x, const Coefficients<T, N>& c) {
    Vector<T> sum = all<T>(c.of[N - 1]);
    for (int k = N - 2; k >= 0; --k) sum = sum * x + c.of[k];
    return sum;
}

// exp(x) = scale (1 + rest), from |rest| < 0.42.
template <class T>
struct Exponential {
    Vector<T> scale, rest;
};

template <class T, int N>
constexpr Coefficients<T, N> inverse_factorials() {  // 1 / 2!, 1 / 3!, ...
    Coefficients<T, N> c{};
    double product = 1;
    for (int k = 0; k < N; ++k) c.of[k] = T(1 / (product *= k + 2));
    return c;
}

// For x up to some dozens, as all uses here have it.
template <class T>
ALWAYS_INLINE Exponential<T> exponential(Vector<T> x) {
    using F = Floating<T>;
    constexpr Coefficients<T, F::exponential_terms - 1> series = inverse_factorials<T, F::exponential_terms - 1>();
    x = x < F::lowest ? all<T>(F::lowest) : x;
    const Vector<T> integer = all<T>(F::integer), shifted = x * T(1.4426950408889634) + integer, n = shifted - integer;
    const Vector<T> r = (x - n * F::ln2_high) - n * F::ln2_low;
    typedef typename F::bits Bits;
    const Bits power = (Bits)shifted - (Bits)integer + F::bias;
    return {(Vector<T>)(power << F::mantissa), r + r * r * polynomial<T>(r, series)};
}

// exp(x), 0 where that is no normal number.
template <class T>
ALWAYS_INLINE Vector<T> exp(Vector<T> x) {
    const Exponential<T> e = exponential<T>(x);
    return x < Floating<T>::lowest ? Vector<T>{} : e.scale + e.scale * e.rest;
}

// exp(x) - 1
template <class T>
ALWAYS_INLINE Vector<T> expm1(Vector<T> x) {
    const Exponential<T> e = exponential<T>(x);
    return e.scale * e.rest + (e.scale - T(1));
}

// tanh(x), precise for small x too.
template <class T>
ALWAYS_INLINE Vector<T> tanh(Vector<T> x) {
    const Vector<T> e = expm1<T>(x < T(0) ? x + x : -(x + x)), size = e / (e + T(2));
    return x < T(0) ? size : -size;
}

template <class T, int N>
constexpr Coefficients<T, N> inverse_odd_numbers() {
    Coefficients<T, N> c{};
    for (int k = 0; k < N; ++k) c.of[k] = T(2.0 / (2 * k + 1));
    return c;
}

// log(1 + x) for x from 0 to 1: twice the inverse hyperbolic tangent of x / (2 + x).
template <class T>
ALWAYS_INLINE Vector<T> log1p(Vector<T> x) {
    constexpr Coefficients<T, Floating<T>::logarithm_terms> series =
        inverse_odd_numbers<T, Floating<T>::logarithm_terms>();
    const Vector<T> s = x / (x + T(2));
    return s * polynomial<T>(s * s, series);
}

// log(x) for positive x of full precision: that of the power of two by which x lies between the roots of 1/2 and 2, and
// the logarithm of what is left, in the same way.
template <class T>
ALWAYS_INLINE Vector<T> log(Vector<T> x) {
    using F = Floating<T>;
    typedef typename F::bits Bits;
    constexpr Coefficients<T, F::logarithm_terms> series = inverse_odd_numbers<T, F::logarithm_terms>();
    const Vector<T> root = all<T>(0.70710678118654752), integer = all<T>(F::integer);
    const Bits mantissa = ((Bits{} + 1) << F::mantissa) - 1, half = (Bits)all<T>(0.5);
    const Bits power = ((Bits)x >> F::mantissa) + (Bits)integer;
    const Vector<T> m = (Vector<T>)(((Bits)x & mantissa) | half), n = (Vector<T>)power - integer - T(F::bias - 1);
    const Vector<T> apart = m < root ? m + m - T(1) : m - T(1), powers = m < root ? n - T(1) : n;
    const Vector<T> s = apart / (apart + T(2));
    return s * polynomial<T>(s * s, series) + powers * F::ln2_low + powers * F::ln2_high;
}

template <class T>
ALWAYS_INLINE Vector<T> square_root(Vector<T> x) {
    for (idx lane = 0; lane < LANES<T>; ++lane) x[lane] = std::sqrt(x[lane]);
    return x;
}

// exp(x^2) erfc(x) / t for x >= 0, as polynomials in 2 t - 1 where t = 4 / (4 + x): interpolated at Chebyshev's nodes.
template <class T>
constexpr auto scaled_erfc();
template <>
constexpr auto scaled_erfc<float>() {
    return Coefficients<float, 12>{{0.273998914f, 0.24413718f, 0.193302233f, 0.13521359f, 0.0827122461f, 0.0435011852f,
                                    0.0190979733f, 0.00659920164f, 0.00152371371f, 5.70460404e-5f, -0.000111383756f,
                                    -3.19028315e-5f}};
}
template <>
constexpr auto scaled_erfc<double>() {
    return Coefficients<double, 24>{
        {0.27399891525012279,    0.2441371822702205,      0.19330217556630762,     0.13521345782830899,
         0.082712896969581062,   0.043502734309973777,    0.019095378725895105,    0.0065925133352865847,
         0.0015280139273562092,  7.0239714044089304e-5,   -0.00011376324412109121, -4.4203188956417019e-5,
         -9.0854745465410245e-7, 4.7151559682061505e-6,   1.1730894609952323e-6,   -3.5587254950450995e-7,
         -2.1090510256825415e-7, 1.8585382854400808e-8,   3.0626406675819746e-8,   7.9551332730335994e-11,
         -3.816385882365613e-9,  -1.8055984485641003e-10, 3.0140328450254402e-10,  1.9859897999322407e-11}};
}

// The share of the standard normal distribution below -x, for x >= 0, given exp(-x^2 / 2).
template <class T>
ALWAYS_INLINE Vector<T> normal_tail(Vector<T> x, Vector<T> gaussian) {
    constexpr auto series = scaled_erfc<T>();
    const Vector<T> t = T(4) / (T(4) + x * T(0.70710678118654752));
    return T(0.5) * gaussian * t * polynomial<T>(T(2) * t - T(1), series);
}
