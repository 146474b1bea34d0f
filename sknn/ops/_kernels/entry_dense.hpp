// Entries for products of matrices and what follows them.

// matmul(a, b, bias, relu, z, threads)
template <class T>
void matmul_as(PyObject* const* arguments, int type) {
    idx rows, n, also_n, results;
    const Matrix<T> a = matrix<T>(arguments[0], type, rows, n), b = matrix<T>(arguments[1], type, also_n, results);
    if (n != also_n) refuse(PyExc_ValueError, "the matrices do not fit");
    const T* bias = elements<T>(arguments[2], type, results);
    const bool relu = integer(arguments[3]);
    T* z = elements<T>(arguments[4], type, rows * results, true);
    const int threads = allowed(int(integer(arguments[5])));
    WithoutInterpreter released;
    kernels<T>().matmul(rows, n, results, a, b, bias, relu, z, threads);
}
DEFINE(matmul, 6)

// relu_back(g, y, dz, sums)
template <class T>
void relu_back_as(PyObject* const* arguments, int type) {
    auto* g = reinterpret_cast<PyArrayObject*>(arguments[0]);
    if (PyArray_NDIM(g) < 1) refuse(PyExc_ValueError, "a matrix has two axes");
    const idx columns = PyArray_DIM(g, PyArray_NDIM(g) - 1), size = PyArray_SIZE(g);
    const T* gradient = elements<T>(arguments[0], type, size);
    const T* y = elements<T>(arguments[1], type, size);
    T* dz = elements<T>(arguments[2], type, size, true);
    T* sums = elements<T>(arguments[3], type, columns, true);
    if (columns) kernels<T>().relu_back(size / columns, columns, gradient, y, dz, sums);
}
DEFINE(relu_back, 4)
