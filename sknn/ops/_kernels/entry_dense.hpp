// Entries for the dense layer.

// dense(x, w, bias, relu, y, threads) -> y, with w and bias of a type of their own
template <class T, class S, class Multiply>
PyObject* dense_with(PyObject* const* arguments, int type, int type_of_w, Multiply multiply) {
    idx rows, n, also_n, results;
    const Matrix<T> x = matrix<T>(arguments[0], type, rows, n);
    const Matrix<S> w = matrix<S>(arguments[1], type_of_w, also_n, results);
    if (n != also_n) refuse(PyExc_ValueError, "the matrices do not fit");
    const S* bias = elements<S>(arguments[2], type_of_w, results);
    const bool relu = integer(arguments[3]);
    Owned to = place(arguments[4], type, {rows, results});
    T* y = present<T>(to.get(), type, rows * results, true);
    const int threads = allowed(int(integer(arguments[5])));
    {
        WithoutInterpreter released;
        multiply(rows, n, results, x, w, bias, relu, y, threads);
    }
    return to.release();
}

// The same, the type of w and bias being that of x, or float32.
template <class T>
PyObject* dense_as(PyObject* const* arguments, int type) {
    if (type_of(arguments[1]) == NPY_FLOAT)
        return dense_with<T, float>(arguments, type, NPY_FLOAT, kernels<T>().matmul_single);
    return dense_with<T, T>(arguments, type, type, kernels<T>().matmul);
}
DEFINE_ANSWER(dense, 6)

// dense_back(g, x, w, y, relu, dx, dw, db, threads) -> dx, dw, db
template <class T>
PyObject* dense_back_as(PyObject* const* arguments, int type) {
    idx rows, n, also_n, results;
    const Matrix<T> x = matrix<T>(arguments[1], type, rows, n), w = matrix<T>(arguments[2], type, also_n, results);
    if (n != also_n) refuse(PyExc_ValueError, "the matrices do not fit");
    const T* gradient = present<T>(arguments[0], type, rows * results);
    const bool relu = integer(arguments[4]);
    const T* y = present<T>(arguments[3], type, rows * results);
    Owned to_x = place(arguments[5], type, {rows, n}), to_w = place(arguments[6], type, {n, results}),
          to_b = place(arguments[7], type, {results});
    T* dx = elements<T>(to_x.get(), type, rows * n, true);
    T* dw = elements<T>(to_w.get(), type, n * results, true);
    T* db = elements<T>(to_b.get(), type, results, true);
    const int threads = allowed(int(integer(arguments[8])));
    {
        WithoutInterpreter released;
        kernels<T>().dense_back(rows, n, results, gradient, x, w, y, relu, dx, dw, db, threads);
    }
    return PyTuple_Pack(3, to_x.get(), to_w.get(), to_b.get());
}
DEFINE_ANSWER(dense_back, 9)
