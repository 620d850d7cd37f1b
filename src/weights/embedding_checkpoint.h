// A model whose text encoders know more words: textual inversion.
#pragma once
#include <functional>
#include <map>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/embedding_file.h"

namespace hayate {

class EmbeddingCheckpoint : public Checkpoint {
 public:
  EmbeddingCheckpoint(std::unique_ptr<Checkpoint> base, const std::vector<std::string>& paths, const std::function<void(const std::string&)>& warn);

  // The vectors of each file go to the text encoder that they are named after, or that has their width, as further rows of its token embedding. Error(bad_model) for a file of which nothing fits,
  // and then all is as before; `warn` is told of vectors that fit nothing, and of encoders without vectors, for which the word is empty.
  void add(const EmbeddingFile&, const std::function<void(const std::string&)>& warn);

  const std::string& path() const override { return base_->path(); }
  JsonObject index() const override { return base_->index(); }
  bool has(const std::string& component) const override { return base_->has(component); }
  JsonObject config(const std::string& component) const override;
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override;
  std::string tokenizer(const std::string& component) const override { return base_->tokenizer(component); }
  std::vector<AddedWord> words(const std::string& component) const override;

 private:
  struct Encoder {
    int64_t width, vocabulary;
    std::vector<AddedWord> words{};
    std::vector<float> rows{};
    bool narrow = true;  // the rows are in the type of the embedding that they are added to
  };

  std::unique_ptr<Checkpoint> base_;
  std::map<std::string, Encoder> encoders_;  // by component
};

}  // namespace hayate
