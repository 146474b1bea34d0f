// Entries for what belongs to whole samples and meets their positions, and for grids made larger.

struct Positions {
    idx samples, rows, columns;
    idx size() const { return samples * rows * columns; }
};

Positions positions_of(PyObject* object) {
    const Rows r = rows_of(object);
    const idx samples = PyArray_DIM(reinterpret_cast<PyArrayObject*>(object), 0);
    if (r.rows % samples) refuse(PyExc_ValueError, "samples have an axis of channels");
    return {samples, r.rows / samples, r.columns};
}

// meet(x, each, multiply, y, threads): x (samples, ..., channels), each (samples, channels)
template <class T>
void meet_as(PyObject* const* arguments, int type) {
    const Positions p = positions_of(arguments[0]);
    const T* x = present<T>(arguments[0], type, p.size());
    const T* each = present<T>(arguments[1], type, p.samples * p.columns);
    const bool multiply = integer(arguments[2]);
    T* y = present<T>(arguments[3], type, p.size(), true);
    const int threads = allowed(int(integer(arguments[4])));
    WithoutInterpreter released;
    kernels<T>().meet(p.samples, p.rows, p.columns, x, each, multiply, y, threads);
}
DEFINE(meet, 5)

// totals(x, others, sums, threads): x and others, or None, (samples, ..., channels); sums (samples, channels)
template <class T>
void totals_as(PyObject* const* arguments, int type) {
    const Positions p = positions_of(arguments[0]);
    const T* x = present<T>(arguments[0], type, p.size());
    const T* others = elements<T>(arguments[1], type, p.size());
    T* sums = present<T>(arguments[2], type, p.samples * p.columns, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().totals(p.samples, p.rows, p.columns, x, others, sums, threads);
}
DEFINE(totals, 4)

// Images, sizes and factors of three axes, channels.
Repetition repetition_of(PyObject* numbers) {
    if (!PyTuple_Check(numbers) || PyTuple_GET_SIZE(numbers) != 8) refuse(PyExc_TypeError, "8 numbers say how often");
    idx n[8], elements = 1;
    for (int i = 0; i < 8; ++i) {
        n[i] = integer(PyTuple_GET_ITEM(numbers, i));
        if (n[i] < 1 || __builtin_mul_overflow(elements, n[i], &elements)) refuse(PyExc_ValueError, "a size is wrong");
    }
    return {n[0], {n[1], n[2], n[3]}, {n[4], n[5], n[6]}, n[7]};
}

// repeat(x, numbers, y, threads), repeat_back(g, numbers, dx, threads)
template <class T>
void repeat_as(PyObject* const* arguments, int type) {
    const Repetition r = repetition_of(arguments[1]);
    const T* x = present<T>(arguments[0], type, r.lines() * r.line());
    T* y = present<T>(arguments[2], type, r.copies() * r.lines() * r.factor[2] * r.line(), true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().repeat(r, x, y, threads);
}
DEFINE(repeat, 4)

template <class T>
void repeat_back_as(PyObject* const* arguments, int type) {
    const Repetition r = repetition_of(arguments[1]);
    const T* g = present<T>(arguments[0], type, r.copies() * r.lines() * r.factor[2] * r.line());
    T* dx = present<T>(arguments[2], type, r.lines() * r.line(), true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().repeat_back(r, g, dx, threads);
}
DEFINE(repeat_back, 4)
