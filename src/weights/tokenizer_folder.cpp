// scripts/setup fetches the vocabulary; the build does without.
#include "weights/tokenizer_folder.h"

#include "core/error.h"
#include "weights/folder_listing.h"

namespace hayate {

std::string installed_tokenizer(const std::string& tokenizers, const std::string& name, const std::string& what) {
  const std::string folder = tokenizers + "/" + name;
  require(present(folder + "/vocab.json"), ErrorKind::not_found,
          "{}: comes without a vocabulary, and CLIP's is not installed as {}. Run scripts/setup where it can reach the Python package index, or put "
          "the tokenizer folders of a diffusers model beside the file",
          what, folder);
  return folder;
}

}  // namespace hayate
