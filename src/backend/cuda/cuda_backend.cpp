// The CUDA backend: what it supports, and the pieces put together.
#include "backend/cuda/executable.h"
#include "backend/cuda/fastest.h"
#include "backend/cuda/row_moments.h"
#include "backend/cuda/status.h"
#include "backend/cuda/kernels/attention_sm90.h"
#include "backend/cuda/kernels/take.h"
#include "backend/cuda/tile_product.h"
#include "backend/take_floats.h"
#include "core/error.h"

namespace hayate {

namespace cuda {
namespace {
class CudaBackend : public Backend {
 public:
  explicit CudaBackend(const CudaOptions& o) : context_(std::make_shared<Context>(o)) {}

  const char* name() const override { return "cuda"; }
  std::string description() const override { return context_->machine; }
  bool has_tf32() const override { return true; }
  bool has_f16() const override { return true; }
  bool has_quantized(Dtype t) const override { return context_->capability >= (t == Dtype::i8 ? 80 : 89); }

  bool supports(const Program& p, const Node& n) const override {
    if (activation_of(n.attr) == Activation::relu) return false;  // a kernel of its own, relu.cu
    switch (n.op) {
      case Op::timestep_embedding:
      case Op::guidance:
      case Op::mimic:
      case Op::scheduler_row: return n.dtype == Dtype::f32;
      case Op::cast:
      case Op::group_statistics: return n.dtype != Dtype::i32 && p[n.in[0]].dtype != Dtype::i32;
      case Op::attention: return !is_quantized(n.dtype) ? n.dtype != Dtype::i32 : narrows_attention(p, n);
      case Op::group_norm: return !is_quantized(n.dtype) ? n.dtype != Dtype::i32 : has_quantized(n.dtype) && n.dtype == Dtype::f8 && size_of(p[n.in[0]].dtype) == 2 && n.shape.c % 8 == 0;
      case Op::conv2d:
        if (is_quantized(p[n.in[0]].dtype)) return convolves_quantized(p, n);
        return n.dtype != Dtype::i32 && (n.as<ConvAttr>().upsample == 1 || enlarges(p, n));
      case Op::quantize: {
        const Root x = root_of(p, n.in[0]);
        return has_quantized(n.dtype) && size_of(p[n.in[0]].dtype) >= 2 && n.shape.c <= kMostQuantizedColumns && p[x.value].shape.c % 8 == 0 && x.column % 8 == 0;
      }
      case Op::linear: {
        const auto& a = n.as<LinearAttr>();
        if (is_quantized(p[n.in[0]].dtype)) return multiplies_quantized(p, n);
        if (a.normalise > 0 && !normalises(p, n)) return false;
        if (a.activation == Activation::geglu && !fuses_geglu(p, n)) return false;
        [[fallthrough]];
      }
      default: return n.dtype != Dtype::i32;
    }
  }
  double seconds(const Program& p, const Node& n) const override {
    context_->device->use();
    return context_->deterministic ? 0 : seconds_alone(p, n, *context_);
  }
  // The two halves of a gated projection are interleaved, so that one tile holds both.
  bool packs(const Program&, const Node& n) const override { return n.op == Op::linear && n.as<LinearAttr>().activation == Activation::geglu; }

  Buffer allocate(int64_t bytes) override { return context_->device->allocate(bytes); }
  Buffer allocate_on_host(int64_t bytes) override { return context_->device->allocate_pinned(bytes); }
  Buffer allocate_for_others(int64_t bytes) override { return context_->device->allocate_for_others(bytes); }
  Buffer fill(int64_t bytes, const std::function<void(std::span<std::byte>)>& write) override {
    Buffer buffer = allocate(bytes);
    context_->device->fill(buffer.get(), bytes, write);
    return buffer;
  }
  void upload(const Buffer& to, std::span<const std::byte> from) override {
    require(int64_t(from.size()) <= to.bytes, ErrorKind::internal, "upload: {} bytes into a buffer of {}", from.size(), to.bytes);
    context_->device->upload(to.get(), from);
  }
  void download(std::span<std::byte> to, const Buffer& from) override {
    require(int64_t(to.size()) <= from.bytes, ErrorKind::internal, "download: {} bytes from a buffer of {}", to.size(), from.bytes);
    context_->device->download(to, from.get());
  }

  bool is_host() const override { return false; }
  MemoryBudget& memory() override { return context_->device->budget(); }
  int64_t memory_left() const override { return context_->device->memory_left(); }
  int64_t prepared_bytes(const Program&, const Node& n) const override { return byte_size(n); }
  int64_t evaluating_bytes() const override { return kMostWorkspace; }
  void copy(const Buffer& to, const Buffer& from) override {
    require(to.bytes == from.bytes, ErrorKind::internal, "copy: {} bytes into a buffer of {}", from.bytes, to.bytes);
    context_->device->copy(to.get(), from.get(), from.bytes);
  }
  int gpu() const override { return context_->device->ordinal(); }
  bool take(const Buffer& to, int64_t width, const DeviceArray& from, float factor) override {
    Device& device = *context_->device;
    if (from.gpu < 0) {
      std::vector<float> rows(size_t(to.bytes) / sizeof(float));
      const bool finite = take_floats(rows, width, from, factor);
      device.upload(to.get(), std::as_bytes(std::span(rows)));
      return finite;
    }
    require(from.gpu == gpu(), ErrorKind::usage, "numbers of GPU {}; expected numbers of GPU {}, where the pipeline computes, or of the host", from.gpu, gpu());
    const FourDimensions d = four_dimensions(from, width, to.bytes / int64_t(sizeof(float)));
    int32_t not_finite = 0;
    const auto flag = std::as_writable_bytes(std::span(&not_finite, 1));
    const Buffer flag_there = allocate(sizeof not_finite);
    device.upload(flag_there.get(), flag);
    device.wait_for_default_stream();
    launch_take(context_->stream(), {.to = reinterpret_cast<float*>(to.get()), .width = width, .from = from.data.get(), .type = dtype_of(from.type),
                                     .shape = {d.shape[0], d.shape[1], d.shape[2], d.shape[3]}, .strides = {d.strides[0], d.strides[1], d.strides[2], d.strides[3]},
                                     .factor = factor, .not_finite = reinterpret_cast<int32_t*>(flag_there.get())});
    check(cudaGetLastError(), "starting a kernel");
    device.download(flag, flag_there.get());  // and so the numbers are read
    return not_finite == 0;
  }
  using Backend::footprint;
  Footprint footprint(std::span<const Program> turns, CompileOptions options) const override {
    Footprint footprint{.activations = lay_out(turns, options).bytes, .scratch = kMostWorkspace};
    for (const Program& p : turns) footprint.activations += RowMoments::bytes(p) + SummedColumns(p, context_->capability).bytes();
    return footprint;
  }

  using Backend::evaluate;
  void evaluate(const Program& p, const Node& n, std::span<const Buffer> in, const Buffer& out) override {
    context_->device->use();
    Operands operands{p, n, packed_view(n, out.get()), {}};
    for (size_t k = 0; k < in.size(); ++k) operands.in.push_back(in[k] ? packed_view(p[n.in[k]], in[k].get()) : TensorView{});
    Launch launch = bind(operands, *context_, {});
    // One at a time: so the same memory is workspace of all, and the driver is not asked by many at once.
    std::lock_guard lock(evaluating_);
    Buffer workspace = launch.workspace ? allocate(launch.workspace) : Buffer{};
    launch.enqueue(workspace.get());
    check(cudaGetLastError(), "starting a kernel");
  }

  std::unique_ptr<Executable> compile_turns(std::vector<Program> programs, WeightStore& store, CompileOptions options) override {
    for (const Program& p : programs) verify(p, this);
    return std::make_unique<CudaExecutable>(context_, std::move(programs), store, options);
  }

 private:
  // What our own product does and the library's does not.
  bool fuses_geglu(const Program& p, const Node& n) const { return tiles_could_take(p, n) && (n.in.size() < 4 || n.in[3] == none); }
  bool enlarges(const Program& p, const Node& n) const {
    return tiles_could_take(p, n) && n.as<ConvAttr>().activation == Activation::none && n.in[3] == none;
  }
  bool normalises(const Program& p, const Node& n) const {
    const Activation a = n.as<LinearAttr>().activation;
    return tiles_could_take(p, n) && (a == Activation::none || a == Activation::geglu) && n.shape.rows() >= kFewRows;
  }
  bool is_hopper() const { return context_->capability / 10 == 9; }
  bool multiplies_quantized(const Program& p, const Node& n) const {
    const Activation a = n.as<LinearAttr>().activation;
    const bool epilogue = a == Activation::none || (is_hopper() && a == Activation::geglu && (n.in.size() < 4 || n.in[3] == none));
    const bool result = size_of(n.dtype) == 2 || (n.dtype == Dtype::f8 && p[n.in[0]].dtype == Dtype::f8 && a == Activation::geglu);
    return has_quantized(p[n.in[0]].dtype) && epilogue && result && n.shape.c % (size_of(n.dtype) == 2 ? 8 : kQuantizedColumns) == 0;
  }
  static bool has_scale_of_image(const Node& x) { return x.op == Op::group_norm || (x.op == Op::quantize && x.as<QuantizeAttr>().whole); }
  bool convolves_quantized(const Program& p, const Node& n) const {
    const Shape& w = p[n.in[1]].shape;
    return is_hopper() && has_scale_of_image(p[n.in[0]]) && w.h * w.w * w.c <= kMostQuantizedColumns && n.as<ConvAttr>().activation == Activation::none && n.as<ConvAttr>().upsample == 1 &&
           size_of(n.dtype) == 2 && n.shape.c % 8 == 0;
  }
  bool narrows_attention(const Program& p, const Node& n) const {
    const auto& a = n.as<AttentionAttr>();
    return is_hopper() && n.dtype == Dtype::f8 && size_of(p[n.in[0]].dtype) == 2 && n.shape.c == a.heads * kTileHead && !a.causal;
  }
  bool tiles_could_take(const Program& p, const Node& n) const {
    Root x = root_of(p, n.in[0]);
    return is_hopper() && size_of(n.dtype) == 2 && n.shape.c % 8 == 0 && p[n.in[0]].shape.c % 8 == 0 &&
           p[x.value].shape.c % 8 == 0 && x.column % 8 == 0;
  }

  std::shared_ptr<Context> context_;
  std::mutex evaluating_;
};
}  // namespace
}  // namespace cuda

std::shared_ptr<Backend> make_cuda_backend(const CudaOptions& options) { return std::make_shared<cuda::CudaBackend>(options); }

std::vector<CudaDevice> cuda_devices(std::string& why) {
  std::vector<CudaDevice> devices;
  try {
    for (int i = 0, count = cuda::device_count(); i < count; ++i) {
      cuda::DeviceInfo info = cuda::device_info(i);
      CudaDevice& d = devices.emplace_back(CudaDevice{info.name, info.capability, info.multiprocessors, info.memory, 0, ""});
      try {
        CudaOptions options;
        options.ordinal = i;
        d.memory_left = make_cuda_backend(options)->memory_left();
      } catch (const Error& e) { d.problem = e.what(); }
    }
  } catch (const Error& e) { why = e.what(); }
  return devices;
}

}  // namespace hayate
