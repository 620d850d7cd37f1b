// The UNet, run over the steps of a job.
#pragma once
#include <memory>
#include <vector>

#include "hayate/hayate.h"
#include "models/config.h"
#include "pipeline/component.h"
#include "pipeline/conditioning.h"
#include "pipeline/dump.h"
#include "pipeline/job.h"
#include "pipeline/latent_noise.h"
#include "pipeline/start.h"

namespace hayate {

// The last x, (pictures, h, w, channels), on the host; and on the device, where the request keeps it.
struct Latents {
  std::vector<float> values{};
  DeviceArray there{};
};

class Denoiser {
 public:
  Denoiser(const std::string& name, const UNetConfig&, std::shared_ptr<const TensorSource>, const Compiler&);
  Denoiser(const Denoiser&) = delete;

  // `noise` draws for the steps that want it. Error(not_finite), Error(cancelled).
  Latents run(const Job&, const Conditioning&, const Start&, LatentNoise& noise, Dump&, CompileSeconds&);

  Recording recording(const Job& job) const { return recording(job, splits(job)); }  // programs of what one device does
  Recording whole_recording(const Job& job) const { return recording(job, false); }   // a program for each kind of step
  std::shared_ptr<Executable> executable(const Job&, CompileSeconds&);
  // Everything that step `at` reads, started from there.
  void write_step(Executable&, const Job&, const Conditioning&, const Start&, size_t at) const;
  Work work(const Job&, CompileSeconds&);  // of an executable that is there already
  double floor(const Job&, const Ceilings&) const;  // seconds of a step, see Pipeline::step_floor()
  Component& component() { return unet_; }
  Component* second() { return second_.get(); }  // the same on the second device, if there is one

 private:
  struct Moment;
  bool blends(const Job&) const;
  bool splits(const Job&) const;
  Recording recording(const Job&, bool split) const;
  std::shared_ptr<Executable> executable(const Job&, bool keep_all, CompileSeconds&);
  std::vector<float> row_of(const Job&, size_t at) const;
  std::vector<float> per_state(const Job&, const std::vector<float>& x, float saved) const;
  void write_start(Executable&, const Job&, const Conditioning&, const Start&) const;
  void write_brought(Executable&, const Job&, const Start&) const;
  void write_all_steps(Executable&, const Job&, LatentNoise&, size_t latent) const;
  std::shared_ptr<Executable> started(const Job&, const Conditioning&, const Start&, const Moment&, bool keep_all, CompileSeconds&);
  void run_step(Executable&, const Job&, size_t at) const;
  Latents run_unwatched(const Job&, const Conditioning&, const Start&, LatentNoise&, CompileSeconds&);
  Latents run_watched(const Job&, const Conditioning&, const Start&, LatentNoise&, Dump&, CompileSeconds&);
  std::vector<float> latents_of(Executable&, const Job&) const;
  DeviceArray latents_there(Executable&, const Job&) const;
  Latents finished(Executable&, const Job&, std::vector<float> values) const;

  const Compiler& compiler_;
  UNetConfig config_;
  Component unet_;
  Compiler second_compiler_;
  std::unique_ptr<Component> second_;
};

}  // namespace hayate
