// Three words and a file.
#include "pipeline/quantization_choice.h"

#include <map>

#include "core/error.h"
#include "core/file_reader.h"
#include "prompt/prompt_file.h"

namespace hayate {

Quantization read_quantization(const std::string& choice, bool convolutions) {
  using Layers = Quantization::Layers;
  static const std::map<std::string, Layers> words = {{"gains", Layers::gains}, {"all", Layers::all}, {"article", Layers::article}};
  if (auto found = words.find(choice); found != words.end()) return {found->second, convolutions};
  constexpr int64_t kLargestFile = 1 << 20;
  // Lines as in a file of prompts.
  Quantization q{Layers::matching, convolutions, prompt_lines(read_text_file(choice, kLargestFile), choice)};
  require(!q.patterns.empty(), ErrorKind::usage, "{}: holds no pattern; expected the name of a layer in each line, with * for any text", choice);
  return q;
}

}  // namespace hayate
