#include <algorithm>
#include <mutex>
#include <vector>

#include "superd/services/files/file_table.h"

namespace superd {

namespace {

/// Slides 7 and 8 to the letter: an entry for each client and what it reads, found by hash(IP address, port), with a
/// buffer; first in, first out, and believed while it is there. One client that comes again and again from new ports
/// fills it with entries that nobody will use (slide 9): that is what it is kept for.
class ChapterTable final : public FileTable {
 public:
  explicit ChapterTable(const FileSettings& settings)
      : most_(static_cast<std::size_t>(settings.table_files)), idle_(settings.table_idle) {
    entries_.reserve(most_);
  }

  FileFound use(const Tree& tree, const std::string& clean, const FileReader& reader, Tree::Look where) override {
    const auto key = std::hash<Endpoint>{}(reader.client);
    {
      const std::lock_guard lock(mutex_);
      if (Entry* found = find(key, reader.client, clean)) {
        found->used = reader.now;
        reader.counters.file_hits.add();
        return found->use;
      }
    }
    auto opened = tree.open_file(clean, where);
    if (!opened) return std::unexpected(opened.error());
    reader.counters.file_misses.add();
    auto file = std::make_shared<OpenFile>(std::move(opened->file));
    file->ahead.enable();
    const FileUse use{std::move(file), opened->facts};
    keep({key, reader.client, clean, use, reader.now}, reader.counters);
    return use;
  }

  Time close_idle(Time now, Counters& counters) noexcept override {
    const std::lock_guard lock(mutex_);
    const auto before = entries_.size();
    std::erase_if(entries_, [&](const Entry& entry) { return entry.used + idle_ <= now; });
    if (entries_.size() == before) return next_idle();
    counters.file_idle.add(before - entries_.size());
    oldest_ = 0;
    return next_idle();
  }

  std::size_t size() const noexcept override {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  void lose_all() noexcept override {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    oldest_ = 0;
  }
  void confuse() override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 1; i < entries_.size(); ++i) std::swap(entries_[i - 1].use, entries_[i].use);
  }

 private:
  struct Entry {
    std::size_t key;
    Endpoint client;
    std::string name;
    FileUse use;
    Time used;
  };

  Entry* find(std::size_t key, const Endpoint& client, const std::string& name) noexcept {
    for (auto& entry : entries_)
      if (entry.key == key && entry.client == client && entry.name == name) return &entry;
    return nullptr;
  }

  void keep(Entry entry, Counters& counters) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() < most_) {
      entries_.push_back(std::move(entry));
      return;
    }
    counters.file_evictions.add();
    entries_[oldest_] = std::move(entry);
    oldest_ = (oldest_ + 1) % most_;
  }

  Time next_idle() const noexcept {
    Time next = never;
    for (const auto& entry : entries_) next = std::min(next, entry.used + idle_);
    return next;
  }

  const std::size_t most_;
  const Millis idle_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;
};

}  // namespace

std::unique_ptr<FileTable> make_chapter_table(const FileSettings& settings) {
  return std::make_unique<ChapterTable>(settings);
}

}  // namespace superd
