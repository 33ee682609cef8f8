#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <span>
#include <string>

#include "superd/base/error.h"

namespace superd {

/// An error when this process has more threads than the calling one: fork(2) copies that one alone, and what another
/// had locked stays locked in the child for ever.
[[nodiscard]] Result<> may_fork();

/// As fork(2); errno is set where it is -1. The child dies with the thread that forked it, whatever becomes of that, and
/// has no signal blocked.
[[nodiscard]] pid_t fork_child() noexcept;
/// The same for a child that goes on when the parent dies.
[[nodiscard]] pid_t fork_on_its_own() noexcept;

/// In a new process: forgets the parent's signal handlers. Ignores what a terminal or a service manager sends to all
/// processes of a program at once: how it ends is decided by one of them, which tells the others.
void forget_signal_handlers() noexcept;

/// Kills all children of the calling thread's process as they are now, those adopted among them (PR_SET_CHILD_SUBREAPER).
void kill_children() noexcept;

/// Gives up the terminal that controls the calling process, if there is one, for it and its children to come. It must not
/// lead a process group.
void leave_terminal() noexcept;
/// Blocks these signals, so that they come by the descriptor that is returned, close-on-exec and without waiting
/// (signalfd(2)); -1 and errno where there is none.
[[nodiscard]] int signal_descriptor(std::initializer_list<int> signals) noexcept;

/// In a new process: closes all descriptors from 3 on but these, those that are inherited, and the pipe to the log.
void keep_descriptors(std::span<const int> kept) noexcept;

/// A descriptor that processes forked from here keep, under its number, whatever else they close: what a handler has
/// opened when it was made, as a directory. Not for programs that are executed. One thread at a time.
void inherit_descriptor(int fd);
void disinherit_descriptor(int fd) noexcept;

/// The name that ps(1) and top(1) show for the calling process; 15 characters at most.
void name_process(const std::string& name) noexcept;

/// How a process ended, from the status of waitpid(2): "SIGSEGV", "exit code 3".
[[nodiscard]] std::string text_of_end(int status);

}  // namespace superd
