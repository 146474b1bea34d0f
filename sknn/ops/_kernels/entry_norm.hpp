// Entries for normalisation. Arrays are (..., channels), statistics (channels,).

struct Rows {
    idx rows, columns, size;
};

Rows rows_of(PyObject* object) {
    auto* a = reinterpret_cast<PyArrayObject*>(object);
    if (PyArray_NDIM(a) < 1) refuse(PyExc_ValueError, "an array of channels has an axis at least");
    const idx columns = PyArray_DIM(a, PyArray_NDIM(a) - 1), size = PyArray_SIZE(a);
    if (!size) refuse(PyExc_ValueError, "an array has no elements");
    return {size / columns, columns, size};
}

// batch_statistics(x, mean, variance, threads)
template <class T>
void batch_statistics_as(PyObject* const* arguments, int type) {
    const Rows r = rows_of(arguments[0]);
    const T* x = present<T>(arguments[0], type, r.size);
    double* mean = present<double>(arguments[1], NPY_DOUBLE, r.columns, true);
    double* variance = present<double>(arguments[2], NPY_DOUBLE, r.columns, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().batch_statistics(r.rows, r.columns, x, mean, variance, threads);
}
DEFINE(batch_statistics, 4)

// What lies behind a normalisation, by its name; None for nothing.
Behind behind_of(PyObject* name) {
    if (name == Py_None) return Behind::nothing;
    if (!PyUnicode_Check(name)) refuse(PyExc_TypeError, "an activation function is given by its name");
    if (!PyUnicode_CompareWithASCIIString(name, "relu")) return Behind::relu;
    if (!PyUnicode_CompareWithASCIIString(name, "silu")) return Behind::silu;
    refuse(PyExc_ValueError, "no kernel has this activation function behind a normalisation");
}

// rescale(x, mean, factor, shift, behind, y, threads)
template <class T>
void rescale_as(PyObject* const* arguments, int type) {
    const Rows r = rows_of(arguments[0]);
    const T* x = present<T>(arguments[0], type, r.size);
    const T* mean = present<T>(arguments[1], type, r.columns);
    const T* factor = present<T>(arguments[2], type, r.columns);
    const T* shift = present<T>(arguments[3], type, r.columns);
    const Behind behind = behind_of(arguments[4]);
    T* y = present<T>(arguments[5], type, r.size, true);
    const int threads = allowed(int(integer(arguments[6])));
    WithoutInterpreter released;
    kernels<T>().rescale(r.rows, r.columns, x, mean, factor, shift, behind, y, threads);
}
DEFINE(rescale, 7)

// batch_norm_back(g, x, mean, scale, gain, shift, behind, dx, to_gain, to_shift, threads)
template <class T>
void batch_norm_back_as(PyObject* const* arguments, int type) {
    const Rows r = rows_of(arguments[0]);
    const T* g = present<T>(arguments[0], type, r.size);
    const T* x = present<T>(arguments[1], type, r.size);
    const T* mean = present<T>(arguments[2], type, r.columns);
    const T* scale = present<T>(arguments[3], type, r.columns);
    const T* gain = present<T>(arguments[4], type, r.columns);
    const T* shift = present<T>(arguments[5], type, r.columns);
    const Behind behind = behind_of(arguments[6]);
    T* dx = elements<T>(arguments[7], type, r.size, true);
    T* to_gain = present<T>(arguments[8], type, r.columns, true);
    T* to_shift = present<T>(arguments[9], type, r.columns, true);
    const int threads = allowed(int(integer(arguments[10])));
    WithoutInterpreter released;
    kernels<T>().batch_norm_back(r.rows, r.columns, g, x, mean, scale, gain, shift, behind, dx, to_gain, to_shift,
                                 threads);
}
DEFINE(batch_norm_back, 11)

// layer_norm(x, gain, shift, epsilon, y, mean, scale, threads)
template <class T>
void layer_norm_as(PyObject* const* arguments, int type) {
    const Rows r = rows_of(arguments[0]);
    const idx samples = PyArray_DIM(reinterpret_cast<PyArrayObject*>(arguments[0]), 0);
    if (r.rows % samples) refuse(PyExc_ValueError, "samples have an axis of channels");
    const T* x = present<T>(arguments[0], type, r.size);
    const T* gain = present<T>(arguments[1], type, r.columns);
    const T* shift = present<T>(arguments[2], type, r.columns);
    const double epsilon = number(arguments[3]);
    T* y = present<T>(arguments[4], type, r.size, true);
    T* mean = present<T>(arguments[5], type, samples, true);
    T* scale = present<T>(arguments[6], type, samples, true);
    const int threads = allowed(int(integer(arguments[7])));
    WithoutInterpreter released;
    kernels<T>().layer_norm(samples, r.rows / samples, r.columns, x, gain, shift, epsilon, y, mean, scale, threads);
}
DEFINE(layer_norm, 8)

// layer_norm_back(g, x, mean, scale, gain, dx, to_gain, to_shift, threads)
template <class T>
void layer_norm_back_as(PyObject* const* arguments, int type) {
    const Rows r = rows_of(arguments[0]);
    const idx samples = PyArray_DIM(reinterpret_cast<PyArrayObject*>(arguments[0]), 0);
    if (r.rows % samples) refuse(PyExc_ValueError, "samples have an axis of channels");
    const T* g = present<T>(arguments[0], type, r.size);
    const T* x = present<T>(arguments[1], type, r.size);
    const T* mean = present<T>(arguments[2], type, samples);
    const T* scale = present<T>(arguments[3], type, samples);
    const T* gain = present<T>(arguments[4], type, r.columns);
    T* dx = elements<T>(arguments[5], type, r.size, true);
    T* to_gain = present<T>(arguments[6], type, r.columns, true);
    T* to_shift = present<T>(arguments[7], type, r.columns, true);
    const int threads = allowed(int(integer(arguments[8])));
    WithoutInterpreter released;
    kernels<T>().layer_norm_back(samples, r.rows / samples, r.columns, g, x, mean, scale, gain, dx, to_gain, to_shift,
                                 threads);
}
DEFINE(layer_norm_back, 9)

Grouped grouped(PyObject* object, idx groups) {
    const Rows r = rows_of(object);
    const idx samples = PyArray_DIM(reinterpret_cast<PyArrayObject*>(object), 0);
    if (r.rows % samples) refuse(PyExc_ValueError, "samples have an axis of channels");
    if (groups < 1 || r.columns % groups) refuse(PyExc_ValueError, "groups must divide the channels");
    return {samples, r.rows / samples, r.columns, groups};
}

// group_norm(x, groups, gain, shift, epsilon, behind, y, mean, scale, threads): mean and scale (samples, groups)
template <class T>
void group_norm_as(PyObject* const* arguments, int type) {
    const Grouped of = grouped(arguments[0], integer(arguments[1]));
    const T* x = present<T>(arguments[0], type, of.samples * of.size());
    const T* gain = present<T>(arguments[2], type, of.columns);
    const T* shift = present<T>(arguments[3], type, of.columns);
    const double epsilon = number(arguments[4]);
    const Behind behind = behind_of(arguments[5]);
    T* y = present<T>(arguments[6], type, of.samples * of.size(), true);
    T* mean = present<T>(arguments[7], type, of.samples * of.groups, true);
    T* scale = present<T>(arguments[8], type, of.samples * of.groups, true);
    const int threads = allowed(int(integer(arguments[9])));
    WithoutInterpreter released;
    kernels<T>().group_norm(of, x, gain, shift, epsilon, behind, y, mean, scale, threads);
}
DEFINE(group_norm, 10)

// group_norm_back(g, x, groups, mean, scale, gain, shift, behind, dx, to_gain, to_shift, threads)
template <class T>
void group_norm_back_as(PyObject* const* arguments, int type) {
    const Grouped of = grouped(arguments[1], integer(arguments[2]));
    const T* g = present<T>(arguments[0], type, of.samples * of.size());
    const T* x = present<T>(arguments[1], type, of.samples * of.size());
    const T* mean = present<T>(arguments[3], type, of.samples * of.groups);
    const T* scale = present<T>(arguments[4], type, of.samples * of.groups);
    const T* gain = present<T>(arguments[5], type, of.columns);
    const T* shift = present<T>(arguments[6], type, of.columns);
    const Behind behind = behind_of(arguments[7]);
    T* dx = elements<T>(arguments[8], type, of.samples * of.size(), true);
    T* to_gain = present<T>(arguments[9], type, of.columns, true);
    T* to_shift = present<T>(arguments[10], type, of.columns, true);
    const int threads = allowed(int(integer(arguments[11])));
    WithoutInterpreter released;
    kernels<T>().group_norm_back(of, g, x, mean, scale, gain, shift, behind, dx, to_gain, to_shift, threads);
}
DEFINE(group_norm_back, 12)
