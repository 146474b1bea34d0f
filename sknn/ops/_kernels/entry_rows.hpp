// Entry for rows of samples of different lengths.

// copy_runs(x, y, width, from, to, lengths): rows from[k] ... of x become rows to[k] ... of y, lengths[k] of them, each
// of so many elements. No two runs may go to the same rows.
template <class T>
void copy_runs_as(PyObject* const* arguments, int type) {
    const auto size = [&](int k) {
        return idx(PyArray_Check(arguments[k]) ? PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[k])) : 0);
    };
    const idx x_size = size(0), y_size = size(1), width = integer(arguments[2]), runs = size(5);
    const T* x = present<T>(arguments[0], type, x_size);
    T* y = present<T>(arguments[1], type, y_size, true);
    const idx* from = present<idx>(arguments[3], NPY_INTP, runs);
    const idx* to = present<idx>(arguments[4], NPY_INTP, runs);
    const idx* lengths = present<idx>(arguments[5], NPY_INTP, runs);
    if (width < 1) return;
    const idx x_rows = x_size / width, y_rows = y_size / width;
    for (idx k = 0; k < runs; ++k)
        if (lengths[k] < 0 || from[k] < 0 || to[k] < 0 || lengths[k] > x_rows - from[k] || lengths[k] > y_rows - to[k])
            refuse(PyExc_IndexError, "a run goes beyond the rows that there are");
    WithoutInterpreter released;
    for (idx k = 0; k < runs; ++k) {
        const T* run = x + from[k] * width;
        std::copy(run, run + lengths[k] * width, y + to[k] * width);
    }
}
DEFINE(copy_runs, 6)
