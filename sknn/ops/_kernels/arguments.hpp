// What the entries of the module stand on: arguments of Python checked and turned into those of kernels.

const InstructionSet* chosen = &BASELINE;
std::atomic<bool> forked{false};

template <class T>
const Kernels<T>& kernels();
template <>
const Kernels<float>& kernels<float>() {
    return chosen->single;
}
template <>
const Kernels<double>& kernels<double>() {
    return chosen->twice;
}

// A forked child has none of the threads that OpenMP believes in, and would wait for them forever.
int allowed(int wanted) {
    return forked ? 1 : std::max(1, std::min(wanted, most_threads()));
}

struct Refused {};  // a Python error is set

[[noreturn]] void refuse(PyObject* kind, const char* message) {
    PyErr_SetString(kind, message);
    throw Refused();
}

PyArrayObject* array(PyObject* object, int type) {
    if (!PyArray_Check(object)) refuse(PyExc_TypeError, "an argument is no array");
    auto* a = reinterpret_cast<PyArrayObject*>(object);
    if (PyArray_TYPE(a) != type || !PyArray_ISBEHAVED_RO(a))
        refuse(PyExc_TypeError, "arrays must be of one type, float32 or float64, and aligned");
    return a;
}

// The elements of a contiguous array of so many elements; null for None.
template <class T>
T* elements(PyObject* object, int type, idx size, bool written = false) {
    if (object == Py_None) return nullptr;
    PyArrayObject* a = array(object, type);
    if (!PyArray_IS_C_CONTIGUOUS(a)) refuse(PyExc_ValueError, "arrays must be contiguous");
    if (PyArray_SIZE(a) != size) refuse(PyExc_ValueError, "an array has the wrong size");
    if (written && !PyArray_ISWRITEABLE(a)) refuse(PyExc_ValueError, "a result is read-only");
    return static_cast<T*>(PyArray_DATA(a));
}

// An array that must be there.
template <class T>
T* present(PyObject* object, int type, idx size, bool written = false) {
    if (object == Py_None) refuse(PyExc_TypeError, "an argument is None");
    return elements<T>(object, type, size, written);
}

idx integer(PyObject* object) {
    const idx value = PyNumber_AsSsize_t(object, PyExc_OverflowError);  // NumPy integers, too
    if (value == -1 && PyErr_Occurred()) throw Refused();
    return value;
}

int type_of(PyObject* object) {
    if (!PyArray_Check(object)) refuse(PyExc_TypeError, "an argument is no array");
    const int type = PyArray_TYPE(reinterpret_cast<PyArrayObject*>(object));
    if (type != NPY_FLOAT && type != NPY_DOUBLE) refuse(PyExc_TypeError, "arrays must be float32 or float64");
    return type;
}

inline void wait_for_the_end() {
#ifndef _WIN32
    pause();
#endif
}

class WithoutInterpreter {
    PyThreadState* state = PyEval_SaveThread();

public:
    ~WithoutInterpreter() {
        try {
            PyEval_RestoreThread(state);
        } catch (...) {  // the interpreter has ended, and now so would this thread, which no destructor survives
            for (;;) wait_for_the_end();
        }
    }
};

// What a body answers; turns C++ exceptions into Python's.
template <class Body>
PyObject* guarded(Body body) {
    const SubnormalsAsZero fast;
    try {
        return body();
    } catch (const Refused&) {
        return nullptr;
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    }
}

inline void count_arguments(Py_ssize_t count, Py_ssize_t wanted) {
    if (count != wanted) refuse(PyExc_TypeError, "the wrong number of arguments");
}

// An entry that runs NAME_as<float> or NAME_as<double>, as the first array says, and answers what that does.
#define DEFINE_ANSWER(NAME, COUNT)                                                                \
    PyObject* NAME(PyObject*, PyObject* const* arguments, Py_ssize_t count) {                     \
        return guarded([&] {                                                                      \
            count_arguments(count, COUNT);                                                        \
            return type_of(arguments[0]) == NPY_FLOAT ? NAME##_as<float>(arguments, NPY_FLOAT)    \
                                                      : NAME##_as<double>(arguments, NPY_DOUBLE); \
        });                                                                                       \
    }

// The same for one that only writes into its arguments.
#define DEFINE(NAME, COUNT)                                                   \
    PyObject* NAME(PyObject*, PyObject* const* arguments, Py_ssize_t count) { \
        return guarded([&]() -> PyObject* {                                   \
            count_arguments(count, COUNT);                                    \
            if (type_of(arguments[0]) == NPY_FLOAT)                           \
                NAME##_as<float>(arguments, NPY_FLOAT);                       \
            else                                                              \
                NAME##_as<double>(arguments, NPY_DOUBLE);                     \
            Py_RETURN_NONE;                                                   \
        });                                                                   \
    }

// Matrices of members, or a single one (no members): where the first lies, and how far it is to the next.
template <class T>
struct Matrices {
    Matrix<T> first;
    idx step;
    Matrix<T> operator[](idx member) const {
        return {first.data + member * step, first.row, first.column};
    }
};

template <class T>
Matrices<T> matrices(PyObject* object, int type, idx& members, idx& rows, idx& columns) {
    PyArrayObject* a = array(object, type);
    const int axes = PyArray_NDIM(a);
    if (axes != 2 && axes != 3) refuse(PyExc_ValueError, "a matrix has two axes, or one of members in front of them");
    members = axes == 3 ? PyArray_DIM(a, 0) : 0;
    if (axes == 3 && !members) refuse(PyExc_ValueError, "there are no members");
    rows = PyArray_DIM(a, axes - 2);
    columns = PyArray_DIM(a, axes - 1);
    const idx size = sizeof(T);
    for (int axis = 0; axis < axes; ++axis)
        if (PyArray_STRIDE(a, axis) % size) refuse(PyExc_ValueError, "odd strides");
    return {{static_cast<const T*>(PyArray_DATA(a)), PyArray_STRIDE(a, axes - 2) / size,
             PyArray_STRIDE(a, axes - 1) / size},
            axes == 3 ? PyArray_STRIDE(a, 0) / size : 0};
}

// Elements of members, or of a single array: each contiguous, and so far from one to the next; null for None.
template <class T>
struct Pieces {
    T* first;
    idx step;
    T* operator[](idx member) const { return first ? first + member * step : nullptr; }
};

// Those of an array with an axis of so many members in front, each of so many elements; without members one array.
template <class T>
Pieces<T> pieces(PyObject* object, int type, idx members, idx size, bool written = false) {
    if (!members || object == Py_None) return {elements<T>(object, type, size, written), 0};
    PyArrayObject* a = array(object, type);
    const int axes = PyArray_NDIM(a);
    if (axes < 1 || PyArray_DIM(a, 0) != members || PyArray_SIZE(a) != members * size)
        refuse(PyExc_ValueError, "an array has the wrong size");
    idx step = sizeof(T);
    for (int axis = axes - 1; axis > 0; step *= PyArray_DIM(a, axis--))
        if (PyArray_DIM(a, axis) > 1 && PyArray_STRIDE(a, axis) != step)
            refuse(PyExc_ValueError, "the arrays of members must be contiguous");
    if (PyArray_STRIDE(a, 0) % idx(sizeof(T))) refuse(PyExc_ValueError, "odd strides");
    if (written && !PyArray_ISWRITEABLE(a)) refuse(PyExc_ValueError, "a result is read-only");
    return {static_cast<T*>(PyArray_DATA(a)), PyArray_STRIDE(a, 0) / idx(sizeof(T))};
}

// The same for one that must be there.
template <class T>
Pieces<T> present_pieces(PyObject* object, int type, idx members, idx size, bool written = false) {
    if (object == Py_None) refuse(PyExc_TypeError, "an argument is None");
    return pieces<T>(object, type, members, size, written);
}

// A vector, or one for each member: how many members (0: no axis of them), and how long.
inline void vectors(PyObject* object, int type, idx& members, idx& size) {
    PyArrayObject* a = array(object, type);
    members = PyArray_NDIM(a) == 2 ? PyArray_DIM(a, 0) : 0;
    size = members ? PyArray_DIM(a, 1) : PyArray_SIZE(a);
}

double number(PyObject* object) {
    const double value = PyFloat_AsDouble(object);
    if (value == -1.0 && PyErr_Occurred()) throw Refused();
    return value;
}

// A reference that is given back unless it is handed on.
class Owned {
    PyObject* object;

public:
    explicit Owned(PyObject* object) : object(object) {
        if (!object) throw Refused();
    }
    Owned(Owned&& other) : object(other.release()) {}
    ~Owned() { Py_XDECREF(object); }
    PyObject* get() const { return object; }
    PyObject* release() {
        PyObject* handed_on = object;
        object = nullptr;
        return handed_on;
    }
};

// Where a result goes: nowhere (None), into an array of its own (...), or into the one given.
inline Owned place(PyObject* wanted, int type, std::initializer_list<npy_intp> shape) {
    if (wanted == Py_Ellipsis)
        return Owned(PyArray_SimpleNew(int(shape.size()), const_cast<npy_intp*>(shape.begin()), type));
    Py_INCREF(wanted);
    return Owned(wanted);
}

// The same for the results of members, if there are some: of each one of this shape.
inline Owned place_of(PyObject* wanted, int type, idx members, std::initializer_list<npy_intp> shape) {
    if (!members || wanted != Py_Ellipsis) return place(wanted, type, shape);
    npy_intp whole[4] = {members};
    std::copy(shape.begin(), shape.end(), whole + 1);
    return Owned(PyArray_SimpleNew(int(shape.size()) + 1, whole, type));
}
