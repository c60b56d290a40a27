// oneDNN 2.6 (Debian 12) behind COneDNN.h.
//
// A matmul primitive is compiled for one number of rows. Counts are rounded up to a step so that few
// are ever compiled, and each W keeps its own list; oneDNN's cache shares the code between matrices
// of one shape. The layout of W is the one oneDNN picks for a typical batch, and every other row
// count is asked to use the same.
#include "COneDNN.h"

#include <dlfcn.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "oneapi/dnnl/dnnl.hpp"

using dnnl::matmul;
using dnnl::memory;

namespace {

const dnnl::engine &engine() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

// Debian builds oneDNN on OpenMP, whose thread count is a setting of the calling thread. Our workers
// are the parallelism, so each call stays on its thread.
void stay_on_this_thread() {
    static thread_local bool done = false;
    if (done) return;
    if (auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads")))
        set(1);
    done = true;
}

constexpr memory::dim typical_rows = 256;

// Few shapes for long batches, little waste for a query of nine tokens.
size_t rounded(size_t rows) {
    size_t step = rows <= 32 ? 4 : rows <= 128 ? 16 : 32;
    return (rows + step - 1) / step * step;
}

struct Buffers {  // One a thread: padded input and output, oneDNN's scratchpad.
    std::vector<char> input, output, scratch;
    static char *of(std::vector<char> &bytes, size_t count) {
        if (bytes.size() < count + 64) bytes.resize(count + 64);
        auto start = reinterpret_cast<uintptr_t>(bytes.data());
        return bytes.data() + ((start + 63) / 64 * 64 - start);
    }
};

}  // namespace

struct carrel_packed {
    memory::dim outputs, inputs;
    memory::data_type type;
    memory weights;
    mutable std::shared_mutex lock;
    mutable std::unordered_map<memory::dim, std::pair<matmul, memory::desc>> compiled;

    matmul::primitive_desc describe(memory::dim rows, const memory::desc &layout) const {
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        using tag = memory::format_tag;
        return matmul::primitive_desc(
            matmul::desc({{rows, inputs}, type, tag::ab}, layout,
                         {{rows, outputs}, memory::data_type::f32, tag::ab}),
            attributes, engine());
    }

    std::pair<matmul, memory::desc> product(memory::dim rows) const {
        {
            std::shared_lock reading(lock);
            auto found = compiled.find(rows);
            if (found != compiled.end()) return found->second;
        }
        auto description = describe(rows, weights.get_desc());
        std::unique_lock writing(lock);
        return compiled
            .emplace(rows, std::pair(matmul(description), description.scratchpad_desc()))
            .first->second;
    }
};

extern "C" struct carrel_packed *carrel_packed_create(const float *weights, size_t outputs,
                                                      size_t inputs,
                                                      enum carrel_arithmetic arithmetic,
                                                      int *is_missing) {
    *is_missing = 0;
    try {
        stay_on_this_thread();
        auto packed = std::unique_ptr<carrel_packed>(new carrel_packed);
        packed->outputs = static_cast<memory::dim>(outputs);
        packed->inputs = static_cast<memory::dim>(inputs);
        packed->type =
            arithmetic == carrel_bf16 ? memory::data_type::bf16 : memory::data_type::f32;
        using tag = memory::format_tag;
        memory::dims shape = {packed->inputs, packed->outputs};
        auto best = packed->describe(typical_rows, {shape, packed->type, tag::any});
        packed->weights = memory(best.weights_desc(), engine());
        // Row-major [outputs × inputs] is [inputs × outputs] with the second index running slowest.
        memory plain({shape, memory::data_type::f32, tag::ba}, engine(),
                     const_cast<float *>(weights));
        dnnl::stream stream(engine());
        dnnl::reorder(plain, packed->weights).execute(stream, plain, packed->weights);
        stream.wait();
        return packed.release();
    } catch (const dnnl::error &error) {
        *is_missing = error.status == dnnl_unimplemented;
        return nullptr;
    } catch (...) {
        return nullptr;
    }
}

extern "C" void carrel_packed_destroy(struct carrel_packed *packed) { delete packed; }

extern "C" int carrel_packed_multiply(const struct carrel_packed *packed, const float *x,
                                      size_t rows, float *y) {
    try {
        stay_on_this_thread();
        static thread_local Buffers buffers;
        static thread_local dnnl::stream stream(engine());
        auto count = static_cast<memory::dim>(rows);
        auto whole = static_cast<memory::dim>(rounded(rows));
        auto [product, scratch] = packed->product(whole);
        using tag = memory::format_tag;

        size_t used = rows * packed->inputs, wanted = whole * packed->inputs;
        memory::desc from({whole, packed->inputs}, packed->type, tag::ab);
        memory input(from, engine(), const_cast<float *>(x));
        if (packed->type == memory::data_type::bf16 || whole != count) {
            char *copy = Buffers::of(buffers.input, wanted * sizeof(float));
            input.set_data_handle(copy);
            if (packed->type == memory::data_type::bf16) {
                memory::dims shape = {count, packed->inputs};
                memory floats({shape, memory::data_type::f32, tag::ab}, engine(),
                              const_cast<float *>(x));
                memory halves({shape, packed->type, tag::ab}, engine(), copy);
                dnnl::reorder(floats, halves).execute(stream, floats, halves);
                std::memset(copy + used * 2, 0, (wanted - used) * 2);
            } else {
                std::memcpy(copy, x, used * sizeof(float));
                std::memset(copy + used * sizeof(float), 0, (wanted - used) * sizeof(float));
            }
        }
        size_t outputs = whole * packed->outputs * sizeof(float);
        memory output({{whole, packed->outputs}, memory::data_type::f32, tag::ab}, engine(),
                      whole == count ? static_cast<void *>(y)
                                     : Buffers::of(buffers.output, outputs));
        memory pad(scratch, engine(), Buffers::of(buffers.scratch, scratch.get_size()));
        product.execute(stream, {{DNNL_ARG_SRC, input},
                                 {DNNL_ARG_WEIGHTS, packed->weights},
                                 {DNNL_ARG_DST, output},
                                 {DNNL_ARG_SCRATCHPAD, pad}});
        stream.wait();
        if (whole != count)
            std::memcpy(y, output.get_data_handle(), rows * packed->outputs * sizeof(float));
        return 0;
    } catch (const dnnl::error &error) {
        return error.status ? static_cast<int>(error.status) : dnnl_runtime_error;
    } catch (...) {
        return dnnl_runtime_error;
    }
}

extern "C" size_t carrel_padded_rows(size_t rows) { return rounded(rows); }

extern "C" int carrel_packed_is_blocked(const struct carrel_packed *packed) {
    try {
        return std::strncmp(packed->describe(typical_rows, packed->weights.get_desc())
                                .impl_info_str(), "brg", 3) == 0;
    } catch (...) {
        return 0;
    }
}

extern "C" int carrel_has_fast_bf16(void) {
#if defined(__x86_64__)
    // oneDNN's word for what it will use: a limit set by the environment counts too. Its values are
    // sets of features, so another set may be the larger number.
    auto all = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (all & wanted) == wanted;
#else
    return 0;
#endif
}
