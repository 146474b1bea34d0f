// Entries for the dense layer: of one network, or of members whose arrays have an axis in front.

// dense(x, w, bias, relu, y, threads) -> y, with w and bias of a type of their own
template <class T, class S, class Multiply>
PyObject* dense_with(PyObject* const* arguments, int type, int type_of_w, Multiply multiply) {
    idx members, also_members, rows, n, also_n, results;
    const Matrices<T> x = matrices<T>(arguments[0], type, members, rows, n);
    const Matrices<S> w = matrices<S>(arguments[1], type_of_w, also_members, also_n, results);
    if (n != also_n || members != also_members) refuse(PyExc_ValueError, "the matrices do not fit");
    const Pieces<S> bias = pieces<S>(arguments[2], type_of_w, members, results);
    const bool relu = integer(arguments[3]);
    Owned to = place_of(arguments[4], type, members, {rows, results});
    const Pieces<T> y = present_pieces<T>(to.get(), type, members, rows * results, true);
    const int threads = allowed(int(integer(arguments[5])));
    {
        WithoutInterpreter released;
        for (idx k = 0; k < std::max<idx>(members, 1); ++k)
            multiply(rows, n, results, x[k], w[k], bias[k], relu, y[k], threads);
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
    idx members, also_members, rows, n, also_n, results;
    const Matrices<T> x = matrices<T>(arguments[1], type, members, rows, n),
                      w = matrices<T>(arguments[2], type, also_members, also_n, results);
    if (n != also_n || members != also_members) refuse(PyExc_ValueError, "the matrices do not fit");
    const Pieces<T> gradient = present_pieces<T>(arguments[0], type, members, rows * results);
    const bool relu = integer(arguments[4]);
    const Pieces<T> y = present_pieces<T>(arguments[3], type, members, rows * results);
    Owned to_x = place_of(arguments[5], type, members, {rows, n}),
          to_w = place_of(arguments[6], type, members, {n, results}),
          to_b = place_of(arguments[7], type, members, {results});
    const Pieces<T> dx = pieces<T>(to_x.get(), type, members, rows * n, true);
    const Pieces<T> dw = pieces<T>(to_w.get(), type, members, n * results, true);
    const Pieces<T> db = pieces<T>(to_b.get(), type, members, results, true);
    const int threads = allowed(int(integer(arguments[8])));
    {
        WithoutInterpreter released;
        for (idx k = 0; k < std::max<idx>(members, 1); ++k)
            kernels<T>().dense_back(rows, n, results, gradient[k], x[k], w[k], y[k], relu, dx[k], dw[k], db[k],
                                    threads);
    }
    return PyTuple_Pack(3, to_x.get(), to_w.get(), to_b.get());
}
DEFINE_ANSWER(dense_back, 9)
