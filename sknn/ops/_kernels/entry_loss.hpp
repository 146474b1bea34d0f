// Entries for the losses.

// softmax_cross_entropy(raw, target, smoothing) -> values, slope
template <class T>
PyObject* softmax_cross_entropy_as(PyObject* const* arguments, int type) {
    PyArrayObject* raw = array(arguments[0], type);
    if (PyArray_NDIM(raw) != 2 || PyArray_DIM(raw, 1) < 1) refuse(PyExc_ValueError, "raw outputs have two axes");
    const idx n = PyArray_DIM(raw, 0), outputs = PyArray_DIM(raw, 1);
    const T* from = present<T>(arguments[0], type, n * outputs);
    const idx* target = present<idx>(arguments[1], NPY_INTP, n);
    for (idx i = 0; i < n; ++i)
        if (target[i] < 0 || target[i] >= outputs) refuse(PyExc_IndexError, "a class is none of the outputs");
    const T smoothing = T(number(arguments[2]));
    Owned values = place(Py_Ellipsis, type, {n}), slope = place(Py_Ellipsis, type, {n, outputs});
    kernels<T>().softmax_cross_entropy(n, outputs, from, target, smoothing, elements<T>(values.get(), type, n),
                                       elements<T>(slope.get(), type, n * outputs));
    return PyTuple_Pack(2, values.get(), slope.get());
}
DEFINE_ANSWER(softmax_cross_entropy, 3)
