// Entries for the optimizers' steps.

// adam(theta, grad, m, v, decaying, beta_1, beta_2, epsilon, step, l2, shrink, threads)
template <class T>
void adam_as(PyObject* const* arguments, int type) {
    const idx n = PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[0]));
    T* theta = present<T>(arguments[0], type, n, true);
    const T* grad = present<T>(arguments[1], type, n);
    T* m = present<T>(arguments[2], type, n, true);
    T* v = present<T>(arguments[3], type, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[4])));
    T numbers[6];
    for (int i = 0; i < 6; ++i) numbers[i] = T(number(arguments[5 + i]));
    const int threads = allowed(int(integer(arguments[11])));
    WithoutInterpreter released;
    kernels<T>().adam(n, decaying, theta, grad, m, v, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
                      numbers[5], threads);
}
DEFINE(adam, 12)

// sgd(theta, grad, velocity, decaying, momentum, nesterov, rate, l2, threads)
template <class T>
void sgd_as(PyObject* const* arguments, int type) {
    const idx n = PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[0]));
    T* theta = present<T>(arguments[0], type, n, true);
    const T* grad = present<T>(arguments[1], type, n);
    T* velocity = elements<T>(arguments[2], type, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[3])));
    const T momentum = T(number(arguments[4])), rate = T(number(arguments[6])), l2 = T(number(arguments[7]));
    const bool nesterov = integer(arguments[5]);
    const int threads = allowed(int(integer(arguments[8])));
    WithoutInterpreter released;
    kernels<T>().sgd(n, decaying, theta, grad, velocity, momentum, nesterov, rate, l2, threads);
}
DEFINE(sgd, 9)

// rmsprop(theta, grad, v, decaying, decay, epsilon, step, l2, threads)
template <class T>
void rmsprop_as(PyObject* const* arguments, int type) {
    const idx n = PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[0]));
    T* theta = present<T>(arguments[0], type, n, true);
    const T* grad = present<T>(arguments[1], type, n);
    T* v = present<T>(arguments[2], type, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[3])));
    T numbers[4];
    for (int i = 0; i < 4; ++i) numbers[i] = T(number(arguments[4 + i]));
    const int threads = allowed(int(integer(arguments[8])));
    WithoutInterpreter released;
    kernels<T>().rmsprop(n, decaying, theta, grad, v, numbers[0], numbers[1], numbers[2], numbers[3], threads);
}
DEFINE(rmsprop, 9)
