// Entries for activation functions, dropout and sums.

ActivationKind kind_of(PyObject* name) {
    constexpr const char* names[] = {"logistic", "tanh",     "relu", "leaky_relu", "elu",
                                     "selu",     "softplus", "silu", "gelu",       "mish"};
    if (!PyUnicode_Check(name)) refuse(PyExc_TypeError, "an activation function is given by its name");
    int kind = 0;
    for (const char* known : names) {
        if (!PyUnicode_CompareWithASCIIString(name, known)) return ActivationKind(kind);
        ++kind;
    }
    refuse(PyExc_ValueError, "no kernel is for this activation function");
}

idx size_of_array(PyObject* object) {
    return PyArray_SIZE(reinterpret_cast<PyArrayObject*>(object));
}

// activate(z, name, slope, threads)
template <class T>
void activate_as(PyObject* const* arguments, int type) {
    const idx n = size_of_array(arguments[0]);
    T* z = present<T>(arguments[0], type, n, true);
    const ActivationKind kind = kind_of(arguments[1]);
    T* slope = elements<T>(arguments[2], type, n, true);
    if ((slope != nullptr) != keeps_slope(kind))
        refuse(PyExc_ValueError, "a slope is kept where it is not known from y");
    const int threads = allowed(int(integer(arguments[3])));
    if (!kernels<T>().activate(kind, n, z, slope, threads)) refuse(PyExc_ValueError, "its values have no kernel");
}
DEFINE(activate, 4)

// activate_back(g, name, y, dz, threads)
template <class T>
void activate_back_as(PyObject* const* arguments, int type) {
    const idx n = size_of_array(arguments[0]);
    const T* g = present<T>(arguments[0], type, n);
    const ActivationKind kind = kind_of(arguments[1]);
    const T* y = present<T>(arguments[2], type, n);
    T* dz = present<T>(arguments[3], type, n, true);
    const int threads = allowed(int(integer(arguments[4])));
    if (!kernels<T>().activate_back(kind, n, g, y, dz, threads)) refuse(PyExc_ValueError, "its slope has no kernel");
}
DEFINE(activate_back, 5)

// thin(x, kept, factor, y, threads)
template <class T>
void thin_as(PyObject* const* arguments, int type) {
    const idx n = size_of_array(arguments[0]);
    const T* x = present<T>(arguments[0], type, n);
    const auto* kept = present<unsigned char>(arguments[1], NPY_BOOL, n);
    const T factor = T(number(arguments[2]));
    T* y = present<T>(arguments[3], type, n, true);
    const int threads = allowed(int(integer(arguments[4])));
    WithoutInterpreter released;
    kernels<T>().thin(n, x, kept, factor, y, threads);
}
DEFINE(thin, 5)

// add(a, b, relu, y, threads)
template <class T>
void add_as(PyObject* const* arguments, int type) {
    const idx n = size_of_array(arguments[0]);
    const T* a = present<T>(arguments[0], type, n);
    const T* b = present<T>(arguments[1], type, n);
    const bool relu = integer(arguments[2]);
    T* y = present<T>(arguments[3], type, n, true);
    const int threads = allowed(int(integer(arguments[4])));
    WithoutInterpreter released;
    kernels<T>().add(n, a, b, relu, y, threads);
}
DEFINE(add, 5)

// The elements of an array of rows, and how long these are.
idx width_of_rows(PyObject* object, idx& rows) {
    auto* a = reinterpret_cast<PyArrayObject*>(object);
    if (!PyArray_Check(object) || PyArray_NDIM(a) < 1) refuse(PyExc_TypeError, "an argument is no array of rows");
    const idx width = PyArray_DIM(a, PyArray_NDIM(a) - 1);
    rows = width ? PyArray_SIZE(a) / width : 0;
    return width;
}

// concatenate(a, b, y, threads)
template <class T>
void concatenate_as(PyObject* const* arguments, int type) {
    idx rows, others;
    const idx width_a = width_of_rows(arguments[0], rows), width_b = width_of_rows(arguments[1], others);
    const T* a = present<T>(arguments[0], type, rows * width_a);
    const T* b = present<T>(arguments[1], type, rows * width_b);
    T* y = present<T>(arguments[2], type, rows * (width_a + width_b), true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().concatenate(rows, width_a, width_b, a, b, y, threads);
}
DEFINE(concatenate, 4)

// split(y, width, a, b, threads): a has rows of this width
template <class T>
void split_as(PyObject* const* arguments, int type) {
    idx rows;
    const idx width = width_of_rows(arguments[0], rows), width_a = integer(arguments[1]);
    if (width_a < 0 || width_a > width) refuse(PyExc_ValueError, "a part is wider than the whole");
    const T* y = present<T>(arguments[0], type, rows * width);
    T* a = elements<T>(arguments[2], type, rows * width_a, true);
    T* b = elements<T>(arguments[3], type, rows * (width - width_a), true);
    const int threads = allowed(int(integer(arguments[4])));
    WithoutInterpreter released;
    kernels<T>().split(rows, width_a, width - width_a, y, a, b, threads);
}
DEFINE(split, 5)
