// Entries for recurrent cells. x is (positions, channels), y (positions, units), or for an LSTM [h, c] twice as wide.

CellKind cell_kind_of(PyObject* name) {
    constexpr const char* names[] = {"gru", "lstm", "rnn"};
    if (!PyUnicode_Check(name)) refuse(PyExc_TypeError, "a cell is given by its name");
    int kind = 0;
    for (const char* known : names) {
        if (!PyUnicode_CompareWithASCIIString(name, known)) return CellKind(kind);
        ++kind;
    }
    refuse(PyExc_ValueError, "no kernel is for this cell");
}

// From (name, w, u, b).
template <class T>
Cell<T> cell_of(PyObject* const* arguments, int type) {
    Cell<T> cell{};
    cell.kind = cell_kind_of(arguments[0]);
    idx members, columns;
    const Matrices<T> w = matrices<T>(arguments[1], type, members, cell.channels, columns);
    if (members || columns % cell.gates() || !columns)
        refuse(PyExc_ValueError, "the weights of the gates are beside each other");
    cell.units = columns / cell.gates();
    present<T>(arguments[1], type, cell.channels * columns);
    cell.w = w.first.data;
    cell.u = present<T>(arguments[2], type, cell.units * columns);
    cell.b = present<T>(arguments[3], type, cell.groups() * cell.units);
    return cell;
}

// From (order, starts, lengths, reverse), for so many positions.
Series series_of(PyObject* const* arguments, idx positions) {
    Series s{};
    s.n = PyArray_Check(arguments[0]) ? PyArray_SIZE(reinterpret_cast<PyArrayObject*>(arguments[0])) : 0;
    s.positions = positions;
    s.order = present<idx>(arguments[0], NPY_INTP, s.n);
    s.starts = present<idx>(arguments[1], NPY_INTP, s.n);
    s.lengths = present<idx>(arguments[2], NPY_INTP, s.n);
    s.reverse = PyObject_IsTrue(arguments[3]);
    for (idx k = 0; k < s.n; ++k) {
        if (s.order[k] < 0 || s.order[k] >= s.n || s.starts[k] < 0 || s.lengths[k] < 0 ||
            s.starts[k] > positions - s.lengths[k])
            refuse(PyExc_ValueError, "a sample lies elsewhere");
        if (k && s.lengths[s.order[k]] > s.lengths[s.order[k - 1]])
            refuse(PyExc_ValueError, "the longest sample comes first");
    }
    return s;
}

// From (x, state, y, gates, cells); y is written by the way forth only.
template <class T>
States<T> states_of(PyObject* const* arguments, int type, const Cell<T>& cell, idx n, idx positions, bool written) {
    States<T> s{};
    s.x = present<T>(arguments[0], type, positions * cell.channels);
    s.state = elements<T>(arguments[1], type, n * cell.states() * cell.units);
    const bool whole = positions && cell.kind == CellKind::lstm &&
                       size_of_array(arguments[2]) == 2 * positions * cell.units;
    s.y_step = (1 + whole) * cell.units;
    s.y = present<T>(arguments[2], type, positions * s.y_step, written);
    const bool has_gates = cell.kind != CellKind::rnn, has_cells = cell.kind == CellKind::lstm;
    s.gates = has_gates ? present<T>(arguments[3], type, positions * cell.groups() * cell.units, written) : nullptr;
    s.cells = has_cells ? present<T>(arguments[4], type, positions * cell.units, written) : nullptr;
    return s;
}

// recurrence(x, state, y, gates, cells, cell, w, u, b, order, starts, lengths, reverse, threads)
template <class T>
void recurrence_as(PyObject* const* arguments, int type) {
    const Cell<T> cell = cell_of<T>(arguments + 5, type);
    const idx positions = size_of_array(arguments[0]) / std::max<idx>(1, cell.channels);
    const Series series = series_of(arguments + 9, positions);
    const States<T> states = states_of(arguments, type, cell, series.n, positions, true);
    const int threads = allowed(int(integer(arguments[13])));
    WithoutInterpreter released;
    kernels<T>().recurrence(cell, series, states, threads);
}
DEFINE(recurrence, 14)

// recurrence_back(x, state, y, gates, cells, cell, w, u, b, order, starts, lengths, reverse, g, dx, dw, du, db, dstate,
// threads)
template <class T>
void recurrence_back_as(PyObject* const* arguments, int type) {
    const Cell<T> cell = cell_of<T>(arguments + 5, type);
    const idx positions = size_of_array(arguments[0]) / std::max<idx>(1, cell.channels);
    const Series series = series_of(arguments + 9, positions);
    const States<T> states = states_of(arguments, type, cell, series.n, positions, false);
    Slopes<T> to{};
    to.y = present<T>(arguments[13], type, positions * states.y_step);
    to.x = elements<T>(arguments[14], type, positions * cell.channels, true);
    to.w = elements<T>(arguments[15], type, cell.channels * cell.row(), true);
    to.u = elements<T>(arguments[16], type, cell.units * cell.row(), true);
    to.b = elements<T>(arguments[17], type, cell.groups() * cell.units, true);
    to.state = elements<T>(arguments[18], type, series.n * cell.states() * cell.units, true);
    const int threads = allowed(int(integer(arguments[19])));
    WithoutInterpreter released;
    kernels<T>().recurrence_back(cell, series, states, to, threads);
}
DEFINE(recurrence_back, 20)
