// The Python module: checks its arguments, lets go of the interpreter, and calls the kernels of the best instruction
// set.
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <numpy/arrayobject.h>

#ifndef _WIN32
#include <pthread.h>
#endif

#include "table.hpp"

namespace {

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

idx integer(PyObject* object) {
    const idx value = PyNumber_AsSsize_t(object, PyExc_OverflowError);  // NumPy integers, too
    if (value == -1 && PyErr_Occurred()) throw Refused();
    return value;
}

int type_of(PyObject* object) {
    if (!PyArray_Check(object)) refuse(PyExc_TypeError, "the first argument is no array");
    const int type = PyArray_TYPE(reinterpret_cast<PyArrayObject*>(object));
    if (type != NPY_FLOAT && type != NPY_DOUBLE) refuse(PyExc_TypeError, "arrays must be float32 or float64");
    return type;
}

class WithoutInterpreter {
    PyThreadState* state = PyEval_SaveThread();

public:
    ~WithoutInterpreter() { PyEval_RestoreThread(state); }
};

// Runs body<float> or body<double>, as the first array says; turns C++ exceptions into Python's.
#define DEFINE(NAME, COUNT)                                                                   \
    PyObject* NAME(PyObject*, PyObject* const* arguments, Py_ssize_t count) {                 \
        try {                                                                                 \
            if (count != COUNT) refuse(PyExc_TypeError, #NAME " takes " #COUNT " arguments"); \
            if (type_of(arguments[0]) == NPY_FLOAT)                                           \
                NAME##_as<float>(arguments, NPY_FLOAT);                                       \
            else                                                                              \
                NAME##_as<double>(arguments, NPY_DOUBLE);                                     \
        } catch (const Refused&) {                                                            \
            return nullptr;                                                                   \
        } catch (const std::bad_alloc&) {                                                     \
            return PyErr_NoMemory();                                                          \
        }                                                                                     \
        Py_RETURN_NONE;                                                                       \
    }

template <class T>
Matrix<T> matrix(PyObject* object, int type, idx& rows, idx& columns) {
    PyArrayObject* a = array(object, type);
    if (PyArray_NDIM(a) != 2) refuse(PyExc_ValueError, "a matrix has two axes");
    rows = PyArray_DIM(a, 0);
    columns = PyArray_DIM(a, 1);
    const idx size = sizeof(T);
    if (PyArray_STRIDE(a, 0) % size || PyArray_STRIDE(a, 1) % size) refuse(PyExc_ValueError, "odd strides");
    return {static_cast<const T*>(PyArray_DATA(a)), PyArray_STRIDE(a, 0) / size, PyArray_STRIDE(a, 1) / size};
}

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

Geometry geometry(PyObject* object) {
    Geometry g;
    static_assert(sizeof g == 22 * sizeof(idx));
    if (!PyTuple_Check(object) || PyTuple_GET_SIZE(object) != 22) refuse(PyExc_TypeError, "a geometry is 22 numbers");
    auto* to = reinterpret_cast<idx*>(&g);
    for (int i = 0; i < 22; ++i) to[i] = integer(PyTuple_GET_ITEM(object, i));
    if (g.groups < 1 || g.channels % g.groups || g.filters % g.groups)
        refuse(PyExc_ValueError, "the groups divide neither channels nor filters");
    for (int axis = 0; axis < 3; ++axis)
        if (g.output[axis] < 0 || g.kernel[axis] < 1 || g.stride[axis] < 1 || g.dilation[axis] < 1)
            refuse(PyExc_ValueError, "an impossible geometry");
    return g;
}

idx weights(const Geometry& g) {
    return g.taps() * g.channels / g.groups * g.filters;
}

// convolve(x, geometry, w, bias, relu, y, threads)
template <class T>
void convolve_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* x = elements<T>(arguments[0], type, g.images * g.pixels() * g.channels);
    const T* w = elements<T>(arguments[2], type, weights(g));
    const T* bias = elements<T>(arguments[3], type, g.filters);
    const bool relu = integer(arguments[4]);
    T* y = elements<T>(arguments[5], type, g.images * g.outputs() * g.filters, true);
    const int threads = allowed(int(integer(arguments[6])));
    WithoutInterpreter released;
    kernels<T>().convolve(g, x, w, bias, relu, y, threads);
}
DEFINE(convolve, 7)

// convolve_back(g, geometry, x, w, y, relu, dx, dw, db, threads)
template <class T>
void convolve_back_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const idx outputs = g.images * g.outputs() * g.filters, inputs = g.images * g.pixels() * g.channels;
    for (int axis = 0; axis < 3; ++axis)
        if (g.low[axis] > g.dilation[axis] * (g.kernel[axis] - 1))
            refuse(PyExc_ValueError, "more padding than a window spans");
    const T* gradient = elements<T>(arguments[0], type, outputs);
    const T* x = elements<T>(arguments[2], type, inputs);
    const T* w = elements<T>(arguments[3], type, weights(g));
    const T* y = elements<T>(arguments[4], type, outputs);
    const bool relu = integer(arguments[5]);
    T* dx = elements<T>(arguments[6], type, inputs, true);
    T* dw = elements<T>(arguments[7], type, weights(g), true);
    T* db = elements<T>(arguments[8], type, g.filters, true);
    const int threads = allowed(int(integer(arguments[9])));
    WithoutInterpreter released;
    kernels<T>().convolve_back(g, gradient, x, w, y, relu, dx, dw, db, threads);
}
DEFINE(convolve_back, 10)

// pool_max(x, geometry, y, threads)
template <class T>
void pool_max_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* x = elements<T>(arguments[0], type, g.images * g.pixels() * g.channels);
    T* y = elements<T>(arguments[2], type, g.images * g.outputs() * g.channels, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().pool_max(g, x, y, threads);
}
DEFINE(pool_max, 4)

// pool_max_back(g, geometry, x, y, dx, threads)
template <class T>
void pool_max_back_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const idx outputs = g.images * g.outputs() * g.channels, inputs = g.images * g.pixels() * g.channels;
    const T* gradient = elements<T>(arguments[0], type, outputs);
    const T* x = elements<T>(arguments[2], type, inputs);
    const T* y = elements<T>(arguments[3], type, outputs);
    T* dx = elements<T>(arguments[4], type, inputs, true);
    const int threads = allowed(int(integer(arguments[5])));
    WithoutInterpreter released;
    kernels<T>().pool_max_back(g, gradient, x, y, dx, threads);
}
DEFINE(pool_max_back, 6)

// pool_average(x, geometry, y, threads)
template <class T>
void pool_average_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* x = elements<T>(arguments[0], type, g.images * g.pixels() * g.channels);
    T* y = elements<T>(arguments[2], type, g.images * g.outputs() * g.channels, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().pool_average(g, x, y, threads);
}
DEFINE(pool_average, 4)

// pool_average_back(g, geometry, dx, threads)
template <class T>
void pool_average_back_as(PyObject* const* arguments, int type) {
    const Geometry g = geometry(arguments[1]);
    const T* gradient = elements<T>(arguments[0], type, g.images * g.outputs() * g.channels);
    T* dx = elements<T>(arguments[2], type, g.images * g.pixels() * g.channels, true);
    const int threads = allowed(int(integer(arguments[3])));
    WithoutInterpreter released;
    kernels<T>().pool_average_back(g, gradient, dx, threads);
}
DEFINE(pool_average_back, 4)

double number(PyObject* object) {
    const double value = PyFloat_AsDouble(object);
    if (value == -1.0 && PyErr_Occurred()) throw Refused();
    return value;
}

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

// adam(theta, grad, m, v, decaying, beta_1, beta_2, epsilon, step, l2, shrink, threads)
template <class T>
void adam_as(PyObject* const* arguments, int type) {
    const idx n = PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[0]));
    T* theta = elements<T>(arguments[0], type, n, true);
    const T* grad = elements<T>(arguments[1], type, n);
    T* m = elements<T>(arguments[2], type, n, true);
    T* v = elements<T>(arguments[3], type, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[4])));
    T numbers[6];
    for (int i = 0; i < 6; ++i) numbers[i] = T(number(arguments[5 + i]));
    const int threads = allowed(int(integer(arguments[11])));
    WithoutInterpreter released;
    kernels<T>().adam(n, decaying, theta, grad, m, v, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
                      numbers[5], threads);
}
DEFINE(adam, 12)

PyObject* use(PyObject*, PyObject* name) {
    const char* wanted = PyUnicode_AsUTF8(name);
    if (!wanted) return nullptr;
    const InstructionSet* found = nullptr;
    if (!std::strcmp(wanted, BASELINE.name)) found = &BASELINE;
#ifdef SEVERAL_SETS
    __builtin_cpu_init();
    const bool has_avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    const bool best = !std::strcmp(wanted, "best");
    if (has_avx512 && (best || !std::strcmp(wanted, AVX512.name)))
        found = &AVX512;
    else if (has_avx2 && (best || !std::strcmp(wanted, AVX2.name)))
        found = &AVX2;
#endif
    if (!found && !std::strcmp(wanted, "best")) found = &BASELINE;
    if (!found) {
        PyErr_Format(PyExc_ValueError, "this processor or this build has no kernels for %R", name);
        return nullptr;
    }
    chosen = found;
    return PyUnicode_FromString(found->name);
}

PyObject* threads(PyObject*, PyObject*) {
    return PyLong_FromLong(allowed(1 << 20));
}

#define FAST(NAME, DOC) {#NAME, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(NAME)), METH_FASTCALL, DOC}
PyMethodDef methods[] = {
    FAST(matmul, "matmul(a, b, bias, relu, z, threads): z = a b + bias, then ReLU if wanted."),
    FAST(convolve, "convolve(x, geometry, w, bias, relu, y, threads): y = x * w + bias, then ReLU if wanted."),
    FAST(convolve_back, "convolve_back(g, geometry, x, w, y, relu, dx, dw, db, threads): gradients of convolve."),
    FAST(pool_max, "pool_max(x, geometry, y, threads): the largest of each window."),
    FAST(pool_max_back, "pool_max_back(g, geometry, x, y, dx, threads): the gradient of pool_max."),
    FAST(pool_average, "pool_average(x, geometry, y, threads): the mean of each window over its taps on the grid."),
    FAST(pool_average_back, "pool_average_back(g, geometry, dx, threads): the gradient of pool_average."),
    FAST(relu_back, "relu_back(g, y, dz, sums): dz = g where y > 0, and the sums of its columns."),
    FAST(adam, "adam(theta, grad, m, v, decaying, beta_1, beta_2, epsilon, step, l2, shrink, threads): one step."),
    {"use", use, METH_O, "use(name): take the kernels of an instruction set, or the 'best'; returns its name."},
    {"threads", threads, METH_NOARGS, "threads(): how many threads may compute now."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Compiled kernels of sknn.", -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() {
    import_array();
#ifndef _WIN32
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif
    return PyModule_Create(&definition);
}
