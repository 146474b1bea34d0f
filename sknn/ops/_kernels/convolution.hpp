// The two ways to convolve: depthwise, where each channel has filters of its own, and all others.

// The same convolution, of images in one line of pixels where each output sees one pixel, its own.
inline Geometry in_one_line(Geometry g) {
    for (int axis = 0; axis < 3; ++axis)
        if (g.kernel[axis] > 1 || g.stride[axis] > 1 || g.low[axis] || g.output[axis] != g.size[axis]) return g;
    g.size[2] = g.output[2] = g.pixels();
    g.size[0] = g.size[1] = g.output[0] = g.output[1] = 1;
    return g;
}

template <class T>
void convolve(const Geometry& given, const T* x, const T* w, const T* bias, bool relu, T* y, int threads) {
    const Geometry g = in_one_line(given);
    if (is_depthwise<T>(g))
        depthwise(g, x, w, bias, relu, y, threads);
    else
        convolve_groups(g, x, w, bias, relu, y, threads);
}

template <class T>
void convolve_back(const Geometry& given, const T* gradient, const T* x, const T* w, const T* y, bool relu,
                   const T* bias, T* dx, T* dw, T* db, int threads) {
    const Geometry g = in_one_line(given);
    const Asked<T> asked{gradient, x, w, y, relu, bias, dx, dw, db};
    if (is_depthwise<T>(g)) {
        DepthwisePlan<T> plan(g, asked);
        by_strands(g, asked, plan, threads);
    } else {
        GroupsPlan<T> plan(g, asked);
        by_strands(g, asked, plan, threads);
    }
}
