// The sum of two arrays, as of what goes through a residual block and around it, then ReLU if wanted.

template <class T>
void add(idx n, const T* a, const T* b, bool relu, T* y, int threads) {
    share_stretches(threads, n, PIECE, PASS * n, [=](idx from, idx to) {
        #pragma GCC ivdep
        for (idx i = from; i < to; ++i) {
            const T sum = a[i] + b[i];
            y[i] = relu && sum < T(0) ? T(0) : sum;  // NaN stays
        }
    });
}
