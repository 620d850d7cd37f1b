// The models, LoRAs and embeddings that requests can name. Names come from the command line and from a folder's listing; no name from a request becomes
// part of a path.
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hayate/inspect.h"

namespace hayate::server {

struct CatalogModel {
  std::string name{};  // what requests call it
  Options options{};   // as Pipeline opens it
  ModelInfo info{};
  std::vector<std::string> embeddings{};  // words of prompts
  RequestCheck check;
};

class Catalog {
 public:
  // Looks into every model: throws Error for one that cannot be opened, and for two of one name. Of the embeddings each gets those that fit it, as the folder is now.
  Catalog(const std::vector<std::string>& models, const Options& common, std::string lora_folder, const std::string& embedding_folder = "");

  const std::vector<CatalogModel>& models() const { return models_; }
  const CatalogModel& model(const std::string& name) const;  // empty: the default. HttpError 404 for an unknown one
  std::string default_model() const;
  void set_default_model(const std::string& name);  // HttpError 404

  std::map<std::string, std::string> loras() const;  // name to path, as the folder is now
  std::string lora(const std::string& name) const;   // its path; HttpError 404

 private:
  std::vector<CatalogModel> models_;
  std::string lora_folder_;
  mutable std::mutex mutex_;
  std::string default_model_;
};

}  // namespace hayate::server
