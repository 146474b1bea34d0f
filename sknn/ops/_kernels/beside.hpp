// Arrays that lie beside each other on the last axis: put together, and taken apart.

// Rows of y = [a, b].
template <class T>
void concatenate(idx rows, idx width_a, idx width_b, const T* a, const T* b, T* y, int threads) {
    const idx width = width_a + width_b;
    share_stretches(threads, rows, std::max<idx>(1, PIECE / width), PASS * rows * width, [=](idx from, idx to) {
        for (idx i = from; i < to; ++i) {
            copy_row(a + i * width_a, width_a, y + i * width);
            copy_row(b + i * width_b, width_b, y + i * width + width_a);
        }
    });
}

// The same back: a and b from y; each may be none.
template <class T>
void split(idx rows, idx width_a, idx width_b, const T* y, T* a, T* b, int threads) {
    const idx width = width_a + width_b;
    share_stretches(threads, rows, std::max<idx>(1, PIECE / width), PASS * rows * width, [=](idx from, idx to) {
        for (idx i = from; i < to; ++i) {
            if (a) copy_row(y + i * width, width_a, a + i * width_a);
            if (b) copy_row(y + i * width + width_a, width_b, b + i * width_b);
        }
    });
}
