// One denoising step as one program: scale the input, UNet, guidance, scheduler row.
#pragma once
#include "models/unet.h"

namespace hayate {

// What of a step a program does.
enum class StepPart {
  whole,
  half,  // of a guided one: the UNet for the unconditional or the conditional half. Its inputs of rate prompt are named with half_input()
  rest,  // what comes after both: has the input `predictions` (2n, h, w, c), which is what two programs have made of `prediction`
};
inline std::string half_input(const std::string& name) { return name + ".half"; }

struct DenoiseShape {
  int64_t pictures, h, w;      // latent rows and columns
  bool guided;                 // the UNet sees an unconditional and a conditional half, in this order
  StepPart part = StepPart::whole;
  int saved = 0;               // values that the scheduler keeps between steps
  int64_t tokens, pooled_width;
  int branch = -1;             // DeepCache: what comes from inside of this skip connection is carried to the input `cached`; -1: nothing is
  bool shallow = false;        // it is read from there instead of computed
  Wrap wrap{};                 // seamless pictures
  bool mimics = false;         // dynamic thresholding, for the pictures whose row says so
  bool blends = false;         // inpainting with a UNet that reads no mask: after the step, what a mask keeps takes its place in x
};

// Inputs at rate step: state (n, h, w, 4 * (1 + saved)), row (n, 1, 1, row_width), noise (n, h, w, 4).
// Inputs at rate prompt: encoder_hidden_states, and with text_time text_embeds and time_ids, for n or 2n pictures.
// A UNet that reads a mask has the input masked (n, h, w, 1 + 4): the mask, 1 where the picture is drawn anew, and the latent of the rest. With `blends`
// there are, in the shape of the state: mask, 1 also for what is saved; kept and kept_noise, the picture and its noise where the mask is 0.
// Output: the next state, carried into `state`; of StepPart::half the UNet's, carried into the input `prediction` in float32.
Program record_denoise_step(const UNetConfig&, const DenoiseShape&);

// Columns of `row`, one row per picture, so that pictures at different steps can share a batch.
struct RowLayout {
  static constexpr int64_t timestep = 0, input_scale = 1, guidance = 2, rescale = 3, matrix = 4;
  static int64_t matrix_size(int saved) { return (1 + saved) * (3 + saved); }
  static int64_t kept(int saved) { return matrix + matrix_size(saved); }  // with `blends`: signal and noise of what is kept after the step
  static int64_t mimic(const DenoiseShape& s) { return kept(s.saved) + (s.blends ? 2 : 0); }  // with `mimics`: its guidance, and the factors of x and prediction in the clean latent
  static int64_t width(const DenoiseShape& s) { return mimic(s) + (s.mimics ? 3 : 0); }
};

}  // namespace hayate
