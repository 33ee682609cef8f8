#include <sys/resource.h>

#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string program_with(std::string_view lines, std::string_view listen = "tcp/7") {
  return "[service.it]\nlisten = \"" + std::string(listen) + "\"\nprogram = [\"/bin/cat\", \"-u\"]\n" +
         std::string(lines) + "\n";
}

ServiceSettings service(std::string_view lines, std::string_view listen = "tcp/7") {
  return parsed(program_with(lines, listen)).services.at(0);
}

}  // namespace

TEST(AProgramsKeys, SayWhatIsRunAndHow) {
  const auto it = service(
      "stderr = \"client\"\nuser = \"root\"\nroot = \"/srv\"\ndirectory = \"/tmp\"\nenvironment = [\"A=b\", \"C=\"]\n"
      "umask = \"0077\"\nnice = -3\nrlimits = [\"nofile=10\", \"as=1MiB\", \"core=unlimited\"]\n"
      "no_new_privileges = true");
  const auto& [launch, waits, pass, errors] = it.program;
  EXPECT_EQ(launch.words, (std::vector<std::string>{"/bin/cat", "-u"}));
  EXPECT_FALSE(waits);
  EXPECT_EQ(pass, Program::Pass::standard_input);
  EXPECT_EQ(errors, Program::Errors::client);
  ASSERT_TRUE(launch.identity);
  EXPECT_EQ(launch.identity->user, 0u);
  EXPECT_EQ(launch.root, "/srv");
  EXPECT_EQ(launch.directory, "/tmp");
  EXPECT_EQ(launch.environment, (std::vector<std::string>{"A=b", "C="}));
  EXPECT_EQ(launch.mask, 0077u);
  EXPECT_EQ(launch.nice, -3);
  EXPECT_EQ(launch.bounds, (std::vector<Launch::Bound>{
                               {RLIMIT_NOFILE, 10           },
                               {RLIMIT_AS,     1 << 20      },
                               {RLIMIT_CORE,   RLIM_INFINITY}
  }));
  EXPECT_TRUE(launch.no_new_privileges);
}

TEST(AProgramsKeys, SayHowItIsConfined) {
  const auto it = service(
      "user_groups = [\"root\", \"4711\"]\ncapabilities = [\"net_bind_service\", \"chown\"]\n"
      "seccomp = [\"confined\", \"no_new_programs\"]\nread_paths = [\"/etc\"]\nwrite_paths = [\"/srv\"]\n"
      "execute_paths = [\"/usr\"]\nmemory = \"64MiB\"\nprocesses = 32\ncpu = \"150%\"\nbest_effort = true");
  const auto& [groups, capabilities, filters, read, write, execute, best_effort] = it.program.launch.confinement;
  EXPECT_EQ(groups, (std::vector<Confinement::Group>{
                        {"root", 0   },
                        {"4711", 4711}
  }));
  EXPECT_EQ(capabilities, (std::vector<int>{10, 0}));
  using enum Confinement::Filter;
  EXPECT_EQ(filters, (std::vector<Confinement::Filter>{confined, no_new_programs}));
  EXPECT_EQ(read, std::vector<std::string>{"/etc"});
  EXPECT_EQ(write, std::vector<std::string>{"/srv"});
  EXPECT_EQ(execute, std::vector<std::string>{"/usr"});
  EXPECT_TRUE(best_effort);
  const auto& share = it.program.launch.share;
  EXPECT_EQ(share.memory, 64U << 20);
  EXPECT_EQ(share.processes, 32);
  EXPECT_EQ(share.cpu, 150);
}

TEST(AProgramsKeys, MakeItsDesignTheOneThatRunsPrograms) {
  EXPECT_EQ(service("").design.design, "processes");
  EXPECT_EQ(service("").handler, "");
  EXPECT_EQ(errors_of(program_with("design = \"threads\"")),
            Lines{"x.toml:4: design: \"threads\" runs no programs: write \"processes\", or leave it out"});
  EXPECT_EQ(errors_of("[defaults]\ndesign = \"event\"\n" + program_with("")),
            Lines{"x.toml:2: design: \"event\" runs no programs: write \"processes\", or leave it out"});
}

TEST(AProgramsKeys, TellWhoTheUserAndTheGroupsAre) {
  const auto nobody = service("user = \"nobody\"").program.launch.identity.value();
  EXPECT_EQ(nobody.user, 65534u);
  EXPECT_FALSE(nobody.groups.empty());
  const auto with_group = service("user = \"nobody:4711\"").program.launch.identity.value();
  EXPECT_EQ(with_group.group, 4711u);
  EXPECT_EQ(with_group.groups, std::vector<gid_t>{4711});
  EXPECT_EQ(errors_of(program_with("user = \"nonesuch\"")),
            Lines{"x.toml:4: user: no user is called \"nonesuch\": write a name that getent(1) knows"});
  EXPECT_EQ(errors_of(program_with("user = \"root:nonesuch\"")),
            Lines{"x.toml:4: user: no group is called \"nonesuch\": write a name that getent(1) knows, or a number"});
}

TEST(AProgramsKeys, ThatAreWrongSayWhatWouldBeRight) {
  EXPECT_EQ(errors_of("[service.it]\nlisten = \"tcp/7\"\nprogram = \"/bin/cat\""),
            Lines{"x.toml:3: program: is a string: write an array of words, as in [\"/bin/cat\", \"-u\"]"});
  EXPECT_EQ(
      errors_of("[service.it]\nlisten = \"tcp/7\"\nprogram = [\"cat\"]"),
      Lines{"x.toml:3: program: begins with \"cat\": write the program's absolute path first, as in [\"/bin/cat\"]"});
  EXPECT_EQ(
      errors_of("[service.it]\nlisten = \"tcp/7\"\nprogram = []"),
      Lines{"x.toml:3: program: begins with nothing: write the program's absolute path first, as in [\"/bin/cat\"]"});
  EXPECT_EQ(errors_of(program_with("handler = \"echo\"")),
            Lines{"x.toml:4: handler: is given beside program: a client has the one or the other, so leave one out"});
  EXPECT_EQ(errors_of(program_with("environment = [\"=x\"]")),
            Lines{"x.toml:4: environment: \"=x\" sets nothing: write NAME=value"});
  EXPECT_EQ(errors_of(program_with("directory = \"tmp\"")),
            Lines{"x.toml:4: directory: \"tmp\" is no absolute path: begin it with /"});
  EXPECT_EQ(errors_of(program_with("rlimits = [\"nofiles=3\"]")),
            Lines{"x.toml:4: rlimits: \"nofiles=3\" bounds no resource: did you mean \"nofile\"?"});
  EXPECT_EQ(
      errors_of(program_with("rlimits = [\"nofile=some\"]")),
      Lines{"x.toml:4: rlimits: \"nofile=some\": nofile is a whole number: write it after a =, or \"unlimited\""});
  EXPECT_EQ(errors_of(program_with("capabilities = [\"net_bind_servic\"]")),
            Lines{"x.toml:4: capabilities: \"net_bind_servic\" is no capability: did you mean \"net_bind_service\"?"});
  EXPECT_EQ(errors_of(program_with("seccomp = [\"everything\"]")),
            Lines{"x.toml:4: seccomp: \"everything\" is no filter: write an array of \"confined\", \"no_network\" or "
                  "\"no_new_programs\""});
  EXPECT_EQ(
      errors_of(program_with("user_groups = [\"nonesuch\"]")),
      Lines{"x.toml:4: user_groups: no group is called \"nonesuch\": write a name that getent(1) knows, or a number"});
  EXPECT_EQ(errors_of(program_with("read_paths = [\"etc\"]")),
            Lines{"x.toml:4: read_paths: \"etc\" is no absolute path: begin it with /"});
  EXPECT_EQ(errors_of(program_with("cpu = \"half\"")),
            Lines{"x.toml:4: cpu: \"half\" is no share: write \"1%\" to \"100000%\", where 200% are two processors"});
  EXPECT_EQ(errors_of(program_with("processes = 0")),
            Lines{"x.toml:4: processes: 0 is below 1: a limit can be raised, not switched off"});
  EXPECT_EQ(
      errors_of(program_with("pass = \"listen_fds\"")),
      Lines{"x.toml:4: pass: \"listen_fds\" is of a program that takes clients in by itself: write wait = true too"});
  EXPECT_EQ(errors_of(program_with("no_new_privileges = 1")),
            Lines{"x.toml:4: no_new_privileges: is a whole number: write true or false"});
  EXPECT_EQ(errors_of(echo_with("wait = true")),
            Lines{"x.toml:3: wait: is of a program: write program too, or leave it out"});
}

TEST(AProgramsKeys, WantAWaitingProgramForDatagrams) {
  EXPECT_TRUE(service("wait = true", "udp/7").program.waits);
  EXPECT_EQ(
      errors_of(program_with("", "udp/7")),
      Lines{"x.toml:2: listen: \"udp/7\": a program has the socket of its datagrams to itself: write wait = true"});
}

TEST(AProgramsKeys, AreReadBackAsTheyArePrinted) {
  const auto table = parsed(program_with(
      "wait = true\nstderr = \"nowhere\"\nuser = \"nobody:4711\"\nroot = \"/srv\"\nenvironment = []\nnice = 5\n"
      "rlimits = [\"cpu=9\", \"stack=unlimited\"]\npass = \"listen_fds\"\nuser_groups = []\ncapabilities = [\"kill\"]\n"
      "seccomp = [\"no_network\"]\nread_paths = [\"/a\", \"/b\"]\nmemory = 12345\nprocesses = 5\ncpu = \"50%\"\n"
      "best_effort = true"));
  EXPECT_EQ(parsed(print_config(table)), table);
}
