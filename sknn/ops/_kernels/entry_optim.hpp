// Entries for the optimizers' steps, of one vector or of one for each member: theta (n,) or (members, n).

// adam(theta, grad, m, v, decaying, beta_1, beta_2, epsilon, step, l2, shrink, average, share, threads)
template <class T>
void adam_as(PyObject* const* arguments, int type) {
    idx members, n;
    vectors(arguments[0], type, members, n);
    const Pieces<T> theta = present_pieces<T>(arguments[0], type, members, n, true);
    const Pieces<T> grad = present_pieces<T>(arguments[1], type, members, n);
    const Pieces<T> m = present_pieces<T>(arguments[2], type, members, n, true);
    const Pieces<T> v = present_pieces<T>(arguments[3], type, members, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[4])));
    T numbers[6];
    for (int i = 0; i < 6; ++i) numbers[i] = T(number(arguments[5 + i]));
    const Pieces<T> average = pieces<T>(arguments[11], type, members, n, true);
    const T share = T(number(arguments[12]));
    const int threads = allowed(int(integer(arguments[13])));
    WithoutInterpreter released;
    for (idx k = 0; k < std::max<idx>(members, 1); ++k)
        kernels<T>().adam(n, decaying, theta[k], grad[k], m[k], v[k], numbers[0], numbers[1], numbers[2], numbers[3],
                          numbers[4], numbers[5], {average[k], share}, threads);
}
DEFINE(adam, 14)

// sgd(theta, grad, velocity, decaying, momentum, nesterov, rate, l2, average, share, threads)
template <class T>
void sgd_as(PyObject* const* arguments, int type) {
    idx members, n;
    vectors(arguments[0], type, members, n);
    const Pieces<T> theta = present_pieces<T>(arguments[0], type, members, n, true);
    const Pieces<T> grad = present_pieces<T>(arguments[1], type, members, n);
    const Pieces<T> velocity = pieces<T>(arguments[2], type, members, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[3])));
    const T momentum = T(number(arguments[4])), rate = T(number(arguments[6])), l2 = T(number(arguments[7]));
    const bool nesterov = integer(arguments[5]);
    const Pieces<T> average = pieces<T>(arguments[8], type, members, n, true);
    const T share = T(number(arguments[9]));
    const int threads = allowed(int(integer(arguments[10])));
    WithoutInterpreter released;
    for (idx k = 0; k < std::max<idx>(members, 1); ++k)
        kernels<T>().sgd(n, decaying, theta[k], grad[k], velocity[k], momentum, nesterov, rate, l2,
                         {average[k], share}, threads);
}
DEFINE(sgd, 11)

// rmsprop(theta, grad, v, decaying, decay, epsilon, step, l2, average, share, threads)
template <class T>
void rmsprop_as(PyObject* const* arguments, int type) {
    idx members, n;
    vectors(arguments[0], type, members, n);
    const Pieces<T> theta = present_pieces<T>(arguments[0], type, members, n, true);
    const Pieces<T> grad = present_pieces<T>(arguments[1], type, members, n);
    const Pieces<T> v = present_pieces<T>(arguments[2], type, members, n, true);
    const idx decaying = std::max<idx>(0, std::min(n, integer(arguments[3])));
    T numbers[4];
    for (int i = 0; i < 4; ++i) numbers[i] = T(number(arguments[4 + i]));
    const Pieces<T> average = pieces<T>(arguments[8], type, members, n, true);
    const T share = T(number(arguments[9]));
    const int threads = allowed(int(integer(arguments[10])));
    WithoutInterpreter released;
    for (idx k = 0; k < std::max<idx>(members, 1); ++k)
        kernels<T>().rmsprop(n, decaying, theta[k], grad[k], v[k], numbers[0], numbers[1], numbers[2], numbers[3],
                             {average[k], share}, threads);
}
DEFINE(rmsprop, 11)
