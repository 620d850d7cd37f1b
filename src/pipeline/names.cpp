// One table for each choice.
#include "hayate/names.h"

namespace hayate {

const std::map<std::string, PromptSyntax>& prompt_syntaxes() {
  static const std::map<std::string, PromptSyntax> names = {
      {"diffusers", PromptSyntax::diffusers}, {"a1111", PromptSyntax::a1111}, {"comfy", PromptSyntax::comfy}};
  return names;
}

const std::map<std::string, Fit>& fits() {
  static const std::map<std::string, Fit> names = {{"stretch", Fit::stretch}, {"crop", Fit::crop}, {"fill", Fit::fill}};
  return names;
}

const std::map<std::string, MaskContent>& mask_contents() {
  static const std::map<std::string, MaskContent> names = {
      {"original", MaskContent::original}, {"fill", MaskContent::fill}, {"noise", MaskContent::noise}, {"nothing", MaskContent::nothing}};
  return names;
}

const std::map<std::string, Upscaler>& upscalers_by_name() {
  static const std::map<std::string, Upscaler> names = [] {
    std::map<std::string, Upscaler> all;
    for (const UpscalerInfo& info : upscalers()) all.emplace(info.name, info.upscaler);
    return all;
  }();
  return names;
}

std::string default_rung() { return "projections"; }

}  // namespace hayate
