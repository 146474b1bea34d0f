// Entries for the perceptron rule.

// Whether all numbers lie in [0, end).
bool within(const idx* numbers, idx n, idx end) {
    bool outside = false;
    for (idx k = 0; k < n; ++k) outside |= std::size_t(numbers[k]) >= std::size_t(end);
    return !outside;
}

// perceptron(values, columns, starts, features, label, step, order, weights, loss), which trusts columns and starts
template <class T>
void perceptron_as(PyObject* const* arguments, int type) {
    const auto size = [&](int k) {
        return idx(PyArray_Check(arguments[k]) ? PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[k])) : 0);
    };
    const idx features = std::max<idx>(0, integer(arguments[3])), n = size(4), n_weights = size(7);
    const bool dense = arguments[2] == Py_None;
    Samples<T> rows;
    rows.features = features;
    rows.values = elements<T>(arguments[0], type, dense ? n * features : size(0));
    rows.columns = elements<std::int32_t>(arguments[1], NPY_INT32, size(0));
    rows.starts = elements<std::int32_t>(arguments[2], NPY_INT32, n + 1);
    Visits visits;
    visits.n = size(6);
    visits.label = elements<double>(arguments[4], NPY_DOUBLE, n);
    visits.step = elements<double>(arguments[5], NPY_DOUBLE, n);
    visits.order = elements<idx>(arguments[6], NPY_INTP, visits.n);
    if (n_weights != features && n_weights != features + 1) refuse(PyExc_ValueError, "an array has the wrong size");
    double* weights = elements<double>(arguments[7], NPY_DOUBLE, n_weights, true);
    double* loss = elements<double>(arguments[8], NPY_DOUBLE, 1, true);
    if (!visits.label || !visits.step || !visits.order || !weights || !loss || !dense != !!rows.columns)
        refuse(PyExc_TypeError, "an array is missing");
    if (!within(visits.order, visits.n, n)) refuse(PyExc_IndexError, "the order names a sample that is not there");
    WithoutInterpreter released;
    *loss = kernels<T>().perceptron(rows, visits, weights, n_weights > features ? weights + features : nullptr, *loss);
}
DEFINE(perceptron, 9)

// xorshift_permutation(permutation, seed): G. Marsaglia's generator drives a Fisher-Yates shuffle of 0 ... n - 1.
PyObject* xorshift_permutation(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    try {
        if (count != 2 || !PyArray_Check(arguments[0])) refuse(PyExc_TypeError, "an array and a seed are needed");
        const idx n = PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[0]));
        idx* permutation = elements<idx>(arguments[0], NPY_INTP, n, true);
        auto state = std::uint32_t(integer(arguments[1]));
        WithoutInterpreter released;
        for (idx i = 0; i < n; ++i) permutation[i] = i;
        for (idx i = 0; i < n - 1; ++i) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            const idx draw = state & 0x7FFFFFFF, left = n - i;
            std::swap(permutation[i],
                      permutation[i + (left >> 31 ? draw : idx(std::uint32_t(draw) % std::uint32_t(left)))]);
        }
    } catch (const Refused&) {
        return nullptr;
    }
    Py_RETURN_NONE;
}
