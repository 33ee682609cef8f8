#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "superd/services/files/tree.h"
#include "superd/services/files/upload.h"
#include "tests/services/files_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Both ways to resolve names; links within the tree are for the first alone.
class ATree : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    folder.write("file", "content");
    folder.make_directory("sub");
    folder.write("sub/inner", "inner");
    folder.write("private", "private", 0640);
    outside.write("secret", "secret");
  }
  FileFault fault_of_open(const std::string& name) const {
    const auto clean = clean_name(name);
    if (!clean) return clean.error();
    const auto opened = tree.open_file(*clean);
    EXPECT_FALSE(opened) << name;
    return opened ? FileFault::failed : opened.error();
  }
  [[nodiscard]] bool walks() const { return GetParam(); }

  FileFolder folder, outside;
  Tree tree = Tree::open(folder.path(), {.public_only = true, .walks = GetParam()}).value();
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Resolved, ATree, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Walking" : "ByTheKernel"; });

TEST_P(ATree, OpensItsFiles) {
  EXPECT_EQ(content_of(tree.open_file("file")->file), "content");
  EXPECT_EQ(content_of(tree.open_file("sub/inner")->file), "inner");
  EXPECT_EQ(tree.open_file("file")->facts.size, 7U);
}

TEST_P(ATree, SaysWhyNot) {
  EXPECT_EQ(fault_of_open("nothing"), FileFault::not_found);
  EXPECT_EQ(fault_of_open("file/x"), FileFault::not_found);
  EXPECT_EQ(fault_of_open("private"), FileFault::forbidden);
  EXPECT_EQ(fault_of_open("sub"), FileFault::not_a_file);
  EXPECT_EQ(fault_of_open("."), FileFault::not_a_file);
  EXPECT_EQ(fault_of_open("../file"), FileFault::bad_name);
  EXPECT_EQ(fault_of_open(std::string("fi\0le", 5)), FileFault::bad_name);
  EXPECT_EQ(fault_of_open(std::string(5000, 'x')), FileFault::bad_name);
  EXPECT_EQ(fault_of_open(std::string(300, 'x')), FileFault::not_found);
}

TEST_P(ATree, IsLeftByNoLink) {
  folder.link("absolute", outside.path("secret"));
  folder.link("relative", "../" + outside.name() + "/secret");
  folder.link("directory", outside.path());
  folder.link("magic", "/proc/self/root");
  folder.link("loop", "loop");
  for (const auto* name : {"absolute", "relative", "directory/secret", "magic/etc/passwd", "loop"}) {
    const auto fault = fault_of_open(name);
    EXPECT_TRUE(fault == FileFault::forbidden || fault == FileFault::not_found) << name << ": " << name_of(fault);
    EXPECT_FALSE(tree.look_at(name)) << name;
  }
}

TEST_P(ATree, FollowsLinksWithinItWhereTheKernelSeesToThat) {
  folder.link("sub/link", "../file");
  const auto opened = tree.open_file("sub/link");
  EXPECT_EQ(opened.has_value(), !walks());
}

TEST_P(ATree, NeitherBlocksNorServesWhatIsNoFile) {
  ASSERT_EQ(mkfifo(folder.path("fifo").c_str(), 0644), 0);
  EXPECT_EQ(fault_of_open("fifo"), FileFault::not_a_file);
  EXPECT_EQ(tree.look_at("fifo").error(), FileFault::not_a_file);
}

TEST_P(ATree, ListsWhatMayBeServed) {
  folder.write(".hidden", "");
  folder.link("out", outside.path("secret"));
  const auto entries = tree.list(".", 100).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "file");
  EXPECT_EQ(entries[1].name, "sub");
  EXPECT_TRUE(entries[1].facts.is_directory());
  EXPECT_EQ(tree.list(".", 1)->size(), 1U);
  EXPECT_EQ(tree.list("file", 9).error(), FileFault::not_a_directory);
  EXPECT_EQ(tree.list("nothing", 9).error(), FileFault::not_found);
}

TEST_P(ATree, IsChangedByWhoMay) {
  EXPECT_TRUE(tree.make_directory("new"));
  EXPECT_EQ(tree.make_directory("new").error(), FileFault::exists);
  EXPECT_TRUE(tree.rename("file", "new/file"));
  EXPECT_EQ(tree.remove_directory("new").error(), FileFault::not_empty);
  EXPECT_EQ(tree.rename("new/file", "sub/inner").error(), FileFault::exists);
  EXPECT_TRUE(tree.remove_file("new/file"));
  EXPECT_TRUE(tree.remove_directory("new"));
  EXPECT_EQ(tree.remove_file("new").error(), FileFault::not_found);
  EXPECT_EQ(tree.remove_directory("sub/inner").error(), FileFault::not_a_directory);
}

TEST_P(ATree, TakesAnUploadWholeOrNotAtAll) {
  const auto count = [&] { return folder.count("sub"); };
  {
    auto upload = Upload::begin(tree, "sub/new", {.most = 100}).value();
    EXPECT_TRUE(upload.write(0, as_bytes("half")));
  }
  EXPECT_EQ(count(), 1);
  auto upload = Upload::begin(tree, "sub/new", {.most = 100}).value();
  EXPECT_TRUE(upload.write(3, as_bytes("def")));
  EXPECT_TRUE(upload.write(0, as_bytes("abc")));
  EXPECT_EQ(upload.write(98, as_bytes("abc")).error(), FileFault::no_space);
  EXPECT_EQ(tree.open_file("sub/new").error(), FileFault::not_found);
  EXPECT_TRUE(upload.finish(1'000'000'000));
  EXPECT_EQ(content_of(tree.open_file("sub/new")->file), "abcdef");
  EXPECT_EQ(tree.look_at("sub/new")->modified.seconds, 1'000'000'000);
  EXPECT_EQ(count(), 2);
}

TEST_P(ATree, TakesAnUploadInThePlaceOfAFileWhereThatIsAllowed) {
  EXPECT_EQ(Upload::begin(tree, "file", {.most = 9}).error(), FileFault::exists);
  EXPECT_EQ(Upload::begin(tree, "sub", {.overwrite = true, .most = 9}).error(), FileFault::not_a_file);
  EXPECT_EQ(Upload::begin(tree, ".dot", {.most = 9}).error(), FileFault::bad_name);
  auto upload = Upload::begin(tree, "file", {.overwrite = true, .most = 9}).value();
  EXPECT_TRUE(upload.write(0, as_bytes("new")));
  EXPECT_EQ(content_of(tree.open_file("file")->file), "content");
  EXPECT_TRUE(upload.finish());
  EXPECT_EQ(content_of(tree.open_file("file")->file), "new");

  auto late = Upload::begin(tree, "late", {.most = 9}).value();
  folder.write("late", "was quicker");
  EXPECT_EQ(late.finish().error(), FileFault::exists);
  EXPECT_EQ(content_of(tree.open_file("late")->file), "was quicker");
}

TEST(ATreeThatIsNotThere, IsAnError) {
  EXPECT_EQ(Tree::open("/nowhere/at/all", {}).error().code, ENOENT);
  EXPECT_EQ(Tree::open("/etc/passwd", {}).error().code, ENOTDIR);
}

TEST(ACleanName, HasNoSlashThatSaysNothing) {
  for (const auto* name : {"a/b", "/a/b", "//a///b/", "./a/./b", "a/b/."}) EXPECT_EQ(clean_name(name), "a/b") << name;
  for (const auto* name : {"", "/", ".", "./", "///"}) EXPECT_EQ(clean_name(name), ".") << name;
  for (const auto* name : {"..", "a/..", "../a", "a/../b"})
    EXPECT_EQ(clean_name(name), std::unexpected(FileFault::bad_name)) << name;
  EXPECT_EQ(clean_name("..."), "...");
}
