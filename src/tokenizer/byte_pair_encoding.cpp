// Loading a vocabulary, and merging symbols in the order that the Rust tokenizers library merges them.
#include "tokenizer/byte_pair_encoding.h"

#include <algorithm>
#include <queue>

#include "core/error.h"
#include "core/file_reader.h"
#include "core/json.h"
#include "tokenizer/unicode.h"

namespace hayate {
namespace {

constexpr size_t max_entries = 1'000'000, max_token_bytes = 1024;
constexpr int64_t max_merges_bytes = int64_t{16} << 20;
constexpr std::string_view end_of_word = "</w>";

// Each byte's character: itself where that is printable in Latin-1, otherwise the next of those from U+0100 on.
constexpr std::array<char32_t, 256> make_byte_characters() {
  std::array<char32_t, 256> characters{};
  char32_t next = 256;
  for (int b = 0; b < 256; ++b) {
    bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xff && b != 0xad);
    characters[b] = printable ? char32_t(b) : next++;
  }
  return characters;
}

constexpr std::array<char32_t, 256> byte_characters = make_byte_characters();

// The bytes that a token's characters stand for; a token with other characters, such as an added one, is plain text.
std::string bytes_of(const std::string& token) {
  std::u32string characters = from_utf8(token).value_or(U"");
  std::string bytes;
  for (char32_t c : characters) {
    auto found = std::find(byte_characters.begin(), byte_characters.end(), c);
    if (found == byte_characters.end()) return token;
    bytes += char(found - byte_characters.begin());
  }
  return bytes;
}

uint64_t pair_key(int32_t left, int32_t right) { return uint64_t(uint32_t(left)) << 32 | uint32_t(right); }

}  // namespace

BytePairEncoding::BytePairEncoding(const std::string& vocab_path, const std::string& merges_path, const std::string& unknown_token) {
  read_vocabulary(vocab_path);
  read_merges(merges_path);
  int32_t unknown = find(unknown_token);
  require(unknown >= 0, ErrorKind::bad_file, "{}: lacks the special token \"{}\"", vocab_path, unknown_token);
  for (int b = 0; b < 256; ++b) {
    std::string character = to_utf8({&byte_characters[b], 1});
    auto known_or_unknown = [&](const std::string& token) { return find(token) >= 0 ? find(token) : unknown; };
    byte_ids_[b] = known_or_unknown(character);
    last_byte_ids_[b] = known_or_unknown(character.append(end_of_word));
  }
}

int32_t BytePairEncoding::find(const std::string& token) const {
  auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

int32_t BytePairEncoding::add(const std::string& token) {
  tokens_.push_back(token);
  return ids_[token] = int32_t(tokens_.size() - 1);
}

void BytePairEncoding::read_vocabulary(const std::string& path) {
  Json vocabulary = read_json_file(path);
  require(vocabulary.is_object() && !vocabulary.empty() && vocabulary.size() <= max_entries, ErrorKind::bad_file,
          "{}: expected a JSON object of 1 to {} tokens and their ids", path, max_entries);
  tokens_.resize(vocabulary.size());
  std::vector<bool> taken(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items()) {
    require(token.size() <= max_token_bytes, ErrorKind::bad_file, "{}: a token of {} bytes, expected at most {}", path, token.size(),
            max_token_bytes);
    bool in_range = id.is_number_unsigned() && id.get<uint64_t>() < vocabulary.size();
    require(in_range, ErrorKind::bad_file, "{}: the id of {} is {}, expected an integer from 0 to {} as there are {} tokens", path, excerpt(token),
            excerpt(id), vocabulary.size() - 1, vocabulary.size());
    size_t index = id.get<size_t>();
    require(!taken[index], ErrorKind::bad_file, "{}: {} and {} both have the id {}", path, excerpt(tokens_[index]), excerpt(token), index);
    taken[index] = true;
    tokens_[index] = token;
    ids_.emplace(token, int32_t(index));
  }
}

void BytePairEncoding::read_merges(const std::string& path) {
  std::string text = read_text_file(path, max_merges_bytes);
  std::string_view rest = text;
  for (int line_number = 1; !rest.empty(); ++line_number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version")) continue;
    size_t space = line.find(' ');
    require(space != line.npos && line.find(' ', space + 1) == line.npos && line.size() <= 2 * max_token_bytes, ErrorKind::bad_file,
            "{}: line {} is not two tokens and a space between them", path, line_number);
    std::string left(line.substr(0, space)), right(line.substr(space + 1));
    auto id_of = [&](const std::string& token) {
      int32_t id = find(token);
      require(id >= 0, ErrorKind::bad_file, "{}: line {} has {}, which the vocabulary lacks", path, line_number, excerpt(token));
      return id;
    };
    require(merges_.size() < max_entries, ErrorKind::bad_file, "{}: more than {} merges", path, max_entries);
    int32_t left_id = id_of(left), right_id = id_of(right);
    merges_[pair_key(left_id, right_id)] = {int32_t(line_number), id_of(left + right)};
  }
}

const BytePairEncoding::Merge* BytePairEncoding::find_merge(int32_t left, int32_t right) const {
  auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairEncoding::encode(std::string_view word, std::vector<int32_t>& ids) const {
  if (word.empty()) return;
  std::vector<int32_t> symbols;
  for (char c : word.substr(0, word.size() - 1)) symbols.push_back(byte_ids_[uint8_t(c)]);
  symbols.push_back(last_byte_ids_[uint8_t(word.back())]);
  merge_all(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

// The merge of lowest rank first, the leftmost of equals; a heap of candidates keeps long words at n log n.
void BytePairEncoding::merge_all(std::vector<int32_t>& symbols) const {
  constexpr int32_t gone = -1;
  struct Candidate {
    int32_t rank, position, id;
    bool operator>(const Candidate& other) const { return std::pair(rank, position) > std::pair(other.rank, other.position); }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  int count = int(symbols.size());
  std::vector<int> previous(count), next(count);  // neighbours that are still there; -1 and count at the ends
  auto consider = [&](int left, int right) {
    if (left < 0 || right >= count) return;
    if (const Merge* merge = find_merge(symbols[left], symbols[right])) candidates.push({merge->rank, left, merge->id});
  };
  for (int i = 0; i < count; ++i) {
    previous[i] = i - 1;
    next[i] = i + 1;
    consider(i, i + 1);
  }
  while (!candidates.empty()) {
    Candidate best = candidates.top();
    candidates.pop();
    int left = best.position, right = next[left];
    if (symbols[left] == gone || right >= count) continue;
    const Merge* merge = find_merge(symbols[left], symbols[right]);
    if (!merge || merge->id != best.id) continue;  // a neighbour has changed since
    symbols[left] = merge->id;
    symbols[right] = gone;
    next[left] = next[right];
    if (next[left] < count) previous[next[left]] = left;
    consider(previous[left], left);
    consider(left, next[left]);
  }
  std::erase(symbols, gone);
}

std::string BytePairEncoding::decode(std::span<const int32_t> ids) const {
  std::string text;
  for (int32_t id : ids) text += bytes_of(tokens_.at(size_t(id)));
  std::string spaced;
  for (size_t start = 0, end = 0; end != text.npos; start = end + end_of_word.size()) {
    end = text.find(end_of_word, start);
    spaced += text.substr(start, end - start);
    if (end != text.npos) spaced += ' ';
  }
  return spaced;
}

}  // namespace hayate
