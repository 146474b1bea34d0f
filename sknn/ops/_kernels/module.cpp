// The Python module: its entries check their arguments, let go of the interpreter, and call the kernels of the chosen
// instruction set.
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <numpy/arrayobject.h>

#ifndef _WIN32
#include <pthread.h>
#include <unistd.h>
#endif

#include "memory.hpp"
#include "subnormal.hpp"
#include "table.hpp"

namespace {

#include "arguments.hpp"

#include "entry_activation.hpp"
#include "entry_attention.hpp"
#include "entry_conv.hpp"
#include "entry_dense.hpp"
#include "entry_loss.hpp"
#include "entry_memory.hpp"
#include "entry_norm.hpp"
#include "entry_optim.hpp"
#include "entry_perceptron.hpp"
#include "entry_positions.hpp"
#include "entry_recurrence.hpp"
#include "entry_rows.hpp"
#include "entry_spline.hpp"

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
    FAST(dense, "dense(x, w, bias, relu, y, threads): y = x w + bias, then ReLU if wanted."),
    FAST(dense_back, "dense_back(g, x, w, y, relu, dx, dw, db, threads): gradients of dense; returns dx, dw, db."),
    FAST(softmax_cross_entropy, "softmax_cross_entropy(raw, target, smoothing): losses and their slope."),
    FAST(convolve, "convolve(x, geometry, w, bias, relu, y, threads): y = x * w + bias, then ReLU if wanted."),
    FAST(convolve_back, "convolve_back(g, geometry, x, w, y, relu, bias, dx, dw, db, threads): its gradients."),
    FAST(pool_max, "pool_max(x, geometry, y, threads): the largest of each window."),
    FAST(pool_max_back, "pool_max_back(g, geometry, x, y, dx, threads): the gradient of pool_max."),
    FAST(pool_average, "pool_average(x, geometry, y, threads): the mean of each window over its taps on the grid."),
    FAST(pool_average_back, "pool_average_back(g, geometry, dx, threads): the gradient of pool_average."),
    FAST(adam, "adam(theta, grad, m, v, decaying, beta_1, beta_2, epsilon, step, l2, shrink, average, share, threads)."),
    FAST(perceptron, "perceptron(values, columns, starts, features, label, step, order, weights, loss): one pass."),
    FAST(xorshift_permutation, "xorshift_permutation(permutation, seed): how scikit-learn shuffles, from seed > 0."),
    FAST(sgd, "sgd(theta, grad, velocity, decaying, momentum, nesterov, rate, l2, average, share, threads): one step."),
    FAST(rmsprop, "rmsprop(theta, grad, v, decaying, decay, epsilon, step, l2, average, share, threads): one step."),
    FAST(batch_statistics, "batch_statistics(x, mean, variance, threads): of each channel, in float64."),
    FAST(rescale, "rescale(x, mean, factor, shift, behind, y, threads): y = f((x - mean) factor + shift), for each channel."),
    FAST(batch_norm_back, "batch_norm_back(g, x, mean, scale, gain, shift, behind, dx, to_gain, to_shift, threads): gradients."),
    FAST(layer_norm, "layer_norm(x, gain, shift, epsilon, y, mean, scale, threads): y, and mean and scale of samples."),
    FAST(layer_norm_back, "layer_norm_back(g, x, mean, scale, gain, dx, to_gain, to_shift, threads): its gradients."),
    FAST(group_norm, "group_norm(x, groups, gain, shift, epsilon, behind, y, mean, scale, threads): and statistics."),
    FAST(group_norm_back, "group_norm_back(g, x, groups, mean, scale, gain, shift, behind, dx, to_gain, to_shift, threads)."),
    FAST(meet, "meet(x, each, multiply, y, threads): y = x + each, or x each, at all positions of a sample."),
    FAST(totals, "totals(x, others, sums, threads): over the positions of each sample, of x or x others."),
    FAST(repeat, "repeat(x, geometry, y, threads): each position of a grid so many times along each axis."),
    FAST(repeat_back, "repeat_back(g, geometry, dx, threads): the gradient of repeat."),
    FAST(activate, "activate(z, name, slope, threads): z = f(z), and the slope of a function that keeps it."),
    FAST(activate_back, "activate_back(g, name, y, dz, threads): dz = g f'(z), from y = f(z)."),
    FAST(thin, "thin(x, kept, factor, y, threads): y = x kept factor."),
    FAST(add, "add(a, b, relu, y, threads): y = a + b, then ReLU if wanted."),
    FAST(concatenate, "concatenate(a, b, y, threads): y = [a, b], beside each other on the last axis."),
    FAST(split, "split(y, width, a, b, threads): the same back, where a is so wide; a or b may be None."),
    FAST(recurrence, "recurrence(x, state, y, gates, cells, cell, w, u, b, order, starts, lengths, reverse, threads)."),
    FAST(recurrence_back, "recurrence_back(..., reverse, g, dx, dw, du, db, dstate, threads): gradients of recurrence."),
    FAST(attention, "attention(q, k, v, table, heads, causal, kept, factor, y, sums, threads): means of the values."),
    FAST(attention_back, "attention_back(<those of attention but threads>, g, dq, dk, dv, threads): its gradients."),
    FAST(spline, "spline(x, raw, bins, bound, inverse, y, threads): values, and logarithms of the derivatives."),
    FAST(spline_back, "spline_back(g, x, raw, bins, bound, inverse, dx, draw, threads): its gradients."),
    FAST(copy_runs, "copy_runs(x, y, width, from, to, lengths): some runs of rows of x become rows of y."),
    {"keep_memory", keep_memory, METH_NOARGS, "keep_memory(): arrays made here from now on reuse memory."},
    {"release_memory", release_memory, METH_O, "release_memory(kept): ends what keep_memory() began and returned."},
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
