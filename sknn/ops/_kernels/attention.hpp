// Attention: softmax(q k^T / sqrt(d)) v for each head of each sample, some queries at a time, so that their weights stay
// in the cache and are kept nowhere: the backward pass makes them again, from the peak and the sum of each row.
//
// A head of a sample is one thread's, and its bits depend on nothing else.

constexpr idx QUERIES_AT_ONCE = 56, CAUSAL_AT_ONCE = 28;  // with more, much would be made that is not seen
constexpr idx WEIGHTS_AT_ONCE = 1 << 16;  // where there are many keys

inline idx rounded_up(idx n, idx width) {
    return (n + width - 1) / width * width;
}

// z[m][.] = sum over k of a[m a_row + k a_column] b[k], or added to what is there: a tile of which all is wanted.
template <class T, int M, int V>
ALWAYS_INLINE void whole_tile(idx n, const T* a, idx a_row, idx a_column, const T* b, T* z, idx z_step, bool add) {
    constexpr idx L = LANES<T>;
    Vector<T> sum[M][V] = {};
    for (idx k = 0; k < n; ++k) {
        Vector<T> bk[V];
        for (int v = 0; v < V; ++v) bk[v] = load(b + (k * V + v) * L);
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) sum[m][v] += a[m * a_row + k * a_column] * bk[v];
    }
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) {
            T* to = z + m * z_step + v * L;
            store(to, add ? load(to) + sum[m][v] : sum[m][v], L);
        }
}

// The same for a line of rows, cut into tiles of nearly the same height.
template <class T, int V>
inline void whole_line(idx rows, idx n, const T* a, idx a_row, idx a_column, const T* b, T* z, idx z_step, bool add) {
    const idx tiles = (rows + most_rows(V) - 1) / most_rows(V);
    for (idx t = 0, first = 0; t < tiles; ++t) {
        const idx next = (t + 1) * rows / tiles;
        const T* top = a + first * a_row;
        T* to = z + first * z_step;
        switch (next - first) {
#define TILE(M)                                                                                          \
    case M:                                                                                              \
        if constexpr (M <= most_rows(V)) whole_tile<T, M, V>(n, top, a_row, a_column, b, to, z_step, add); \
        break;
            TILE(1)
            TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#undef TILE
        }
        first = next;
    }
}

// The sum of products of two rows.
template <class T>
inline T dot(const T* a, const T* b, idx n) {
    constexpr idx L = LANES<T>;
    Vector<T> sum = {};
    idx j = 0;
    for (; j + L <= n; j += L) sum += load(a + j) * load(b + j);
    T lanes[L], total = 0;
    store(lanes, sum, L);
    for (idx i = 0; i < L; ++i) total += lanes[i];
    for (; j < n; ++j) total += a[j] * b[j];
    return total;
}

// A matrix in panels, as the right operand of products: (panels, n, width), filled up with zeros.
template <class T>
class Packed {
    const int V;
    const idx width, n, results;
    Buffer<T> data;

public:
    Packed(idx n, idx results)
        : V(results > LANES<T> ? 2 : 1), width(V * LANES<T>), n(n), results(results),
          data(n * rounded_up(results, width)) {}

    // Takes the matrix whose element (k, j) is at b[k k_step + j j_step], times a factor; its last rows may be missing.
    void take(const T* b, idx k_step, idx j_step, T factor = 1) { take(b, k_step, j_step, factor, n); }
    void take(const T* b, idx k_step, idx j_step, T factor, idx rows) {
        T* panel = data.data;
        for (idx j = 0; j < results; j += width, panel += n * width) {
            pack_panel(b + j * j_step, k_step, j_step, rows, std::min(width, results - j), width, panel);
            if (factor != T(1))
                for (idx i = 0; i < rows * width; ++i) panel[i] *= factor;
        }
    }

    // z (rows, columns) = a b, or added to what is there. The sum is of so many terms; z has room for `room` columns.
    void multiply(idx rows, idx terms, const T* a, idx a_row, idx a_column, T* z, idx z_step, idx columns, idx room,
                  bool add) const {
        Ends<T> ends;
        ends.add = add;
        const T* panel = data.data;
        for (idx at = 0; at < columns; at += width, panel += n * width)
            if (room - at < width)
                line(V, rows, a, a_row, Regular{a_column}, terms, panel, z + at, z_step, room - at, ends);
            else if (V == 2)
                whole_line<T, 2>(rows, terms, a, a_row, a_column, panel, z + at, z_step, add);
            else
                whole_line<T, 1>(rows, terms, a, a_row, a_column, panel, z + at, z_step, add);
    }
};

// A row of matches becomes its weights, exp(s - peak) share.
template <class T>
inline void weigh(T* row, idx n, T& peak, T& share) {
    constexpr idx L = LANES<T>;
    const idx whole = rounded_up(n, L);
    std::fill(row + n, row + whole, -std::numeric_limits<T>::infinity());
    Vector<T> most = load(row);
    for (idx j = L; j < whole; j += L) {
        const Vector<T> some = load(row + j);
        most = some > most ? some : most;
    }
    peak = most[0];
    for (idx i = 1; i < L; ++i) peak = most[i] > peak ? T(most[i]) : peak;
    Vector<T> sum = {};
    for (idx j = 0; j < whole; j += L) {
        const Vector<T> e = exp<T>(load(row + j) - peak);
        store(row + j, e, L);
        sum += e;
    }
    T lanes[L];
    store(lanes, sum, L);
    share = 0;
    for (idx i = 0; i < L; ++i) share += lanes[i];
    share = T(1) / share;
    for (idx j = 0; j < whole; j += L) store(row + j, load(row + j) * share, L);
}

template <class T>
inline void weigh_again(T* row, idx n, T peak, T share) {
    for (idx j = 0; j < n; j += LANES<T>) store(row + j, exp<T>(load(row + j) - peak) * share, LANES<T>);
}

// A head of a sample: where its queries, keys and values begin, and how far their rows are apart.
template <class T>
struct Head {
    idx queries, keys, width;
    const T *q, *k, *v;
    idx q_step, k_step, v_step;
    bool causal;
    const unsigned char* kept;  // (queries, keys) weights, or none
    T factor;
    idx stride, at_once;  // of rows of weights, and how many of them

    T scale() const { return T(1 / std::sqrt(double(width))); }
    idx seen(idx query) const { return causal ? query + 1 + keys - queries : keys; }

    // Makes 0 what a row does not see of so many columns.
    void clear(T* row, idx query, idx columns) const {
        const idx own = seen(query);
        if (own < columns) std::fill(row + own, row + columns, T(0));
    }

    // What dropout leaves of a row.
    void thin(const T* from, idx query, T* to) const {
        const unsigned char* stays = kept + query * keys;
        for (idx j = 0, n = seen(query); j < n; ++j) to[j] = stays[j] ? from[j] * factor : T(0);
    }

    // y = w v, with w the weights, and the peak and the share of each row of them.
    void forward(T* y, idx y_step, T* sums, idx sums_step) const {
        Packed<T> by_keys(width, keys), values(keys, width);
        Buffer<T> weights(at_once * stride);
        by_keys.take(k, 1, k_step, scale());
        values.take(v, v_step, 1);
        for (idx first = 0; first < queries; first += at_once) {
            const idx rows = std::min(at_once, queries - first), terms = seen(first + rows - 1);
            by_keys.multiply(rows, width, q + first * q_step, q_step, 1, weights.data, stride, terms, stride, false);
            for (idx i = first; i < first + rows; ++i) {
                T* row = weights.data + (i - first) * stride;
                weigh(row, seen(i), sums[i * sums_step], sums[i * sums_step + 1]);
                if (kept) thin(row, i, row);
                clear(row, i, terms);
            }
            values.multiply(rows, terms, weights.data, stride, 1, y + first * y_step, y_step, width, width, false);
        }
    }

    // The gradients of q, k and v, from that of y, whose rows are as far apart as those of y.
    void backward(const T* g, const T* y, idx y_step, const T* sums, idx sums_step, T* dq, idx dq_step, T* dk,
                  idx dk_step, T* dv, idx dv_step) const {
        const idx room = rounded_up(width, LANES<T>);
        Packed<T> by_keys(width, keys), by_values(width, keys), over_keys(keys, width);
        Packed<T> over_queries(at_once, width), over_slopes(at_once, width);
        Buffer<T> weights(at_once * stride), slopes(at_once * stride), to_keys(keys * room), to_values(keys * room);
        by_keys.take(k, 1, k_step, scale());
        by_values.take(v, 1, v_step);
        over_keys.take(k, k_step, 1, scale());
        std::fill(to_keys.data, to_keys.data + keys * room, T(0));
        std::fill(to_values.data, to_values.data + keys * room, T(0));
        for (idx first = 0; first < queries; first += at_once) {
            const idx rows = std::min(at_once, queries - first), terms = seen(first + rows - 1);
            const T *q_here = q + first * q_step, *g_here = g + first * y_step;
            over_queries.take(q_here, q_step, 1, T(1), rows);
            over_slopes.take(g_here, y_step, 1, T(1), rows);
            by_keys.multiply(rows, width, q_here, q_step, 1, weights.data, stride, terms, stride, false);
            const T* thinned = kept ? slopes.data : weights.data;
            for (idx i = first; i < first + rows; ++i) {
                T* row = weights.data + (i - first) * stride;
                weigh_again(row, seen(i), sums[i * sums_step], sums[i * sums_step + 1]);
                clear(row, i, terms);
                if (!kept) continue;
                thin(row, i, slopes.data + (i - first) * stride);
                clear(slopes.data + (i - first) * stride, i, terms);
            }
            over_slopes.multiply(terms, rows, thinned, 1, stride, to_values.data, room, width, room, true);
            by_values.multiply(rows, width, g_here, y_step, 1, slopes.data, stride, terms, stride, false);
            for (idx i = first; i < first + rows; ++i) {
                const T* row = weights.data + (i - first) * stride;
                T* slope = slopes.data + (i - first) * stride;
                if (kept) thin(slope, i, slope);
                const T along = dot(g + i * y_step, y + i * y_step, width);
                for (idx j = 0; j < terms; ++j) slope[j] = (slope[j] - along) * row[j];
            }
            over_keys.multiply(rows, terms, slopes.data, stride, 1, dq + first * dq_step, dq_step, width, width, false);
            over_queries.multiply(terms, rows, slopes.data, 1, stride, to_keys.data, room, width, room, true);
        }
        for (idx j = 0; j < keys; ++j)
            for (idx c = 0; c < width; ++c) {
                dk[j * dk_step + c] = to_keys.data[j * room + c] * scale();
                dv[j * dv_step + c] = to_values.data[j * room + c];
            }
    }
};

// Calls body(head, its first query, its first key, its column) for each head of each sample.
template <class T, class Body>
void each_head(const Attending<T>& a, double products, int threads, const Body& body) {
    double cost = 0;
    for (idx n = 0; n < a.samples; ++n) cost += products * double(a.of[n].queries) * a.of[n].keys * a.width * a.heads;
    share(threads, a.samples * a.heads, cost, [&](Turn& turn) {
        for (idx piece; turn.take(piece);) {
            const SampleRows& s = a.of[piece / a.heads];
            const idx number = piece % a.heads, column = number * a.width;
            Head<T> h;
            h.queries = s.queries;
            h.keys = s.keys;
            h.width = a.width;
            h.q = a.q.data + s.first_query * a.q.row + column;
            h.k = a.k.data + s.first_key * a.k.row + column;
            h.v = a.v.data + s.first_key * a.v.row + column;
            h.q_step = a.q.row;
            h.k_step = a.k.row;
            h.v_step = a.v.row;
            h.causal = a.causal;
            h.kept = a.kept ? a.kept + a.heads * s.first_weight + number * s.queries * s.keys : nullptr;
            h.factor = T(a.factor);
            h.stride = rounded_up(s.keys, 2 * LANES<T>);
            const idx usual = a.causal ? CAUSAL_AT_ONCE : QUERIES_AT_ONCE;
            h.at_once = std::min(s.queries, std::max<idx>(4, std::min(usual, WEIGHTS_AT_ONCE / h.stride)));
            body(h, s.first_query, s.first_key, number);
        }
    });
}

template <class T>
void attention(const Attending<T>& a, T* y, T* sums, int threads) {
    const idx step = a.heads * a.width;
    each_head(a, 2, threads, [&](const Head<T>& h, idx query, idx, idx head) {
        h.forward(y + query * step + head * a.width, step, sums + 2 * (query * a.heads + head), 2 * a.heads);
    });
}

template <class T>
void attention_back(const Attending<T>& a, const T* g, const T* y, const T* sums, Written<T> dq, Written<T> dk,
                    Written<T> dv, int threads) {
    const idx step = a.heads * a.width;
    each_head(a, 5, threads, [&](const Head<T>& h, idx query, idx key, idx head) {
        const idx at = query * step + head * a.width, column = head * a.width;
        h.backward(g + at, y + at, step, sums + 2 * (query * a.heads + head), 2 * a.heads,
                   dq.data + query * dq.row + column, dq.row, dk.data + key * dk.row + column, dk.row,
                   dv.data + key * dv.row + column, dv.row);
    });
}
