#include <sys/stat.h>

#include <atomic>
#include <thread>
#include <vector>

#include "superd/services/fsp/uploads.h"
#include "tests/services/files_test.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class AnFspUpload : public testing::Test {
 protected:
  FileFolder folder;
  FspUploads uploads{
      Tree::open(folder.path(), {.public_only = false}
       ).value(), {.overwrite = true, .most = 100'000}
  };
  const Endpoint client = endpoint("192.0.2.1:1000");
  const std::vector<std::byte> block{1000, std::byte{'x'}};

  [[nodiscard]] struct stat facts_of(const std::string& name) const {
    struct stat facts{};
    EXPECT_EQ(stat(folder.path(name).c_str(), &facts), 0);
    return facts;
  }
};

}  // namespace

TEST_F(AnFspUpload, IsNotBegunInTheMiddle) {
  EXPECT_EQ(uploads.write(client, 1000, block).error(), FileFault::not_found);
  EXPECT_TRUE(uploads.write(client, 0, block));
  EXPECT_TRUE(uploads.write(client, 1000, block));
}

TEST_F(AnFspUpload, KeepsItsTimeWhileBlocksComeOnceMore) {
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(uploads.write(client, 0, block));
    std::atomic<bool> is_over = false;
    std::thread again([&] {
      while (!is_over) (void)uploads.write(client, 1000, block);
    });
    const auto installed = uploads.install(client, "file", 1'000'000'000);
    is_over = true;
    again.join();
    ASSERT_TRUE(installed);
    EXPECT_EQ(facts_of("file").st_mtim.tv_sec, 1'000'000'000);
    ASSERT_TRUE(uploads.cancel(client));
  }
}
