// Monotone rational-quadratic splines: a vector of numbers at a time, of which each lane has a spline of its own.

constexpr double SLOPE_AT_0 = 0.539742417236952;  // log(exp(1 - LEAST_SHARE) - 1): makes the slope of a logit of 0 one

template <class T>
struct Bin {  // in which a number lies: its lower left corner, its sides, the slopes at both ends and their logits
    Vector<T> number, left, width, bottom, height, first, last, first_logit, last_logit;
};

// What a vector of splines is made of, a row of lanes each: its logits, the bins' shares of both axes, and the knots.
template <class T>
class Splines {
    const Spline<T> spline;
    const Buffer<T> memory;

public:
    T *const logits, *const across, *const up, *const across_knots, *const up_knots;

    explicit Splines(Spline<T> s)
        : spline(s),
          memory((s.logits() + 4 * s.bins + 2) * LANES<T>),
          logits(memory.data),
          across(logits + s.logits() * LANES<T>),
          up(across + s.bins * LANES<T>),
          across_knots(up + s.bins * LANES<T>),
          up_knots(across_knots + (s.bins + 1) * LANES<T>) {}

    // Those of so many numbers; the lanes beyond are the identity.
    void read(const T* raw, idx numbers) {
        pack_panel(raw, 1, spline.logits(), spline.logits(), numbers, LANES<T>, logits);
        lay(logits, across, across_knots);
        lay(logits + spline.bins * LANES<T>, up, up_knots);
    }

    Bin<T> bin_of(Vector<T> at) const {
        constexpr idx L = LANES<T>;
        const T* slopes = logits + 2 * spline.bins * L;
        const T* along = spline.inverse ? up_knots : across_knots;
        const idx last = spline.bins - 1;
        Vector<T> number{}, first_logit{}, last_logit = last ? load(slopes) : Vector<T>{};
        Vector<T> left = load(across_knots), right = load(across_knots + L);
        Vector<T> bottom = load(up_knots), top = load(up_knots + L);
        for (idx k = 1; k <= last; ++k) {
            const auto beyond = at >= load(along + k * L);
            number = beyond ? number + T(1) : number;
            left = beyond ? load(across_knots + k * L) : left;
            right = beyond ? load(across_knots + (k + 1) * L) : right;
            bottom = beyond ? load(up_knots + k * L) : bottom;
            top = beyond ? load(up_knots + (k + 1) * L) : top;
            first_logit = beyond ? load(slopes + (k - 1) * L) : first_logit;
            last_logit = beyond ? (k < last ? load(slopes + k * L) : Vector<T>{}) : last_logit;
        }
        const Vector<T> first = number == T(0) ? all<T>(1) : slope_of(first_logit);
        const Vector<T> end = number == T(last) ? all<T>(1) : slope_of(last_logit);
        return {number, left, right - left, bottom, top - bottom, first, end, first_logit, last_logit};
    }

private:
    static ALWAYS_INLINE Vector<T> slope_of(Vector<T> logit) {
        return Softplus::value<T>(logit + T(SLOPE_AT_0)) + T(LEAST_SHARE);
    }

    // The softmax of logits, and the knots between bins that have these shares of the interval.
    void lay(const T* from, T* shares, T* knots) const {
        constexpr idx L = LANES<T>;
        Vector<T> most = load(from), total{};
        for (idx k = 1; k < spline.bins; ++k) most = load(from + k * L) > most ? load(from + k * L) : most;
        for (idx k = 0; k < spline.bins; ++k) {
            const Vector<T> e = exp<T>(load(from + k * L) - most);
            total += e;
            store(shares + k * L, e, L);
        }
        const Vector<T> unit = T(1) / total;
        const T least = T(2 * double(spline.bound) * LEAST_SHARE);
        Vector<T> sum{};
        store(knots, all<T>(-spline.bound), L);
        for (idx k = 0; k < spline.bins; ++k) {
            const Vector<T> share = load(shares + k * L) * unit;
            store(shares + k * L, share, L);
            sum += share * spline.spread() + least;
            store(knots + (k + 1) * L, sum - spline.bound, L);
        }
        store(knots + spline.bins * L, all<T>(spline.bound), L);
    }
};

// The share of the bin's width at which y is reached: the root of a quadratic without a difference of numbers that may
// be alike.
template <class T>
ALWAYS_INLINE Vector<T> share_of_height(Vector<T> y, const Bin<T>& bin) {
    const Vector<T> up = (y - bin.bottom) / bin.height, down = T(1) - up, s = bin.height / bin.width;
    const Vector<T> ahead = bin.first * down - bin.last * up, product = T(4) * s * s * up * down;
    const Vector<T> large = square_root<T>(ahead * ahead + product) + size_of<T>(ahead), twice = T(2) * s * up;
    return twice / (twice + (ahead >= T(0) ? large : product / large));
}

// The curve within a bin, at a share of its width: it has risen by below / (below + above) of the height, and its slope
// is `slope` times the square of steepness / (below + above).
template <class T>
struct Curve {
    Vector<T> share, rest, mixed, steepness, below, above, from_first, from_last, slope, per_whole;

    ALWAYS_INLINE Curve(Vector<T> at, const Bin<T>& bin, bool inverse) {
        share = inverse ? share_of_height(at, bin) : (at - bin.left) / bin.width;
        rest = T(1) - share;
        mixed = share * rest;
        steepness = bin.height / bin.width;
        below = steepness * share * share + bin.first * mixed;
        above = steepness * rest * rest + bin.last * mixed;
        from_first = bin.first * rest * rest;
        from_last = bin.last * share * share;
        slope = from_last + T(2) * steepness * mixed + from_first;
        per_whole = T(1) / (below + above);
    }
};

// Calls part(splines, where it begins, how many) for vectors of numbers; they are shared out to threads.
template <class T, class Part>
ALWAYS_INLINE void each_splines(Spline<T> spline, idx n, const T* raw, int threads, Part part) {
    constexpr idx L = LANES<T>;
    const idx logits = spline.logits(), stretch = std::max<idx>(1, PIECE / (logits * L)) * L;
    share_stretches(threads, n, stretch, ACTIVATION * n * logits, [=](idx from, idx to) {
        Splines<T> splines(spline);
        for (idx i = from; i < to; i += L) {
            splines.read(raw + i * logits, std::min(L, to - i));
            part(splines, i, std::min(L, to - i));
        }
    });
}

// values and logs (n): the splines of x, or their inverses, and the logarithms of the derivatives.
template <class T>
void spline(Spline<T> spline, idx n, const T* x, const T* raw, T* values, T* logs, int threads) {
    each_splines(spline, n, raw, threads, [=](const Splines<T>& splines, idx i, idx size) {
        const Vector<T> given = load_up_to(x + i, size);
        const auto inside = size_of<T>(given) <= spline.bound;
        const Vector<T> at = inside ? given : Vector<T>{};
        const Bin<T> bin = splines.bin_of(at);
        const Curve<T> curve(at, bin, spline.inverse);
        const Vector<T> steep = curve.steepness * curve.per_whole, rise = log<T>(curve.slope * steep * steep);
        const Vector<T> value = spline.inverse ? bin.left + bin.width * curve.share
                                               : bin.bottom + bin.height * (curve.below * curve.per_whole);
        store(values + i, inside ? value : given, size);
        store(logs + i, inside ? (spline.inverse ? -rise : rise) : Vector<T>{}, size);
    });
}

// Gradients of the logits of sizes, from those of the lower end of the bin and of its size.
template <class T>
ALWAYS_INLINE void to_sizes(Spline<T> spline, Vector<T> number, Vector<T> to_corner, Vector<T> to_size, const T* shares,
                            T* to) {
    constexpr idx L = LANES<T>;
    const auto gradient = [=](idx k) {
        return T(k) < number ? to_corner : number == T(k) ? to_size : Vector<T>{};
    };
    Vector<T> mean{};
    for (idx k = 0; k < spline.bins; ++k) mean += gradient(k) * load(shares + k * L);
    for (idx k = 0; k < spline.bins; ++k)
        store(to + k * L, (gradient(k) - mean) * load(shares + k * L) * spline.spread(), L);
}

// to[j width + k] = panel[k LANES + j], for as many j as are valid.
template <class T>
void unpack_panel(const T* panel, idx width, idx valid, T* to) {
    constexpr idx L = LANES<T>;
    idx k = 0;
    if (valid == L)
        for (; k + L <= width; k += L) transpose(panel + k * L, L, L, to + k, width);
    for (; k < width; ++k)
        for (idx j = 0; j < valid; ++j) to[j * width + k] = panel[k * L + j];
}

// dx (n) and draw (n, logits), or nowhere: the gradients of x and raw, from those of values and logs.
template <class T>
void spline_back(Spline<T> spline, idx n, const T* to_values, const T* to_logs, const T* x, const T* raw, T* dx,
                 T* draw, int threads) {
    each_splines(spline, n, raw, threads, [=](Splines<T>& splines, idx i, idx size) {
        constexpr idx L = LANES<T>;
        const Vector<T> given = load_up_to(x + i, size), to_value = load_up_to(to_values + i, size);
        const auto inside = size_of<T>(given) <= spline.bound;
        const Vector<T> at = inside ? given : Vector<T>{};
        const Bin<T> bin = splines.bin_of(at);
        const Curve<T> curve(at, bin, spline.inverse);
        const Vector<T> share = curve.share, rest = curve.rest, s = curve.steepness, per_whole = curve.per_whole;
        const Vector<T> value = curve.below * per_whole, part = curve.mixed * per_whole;
        const Vector<T> difference = T(1) - T(2) * share, per_slope = T(1) / curve.slope;
        const Vector<T> bend = bin.first + bin.last - T(2) * s;
        const Vector<T> turn = T(2) * (bin.last * share + s * difference - bin.first * rest);
        const Vector<T> by_share = s * curve.slope * per_whole * per_whole;
        const Vector<T> log_by_share = turn * per_slope - T(2) * bend * difference * per_whole;
        // The inverse solves y(x, raw) = y for x: what arrives at x leaves through y, divided by the slope.
        const Vector<T> g = inside ? to_value : Vector<T>{}, arrives = inside ? load_up_to(to_logs + i, size) : g;
        const Vector<T> to_log = spline.inverse ? -arrives : arrives;
        const Vector<T> to_share =
            spline.inverse ? -g * bin.width : g * bin.height * by_share + to_log * log_by_share;
        const Vector<T> to_y =
            spline.inverse ? (to_share - to_log * log_by_share) / (bin.height * by_share) : g;
        if (dx) store(dx + i, inside ? (spline.inverse ? -to_y : to_share / bin.width) : to_value, size);
        if (!draw) return;
        const Vector<T> by_height = to_y * bin.height;
        const Vector<T> to_steepness =
            by_height * part * (curve.from_last - curve.from_first) * per_whole +
            to_log * (T(2) / s + T(2) * curve.mixed * per_slope - T(2) * (T(1) - T(2) * curve.mixed) * per_whole);
        const Vector<T> to_width = -(to_share * share + to_steepness * s) / bin.width;
        const Vector<T> to_height = to_y * value + to_steepness / bin.width;
        const Vector<T> to_first = by_height * part * curve.above * per_whole +
                                   to_log * (rest * rest * per_slope - T(2) * part);
        const Vector<T> to_last = to_log * (share * share * per_slope - T(2) * part) - by_height * part * value;
        const Vector<T> to_first_logit = to_first * Logistic::value<T>(bin.first_logit + T(SLOPE_AT_0));
        const Vector<T> to_last_logit = to_last * Logistic::value<T>(bin.last_logit + T(SLOPE_AT_0));
        T* to = splines.logits;  // which are not needed any more
        to_sizes(spline, bin.number, -to_share / bin.width, to_width, splines.across, to);
        to_sizes(spline, bin.number, to_y, to_height, splines.up, to + spline.bins * L);
        for (idx k = 0; k + 1 < spline.bins; ++k)
            store(to + (2 * spline.bins + k) * L,
                  bin.number == T(k + 1) ? to_first_logit : bin.number == T(k) ? to_last_logit : Vector<T>{}, L);
        unpack_panel(to, spline.logits(), size, draw + i * spline.logits());
    });
}
