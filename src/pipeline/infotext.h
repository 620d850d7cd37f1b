// Settings of a picture in the text form that AUTOMATIC1111 writes and others read.
#pragma once
#include <string>

#include "hayate/hayate.h"

namespace hayate {

struct InfotextFields {
  std::string model, scheduler;  // the scheduler's name for people: "Euler a"
  std::string refiner{};         // the model's name, or empty
  std::string tiny_decoder{};    // the name of its file, or empty
  std::string loras{};           // "name:weight, name:weight", or empty
  std::string embeddings{};      // words of the picture's prompts, "name, name", or empty
  std::string spacing{};         // likewise: "Karras", or empty
  int width = 0, height = 0;
};
std::string infotext(const Request&, const Picture&, const InfotextFields&);

}  // namespace hayate
