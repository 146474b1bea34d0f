// The two ways to convolve: depthwise, where each channel has filters of its own, and all others.

template <class T>
void convolve(const Geometry& g, const T* x, const T* w, const T* bias, bool relu, T* y, int threads) {
    if (is_depthwise<T>(g))
        depthwise(g, x, w, bias, relu, y, threads);
    else
        convolve_groups(g, x, w, bias, relu, y, threads);
}

template <class T>
void convolve_back(const Geometry& g, const T* gradient, const T* x, const T* w, const T* y, bool relu, T* dx, T* dw,
                   T* db, int threads) {
    const Asked<T> asked{gradient, x, w, y, relu, dx, dw, db};
    if (is_depthwise<T>(g)) {
        DepthwisePlan<T> plan(g, asked);
        by_strands(g, asked, plan, threads);
    } else {
        GroupsPlan<T> plan(g, asked);
        by_strands(g, asked, plan, threads);
    }
}
