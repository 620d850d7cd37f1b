// Where the files lie that come with the program.
#pragma once
#include <string>

namespace hayate {

// The built-in model: the first that exists of share/ beside the bin/ of the running program, share/ of the install prefix,
// models/ of the source tree. Throws Error(not_found) that names all three.
std::string builtin_model_folder();

// What quality is measured with (prompts.json, attributes.json, attributes.safetensors), likewise.
std::string quality_list_folder();

// The published CLIP vocabularies, as the folders "tokenizer" and "tokenizer_2" of a diffusers model; in the source tree
// scripts/setup puts them into build/. The last place of the three if there are none: opening them says so.
std::string clip_tokenizers_folder();

// A file where this user's programs keep what they can do without: $XDG_CACHE_HOME/hayate/NAME, or under ~/.cache. Empty without a home.
std::string cache_file(const std::string& name);

}  // namespace hayate
