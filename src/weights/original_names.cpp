// A module has one row in the table, and what lies under it has the same names on both sides unless a longer row says otherwise.
#include "weights/original_names.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/json.h"
#include "weights/mapped_source.h"
#include "weights/name_tree.h"

namespace hayate {
namespace {

struct Row {
  std::string diffusers, original;
};
using Table = std::vector<Row>;

constexpr std::pair<const char*, const char*> unet_modules[] = {
    {"time_embedding.linear_1", "time_embed.0"},
    {"time_embedding.linear_2", "time_embed.2"},
    {"add_embedding.linear_1", "label_emb.0.0"},
    {"add_embedding.linear_2", "label_emb.0.2"},
    {"conv_in", "input_blocks.0.0"},
    {"conv_norm_out", "out.0"},
    {"conv_out", "out.2"},
    {"mid_block.attentions.0", "middle_block.1"},
};
constexpr std::pair<const char*, const char*> unet_resnet[] = {
    {"norm1", "in_layers.0"},  {"conv1", "in_layers.2"},  {"time_emb_proj", "emb_layers.1"},
    {"norm2", "out_layers.0"}, {"conv2", "out_layers.3"}, {"conv_shortcut", "skip_connection"},
};
constexpr std::pair<const char*, const char*> vae_side[] = {
    // of encoder and decoder
    {"conv_norm_out", "norm_out"},
    {"mid_block.resnets.0", "mid.block_1"},
    {"mid_block.resnets.1", "mid.block_2"},
    {"mid_block.attentions.0.group_norm", "mid.attn_1.norm"},
    {"mid_block.attentions.0.to_q", "mid.attn_1.q"},
    {"mid_block.attentions.0.to_k", "mid.attn_1.k"},
    {"mid_block.attentions.0.to_v", "mid.attn_1.v"},
    {"mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"},
};
constexpr std::pair<const char*, const char*> open_clip_modules[] = {
    {"text_model.embeddings.token_embedding", "token_embedding"},
    {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    {"text_model.final_layer_norm", "ln_final"},
    {"text_projection.weight", "text_projection"},  // transposed
};
constexpr std::pair<const char*, const char*> open_clip_layer[] = {
    {"layer_norm1", "ln_1"}, {"layer_norm2", "ln_2"}, {"mlp.fc1", "mlp.c_fc"}, {"mlp.fc2", "mlp.c_proj"}, {"self_attn", "attn"},
};
constexpr std::array projections = {".q_proj.", ".k_proj.", ".v_proj."};  // in the order in which open_clip packs them
constexpr const char* packed = ".in_proj_";                               // .in_proj_weight, .in_proj_bias

// The UNet's blocks, which the original numbers through: a level's resnets, with their attention, then the change of size.
struct UNetBlocks {
  struct Level {
    int64_t resnets = 0;
    bool attends = false;  // after its last resnet
  };
  std::vector<Level> down, up;  // both in the order in which they run
};

UNetBlocks original_blocks(const NameTree& names) {
  UNetBlocks blocks;
  auto block = [](const char* side, int64_t i) { return fmt::format("{}_blocks.{}.", side, i); };
  const int64_t inputs = names.count("input_blocks."), outputs = names.count("output_blocks.");
  blocks.down.emplace_back();
  for (int64_t i = 1; i < inputs; ++i) {
    if (names.has_under(block("input", i) + "0.op."))
      blocks.down.emplace_back();
    else
      ++blocks.down.back().resnets;
  }
  blocks.up.emplace_back();
  for (int64_t i = 0; i < outputs; ++i) {
    ++blocks.up.back().resnets;
    blocks.up.back().attends = names.has_under(block("output", i) + "1.norm.");
    const bool upsamples = names.has_under(block("output", i) + "1.conv.") || names.has_under(block("output", i) + "2.conv.");
    if (upsamples && i + 1 < outputs) blocks.up.emplace_back();
  }
  return blocks;
}

UNetBlocks diffusers_blocks(const NameTree& names) {
  UNetBlocks blocks;
  for (auto [side, levels] : {std::pair("down_blocks.", &blocks.down), std::pair("up_blocks.", &blocks.up)}) {
    for (int64_t i = 0, count = names.count(side); i < count; ++i) {
      const std::string level = fmt::format("{}{}.", side, i);
      const int64_t resnets = names.count(level + "resnets.");
      levels->push_back({resnets, names.has_under(fmt::format("{}attentions.{}.", level, resnets - 1))});
    }
  }
  return blocks;
}

void add_resnet(Table& table, const std::string& diffusers, const std::string& original) {
  for (auto [ours, theirs] : unet_resnet) table.push_back({diffusers + "." + ours, original + "." + theirs});
}

Table unet_table(const UNetBlocks& blocks) {
  Table table;
  for (auto [ours, theirs] : unet_modules) table.push_back({ours, theirs});
  add_resnet(table, "mid_block.resnets.0", "middle_block.0");
  add_resnet(table, "mid_block.resnets.1", "middle_block.2");
  int64_t input = 1, output = 0;
  for (size_t i = 0; i < blocks.down.size(); ++i) {
    const std::string level = fmt::format("down_blocks.{}.", i);
    for (int64_t k = 0; k < blocks.down[i].resnets; ++k, ++input) {
      add_resnet(table, fmt::format("{}resnets.{}", level, k), fmt::format("input_blocks.{}.0", input));
      table.push_back({fmt::format("{}attentions.{}", level, k), fmt::format("input_blocks.{}.1", input)});
    }
    if (i + 1 < blocks.down.size()) table.push_back({level + "downsamplers.0.conv", fmt::format("input_blocks.{}.0.op", input++)});
  }
  for (size_t i = 0; i < blocks.up.size(); ++i) {
    const std::string level = fmt::format("up_blocks.{}.", i);
    for (int64_t k = 0; k < blocks.up[i].resnets; ++k, ++output) {
      const bool last = k + 1 == blocks.up[i].resnets;
      add_resnet(table, fmt::format("{}resnets.{}", level, k), fmt::format("output_blocks.{}.0", output));
      if (!last || blocks.up[i].attends) table.push_back({fmt::format("{}attentions.{}", level, k), fmt::format("output_blocks.{}.1", output)});
      if (last) table.push_back({level + "upsamplers.0", fmt::format("output_blocks.{}.{}", output, blocks.up[i].attends ? 2 : 1)});
    }
  }
  return table;
}

Table vae_table(int64_t levels, int64_t resnets) {
  Table table;
  for (const std::string side : {"encoder.", "decoder."}) {
    for (auto [ours, theirs] : vae_side) table.push_back({side + ours, side + theirs});
    const bool down = side == "encoder.";
    for (int64_t i = 0; i < levels; ++i) {
      const std::string diffusers = fmt::format("{}{}_blocks.{}.", side, down ? "down" : "up", i);
      const std::string original = fmt::format("{}{}.{}.", side, down ? "down" : "up", down ? i : levels - 1 - i);
      table.push_back({diffusers + (down ? "downsamplers.0" : "upsamplers.0"), original + (down ? "downsample" : "upsample")});
      for (int64_t k = 0; k < resnets; ++k) {
        const std::string ours = fmt::format("{}resnets.{}", diffusers, k), theirs = fmt::format("{}block.{}", original, k);
        table.push_back({ours, theirs});
        table.push_back({ours + ".conv_shortcut", theirs + ".nin_shortcut"});
      }
    }
  }
  return table;
}

Table open_clip_table(int64_t layers) {
  Table table;
  for (auto [ours, theirs] : open_clip_modules) table.push_back({ours, theirs});
  for (int64_t i = 0; i < layers; ++i)
    for (auto [ours, theirs] : open_clip_layer)
      table.push_back({fmt::format("text_model.encoder.layers.{}.{}", i, ours), fmt::format("transformer.resblocks.{}.{}", i, theirs)});
  return table;
}

// For names of either kind: the one that is not there has no blocks.
Table table_of(OriginalPart part, const NameTree& names) {
  switch (part) {
    case OriginalPart::unet: return unet_table(names.has_under("input_blocks.") ? original_blocks(names) : diffusers_blocks(names));
    case OriginalPart::vae: {
      auto most = [&](std::initializer_list<const char*> modules) {
        int64_t count = 0;
        for (const char* module : modules) count = std::max(count, names.count(module));
        return count;
      };
      return vae_table(most({"encoder.down.", "decoder.up.", "encoder.down_blocks.", "decoder.up_blocks."}),
                       most({"encoder.down.0.block.", "decoder.up.0.block.", "encoder.down_blocks.0.resnets.", "decoder.up_blocks.0.resnets."}));
    }
    case OriginalPart::clip: return {};
    case OriginalPart::open_clip: return open_clip_table(std::max(names.count("transformer.resblocks."), names.count("text_model.encoder.layers.")));
  }
  fail(ErrorKind::internal, "no names for part {}", int(part));
}

// Looks names up in one direction of a table.
class Renaming {
 public:
  Renaming(const Table& table, std::string Row::*from, std::string Row::*to) {
    for (const Row& row : table) rows_.emplace(row.*from, row.*to);
  }
  std::string operator()(const std::string& name) const {
    for (size_t end = name.size(); end != name.npos && end > 0; end = name.rfind('.', end - 1))
      if (auto row = rows_.find(name.substr(0, end)); row != rows_.end()) return row->second + name.substr(end);
    return name;
  }

 private:
  std::map<std::string, std::string> rows_;
};

std::string replaced(std::string name, const std::string& what, const std::string& by) { return name.replace(name.rfind(what), what.size(), by); }

TensorView swapped(const TensorSource& source, const std::string& stored) {
  const std::vector<int64_t> dims = source.dims(stored);
  require(dims.size() == 2, ErrorKind::bad_model, "tensor {} has {} dimensions, expected 2", excerpt(stored), dims.size());
  return {.parts = {{stored, 0, element_count(dims)}}, .dims = {dims[1], dims[0]}, .transposed = true};
}

// "...attn.in_proj_weight" gives the q_proj.weight, k_proj.weight and v_proj.weight of `name`, which has the same end.
void add_unpacked(MappedSource& to, const TensorSource& from, const std::string& stored, const std::string& name) {
  std::vector<int64_t> dims = from.dims(stored);
  require(!dims.empty() && dims[0] % 3 == 0, ErrorKind::bad_model, "tensor {} is to be cut in three, but has {} rows", excerpt(stored),
          dims.empty() ? 1 : dims[0]);
  dims[0] /= 3;
  const int64_t count = element_count(dims);
  for (size_t i = 0; i < projections.size(); ++i)
    to.add(replaced(name, packed, projections[i]), {.parts = {{stored, int64_t(i) * count, count}}, .dims = dims});
}

// `stored` is one of the three; the first of them adds all.
void add_packed(MappedSource& to, const TensorSource& from, const std::string& stored, const std::string& name, const char* projection) {
  TensorView view;
  std::vector<int64_t> dims = from.dims(stored);
  for (const char* other : projections) {
    const std::string part = replaced(stored, projection, other);
    require(from.has(part) && from.dims(part) == dims && !dims.empty(), ErrorKind::bad_model,
            "tensor {} is to be packed together with {}, which is missing or has another shape", excerpt(stored), excerpt(part));
    view.parts.push_back({part, 0, element_count(dims)});
  }
  dims[0] = checked_mul(dims[0], 3, name.c_str());
  view.dims = std::move(dims);
  if (projection == projections[0]) to.add(replaced(name, projection, packed), std::move(view));
}

bool is_vae_matrix(OriginalPart part, const std::string& original) {
  return part == OriginalPart::vae && original.find(".mid.attn_1.") != original.npos && original.ends_with(".weight");
}

}  // namespace

std::unique_ptr<TensorSource> from_original(OriginalPart part, std::shared_ptr<const TensorSource> original) {
  const Renaming rename(table_of(part, NameTree(*original)), &Row::original, &Row::diffusers);
  auto mapped = std::make_unique<MappedSource>(original);
  for (const std::string& stored : original->names()) {
    const std::string name = rename(stored);
    const std::vector<int64_t> dims = original->dims(stored);
    if (part == OriginalPart::open_clip && stored.find(packed) != stored.npos)
      add_unpacked(*mapped, *original, stored, name);
    else if (part == OriginalPart::open_clip && stored == "text_projection")
      mapped->add(name, swapped(*original, stored));
    else if (is_vae_matrix(part, stored) && dims.size() == 4 && dims[2] == 1 && dims[3] == 1)  // a 1x1 convolution
      mapped->add(name, {.parts = {{stored, 0, element_count(dims)}}, .dims = {dims[0], dims[1]}});
    else
      mapped->add_renamed(name, stored);
  }
  return mapped;
}

std::unique_ptr<TensorSource> to_original(OriginalPart part, std::shared_ptr<const TensorSource> diffusers) {
  const Renaming rename(table_of(part, NameTree(*diffusers)), &Row::diffusers, &Row::original);
  auto mapped = std::make_unique<MappedSource>(diffusers);
  for (const std::string& stored : diffusers->names()) {
    const std::string name = rename(stored);
    const std::vector<int64_t> dims = diffusers->dims(stored);
    auto projection =
        std::ranges::find_if(projections, [&](const char* p) { return part == OriginalPart::open_clip && stored.find(p) != stored.npos; });
    if (projection != projections.end())
      add_packed(*mapped, *diffusers, stored, name, *projection);
    else if (is_vae_matrix(part, name) && dims.size() == 2)
      mapped->add(name, {.parts = {{stored, 0, element_count(dims)}}, .dims = {dims[0], dims[1], 1, 1}});
    else if (part == OriginalPart::open_clip && name == "text_projection")
      mapped->add(name, swapped(*diffusers, stored));
    else
      mapped->add_renamed(name, stored);
  }
  return mapped;
}

std::map<std::string, std::string> original_unet_names(const TensorSource& diffusers) {
  const Renaming rename(table_of(OriginalPart::unet, NameTree(diffusers)), &Row::diffusers, &Row::original);
  std::map<std::string, std::string> names;
  for (const std::string& name : diffusers.names()) names.emplace(name, rename(name));
  return names;
}

std::unique_ptr<TensorSource> under_prefix(std::shared_ptr<const TensorSource> source, const std::string& prefix) {
  auto mapped = std::make_unique<MappedSource>(source);
  for (const std::string& stored : source->names())
    if (stored.starts_with(prefix)) mapped->add_renamed(stored.substr(prefix.size()), stored);
  return mapped;
}

std::optional<OriginalPart> recognise_original(const TensorSource& source) {
  const NameTree names(source);
  if (names.has_under("input_blocks.0.0.")) return OriginalPart::unet;
  if (names.has_under("decoder.up.") || names.has_under("encoder.down.")) return OriginalPart::vae;
  if (names.has_under("transformer.resblocks.")) return OriginalPart::open_clip;
  return std::nullopt;
}

}  // namespace hayate
