// Entries for the dense layer.

// dense(x, w, bias, relu, y, threads) -> y
template <class T>
PyObject* dense_as(PyObject* const* arguments, int type) {
    idx rows, n, also_n, results;
    const Matrix<T> x = matrix<T>(arguments[0], type, rows, n), w = matrix<T>(arguments[1], type, also_n, results);
    if (n != also_n) refuse(PyExc_ValueError, "the matrices do not fit");
    const T* bias = elements<T>(arguments[2], type, results);
    const bool relu = integer(arguments[3]);
    Owned to = place(arguments[4], type, {rows, results});
    T* y = present<T>(to.get(), type, rows * results, true);
    const int threads = allowed(int(integer(arguments[5])));
    {
        WithoutInterpreter released;
        kernels<T>().matmul(rows, n, results, x, w, bias, relu, y, threads);
    }
    return to.release();
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
