// Entries for attention. Queries, keys and values are rows of one width, so far apart as strides say.

template <class T>
Matrix<T> rows_of_heads(PyObject* object, int type, idx& rows, idx& width) {
    idx members;
    const Matrices<T> found = matrices<T>(object, type, members, rows, width);
    if (members || (found.first.column != 1 && width > 1)) refuse(PyExc_ValueError, "rows must be contiguous");
    return found.first;
}

template <class T>
Written<T> written_rows(PyObject* object, int type, idx rows, idx width) {
    idx found_rows, found_width;
    const Matrix<T> found = rows_of_heads<T>(object, type, found_rows, found_width);
    if (found_rows != rows || found_width != width) refuse(PyExc_ValueError, "an array has the wrong size");
    if (!PyArray_ISWRITEABLE(reinterpret_cast<PyArrayObject*>(object))) refuse(PyExc_ValueError, "a result is read-only");
    return {const_cast<T*>(found.data), found.row};
}

struct RowCounts {
    idx queries, keys, width;
};

// q, k, v, table, heads, causal, kept, factor: where samples lie, which the arrays must hold.
template <class T>
Attending<T> attending(PyObject* const* arguments, int type, RowCounts& count) {
    Attending<T> a;
    idx values, widths[2];
    a.q = rows_of_heads<T>(arguments[0], type, count.queries, count.width);
    a.k = rows_of_heads<T>(arguments[1], type, count.keys, widths[0]);
    a.v = rows_of_heads<T>(arguments[2], type, values, widths[1]);
    PyArrayObject* table = array(arguments[3], NPY_INTP);
    if (PyArray_NDIM(table) != 2 || PyArray_DIM(table, 1) != 5) refuse(PyExc_ValueError, "the table has five columns");
    a.samples = PyArray_DIM(table, 0);
    a.of = reinterpret_cast<const SampleRows*>(elements<idx>(arguments[3], NPY_INTP, 5 * a.samples));
    a.heads = integer(arguments[4]);
    a.causal = integer(arguments[5]);
    a.factor = number(arguments[7]);
    if (a.heads < 1 || count.width % a.heads || widths[0] != count.width || widths[1] != count.width)
        refuse(PyExc_ValueError, "the widths do not fit");
    a.width = count.width / a.heads;
    idx weights = 0;
    for (idx n = 0; n < a.samples; ++n) {
        const SampleRows& s = a.of[n];
        if (s.first_query < 0 || s.queries < 1 || s.first_query + s.queries > count.queries || s.first_key < 0 ||
            s.keys < (a.causal ? s.queries : 1) || s.first_key + s.keys > std::min(count.keys, values) ||
            s.first_weight != weights)
            refuse(PyExc_ValueError, "a sample lies outside of the rows");
        weights += s.queries * s.keys;
    }
    a.kept = elements<unsigned char>(arguments[6], NPY_BOOL, a.heads * weights);
    return a;
}

// attention(q, k, v, table, heads, causal, kept, factor, y, sums, threads)
template <class T>
void attention_as(PyObject* const* arguments, int type) {
    RowCounts count;
    const Attending<T> a = attending<T>(arguments, type, count);
    T* y = present<T>(arguments[8], type, count.queries * count.width, true);
    T* sums = present<T>(arguments[9], type, 2 * count.queries * a.heads, true);
    const int threads = allowed(int(integer(arguments[10])));
    WithoutInterpreter released;
    kernels<T>().attention(a, y, sums, threads);
}
DEFINE(attention, 11)

// attention_back(q, k, v, table, heads, causal, kept, factor, y, sums, g, dq, dk, dv, threads)
template <class T>
void attention_back_as(PyObject* const* arguments, int type) {
    RowCounts count;
    const Attending<T> a = attending<T>(arguments, type, count);
    const T* y = present<T>(arguments[8], type, count.queries * count.width);
    const T* sums = present<T>(arguments[9], type, 2 * count.queries * a.heads);
    const T* g = present<T>(arguments[10], type, count.queries * count.width);
    const Written<T> dq = written_rows<T>(arguments[11], type, count.queries, count.width);
    const Written<T> dk = written_rows<T>(arguments[12], type, count.keys, count.width);
    const Written<T> dv = written_rows<T>(arguments[13], type, count.keys, count.width);
    const int threads = allowed(int(integer(arguments[14])));
    WithoutInterpreter released;
    kernels<T>().attention_back(a, g, y, sums, dq, dk, dv, threads);
}
DEFINE(attention_back, 15)
