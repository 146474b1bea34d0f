// Grids made so many times as large by repetition, and the gradient of that.

template <class T>
void repeat(const Repetition& r, const T* x, T* y, int threads) {
    const idx line = r.line(), longer = r.factor[2] * line;
    share(threads, r.lines(), PASS * double(r.copies()) * r.lines() * longer, [=](Turn& turn) {
        for (idx n; turn.take(n);) {
            T* first = y + r.first_copy(n) * longer;
            for (idx w = 0; w < r.size[2]; ++w)
                for (idx k = 0; k < r.factor[2]; ++k)
                    copy_row(x + n * line + w * r.channels, r.channels, first + (w * r.factor[2] + k) * r.channels);
            for (idx copy = 1; copy < r.copies(); ++copy)
                std::copy(first, first + longer, y + (r.first_copy(n) + r.later(copy)) * longer);
        }
    });
}

template <class T>
void repeat_back(const Repetition& r, const T* g, T* dx, int threads) {
    const idx line = r.line(), longer = r.factor[2] * line, channels = r.channels;
    share(threads, r.lines(), PASS * double(r.copies()) * r.lines() * longer, [=](Turn& turn) {
        for (idx n; turn.take(n);) {
            T* to = dx + n * line;
            std::fill(to, to + line, T(0));
            for (idx copy = 0; copy < r.copies(); ++copy) {
                const T* from = g + (r.first_copy(n) + r.later(copy)) * longer;
                for (idx w = 0; w < r.size[2]; ++w)
                    for (idx k = 0; k < r.factor[2]; ++k, from += channels)
                        add_row(from, channels, to + w * channels);
            }
        }
    });
}
