// The kernels of one instruction set, as pointers: the binary chooses among the sets when it runs.
#pragma once

#include "common.hpp"

#if defined(__x86_64__) && !defined(_WIN32)  // there GCC does not align large vectors on the stack
#define SEVERAL_SETS
#endif

struct Geometry {  // of a convolution or pooling: three axes, the missing ones in front of size 1
    idx images, channels, filters, groups;
    idx size[3], output[3], kernel[3], stride[3], dilation[3], low[3];

    idx taps() const { return kernel[0] * kernel[1] * kernel[2]; }
    idx pixels() const { return size[0] * size[1] * size[2]; }
    idx outputs() const { return output[0] * output[1] * output[2]; }
    double multiplications() const { return double(images) * outputs() * taps() * (channels / groups) * filters; }
    idx reach(int axis) const { return (output[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1; }
};

enum class ActivationKind { logistic, tanh, relu, leaky_relu, elu, selu, softplus, silu, gelu, mish };

enum class Behind { nothing, relu, silu };  // a normalisation: an activation function

constexpr bool keeps_slope(ActivationKind kind) {
    return kind >= ActivationKind::silu;
}

struct Grouped {  // samples of so many rows and columns, of which neighbours are a group
    idx samples, rows, columns, groups;
    idx size() const { return rows * columns; }
    idx width() const { return columns / groups; }
    double elements() const { return double(rows) * width(); }  // of a group
};

struct Repetition {  // of the positions of grids of three axes, the missing ones in front of size 1
    idx images, size[3], factor[3], channels;

    idx line() const { return size[2] * channels; }  // elements
    idx lines() const { return images * size[0] * size[1]; }
    idx copies() const { return factor[0] * factor[1]; }  // of a line
    idx first_copy(idx n) const {  // which line of the result it is
        const idx plane = n / size[1], row = n % size[1];
        return (plane * factor[0] * size[1] + row) * factor[1];
    }
    idx later(idx copy) const {  // so many lines than the first
        return copy / factor[1] * size[1] * factor[1] + copy % factor[1];
    }
};

template <class T>
struct Matrix {  // element (i, j) is at data[i row + j column]
    const T* data;
    idx row, column;
};

template <class T>
struct Samples {  // of samples: dense ones one after the other, or row i of sparse ones from starts[i] to starts[i + 1]
    idx features;
    const T* values;
    const std::int32_t *columns, *starts;
};

struct Visits {  // to samples, whose labels are -1 or 1, and how far a mistake moves the weights
    idx n;
    const idx* order;
    const double *label, *step;
};

template <class T>
struct Average {  // of the parameters, or none: in each step it goes a share of the way towards them
    T* values;
    T share;
};

enum class CellKind { gru, lstm, rnn };

template <class T>
struct Cell {  // with weights of inputs and states, (channels, gates units) and (units, gates units), and its bias
    CellKind kind;
    idx channels, units;
    const T *w, *u, *b;

    idx gates() const { return kind == CellKind::gru ? 3 : kind == CellKind::lstm ? 4 : 1; }
    idx groups() const { return kind == CellKind::rnn ? 1 : 4; }  // of units before the functions of the gates
    idx states() const { return kind == CellKind::lstm ? 2 : 1; }
    idx row() const { return gates() * units; }
    double multiplications() const { return double(channels + units) * row(); }  // at a step
};

struct Series {  // n samples, each with so many positions from its start on; `order` has the longest first
    idx n, positions;
    const idx *order, *starts, *lengths;
    bool reverse;

    idx position(idx sample, idx t) const { return starts[sample] + (reverse ? lengths[sample] - 1 - t : t); }
};

template <class T>
struct States {  // inputs, states of samples in the beginning or none, and what there is after each step, by position
    const T *x, *state;
    T *y, *gates, *cells;
    idx y_step;  // twice the units where y is [h, c]
};

template <class T>
struct Slopes {  // those of y, and where the others go, or nowhere
    const T* y;
    T *x, *w, *u, *b, *state;
};

template <class T>
struct Written {  // rows that are written, so far apart
    T* data;
    idx row;
};

struct SampleRows {  // of queries, keys, and weights of one head: where those of a sample begin, and how many
    idx first_query, queries, first_key, keys, first_weight;
};

template <class T>
struct Attending {  // of the queries of each sample to its keys; heads lie beside each other, each of this width
    idx samples, heads, width;
    const SampleRows* of;
    bool causal;
    const unsigned char* kept;  // for dropout, (heads, queries, keys) of each sample, or none; those kept grow
    double factor;
    Matrix<T> q, k, v;
};

constexpr double LEAST_SHARE = 1e-3;  // of a spline's interval, that a bin is wide and high; its least slope at a knot

template <class T>
struct Spline {  // of each number: so many logits of the bins' widths and of their heights, and those of inner slopes
    idx bins;
    T bound;
    bool inverse;
    idx logits() const { return 3 * bins - 1; }
    T spread() const { return T(2 * double(bound) * (1 - LEAST_SHARE * bins)); }  // what shares of the interval rest on
};

template <class T>
struct Kernels {
    void (*matmul)(idx rows, idx n, idx results, Matrix<T> a, Matrix<T> b, const T* bias, bool relu, T* z, int threads);
    void (*matmul_single)(idx rows, idx n, idx results, Matrix<T> a, Matrix<float> b, const float* bias, bool relu,
                          T* z, int threads);  // b and bias in single precision whatever that of a
    void (*dense_back)(idx rows, idx n, idx results, const T* gradient, Matrix<T> x, Matrix<T> w, const T* y, bool relu,
                       T* dx, T* dw, T* db, int threads);
    void (*softmax_cross_entropy)(idx n, idx outputs, const T* raw, const idx* target, T smoothing, T* values,
                                  T* slope);
    void (*convolve)(const Geometry& g, const T* x, const T* w, const T* bias, bool relu, T* y, int threads);
    void (*convolve_back)(const Geometry& g, const T* gradient, const T* x, const T* w, const T* y, bool relu,
                          const T* bias, T* dx, T* dw, T* db, int threads);  // the bias is added to dx
    void (*pool_max)(const Geometry& g, const T* x, T* y, int threads);
    void (*pool_max_back)(const Geometry& g, const T* gradient, const T* x, const T* y, T* dx, int threads);
    void (*pool_average)(const Geometry& g, const T* x, T* y, int threads);
    void (*pool_average_back)(const Geometry& g, const T* gradient, T* dx, int threads);
    void (*adam)(idx n, idx decaying, T* theta, const T* grad, T* m, T* v, T beta_1, T beta_2, T epsilon, T step, T l2,
                 T shrink, Average<T> average, int threads);
    double (*perceptron)(const Samples<T>& rows, const Visits& visits, double* w, double* intercept, double loss);
    void (*sgd)(idx n, idx decaying, T* theta, const T* grad, T* velocity, T momentum, bool nesterov, T rate, T l2,
                Average<T> average, int threads);
    void (*rmsprop)(idx n, idx decaying, T* theta, const T* grad, T* v, T decay, T epsilon, T step, T l2,
                    Average<T> average, int threads);
    void (*batch_statistics)(idx rows, idx columns, const T* x, double* mean, double* variance, int threads);
    void (*rescale)(idx rows, idx columns, const T* x, const T* mean, const T* factor, const T* shift,
                    Behind behind, T* y, int threads);
    void (*batch_norm_back)(idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                            const T* shift, Behind behind, T* dx, T* to_gain, T* to_shift, int threads);
    void (*layer_norm)(idx samples, idx rows, idx columns, const T* x, const T* gain, const T* shift, double epsilon,
                       T* y, T* mean, T* scale, int threads);
    void (*layer_norm_back)(idx samples, idx rows, idx columns, const T* g, const T* x, const T* mean, const T* scale,
                            const T* gain, T* dx, T* to_gain, T* to_shift, int threads);
    void (*group_norm)(const Grouped& of, const T* x, const T* gain, const T* shift, double epsilon, Behind behind, T* y,
                       T* mean, T* scale, int threads);
    void (*group_norm_back)(const Grouped& of, const T* g, const T* x, const T* mean, const T* scale, const T* gain,
                            const T* shift, Behind behind, T* dx, T* to_gain, T* to_shift, int threads);
    void (*meet)(idx samples, idx rows, idx columns, const T* x, const T* each, bool multiply, T* y, int threads);
    void (*totals)(idx samples, idx rows, idx columns, const T* x, const T* others, T* sums, int threads);
    void (*repeat)(const Repetition& r, const T* x, T* y, int threads);
    void (*repeat_back)(const Repetition& r, const T* g, T* dx, int threads);
    bool (*activate)(ActivationKind kind, idx n, T* z, T* slope, int threads);
    bool (*activate_back)(ActivationKind kind, idx n, const T* g, const T* y, T* dz, int threads);
    void (*thin)(idx n, const T* x, const unsigned char* kept, T factor, T* y, int threads);
    void (*add)(idx n, const T* a, const T* b, bool relu, T* y, int threads);
    void (*concatenate)(idx rows, idx width_a, idx width_b, const T* a, const T* b, T* y, int threads);
    void (*split)(idx rows, idx width_a, idx width_b, const T* y, T* a, T* b, int threads);
    void (*recurrence)(const Cell<T>& cell, const Series& series, const States<T>& states, int threads);
    void (*recurrence_back)(const Cell<T>& cell, const Series& series, const States<T>& states, const Slopes<T>& to,
                            int threads);
    void (*attention)(const Attending<T>& a, T* y, T* sums, int threads);
    void (*attention_back)(const Attending<T>& a, const T* g, const T* y, const T* sums, Written<T> dq, Written<T> dk,
                           Written<T> dv, int threads);
    void (*spline)(Spline<T> spline, idx n, const T* x, const T* raw, T* values, T* logs, int threads);
    void (*spline_back)(Spline<T> spline, idx n, const T* to_values, const T* to_logs, const T* x, const T* raw, T* dx,
                        T* draw, int threads);
};

struct InstructionSet {
    const char* name;
    Kernels<float> single;
    Kernels<double> twice;
};

extern const InstructionSet BASELINE;
#ifdef SEVERAL_SETS
extern const InstructionSet AVX2, AVX512;
#endif
