#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "superd/net/socket.h"

namespace superd::test {

/// A directory of a test's own, which goes with it.
class FileFolder {
 public:
  FileFolder() {
    std::string pattern = testing::TempDir() + "superd-tree-XXXXXX";
    path_ = mkdtemp(pattern.data());
    chmod(path_.c_str(), 0755);
  }
  FileFolder(const FileFolder&) = delete;
  FileFolder& operator=(const FileFolder&) = delete;
  ~FileFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string name() const { return std::filesystem::path(path_).filename(); }
  void write(const std::string& name, std::string_view content, mode_t mode = 0644) const {
    std::ofstream(path(name), std::ios::binary) << content;
    chmod(path(name).c_str(), mode);
  }
  void make_directory(const std::string& name) const {
    mkdir(path(name).c_str(), 0755);
    chmod(path(name).c_str(), 0755);
  }
  void link(const std::string& name, const std::string& target) const {
    EXPECT_EQ(symlink(target.c_str(), path(name).c_str()), 0);
  }
  /// What lies in a directory of it, hidden files too.
  [[nodiscard]] int count(const std::string& name) const {
    using Iterator = std::filesystem::directory_iterator;
    return static_cast<int>(std::distance(Iterator(path(name)), Iterator()));
  }

 private:
  std::string path_;
};

inline std::string content_of(const Socket& file) {
  std::string text(1000, '\0');
  const auto got = pread(file.fd(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace superd::test
