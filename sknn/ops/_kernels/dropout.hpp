// Dropout, of an array or of its gradient: some elements become zero, the others grow.

// y = x kept factor.
template <class T>
void thin(idx n, const T* x, const unsigned char* kept, T factor, T* y, int threads) {
    PARALLEL(threads) {
        const idx me = thread_number(), all = team_size();
        #pragma GCC ivdep
        for (idx i = me * n / all; i < (me + 1) * n / all; ++i) y[i] = x[i] * T(kept[i]) * factor;
    }
}
