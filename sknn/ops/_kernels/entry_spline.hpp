// Entries for splines.

template <class T>
Spline<T> spline_of(PyObject* bins, PyObject* bound, PyObject* inverse) {
    const Spline<T> spline{integer(bins), T(number(bound)), integer(inverse) != 0};
    if (spline.bins < 1) refuse(PyExc_ValueError, "a spline has at least one bin");
    return spline;
}

// spline(x, raw, bins, bound, inverse, y, threads): y are the values and the logarithms of the derivatives
template <class T>
void spline_as(PyObject* const* arguments, int type) {
    const idx n = size_of_array(arguments[0]);
    const T* x = present<T>(arguments[0], type, n);
    const Spline<T> spline = spline_of<T>(arguments[2], arguments[3], arguments[4]);
    const T* raw = present<T>(arguments[1], type, n * spline.logits());
    T* y = present<T>(arguments[5], type, 2 * n, true);
    const int threads = allowed(int(integer(arguments[6])));
    WithoutInterpreter released;
    kernels<T>().spline(spline, n, x, raw, y, y + n, threads);
}
DEFINE(spline, 7)

// spline_back(g, x, raw, bins, bound, inverse, dx, draw, threads)
template <class T>
void spline_back_as(PyObject* const* arguments, int type) {
    const idx n = size_of_array(arguments[1]);
    const T* g = present<T>(arguments[0], type, 2 * n);
    const T* x = present<T>(arguments[1], type, n);
    const Spline<T> spline = spline_of<T>(arguments[3], arguments[4], arguments[5]);
    const T* raw = present<T>(arguments[2], type, n * spline.logits());
    T* dx = elements<T>(arguments[6], type, n, true);
    T* draw = elements<T>(arguments[7], type, n * spline.logits(), true);
    const int threads = allowed(int(integer(arguments[8])));
    WithoutInterpreter released;
    kernels<T>().spline_back(spline, n, g, g + n, x, raw, dx, draw, threads);
}
DEFINE(spline_back, 9)
