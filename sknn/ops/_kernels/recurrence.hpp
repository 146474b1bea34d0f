// Recurrent cells over whole series. The samples are independent of each other: teams of them, of even shares of long
// and short ones, go through all of their steps, on the thread that takes the team. At each step x and h, side by side,
// meet the weights, which wait in panels; what comes out goes through the gates while it is in the cache.
//
// Before the functions of the gates stand groups of units: those of the gates i, f, g, o of an LSTM; of a GRU r, z, and
// of n the part of x and that of h apart, since r comes between.

constexpr idx TEAM = 32;         // samples that go together, at most
constexpr idx ROWS_AT_ONCE = 64;  // steps of samples that are added to the gradients of weights
constexpr idx MOST_SUMS = 8;      // of gradients of weights, which are added up at last: each is that of some teams
constexpr idx FEW = 4;            // uses of weights, for which it is not worth while to pack them

// Neighbouring groups of units that x, h or both go into: where among all, how many units, and where in the weights.
struct Group {
    idx column, columns, source;
    bool inputs, states;
};

template <class T>
struct Groups {
    const Cell<T>& cell;
    Group all[3];
    int n;

    explicit Groups(const Cell<T>& c) : cell(c), n(c.kind == CellKind::gru ? 3 : 1) {
        const idx h = c.units;
        if (c.kind == CellKind::gru) {
            all[0] = {0, 2 * h, 0, true, true};
            all[1] = {2 * h, h, 2 * h, true, false};
            all[2] = {3 * h, h, 2 * h, false, true};
        } else {
            all[0] = {0, c.groups() * h, 0, true, true};
        }
    }
    idx depth(const Group& g) const { return g.inputs * cell.channels + g.states * cell.units; }
    idx first(const Group& g) const { return g.inputs ? 0 : cell.channels; }  // of the columns of [x, h]
};

// z (rows, groups) = bias + [x, h] weights. For a few uses, as when a text is made letter by letter, they are read where
// they lie, if that fits; every element is added up in the same order.
template <class T>
class IntoGates {
    const Cell<T>& cell;
    const Groups<T> groups;
    const int V;
    const idx width;
    const bool packed;
    Buffer<T> panels, biases;

    template <class Body>
    void each(Body body) const {
        T *panel = panels.data, *bias = biases.data;
        for (int k = 0; k < groups.n; ++k) {
            const Group& g = groups.all[k];
            for (idx from = 0; from < g.columns; from += width) {
                body(g, from, std::min(width, g.columns - from), panel, bias);
                panel += width * groups.depth(g);
                bias += width;
            }
        }
    }

public:
    IntoGates(const Cell<T>& c, idx rows, idx uses)
        : cell(c), groups(c), V(tile_width<T>(rows, c.units)), width(V * LANES<T>),
          packed(uses > FEW || c.units % width),
          panels(packed ? (c.groups() * c.units + 3 * width) * (c.channels + c.units) : 0),
          biases(packed ? c.groups() * c.units + 3 * width : 0) {
        if (packed) pack_all();
    }

    void operator()(idx rows, const T* xh, T* z) const {
        const idx wide = cell.channels + cell.units, z_step = cell.groups() * cell.units;
        if (!packed) return as_they_lie(rows, xh, wide, z, z_step);
        each([=](const Group& g, idx from, idx valid, const T* panel, const T* bias) {
            Ends<T> ends;
            ends.bias = bias;
            line(V, rows, xh + groups.first(g), wide, Regular{1}, groups.depth(g), panel, z + g.column + from, z_step,
                 valid, ends);
        });
    }

private:
    void pack_all() {
        each([this](const Group& g, idx from, idx valid, T* panel, T* bias) {
            if (g.inputs)
                pack_panel(cell.w + g.source + from, cell.row(), 1, cell.channels, valid, width, panel);
            if (g.states)
                pack_panel(cell.u + g.source + from, cell.row(), 1, cell.units, valid, width,
                           panel + g.inputs * cell.channels * width);
            pack_panel(cell.b + g.column + from, 0, 1, 1, valid, width, bias);
        });
    }

    void as_they_lie(idx rows, const T* xh, idx wide, T* z, idx z_step) const {
        for (int k = 0; k < groups.n; ++k) {
            const Group& g = groups.all[k];
            for (idx from = 0; from < g.columns; from += width) {
                const auto add = [=](const T* part, idx depth, const T* weights, Ends<T> ends) {
                    line(V, rows, part, wide, Regular{1}, depth, weights + g.source + from, cell.row(),
                         z + g.column + from, z_step, width, ends);
                };
                Ends<T> ends;
                ends.bias = cell.b + g.column + from;
                if (g.inputs) add(xh, cell.channels, cell.w, ends);
                ends.add = g.inputs;
                if (g.states) add(xh + cell.channels, cell.units, cell.u, ends);
            }
        }
    }
};

// What comes back through the gates to x or h: slopes (rows, groups) times the transposed weights, added to z.
template <class T>
class FromGates {
    const Cell<T>& cell;
    const Groups<T> groups;
    const bool inputs;
    const idx results;
    const int V;
    const idx width;
    Buffer<T> panels;

    template <class Body>
    void each(Body body) const {
        T* panel = panels.data;
        for (idx from = 0; from < results; from += width)
            for (int k = 0; k < groups.n; ++k) {
                const Group& g = groups.all[k];
                if (!(inputs ? g.inputs : g.states)) continue;
                body(g, from, std::min(width, results - from), panel);
                panel += width * g.columns;
            }
    }

public:
    FromGates(const Cell<T>& c, bool inputs, idx rows)
        : cell(c), groups(c), inputs(inputs), results(inputs ? c.channels : c.units),
          V(tile_width<T>(rows, results)), width(V * LANES<T>), panels((results + width) * c.row()) {
        const T* weights = inputs ? c.w : c.u;
        each([=](const Group& g, idx from, idx valid, T* panel) {
            pack_panel(weights + from * cell.row() + g.source, 1, cell.row(), g.columns, valid, width, panel);
        });
    }

    void operator()(idx rows, const T* slopes, idx step, T* z) const {
        each([=](const Group& g, idx from, idx valid, const T* panel) {
            Ends<T> ends;
            ends.add = true;
            line(V, rows, slopes + g.column, step, Regular{1}, g.columns, panel, z + from, results, valid, ends);
        });
    }
};

// Some of the samples, every so-manieth in the order of their lengths, so that the first ones go on the longest.
struct Team {
    const Series& series;
    const idx number, teams, size;

    Team(const Series& s, idx number, idx teams)
        : series(s), number(number), teams(teams), size((s.n - number + teams - 1) / teams) {}
    static idx teams_of(const Series& s) { return (s.n + TEAM - 1) / TEAM; }

    idx sample(idx k) const { return series.order[number + k * teams]; }
    idx length(idx k) const { return series.lengths[sample(k)]; }
    idx longest() const { return length(0); }
    idx position(idx k, idx t) const { return series.position(sample(k), t); }
    idx going(idx t) const {
        idx m = size;
        while (m && length(m - 1) <= t) --m;
        return m;
    }
};

template <class T, class Part>
ALWAYS_INLINE void each_unit(idx units, Part part) {
    constexpr idx L = LANES<T>;
    idx j = 0;
    for (; j + L <= units; j += L) part(j, L);
    if (j < units) part(j, units - j);
}

// The states after a step of one sample, in the place of those before it, from z.
template <class T>
ALWAYS_INLINE void gru_step(idx units, const T* z, T* h, T* gates) {
    each_unit<T>(units, [=](idx j, idx n) INLINE_CALL {
        const Vector<T> r = Logistic::value<T>(load_up_to(z + j, n)), u = Logistic::value<T>(load_up_to(z + units + j, n));
        const Vector<T> inner = load_up_to(z + 3 * units + j, n);
        const Vector<T> fresh = tanh<T>(load_up_to(z + 2 * units + j, n) + r * inner);
        store(gates + j, r, n);
        store(gates + units + j, u, n);
        store(gates + 2 * units + j, fresh, n);
        store(gates + 3 * units + j, inner, n);
        store(h + j, fresh + u * (load_up_to(h + j, n) - fresh), n);
    });
}

template <class T>
ALWAYS_INLINE void lstm_step(idx units, const T* z, T* c, T* h, T* gates) {
    each_unit<T>(units, [=](idx j, idx n) INLINE_CALL {
        const Vector<T> i = Logistic::value<T>(load_up_to(z + j, n)), f = Logistic::value<T>(load_up_to(z + units + j, n));
        const Vector<T> g = tanh<T>(load_up_to(z + 2 * units + j, n)), o = Logistic::value<T>(load_up_to(z + 3 * units + j, n));
        const Vector<T> cell = f * load_up_to(c + j, n) + i * g;
        store(gates + j, i, n);
        store(gates + units + j, f, n);
        store(gates + 2 * units + j, g, n);
        store(gates + 3 * units + j, o, n);
        store(c + j, cell, n);
        store(h + j, o * tanh<T>(cell), n);
    });
}

template <class T>
ALWAYS_INLINE void elman_step(idx units, const T* z, T* h) {
    each_unit<T>(units, [=](idx j, idx n) INLINE_CALL { store(h + j, tanh<T>(load_up_to(z + j, n)), n); });
}

template <class T>
void copy_or_clear(const T* from, idx n, T* to) {
    if (from)
        std::copy(from, from + n, to);
    else
        std::fill(to, to + n, T(0));
}

template <class T>
void go_forth(const Cell<T>& cell, const IntoGates<T>& into_gates, const Team& team, const States<T>& s) {
    const idx units = cell.units, channels = cell.channels, wide = channels + units, groups = cell.groups() * units;
    const idx state_step = cell.states() * units;
    Buffer<T> xh(team.size * wide), z(team.size * groups), cells(team.size * units);
    for (idx k = 0; k < team.size; ++k) {
        const T* state = s.state ? s.state + team.sample(k) * state_step : nullptr;
        copy_or_clear(state, units, xh.data + k * wide + channels);
        if (cell.kind == CellKind::lstm) copy_or_clear(state ? state + units : state, units, cells.data + k * units);
    }
    for (idx t = 0; t < team.longest(); ++t) {
        const idx going = team.going(t);
        for (idx k = 0; k < going; ++k) {
            const T* x = s.x + team.position(k, t) * channels;
            std::copy(x, x + channels, xh.data + k * wide);
        }
        into_gates(going, xh.data, z.data);
        for (idx k = 0; k < going; ++k) {
            const idx position = team.position(k, t);
            const T* before = z.data + k * groups;
            T *h = xh.data + k * wide + channels, *c = cells.data + k * units;
            if (cell.kind == CellKind::gru) gru_step(units, before, h, s.gates + position * groups);
            if (cell.kind == CellKind::lstm) {
                lstm_step(units, before, c, h, s.gates + position * groups);
                std::copy(c, c + units, s.cells + position * units);
            }
            if (cell.kind == CellKind::rnn) elman_step(units, before, h);
            std::copy(h, h + units, s.y + position * s.y_step);
            if (s.y_step > units) std::copy(c, c + units, s.y + position * s.y_step + units);
        }
    }
}

template <class T>
void recurrence(const Cell<T>& cell, const Series& series, const States<T>& states, int threads) {
    const idx teams = Team::teams_of(series);
    if (!teams) return;
    const Team first(series, 0, teams);
    const IntoGates<T> into_gates(cell, first.size, teams * first.longest());
    share(threads, teams, series.positions * cell.multiplications(), [&](Turn& turn) {
        for (idx number; turn.take(number);) go_forth(cell, into_gates, Team(series, number, teams), states);
    });
}

// ------------------------------------------------------------------------------------------------ the way back

// Slopes before the gates of a step of one sample, and what goes on to the states before besides what passes the gates;
// dh and dc hold what comes from later steps, g and g_cell what comes from elsewhere.
template <class T>
ALWAYS_INLINE void gru_back(idx units, const T* g, const T* gates, const T* h_before, T* dh, T* slopes) {
    each_unit<T>(units, [=](idx j, idx n) INLINE_CALL {
        const Vector<T> r = load_up_to(gates + j, n), u = load_up_to(gates + units + j, n);
        const Vector<T> fresh = load_up_to(gates + 2 * units + j, n), inner = load_up_to(gates + 3 * units + j, n);
        const Vector<T> slope = load_up_to(g + j, n) + load_up_to(dh + j, n), closed = T(1) - u;
        const Vector<T> of_fresh = slope * closed * (T(1) - fresh * fresh), of_inner = of_fresh * r;
        store(slopes + j, of_inner * inner * (T(1) - r), n);
        store(slopes + units + j, slope * (load_up_to(h_before + j, n) - fresh) * u * closed, n);
        store(slopes + 2 * units + j, of_fresh, n);
        store(slopes + 3 * units + j, of_inner, n);
        store(dh + j, slope * u, n);
    });
}

template <class T>
ALWAYS_INLINE void lstm_back(idx units, const T* g, const T* g_cell, const T* gates, const T* c, const T* c_before,
                             T* dh, T* dc, T* slopes) {
    each_unit<T>(units, [=](idx j, idx n) INLINE_CALL {
        const Vector<T> i = load_up_to(gates + j, n), f = load_up_to(gates + units + j, n);
        const Vector<T> fresh = load_up_to(gates + 2 * units + j, n), o = load_up_to(gates + 3 * units + j, n);
        const Vector<T> slope = load_up_to(g + j, n) + load_up_to(dh + j, n), open = tanh<T>(load_up_to(c + j, n));
        const Vector<T> before = c_before ? load_up_to(c_before + j, n) : Vector<T>{};
        Vector<T> of_cell = load_up_to(dc + j, n) + slope * o * (T(1) - open * open);
        if (g_cell) of_cell += load_up_to(g_cell + j, n);
        store(slopes + j, of_cell * fresh * i * (T(1) - i), n);
        store(slopes + units + j, of_cell * before * f * (T(1) - f), n);
        store(slopes + 2 * units + j, of_cell * i * (T(1) - fresh * fresh), n);
        store(slopes + 3 * units + j, slope * open * o * (T(1) - o), n);
        store(dc + j, of_cell * f, n);
        store(dh + j, Vector<T>{}, n);
    });
}

template <class T>
ALWAYS_INLINE void elman_back(idx units, const T* g, const T* h, T* dh, T* slopes) {
    each_unit<T>(units, [=](idx j, idx n) INLINE_CALL {
        const Vector<T> y = load_up_to(h + j, n), slope = load_up_to(g + j, n) + load_up_to(dh + j, n);
        store(slopes + j, slope * (T(1) - y * y), n);
        store(dh + j, Vector<T>{}, n);
    });
}

// Gradients of the weights, of [x, h] (channels + units, groups), and of the bias, from some steps of some samples.
template <class T>
class WeightSums {
    const Cell<T>& cell;
    const Groups<T> groups;
    const int V;
    const idx wide, columns;
    Buffer<T> before, slopes;
    idx filled = 0;

public:
    const idx before_step, slopes_step;  // apart from powers of two, whose lines would share places in the cache
    T* const sums;

    static idx size(const Cell<T>& c) { return (c.channels + c.units + 1) * c.groups() * c.units; }

    WeightSums(const Cell<T>& c, idx rows, T* sums)
        : cell(c), groups(c), V(tile_width<T>(c.channels + c.units, c.units)), wide(c.channels + c.units),
          columns(c.groups() * c.units), before((ROWS_AT_ONCE + rows) * (wide + LANES<T>)),
          slopes((ROWS_AT_ONCE + rows) * (columns + LANES<T>) + V * LANES<T>), before_step(wide + LANES<T>),
          slopes_step(columns + LANES<T>), sums(sums) {
        // what lies beside the columns is loaded with them, and of no account
        std::fill(slopes.data, slopes.data + (ROWS_AT_ONCE + rows) * slopes_step + V * LANES<T>, T(0));
    }

    // Room for more rows, which the caller fills before the next call.
    void make_room(idx rows, T*& to_before, T*& to_slopes) {
        if (filled >= ROWS_AT_ONCE) flush();
        to_before = before.data + filled * before_step;
        to_slopes = slopes.data + filled * slopes_step;
        filled += rows;
    }

    void flush() {
        for (int k = 0; k < groups.n; ++k) {
            const Group& g = groups.all[k];
            for (idx from = 0; from < g.columns; from += V * LANES<T>) {
                Ends<T> ends;
                ends.add = true;
                line(V, groups.depth(g), before.data + groups.first(g), 1, Regular{before_step}, filled,
                     slopes.data + g.column + from, slopes_step,
                     sums + groups.first(g) * columns + g.column + from, columns,
                     std::min(V * LANES<T>, g.columns - from), ends);
            }
        }
        T* bias = sums + wide * columns;
        for (idx i = 0; i < filled; ++i) {
            const T* row = slopes.data + i * slopes_step;
            #pragma GCC ivdep
            for (idx j = 0; j < columns; ++j) bias[j] += row[j];
        }
        filled = 0;
    }
};

// From the sums of all teams, in their order, the gradients of w, u and b.
template <class T>
void hand_out(const Cell<T>& cell, T* sums, idx n, const Slopes<T>& to) {
    const Groups<T> groups(cell);
    const idx wide = cell.channels + cell.units, columns = cell.groups() * cell.units, size = WeightSums<T>::size(cell);
    for (idx k = 1; k < n; ++k) {
        const T* more = sums + k * size;
        #pragma GCC ivdep
        for (idx j = 0; j < size; ++j) sums[j] += more[j];
    }
    for (int k = 0; k < groups.n; ++k) {
        const Group& g = groups.all[k];
        if (g.inputs && to.w) copy_rows(cell.channels, g.columns, sums + g.column, columns, to.w + g.source, cell.row());
        if (g.states && to.u)
            copy_rows(cell.units, g.columns, sums + cell.channels * columns + g.column, columns, to.u + g.source,
                      cell.row());
    }
    if (to.b) std::copy(sums + wide * columns, sums + (wide + 1) * columns, to.b);
}

template <class T>
void go_back(const Cell<T>& cell, const FromGates<T>& to_states, const FromGates<T>* to_inputs, const Team& team,
             const States<T>& s, const Slopes<T>& to, T* sums) {
    const idx units = cell.units, channels = cell.channels, groups = cell.groups() * units;
    const idx state_step = cell.states() * units;
    WeightSums<T> weights(cell, team.size, sums);
    Buffer<T> dh(team.size * units), dc(team.size * units), dx(to_inputs ? team.size * channels : 0);
    std::fill(dh.data, dh.data + team.size * units, T(0));
    std::fill(dc.data, dc.data + team.size * units, T(0));
    for (idx t = team.longest() - 1; t >= 0; --t) {
        const idx going = team.going(t);
        T *before, *slopes;
        weights.make_room(going, before, slopes);
        for (idx k = 0; k < going; ++k) {
            const idx position = team.position(k, t), earlier = t ? team.position(k, t - 1) : 0;
            const T* state = s.state ? s.state + team.sample(k) * state_step : nullptr;
            T *row = before + k * weights.before_step, *slope = slopes + k * weights.slopes_step;
            std::copy(s.x + position * channels, s.x + (position + 1) * channels, row);
            copy_or_clear(t ? s.y + earlier * s.y_step : state, units, row + channels);
            const T* g = to.y + position * s.y_step;
            if (cell.kind == CellKind::gru)
                gru_back(units, g, s.gates + position * groups, row + channels, dh.data + k * units, slope);
            if (cell.kind == CellKind::lstm)
                lstm_back(units, g, s.y_step > units ? g + units : nullptr, s.gates + position * groups,
                          s.cells + position * units,
                          t       ? s.cells + earlier * units
                          : state ? state + units
                                  : nullptr,
                          dh.data + k * units, dc.data + k * units, slope);
            if (cell.kind == CellKind::rnn)
                elman_back(units, g, s.y + position * s.y_step, dh.data + k * units, slope);
        }
        to_states(going, slopes, weights.slopes_step, dh.data);
        if (to_inputs) {
            std::fill(dx.data, dx.data + going * channels, T(0));
            (*to_inputs)(going, slopes, weights.slopes_step, dx.data);
            for (idx k = 0; k < going; ++k)
                std::copy(dx.data + k * channels, dx.data + (k + 1) * channels, to.x + team.position(k, t) * channels);
        }
    }
    weights.flush();
    if (to.state)
        for (idx k = 0; k < team.size; ++k) {
            T* state = to.state + team.sample(k) * state_step;
            std::copy(dh.data + k * units, dh.data + (k + 1) * units, state);
            if (cell.kind == CellKind::lstm) std::copy(dc.data + k * units, dc.data + (k + 1) * units, state + units);
        }
}

template <class T>
void recurrence_back(const Cell<T>& cell, const Series& series, const States<T>& states, const Slopes<T>& to,
                     int threads) {
    const idx teams = Team::teams_of(series), n_sums = std::max<idx>(1, std::min(teams, MOST_SUMS));
    const idx rows = teams ? Team(series, 0, teams).size : 1, size = WeightSums<T>::size(cell);
    Buffer<T> sums(n_sums * size);
    std::fill(sums.data, sums.data + n_sums * size, T(0));
    const FromGates<T> to_states(cell, false, rows), to_inputs(cell, true, to.x ? rows : 1);
    share(threads, teams ? n_sums : 0, 2 * series.positions * cell.multiplications(), [&](Turn& turn) {
        for (idx number; turn.take(number);)
            for (idx team = number; team < teams; team += n_sums)
                go_back(cell, to_states, to.x ? &to_inputs : nullptr, Team(series, team, teams), states, to,
                        sums.data + number * size);
    });
    hand_out(cell, sums.data, n_sums, to);
}
