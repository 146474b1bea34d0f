// Compiles all kernels for one instruction set. The file that includes this has told the compiler which, and says here
// what its vectors are: SET is the name of its table, VECTOR_BYTES and REGISTERS their size and number.
namespace {
#include "tile.hpp"

#include "exponential.hpp"
#include "lines.hpp"
#include "matmul.hpp"
#include "padded.hpp"

#include "activation.hpp"
#include "attention.hpp"
#include "beside.hpp"
#include "conv.hpp"
#include "conv_back.hpp"
#include "dense.hpp"
#include "depthwise.hpp"
#include "dropout.hpp"
#include "layer_norm.hpp"
#include "loss.hpp"
#include "norm.hpp"

#include "positions.hpp"

#include "group_norm.hpp"
#include "optim.hpp"
#include "perceptron.hpp"
#include "pool.hpp"
#include "recurrence.hpp"
#include "spline.hpp"
#include "sum.hpp"
#include "upsample.hpp"

#include "convolution.hpp"

template <class T>
constexpr Kernels<T> kernels() {
    return {matmul<T, T>,
            matmul<T, float>,
            dense_back<T>,
            softmax_cross_entropy<T>,
            convolve<T>,
            convolve_back<T>,
            pool_max<T>,
            pool_max_back<T>,
            pool_average<T>,
            pool_average_back<T>,
            adam<T>,
            perceptron<T>,
            sgd<T>,
            rmsprop<T>,
            batch_statistics<T>,
            rescale<T>,
            batch_norm_back<T>,
            layer_norm<T>,
            layer_norm_back<T>,
            group_norm<T>,
            group_norm_back<T>,
            meet<T>,
            totals<T>,
            repeat<T>,
            repeat_back<T>,
            activate<T>,
            activate_back<T>,
            thin<T>,
            add<T>,
            concatenate<T>,
            split<T>,
            recurrence<T>,
            recurrence_back<T>,
            attention<T>,
            attention_back<T>,
            spline<T>,
            spline_back<T>};
}
}  // namespace

const InstructionSet SET = {SET_NAME, kernels<float>(), kernels<double>()};
