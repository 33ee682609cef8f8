#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "superd/base/mix.h"
#include "superd/net/endpoint.h"
#include "superd/services/files/file_table.h"

namespace superd {

namespace {

struct Identity {
  std::uint64_t device, inode;
  friend bool operator==(const Identity&, const Identity&) = default;
};
struct HashIdentity {
  std::size_t operator()(const Identity& of) const noexcept { return mix(of.device, of.inode); }
};
Identity identity_of(const FileFacts& facts) noexcept { return {facts.device, facts.inode}; }

/// Open files by what they are and not by who reads them: a thousand clients of one file have one entry, and a client
/// that comes again and again adds none. A name is but a hint: each use asks the kernel what it stands for now.
///
/// When it is full, the least recently used file gives way of those that the prefix has brought in which has brought in
/// most: whoever asks for file after file loses its own.
class SafeTable final : public FileTable {
 public:
  explicit SafeTable(const FileSettings& settings)
      : most_(static_cast<std::size_t>(settings.table_files)), idle_(settings.table_idle) {}

  FileFound use(const Tree& tree, const std::string& clean, const FileReader& reader, Tree::Look where) override {
    if (const auto known = find(clean)) {
      if (const auto facts = tree.identify(clean); facts && facts->is_same_file(known->facts)) {
        if (const auto may = tree.check(*facts); !may) return std::unexpected(may.error());
        note_hit(identity_of(*facts), reader);
        return FileUse{known->file, *facts};
      }
      forget(clean);
      reader.counters.file_changes.add();
    }
    auto opened = tree.open_file(clean, where);
    if (!opened) return std::unexpected(opened.error());
    return keep(clean, *opened, reader);
  }

  Time close_idle(Time now, Counters& counters) noexcept override {
    Files closing;
    const std::lock_guard lock(mutex_);
    while (!files_.empty() && files_.back().used + idle_ <= now) {
      closing.splice(closing.begin(), files_, std::prev(files_.end()));
      drop_traces(closing.front());
      counters.file_idle.add();
    }
    return files_.empty() ? never : files_.back().used + idle_;
  }

  std::size_t size() const noexcept override {
    const std::lock_guard lock(mutex_);
    return files_.size();
  }

  void lose_all() noexcept override {
    const std::lock_guard lock(mutex_);
    names_.clear();
    by_identity_.clear();
    brought_in_.clear();
    files_.clear();
  }

  void confuse() override {
    const std::lock_guard lock(mutex_);
    for (auto name = names_.begin(); name != names_.end() && std::next(name) != names_.end(); ++name) {
      std::swap(name->second, std::next(name)->second);
      name->second->names.push_back(name->first);
      std::next(name)->second->names.push_back(std::next(name)->first);
    }
  }

 private:
  struct File {
    FileUse use;
    Time used;
    ClientKey brought_in_by;
    std::vector<std::string> names;  // under which it has been found
  };
  using Files = std::list<File>;  // most recently used first
  // Links to one file: more of them are looked up each time.
  static constexpr std::size_t most_names = 8;

  std::optional<FileUse> find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(name);
    if (found == names_.end()) return std::nullopt;
    return found->second->use;
  }

  void note_hit(const Identity& identity, const FileReader& reader) {
    reader.counters.file_hits.add();
    const std::lock_guard lock(mutex_);
    // It may have been closed meanwhile: who reads it has it all the same.
    const auto found = by_identity_.find(identity);
    if (found != by_identity_.end()) touch(found->second, reader.now);
  }

  void touch(Files::iterator file, Time now) noexcept {
    file->used = now;
    files_.splice(files_.begin(), files_, file);
  }

  void forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_.erase(name);
  }

  FileUse keep(const std::string& name, Tree::Opened& opened, const FileReader& reader) {
    Files evicted;  // closed after the lock
    const std::lock_guard lock(mutex_);
    const auto identity = identity_of(opened.facts);
    if (const auto found = by_identity_.find(identity); found != by_identity_.end()) {
      // By another name, or two at once: one descriptor is enough.
      reader.counters.file_hits.add();
      touch(found->second, reader.now);
      note_name(found->second, name);
      return {found->second->use.file, opened.facts};
    }
    reader.counters.file_misses.add();
    while (files_.size() >= most_) evict(evicted, reader.counters);
    const FileUse use{std::make_shared<OpenFile>(std::move(opened.file)), opened.facts};
    const auto prefix = ClientKey::prefix_of(reader.client);
    files_.push_front({use, reader.now, prefix, {}});
    by_identity_.insert_or_assign(identity, files_.begin());
    ++brought_in_[prefix];
    note_name(files_.begin(), name);
    return use;
  }

  void note_name(Files::iterator file, const std::string& name) {
    if (file->names.size() >= most_names) return;
    names_.insert_or_assign(name, file);
    if (std::ranges::find(file->names, name) == file->names.end()) file->names.push_back(name);
  }

  void evict(Files& evicted, Counters& counters) noexcept {
    const auto heaviest =
        std::ranges::max_element(brought_in_, {}, [](const auto& prefix) { return prefix.second; })->first;
    const auto oldest = std::ranges::find(files_.rbegin(), files_.rend(), heaviest, &File::brought_in_by);
    const auto file = std::prev(oldest.base());
    drop_traces(*file);
    evicted.splice(evicted.begin(), files_, file);
    counters.file_evictions.add();
  }

  void drop_traces(const File& file) noexcept {
    for (const auto& name : file.names)
      if (const auto found = names_.find(name); found != names_.end() && &*found->second == &file) names_.erase(found);
    by_identity_.erase(identity_of(file.use.facts));
    const auto prefix = brought_in_.find(file.brought_in_by);
    if (prefix != brought_in_.end() && --prefix->second == 0) brought_in_.erase(prefix);
  }

  const std::size_t most_;
  const Millis idle_;
  mutable std::mutex mutex_;
  Files files_;
  std::unordered_map<std::string, Files::iterator> names_;
  std::unordered_map<Identity, Files::iterator, HashIdentity> by_identity_;
  std::unordered_map<ClientKey, std::size_t> brought_in_;
};

}  // namespace

std::unique_ptr<FileTable> make_safe_table(const FileSettings& settings) {
  return std::make_unique<SafeTable>(settings);
}

}  // namespace superd
