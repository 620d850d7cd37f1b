// Byte pair encoding over GPT-2's alphabet of bytes, with CLIP's mark at the end of each word.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hayate {

class BytePairEncoding {
 public:
  // vocab.json and merges.txt. Error(bad_file) for ids that are not 0, 1, 2, ... once each, merges that name unknown tokens, more
  // than a million entries, tokens over a kilobyte. `unknown_token` stands for bytes that the vocabulary lacks.
  BytePairEncoding(const std::string& vocab_path, const std::string& merges_path, const std::string& unknown_token);

  int size() const { return int(tokens_.size()); }
  int32_t find(const std::string& token) const;  // -1: not in the vocabulary
  int32_t add(const std::string& token);         // gets the next id

  // Appends the ids of one word, given as its UTF-8 bytes.
  void encode(std::string_view word, std::vector<int32_t>& ids) const;

  // The bytes that the ids stand for, with a space for each end of a word.
  std::string decode(std::span<const int32_t> ids) const;

 private:
  struct Merge {
    int32_t rank, id;
  };
  void read_vocabulary(const std::string& path);
  void read_merges(const std::string& path);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void merge_all(std::vector<int32_t>& symbols) const;

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<uint64_t, Merge> merges_;             // by left and right id
  std::array<int32_t, 256> byte_ids_{}, last_byte_ids_{};  // of a byte inside a word and at its end
};

}  // namespace hayate
