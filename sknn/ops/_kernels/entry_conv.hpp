// Entries for convolution and pooling.

Geometry geometry(PyObject* object) {
    Geometry g;
    static_assert(sizeof g == 22 * sizeof(idx));
    if (!PyTuple_Check(object) || PyTuple_GET_SIZE(object) != 22) refuse(PyExc_TypeError, "a geometry is 22 numbers");
    auto* to = reinterpret_cast<idx*>(&g);
    for (int i = 0; i < 22; ++i) to[i] = integer(PyTuple_GET_ITEM(object, i));
    if (g.groups < 1 || g.channels % g.groups || g.filters % g.groups)
        refuse(PyExc_ValueError, "the groups divide neither channels nor filters");
    for (int axis = 0; axis < 3; ++axis)
        if (g.output[axis] < 0 || g.kernel[axis] < 1 || g.stride[axis] < 1 || g.dilation[axis] < 1)
            refuse(PyExc_ValueError, "an impossible geometry");
    return g;
}

idx weights(const Geometry& g) {
    return g.taps() * g.channels / g.groups * g.filters;
}

// convolve(x, geometry, w, bias, relu, y, threads)
template <class T>
void convolve_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* x = present<T>(arguments[0], type, g.images * g.pixels() * g.channels);
    const T* w = present<T>(arguments[2], type, weights(g));
    const T* bias = elements<T>(arguments[3], type, g.filters);
    const bool relu = integer(arguments[4]);
    T* y = present<T>(arguments[5], type, g.images * g.outputs() * g.filters, true);
    const int threads = allowed(int(integer(arguments[6])));
    WithoutInterpreter released;
    kernels<T>().convolve(g, x, w, bias, relu, y, threads);
}
DEFINE(convolve, 7)

// convolve_back(g, geometry, x, w, y, relu, bias, dx, dw, db, threads): x is read for dw alone, w for dx, y for ReLU; the
// bias is added to dx, which is then the result of a transposed convolution
template <class T>
void convolve_back_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const idx outputs = g.images * g.outputs() * g.filters, inputs = g.images * g.pixels() * g.channels;
    for (int axis = 0; axis < 3; ++axis)
        if (g.low[axis] > g.dilation[axis] * (g.kernel[axis] - 1))
            refuse(PyExc_ValueError, "more padding than a window spans");
    const T* gradient = present<T>(arguments[0], type, outputs);
    const T* x = elements<T>(arguments[2], type, inputs);
    const T* w = elements<T>(arguments[3], type, weights(g));
    const T* y = elements<T>(arguments[4], type, outputs);
    const bool relu = integer(arguments[5]);
    const T* bias = elements<T>(arguments[6], type, g.channels);
    T* dx = elements<T>(arguments[7], type, inputs, true);
    T* dw = elements<T>(arguments[8], type, weights(g), true);
    T* db = elements<T>(arguments[9], type, g.filters, true);
    if ((dw && !x) || (dx && !w) || (relu && !y)) refuse(PyExc_TypeError, "a gradient is asked of what is not there");
    const int threads = allowed(int(integer(arguments[10])));
    WithoutInterpreter released;
    kernels<T>().convolve_back(g, gradient, x, w, y, relu, bias, dx, dw, db, threads);
}
DEFINE(convolve_back, 11)

// pool_max(x, geometry, y, threads)
template <class T>
void pool_max_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* x = present<T>(arguments[0], type, g.images * g.pixels() * g.channels);
    T* y = present<T>(arguments[2], type, g.images * g.outputs() * g.channels, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().pool_max(g, x, y, threads);
}
DEFINE(pool_max, 4)

// pool_max_back(g, geometry, x, y, dx, threads)
template <class T>
void pool_max_back_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const idx outputs = g.images * g.outputs() * g.channels, inputs = g.images * g.pixels() * g.channels;
    const T* gradient = present<T>(arguments[0], type, outputs);
    const T* x = present<T>(arguments[2], type, inputs);
    const T* y = present<T>(arguments[3], type, outputs);
    T* dx = present<T>(arguments[4], type, inputs, true);
    const int threads = allowed(int(integer(arguments[5])));
    WithoutInterpreter released;
    kernels<T>().pool_max_back(g, gradient, x, y, dx, threads);
}
DEFINE(pool_max_back, 6)

// pool_average(x, geometry, y, threads)
template <class T>
void pool_average_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* x = present<T>(arguments[0], type, g.images * g.pixels() * g.channels);
    T* y = present<T>(arguments[2], type, g.images * g.outputs() * g.channels, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().pool_average(g, x, y, threads);
}
DEFINE(pool_average, 4)

// pool_average_back(g, geometry, dx, threads)
template <class T>
void pool_average_back_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* gradient = present<T>(arguments[0], type, g.images * g.outputs() * g.channels);
    T* dx = present<T>(arguments[2], type, g.images * g.pixels() * g.channels, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().pool_average_back(g, gradient, dx, threads);
}
DEFINE(pool_average_back, 4)
