// Dropout, of an array or of its gradient: some elements become zero, the others grow.

// y = x kept factor.
template <class T>
void thin(idx n, const T* x, const unsigned char* kept, T factor, T* y, int threads) {
    share_stretches(threads, n, PIECE, PASS * n, [=](idx from, idx to) {
        #pragma GCC ivdep
        for (idx i = from; i < to; ++i) y[i] = x[i] * T(kept[i]) * factor;
    });
}
